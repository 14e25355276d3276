"""Calls of pure functions are compiled once for the same arguments, and what comes out is what each call means."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dio_mc import Model, Mutex, Range, Var, invariant, me, thread
from dio_mc.errors import ModelError
from dio_mc.frontend.build import build
from dio_mc.frontend.load import load_module
from dio_mc.frontend.shelf import Shelf
from dio_mc.ir.expr import Expr, Load, walk
from dio_mc.ir.ops import Assign
from dio_mc.ir.printer import print_program
from dio_mc.ir.program import Program


class Twice(Model):
    """Every call stands twice."""

    lock = Mutex()
    number = Var(Range(0, 9))
    flag = Var(bool)
    held = Var(bool)

    def itself(self, value):
        return value

    def large(self, limit):
        return self.number > limit

    @thread
    def constants(self):
        self.flag = self.large(3)
        self.flag = self.large(4)
        self.flag = self.large(3)

    @thread
    def one_and_true(self):
        self.number = self.itself(1)
        self.flag = self.itself(True)

    @thread
    def places(self):
        self.flag = self.itself(self.held)
        self.flag = self.itself(self.held)

    @thread
    def locks(self):
        self.flag = self.lock.held_by(me)
        self.flag = self.lock.held_by(me)


def values(program: Program, thread: str) -> list[Expr]:
    template = next(t for t in program.templates if t.name == thread)
    return [v for block in template.blocks for op in block.ops if isinstance(op, Assign) for v in op.values]


def test_the_same_call_is_the_same_expression() -> None:
    first, other, again = values(build(Twice).program, "constants")
    assert first is again
    assert first != other


def test_one_is_not_true() -> None:
    text = print_program(build(Twice).program)
    assert "number := 1" in text
    assert "flag := True" in text


@pytest.mark.parametrize("name", ["places", "locks"])
def test_each_read_names_its_own_line(name: str) -> None:
    found = values(build(Twice).program, name)
    spans = [part.span for value in found for part in walk(value) if isinstance(part, Load)]
    first, second = (span.line for span in spans if span is not None)
    assert second == first + 1


def test_how_deep_a_call_may_be_does_not_depend_on_an_earlier_one(tmp_path: Path) -> None:
    chain = "".join(f"    def f{n}(self):\n        return self.f{n + 1}()\n" for n in range(39))
    text = (
        "from dio_mc import Model, Var, thread\n\nclass Deep(Model):\n    flag = Var(bool)\n"
        f"{chain}    def f39(self):\n        return self.flag\n    def more(self):\n        return self.f0()\n"
        "    @thread\n    def t(self):\n        self.flag = self.f0()\n        self.flag = self.{last}()\n"
    )
    for last, accepted in (("f0", True), ("more", False)):
        file = tmp_path / f"{last}.py"
        file.write_text(text.format(last=last))
        (model,) = load_module(file).models
        if accepted:
            build(model)
            continue
        with pytest.raises(ModelError) as caught:
            build(model)
        assert [d.code for d in caught.value.diagnostics] == ["DIO106"]


LIMITS = (3, 5)


class Limited(Model, abstract=True):
    number = Var(Range(0, 9))

    def limit(self):
        return self.inner_limit()

    def one(self):
        return self.listed(LIMITS)

    def other(self):
        return self.listed(LIMITS)

    def listed(self, limits):
        return self.inner_limit()

    def inner_limit(self):
        return self.innermost()

    def innermost(self):
        return 3

    def quiet(self):
        return self.at_rest()

    @invariant
    def small(self):
        return self.number < 9 or self.quiet()

    @invariant
    def large(self):
        return self.number >= 0 or self.quiet()


class Wider(Limited, abstract=True):
    def innermost(self):
        return 5


def rises(self):
    self.number = self.limit()


def falls(self):
    self.number = 0
    self.number = self.limit()


def both(self):
    self.number = self.one()
    self.number = self.other()


def last(self):
    self.number = self.other()


@pytest.mark.parametrize("functions", [(rises, falls), (both, last)], ids=["plain", "through a call that is kept"])
def test_what_one_thread_has_asked_is_asked_by_the_next_as_well(functions: tuple[Callable[..., None], ...]) -> None:
    """Otherwise the shelf would take the second thread of one class for that of another."""
    shelf = Shelf()
    for base in (Limited, Wider):
        made = type("Made", (base,), {str(number): thread(f) for number, f in enumerate(functions)})
        assert build(made, like=shelf).program.templates == build(made).program.templates


def test_calls_are_common_to_classes_with_other_threads() -> None:
    shelf = Shelf()
    for functions in ((rises, falls), (falls, last)):
        made = type("Made", (Limited,), {str(number): thread(f) for number, f in enumerate(functions)})
        found = build(made, like=shelf).program
        assert repr(found.templates) == repr(build(made).program.templates)
    (ready,) = shelf.ready.kept.values()
    assert {key[0][0].__name__ for key in ready.shared.calls} == {"limit", "inner_limit", "innermost", "other"}


def test_each_property_notes_its_propositions() -> None:
    program = build(type("Made", (Limited,), {"t": thread(rises)})).program
    assert [[atom.text for atom in found.atoms] for found in program.properties] == [["at_rest()"]] * 2
