"""The outcomes of a workload under a rule: each in words, with a run that shows it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dio_mc.guard import Ended, Guard, Latch, attempt
from dio_mc.models import models_folder
from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import Stop
from dio_mc.source import display_path
from dio_mc.study.observe import Observed
from dio_mc.study.products import memories, products
from dio_mc.study.registry import MIXED, Rule, Workload, reads_as
from dio_mc.study.tags import BAD, RANK, Tagged, tag, worst
from dio_mc.trace.trace import Trace


@dataclass(frozen=True, slots=True)
class Outcome:
    """One outcome. `key` determines which outcomes are equal; `reasons` are those of the nearest
    run."""

    results: tuple[tuple[str, str], ...]
    after: str
    reasons: tuple[str, ...]
    verdict: str
    trace: Trace | None

    @property
    def key(self) -> tuple[object, ...]:
        """The results of the threads, the file afterwards, the verdict."""
        return self.results, self.after, self.verdict

    @property
    def text(self) -> str:
        """One line: the results of the threads, and the file afterwards."""
        given = ", ".join(f"{name} {result}" for name, result in self.results)
        return f"{given}; file {self.after}" if self.after != "-" else given


@dataclass(frozen=True, slots=True)
class Outcomes:
    """All outcomes of a workload under a rule on a file of one layout, the worst first."""

    workload: str
    rule: str
    layout: str
    outcomes: tuple[Outcome, ...]
    complete: bool
    states: int

    @property
    def verdict(self) -> str:
        """The worst verdict; a search that was stopped early can establish bad verdicts only."""
        found = worst([o.verdict for o in self.outcomes])
        return found if self.complete or found in BAD else "undetermined"


def outcomes(
    workload: Workload,
    rule: Rule,
    budget: Budget | None = None,
    *,
    witnesses: Iterable[str] = RANK,
    exceeded: Callable[[], Stop | None] = lambda: None,
    note: Callable[[str], None] = lambda _: None,
    numbers: Mapping[str, int] | None = None,
) -> tuple[Outcomes, ...]:
    """Explore a workload under a rule, once per layout that both support; `numbers` are the numbers
    of instances of threads. Outcomes whose verdict is among `witnesses` get the canonical run that
    ends with them. After a limit is `exceeded`, the results so far are kept, everything else is
    undetermined, and `note` receives the runs that are left out."""
    met = exceeded if isinstance(exceeded, Latch) else Latch(exceeded)
    layouts = [layout for layout in workload.layouts if rule.has(layout)]
    runs = _Runs(frozenset(witnesses), met, note, _own_files(workload, rule))
    found: list[Outcomes] = []
    if met() is not None:  # a guard polls only after a while, and there may be thousands of cells
        return _undecided(workload, rule, layouts)
    try:
        with Guard(met):
            made = [products(replace(workload, watched=page), rule, numbers) for page in range(workload.pages)]
        shared = [memories().of(ones[0].program) for ones in made if ones]
        for ones in zip(*made, strict=True):
            if met() is None:
                searched = [Observed(one, budget, met, memory) for one, memory in zip(ones, shared, strict=True)]
                found.append(_outcomes(workload, rule.name, ones[0].layout, searched, runs))
    except (Ended, MemoryError):
        pass
    return (*found, *_undecided(workload, rule, layouts[len(found) :]))


def _undecided(workload: Workload, rule: Rule, layouts: Sequence[str]) -> tuple[Outcomes, ...]:
    """The results for layouts that were not explored."""
    return tuple(Outcomes(workload.name, rule.name, layout, (), False, 0) for layout in layouts)


@dataclass(frozen=True, slots=True)
class _Runs:
    """The outcomes that get a run, and the limits on making one."""

    wanted: frozenset[str]
    met: Latch
    note: Callable[[str], None]
    files: tuple[str, ...]

    def of(self, observed: Observed, one: Tagged) -> Trace | None:
        if one.verdict not in self.wanted:
            return None
        found = attempt("a run", lambda: observed.trace(one.observation), None, self.met, self.note)
        return found and replace(found, model=replace(found.model, files=self.files))


def _own_files(workload: Workload, rule: Rule) -> tuple[str, ...]:
    """The files of a workload and a rule that are not shipped ones."""
    shipped = models_folder().resolve()
    named = [workload.place[0], str(getattr(sys.modules.get(rule.model.__module__), "__file__", "") or "")]
    own = [display_path(file) for file in named if file and not Path(file).resolve().is_relative_to(shipped)]
    return tuple(dict.fromkeys(own))


def _outcomes(workload: Workload, rule: str, layout: str, searched: Sequence[Observed], runs: _Runs) -> Outcomes:
    """The outcomes of one search per watched page; they differ in the verdicts on reads of that
    page."""
    initial = reads_as(layout).name
    torn = layout not in MIXED and workload.is_whole if workload.pages > 1 else True
    nearest: dict[tuple[object, ...], tuple[Tagged, Observed]] = {}
    seen = [(observed.goals[one].length, one, page) for page, observed in enumerate(searched) for one in observed.goals]
    for _, observation, page in sorted(seen):
        tagged = tag(observation, initial, torn=torn)
        nearest.setdefault((tagged.results, tagged.after, tagged.verdict), (tagged, searched[page]))
    ordered = sorted(nearest.values(), key=lambda pair: (RANK.index(pair[0].verdict), pair[0].results, pair[0].after))
    rows = tuple(_outcome(one, runs.of(observed, one)) for one, observed in ordered)
    states, complete = sum(one.states for one in searched), all(one.complete for one in searched)
    return Outcomes(workload.name, rule, layout, rows, complete, states)


def _outcome(one: Tagged, trace: Trace | None) -> Outcome:
    """An outcome with its run, whose trace states how it ends."""
    found = Outcome(one.results, one.after, one.reasons, one.verdict, None)
    if trace is None:
        return found
    doc = ": ".join([found.text, one.verdict]) + (f" ({'; '.join(one.reasons)})" if one.reasons else "") + "."
    return replace(found, trace=replace(trace, doc=doc))
