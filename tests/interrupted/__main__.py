"""``python -m tests.interrupted``: kill one check at random moments, resume it each time, and compare its answer with
that of a check that was left alone. Exit code 1 when they differ, byte by byte but for times."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

from .killing import answer_of, chain, run

ROOT = Path(__file__).resolve().parents[2]
parser = argparse.ArgumentParser(prog="python -m tests.interrupted", description=(__doc__ or "").replace("``", ""))
parser.add_argument("--kills", type=int, default=50)
parser.add_argument("--span", default="0.5:4", metavar="LEAST:MOST", help="seconds after which it is killed")
parser.add_argument("--seed", type=int, default=None, help="a random one, if not given")
parser.add_argument("--folder", default=None, help="where to work, with room for the checkpoint")
parser.add_argument("check", nargs="*", help="what `dio-mc check` is given [default: a search of 2.1 million states]")
asked = parser.parse_args()
seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1 << 31)
model = [str(ROOT / "benchmarks/diorace.py"), "--param=pages=2", "--param=readers=3", "--param=mappers=2"]
named = [str(Path(word).resolve()) if Path(word).exists() else word for word in asked.check]
arguments = ["check", *(named or [*model, "--no-reduction"]), "--output-format=json"]
span = tuple(float(part) for part in asked.span.split(":"))
with tempfile.TemporaryDirectory(dir=asked.folder) as name:
    plain = run([*arguments, "--checkpoint=off"], Path(name))
    print(f"seed {seed}; left alone: exit code {plain.code}, {plain.seconds:.1f} s of processor time", flush=True)
    found = chain(arguments, Path(name), asked.kills, random.Random(seed), (span[0], span[1]))
other = [ended for ended in found.ends if answer_of(ended) != answer_of(plain) or ended.code != plain.code]
print(f"killed {found.kills} times, {found.seconds:.1f} s of processor time in all")
print(f"MB that were saved at the kills: {' '.join(str(size >> 20) for size in found.saved)}")
print(f"{len(found.ends)} came to an end, {len(found.ends) - len(other)} with the same answer")
for ended in other:
    print(ended.out, ended.err, sep="\n")
sys.exit(1 if other else 0)
