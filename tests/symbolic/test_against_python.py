"""z3 as the evaluator: held against plain Python on every valuation, made to disagree on purpose, asked what it cannot know."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.ir.expr import Expr, Not
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds
from dio_mc.semantics.evaluator import Decision
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import layout_of
from dio_mc.symbolic.errors import TranslationMismatch
from dio_mc.symbolic.evaluator import EvaluatorReport, property_evaluator
from dio_mc.symbolic.explain import explain

HEAD = """\
from dataclasses import dataclass
from enum import Enum
import z3
from z3 import Implies, If, Xor
from dio_mc import *

class Page(Enum):
    ABSENT = 0
    DIRTY = 1
    WRITEBACK = 2

@dataclass(frozen=True)
class Slot:
    page: Page = Page.ABSENT
    count: Range(0, 2) = 0

@dataclass(frozen=True)
class Stub:
    owner: Range(0, 1) = 0

@dataclass(frozen=True)
class Folio:
    dirty: bool = False

LIMIT = 2

def near(a, b):
    return abs(a - b) < LIMIT

class M(Model):
    b = Var(bool)
    c = Var(bool)
    n = Var(Range(0, 2))
    m = Var(Range(0, 2))
    p = Var(Page)
    last = Var(Range(0, 1) | None)
    a = Array(Range(0, 2), size=2)
    pages = Array(Page, size=2)
    slot = Var(Slot)
    cache = Array(Stub | Folio, size=2)
    owner = Var(ThreadId | None)
    seen = PerThread(bool)
    limit = Param(1)

    def small(self, i):
        return self.a[i] <= self.limit

    @thread
    def t(self):
        with window("io"):
            self.b = True
            self.c = True

    @thread
    def u(self):
        self.n = 1
"""


def program(path: Path, *bodies: str, arguments: str = "self") -> Program:
    text = HEAD
    for number, body in enumerate(bodies):
        text += f"\n    @invariant\n    def p{number}({arguments}):\n        {body}\n"
    file = path / "model.py"
    file.write_text(text)
    return build(load_module(file).models[0]).program


class Page(Enum):
    ABSENT = 0
    DIRTY = 1
    WRITEBACK = 2


class Clamped(list[Any]):
    """A property's index outside an array reads the last element."""

    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(index if 0 <= index < len(self) else len(self) - 1)


def plain(values: dict[str, Any]) -> SimpleNamespace:
    """A state as plain Python sees it; what a valuation does not name has its first value."""

    def get(name: str, default: Any = 0) -> Any:
        return values.get(name, default)

    last, pages = get("last", -1), list(Page)
    return SimpleNamespace(
        b=bool(get("b")), c=bool(get("c")), n=get("n"), m=get("m"), p=pages[get("p")],
        last=None if last == -1 else last, a=Clamped([get("a[0]"), get("a[1]")]),
        pages=Clamped([pages[get("pages[0]")], pages[get("pages[1]")]]),
        slot=SimpleNamespace(page=pages[get("slot.page")], count=get("slot.count")), limit=1,
        small=lambda i: Clamped([get("a[0]"), get("a[1]")])[i] <= 1,
    )  # fmt: skip


def valuations(built: Program, report: EvaluatorReport) -> Iterator[tuple[int, ...]]:
    types = layout_of(built).types
    lows_highs = [(0, 1) if p.cell is None else bounds(types[p.cell]) for p in report.evaluator.observations]
    return product(*[range(low, high + 1) for low, high in lows_highs])


NUMBERS: list[Callable[[random.Random, int], str]] = [
    lambda r, d: r.choice(["self.n", "self.m", "self.a[0]", "self.a[1]", "self.slot.count", "self.limit"]),
    lambda r, d: str(r.randrange(4)),
    lambda r, d: f"({number(r, d - 1)} {r.choice(['+', '-', '*'])} {number(r, d - 1)})",
    lambda r, d: f"({number(r, d - 1)} {r.choice(['//', '%'])} {r.randrange(1, 4)})",
    lambda r, d: f"self.a[{number(r, d - 1)}]",
    lambda r, d: f"({number(r, d - 1)} if {truth(r, d - 1)} else {number(r, d - 1)})",
    lambda r, d: f"{r.choice(['min', 'max'])}({number(r, d - 1)}, {number(r, d - 1)})",
    lambda r, d: f"sum({truth(r, 0)} for i in range(2))",
    lambda r, d: f"sum(self.a[i] for i in range(2) if {truth(r, 0)})",
    lambda r, d: f"abs({number(r, d - 1)})",
]
TRUTHS: list[Callable[[random.Random, int], str]] = [
    lambda r, d: r.choice(["self.b", "self.c", "True", "False"]),
    lambda r, d: f"{page(r)} {r.choice(['==', '!=', 'is', 'is not'])} Page.{r.choice(list(Page)).name}",
    lambda r, d: f"{page(r)} {r.choice(['in', 'not in'])} (Page.ABSENT, Page.{r.choice(list(Page)).name})",
    lambda r, d: f"self.last {r.choice(['is', 'is not', '==', '!='])} {r.choice(['None', 'None'])}",
    lambda r, d: f"self.last == {number(r, 0)}" if r.random() < 0.3 else f"{page(r)} == {page(r)}",
    lambda r, d: f"({number(r, d - 1)} {sign(r)} {number(r, d - 1)})",
    lambda r, d: f"({number(r, d - 1)} {sign(r)} {number(r, d - 1)} {sign(r)} {number(r, d - 1)})",
    lambda r, d: f"({truth(r, d - 1)} {r.choice(['and', 'or'])} {truth(r, d - 1)})",
    lambda r, d: f"(not {truth(r, d - 1)})",
    lambda r, d: f"(not ({truth(r, d - 1)} == {truth(r, d - 1)}))",
    lambda r, d: f"{r.choice(['all', 'any'])}(self.a[i] {sign(r)} {number(r, 0)} for i in range(2))",
    lambda r, d: f"all({truth(r, 0)} for i in range(2) if self.a[i] {sign(r)} {number(r, 0)})",
    lambda r, d: f"self.small({number(r, 0)})",
    lambda r, d: f"near({number(r, d - 1)}, {number(r, d - 1)})",
    lambda r, d: f"({number(r, 0)} in range(1, 3))",
]


def sign(r: random.Random) -> str:
    return r.choice(["==", "!=", "<", "<=", ">", ">="])


def page(r: random.Random) -> str:
    return r.choice(["self.p", "self.pages[0]", "self.pages[self.n]", "self.slot.page", "self.pages[self.m]"])


def number(r: random.Random, depth: int) -> str:
    return r.choice(NUMBERS if depth > 0 else NUMBERS[:2])(r, depth)


def truth(r: random.Random, depth: int) -> str:
    return r.choice(TRUTHS if depth > 0 else TRUTHS[:4])(r, depth)


@pytest.mark.parametrize("seed", range(8))
def test_random_properties_are_decided_as_python_evaluates_them(tmp_path: Path, seed: int) -> None:
    r = random.Random(seed)
    found = []
    while len(found) < 12:
        text = truth(r, 3)
        try:
            built = program(tmp_path, f"return {text}")
        except ModelError:  # such as a comparison of None with a number that has its code
            continue
        found.append(text)
        report = property_evaluator(built, built.properties[0])
        assert report.proved, text
        names = [p.name for p in report.evaluator.observations]
        cases = list(valuations(built, report))
        cases = cases if len(cases) <= 300 else r.sample(cases, 300)
        decided = report.evaluator.decide(cases)
        scope = {"Page": Page, "near": lambda a, b: abs(a - b) < 2}
        for case, decision in zip(cases, decided, strict=True):
            state = plain(dict(zip(names, case, strict=True)))
            expected = bool(eval(text, {**scope, "self": state}))
            assert (decision is Decision.HOLDS) is expected, (text, dict(zip(names, case, strict=True)))


def one(path: Path, body: str, **keywords: Any) -> EvaluatorReport:
    built = program(path, body, **keywords)
    return property_evaluator(built, built.properties[0])


def test_not_of_a_comparison_is_no_python_bool(tmp_path: Path) -> None:
    report = one(tmp_path, "return not (self.n == 1)")
    assert report.evaluator.decide([(0,), (1,), (2,)]) == [Decision.HOLDS, Decision.VIOLATED, Decision.HOLDS]


CONSTRUCTS = [
    ("return self.slot == Slot(Page.DIRTY, 1)", {"slot.page": 1, "slot.count": 1}, {"slot.page": 1, "slot.count": 0}),
    ("return not isinstance(self.cache[self.n], Folio)", {"n": 0, "cache[0].tag": 0}, {"n": 0, "cache[0].tag": 1}),
    ("x = self.cache[1]\n        return isinstance(x, Folio) and x.dirty", {"cache[1].tag": 1, "cache[1].dirty": 1},
     {"cache[1].tag": 0, "cache[1].dirty": 1}),
    ("return Xor(self.b, self.c)", {"b": 1, "c": 0}, {"b": 1, "c": 1}),
    ("return If(self.b, self.n, self.m) == 1", {"b": 1, "n": 1, "m": 0}, {"b": 0, "n": 1, "m": 0}),
    ("return self.owner is None or self.seen[self.owner]", {"owner": 0, "seen[0]": 1}, {"owner": 0, "seen[0]": 0}),
    ("return all(self.seen[t] for t in threads(self.u))", {"seen[1]": 1}, {"seen[1]": 0}),
    ('return self.inside("io") or self.b', {'inside("io")': 1, "b": 0}, {'inside("io")': 0, "b": 0}),
    ("return Implies(self.finished(self.t), self.b)", {"finished(t)": 1, "b": 1}, {"finished(t)": 1, "b": 0}),
    ("return not self.at_rest() or self.b", {"at_rest()": 0, "b": 0}, {"at_rest()": 1, "b": 0}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "good", "bad"), CONSTRUCTS)
def test_constructs(tmp_path: Path, body: str, good: dict[str, int], bad: dict[str, int]) -> None:
    report = one(tmp_path, body)
    assert report.proved
    names = [p.name for p in report.evaluator.observations]
    assert set(good) <= set(names)
    cases = [tuple(values.get(n, 0) for n in names) for values in (good, bad)]
    assert report.evaluator.decide(cases) == [Decision.HOLDS, Decision.VIOLATED]


def test_a_step_invariant_reads_both_states(tmp_path: Path) -> None:
    report = one(tmp_path, "return Implies(self.b, after.b)", arguments="self, after")
    assert [(p.name, p.after) for p in report.evaluator.observations] == [("b", False), ("after.b", True)]
    assert report.evaluator.decide([(1, 1), (1, 0), (0, 0)]) == [Decision.HOLDS, Decision.VIOLATED, Decision.HOLDS]


def wrong(expr: Expr | None) -> Expr:
    assert expr is not None
    return Not(expr)


def test_two_translations_that_differ_are_an_internal_error(tmp_path: Path) -> None:
    built = program(tmp_path, "return self.n < 2 or self.b")
    (good,) = built.properties
    bad = replace(good, expr=wrong(good.expr))
    with pytest.raises(TranslationMismatch) as caught:
        property_evaluator(built, bad)
    assert caught.value.exit_code == 4
    assert "two translations of p0 differ" in str(caught.value)
    assert "n = " in str(caught.value)


def test_what_only_z3_can_say_is_decided_by_the_solver(tmp_path: Path) -> None:
    body = 'x = z3.Int("x")\n        return z3.Exists([x], z3.And(x + x == self.n, x >= 0))'
    built = program(tmp_path, body)
    assert built.properties[0].expr is None
    report = property_evaluator(built, built.properties[0])
    assert not report.proved
    assert [f.code for f in report.findings] == ["DIO314"]
    assert report.evaluator.decide([(0,), (1,), (2,)]) == [Decision.HOLDS, Decision.VIOLATED, Decision.HOLDS]


def test_bit_vectors(tmp_path: Path) -> None:
    report = one(tmp_path, "return z3.Int2BV(self.n, 2) & 1 == 0")
    assert report.evaluator.decide([(0,), (1,), (2,)]) == [Decision.HOLDS, Decision.VIOLATED, Decision.HOLDS]


FINDINGS = [
    ("return self.n < 9 or self.n > self.m", ["DIO310"]),
    ("return self.n > self.m + 5 and self.b", ["DIO311"]),
    ("return Implies(self.n > self.m + 5, self.b) and self.c", ["DIO312"]),
    ("return self.n < 2", []),
]


@pytest.mark.parametrize(("body", "codes"), FINDINGS)
def test_triviality(tmp_path: Path, body: str, codes: list[str]) -> None:
    assert [f.code for f in one(tmp_path, body).findings] == codes


def test_premises_are_watched_over_all_instances_of_a_quantifier(tmp_path: Path) -> None:
    body = "return all(Implies(self.a[i] == 2, self.b) for i in range(2)) and Implies(self.c, self.b)"
    evaluator = one(tmp_path, body).evaluator
    names = [p.name for p in evaluator.observations]

    def case(**values: int) -> tuple[int, ...]:
        return tuple(values.get(n.replace("[", "").replace("]", ""), 0) for n in names)

    evaluator.decide([case(b=1)])
    assert [held for _, held in evaluator.premises()] == [False, False]
    evaluator.decide([case(a1=2, b=1)])
    assert [held for _, held in evaluator.premises()] == [True, False]
    assert [f.code for f in evaluator.findings_after()] == ["DIO313"]


EXPLANATIONS = [
    ("return self.b and self.n == 1", [("self.b", "b=False"), ("self.n == 1", "n=0")]),
    ("return all(self.a[i] == i + 1 for i in range(2))", [("self.a[0] == 0 + 1", "a[0]=0"), ("self.a[1] == 1 + 1", "a[1]=0")]),
    ("return self.p == Page.DIRTY", [("self.p == Page.DIRTY", "p=ABSENT")]),
    ("return Implies(self.p == Page.ABSENT, self.b)", [("Implies(self.p == Page.ABSENT, self.b)", "p=ABSENT, b=False")]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), EXPLANATIONS)
def test_explanations_name_the_failing_conjuncts(tmp_path: Path, body: str, expected: list[tuple[str, str]]) -> None:
    built = program(tmp_path, body)
    (state,) = Interpreter(built).initial()
    told = explain(built, built.properties[0], state, state)
    assert [(c.text, c.values) for c in told.conjuncts] == expected


def test_super_in_a_pure_method(tmp_path: Path) -> None:
    text = HEAD + "\n    @invariant\n    def p(self):\n        return self.small(0)\n"
    text += "\nclass N(M):\n    def small(self, i):\n        return super().small(i) and self.b\n"
    file = tmp_path / "model.py"
    file.write_text(text)
    built = build(load_module(file).models[1]).program
    report = property_evaluator(built, built.properties[0])
    assert [p.name for p in report.evaluator.observations] == ["b", "a[0]"]
    assert report.evaluator.decide([(1, 1), (0, 1), (1, 2)]) == [Decision.HOLDS, Decision.VIOLATED, Decision.VIOLATED]
