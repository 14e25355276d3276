"""``python -m tests.judges --size 3 --state FILE``: every group of calls under every rule, judged three times.

Exit code 1 when two judges differ. The seed is printed: it draws the order, so that a part is a sample of the whole.
With ``--state`` a campaign goes on where it stopped. All pairs take half an hour, all triples some hours.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from pathlib import Path

from dio_mc.study.registry import open_registry

from .campaign import load, products, run, save


def main() -> int:
    """Compare for as long as told."""
    parser = argparse.ArgumentParser(prog="python -m tests.judges", description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=3, choices=(1, 2, 3), help="calls of a group")
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so many seconds")
    parser.add_argument("--seed", type=int, help="a random one, if not given")
    parser.add_argument("--state", type=Path, help="a file that keeps the progress, to go on from")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    progress, registry = load(asked.state, seed, asked.size), open_registry()
    total = len(products(registry, progress.size, progress.seed))
    print(progress.text(total), flush=True)
    try:
        run(progress, registry, seconds=asked.seconds, file=asked.state, tell=lambda text: print(text, flush=True))
    except KeyboardInterrupt:
        save(progress, asked.state)
    print(progress.text(total))
    return 1 if progress.differences else 0


if __name__ == "__main__":
    sys.exit(main())
