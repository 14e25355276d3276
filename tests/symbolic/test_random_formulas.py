"""Random properties with their IR, made side by side: the evaluator decides as plain Python evaluates the source."""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dio_mc.ir.expr import And, Arith, Compare, Const, Expr, Implies, Ite, Load, Not, Or
from dio_mc.ir.program import ArrayShape, Program, Property, RecordShape, ScalarShape, Variable
from dio_mc.ir.types import BOOL, EnumType, OptionType, RangeType, bounds
from dio_mc.semantics.evaluator import Decision
from dio_mc.source import Span
from dio_mc.symbolic.errors import TranslationMismatch
from dio_mc.symbolic.evaluator import property_evaluator


class Page(Enum):
    ABSENT = 5
    CLEAN = 6
    DIRTY = 7


NUMBER = RangeType(-1, 3)
PAGE = EnumType("Page", ("ABSENT", "CLEAN", "DIRTY"))
MAYBE = OptionType(RangeType(0, 2))
TYPES = {"x": NUMBER, "y": NUMBER, "flag": BOOL, "page": PAGE, "last": MAYBE}
SIZE = 3


def variables() -> tuple[Variable, ...]:
    scalars = [Variable(n, (n,), (), t, (bounds(t)[0],)) for n, t in TYPES.items()]
    array = Variable("cells", ("cells", None), (SIZE,), RangeType(0, 2), (0,) * SIZE)
    return (*scalars, array)


VARIABLES = variables()
POSITION = {v.name: i for i, v in enumerate(VARIABLES)}
ROOT = RecordShape(
    (*((n, ScalarShape(POSITION[n])) for n in TYPES), ("cells", ArrayShape(SIZE, ScalarShape(POSITION["cells"]))))
)
PROGRAM = Program("Random", (), VARIABLES, ROOT, (), (), (), ())


def load(name: str, *indices: Expr) -> Load:
    return Load(POSITION[name], indices, VARIABLES[POSITION[name]].type, True)


def number_const(value: int) -> Const:
    return Const(value, RangeType(value, value))


@dataclass(frozen=True)
class Both:
    """A source text and what it means in the IR."""

    text: str
    expr: Expr


WIDE = RangeType(-1000, 1000)


def number(r: random.Random, depth: int) -> Both:
    kind = r.randrange(8 if depth > 0 else 3)
    if kind == 0:
        value = r.randrange(-1, 4)
        return Both(str(value), number_const(value))
    if kind in (1, 2):
        name = r.choice(["x", "y"])
        return Both(f"self.{name}", load(name))
    if kind == 3:
        index = number(r, depth - 1)
        return Both(f"self.cells[{index.text}]", load("cells", index.expr))
    if kind == 4:
        op = r.choice(["+", "-", "*"])
        a, b = number(r, depth - 1), number(r, depth - 1)
        return Both(f"({a.text} {op} {b.text})", Arith(op, a.expr, b.expr, WIDE))
    if kind == 5:
        op, by = r.choice(["//", "%"]), r.randrange(1, 4)
        a = number(r, depth - 1)
        return Both(f"({a.text} {op} {by})", Arith(op, a.expr, number_const(by), WIDE))
    if kind == 6:
        c, a, b = truth(r, depth - 1), number(r, depth - 1), number(r, depth - 1)
        return Both(f"({a.text} if {c.text} else {b.text})", Ite(c.expr, a.expr, b.expr, WIDE))
    c = truth(r, 0)
    terms = [Ite(And((c.expr, Compare(">", load("cells", number_const(i)), number_const(0)))), number_const(1), number_const(0), WIDE)
             for i in range(SIZE)]  # fmt: skip
    total: Expr = number_const(0)
    for term in terms:
        total = Arith("+", total, term, WIDE)
    return Both(f"sum(self.cells[i] > 0 for i in range({SIZE}) if {c.text})", total)


def truth(r: random.Random, depth: int) -> Both:
    if depth <= 0:
        return leaf(r)
    kind = r.randrange(8)
    a, b = truth(r, depth - 1), truth(r, depth - 1)
    if kind == 0:
        return Both(f"({a.text} and {b.text})", And((a.expr, b.expr)))
    if kind == 1:
        return Both(f"({a.text} or {b.text})", Or((a.expr, b.expr)))
    if kind == 2:
        return Both(f"(not {a.text})", Not(a.expr))
    if kind == 3:
        return Both(f"Implies({a.text}, {b.text})", Implies(a.expr, b.expr))
    if kind == 4:
        ops = [r.choice(["==", "!=", "<", "<=", ">", ">="]) for _ in range(2)]
        n = [number(r, depth - 1) for _ in range(3)]
        parts = tuple(Compare(op, n[i].expr, n[i + 1].expr) for i, op in enumerate(ops))
        return Both(f"({n[0].text} {ops[0]} {n[1].text} {ops[1]} {n[2].text})", And(parts))
    if kind == 5:
        bound, op = number(r, depth - 1), r.choice(["==", "!=", "<", ">="])
        tests = [Compare(op, load("cells", number_const(i)), bound.expr) for i in range(SIZE)]
        word, joined = r.choice([("all", And(tuple(tests))), ("any", Or(tuple(tests)))])
        return Both(f"{word}(self.cells[i] {op} {bound.text} for i in range({SIZE}))", joined)
    if kind == 6:
        members = [number(r, 0) for _ in range(2)]
        value = number(r, depth - 1)
        tests = [Compare("==", value.expr, m.expr) for m in members]
        return Both(f"({value.text} in ({members[0].text}, {members[1].text}))", Or(tuple(tests)))
    c = leaf(r)
    return Both(f"({a.text} if {c.text} else {b.text})", Ite(c.expr, a.expr, b.expr, BOOL))


def leaf(r: random.Random) -> Both:
    kind = r.randrange(6)
    if kind == 0:
        return Both("self.flag", load("flag"))
    if kind == 1:
        word, op = r.choice([("==", "=="), ("!=", "!="), ("is", "=="), ("is not", "!=")])
        code = r.randrange(3)
        member = f"Page.{PAGE.members[code]}"
        return Both(f"(self.page {word} {member})", Compare(op, load("page"), Const(code, PAGE)))
    if kind == 2:
        codes = [r.randrange(3) for _ in range(2)]
        text = ", ".join(f"Page.{PAGE.members[c]}" for c in codes)
        tests = tuple(Compare("==", load("page"), Const(c, PAGE)) for c in codes)
        return Both(f"(self.page not in ({text}))", Not(Or(tests)))
    if kind == 3:
        word, op = r.choice([("is", "=="), ("is not", "!=")])
        return Both(f"(self.last {word} None)", Compare(op, load("last"), Const(-1, MAYBE)))
    if kind == 4:
        value = r.randrange(3)
        return Both(f"(self.last == {value})", Compare("==", load("last"), number_const(value)))
    a, op = number(r, 0), r.choice(["==", "<"])
    b = number(r, 0)
    return Both(f"({a.text} {op} {b.text})", Compare(op, a.expr, b.expr))


def property_of(both: Both, path: Path) -> tuple[Property, Callable[[Any], Any]]:
    """The property, and the same source to be run on plain values."""
    path.write_text(
        "from z3 import Implies\n"
        "from test_random_formulas import Page\n\n"
        f"def formula(self):\n    return {both.text}\n\n"
    )
    spec = importlib.util.spec_from_file_location("random_formula", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    code = compile(f"lambda self: {both.text}", "<plain>", "eval")
    plain = eval(code, {"Page": Page, "Implies": lambda a, b: not a or b})
    return Property("formula", "invariant", both.expr, "", Span(str(path), 4, 1, 4, 2), module.formula, object), plain


class Clamped(list[int]):
    def __getitem__(self, index: Any) -> Any:
        return super().__getitem__(index if 0 <= index < len(self) else len(self) - 1)


def plain_state(values: dict[str, int]) -> SimpleNamespace:
    last = values.get("last", -1)
    return SimpleNamespace(
        x=values.get("x", 0), y=values.get("y", 0), flag=bool(values.get("flag", 0)),
        page=list(Page)[values.get("page", 0)], last=None if last == -1 else last,
        cells=Clamped([values.get(f"cells[{i}]", 0) for i in range(SIZE)]),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_a_random_formula_is_decided_as_python_evaluates_it(seed: int, tmp_path: Path) -> None:
    r = random.Random(seed)
    both = truth(r, 3)
    property_, plain = property_of(both, tmp_path / f"formula_{seed}.py")
    report = property_evaluator(PROGRAM, property_)
    assert report.proved, both.text
    names = [p.name for p in report.evaluator.observations]
    ranges = [range(bounds(t)[0], bounds(t)[1] + 1) for t in (TYPES.get(n, RangeType(0, 2)) for n in names)]
    valuations = list(product(*ranges))
    valuations = valuations if len(valuations) <= 2000 else r.sample(valuations, 2000)
    for valuation, decision in zip(valuations, report.evaluator.decide(valuations), strict=True):
        wanted = bool(plain(plain_state(dict(zip(names, valuation, strict=True)))))
        assert decision is (Decision.HOLDS if wanted else Decision.VIOLATED), (both.text, names, valuation)


@pytest.mark.parametrize("seed", range(20))
def test_the_solver_alone_decides_the_same(seed: int, tmp_path: Path) -> None:
    r = random.Random(seed)
    both = truth(r, 2)
    property_, plain = property_of(both, tmp_path / f"formula_{seed}.py")
    report = property_evaluator(PROGRAM, replace(property_, expr=None))
    assert not report.proved
    names = [p.name for p in report.evaluator.observations]
    ranges = [range(bounds(t)[0], bounds(t)[1] + 1) for t in (TYPES.get(n, RangeType(0, 2)) for n in names)]
    valuations = list(product(*ranges))
    valuations = valuations if len(valuations) <= 60 else r.sample(valuations, 60)
    for valuation, decision in zip(valuations, report.evaluator.decide(valuations), strict=True):
        wanted = bool(plain(plain_state(dict(zip(names, valuation, strict=True)))))
        assert decision is (Decision.HOLDS if wanted else Decision.VIOLATED), (both.text, names, valuation)


def mutants(expr: Expr) -> list[Expr]:
    """The same formula with one small mistake."""
    match expr:
        case Compare("==" | "!=", left, right):
            return [Compare("<", left, right)]
        case Compare(op, left, right):
            return [Compare("==", left, right), Compare(op, right, left)]
        case And(operands):
            return [Or(operands), *(And(_put(operands, i, m)) for i, o in enumerate(operands) for m in mutants(o))]
        case Or(operands):
            return [And(operands), *(Or(_put(operands, i, m)) for i, o in enumerate(operands) for m in mutants(o))]
        case Not(operand):
            return [operand, *(Not(m) for m in mutants(operand))]
        case Implies(premise, conclusion):
            return [Implies(conclusion, premise)]
        case Ite(condition, then, orelse, type_):
            return [Ite(condition, orelse, then, type_)]
        case _:
            return [Not(expr)]


def _put(operands: tuple[Expr, ...], position: int, expr: Expr) -> tuple[Expr, ...]:
    return (*operands[:position], expr, *operands[position + 1 :])


@pytest.mark.parametrize("seed", range(25))
def test_a_wrong_translation_is_found_or_makes_no_difference(seed: int, tmp_path: Path) -> None:
    r = random.Random(seed)
    both = truth(r, 2)
    property_, _ = property_of(both, tmp_path / f"formula_{seed}.py")
    right = property_evaluator(PROGRAM, property_)
    for wrong in mutants(both.expr)[:4]:
        try:
            report = property_evaluator(PROGRAM, replace(property_, expr=wrong))
        except TranslationMismatch:
            continue
        names = {p.name for p in (*right.evaluator.observations, *report.evaluator.observations)}
        domains = {n: TYPES.get(n, RangeType(0, 2)) for n in sorted(names)}
        for values in product(*(range(bounds(t)[0], bounds(t)[1] + 1) for t in domains.values())):
            state = dict(zip(domains, values, strict=True))
            answers = [
                j.evaluator.decide([tuple(state[p.name] for p in j.evaluator.observations)]) for j in (right, report)
            ]
            assert answers[0] == answers[1], (both.text, wrong)
