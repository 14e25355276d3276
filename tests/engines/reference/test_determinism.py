"""The same answer, to the byte, whatever the hash seed."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from ir_builder import evaluator, observation
from random_programs import random_program
from asking import explore_reference as explore
from dio_mc.semantics.search import Budget
for seed in range(60):
    made = random_program(seed)
    low = evaluator("low", lambda v: v < 2, observation(made, "v"))
    still = evaluator("still", lambda a, b: a == b, observation(made, "a[0]"), observation(made, "a[0]", after=True), kind="step")
    for budget in (Budget(), Budget(max_states=9), Budget(max_depth=3)):
        print(explore(made, [low, still], budget))
    print(low.batches, still.batches)
"""


@cache
def output(hash_seed: str) -> bytes:
    script = SCRIPT.format(paths=[str(TESTS), str(TESTS.parent)])
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment, check=True, timeout=120)
    return done.stdout


@pytest.mark.parametrize("other", ["1", "4711"])
def test_two_hash_seeds_print_the_same(other):
    first = output("0")
    assert first.count(b"Exploration") == 180
    assert first.count(b"Violation") > 60
    assert first == output(other)
