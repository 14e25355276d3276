"""Which part of a property fails, in the author's words, with the values in it."""

from __future__ import annotations

from enum import Enum
from typing import Any

import pytest
from plain import built, prop
from z3 import And, Exists, Implies, Int, Not, Or

from dio_mc import (
    Array,
    Model,
    Mutex,
    Param,
    PerThread,
    Range,
    ThreadId,
    Var,
    invariant,
    operation,
    reachable,
    thread,
    threads,
    window,
)
from dio_mc.semantics.layout import layout_of
from dio_mc.symbolic import explain as explaining
from dio_mc.symbolic.explain import explain

i = Int("i")


class Data(Enum):
    ZERO = 0
    STALE = 1


class Cache(Model):
    pages = Param(3)
    seen = Array(Data, size=pages)
    block = Array(bool, size=pages)
    x = Var(Range(0, 9))
    y = Var(Range(0, 9))
    flag = Var(bool)
    owner = Var(ThreadId | None)
    held = PerThread(bool)
    mutex = Mutex()

    @thread(instances=2)
    def reader(self, k):
        self.read(0)

    @operation()
    def read(self, index):
        with window("mapped"):
            self.x = 1
            self.x = 2

    def small(self, n):
        return n < 5

    def both(self, n):
        return self.small(n) and self.flag

    def clean(self, k):
        return self.seen[k] != Data.STALE

    @invariant
    def instances(self):
        return all(self.seen[k] != Data.STALE for k in range(self.pages))

    @invariant
    def second_conjunct(self):
        return self.x < 5 and self.y < 5

    @invariant
    def nested(self):
        return self.x < 9 and all(self.seen[k] != Data.STALE or self.block[k] for k in range(self.pages))

    @invariant
    def disjunction(self):
        return self.flag or all(self.block[k] for k in range(self.pages))

    @invariant
    def negated_any(self):
        return not any(self.seen[k] == Data.STALE for k in range(self.pages))

    @invariant
    def negated_or(self):
        return not (self.flag or self.x > 5)

    @invariant
    def negated_and(self):
        return not (self.flag and self.x > 5)

    @invariant
    def implication(self):
        return Implies(self.flag, all(self.block[k] for k in range(2)))

    @invariant
    def z3_words(self):
        return And(Or(self.flag, self.y > 5), Not(self.x > 5))

    @invariant
    def listed(self):
        return And([self.block[k] for k in range(self.pages)])

    @invariant
    def array(self):
        return all(self.block)

    @invariant
    def over_elements(self):
        return all(d != Data.STALE for d in self.seen)

    @invariant
    def names(self):
        limit = 5
        good = self.x < limit and self.y < limit
        return good  # noqa: RET504  # the shape under test

    @invariant
    def method(self):
        return self.both(self.x)

    @invariant
    def leaf_method(self):
        return all(self.clean(k) for k in range(self.pages))

    @invariant
    def enums(self):
        return all(self.seen[0] != d or d == Data.ZERO for d in Data)

    @invariant
    def locks(self):
        return not any(self.mutex.held_by(t) and self.held[t] for t in threads(self.reader))

    @invariant
    def filtered(self):
        return all(self.block[k] for k in range(self.pages) if self.seen[k] == Data.STALE and k > 0)

    @invariant
    def dynamic(self):
        return self.block[self.x]

    @invariant
    def step(self, after):
        return Implies(self.inside("mapped", index=0) and self.block[0], after.block[0])

    @invariant
    def only_z3(self):
        return And(self.y < 9, Exists([i], And(i > self.x, i < 5)))

    @reachable
    def witness(self):
        return self.x == 3 and any(self.seen[k] == Data.STALE for k in range(self.pages))


PROGRAM = built(Cache)
LAYOUT = layout_of(PROGRAM)
STALE = {"seen[1]": 1, "seen[2]": 1}


def state_with(values: dict[str, int]) -> tuple[int, ...]:
    initial = [v for variable in PROGRAM.variables for v in variable.init]
    state = initial + [0] * (LAYOUT.size - len(initial))
    for name, value in values.items():
        state[LAYOUT.names.index(name)] = value
    return tuple(state)


CASES: list[tuple[str, dict[str, int], list[tuple[str, str]]]] = [
    ("instances", STALE, [
        ("self.seen[1] != Data.STALE", "seen[1]=STALE"), ("self.seen[2] != Data.STALE", "seen[2]=STALE")]),
    ("second_conjunct", {"x": 1, "y": 7}, [("self.y < 5", "y=7")]),
    ("second_conjunct", {"x": 8, "y": 7}, [("self.x < 5", "x=8"), ("self.y < 5", "y=7")]),
    ("nested", {"seen[1]": 1}, [("self.seen[1] != Data.STALE or self.block[1]", "seen[1]=STALE, block[1]=False")]),
    ("disjunction", {"block[0]": 1}, [("self.flag or self.block[1]", "flag=False, block[1]=False")]),
    ("negated_any", STALE, [
        ("not self.seen[1] == Data.STALE", "seen[1]=STALE"), ("not self.seen[2] == Data.STALE", "seen[2]=STALE")]),
    ("negated_or", {"x": 8}, [("not self.x > 5", "x=8")]),
    ("negated_and", {"x": 8, "flag": 1}, [("not (self.flag and self.x > 5)", "flag=True, x=8")]),
    ("implication", {"flag": 1, "block[0]": 1}, [("Implies(self.flag, self.block[1])", "flag=True, block[1]=False")]),
    ("z3_words", {"flag": 1, "x": 7}, [("not self.x > 5", "x=7")]),
    ("z3_words", {}, [("Or(self.flag, self.y > 5)", "flag=False, y=0")]),
    ("listed", {"block[0]": 1, "block[2]": 1}, [("self.block[1]", "block[1]=False")]),
    ("array", {"block[0]": 1, "block[2]": 1}, [("self.block[1]", "block[1]=False")]),
    ("over_elements", {"seen[1]": 1}, [("self.seen[1] != Data.STALE", "seen[1]=STALE")]),
    ("names", {"y": 6}, [("self.y < 5", "y=6")]),
    ("method", {"x": 7, "flag": 1}, [("self.small(self.x)", "x=7")]),
    ("leaf_method", {"seen[2]": 1}, [("self.clean(2)", "seen[2]=STALE")]),
    ("enums", {"seen[0]": 1}, [("self.seen[0] != Data.STALE or Data.STALE == Data.ZERO", "seen[0]=STALE")]),
    ("locks", {"mutex.owner": 1, "held[1]": 1}, [
        ("not (self.mutex.held_by(reader[1]) and self.held[reader[1]])", "mutex.owner=reader[1], held[1]=True")]),
    ("filtered", {"seen[0]": 1, "seen[2]": 1}, [("self.block[2]", "block[2]=False")]),
    ("dynamic", {"x": 7}, [("self.block[self.x]", "x=7, block[2]=False")]),
    ("only_z3", {"x": 4}, [("Exists([i], And(i > self.x, i < 5))", "x=4")]),
    ("witness", {"x": 3, "seen[1]": 1}, [("self.x == 3", "x=3"), ("self.seen[1] == Data.STALE", "seen[1]=STALE")]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "expected"), CASES)
def test_what_fails_is_told(name: str, values: dict[str, int], expected: list[tuple[str, str]]) -> None:
    state = state_with(values)
    told = explain(PROGRAM, prop(PROGRAM, name), state, state)
    assert [(c.text, c.values) for c in told.conjuncts] == expected


def test_a_step_is_told_with_both_states() -> None:
    inside = next(iter(PROGRAM.regions[0].locations))
    before = state_with({"reader[1].pc": inside, "block[0]": 1})
    told = explain(PROGRAM, prop(PROGRAM, "step"), before, state_with({}))
    (conjunct,) = told.conjuncts
    assert conjunct.text == "Implies(self.inside('mapped', index=0) and self.block[0], after.block[0])"
    assert conjunct.values == 'inside("mapped", index=0)=True, block[0]=True, after.block[0]=False'
    assert conjunct.span is not None
    assert conjunct.span.file == __file__


def test_at_most_eight_instances_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "MOST", 2)
    told = explain(PROGRAM, prop(PROGRAM, "instances"), state_with({**STALE, "seen[0]": 1}))
    assert [c.values for c in told.conjuncts] == ["seen[0]=STALE", "seen[1]=STALE"]


def test_no_formula_of_z3_is_made_for_plain_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("z3 was asked")

    for word in ("And", "Or", "Not", "If", "Implies"):
        monkeypatch.setattr(f"dio_mc.symbolic.terms.z3.{word}", refuse)
    for name in ("instances", "nested", "locks", "dynamic", "names"):
        assert explain(PROGRAM, prop(PROGRAM, name), state_with({**STALE, "x": 8})).conjuncts
