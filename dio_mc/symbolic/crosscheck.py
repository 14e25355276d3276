"""Comparison of a property's compiled form with z3 on concrete values.

The proof of equivalence is about formulas; this checks the Python function that makes the decisions. If the domain has
at most `WHOLE` valuations, the function is tabulated completely, the table is folded into a decision diagram, and one
query to z3 decides whether the formula differs from it anywhere. On a larger domain the two are compared on a seeded
sample.

Most classes of a file have the same properties, so a comparison without a difference is remembered: of the same
function (one object for each source, `compiled`), the same formula, and the same names and domains of what both read.
Then the table, the diagram and the sample are the same too.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, Final

import z3

from dio_mc.ir.types import bounds
from dio_mc.semantics.evaluator import Observation
from dio_mc.semantics.layout import Layout
from dio_mc.symbolic.compiled import Compiled
from dio_mc.symbolic.encode import Symbols
from dio_mc.symbolic.errors import TranslationMismatch
from dio_mc.symbolic.solver import model_of
from dio_mc.symbolic.terms import known_truth

WHOLE, SAMPLE = 1 << 14, 48
"""The defaults: the largest domain that is compared completely, and the sample size for a larger one (either takes
about ten milliseconds)."""
FULL_WHOLE, FULL_SAMPLE = 1 << 16, 1 << 12
"""The same, with `full`."""
DIAGRAM_MS = 50
"""The default budget of a complete comparison. If it is exceeded because the table does not fold, a sample is
compared."""

REMEMBERED: Final = 512
"""The number of comparisons that are remembered, the last ones."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The number of valuations on which the compiled form was compared with z3 (`covered`), of all in its `domain`."""

    covered: int
    domain: int

    def __str__(self) -> str:
        if self.covered == self.domain:
            return f"compared with z3 on all {self.domain} valuations"
        return f"compared with z3 on {self.covered} of {self.domain} valuations"


_ALIKE: Final[dict[tuple[Any, ...], tuple[Checked, Any]]] = {}
"""Comparisons that found no difference. The formula is kept, or z3 would give its identity to another one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The two sides of a comparison: the function, its formula, and the observations that both read."""

    name: str
    compiled: Compiled
    formula: Any
    observations: tuple[Observation, ...]
    symbols: Symbols
    layout: Layout

    def domains(self) -> list[range]:
        """The possible values of each observation."""
        return [domain_of(observation, self.layout) for observation in self.observations]


def domain_of(observation: Observation, layout: Layout) -> range:
    """The values that an observation's type allows."""
    low, high = (0, 1) if observation.cell is None else bounds(layout.types[observation.cell])
    return range(low, high + 1)


def cross_check(subject: Subject, budget_ms: int, *, full: bool = False) -> Checked:
    """Compare the two. Raises `TranslationMismatch` with a valuation on which they differ."""
    whole, sample = (FULL_WHOLE, FULL_SAMPLE) if full else (WHOLE, SAMPLE)
    budget = budget_ms if full else min(budget_ms, DIAGRAM_MS)
    domains = subject.domains()
    names = tuple(observation.name for observation in subject.observations)
    key = subject.compiled, subject.formula.get_id(), names, tuple(domains), whole, sample, budget
    if key in _ALIKE:
        return _ALIKE[key][0]
    checked = _compared(subject, domains, whole, sample, budget)
    while len(_ALIKE) >= REMEMBERED:
        del _ALIKE[next(iter(_ALIKE))]
    _ALIKE[key] = checked, subject.formula
    return checked


def _compared(subject: Subject, domains: list[range], whole: int, sample: int, budget_ms: int) -> Checked:
    size = prod(len(domain) for domain in domains)
    if size <= whole and _compare_all(subject, domains, budget_ms):
        return Checked(size, size)
    chance = random.Random(size)
    for _ in range(sample):
        _compare_one(subject, tuple(chance.choice(domain) for domain in domains))
    return Checked(sample, size)


def _compare_one(subject: Subject, valuation: tuple[int, ...]) -> None:
    pairs = [
        (subject.symbols.constant(p), subject.symbols.value(p, v))
        for p, v in zip(subject.observations, valuation, strict=True)
    ]
    if known_truth(z3.substitute(subject.formula, *pairs)) is not bool(subject.compiled(valuation)):
        raise _mismatch(subject, valuation)


def _mismatch(subject: Subject, valuation: tuple[int, ...]) -> TranslationMismatch:
    shown = [
        f"{observation.name} = {value}" for observation, value in zip(subject.observations, valuation, strict=True)
    ]
    message = f"the compiled form of {subject.name} says {bool(subject.compiled(valuation))}, z3 the opposite"
    return TranslationMismatch(message, [", ".join(shown)])


def _compare_all(subject: Subject, domains: list[range], budget_ms: int) -> bool:
    """Compare on the whole domain; False if z3 gave up."""
    compiled = subject.compiled
    table = [1 if compiled(valuation) else 0 for valuation in product(*domains)]
    facts = [
        subject.symbols.within(p, d) for p, d in zip(subject.observations, domains, strict=True) if p.cell is not None
    ]
    model = model_of([*facts, subject.formula != _diagram(subject, domains, table)], budget_ms)
    if model is None:
        return False
    if model is not False:
        values = [
            subject.symbols.read(model, observation, domain[0])
            for observation, domain in zip(subject.observations, domains, strict=True)
        ]
        raise _mismatch(subject, tuple(values))
    return True


def _diagram(subject: Subject, domains: list[range], table: list[int]) -> Any:
    """The table as a decision diagram: one level of choices per observation, from the last one up, with equal parts
    shared."""
    made: list[Any] = [z3.BoolVal(False), z3.BoolVal(True)]
    for observation, domain in reversed(list(zip(subject.observations, domains, strict=True))):
        known: dict[tuple[int, ...], int] = {}
        level: list[int] = []
        for start in range(0, len(table), len(domain)):
            branches = tuple(table[start : start + len(domain)])
            if branches not in known:
                known[branches] = _branching(subject, observation, domain, branches, made)
            level.append(known[branches])
        table = level
    return made[table[0]]


def _branching(
    subject: Subject, observation: Observation, domain: range, branches: tuple[int, ...], made: list[Any]
) -> int:
    """The position in `made` of the formula that selects one of the branches by the observation's value."""
    if len(set(branches)) == 1:
        return branches[0]
    usual = max(set(branches), key=lambda b: (branches.count(b), b))
    found = made[usual]
    for value, branch in zip(domain, branches, strict=True):
        if branch != usual:
            found = z3.If(subject.symbols.equals(observation, value), made[branch], found)
    made.append(found)
    return len(made) - 1
