"""The search for fixes of one class: single edits, then pairs; those that pass are written, checked
and ranked.

Every edit is tried whichever is found first, so the answer is the same with any number of
processes. If a limit or a signal ends the search, the fixes found so far are kept.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from dio_mc.checking.driver import Options, check_class
from dio_mc.checking.expectations import bindings_of
from dio_mc.checking.results import Report
from dio_mc.checking.runs.bench import Bench, Params, open_in
from dio_mc.checking.runs.plan import Task
from dio_mc.checking.runs.pool import spread
from dio_mc.errors import did_you_mean, usage_error
from dio_mc.fix.edit import Edit
from dio_mc.fix.found import Fix, Found, NearMiss, Open, Tried
from dio_mc.fix.missing import missing_properties
from dio_mc.fix.pairs import pairs_of
from dio_mc.fix.screen import FAULTS, Requirement, kind_of
from dio_mc.fix.writing import refuse_unimportable
from dio_mc.frontend.load import load_module
from dio_mc.lang.model import Model
from dio_mc.source import display_path

CHUNK: Final = 10
"""The number of edits that a process is given at a time."""
GRACE: Final = 2.0
"""Seconds after a stop in which the edits that have passed are written, and checked with the
parameters given."""
NEAR: Final = 5
"""The number of near misses that are reported."""
Progress = Callable[[str, int, int, int], None]
"""Receives what is tried (``single edits``), how many of them are done, how many there are, and how
many pass."""


@dataclass(frozen=True, slots=True)
class Search:
    """What to search for: `goals` are properties (all violated ones if empty); up to `pairs` pairs
    are tried, up to `most` fixes reported; in `jobs` processes. The budget of the options is that
    of the whole search."""

    options: Options
    goals: tuple[str, ...] = ()
    pairs: int = 600
    most: int = 5
    jobs: int = 1
    progress: Progress | None = None


def find_fixes(task: Task, search: Search) -> Found:
    """Search for fixes. Raises `ModelError` for a model that is wrong, that holds (DIO291), or
    whose violations an edit cannot repair (DIO292, DIO293, DIO295)."""
    started = time.time()
    refuse_unimportable(task.model)
    base = check_class(task.model, dict(task.params), search.options)
    if base.stopped is not None and not open_in(base, Requirement(frozenset())):
        stopped = f"{base.stopped} before the model itself was decided"
        return Found(
            task.model.__name__, display_path(task.file), dict(task.params), (), (), base.states, 0, 0, {}, (), (), (),
            stopped,
        )  # fmt: skip
    asked, before = goals_of(base, search.goals)
    timeout = search.options.budget.timeout
    ends = None if timeout is None else started + timeout
    return _Run(task, search, asked, before, ends).found(base)


def goals_of(report: Report, names: Sequence[str]) -> tuple[Requirement, tuple[Open, ...]]:
    """The goals of a fix, and the lengths of the counterexamples. Raises `ModelError` if there can
    be no such fix."""
    model = report.model.split("@")[0]
    known = [p.name for p in report.properties if p.kind != FAULTS]
    kinds = {kind_of(p.name): p.kind for p in report.properties}
    for name in names:
        if kind_of(name) not in kinds:
            hint = did_you_mean(name, known) or f"there are: {', '.join(known)}"
            raise usage_error("DIO293", f"{model} has no property `{name}`", hint=hint)
        if kinds[kind_of(name)] == "reachable":
            hint = "a fix takes schedules away; that a state is not reached is the fault of what the model says"
            raise usage_error("DIO292", f"`{name}` is a @reachable: no fix is looked for", hint=hint)
    violated = {o.property: o for o in open_in(report, Requirement(frozenset()))}
    for name in names:
        if kind_of(name) not in violated:
            raise usage_error("DIO291", f"nothing to fix: `{name}` of {model} holds")
    goals = {kind_of(n) for n in names} or {name for name in violated if kinds[name] != "reachable"}
    if not violated:
        raise usage_error("DIO291", f"nothing to fix: {model} holds")
    if not goals:
        raise usage_error("DIO292", f"{model} violates only @reachable properties: no fix is looked for")
    return Requirement(frozenset(goals), frozenset(violated.keys() - goals)), tuple(violated[g] for g in sorted(goals))


def the_class(file: str, name: str | None, params: Params, options: Options) -> type[Model]:
    """The class of a file that is to be fixed: the named one, the only one, or the only one that is
    violated. Raises `ModelError` (DIO208, DIO294)."""
    models = load_module(file).models
    known = [model.__name__ for model in models]
    if name is not None and name not in known:
        hint = did_you_mean(name, known) or f"there are: {', '.join(known)}"
        raise usage_error("DIO208", f"no model class `{name}`", hint=hint)
    if name is not None or len(models) == 1:
        return next(model for model in models if name in (None, model.__name__))
    violated = [m for m in models if m.__dio_expectations__ and any(e.violates for e in m.__dio_expectations__)]
    if not any(m.__dio_expectations__ for m in models):
        violated = [m for m in models if check_class(m, dict(params), options).verdict == "VIOLATED"]
    if len(violated) == 1:
        return violated[0]
    listed = ", ".join(m.__name__ for m in violated or models)
    several = "several classes are violated" if violated else "no class is violated"
    raise usage_error("DIO294", several, file=file, hint=f"choose one with --model: {listed}")


def recheck(file: Path) -> tuple[int, str]:
    """The result of `check` for a file that was written: the exit code, and a line."""
    lines: list[str] = []
    codes: list[int] = []
    for model in load_module(file).models:
        for binding, stated in bindings_of(model, {}):
            report = check_class(model, binding, None, stated)
            codes.append(report.exit_code)
            lines.append(f"written to {display_path(str(file))}: {report.model} {report.verdict}")
    return max(codes, default=2), "\n".join(lines)


# --- what goes to other processes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chunk:
    """Edits to try, passing ones to finish, or near misses to describe, of one class of a file.
    With `brief` passing edits are checked with the given parameters only, as there is little
    time."""

    file: str
    name: str
    params: Params
    asked: Requirement
    ends: float | None
    tried: tuple[tuple[int, ...], ...] = ()
    finish: tuple[Tried, ...] = ()
    near: tuple[Tried, ...] = ()
    brief: bool = False


Result = Tried | Fix | NearMiss


class _Trying:
    """`pool.Work` for edits."""

    def here(self, task: Chunk, options: Options) -> list[Result]:
        return list(_results(_bench(task), task, options))

    def message(self, task: Chunk) -> Any:
        return task

    def there(self, message: Any, options: Options) -> list[Result]:
        return self.here(message, options)

    def lost(self, task: Chunk, reason: str) -> list[Result]:
        lost = [Tried(parts, "undecided", why=reason) for parts in task.tried]
        return [*lost, *(replace(t, fate="undecided", why=reason) for t in (*task.finish, *task.near))]


@lru_cache(maxsize=2)
def _loaded(file: str, name: str, params: Params, asked: Requirement) -> Bench:
    model = next(m for m in load_module(file).models if m.__name__ == name)
    return Bench(model, params, asked, Options())


def _bench(chunk: Chunk) -> Bench:
    return _loaded(chunk.file, chunk.name, chunk.params, chunk.asked)


def _results(bench: Bench, chunk: Chunk, options: Options) -> Iterator[Result]:
    left = None if chunk.ends is None else max(0.0, chunk.ends - time.time())
    with bench.under(replace(options, budget=replace(options.budget, timeout=left))):
        yield from (bench.tried(parts) for parts in chunk.tried)
        yield from (bench.finished(tried, brief=chunk.brief) for tried in chunk.finish)
        yield from (bench.near(tried) for tried in chunk.near)


# --- the search -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    task: Task
    search: Search
    asked: Requirement
    before: tuple[Open, ...]
    ends: float | None
    late: bool = False

    def found(self, base: Report) -> Found:
        bench = _bench(self._chunk())
        edits = bench.edits
        singles = self._tried([(n,) for n in range(len(edits))], "single edits")
        fixes, failed = self._late()._finished([t for t in singles if t.fate == "passes"], bench)
        singles = _corrected(singles, failed)
        lengths = {o.property: o.steps for o in self.before}
        pairs = pairs_of(edits, singles, self.asked.goals, lengths, self.search.pairs)
        tried = self._tried(pairs, "pairs")
        late = self._late()
        more, failed = late._finished([t for t in tried if t.fate == "passes"], bench)
        tried = [*singles, *_corrected(tried, failed)]
        fixes = sorted([*fixes, *more], key=lambda fix: _place(fix, bench))[: self.search.most]
        near = late._near([t for t in tried if t.fate == "open"], bench)
        counts = Counter(t.fate for t in tried)
        return Found(
            self.task.model.__name__, display_path(self.task.file), dict(self.task.params), self.before,
            tuple(sorted(self.asked.spared)), base.states, len(edits), len(pairs), dict(sorted(counts.items())),
            tuple(fixes), tuple(near), missing_properties(tried, lambda parts: _edit_of(bench, parts)),
            self._stopped(tried),
        )  # fmt: skip

    def _late(self) -> _Run:
        """The search; after a stop it gets some seconds more, to write and check the edits that
        have passed."""
        now, stop = time.time(), self.search.options.stop
        ended = self.ends is not None and now >= self.ends
        if not ended and (stop is None or stop() is None):
            return self
        options = replace(self.search.options, stop=None)
        return replace(self, search=replace(self.search, options=options), ends=now + GRACE, late=True)

    def _chunk(self) -> Chunk:
        return Chunk(self.task.file, self.task.model.__name__, self.task.params, self.asked, self.ends, brief=self.late)

    def _tried(self, parts: Sequence[tuple[int, ...]], what: str) -> list[Tried]:
        chunks = [replace(self._chunk(), tried=tuple(part)) for part in _cut(parts, CHUNK)]
        found: list[Tried] = []
        for result in self._spread(chunks):
            found += [r for r in result if isinstance(r, Tried)]
            if self.search.progress is not None:
                self.search.progress(what, len(found), len(parts), sum(t.fate == "passes" for t in found))
        return found

    def _spread(self, chunks: Sequence[Chunk]) -> Iterator[list[Result]]:
        for _, result in spread(_Trying(), chunks, self.search.options, self.search.jobs):
            yield result

    def _finished(self, passing: Iterable[Tried], bench: Bench) -> tuple[list[Fix], list[Tried]]:
        """The fixes that are reported, and what larger parameters, or the check of the written
        file, excluded."""
        groups: dict[Alike, list[Tried]] = {}
        for tried in sorted(passing, key=lambda t: _rank(t, bench)):
            groups.setdefault(_alike(tried, bench), []).append(tried)
        fixes: list[Fix] = []
        failed: list[Tried] = []
        while groups and len(fixes) < self.search.most:
            now = list(groups)[: self.search.most - len(fixes)]
            chunks = [replace(self._chunk(), finish=(groups[key].pop(0),)) for key in now]
            for key, (result,) in zip(now, self._spread(chunks), strict=True):
                if isinstance(result, Fix):
                    fixes.append(replace(result, alike=len(groups.pop(key))))
                elif isinstance(result, Tried):
                    failed.append(result)
            groups = {key: left for key, left in groups.items() if left}
            if self.search.progress is not None:
                self.search.progress("fixes", len(fixes) + len(failed), self.search.most, len(fixes))
        return fixes, failed

    def _near(self, missed: Iterable[Tried], bench: Bench) -> list[NearMiss]:
        """For each set of goals that stay open, the nearest miss of each kind."""
        found: dict[tuple[str, ...], Tried] = {}
        for tried in sorted(missed, key=lambda t: (_missed(t, self.asked), _rank(t, bench)[1], _soonest(t), t.parts)):
            if _missed(tried, self.asked)[0] < len(self.asked.goals) or self._is_later(tried):
                found.setdefault(tuple(sorted(o.property for o in tried.open)), tried)
        stopped = self.late or (self.ends is not None and time.time() >= self.ends)
        chosen = [] if stopped else list(found.values())[:NEAR]
        results = self._spread([replace(self._chunk(), near=(tried,)) for tried in chosen])
        return [r for result in results for r in result if isinstance(r, NearMiss)]

    def _is_later(self, tried: Tried) -> bool:
        before = {o.property: o.steps for o in self.before}
        return bool(tried.open) and all(o.steps > before.get(o.property, o.steps) for o in tried.open)

    def _stopped(self, tried: Iterable[Tried]) -> str:
        """The reason why the search is not complete."""
        reason = self.search.options.stop() if self.search.options.stop is not None else None
        if reason is not None:
            return reason
        return next((t.why for t in tried if t.fate == "undecided" and t.why), "")


def _corrected(tried: Sequence[Tried], failed: Iterable[Tried]) -> list[Tried]:
    """The results with corrections from the checks of written files and of larger parameters."""
    known = {t.parts: t for t in failed}
    return [known.get(t.parts, t) for t in tried]


def _rank(tried: Tried, bench: Bench) -> tuple[bool, int, int, tuple[int, ...]]:
    """The order of fixes: those that change runs without interleaving last; then by size, where an
    edit of a thread's own code counts one more, then those that leave more states."""
    edits = [bench.edits[n] for n in tried.parts]
    threads = sum(body.thread for edit in edits for body in edit.functions)
    return bool(tried.changed), sum(edit.size for edit in edits) + threads, -tried.states, tried.parts


def _place(fix: Fix, bench: Bench) -> tuple[bool, int, int, tuple[int, ...]]:
    return _rank(Tried(fix.edit.parts, "passes", (), fix.states, fix.changed), bench)


Alike = tuple[tuple[tuple[str, str, str], ...], bool]
"""Kind, function and lock of each part, and whether it changes runs without interleaving."""


def _alike(tried: Tried, bench: Bench) -> Alike:
    edits = [bench.edits[n] for n in tried.parts]
    return tuple(sorted((e.kind, e.function, e.lock) for e in edits)), bool(tried.changed)


def _missed(tried: Tried, asked: Requirement) -> tuple[int, int]:
    """The order of misses: the number of goals open with the given parameters, then the number of
    other violations."""
    goals = sum(o.property in asked.goals and not o.params for o in tried.open)
    return goals, len(tried.open) - goals


def _soonest(tried: Tried) -> int:
    """The order of violations: the longer the shortest schedule, the better."""
    return -min((o.steps for o in tried.open if o.steps > 0), default=0)


def _edit_of(bench: Bench, parts: tuple[int, ...]) -> Edit:
    edit = bench.edit(parts)
    assert edit is not None
    return edit


def _cut(parts: Sequence[tuple[int, ...]], size: int) -> Iterator[Sequence[tuple[int, ...]]]:
    for start in range(0, len(parts), size):
        yield parts[start : start + size]
