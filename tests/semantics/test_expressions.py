"""The value of property expressions, and of arithmetic and logic in general."""

import operator

import pytest
from ir_builder import DIGIT, equal, less, load, local, number, own, program, put, straight, variable

from dio_mc.errors import InternalError
from dio_mc.ir.expr import FALSE, TRUE, And, Arith, AtLocation, Compare, Implies, Ite, LocalOf, Me, Not, Or
from dio_mc.ir.types import ThreadIdType
from dio_mc.semantics.interpreter import Interpreter


@pytest.fixture
def interpreter():
    body = straight(put(own(0), load(0)), put(own(0), load(0)), locals_=[(DIGIT, 0), (DIGIT, 0)])
    return Interpreter(program([variable("i"), variable("a", shape=(2, 2))], [body], [2]))


STATE = (1, 10, 11, 12, 13, 1, 20, 21, 2, 30, 31)
AFTER = (0, 50, 51, 52, 53, 2, 60, 61, 0, 70, 71)


def test_loads_in_a_property_read_the_last_element_for_an_index_outside(interpreter):
    def value(*indices):
        return interpreter.evaluate(load(1, *indices, total=True), STATE)

    assert [value(i, j) for i in (0, 1) for j in (0, 1)] == [10, 11, 12, 13]
    assert [value(5, 0), value(-1, 0), value(0, 7), value(0, -2), value(9, 9)] == [12, 12, 11, 11, 13]
    assert interpreter.evaluate(load(1, load(0, total=True), 0, total=True), STATE) == 12


def test_after_reads_the_state_behind_the_step(interpreter):
    before, after = load(1, 0, 1, total=True), load(1, 0, 1, total=True, after=True)
    assert interpreter.evaluate(before, STATE, AFTER) == 11
    assert interpreter.evaluate(after, STATE, AFTER) == 51
    moving = load(1, load(0, total=True, after=True), 1, total=True, after=True)
    assert interpreter.evaluate(moving, STATE, AFTER) == 51
    still = load(1, load(0, total=True), 1, total=True, after=True)
    assert interpreter.evaluate(still, STATE, AFTER) == 53
    with pytest.raises(InternalError):
        interpreter.evaluate(after, STATE)


def test_where_threads_stand_and_what_they_hold(interpreter):
    def value(expr):
        return interpreter.evaluate(expr, STATE, AFTER)

    assert value(AtLocation(0, frozenset({1}))) == 1
    assert value(AtLocation(0, frozenset({2}))) == 0
    assert value(AtLocation(1, frozenset({1, 2}))) == 1
    assert value(AtLocation(0, frozenset({2}), after=True)) == 1
    assert value(AtLocation(1, frozenset({1, 2}), after=True)) == 0
    assert [value(LocalOf(t, n, DIGIT)) for t in (0, 1) for n in (0, 1)] == [20, 21, 30, 31]
    assert [value(LocalOf(t, n, DIGIT, after=True)) for t in (0, 1) for n in (0, 1)] == [60, 61, 70, 71]


@pytest.mark.parametrize(
    ("op", "meaning"),
    [("==", operator.eq), ("!=", operator.ne), ("<", operator.lt),
     ("<=", operator.le), (">", operator.gt), (">=", operator.ge)],
)  # fmt: skip
def test_comparisons(interpreter, op, meaning):
    for left in (-1, 0, 1):
        for right in (-1, 0, 1):
            assert interpreter.evaluate(Compare(op, number(left), number(right)), STATE) == int(meaning(left, right))


@pytest.mark.parametrize(
    ("op", "results"), [("+", (1, -5)), ("-", (-5, 1)), ("*", (-6, 6)), ("//", (-1, 0)), ("%", (1, -2))]
)
def test_arithmetic_is_pythons(interpreter, op, results):
    assert interpreter.evaluate(Arith(op, number(-2), number(3), DIGIT), STATE) == results[0]
    assert interpreter.evaluate(Arith(op, number(-2), number(-3), DIGIT), STATE) == results[1]


def test_connectives(interpreter):
    def value(expr):
        return interpreter.evaluate(expr, STATE)

    for left in (FALSE, TRUE):
        assert value(Not(left)) == 1 - left.value
        for right in (FALSE, TRUE):
            assert value(And((left, right))) == (left.value & right.value)
            assert value(Or((left, right))) == (left.value | right.value)
            assert value(Implies(left, right)) == ((1 - left.value) | right.value)
            assert value(Ite(left, right, Not(right), DIGIT)) == (right.value if left.value else 1 - right.value)
    assert (value(And(())), value(Or(()))) == (1, 0)


def test_connectives_stop_as_soon_as_they_know(interpreter):
    trap = equal(Arith("//", number(1), number(0), DIGIT), 0)
    for safe, expected in (
        (And((FALSE, trap)), 0),
        (Or((TRUE, trap)), 1),
        (Implies(FALSE, trap), 1),
        (Ite(TRUE, number(4), trap, DIGIT), 4),
        (Ite(FALSE, trap, number(4), DIGIT), 4),
    ):
        assert interpreter.evaluate(safe, STATE) == expected
    with pytest.raises(InternalError, match="1 // 0"):
        interpreter.evaluate(And((TRUE, trap)), STATE)


def test_what_a_property_may_not_say(interpreter):
    for expr in (local(0), Me(ThreadIdType(("t[0]", "t[1]")))):
        with pytest.raises(InternalError, match="no meaning in a property"):
            interpreter.evaluate(expr, STATE)
    with pytest.raises(InternalError, match=r"index 4 outside a\[0..1\]"):
        interpreter.evaluate(load(1, 4, 0), STATE)
    with pytest.raises(InternalError, match="dimensions"):
        interpreter.evaluate(load(1, 0), STATE)


def test_the_same_expression_with_another_meaning_is_not_mixed_up(interpreter):
    """Compiled expressions are kept by value; ``after`` and the type's extent are part of the value."""
    first, second = less(load(0, total=True), 1), less(load(0, total=True, after=True), 1)
    assert [interpreter.evaluate(e, STATE, AFTER) for e in (first, second, first)] == [0, 1, 0]
