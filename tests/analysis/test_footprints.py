"""What a step touches: indices that a control state knows, guards, both sides of a branch, spawned threads, futures."""

from ir_builder import (
    END,
    block,
    branch,
    cell,
    equal,
    less,
    load,
    local,
    own,
    plus,
    program,
    put,
    straight,
    template,
    variable,
    wait,
)

from dio_mc.analysis.facts import find_facts
from dio_mc.analysis.footprints import Footprints, bits
from dio_mc.ir.expr import Const
from dio_mc.ir.ops import Choose, Option, Spawn
from dio_mc.ir.program import Program
from dio_mc.ir.types import RangeType
from dio_mc.semantics.layout import layout_of

PAGE = RangeType(0, 3)
WIDE = RangeType(0, 5000)


def footprints(made: Program) -> Footprints:
    layout = layout_of(made)
    return Footprints(made, layout, find_facts(made, layout))


def named(made: Program, cells: int) -> set[str]:
    return {name for number, name in enumerate(layout_of(made).names) if cells >> number & 1}


def counter(type_: RangeType, last: int):
    """``for i in range(last): page[i % 3] = 1``, one step per page."""
    i = local(0, type_)
    go = branch(less(i, last), 1, 2)
    return template(
        block(to=1),
        block(put(cell(0, i), 1), put(own(0, type_), plus(i, 1)), to=3, location=1),
        block(to=END),
        block(to=go),
        locals_=[(type_, 0)],
        kills={1: ()},
    )


def test_an_index_is_known_where_the_control_state_knows_it() -> None:
    made = program([variable("page", shape=(3,))], [counter(PAGE, 3)])
    found = footprints(made)
    assert {config: named(made, step.writes) for config, step in found.steps[0].items()} == {
        (1, 0): {"page[0]"},
        (1, 1): {"page[1]"},
        (1, 2): {"page[2]"},
    }
    assert [sorted(step.after) for step in found.steps[0].values()] == [[(1, 1)], [(1, 2)], [(0, 0)]]
    futures = {config: named(made, future.writes) for config, future in found.futures[0].items()}
    assert futures[1, 0] == {"page[0]", "page[1]", "page[2]"}
    assert futures[1, 2] == {"page[2]"}
    assert found.control(0, (0, 0, 0, 1, 2)) == (1, 2)


def test_with_too_many_control_states_a_location_stands_for_them() -> None:
    made = program([variable("page", shape=(3,))], [counter(WIDE, 5000)])
    found = footprints(made)
    assert list(found.steps[0]) == [(1,)]
    assert named(made, found.steps[0][1,].writes) == {"page[0]", "page[1]", "page[2]"}
    assert found.steps[0][1,].after == {(0,), (1,)}
    assert found.control(0, (0, 0, 0, 1, 2)) == (1,)


def test_all_that_is_evaluated_is_read() -> None:
    names = ["waited", "guard", "option", "asked", "then", "orelse", "target"]
    choose = Choose(cell(6), (Option(load(2), equal(load(1), 0)), Option(Const(1, PAGE))))
    body = template(
        block(wait(equal(load(0), 0)), choose, to=branch(equal(load(3), 0), 1, 2), location=1),
        block(put(cell(6), load(4)), to=END),
        block(put(cell(6), load(5)), to=END),
    )
    made = program([variable(name, any_init=name == "asked") for name in names], [body])
    step = footprints(made).steps[0][1,]
    assert named(made, step.reads) == {"waited", "guard", "option", "asked", "then", "orelse"}
    assert named(made, step.writes) == {"target"}


def test_the_index_of_a_target_is_read() -> None:
    made = program([variable("at"), variable("page", shape=(3,))], [straight(put(cell(1, load(0)), 1))])
    assert named(made, footprints(made).steps[0][1,].reads) == {"at"}


def test_a_spawn_claims_the_instances_and_brings_what_they_will_do() -> None:
    first = straight(Spawn(1, ()), put(cell(0), 1), name="first")
    second = template(block(to=1), block(put(cell(1), load(2)), location=1), name="second", spawned=True)
    made = program([variable("mine"), variable("theirs"), variable("read")], [first, second], [1, 2])
    found = footprints(made)
    spawning, further = found.steps[0][1,], found.steps[0][2,]
    assert (named(made, spawning.reads), named(made, spawning.writes)) == ({"second[0].pc", "second[1].pc"},) * 2
    assert spawning.spawns == {1}
    assert named(made, further.writes) == {"mine"}
    future = found.futures[0][1,]
    assert named(made, future.writes) == {"mine", "theirs", "second[0].pc", "second[1].pc"}
    assert named(made, future.reads) == {"read", "second[0].pc", "second[1].pc"}
    assert named(made, found.steps[2][1,].writes) == {"theirs", "second[1].pc"}
    assert (0,) not in found.steps[1]


def test_what_a_spawn_runs_at_once_is_its_own() -> None:
    first = straight(Spawn(1, ()), name="first")
    entry = block(put(cell(0), load(1)), to=1)
    second = template(entry, block(put(cell(2), 1), location=1), name="second", spawned=True)
    made = program([variable("now"), variable("read"), variable("later")], [first, second])
    spawning = footprints(made).steps[0][1,]
    assert "now" in named(made, spawning.writes)
    assert "later" not in named(made, spawning.writes)
    assert "read" in named(made, spawning.reads)


def test_sets_of_cells() -> None:
    assert bits([0, 3]) == 9
    assert bits([]) == 0
