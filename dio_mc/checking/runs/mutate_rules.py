"""Checking mutants of a locking rule: one is caught when the verdict of a pair of operations
changes.

A mutant changes functions of the rule. It is tried under the pairs whose threads reach one of these
functions, those with few states first, until the verdict of one differs from that of the rule. A
better verdict catches a mutant as well as a worse one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dio_mc.checking.driver import Options
from dio_mc.checking.results import Failure
from dio_mc.checking.runs.execute import fault_of
from dio_mc.checking.runs.matrix import opened
from dio_mc.checking.runs.mutate import LARGER, LEAST
from dio_mc.checking.runs.pool import spread
from dio_mc.engines.limits import Limits
from dio_mc.errors import DioError
from dio_mc.guard import Ended, Guard, Latch, stop_of
from dio_mc.lang.model import Model
from dio_mc.mutation.bodies import bodies_of
from dio_mc.mutation.mutants import Mutant, mutants_of
from dio_mc.mutation.same import MOST_PAIRS, same_behaviour
from dio_mc.mutation.score import Fate, Judged, Score
from dio_mc.semantics.search import Budget
from dio_mc.source import display_path
from dio_mc.study.matrix import NOT_THERE, Cell
from dio_mc.study.outcomes import outcomes
from dio_mc.study.products import products
from dio_mc.study.registry import Registry, Rule, Workload, judged, product_class, together
from dio_mc.study.tags import worst
from dio_mc.wording import plural


@dataclass(frozen=True, slots=True)
class Ground:
    """Where mutants of a rule are tried: the rule and operations of a `folder` (None: the shipped
    ones) and of further `files`, with `sectors` per page and calls on `pages` pages."""

    rule: str
    operations: tuple[str, ...]
    folder: Path | None = None
    files: tuple[Path, ...] = ()
    sectors: int = 1
    pages: int = 1
    inherited: bool = False


@dataclass(frozen=True, slots=True)
class RulePlan:
    """The mutants, as in `mutate.Plan`; `cells` are those of the rule itself."""

    ground: Ground
    cells: tuple[Cell, ...]
    options: Options
    kinds: frozenset[str] = frozenset()
    jobs: int = 1
    progress: Callable[[int, int], None] | None = None


def score_rule(plan: RulePlan) -> Score | Failure:
    """Mutate one rule. Returns a `Failure` if dio-mc is at fault."""
    rule = opened(plan.ground.folder, plan.ground.files).rules[plan.ground.rule]
    file = display_path(rule.model.__dio_place__[0])
    known = [c for c in plan.cells if c.verdict not in (NOT_THERE, "undetermined")]
    if not known:
        open_cells = [c for c in plan.cells if c.verdict == "undetermined"]
        why = "it is undetermined as it stands" if open_cells else "it knows no pair of these operations"
        return Score(rule.name, file, (), 0, (), why, undetermined=bool(open_cells))
    mutants = [m for m in mutants_of_rule(plan.ground) if not plan.kinds or m.kind in plan.kinds]
    before = tuple((c.operations, c.verdict, c.states) for c in known)
    tasks = [_Task(plan.ground, m.number, before) for m in mutants]
    fates: list[Judged] = []
    for mutant, (_, found) in zip(mutants, spread(_Trying(), tasks, plan.options, plan.jobs), strict=True):
        if found.failure is not None:
            return found.failure
        fates.append(Judged(mutant, found.fate, found.why))
        if plan.progress is not None:
            plan.progress(len(fates), len(mutants))
    states = sum(c.states for c in known)
    return Score(rule.name, file, (plural(len(known), "pair"),), states, tuple(fates))


# --- one mutant -------------------------------------------------------------------------------------------------------

Before = tuple[tuple[str, ...], str, int]
"""A pair under the original rule: the operations, the verdict, the number of states."""


@dataclass(frozen=True, slots=True)
class _Task:
    ground: Ground
    number: int
    before: tuple[Before, ...]


@dataclass(frozen=True, slots=True)
class _Fate:
    fate: Fate
    why: str = ""
    failure: Failure | None = None


class _Trying:
    """A mutant under all pairs, as a `Work` of the pool."""

    def here(self, task: _Task, options: Options) -> _Fate:
        limits = Limits(options.budget, options.stop)
        try:
            return _fate(task, options, Latch(limits.exceeded))
        except (Ended, MemoryError) as ended:
            return _Fate("undetermined", f"stopped by {stop_of(ended)}")
        except Exception as error:
            return _Fate("invalid", failure=fault_of(error, "", task.ground.rule))

    def message(self, task: _Task) -> Any:
        return task

    def there(self, message: Any, options: Options) -> _Fate:
        return self.here(message, options)

    def lost(self, task: _Task, reason: str) -> _Fate:
        return _Fate("undetermined", f"stopped by {reason}")


def _fate(task: _Task, options: Options, met: Latch) -> _Fate:
    with Guard(met):
        tried = _Tried.of(task)
    undecided, invalid, built = "", "", 0
    for workload, before, states in tried.pairs:
        try:
            verdict, stopped = tried.verdict(workload, states, options, met)
        except DioError as error:
            invalid = invalid or (str(error).splitlines() or [""])[0]
            continue
        built += 1
        if verdict == "undetermined":
            undecided = undecided or f"{workload.name}: {stopped}"
        elif verdict != before:
            return _Fate("caught", f"{workload.name}: {verdict} instead of {before}")
    if undecided:
        return _Fate("undetermined", undecided)
    if tried.pairs and not built:
        return _Fate("invalid", invalid)
    return _survivor(tried, met)


def _survivor(tried: _Tried, met: Latch) -> _Fate:
    if not tried.pairs:
        return _Fate("equivalent", "none of these pairs gets there")
    if sum(states for _, _, states in tried.pairs) <= MOST_PAIRS:
        try:
            with Guard(met):
                if all(tried.is_same(workload) for workload, _, _ in tried.pairs):
                    return _Fate("equivalent", "every schedule of these pairs is the same, with the same data")
        except (Ended, MemoryError) as ended:
            return _Fate("survived", f"whether it is equivalent is not known: stopped by {stop_of(ended)}")
    return _Fate("survived")


@dataclass(frozen=True, slots=True)
class _Tried:
    """A mutant of a rule, and the pairs that reach what it changes: the workload, and the verdict
    and number of states under the original rule."""

    rule: Rule
    mutant: Rule
    pairs: tuple[tuple[Workload, str, int], ...] = field(repr=False)

    @classmethod
    def of(cls, task: _Task) -> _Tried:
        """The mutant of this number."""
        ground = task.ground
        registry = opened(ground.folder, ground.files)
        rule = registry.rules[ground.rule]
        mutant = mutants_of_rule(ground)[task.number]
        changed = {body.function for body in mutant.edits}
        pairs = [
            (together(registry, names, ground.sectors, ground.pages), verdict, states)
            for names, verdict, states in task.before
            if any(changed & _reached(ground, name) for name in names)
        ]
        ordered = sorted(pairs, key=lambda pair: pair[2])
        return cls(rule, changed_rule(rule, mutant), tuple(ordered))

    def verdict(self, workload: Workload, states: int, options: Options, met: Latch) -> tuple[str, str]:
        """The verdict of a pair under the mutant, and the reason for stopping if it is
        undetermined. Raises `ModelError` if there is no such program."""
        most = options.budget.max_states or max(LEAST, LARGER * states)
        found = outcomes(workload, self.mutant, Budget(max_states=most), witnesses=(), exceeded=met)
        stop = met()
        return worst([f.verdict for f in found]), f"stopped by {stop}" if stop else f"more than {plural(most, 'state')}"

    def is_same(self, workload: Workload) -> bool:
        """Whether the programs of a pair behave the same under both."""
        try:
            pairs = zip(products(workload, self.rule), products(workload, self.mutant), strict=True)
            return all(same_behaviour(one.named(), other.named()) for one, other in pairs)
        except DioError:
            return False


def changed_rule(rule: Rule, mutant: Mutant) -> Rule:
    """The rule with the functions of a mutant."""
    whole = judged(rule)
    return replace(whole, model=mutant.of(whole.model))


@lru_cache(maxsize=2)
def mutants_of_rule(ground: Ground) -> tuple[Mutant, ...]:
    """The mutants of a rule's code under these operations; the code of workloads is not mutated."""
    registry = opened(ground.folder, ground.files)
    names = [name for name in ground.operations if name not in registry.rules[ground.rule].unsupported]
    users = {id(function) for function in _users(registry, names).values()}
    found = mutants_of(_whole(ground, names), inherited=ground.inherited)
    kept = [m for m in found if not any(id(body.function) in users for body in m.edits)]
    return tuple(replace(m, number=number) for number, m in enumerate(kept))


@lru_cache(maxsize=256)
def _reached(ground: Ground, name: str) -> frozenset[Any]:
    """The functions that run when this operation does, including those of the rule's own
    threads."""
    return frozenset(body.function for body in bodies_of(_whole(ground, [name])))


def _users(registry: Registry, names: Sequence[str]) -> Mapping[str, Any]:
    return {
        f"{role}_{name}": getattr(registry.operations[name], role) for name in names for role in ("first", "second")
    }


def _whole(ground: Ground, names: Sequence[str]) -> type[Model]:
    """The rule with a thread for each role of these operations: a class to be analysed, not
    checked."""
    registry = opened(ground.folder, ground.files)
    rule = judged(registry.rules[ground.rule])
    made = product_class(Workload("all", _users(registry, names)), rule, (), {})
    made.__dio_place__ = rule.model.__dio_place__
    return made
