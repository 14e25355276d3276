"""What is exchanged and what is refused; that the group acts on reachable states and steps; exact orbits."""

from dataclasses import replace
from pathlib import Path

import pytest
import symmetric_models as models
from all_permutations import group, image, reachable

from dio_mc.analysis.symmetry.proof import Sort, Symmetry, find_symmetry
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.checking.expectations import bindings_of
from dio_mc.frontend import build, load_module
from dio_mc.ir.expr import AtLocation, Not
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter

ROOT = Path(__file__).parents[3]
SYMMETRIC = [models.Both, models.FirstPage, models.PerPage, models.Waits, models.Leader]


def program_of(model, **params) -> Program:
    return build(model, params).program


def told(model) -> tuple[list[tuple[str, tuple]], list[str]]:
    found = find_symmetry(program_of(model))
    return [(sort.name, sort.blocks) for sort in found.sorts], [f"{r.name}: {r.reason}" for r in found.refusals]


def assert_acts(program: Program, symmetry: Symmetry, most: int = 400) -> int:
    """Every element of the group maps reachable states to reachable ones, and their steps to their steps; orbits and
    representatives are what trying all permutations says. The number of orbits."""
    representatives = Representatives(program, symmetry)
    used = representatives.plan.symmetry
    states, elements, interpreter = reachable(program), list(group(used)), Interpreter(program)
    for state in sorted(states)[:: max(len(states) // most, 1)]:
        images = {image(program, used, element, state) for element in elements}
        assert_names_threads(representatives, interpreter, images)
        assert images <= states
        assert {representatives.of(one) for one in images} == {representatives.of(state)} <= images
        after = sorted(step.state for step in interpreter.successors(state) if step.state is not None)
        faults = sum(step.fault is not None for step in interpreter.successors(state))
        for element in elements:
            steps = interpreter.successors(image(program, used, element, state))
            assert sorted(image(program, used, element, s) for s in after) == sorted(s.state for s in steps if s.state)
            assert sum(step.fault is not None for step in steps) == faults
    orbits = {min(image(program, used, element, state) for element in elements) for state in states}
    assert len({representatives.of(state) for state in states}) == len(orbits)
    return len(orbits)


def assert_names_threads(representatives: Representatives, interpreter: Interpreter, orbit: set) -> None:
    """What a thread can do in a state, up to symmetry, is what the thread that it is called there can do in the
    representative."""

    def moves(state: tuple[int, ...], thread: int) -> list:
        steps = [step for step in interpreter.successors(state) if step.action.thread == thread]
        return sorted(() if step.state is None else representatives.of(step.state) for step in steps)

    for state in orbit:
        found, threads = representatives.named(state)
        assert found == representatives.of(state)
        assert sorted(threads) == list(range(len(threads)))
        assert [moves(state, thread) for thread in range(len(threads))] == [moves(found, there) for there in threads]


# -- what is found -----------------------------------------------------------------------------------------------------


def test_threads_and_pages_that_are_only_picked() -> None:
    assert told(models.Both) == ([("instances of writer", ((0, 1),)), ("indices of page, owner", ((0, 1, 2),))], [])


def test_a_property_that_names_a_page_keeps_it_where_it_is() -> None:
    sorts, refusals = told(models.FirstPage)
    assert ("indices of page, owner", ((1, 2),)) in sorts
    assert refusals == ["indices of page, owner: 0 and 1 differ: a property does not treat them alike"]


def test_a_property_that_asks_where_one_thread_is_tells_it_from_others() -> None:
    program = program_of(models.Both)
    asking = replace(program.properties[0], name="first_runs", expr=Not(AtLocation(0, frozenset({0}), False)))
    found = find_symmetry(replace(program, properties=(*program.properties, asking)))
    assert [sort.name for sort in found.sorts] == ["indices of page, owner"]
    assert [str(r.reason) for r in found.refusals] == ["0 and 1 differ: a property does not treat them alike"]


def test_a_thread_per_page_moves_with_its_page() -> None:
    assert told(models.PerPage)[0] == [
        ("instances of mapper", ((0, 1, 2),)),
        ("instances of cleaner", ((0, 1),)),
    ]


def test_the_first_instance_alone_is_special() -> None:
    sorts, refusals = told(models.Leader)
    assert sorts == [("instances of node", ((1, 2),))]
    assert refusals == ["instances of node: 0 and 1 differ: a statement names one"]


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "refusal"),
    [
        (models.Ordered, "instances of node: they are compared by size"),
        (models.Scans, "indices of page: they are compared by size"),
        (models.Spawns, "instances of worker: a spawn starts the first one that is idle"),
    ],
)
def test_refused(model, refusal: str) -> None:
    sorts, refusals = told(model)
    assert (sorts, refusals) == ([], [refusal])


def test_a_refusal_says_where() -> None:
    refusal = find_symmetry(program_of(models.Ordered)).refusals[0]
    line = next(n for n, text in enumerate(Path(models.__file__).read_text().splitlines(), 1) if "turn >= k" in text)
    assert str(refusal) == f"instances of node: they are compared by size (symmetric_models.py:{line})"


def test_a_property_without_a_compiled_form_refuses_everything() -> None:
    program = program_of(models.Both)
    blind = replace(program, properties=tuple(replace(p, expr=None) for p in program.properties))
    found = find_symmetry(blind)
    assert not found
    assert [str(r).split(" (")[0] for r in found.refusals] == [
        "all threads and indices: `one_writeback` is decided by the solver alone"
    ]


def test_different_initial_values_are_not_exchanged() -> None:
    program = program_of(models.Both)
    page = replace(program.variables[0], init=(0, 1, 1))
    found = find_symmetry(replace(program, variables=(page, *program.variables[1:])))
    assert ("indices of page, owner", ((1, 2),)) in [(sort.name, sort.blocks) for sort in found.sorts]
    assert "0 and 1 differ: `page` starts with different values" in str(found.refusals[0])


# -- what it does ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", SYMMETRIC, ids=lambda m: m.__name__)
@pytest.mark.slow
def test_the_group_acts_on_states_and_steps(model) -> None:
    program = program_of(model)
    symmetry = find_symmetry(program)
    assert symmetry
    assert assert_acts(program, symmetry) < len(reachable(program))


@pytest.mark.slow
def test_shipped_models_with_symmetry() -> None:
    """Every binding of the seeds and toys that has some: the group acts, and orbits are exact."""
    tried = 0
    for path in sorted(p for folder in ("seed", "toys", "history") for p in (ROOT / "models" / folder).glob("*.py")):
        for model in load_module(path, allow_empty=True).models:
            for params, _ in bindings_of(model, {}):
                program = build(model, params).program
                symmetry = find_symmetry(program)
                if symmetry and tried < 40:
                    tried += 1
                    assert_acts(program, symmetry, most=60)
    assert tried > 10


def test_the_benchmark_is_symmetric_in_its_threads() -> None:
    model = load_module(ROOT / "benchmarks" / "diorace.py").models[0]
    program = program_of(model, pages=1, readers=2, mappers=2)
    symmetry = find_symmetry(program)
    assert [(s.name, s.blocks) for s in symmetry.sorts] == [
        ("instances of reader", ((0, 1),)),
        ("instances of mapper", ((0, 1),)),
    ]
    assert_acts(program, symmetry, most=100)


def test_a_wrong_symmetry_is_noticed() -> None:
    """The test above has teeth: pages that a scanner walks through cannot be exchanged, whoever says so."""
    program = program_of(models.Scans)
    refused = find_symmetry(program)
    wrong = replace(refused, sorts=(Sort("pages", 2, (), ((0, 1),)),), indices=((0,),))
    with pytest.raises(AssertionError):
        assert_acts(program, wrong)
