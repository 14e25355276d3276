"""The benchmark has the states and transitions that SPIN, Murphi, TLC and a hand-written search count for it."""

from pathlib import Path

import pytest

import dio_mc
from dio_mc.frontend import load_module

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "diorace.py"


@pytest.mark.parametrize(
    ("pages", "readers", "mappers", "writers", "fixed", "verdict", "counts"),
    [
        (1, 1, 1, 1, 1, "HOLDS", (367, 770, 26)),
        (1, 1, 1, 1, 0, "VIOLATED", (619, 1_395, 26)),
        (1, 1, 2, 0, 1, "HOLDS", (435, 869, 22)),
        (2, 2, 1, 1, 1, "HOLDS", (35_402, 104_999, 62)),
        (2, 1, 2, 1, 1, "HOLDS", (35_849, 102_023, 52)),
    ],
)
def test_counts(pages, readers, mappers, writers, fixed, verdict, counts):
    (model,) = load_module(BENCHMARK).models
    params = {"pages": pages, "readers": readers, "mappers": mappers, "writers": writers, "fixed": fixed}
    report = dio_mc.check(model, params)
    assert report.reductions == ()
    assert (report.verdict, report.states, report.transitions, report.depth) == (verdict, *counts)
