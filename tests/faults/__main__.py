"""``python -m tests.faults``: let something go wrong at every occasion of every command. Exit code 1 when a command
does not end as documented, shows a traceback, or leaves a torn file."""

from __future__ import annotations

import argparse
import random
import sys

from .commands import campaign

parser = argparse.ArgumentParser(prog="python -m tests.faults", description=(__doc__ or "").replace("``", ""))
parser.add_argument(
    "--kind", choices=["io", "memory", "signal"], action="append", help="what goes wrong [default: all]"
)
parser.add_argument("--most", type=int, default=1 << 30, help="occasions of a command and kind, at random")
parser.add_argument("--only", default="", help="commands whose name has this word in it")
parser.add_argument("--seed", type=int, default=None, help="a random one, if not given")
asked = parser.parse_args()
seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 31)
print(f"seed {seed}")
done = campaign(tuple(asked.kind or ("io", "memory", "signal")), asked.most, seed, asked.only)
for line in done.wrong or []:
    print(line)
print(f"{done.runs} runs, {len(done.wrong or [])} not as they should be")
sys.exit(1 if done.wrong else 0)
