"""On random programs: what a search with persistent sets finds is what one of all states finds, with symmetry and
without. DIO_MC_RANDOM_BLOCKS=50 is 1,000 programs of either kind."""

import os
from collections.abc import Sequence

import pytest
import random_independent
import random_symmetric

from dio_mc.analysis.partial_order.persistent import Refused, find_persistent_sets
from dio_mc.analysis.symmetry.proof import find_symmetry
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.engines.reference.engine import explore
from dio_mc.ir.program import Program
from dio_mc.semantics.judge import Judge
from dio_mc.semantics.search import Budget, Exploration

BLOCKS = int(os.environ.get("DIO_MC_RANDOM_BLOCKS", "16"))
LARGEST = 3000
"""States above which a program is left out."""


def verdicts(found: Exploration) -> object:
    return sorted(v.property for v in found.violations), found.unknown, found.coverage


def both(program: Program, judges: Sequence[Judge]) -> tuple[Exploration, Exploration] | None:
    """The full and the reduced search; None where there is nothing to compare."""
    try:
        sets = find_persistent_sets(program, judges)
    except Refused:
        return None
    full = explore(program, judges, Budget(max_states=LARGEST))
    if full.stopped is not None:
        return None
    symmetry = find_symmetry(program) if not judges else None
    reduced = explore(program, judges, selection=sets)
    if symmetry:
        representatives = Representatives(program, symmetry)
        again = explore(program, judges, selection=sets, representatives=representatives)
        assert verdicts(again) == verdicts(full)
        assert again.states <= explore(program, judges, representatives=representatives).states
    return full, reduced


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_programs(block: int) -> None:
    compared = saved = violated = 0
    for seed in range(block * 20, block * 20 + 20):
        program = random_independent.random_program(seed)
        found = both(program, random_independent.judges_of(program, seed))
        if found is not None:
            full, reduced = found
            assert verdicts(reduced) == verdicts(full), seed
            compared += 1
            saved += reduced.states < full.states
            violated += bool(full.violations)
    assert compared >= 15
    assert saved >= 10
    assert violated >= 5


@pytest.mark.parametrize("block", range(BLOCKS // 4))
def test_random_symmetric_programs(block: int) -> None:
    compared = 0
    for seed in range(block * 20, block * 20 + 20):
        found = both(random_symmetric.random_program(seed), [])
        if found is not None:
            assert verdicts(found[1]) == verdicts(found[0]), seed
            compared += 1
    assert compared >= 8
