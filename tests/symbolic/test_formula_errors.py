"""Properties that no formula can be made of: one sentence with its place, never a traceback.

The frontend finds most of these first; where z3 is used, it stops looking, and the second translation must say it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest
from plain import built, prop
from z3 import BitVec, Exists, Int, Sum

from dio_mc import Array, Model, Mutex, Range, ThreadId, Var, invariant, me, operation, thread
from dio_mc.errors import ModelError
from dio_mc.source import source_lines
from dio_mc.symbolic.evaluator import property_evaluator

i = Int("i")


class Color(Enum):
    RED = 0
    BLUE = 1


class Shade(Enum):
    DARK = 0
    LIGHT = 1


def endless(n):
    return endless(n)


class Base(Model):
    x = Var(Range(0, 3))
    flag = Var(bool)
    color = Var(Color)
    a = Array(Range(0, 3), size=2)
    owner = Var(ThreadId | None)
    mutex = Mutex()

    @thread
    def worker(self):
        self.step(0)

    @operation()
    def step(self, index):
        self.x = 1
        self.x = 2


CASES: list[tuple[Callable[..., object], str, str, str]] = []


def case(code: str, at: str, message: str):
    def note(function):
        CASES.append((function, code, at, message))
        return function

    return note


# fmt: off
@case("DIO103", "self.x", "a condition is a bool, not self.x")
def a_number_as_a_condition(self): return Exists([i], i > 0 and self.x)

@case("DIO103", "self.color == 1", "a Color and 1 cannot be compared")
def an_enum_and_a_number(self): return Exists([i], i > 0) and self.color == 1

@case("DIO103", "self.color == Shade.DARK", "a Color and Shade.DARK cannot be compared")
def two_enums(self): return Exists([i], i > 0) and self.color == Shade.DARK

@case("DIO103", "self.x is None", "self.x is never None")
def never_none(self): return Exists([i], i > 0) and self.x is None

@case("DIO103", "self.owner < 1", "`<` does not order a value that may be None")
def order_of_none(self): return Exists([i], i > 0) and self.owner < 1

@case("DIO103", "self.y", "`Case` has no attribute `y`")
def no_attribute(self): return Exists([i], i > self.y)

@case("DIO104", "unknown", "unknown name `unknown`")
def no_name(self): return Exists([i], i > unknown)  # noqa: F821  # the error under test

@case("DIO103", "self.x[0]", "self.x cannot be indexed")
def no_array(self): return Exists([i], i > self.x[0])

@case("DIO113", "me", "`me` has no meaning in a property: no thread is running it")
def running(self): return Exists([i], i > 0) and self.owner == me

@case("DIO103", "self.mutex.lock()", "`lock` takes steps and cannot be called in a property")
def steps(self): return Exists([i], i > 0) and self.mutex.lock()

@case("DIO103", "endless(n)", "`endless` calls itself without end")
def recursion(self): return Exists([i], i > 0) and endless(self.x)

@case("DIO103", "range(self.x)", "this range must have constant bounds")
def symbolic_range(self): return Exists([i], i > 0) and all(self.a[k] == 0 for k in range(self.x))

@case("DIO103", 'self.inside("nowhere")', 'no thread ever enters "nowhere"')
def no_window(self): return Exists([i], i > 0) and self.inside("nowhere")

@case("DIO103", "self.inside(self.step, other=1)", "the operation around it has no argument `other`")
def no_argument(self): return Exists([i], i > 0) and self.inside(self.step, other=1)

@case("DIO103", "self.finished(self.step)", "a thread of the model is needed here")
def no_thread(self): return Exists([i], i > 0) and self.finished(self.step)

@case("DIO103", "(BitVec('b', 4) == 1) == self.x", "cannot be compared")
def sorts(self): return Exists([i], i > 0) and (BitVec('b', 4) == 1) == self.x

@case("DIO103", "Sum(self.x, [self.flag])", "")
def z3_refuses(self): return Sum(self.x, [self.flag]) == 1

@case("DIO103", "max(self.a[k] for k in range(2) if self.flag)", "a filtered sequence has no fixed sequence of elements")
def filtered_extreme(self): return Exists([i], i > max(self.a[k] for k in range(2) if self.flag))

@case("DIO102", "0:1", "`Slice` is not supported in a property")
def a_slice(self): return Exists([i], i > sum(self.a[0:1]))

@case("DIO103", "sorted(self.a)", "`sorted` cannot be called with values of the model")
def foreign(self): return Exists([i], i > sorted(self.a)[0])

@case("DIO103", "self.x // self.x", "the right side of `//` must be a constant")
def division(self): return Exists([i], i > self.x // self.x)

@case("DIO103", "self.x % 0", "division by zero")
def by_zero(self): return Exists([i], i > self.x % 0)

@case("DIO103", "def ends_in_a_number", "a condition is a bool, not self.x + 1")
def ends_in_a_number(self): return Sum([self.x, 1])
# fmt: on


@pytest.mark.parametrize(("function", "code", "at", "message"), CASES, ids=[c[0].__name__ for c in CASES])
def test_the_error_has_a_code_a_sentence_and_a_place(function: Any, code: str, at: str, message: str) -> None:
    model = type("Case", (Base,), {function.__name__: invariant(function)})
    program = built(model)
    with pytest.raises(ModelError) as caught:
        property_evaluator(program, prop(program, function.__name__))
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.span is not None
    line = source_lines(diagnostic.span.file)[diagnostic.span.line - 1]
    shown = line[diagnostic.span.column - 1 : diagnostic.span.end_column - 1]
    assert (diagnostic.code, message in diagnostic.message, at in shown) == (code, True, True), (diagnostic, shown)


def test_functions_without_source() -> None:
    program = built(type("Plain", (Base,), {"fine": invariant(CASES[0][0])}))
    nowhere: dict[str, Any] = {}
    exec("def typed(self):\n    return self.flag", nowhere)
    bad = replace(program.properties[0], function=nowhere["typed"], expr=None)
    with pytest.raises(ModelError, match="DIO118"):
        property_evaluator(program, bad)
