"""On random programs: what a search with persistent sets finds is what one of all states finds, with symmetry and
without; and so are the counterexamples of the exploration around it, deadlocks included. DIO_MC_RANDOM_BLOCKS=50 is 1,000 programs of either kind."""

import os
from collections.abc import Sequence

import asking
import pytest
import random_independent
import random_symmetric
from asking import explore_reference as explore

from dio_mc.analysis.partial_order.persistent import Refused, find_persistent_sets
from dio_mc.analysis.symmetry.proof import find_symmetry
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.engines.choose import Run, Strategy
from dio_mc.engines.kept import is_whole
from dio_mc.ir.program import Program
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.search import NO_REDUCTION, PARTIAL_ORDER, Budget, Exploration, Reductions

BLOCKS = int(os.environ.get("DIO_MC_RANDOM_BLOCKS", "16"))
LARGEST = 3000
"""States above which a program is left out."""


def verdicts(found: Exploration) -> object:
    return sorted(v.property for v in found.violations), found.unknown, found.coverage


def both(program: Program, evaluators: Sequence[PropertyEvaluator]) -> tuple[Exploration, Exploration] | None:
    """The full and the reduced search; None where there is nothing to compare."""
    try:
        sets = find_persistent_sets(program, evaluators)
    except Refused:
        return None
    full = explore(program, evaluators, Budget(max_states=LARGEST))
    if full.stopped is not None:
        return None
    symmetry = find_symmetry(program) if not evaluators else None
    reduced = explore(program, evaluators, selection=sets)
    if symmetry:
        representatives = Representatives(program, symmetry)
        again = explore(program, evaluators, selection=sets, representatives=representatives)
        assert verdicts(again) == verdicts(full)
        assert again.states <= explore(program, evaluators, representatives=representatives).states
    return full, reduced


@pytest.mark.parametrize("block", range(BLOCKS))
def test_random_programs(block: int) -> None:
    compared = saved = violated = 0
    for seed in range(block * 20, block * 20 + 20):
        program = random_independent.random_program(seed)
        found = both(program, random_independent.evaluators_of(program, seed))
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


# -- the whole exploration, from the first search to the counterexamples ------------------------------------------------

WAYS = (NO_REDUCTION, Reductions(symmetry=False, partial_order=True), Reductions(partial_order=True))


def explored(
    program: Program, evaluators: Sequence[PropertyEvaluator], way: Reductions, budget: Budget, first: bool = False
):
    strategy = Strategy("reference", reductions=way)
    return Run(asking.request(program, evaluators, budget, first=first)).explore(strategy, full=0)


def made(seed: int) -> Program:
    """In turn a symmetric one, one of independent threads, and two of threads that wait at the end."""
    if seed % 4 == 0:
        return random_symmetric.random_program(seed)
    return random_independent.random_waiting(seed) if seed % 4 > 1 else random_independent.random_program(seed)


@pytest.mark.parametrize("block", range(BLOCKS // 2))
@pytest.mark.slow
def test_random_explorations(block: int) -> None:
    """The counterexamples are the canonical ones, whatever the search is reduced by. With a limit, or `first`, what is
    found is violated, and what is called canonical is."""
    kinds: set[str] = set()
    dead = ordered = uncertain = 0
    for seed in range(block * 20, block * 20 + 20):
        program = made(seed)
        evaluators = random_independent.evaluators_of(program, seed) if seed % 4 else []
        full = explore(program, evaluators, Budget(max_states=LARGEST))
        if full.stopped is not None:
            continue
        known = {violation.property: violation for violation in full.violations}
        kinds |= {violation.property.partition("@")[0] for violation in full.violations}
        dead += "deadlock" in known
        for way in WAYS:
            found = explored(program, evaluators, way, Budget())
            assert found.violations == full.violations, seed
            ordered += PARTIAL_ORDER in found.reductions
            limited = [
                explored(program, evaluators, way, Budget(max_states=1 + seed % full.states)),
                explored(program, evaluators, way, Budget(max_depth=seed % (full.depth + 1))),
                explored(program, evaluators, way, Budget(), first=True),
            ]
            for part in limited:
                for violation in part.violations:
                    assert not violation.canonical or violation == known[violation.property], seed
                    uncertain += not violation.canonical
                assert all(violation.property in known for violation in part.violations), seed
            bad = any(
                v.fault or v.property == "deadlock" or v.property not in ("seen", "meet") for v in full.violations
            )
            assert bool(limited[-1].violations) >= bad, seed
    assert dead >= 3
    assert len(kinds) >= 4
    assert ordered >= 30
    assert uncertain >= 2


def test_what_is_called_canonical_is_wherever_a_limit_cuts() -> None:
    """Limits of states one by one: a counterexample found amid a level need not be the first of that level, nor need a
    deadlock of the level before it."""
    certain = uncertain = 0
    for seed in range(40):
        program = random_independent.random_waiting(seed)
        full = explore(program, [], Budget(max_states=100))
        if full.stopped is not None or not full.violations:
            continue
        known = {violation.property: violation for violation in full.violations}
        for limit in range(1, full.states):
            for violation in explore(program, [], Budget(max_states=limit)).violations:
                same = violation == known[violation.property]
                assert same or not violation.canonical, (seed, limit)
                certain += violation.canonical
                uncertain += not same
    assert certain > 100
    assert uncertain > 5


def test_a_level_is_seen_to_its_end() -> None:
    """Levels 0 to 2 are expanded, so those up to 3 have all their states; whether these can go on is not known."""
    assert [is_whole("property", length, 3) for length in (2, 3, 4)] == [True, True, False]
    assert [is_whole("deadlock", length, 3) for length in (2, 3, 4)] == [True, False, False]
    assert [is_whole("property", length, -1) for length in (0, 1)] == [True, False]
