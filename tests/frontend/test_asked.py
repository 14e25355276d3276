"""Expressions that somebody asks about a state: they mean what they mean in a property, and run nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.frontend.asked import LONGEST, excerpt_of, expression
from dio_mc.ir.expr import type_of
from dio_mc.ir.types import show_value
from dio_mc.semantics.interpreter import Interpreter

MODEL = """
from dataclasses import dataclass
from enum import Enum
from dio_mc import Array, Model, Mutex, Param, Range, Var, invariant, operation, thread, window

class Colour(Enum):
    RED = 0
    BLUE = 1

@dataclass(frozen=True)
class Pair:
    left: Range(0, 9)
    right: Colour

def double(x):
    return x + x

class M(Model):
    n = Param(3, min=1, max=4)
    x = Var(Range(0, 9), init=4)
    many = Array(Range(0, 3), size=2, init=1)
    pair = Var(Pair)
    lock = Mutex()

    @operation
    def work(self, k):
        with window("busy"):
            self.lock.lock()
            self.x = k
            self.lock.unlock()

    @thread(instances=2)
    def t(self):
        self.work(1)

    def half(self):
        return self.x // 2

    @invariant
    def small(self):
        return self.x < 10
"""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[type, Interpreter]:
    path = tmp_path_factory.mktemp("asked") / "m.py"
    path.write_text(MODEL)
    model = load_module(path).models[0]
    return model, Interpreter(build(model, {"n": 4}).program)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x", "4"), ("self.x", "4"), (" x + 1 ", "5"), ("x == 4 and not at_rest()", "True"), ("many[1]", "1"),
        ("sum(many)", "2"), ("all(m < 2 for m in many)", "True"), ("pair.right", "RED"), ("n", "4"), ("n - 1", "3"),
        ("pair.right == Colour.BLUE", "False"), ("lock.owner", "None"), ("half()", "2"), ("double(x)", "8"),
        ("finished(t)", "False"), ("inside('busy')", "False"), ("len(many)", "2"),
        ("x if many[0] > 0 else 0", "4"), ("Colour.RED", "RED"), ("7", "7"), ("True", "True"), ("max(many[0], x)", "4"),
    ],
)  # fmt: skip
def test_values(known: tuple[type, Interpreter], text: str, value: str) -> None:
    model, interpreter = known
    (start, *_) = interpreter.initial()
    found = expression(model, interpreter.program, text)
    assert show_value(type_of(found), interpreter.evaluate(found, start)) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("zzz", "M has no attribute `zzz`"),
        ("mani[0]", "M has no attribute `mani` (did you mean `many`?)"),
        ("self.mani", "M has no attribute `mani` (did you mean `many`?)"),
        ("x +", "not an expression: invalid syntax"),
        ("x = 5", "not an expression: invalid syntax"),
        ("x; y", "not an expression: invalid syntax"),
        ("", "not an expression: invalid syntax"),
        ("many", "one value is needed here, not 2 values (ask for one cell of it)"),
        ("many[2]", "index 2 is outside 0..1"),
        ("lock", "one value is needed here, not a Mutex (ask for one cell of it)"),
        ("x and 1", "a condition is a bool, not 0..9 (compare it with something)"),
        ("open('f')", "`open` cannot be called in a model"),
        ("__import__('os').system('true')", "the model has no `__import__`"),
        ("x.__class__", "the model has no `__class__`"),
        ("(lambda: 1)()", "a lambda is not supported (write a method with one return)"),
        ("eval('1')", "`eval` cannot be called in a model"),
        ("work(1)", "`work` takes steps, and a property takes none (a property reads the data; a method with one return "
         "and no decorator may say how)"),
        ("1" * (LONGEST + 1), f"an expression has at most {LONGEST} characters"),
        ("-" * 399 + "x", "an expression is nested at most 60 deep"),
        ("inside(work, k=1)", "no property asks who is inside `work`, so the program does not say it"),
    ],
)  # fmt: skip
def test_what_has_no_meaning_is_said(known: tuple[type, Interpreter], text: str, reason: str) -> None:
    model, interpreter = known
    with pytest.raises(ModelError) as raised:
        expression(model, interpreter.program, text)
    assert excerpt_of(raised.value) == reason


def test_shared_data_of_more_threads_is_that_of_the_program(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(MODEL)
    model = load_module(path).models[0]
    program = build(model, {}, {"t": 3}).program
    interpreter = Interpreter(program)
    found = expression(model, program, "lock.owner == None or finished(t)")
    assert interpreter.evaluate(found, interpreter.initial()[0]) == 1
