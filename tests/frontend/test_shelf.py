"""What comes from a shelf is what is compiled: whole programs are equal, whatever was there before."""

from dataclasses import replace
from itertools import combinations_with_replacement
from typing import Any

import pytest

from dio_mc import Model, Mutex, Param, Range, Var, invariant, me, operation, spawn, thread, threads
from dio_mc.errors import ModelError
from dio_mc.frontend import templates
from dio_mc.frontend.build import build
from dio_mc.frontend.shelf import Shelf
from dio_mc.ir.printer import print_program
from dio_mc.kernel import Crashes
from dio_mc.study.products import products
from dio_mc.study.registry import open_registry, product, together


class Base(Model, abstract=True):
    """Threads come with the class that is made."""

    room = 1
    number = Var(Range(0, 9))

    @operation()
    def work(self, n):
        self.number = n
        self.number = 0

    @operation()
    def stays(self, n):
        self.number = n + self.room

    @invariant
    def small(self):
        return self.number < 9 or self.at_rest()


class Asked(Base, abstract=True):
    @invariant
    def nobody_stays(self):
        return not self.inside(self.stays)


def one(self):
    spawn(self.work, 1)


def five(self):
    spawn(self.work, 5)


def both(self):
    spawn(self.work, 1)
    spawn(self.work, 5)


def alone(self):
    for t in threads():
        if t != me:
            self.stays(3)


FUNCTIONS = (one, five, both, alone)


def made(*functions: Any, base: type[Model] = Base, **members: Any) -> type[Model]:
    threads = {str(number): thread(function) for number, function in enumerate(functions)}
    return type("Made", (base,), {**threads, **members})


PAIRS = [*combinations_with_replacement(FUNCTIONS, 2)][:-1]  # somebody has to work


@pytest.mark.parametrize("pairs", [PAIRS, PAIRS[::-1], PAIRS[::2] + PAIRS[1::2]], ids=["", "back", "odd"])
def test_threads_that_spawn_with_other_types(pairs: list[tuple[Any, ...]]) -> None:
    shelf = Shelf()
    for functions in pairs:
        same(shelf, *functions)


def same(shelf: Shelf, *functions: Any, numbers: dict[str, int] | None = None, **members: Any) -> None:
    kept = build(made(*functions, **members), numbers=numbers, like=shelf).program
    direct = build(made(*functions, **members), numbers=numbers).program
    assert kept == direct, functions
    assert print_program(kept) == print_program(direct)
    assert kept.templates[0].span == direct.templates[0].span


def test_what_gives_more_comes_last() -> None:
    shelf = Shelf()
    for functions in ((five, five), (one, one), (one, both)):
        same(shelf, *functions)


def test_as_many_threads_with_more_that_are_spawned() -> None:
    shelf = Shelf()
    same(shelf, one, alone, alone)
    same(shelf, one, one, alone)


def test_properties_about_places() -> None:
    shelf = Shelf()
    same(shelf, one, alone, base=Asked)
    same(shelf, alone, one, base=Asked)


def test_a_class_with_another_constant_is_another_one() -> None:
    shelf = Shelf()
    same(shelf, alone, one)
    same(shelf, alone, one, room=2)


def test_nothing_is_compiled_twice() -> None:
    shelf = Shelf()
    models = made(alone, one), made(alone, one)
    first, second = (build(model, like=shelf).program for model in models)
    assert all(a is b for a, b in zip(first.templates, second.templates, strict=True))
    assert first.properties[0].expr is second.properties[0].expr
    assert [first.properties[0].model, second.properties[0].model] == [*models]


def numbered(self, i):
    self.number = i


def at_once(self):
    self.number = 3
    self.number = 4


at_once.__dio_atomic__ = True


def test_a_function_that_is_two_threads_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compile_ = templates._compile
    monkeypatch.setattr(
        templates, "_compile", lambda draft, *rest: compiled.append(draft.name) or compile_(draft, *rest)
    )
    shelf = Shelf()
    same(shelf, alone, one)
    compiled.clear()
    build(made(one, alone), like=shelf)
    assert compiled == []


def test_a_function_that_is_threads_of_one_and_of_two_instances() -> None:
    shelf = Shelf()
    for functions in ((numbered, alone), (alone, numbered), (numbered, numbered), (alone, alone)):
        same(shelf, *functions, numbers={"1": 2})


def test_a_thread_of_one_step_says_what_it_is_called() -> None:
    shelf = Shelf()
    same(shelf, at_once, alone)
    same(shelf, alone, at_once)


def test_threads_whose_names_begin_other_names() -> None:
    """Among them the first letter of the name of every end."""
    shelf = Shelf()
    for names in (("e", "en", "x"), ("x", "e", "en"), ("en", "end", "e")):
        kinds = []
        for like in (shelf, None):
            members = {name: thread(f) for name, f in zip(names, (alone, alone, one), strict=True)}
            kinds.append(build(type("Made", (Base,), members), like=like).program)
        assert kinds[0] == replace(kinds[1], digest="")


def test_inside_of_a_thread_that_is_called_otherwise() -> None:
    shelf = Shelf()
    same(shelf, alone, one, base=Asked)
    same(shelf, one, alone, base=Asked)


# -- classes that inherit ----------------------------------------------------------------------------------------------


def calls(self):
    self.outer(2)


class Rule(Model, abstract=True):
    """`outer` calls a helper, a pure one, and one above."""

    number = Var(Range(0, 9))
    bound = Param(3)
    step = 1

    @operation(kernel="fs/a.c:outer")
    def outer(self, n):
        if self.allowed(n):
            self.inner(n)
        self.number = 0

    @operation(kernel="fs/a.c:inner")
    def inner(self, n):
        self.number = n + self.step

    def allowed(self, n):
        return n < self.bound

    @invariant
    def small(self):
        return self.number < 9


class Same(Rule, abstract=True):
    """Inherits everything, and has an operation that nobody calls."""

    @operation()
    def unused(self):
        self.number = 5


class OtherHelper(Rule, abstract=True):
    @operation(kernel="fs/b.c:inner")
    def inner(self, n):
        self.number = 7


class OtherPure(Rule, abstract=True):
    def allowed(self, n):
        return n > self.bound


class Above(Rule, abstract=True):
    @operation()
    def inner(self, n):
        super().inner(n)
        self.number = 1


class Between(Rule, abstract=True):
    @operation()
    def inner(self, n):
        self.number = 8


class AboveOfBetween(Above, Between, abstract=True):
    """What `super()` means in `Above` is another function here."""


class OtherConstant(Rule, abstract=True):
    step = 2


class OtherAnchor(Rule, abstract=True):
    anchors = {"outer": "fs/c.c:outer"}


class OtherParam(Rule, abstract=True):
    bound = Param(1)


class OtherData(Rule, abstract=True):
    number = Var(Range(0, 9), init=1)


class Explicit(Rule, abstract=True):
    @operation()
    def outer(self, n):
        Rule.inner(self, n)


class ExplicitOther(Explicit, abstract=True):
    """Its locals are called after the class, because it has another operation of that name."""

    @operation()
    def inner(self, n):
        self.number = 6


class Never(Mutex):
    def is_locked(self):
        return False


class Locked(Rule, abstract=True):
    lock = Mutex()

    @operation()
    def outer(self, n):
        self.number = 2 if self.lock.is_locked() else 3


class LockedOtherwise(Locked, abstract=True):
    """A lock with the same variables, whose methods do something else."""

    lock = Never()


RULES = (
    Rule, Same, OtherHelper, OtherPure, Above, Between, AboveOfBetween, OtherConstant, OtherAnchor, OtherParam,
    OtherData, Explicit, ExplicitOther, Locked, LockedOtherwise,
)  # fmt: skip


@pytest.mark.parametrize("rules", [RULES, RULES[::-1], RULES[::2] + RULES[1::2]], ids=["", "back", "odd"])
def test_rules_that_inherit_from_one_another(rules: tuple[type[Model], ...]) -> None:
    shelf = Shelf()
    for rule in rules:
        same(shelf, calls, calls, base=rule)


def compiled_of(monkeypatch: pytest.MonkeyPatch, shelf: Shelf, base: type[Model]) -> list[str]:
    found: list[str] = []
    compile_ = templates._compile
    with monkeypatch.context() as patch:
        patch.setattr(templates, "_compile", lambda draft, *rest: found.append(draft.name) or compile_(draft, *rest))
        build(made(calls, base=base), like=shelf)
    return found


@pytest.mark.parametrize("rule", RULES[2:], ids=lambda rule: rule.__name__)
def test_only_what_is_another_thread_is_compiled_again(rule: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    assert compiled_of(monkeypatch, shelf, Rule) == ["0"]
    assert compiled_of(monkeypatch, shelf, Same) == []
    assert compiled_of(monkeypatch, shelf, rule) == ["0"]
    assert compiled_of(monkeypatch, shelf, rule) == []


def test_a_constant_that_is_equal_is_not_the_same() -> None:
    shelf = Shelf()
    same(shelf, calls, base=Rule, step=1)
    for _ in range(2):
        with pytest.raises(ModelError, match=r"`\+` needs numbers, not True"):
            build(made(calls, base=Rule, step=True), like=shelf)


def test_an_operation_of_one_name_in_a_class_that_was_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a file was edited between two runs: the name is the same, the function is not."""
    shelf = Shelf()

    def again(value: int) -> type[Model]:
        def inner(self, n):
            self.number = value

        return type("Edited", (Rule,), {"inner": operation()(inner), "__doc__": ""}, abstract=True)

    for value in (1, 2, 1):
        assert compiled_of(monkeypatch, shelf, again(value)) == ["0"]


class Loses(Crashes, abstract=True):
    """Two variables, one of which a power failure takes."""

    durable = ("first",)
    first, second = Var(Range(0, 1)), Var(Range(0, 1))

    @invariant
    def small(self):
        return self.first < 2


class LosesLess(Loses, abstract=True):
    durable = ("second",)


def sets(self):
    self.first = 1
    self.second = 1


def test_what_a_power_failure_takes_is_that_of_the_class() -> None:
    shelf = Shelf()
    for base in (Loses, LosesLess, Loses):
        same(shelf, sets, base=base)


def test_the_oldest_parts_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dio_mc.frontend.shelf.MOST", 1)
    monkeypatch.setattr("dio_mc.frontend.prepared.MOST", 1)
    shelf = Shelf()
    for rule in (Rule, OtherParam):
        assert compiled_of(monkeypatch, shelf, rule) == ["0"]
    assert (len(shelf._alike), len(shelf._kin)) == (1, 1)
    assert compiled_of(monkeypatch, shelf, Rule) == ["0"]


SHELF = open_registry()
OPERATIONS = tuple(SHELF.operations)


@pytest.mark.parametrize("number", range(len(SHELF.rules)), ids=list(SHELF.rules))
def test_pairs_of_the_matrix(number: int) -> None:
    """One pair fills the shelf, with the next one it is compared; each operation comes with some rules."""
    rule = list(SHELF.rules.values())[number]
    known = [operation for operation in OPERATIONS if operation not in rule.unsupported]
    first, second, third = (known[(number * 5 + step) % len(known)] for step in (0, 3, 7))
    products(together(SHELF, (first, second)), rule)
    workload = together(SHELF, (first, third))
    found = products(workload, rule)
    direct = product(workload, rule)
    assert [one.layout for one in found] == list(direct)
    named = found[-1].named()
    assert named == direct[found[-1].layout]
    assert named.digest == direct[found[-1].layout].digest
    assert named.file == direct[found[-1].layout].file
