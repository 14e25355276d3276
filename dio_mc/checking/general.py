"""A class checked for any number of threads: its own instance, a proof by views, and larger
instances.

A violation is always one of an instance, with its trace. A violation that the views allow and no
instance shows is undetermined. What holds for any number rests on views that the reference
interpreter has checked (`anynumber`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from dio_mc.anynumber.asked import Asked, asked_of, numbers_of, readings_of, threads_of_pages, with_pages
from dio_mc.anynumber.certificate import certificate_text, read_certificate, refuse_unless_fitting
from dio_mc.anynumber.conditions import Refused
from dio_mc.anynumber.proof import Enough, Ground, check_views, ground, prepared_views
from dio_mc.anynumber.steps import Uncredited
from dio_mc.anynumber.triples import Triples
from dio_mc.anynumber.views import Stopped, Views
from dio_mc.checking.driver import Options, Wanted, check_class
from dio_mc.checking.results import AnyNumber, Finding, PropertyResult, Report, Verdict
from dio_mc.engines.limits import Limits
from dio_mc.errors import Diagnostic, InternalError, ModelError, usage_error
from dio_mc.lang.declarations import Expectation
from dio_mc.lang.model import Model
from dio_mc.semantics.search import Budget

LARGEST: Final = 3
"""The number of each thread in the largest instances that are explored beside the proof."""
STATES: Final = 20_000
"""The number of states after which the exploration of such an instance ends; ten times as many to
explain an alarm."""
_UNCOVERED: Final = ("deadlock", "spawn", "always_reachable", "progress")
POLLED: Final = 16
"""States of the common cells between two polls of the limits. A poll may read the memory left, for
which the kernel fills several files: that takes longer than most of these states, of which sixteen
take milliseconds."""
NAME: Final = "any number"
"""The property of a report that has the result for any number."""


def check_any_number(
    model: type[Model],
    params: Mapping[str, int],
    wanted: Wanted,
    options: Options,
    expectation: Expectation | None = None,
) -> Report:
    """Check a class as `driver.check_class` does, and for any number of threads. Raises what that raises."""
    tasks = [_Task(model, asked, dict(params), options) for asked in readings_of(model, wanted.words)]
    base = check_class(model, params, options, expectation)
    known = set(_violated(base))
    asked = tuple(task.key for task in tasks), wanted
    if not known and (before := _HELD.get(asked)):
        return _told(base, before)
    task, found = _proved(tasks, wanted)
    if known:
        found = replace(found, verdict="VIOLATED", violated=_violated(base))
    if (known or not wanted.instances) and known.issuperset(found.alarms):
        return _told(base, found)
    explored: list[int] = []
    for number in range(1, LARGEST + 1):
        report = task.instance(number, STATES * 10 if found.alarms else STATES)
        further = set(_violated(report)) - known
        if further:
            found = replace(found, verdict="VIOLATED", violated=_violated(report), instances=tuple(explored))
            expected = None if base.expected is None else False
            return _told(replace(report, expected=expected, expectation=_unexpected(report)), found)
        if not report.complete:
            break
        explored.append(number)
    found = replace(found, instances=tuple(explored))
    found = _by_three(task, wanted, found) if found.alarms and not known else found
    if found.verdict == "HOLDS":
        _keep(asked, found)
    return _told(base, found)


_Key = tuple[type[Model], Asked, tuple[tuple[str, int], ...]]
_Asked = tuple[tuple[_Key, ...], Wanted]
_HELD: Final[dict[_Asked, AnyNumber]] = {}
"""The results for any number of the classes checked last: they do not depend on the numbers that a
run has."""
_MOST_HELD: Final = 8


def _keep(asked: _Asked, found: AnyNumber) -> None:
    while len(_HELD) >= _MOST_HELD:
        del _HELD[next(iter(_HELD))]
    _HELD[asked] = found


def _by_three(task: _Task, wanted: Wanted, found: AnyNumber) -> AnyNumber:
    """The result of views of three threads, if they prove what views of two do not."""
    by_three = task.prove(certificate=wanted.certificate, of=3)
    return replace(by_three, instances=found.instances) if by_three.verdict == "HOLDS" else found


def _proved(tasks: Sequence[_Task], wanted: Wanted) -> tuple[_Task, AnyNumber]:
    """The first of these that holds, otherwise the last."""
    *further, last = tasks
    for task in further:
        found = task.prove(certificate=wanted.certificate, reasons=False)
        if found.verdict == "HOLDS":
            return task, found
    return last, last.prove(certificate=wanted.certificate)


def certify(model: type[Model], text: str, file: str, options: Options) -> AnyNumber:
    """Check a certificate alone. Raises `ModelError` if it is not one of this model (DIO271,
    DIO272)."""
    kept = read_certificate(text, file)
    if kept.model != model.__name__:
        raise usage_error("DIO272", f"the certificate is of `{kept.model}`, not of {model.__name__}", file=file)
    try:
        asked = asked_of(model, kept.threads)
        if kept.pages is not None:
            asked = with_pages(model, asked, kept.pages)
        task = _Task(model, asked, kept.params, options)
        prepared = ground(model, asked, kept.params, credits=kept.credits, of=_size(kept.views))
    except Refused as refused:
        return task.known("UNDETERMINED", refused=refused.diagnostics)
    except ModelError as error:
        words = f"the certificate is of another model than {model.__name__}: {error.diagnostics[0].message}"
        raise usage_error("DIO272", words, file=file) from None
    if kept.digest != prepared.program.digest:
        hint = "the model has changed since: make a new one with `dio-mc check --any ... --certificate FILE`"
        raise usage_error("DIO272", f"the certificate is of another model than {model.__name__}", file=file, hint=hint)
    refuse_unless_fitting(kept, asked, prepared, file)
    try:
        return task.evaluator(prepared, kept.views)
    except (NotClosed, Uncredited) as gaps:
        hint = "something was taken out of it, or changed"
        raise usage_error("DIO274", f"the certificate is not a proof: {gaps}", file=file, hint=hint) from None
    except Refused as refused:
        return task.known("UNDETERMINED", refused=refused.diagnostics)
    except Stopped as stopped:
        return task.known("UNDETERMINED", stopped=str(stopped))


class NotClosed(Exception):
    """A set of views proves nothing; the argument says which step leads out of it."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One class with its parameters bound, and the threads of which there may be any number."""

    model: type[Model]
    asked: Asked
    params: dict[str, int]
    options: Options
    _explored: dict[tuple[int, int], Report] = field(default_factory=dict, compare=False, repr=False)

    @property
    def bound(self) -> dict[str, int]:
        """The parameters whose numbers are fixed."""
        return {name: value for name, value in self.params.items() if name not in self.asked.counted}

    @property
    def key(self) -> _Key:
        """Equal for all runs with the same question for any number."""
        return self.model, self.asked, tuple(sorted(self.bound.items()))

    def prove(self, *, certificate: bool, of: int = 2, reasons: bool = True) -> AnyNumber:
        """A proof by views `of` so many threads, or the reasons why there is none; without
        `reasons`, only the first."""
        limits, most = Limits(self.options.budget, self.options.stop), self.options.budget.max_states
        try:
            prepared, views = prepared_views(
                self.model, self.asked, self.params, _enough(limits, most), of, reasons=reasons
            )
            found = self.evaluator(prepared, views, limits)
        except Refused as refused:
            return self.known("UNDETERMINED", refused=refused.diagnostics)
        except NotClosed as gaps:
            raise InternalError("a set of views is not closed under steps", [str(gaps)]) from None
        except Stopped as stopped:
            return self.known("UNDETERMINED", stopped=str(stopped))
        if not certificate:
            return found
        text = certificate_text(self.model.__name__, self.asked, self.params, prepared, views)
        return replace(found, certificate=text)

    def evaluator(self, prepared: Ground, views: Views | Triples, limits: Limits | None = None) -> AnyNumber:
        """The result that a set of views proves, once it is checked."""
        limits = limits or Limits(self.options.budget, self.options.stop)
        checked = check_views(prepared, views, _enough(limits))
        if checked.gaps:
            raise NotClosed(checked.gaps[0])
        names = [demand.property.name for demand in prepared.demands]
        alarms = dict.fromkeys((*checked.violated, *checked.faults))
        if len(prepared.places.kinds) == 1:  # views are of two threads
            report = self.instance(1, STATES * 10)
            if not report.complete:
                alone = f"the instance with one {self.asked.threads[0]}, which no pair of threads describes"
                reason = f"{report.stopped} in {alone}"
                return self.known("UNDETERMINED", stopped=reason)
            uncovered_here = {p.name for p in report.properties if p.kind in _UNCOVERED}
            alarms |= dict.fromkeys(name for name in _violated(report) if name not in uncovered_here)
        proved = tuple(n for n in names if n not in alarms) + (() if alarms.keys() - set(names) else ("faults",))
        unfit = tuple(dict.fromkeys(name for name, _ in prepared.unfit))
        uncovered = [p.name for p in prepared.program.properties if p.name not in (*names, *unfit)]
        uncovered += ["deadlock"] if prepared.program.check_deadlock else []
        uncovered += ["spawn"] if any(kind.spawned for kind in prepared.places.kinds) else []
        return self.known(
            "UNDETERMINED" if alarms or unfit else "HOLDS", proved=proved, alarms=tuple(alarms), unfit=unfit,
            uncovered=tuple(uncovered), views=checked.views, steps=checked.steps, of=_size(views),
            refused=tuple(d for _, d in prepared.unfit), others=self._others(prepared),
        )  # fmt: skip

    def known(self, verdict: Verdict, **more: Any) -> AnyNumber:
        """The result, in terms of these threads and pages."""
        asked = self.asked
        return AnyNumber(asked.threads, verdict, pages=asked.pages, each=threads_of_pages(self.model, asked), **more)

    def _others(self, prepared: Ground) -> tuple[str, ...]:
        """The threads and parameters whose numbers are those of the model."""
        program, counted = prepared.program, self.asked.counted
        templates = frozenset[int]() if prepared.pages is None else prepared.pages.templates
        fixed = (program.threads[thread] for thread in prepared.places.fixed)
        threads = [thread.name for thread in fixed if thread.template not in templates]
        return (*threads, *(f"{name}={value}" for name, value in program.params if name not in counted))

    def instance(self, number: int, states: int) -> Report:
        """The instance with so many of each thread, explored once, up to so many states."""
        for (known, most), report in self._explored.items():
            if known == number and (report.complete or most >= states):
                return report
        given = self.options.budget
        most = states if given.max_states is None else min(states, given.max_states)
        budget = Budget(most, given.max_depth, given.timeout, given.max_memory)
        options = replace(self.options, budget=budget, verify_reduction=False)
        report = check_class(self.model, self.bound, options, None, numbers_of(self.model, self.asked, number))
        self._explored[number, states] = report
        return report


def _enough(limits: Limits, most: int | None = None) -> Enough:
    """Polled with every state of the common cells; returns the reason to stop: a limit, or more
    than `most` states."""
    asked = count()

    def enough(states: int) -> str | None:
        if most is not None and states > most:
            return f"--max-states {most}"
        reason = limits.exceeded() if next(asked) % POLLED == 0 else None
        return None if reason is None else str(reason)

    return enough


def _size(views: Views | Triples) -> int:
    """The number of threads in a view."""
    return 3 if isinstance(views, Triples) else 2


def _violated(report: Report) -> tuple[str, ...]:
    """The violations that a proof for any number is about; `@reachable` needs one instance only."""
    bad = (p for p in report.properties if p.verdict == "VIOLATED")
    return tuple(p.name for p in bad if p.kind not in ("faults", "reachable"))


def _unexpected(report: Report) -> str:
    return f"violated in a larger instance: {', '.join(_violated(report))}"


def _told(report: Report, found: AnyNumber) -> Report:
    """The report with the result for any number; its verdict is not better than that result."""
    findings = (*report.findings, *map(_finding, found.refused))
    report = replace(report, any_number=found, findings=findings)
    if report.verdict == "VIOLATED" or found.verdict == "VIOLATED":
        return report
    result = PropertyResult(NAME, NAME, found.verdict, note=found.words(), where=report.where)
    verdict = report.verdict if found.verdict == "HOLDS" else found.verdict
    expected, text = report.expected, report.expectation
    if expected and found.verdict != "HOLDS":
        expected, text = False, f"undetermined: {NAME}"
    return replace(
        report, properties=(*report.properties, result), verdict=verdict, expected=expected, expectation=text
    )


def _finding(diagnostic: Diagnostic) -> Finding:
    message = f"{diagnostic.message}: {diagnostic.hint}" if diagnostic.hint else diagnostic.message
    return Finding(diagnostic.code, message, str(diagnostic.span) if diagnostic.span else "")
