"""``python -m tests.fuzz --seconds 600``: random programs against the oracle and in every configuration.

Exit code 1 when an answer differs. The seed is printed; with ``--state`` a campaign goes on where it stopped.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import tempfile
import warnings
from pathlib import Path

from .campaign import PROGRAMS, load, run, save


def main() -> int:
    """Run for as long as told."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=math.inf, help="stop after so many seconds")
    parser.add_argument("--programs", type=int, default=sys.maxsize, help="stop after so many programs")
    parser.add_argument("--seed", type=int, help="a random one, if not given")
    parser.add_argument("--state", type=Path, help="a file that keeps the progress, to go on from")
    parser.add_argument("--out", type=Path, default=PROGRAMS, help="where small programs that differ are written")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    progress = load(asked.state, seed)
    warnings.simplefilter("ignore")
    before = sum(progress.kinds.values())
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        print(f"seed {progress.seed}, from program {progress.next}", flush=True)
        try:
            run(
                progress, seconds=asked.seconds, programs=asked.programs, file=asked.state, out=asked.out,
                tell=lambda text: print(text, flush=True),
            )  # fmt: skip
        except KeyboardInterrupt:
            save(progress, asked.state)
    print(progress.text())
    return 1 if sum(progress.kinds.values()) > before else 0


if __name__ == "__main__":
    sys.exit(main())
