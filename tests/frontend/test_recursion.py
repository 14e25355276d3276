"""Operations that call themselves to a declared depth: what they do, and what is wrong, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

import dio_mc
from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.semantics.interpreter import Interpreter

HEAD = """\
from dio_mc import *

class M(Model):
    n = Var(Range(0, 7))
    seen = Array(Range(0, 7), size=4)
    deep = Param(2, min=0, max=9)
"""
LINE = HEAD.count("\n")
"""The line before that of a body's first line."""


def models(folder: Path, body: str) -> list[type]:
    """`body` is written without the four columns that class members stand in; a class begins a line with its own."""
    lines = [line if line.startswith("class ") else f"    {line}" for line in body.strip("\n").split("\n")]
    (folder / "model.py").write_text(HEAD + "\n".join(lines) + "\n")
    return load_module(folder / "model.py").models


class Ends:
    """What a model does: values of `n` and `seen` at its ends, and its faults."""

    def __init__(self, folder: Path, body: str, params: dict[str, int] | None = None) -> None:
        program = build(models(folder, body)[-1], params).program
        machine = Interpreter(program)
        self.ends: set[tuple[int, ...]] = set()
        waiting = list(machine.initial())
        self.faults = [fault for _, fault in machine.initial_faults]
        known = set(waiting)
        while waiting:
            state = waiting.pop()
            steps = machine.successors(state)
            self.faults += [step.fault for step in steps if step.fault is not None]
            after = {step.state for step in steps if step.state is not None} - known
            if not steps:
                self.ends.add(state[:5])
            known |= after
            waiting += after

    @property
    def told(self) -> set[tuple[str, str, int]]:
        """Faults as kind, message and line of the body."""
        return {(f.kind, f.message, f.span.line - LINE) for f in self.faults}


COUNTS = """
@operation(depth=3)
def down(self, k):
    self.seen[k] = k
    if k > 0:
        below = self.down(k - 1)
        self.n = below
        self.seen[k] = k + below
        return below + 1
    return 0
@thread
def t(self):
    got = self.down({k})
    self.n = got
"""


def test_every_call_under_way_has_locals_of_its_own(tmp_path: Path) -> None:
    """`k` and `below` are read after the inner call has returned."""
    found = Ends(tmp_path, COUNTS.format(k=2))
    assert (found.ends, found.faults) == ({(2, 0, 1, 3, 0)}, [])


def test_a_call_too_deep_is_a_fault_at_the_call(tmp_path: Path) -> None:
    found = Ends(tmp_path, COUNTS.format(k=3))
    assert found.ends == set()
    assert found.told == {("recursion", "`down` calls itself deeper than 3", 5)}


def test_a_call_too_deep_evaluates_its_arguments_first(tmp_path: Path) -> None:
    body = """
@operation(depth=1)
def down(self, k):
    self.n = k
    self.down(self.seen[k + 3])
@thread
def t(self):
    self.down({k})
"""
    inside, outside = (Ends(tmp_path, body.format(k=k)).told for k in (0, 1))
    assert inside == {("recursion", "`down` calls itself deeper than 1", 4)}
    assert {(kind, line) for kind, _, line in outside} == {("index", 4)}


def test_depths_are_of_the_calls_under_way_and_not_of_those_that_have_ended(tmp_path: Path) -> None:
    found = Ends(tmp_path, """
@operation(depth=2)
def down(self, k):
    self.n = self.n + 1
    if k > 0:
        self.down(0)
        self.down(0)
@thread
def t(self):
    self.down(1)
    self.down(1)
""")  # fmt: skip
    assert (found.ends, found.faults) == ({(6, 0, 0, 0, 0)}, [])


MUTUAL = """
@operation({first})
def first(self, k):
    self.n = self.n + 1
    if k > 0:
        self.second(k - 1)
@operation({second})
def second(self, k):
    if k > 0:
        self.first(k - 1)
@thread
def t(self):
    self.first({k})
"""


@pytest.mark.parametrize(("first", "second"), [("depth=2", ""), ("", "depth=2"), ("depth=2", "depth=2")])
def test_one_depth_bounds_all_that_call_each_other(tmp_path: Path, first: str, second: str) -> None:
    found = Ends(tmp_path, MUTUAL.format(first=first, second=second, k=3))
    assert (found.ends, found.faults) == ({(2, 0, 0, 0, 0)}, [])
    name, line = ("first", 9) if first else ("second", 5)
    deeper = Ends(tmp_path, MUTUAL.format(first=first, second=second, k=5))
    assert deeper.told == {("recursion", f"`{name}` calls itself deeper than 2", line)}


def test_the_depth_may_be_a_parameter(tmp_path: Path) -> None:
    body = COUNTS.replace("depth=3", "depth=deep").format(k=2)
    assert Ends(tmp_path, body, {"deep": 3}).ends == {(2, 0, 1, 3, 0)}
    assert Ends(tmp_path, body).told == {("recursion", "`down` calls itself deeper than 2", 5)}


def test_the_depth_is_that_of_the_class_that_is_checked(tmp_path: Path) -> None:
    """Each definition is counted by itself: the patched one, and the one that it calls."""
    found = Ends(tmp_path, """
@operation()
def down(self, k):
    if k > 0:
        self.down(k - 1)
@thread
def t(self):
    self.down(1)
class Fix(M):
@operation(depth=2)
def down(self, k):
    self.n = self.n + 1
    super().down(k)
""")  # fmt: skip
    assert (found.ends, found.faults) == ({(2, 0, 0, 0, 0)}, [])


def test_a_spawned_operation_is_its_own_first_call(tmp_path: Path) -> None:
    body = """
@operation(depth=2)
def later(self, k):
    self.n = self.n + 1
    if k > 0:
        self.later(k - 1)
@thread
def t(self):
    spawn(self.later, {k})
"""
    assert Ends(tmp_path, body.format(k=1)).ends == {(2, 0, 0, 0, 0)}
    assert Ends(tmp_path, body.format(k=2)).told == {("recursion", "`later` calls itself deeper than 2", 5)}


def test_in_an_atomic_block_it_is_one_step(tmp_path: Path) -> None:
    body = COUNTS.replace("got = self.down({k})", "with atomic():\n        got = self.down({k})")
    program = build(models(tmp_path, body.format(k=2))[-1]).program
    assert [len(t.locations) - 1 for t in program.templates] == [2]
    assert Ends(tmp_path, body.format(k=2)).ends == {(2, 0, 1, 3, 0)}


def test_inside_is_asked_of_each_call(tmp_path: Path) -> None:
    (model,) = models(tmp_path, """
@operation(depth=2)
def down(self, k):
    self.n = k
    if k > 0:
        self.down(k - 1)
    self.seen[k] = 1
@thread
def t(self):
    self.down(1)
@invariant
def not_the_inner(self):
    return not self.inside(self.down, k=0)
@reachable
def both(self):
    return self.inside(self.down, k=0) and self.inside(self.down, k=1)
""")  # fmt: skip
    found = {p.name: p.verdict for p in dio_mc.check(model).properties}
    assert (found["not_the_inner"], found["both"]) == ("VIOLATED", "HOLDS")


def test_what_never_returns_is_a_fault_and_no_error(tmp_path: Path) -> None:
    found = Ends(tmp_path, """
@operation(depth=2)
def forever(self):
    self.n = 1
    got = self.forever()
    return got + 1
@thread
def t(self):
    got = self.forever()
    self.n = got
""")  # fmt: skip
    assert found.told == {("recursion", "`forever` calls itself deeper than 2", 4)}


WRONG = [
    ("@operation()", "DIO106", 4, "`down` calls itself", "use a loop, or declare how deep it may go: `@operation(depth=2)`"),
    ("@operation(depth=0)", "DIO109", 2, "operation `down` has depth 0; it is from 1 to 8", ""),
    ("@operation(depth=9)", "DIO109", 2, "operation `down` has depth 9; it is from 1 to 8", ""),
    ("@operation(depth=True)", "DIO109", 2, "operation `down` has depth True; it is from 1 to 8", ""),
    ("@operation(depth='2')", "DIO109", 2, "operation `down` has depth '2'; it is from 1 to 8", ""),
    ("@operation(depth=deep - 2)", "DIO109", 2, "operation `down` has depth 0; it is from 1 to 8", ""),
]  # fmt: skip


@pytest.mark.parametrize(("word", "code", "line", "message", "hint"), WRONG)
def test_wrong_depths(tmp_path: Path, word: str, code: str, line: int, message: str, hint: str) -> None:
    body = f"{word}\ndef down(self):\n    self.n = 1\n    self.down()\n@thread\ndef t(self):\n    self.down()\n"
    with pytest.raises(ModelError) as caught:
        build(models(tmp_path, body)[-1])
    (found,) = caught.value.diagnostics
    assert found.span is not None
    assert (found.code, found.span.line - LINE, found.message, found.hint) == (code, line, message, hint)


def test_operations_without_a_depth_in_a_circle(tmp_path: Path) -> None:
    """A depth of an operation outside the circle does not bound it."""
    body = MUTUAL.format(first="", second="", k=1).replace("self.first(1)", "self.outer()")
    body += "@operation(depth=2)\ndef outer(self):\n    self.first(1)\n"
    with pytest.raises(ModelError) as caught:
        build(models(tmp_path, body)[-1])
    assert {(d.code, d.message) for d in caught.value.diagnostics} == {("DIO106", "`first` calls itself")}
