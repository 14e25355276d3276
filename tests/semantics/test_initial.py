"""Initial states: every start value, every local prefix; what a fault in a prefix leaves."""

from ir_builder import (
    DIGIT,
    END,
    block,
    cell,
    check,
    equal,
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

from dio_mc.ir.ops import Choose, Option
from dio_mc.ir.types import BOOL, OptionType, RangeType
from dio_mc.semantics.interpreter import Interpreter


def test_any_init_gives_every_value_the_first_cell_slowest():
    variables = [variable("a", RangeType(1, 2), 1, any_init=True), variable("b", init=7), variable("c", BOOL, 0, (2,))]
    variables[2] = variable("c", BOOL, 0, (2,), any_init=True)
    states = Interpreter(program(variables)).initial()
    assert states == [(a, 7, c, d) for a in (1, 2) for c in (0, 1) for d in (0, 1)]


def test_any_init_of_an_optional_begins_with_none():
    states = Interpreter(program([variable("a", OptionType(RangeType(0, 1)), any_init=True)])).initial()
    assert states == [(-1,), (0,), (1,)]


def test_a_prefix_runs_before_the_first_state_and_knows_its_number():
    body = template(
        block(put(own(1), plus(local(0), 5)), to=1),
        block(put(cell(0), local(1)), to=END, location=1),
        locals_=[(DIGIT, 0), (DIGIT, 3)],
        parameters=1,
    )
    assert Interpreter(program([variable("a")], [body], [2])).initial() == [(0, 1, 0, 5, 1, 1, 6)]


def test_a_thread_that_does_not_ask_has_no_number():
    body = straight(put(cell(0), local(0)), locals_=[(DIGIT, 4)])
    assert Interpreter(program([variable("a")], [body], [2])).initial() == [(0, 1, 4, 1, 4)]


def test_an_entry_that_is_a_location_is_where_the_thread_stands():
    body = straight(put(cell(0), 1), locals_=[(DIGIT, 4)], kills={1: (0,)}, parameters=1)
    assert Interpreter(program([variable("a")], [body], [2])).initial() == [(0, 1, 4, 1, 4)]


def test_a_prefix_that_ends_leaves_the_thread_at_its_end():
    body = template(block(to=END), locals_=[(DIGIT, 4)])
    interpreter = Interpreter(program([variable("a")], [body]))
    assert interpreter.initial() == [(0, 0, 4)]
    assert interpreter.successors((0, 0, 4)) == []


def test_spawned_instances_are_idle():
    body = template(block(to=END, location=1), locals_=[(DIGIT, 4)], parameters=1, spawned=True)
    assert Interpreter(program([], [body], [2])).initial() == [(0, 4, 0, 4)]


def failing():
    """The prefix of the second thread fails where the variable is 1."""
    small = RangeType(0, 2)
    fails = check(equal(load(0, type_=small), 0), "not 0", line=33)
    good = straight(put(cell(0, type_=small), 1), name="good")
    bad = template(block(fails, to=1), block(put(cell(0, type_=small), 1), to=END, location=1), name="bad")
    return Interpreter(program([variable("a", small, any_init=True)], [good, bad]))


def test_a_fault_in_a_prefix_takes_the_start_out_and_is_told():
    interpreter = failing()
    assert interpreter.initial() == [(0, 1, 1)]
    assert [(index, fault.message) for index, fault in interpreter.initial_faults] == [(1, "not 0"), (2, "not 0")]
    assert interpreter.starts == [(0, 1, 1), (1, 1, 0), (2, 1, 0)], "after the initial states, as far as they got"


def test_without_a_fault_the_starts_are_the_initial_states():
    interpreter = Interpreter(program([variable("a", any_init=True)]))
    assert interpreter.initial_faults == []
    assert interpreter.starts == interpreter.initial()
    assert len(interpreter.starts) == 10


def test_a_prefix_that_chooses_gives_several_and_one_that_waits_in_vain_none():
    options = tuple(Option(number(n)) for n in (2, 1, 2))
    body = template(block(Choose(own(0), options), to=1), block(to=END, location=1), locals_=[(DIGIT, 0)])
    assert Interpreter(program([], [body])).initial() == [(1, 2), (1, 1)], "each once, in order"
    waits = template(block(wait(equal(load(0, type_=BOOL), 1)), to=1), block(to=END, location=1))
    assert Interpreter(program([variable("a", BOOL, any_init=True)], [waits])).initial() == [(1, 1)]


def test_the_caller_may_keep_and_change_the_list():
    interpreter = Interpreter(program([variable("a")]))
    interpreter.initial().clear()
    assert interpreter.initial() == [(0,)]


def test_starts_are_found_one_at_a_time():
    """A product of 10**12 starts is never made for the sake of the first three."""
    interpreter = Interpreter(program([variable(f"v{n}", any_init=True) for n in range(12)]))
    first = [state for state, _ in zip(interpreter.starting(), range(3), strict=False)]
    assert first == [(0,) * 11 + (n,) for n in range(3)]
    again = interpreter.starting()
    assert next(again) == first[0], "from the beginning for everybody"


def test_two_readers_of_the_starts_see_them_all():
    interpreter = Interpreter(program([variable("a", any_init=True)]))
    one, other = interpreter.starting(), interpreter.starting()
    next(one)
    assert len(list(other)) == 10
    assert len(list(one)) == 9
