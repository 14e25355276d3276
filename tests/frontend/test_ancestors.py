"""``Base.op(self, i)``: the operation of a class further up, as Python has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.ir.printer import print_program

CHAIN = """\
from dio_mc import *


class First(Model):
    a = Var(Range(0, 9))
    b = Var(Range(0, 9))

    @operation()
    def put(self, value):
        self.a = value

    @operation()
    def get(self):
        return self.a

    def twice(self, value):
        return value + value

    @thread
    def t(self):
        self.put(1)


class Second(First):
    @operation()
    def put(self, value):
        self.b = value

    def twice(self, value):
        return value


class Third(Second):
    @operation()
    def put(self, value):
        BODY


class Other(Model):
    @operation()
    def put(self, value):
        self.a = value


@operation()
def alone(self): pass
"""


def built(folder: Path, body: str):
    (folder / "chain.py").write_text(CHAIN.replace("BODY", body))
    model = next(m for m in load_module(folder / "chain.py").models if m.__name__ == "Third")
    return build(model).program


STORES = {
    "First.put(self, value)": ["a := %"],
    "Second.put(self, value)": ["b := %"],
    "super().put(value)": ["b := %"],
    "First.put(self, value=value)": ["a := %"],
    "First.put(self, value)\n        super().put(value)": ["a := %", "b := %"],
    "got = First.get(self)\n        self.b = got": [":= a", "b := %"],
    "self.b = First.twice(self, value)": ["b := %0:put.value + %0:put.value"],
    "self.b = Second.twice(self, value)": ["b := %"],
}


@pytest.mark.parametrize(("body", "lines"), STORES.items())
def test_which_operation_runs(tmp_path: Path, body: str, lines: list[str]) -> None:
    text = print_program(built(tmp_path, body))
    found = [line.strip() for line in text.splitlines() if ":=" in line]
    for wanted in lines:
        assert any(wanted in line for line in found), text
    assert ("b :=" in text) == any("b :=" in wanted for wanted in lines), text


def test_it_takes_no_step_more_than_its_text_in_its_place(tmp_path: Path) -> None:
    called, spelled = (built(tmp_path, body) for body in ("First.put(self, value)", "self.a = value"))
    assert [len(t.locations) for t in called.templates] == [len(t.locations) for t in spelled.templates] == [2]


WRONG = [
    ("super(Second, self).put(value)", "DIO102", "super() with arguments is not supported"),
    ("First.put(value)", "DIO111", "`First.put` is called on a class: its first argument is `self`"),
    ("First.put()", "DIO111", "`First.put` is called on a class: its first argument is `self`"),
    ("First.put(self)", "DIO111", "`put` needs an argument for `value`"),
    ("First.put(self, value, 1)", "DIO111", "`put` takes one argument, not 2"),
    ("First.putt(self, value)", "DIO104", "has no attribute `putt`"),
    ("Other.put(self, value)", "DIO102", "cannot be called in a model"),
    ("First.t(self)", "DIO114", "`t` is a thread, and only operations are called"),
    ("Third.put(self, value)", "DIO106", "`put` calls itself"),
    ("spawn(First.put, value)", "DIO103", "`spawn` starts operations as the model has them"),
]


@pytest.mark.parametrize(("body", "code", "message"), WRONG)
def test_wrong_calls_are_located(tmp_path: Path, body: str, code: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        built(tmp_path, body)
    found = caught.value.diagnostics[0]
    assert (found.code, message in found.message) == (code, True), found
    assert found.span is not None
    assert found.span.line == 36
