"""Run-time faults: kind, words, place; no successor."""

from dataclasses import replace

import pytest
from ir_builder import (
    DIGIT,
    END,
    at,
    block,
    branch,
    cell,
    check,
    equal,
    less,
    load,
    local,
    number,
    own,
    plus,
    program,
    put,
    straight,
    template,
    variable,
    wait,
)

from dio_mc.ir.expr import Arith, Load, Or
from dio_mc.ir.ops import Assign, Branch, Check, Choose, Option, Spawn, StoreTo
from dio_mc.ir.types import BOOL, EnumType, OptionType, RangeType
from dio_mc.semantics import machine
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.machine import BLOCK_LIMIT
from dio_mc.semantics.step import Action, Fault

SMALL = RangeType(0, 3)


def fault_of(variables, *threads, instances=None, state=None, choice=()) -> Fault:
    interpreter = Interpreter(program(variables, threads, instances))
    start = state or interpreter.initial()[0]
    step = interpreter.step(start, Action(0, 1, choice))
    assert step is not None
    assert step.state is None
    assert step.fault is not None
    assert step in interpreter.successors(start)
    return step.fault


def test_a_check_that_fails():
    body = straight([put(cell(0), 1), check(equal(load(0), 0), "a stays 0", line=12)])
    assert fault_of([variable("a")], body) == Fault("assertion", "a stays 0", at(12))
    misuse = Check(equal(load(0), 1), "lock_misuse", "unlocked by a stranger", at(9))
    assert fault_of([variable("a")], straight(misuse)) == Fault("lock_misuse", "unlocked by a stranger", at(9))


@pytest.mark.parametrize("value", [3, -1])
def test_an_index_outside_its_array(value):
    read = put(own(0), Load(0, (number(value),), DIGIT, span=at(7)), line=6)
    fault = fault_of([variable("page", shape=(2,))], straight(read, locals_=[(DIGIT, 0)]))
    assert fault == Fault("index", f"index {value} outside page[0..1]", at(7))
    assert fault.span == at(7)


def test_an_index_that_is_computed():
    variables = [variable("i", init=2), variable("page", shape=(2,))]
    fault = fault_of(variables, straight(put(own(0), load(1, load(0)), line=6), locals_=[(DIGIT, 0)]))
    assert fault.message == "index 2 outside page[0..1]"
    assert fault.span == at(6), "the place of the statement, as the load has none"


def test_an_index_of_a_target():
    variables = [variable("i", init=2), variable("page", shape=(2,))]
    fault = fault_of(variables, straight(Assign((StoreTo(1, (load(0),), DIGIT, at(8)),), (number(1),), at(6))))
    assert (fault.kind, fault.message, fault.span) == ("index", "index 2 outside page[0..1]", at(8))


def test_the_second_dimension_names_the_first_index():
    variables = [variable("i", init=1), variable("grid", shape=(2, 3))]
    inner = straight(put(own(0), load(1, load(0), plus(load(0), 2))), locals_=[(DIGIT, 0)])
    assert fault_of(variables, inner).message == "index 3 outside grid[1][0..2]"
    outer = straight(put(own(0), load(1, plus(load(0), 1), load(0))), locals_=[(DIGIT, 0)])
    assert fault_of(variables, outer).message == "index 2 outside grid[0..1]"


def test_a_field_of_a_record_in_an_array_is_named_up_to_the_index():
    dirty = replace(variable("cache", shape=(2,)), path=("cache", None, ".dirty"))
    fault = fault_of([dirty], straight(put(own(0), load(0, 5)), locals_=[(DIGIT, 0)]))
    assert fault.message == "index 5 outside cache[0..1]"


def test_two_dimensions_address_row_major():
    variables = [variable("grid", init=range(6), shape=(2, 3)), variable("out")]
    interpreter = Interpreter(program(variables, [straight(put(cell(1), load(0, load(1), 2)))]))
    assert interpreter.successors((0, 1, 2, 3, 4, 5, 1, 1))[0].state == (0, 1, 2, 3, 4, 5, 5, 0)


@pytest.mark.parametrize(
    ("type_", "value", "words"),
    [
        (SMALL, 4, "value 4 outside 0..3 of self.count"),
        (RangeType(-2, -1), 0, "value 0 outside -2..-1 of self.count"),
        (BOOL, 2, "value 2 outside bool of self.count"),
        (EnumType("Page", ("ABSENT", "CLEAN")), -1, "value -1 outside Page of self.count"),
        (OptionType(SMALL), 4, "value 4 outside 0..3? of self.count"),
    ],
)
def test_a_value_outside_its_type(type_, value, words):
    target = StoreTo(0, (), type_)
    fault = fault_of([variable("count", type_, init=-1 if type_ == RangeType(-2, -1) else 0)],
                     straight(put(target, value, line=4)))  # fmt: skip
    assert fault == Fault("range", words, at(4))
    assert fault.span == at(4)


@pytest.mark.parametrize("value", [-1, 0, 3])
def test_the_bounds_of_a_type_are_its_own(value):
    type_ = OptionType(SMALL)
    interpreter = Interpreter(program([variable("a", type_)], [straight(put(cell(0, type_=type_), value))]))
    assert interpreter.successors(interpreter.initial()[0])[0].state == (value, 0)


def test_the_element_of_an_array_and_a_local_are_named():
    array = straight(put(cell(1, 1, type_=SMALL), 5))
    variables = [variable("before", shape=(3,)), variable("a", SMALL, shape=(2,))]
    assert fault_of(variables, array).message == "value 5 outside 0..3 of self.a[1]"
    alone = straight(put(own(0, SMALL), 5), locals_=[(SMALL, 0)])
    assert fault_of([], alone).message == "value 5 outside 0..3 of x0"


def test_a_second_target_is_checked_too():
    both = Assign((cell(0), cell(1, type_=SMALL)), (number(1), number(4)))
    assert fault_of([variable("a"), variable("b", SMALL)], straight(both)).message == "value 4 outside 0..3 of self.b"


@pytest.mark.parametrize("op", ["//", "%"])
def test_a_division_that_is_not_possible(op):
    divide = put(own(0), Arith(op, number(7), load(0), DIGIT), line=3)
    fault = fault_of([variable("a")], straight(divide, locals_=[(DIGIT, 0)]))
    assert fault == Fault("range", f"7 {op} 0 has no value", at(3))
    assert fault.span == at(3)


def test_a_fault_in_an_option_belongs_to_that_option():
    guard = equal(load(1, load(0, type_=SMALL)), 0)
    options = (Option(number(1)), Option(number(4)), Option(number(2), guard), Option(number(3)))
    pick = Choose(cell(0, type_=SMALL), options, at(5))
    interpreter = Interpreter(program([variable("a", SMALL), variable("b", shape=(2,))], [straight(pick)]))
    found = [(s.action.choice, s.state, s.fault and s.fault.message) for s in interpreter.successors((2, 0, 0, 1))]
    assert found == [
        ((0,), (1, 0, 0, 0), None),
        ((1,), None, "value 4 outside 0..3 of self.a"),
        ((2,), None, "index 2 outside b[0..1]"),
        ((3,), (3, 0, 0, 0), None),
    ]


def test_a_fault_behind_a_choice_has_the_choice():
    body = straight(
        [Choose(own(0), (Option(number(0)), Option(number(1)))), check(equal(local(0), 0))], locals_=[(DIGIT, 0)]
    )
    assert fault_of([], body, choice=(1,)).kind == "assertion"


def test_a_fault_comes_before_an_await_that_would_block():
    body = straight([check(equal(number(0), 1)), wait(equal(number(0), 1))])
    assert fault_of([], body).kind == "assertion"
    blocked = Interpreter(program([], [straight([wait(equal(number(0), 1)), check(equal(number(0), 1))])]))
    assert blocked.successors(blocked.initial()[0]) == []


def test_a_condition_can_fail():
    variables = [variable("i", init=4), variable("a", shape=(2,))]
    fork = template(block(to=Branch(equal(load(1, load(0)), 0), 1, 1, at(3)), location=1), block(to=END))
    assert fault_of(variables, fork) == Fault("index", "index 4 outside a[0..1]", at(3))
    guarded = Interpreter(program(variables, [straight(wait(Or((equal(load(0), 4), equal(load(1, load(0)), 0)))))]))
    assert guarded.successors(guarded.initial()[0])[0].fault is None


def child(**rest):
    return template(block(to=END, location=1), name="child", locals_=[(SMALL, 0)], parameters=1, spawned=True, **rest)


def test_a_spawn_without_an_idle_slot():
    main = straight([Spawn(1, (number(1),), at(3)), Spawn(1, (number(2),), at(4)), Spawn(1, (number(2),), at(5))])
    fault = fault_of([], main, child(), instances=[1, 2])
    assert fault == Fault("spawn", "no idle slot for child: all 2 are running", at(5))
    assert fault.span == at(5)


def test_an_argument_outside_its_type():
    fault = fault_of([], straight(Spawn(1, (number(4),), at(3))), child())
    assert fault == Fault("range", "value 4 outside 0..3 of x0", at(3))
    assert fault.span == at(3)


def test_a_fault_in_a_spawned_prefix_is_one_of_the_spawning_step():
    failing = template(
        block(check(equal(local(0, SMALL), 0), "zero", line=30), to=1),
        block(to=END, location=1),
        name="child",
        locals_=[(SMALL, 0)],
        parameters=1,
        spawned=True,
    )
    assert fault_of([], straight(Spawn(1, (number(1),))), failing) == Fault("assertion", "zero", at(30))


def test_a_local_loop_that_never_reaches_a_step():
    spin = template(block(to=1, location=1), block(put(own(0), 1), to=1), locals_=[(DIGIT, 0)])
    fault = fault_of([], spin)
    assert fault == Fault("endless_loop", "a loop of local statements that never reaches a step", at(101))
    assert fault.span == at(101), "the place where the step begins"


def test_a_loop_of_several_blocks_is_endless_when_a_configuration_comes_back():
    turn = template(
        block(to=1, location=1),
        block(put(own(0), Arith("%", plus(local(0), 1), number(3), DIGIT)), to=2),
        block(to=branch(equal(local(0), 9), 3, 1)),
        block(to=END),
        locals_=[(DIGIT, 0)],
    )
    assert fault_of([], turn).kind == "endless_loop"


def test_a_loop_with_a_choice_is_endless_only_on_the_way_round():
    again = Choose(own(0), (Option(number(1)), Option(number(0))))
    loop = template(block(to=1, location=1), block(again, to=branch(equal(local(0), 1), 1, 2)), block(to=END),
                    locals_=[(DIGIT, 0)])  # fmt: skip
    interpreter = Interpreter(program([], [loop]))
    found = interpreter.successors(interpreter.initial()[0])
    assert [(s.action.choice, s.fault and s.fault.kind) for s in found] == [
        ((0, 0), "endless_loop"),
        ((0, 1), None),
        ((1,), None),
    ]


def test_a_loop_with_a_choice_ends_at_the_first_block_that_comes_back():
    """The run enters the loop in the middle, chooses what was there, and is back in the middle."""
    again = Choose(own(0), (Option(number(0)),))
    loop = template(block(to=2, location=1), block(to=2), block(again, to=1), locals_=[(DIGIT, 0)])
    interpreter = Interpreter(program([], [loop]))
    (found,) = interpreter.successors(interpreter.initial()[0])
    assert found.action.choice == (0,)


def test_cells_are_compared_once_on_each_round_of_a_loop_without_choices(monkeypatch):
    compared = []
    monkeypatch.setattr(machine, "_repeats", lambda run: compared.append(run.at))
    count = template(
        block(to=2, location=1),
        block(put(own(0), plus(local(0), 1)), to=2),
        block(to=branch(less(local(0), 3), 1, 3)),
        block(to=END),
        locals_=[(DIGIT, 0)],
    )
    interpreter = Interpreter(program([], [count]))
    interpreter.successors(interpreter.initial()[0])
    assert compared == [1, 1, 1]


def test_a_loop_too_long_to_follow_counts_as_endless():
    wide = RangeType(0, 3 * BLOCK_LIMIT)
    count = template(
        block(to=1, location=1),
        block(put(own(0, wide), plus(local(0, wide), 1)), to=branch(less(local(0, wide), 2 * BLOCK_LIMIT), 1, 2)),
        block(to=END),
        locals_=[(wide, 0)],
    )
    assert fault_of([], count).kind == "endless_loop"


def test_an_endless_spawned_prefix_is_named_at_its_own_place():
    spin = template(block(to=0), name="spin", spawned=True)
    fault = fault_of([], straight(Spawn(1, ())), spin)
    assert (fault.kind, fault.span) == ("endless_loop", at(50))


def test_the_same_prefix_twice_in_a_step_is_no_loop():
    """Each spawned prefix is followed for itself; it may pass the same configuration again."""
    counted = template(
        block(put(own(0), 0), to=1),
        block(put(own(0), plus(local(0), 1)), to=branch(less(local(0), 3), 1, 2)),
        block(to=END),
        name="counted",
        spawned=True,
        locals_=[(DIGIT, 0)],
    )
    interpreter = Interpreter(program([], [straight([Spawn(1, ()), Spawn(1, ())]), counted]))
    assert interpreter.successors(interpreter.initial()[0])[0].state == (0, 0, 0)
