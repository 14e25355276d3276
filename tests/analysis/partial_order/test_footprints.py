"""What a step touches: indices that a control state knows, guards, both sides of a branch, spawned threads, futures."""

from dataclasses import replace

from ir_builder import (
    END,
    block,
    branch,
    cell,
    check,
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

from dio_mc.analysis.partial_order.footprints import Footprints
from dio_mc.analysis.partial_order.walker import bits
from dio_mc.analysis.values.facts import find_facts
from dio_mc.ir.expr import And, Const, Not, Or
from dio_mc.ir.ops import Choose, Option, Spawn
from dio_mc.ir.program import Program, Template
from dio_mc.ir.types import RangeType
from dio_mc.semantics.layout import layout_of

PAGE = RangeType(0, 3)
WIDE = RangeType(0, 5000)


def footprints(made: Program) -> Footprints:
    layout = layout_of(made)
    return Footprints(made, layout, find_facts(made, layout))


def named(made: Program, cells: int) -> set[str]:
    return {name for number, name in enumerate(layout_of(made).names) if cells >> number & 1}


def asked(found: Footprints, read: int) -> set[tuple[str, int]]:
    """The tests among what is read or written, with the names of their cells."""
    names, size = found.layout.names, found.layout.size
    return {(names[c], v) for n, (c, v) in enumerate(found.tests, start=size) if read >> n & 1}


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
    found = footprints(made)
    step = found.steps[0][1,]
    assert named(made, step.reads) == {"option", "then", "orelse"}
    assert asked(found, step.reads) == {("waited", 0), ("guard", 0), ("asked", 0)}
    assert named(made, step.writes) == {"target"}
    assert not asked(found, step.writes)


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


# -- tests -------------------------------------------------------------------------------------------------------------

OWNER = 0
"""Of a lock: 0 is nobody, else who."""


def locker(me: int) -> Template:
    """Takes the lock, gives it back, and looks at its end whether it still has it, or the other lock."""
    take = [wait(equal(load(OWNER), 0)), put(cell(OWNER), me)]
    give = [check(equal(load(OWNER), me)), put(cell(OWNER), 0), check(Not(equal(load(OWNER), me)))]
    return straight(take, [*give, check(Not(equal(load(1), me)))], name=f"t{me}")


def test_who_takes_a_lock_that_is_free_changes_nothing_for_those_who_ask_whether_they_have_it() -> None:
    found = footprints(program([variable("owner"), variable("other")], [locker(1), locker(2)]))
    take, give = found.steps[0][1,], found.steps[0][2,]
    assert asked(found, take.reads) == {("owner", 0)}
    assert asked(found, take.writes) == {("owner", 0), ("owner", 1)}
    assert asked(found, give.reads) == {("owner", 1), ("other", 1)}
    assert asked(found, give.writes) == {("owner", 0), ("owner", 1)}
    theirs = found.steps[1][2,]
    assert not take.writes & theirs.reads
    assert take.writes & found.steps[1][1,].reads, "but for those who want to take it"


def test_a_step_that_does_not_ask_before_it_writes_may_change_every_answer() -> None:
    blind = straight(put(cell(0), 1), name="blind")
    asks = straight(*[wait(equal(load(0), value)) for value in (0, 1, 2)], name="asks")
    found = footprints(program([variable("a", any_init=True)], [blind, asks]))
    assert asked(found, found.steps[0][1,].writes) == {("a", 0), ("a", 1), ("a", 2)}


def test_a_step_that_writes_what_is_there_changes_no_answer() -> None:
    again = straight([wait(equal(load(0), 1)), put(cell(0), 1)], name="again")
    asks = straight(wait(equal(load(0), 1)), name="asks")
    found = footprints(program([variable("a", any_init=True)], [again, asks]))
    assert named(found.program, found.steps[0][1,].writes) == {"a"}
    assert not asked(found, found.steps[0][1,].writes)


def test_what_a_cell_has_before_is_told_by_equality_alone() -> None:
    """Not by another comparison, nor by one of two."""
    asks = straight(*[wait(equal(load(0), value)) for value in range(4)], name="asks")
    every = {("a", value) for value in range(4)}
    for guard, written in (
        (equal(load(0), 1), {("a", 1), ("a", 3)}),
        (And((less(load(1), 5), equal(load(0), 1))), {("a", 1), ("a", 3)}),
        (less(load(0), 1), every),
        (Not(equal(load(0), 1)), every),
        (Or((equal(load(0), 1), less(load(1), 5))), every),
        (equal(load(1), 1), every),
    ):
        body = straight([wait(guard), put(cell(0), 3)])
        found = footprints(program([variable("a", any_init=True), variable("b", any_init=True)], [body, asks]))
        assert asked(found, found.steps[0][1,].writes) == written


def test_what_a_cell_had_in_the_middle_of_a_step_counts() -> None:
    """It costs little, and whoever asks then would see it."""
    asks = straight(*[wait(equal(load(0), value)) for value in range(4)], name="asks")
    body = straight([wait(equal(load(0), 1)), put(cell(0), 2), put(cell(0), 3)])
    found = footprints(program([variable("a", any_init=True)], [body, asks]))
    assert asked(found, found.steps[0][1,].writes) == {("a", 1), ("a", 2), ("a", 3)}


def test_a_branch_tells_on_one_side_what_a_cell_has() -> None:
    body = template(
        block(to=branch(equal(load(0), 1), 1, 2), location=1),
        block(put(cell(0), 2), to=END),
        block(put(cell(0), 3), to=END),
    )
    asks = straight(*[wait(equal(load(0), value)) for value in range(5)], name="asks")
    found = footprints(program([variable("a", any_init=True)], [body, asks]))
    every = {("a", value) for value in range(5)}
    assert asked(found, found.steps[0][1,].writes) == every, "the other side may have had any value"
    body = replace(body, blocks=(*body.blocks[:2], replace(body.blocks[2], ops=())))
    found = footprints(program([variable("a", any_init=True)], [body, asks]))
    assert asked(found, found.steps[0][1,].writes) == {("a", 1), ("a", 2)}


def test_a_comparison_of_cells_that_are_not_certain_reads_them() -> None:
    made = program(
        [variable("a", shape=(2,), any_init=True), variable("at", any_init=True), variable("b", any_init=True)],
        [straight([wait(equal(load(0, load(1)), 1)), wait(less(load(2), 1)), wait(equal(load(2), load(1)))])],
    )
    found = footprints(made)
    assert named(made, found.steps[0][1,].reads) == {"a[0]", "a[1]", "at", "b"}
    assert not found.tests


def test_the_index_of_a_cell_that_is_tested_is_read() -> None:
    made = program([variable("a", shape=(2,)), variable("at")], [straight(wait(equal(load(0, load(1)), 1)))])
    found = footprints(made)
    assert asked(found, found.steps[0][1,].reads) == {("a[0]", 1)}
    assert named(made, found.steps[0][1,].reads) == {"at"}


def test_a_spawn_tests_and_writes_what_the_prefixes_do() -> None:
    first = straight([wait(equal(load(0), 1)), Spawn(1, ()), put(cell(0), 2)], name="first")
    second = template(
        block(check(equal(load(1), 0)), put(cell(0), 3), to=1), block(put(cell(1), 1), location=1),
        name="second", spawned=True,
    )  # fmt: skip
    asks = straight(*[wait(equal(load(0), value)) for value in range(4)], name="asks")
    made = program([variable("a", any_init=True), variable("b", any_init=True)], [first, second, asks], [1, 1, 1])
    found = footprints(made)
    spawning = found.steps[0][1,]
    assert asked(found, spawning.reads) == {("a", 1), ("b", 0)}
    assert asked(found, spawning.writes) == {("a", value) for value in range(4)}
