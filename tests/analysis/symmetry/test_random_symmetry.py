"""On random programs: no symmetry is claimed that the semantics does not have. DIO_MC_RANDOM_BLOCKS=50 is 1,000 of them."""

import os

import pytest
from all_permutations import reachable
from random_symmetric import random_program
from test_symmetry import assert_acts

from dio_mc.analysis.symmetry.proof import find_symmetry

BLOCKS = int(os.environ.get("DIO_MC_RANDOM_BLOCKS", "2"))
LARGEST = 800
"""States above which trying all permutations takes too long."""


@pytest.mark.parametrize("block", range(BLOCKS))
@pytest.mark.slow
def test_random_programs(block: int) -> None:
    acted = refused = 0
    for seed in range(block * 20, block * 20 + 20):
        program = random_program(seed)
        symmetry = find_symmetry(program)
        refused += bool(symmetry.refusals)
        if symmetry and len(reachable(program, LARGEST + 1)) <= LARGEST:
            acted += 1
            assert_acts(program, symmetry, most=20)
    assert acted >= 8
    assert refused >= 3
