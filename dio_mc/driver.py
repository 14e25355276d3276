"""The facade: load a class, build it, judge, explore, replay what was found, word the verdict.

Data flows one way: `Options` in, `Report` out. Nothing here prints or writes files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

from dio_mc.engines import EngineName, explore
from dio_mc.errors import Diagnostic
from dio_mc.findings.coverage import coverage_findings
from dio_mc.findings.declared import static_findings
from dio_mc.frontend.build import build
from dio_mc.ir.program import Program
from dio_mc.lang.declarations import Expectation
from dio_mc.lang.model import Model
from dio_mc.semantics.contract import Budget, Exploration, Judge, Partial, Reductions, Violation
from dio_mc.semantics.contract import Report as ProgressReport
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.source import Span, display_path
from dio_mc.symbolic.judge import JudgeReport, judge_property
from dio_mc.trace.trace import Place, Trace
from dio_mc.verifying import verify_reduction

Verdict = Literal["HOLDS", "VIOLATED", "UNDETERMINED"]
SEVERITY: dict[Verdict, int] = {"HOLDS": 0, "VIOLATED": 1, "UNDETERMINED": 3}
"""Exit code of a verdict without an expectation."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to check. `stop` is polled and returns the reason to stop (Ctrl-C) or None; `first` ends after the level of
    the first violation; `engine` explores, in `workers` threads where it is the native one, with `reductions` where
    they are proved sound. With `verify_reduction` it explores once more, to compare. With `partial` only
    a part of the states is covered, and what is not violated is undetermined."""

    budget: Budget = field(default_factory=Budget)
    first: bool = False
    report: ProgressReport | None = None
    stop: Callable[[], str | None] | None = None
    engine: EngineName = "auto"
    workers: int = 1
    reductions: Reductions = field(default_factory=Reductions)
    verify_reduction: bool = False
    partial: Partial | None = None


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """One property's verdict.

    `vacuous`: it holds, but some premise in it never did. `note` says more in words, `doc` is what the author says of
    it, `where` its line (a fault's: the line at fault). `expected` is whether the verdict is what the file states of
    this property, None where it states nothing.
    """

    name: str
    kind: str
    verdict: Verdict
    vacuous: bool = False
    note: str = ""
    doc: str = ""
    where: Place | None = None
    expected: bool | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the model's quality, with its code and place (``file:line``)."""

    code: str
    message: str
    where: str


@dataclass(frozen=True, slots=True)
class Report:
    """What checking one class with one binding of its parameters gave.

    `seconds` is wall time from build to verdict, `search_seconds` of it that of the search (`Exploration`). `traces`
    pairs with `violations`; `expected` is None where the file says nothing, else whether what it says is met;
    `exit_code` follows from both. `where` is the class; `notes` are sentences about how it was explored, `reductions`
    what it was reduced by: states, transitions and depth are those of what was left then (`Exploration`).
    """

    model: str
    file: str
    doc: str
    verdict: Verdict
    complete: bool
    states: int
    transitions: int
    depth: int
    seconds: float
    params: dict[str, int]
    engine: str
    properties: tuple[PropertyResult, ...]
    violations: tuple[Violation, ...]
    traces: tuple[Trace, ...]
    findings: tuple[Finding, ...]
    expected: bool | None
    expectation: str
    stopped: str | None
    open: int
    threads: int
    growth: tuple[tuple[str, int], ...] = ()
    where: Place | None = None
    notes: tuple[str, ...] = ()
    reductions: tuple[str, ...] = ()
    search_seconds: float = field(default=0.0, compare=False)

    @property
    def exit_code(self) -> int:
        """0 holds or as expected, 1 violated or not as expected, 3 undetermined."""
        if self.expected is None:
            return SEVERITY[self.verdict]
        if self.expected:
            return 0
        return 3 if self.verdict == "UNDETERMINED" else 1

    def __bool__(self) -> bool:
        return self.verdict == "HOLDS"

    def _repr_html_(self) -> str:
        """Verdict, properties and the first counterexample, as a notebook shows them."""
        from dio_mc.report.notebook import report_html

        return report_html(self)


def check_class(
    model: type[Model],
    params: Mapping[str, int] | None = None,
    options: Options | None = None,
    expectation: Expectation | None = None,
) -> Report:
    """Check one class with parameters bound.

    Raises `ModelError` when the model is wrong and `InternalError` when dio-mc is: a counterexample that does not
    replay is never shown.
    """
    started = time.perf_counter()
    options = options or Options()
    built = build(model, params)
    program = built.program
    judges = [judge_property(program, p) for p in program.properties]
    asked = [j.judge for j in judges]
    notes: list[str] = []
    found = explore(
        program, asked, options.budget, options.report, options.first, options.stop,
        engine=options.engine, workers=options.workers, note=notes.append, reductions=options.reductions,
        partial=options.partial,
    )  # fmt: skip
    if options.verify_reduction:
        notes += verify_reduction(
            found, program, asked, options.budget, options.stop,
            engine=options.engine, workers=options.workers, partial_order=options.reductions.partial_order,
        )  # fmt: skip
    interpreter = Interpreter(program) if found.violations else None
    traces = _traces(interpreter, found, asked) if interpreter is not None and found.violations else ()
    properties = _stated(expectation, _properties(model, program, found, judges))
    verdict = _verdict(properties)
    told = [*built.warnings, *static_findings(model, program)]
    if verdict == "HOLDS" and found.complete and found.coverage.fired:
        told += coverage_findings(model, program, found.coverage)
    findings = (*(_finding(d) for d in told), *_judge_findings(judges))
    expected, text = _expected(expectation, properties, traces, verdict)
    return Report(
        program.name, display_path(program.file), program.doc, verdict, found.complete, found.states, found.transitions,
        found.depth, time.perf_counter() - started, dict(program.params), found.engine, properties, found.violations,
        traces, findings, expected, text, found.stopped, found.open, len(program.threads), _growth(program, found),
        _class_place(model), tuple(notes), found.reductions, found.seconds,
    )  # fmt: skip


def _traces(interpreter: Interpreter, found: Exploration, judges: Sequence[Judge]) -> tuple[Trace, ...]:
    """The counterexamples; what makes them is imported for those who have some."""
    from dio_mc.witness import witness

    return tuple(witness(interpreter, found.engine, violation, judges) for violation in found.violations)


def _properties(
    model: type[Model], program: Program, found: Exploration, judges: Sequence[JudgeReport]
) -> tuple[PropertyResult, ...]:
    violated = {v.property for v in found.violations}
    results = [_written(j, violated, found) for j in judges]
    place = _class_place(model)
    if program.check_deadlock:
        results.append(PropertyResult("deadlock", "deadlock", _plain("deadlock" in violated, found), where=place))
    known = {p.name for p in program.properties} | {"deadlock"}
    results += [_fault(v) for v in found.violations if v.property not in known]
    results.append(PropertyResult("faults", "faults", _plain(bool(violated - known), found), where=place))
    return tuple(results)


def _fault(violation: Violation) -> PropertyResult:
    fault = violation.fault
    if fault is None:
        return PropertyResult(violation.property, "fault", "VIOLATED")
    place = _place(fault.span) if fault.span else None
    return PropertyResult(violation.property, fault.kind, "VIOLATED", note=fault.message, where=place)


def _place(span: Span) -> Place:
    return Place(display_path(span.file), span.line)


def _class_place(model: type[Model]) -> Place:
    file, line = model.__dio_place__
    return Place(display_path(file), line)


def _plain(violated: bool, found: Exploration) -> Verdict:
    return "VIOLATED" if violated else "UNDETERMINED" if found.stopped is not None else "HOLDS"


def _written(judged: JudgeReport, violated: set[str], found: Exploration) -> PropertyResult:
    name, kind = judged.judge.property.name, judged.judge.property.kind
    say = partial(PropertyResult, name, kind, doc=judged.judge.property.doc, where=_place(judged.judge.property.span))
    vacuous = any(not held for _, held in judged.judge.premises())
    if kind == "reachable":
        witnessed = name in violated
        verdict: Verdict = "HOLDS" if witnessed else "VIOLATED" if found.complete else "UNDETERMINED"
        notes = {"VIOLATED": "no reachable state satisfies it", "UNDETERMINED": "no state found so far satisfies it"}
        return say(verdict, note=notes.get(verdict, ""))
    if name in violated:
        return say("VIOLATED")
    if name in found.unknown:
        return say("UNDETERMINED", note="z3 could not decide it on some state")
    verdict = "UNDETERMINED" if found.stopped is not None else "HOLDS"
    return say(verdict, vacuous=vacuous and verdict == "HOLDS")


def _verdict(properties: Sequence[PropertyResult]) -> Verdict:
    verdicts = {p.verdict for p in properties}
    return "VIOLATED" if "VIOLATED" in verdicts else "UNDETERMINED" if "UNDETERMINED" in verdicts else "HOLDS"


def _finding(diagnostic: Diagnostic) -> Finding:
    return Finding(diagnostic.code, diagnostic.message, str(diagnostic.span) if diagnostic.span else "")


def _judge_findings(judges: Sequence[JudgeReport]) -> list[Finding]:
    return [
        Finding(f.code, f.message, str(f.span) if f.span else "")
        for judged in judges
        for f in [*judged.findings, *judged.judge.findings_after()]
    ]


def _growth(program: Program, found: Exploration) -> tuple[tuple[str, int], ...]:
    """The cells with most distinct values, for a search that was stopped."""
    if not found.coverage.distinct:
        return ()
    names = Interpreter(program).layout.names
    ranked = sorted(zip(found.coverage.distinct, names, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return tuple((name, count) for count, name in ranked[:3])


# --- expectations -----------------------------------------------------------------------------------------------------


def expectation_for(model: type[Model], params: Mapping[str, int]) -> Expectation | None:
    """What a class's file says for a binding: the statement with just these parameters, else the one without any."""
    stated = model.__dio_expectations__
    exact = [e for e in stated if e.params and dict(e.params) == dict(params)]
    general = [e for e in stated if not e.params]
    chosen = exact or general
    return chosen[-1] if chosen else None


def bindings_of(model: type[Model], params: Mapping[str, int]) -> list[tuple[dict[str, int], Expectation | None]]:
    """The runs that checking a class takes: the given parameters, or one per binding that its file speaks of."""
    if params or not model.__dio_expectations__:
        return [(dict(params), expectation_for(model, params))]
    bindings = dict.fromkeys(e.params for e in model.__dio_expectations__)
    return [(dict(b), expectation_for(model, dict(b))) for b in bindings]


def _stated(stated: Expectation | None, properties: Sequence[PropertyResult]) -> tuple[PropertyResult, ...]:
    """Each property with whether its verdict is what the file says of it."""
    if stated is None:
        return tuple(properties)
    named = {p: p.name in stated.violates or p.name.split("@")[0] in stated.violates for p in properties}
    return tuple(
        p if p.kind == "faults" else replace(p, expected=p.verdict == ("VIOLATED" if named[p] else "HOLDS"))
        for p in properties
    )


def _expected(
    stated: Expectation | None, properties: Sequence[PropertyResult], traces: Sequence[Trace], verdict: Verdict
) -> tuple[bool | None, str]:
    """Whether the exact set of violated properties is what was stated; the difference in words."""
    if stated is None:
        return None, ""
    violated = [p.name for p in properties if p.verdict == "VIOLATED" and p.kind != "faults"]
    extra = [n for n in violated if n not in stated.violates and n.split("@")[0] not in stated.violates]
    missing = [s for s in sorted(stated.violates) if not any(s in (n, n.split("@")[0]) for n in violated)]
    undecided = [p.name for p in properties if p.verdict == "UNDETERMINED"]
    parts = [f"not expected to be violated: {', '.join(extra)}"] if extra else []
    parts += [f"expected to be violated: {', '.join(missing)}"] if missing else []
    parts += [f"undetermined: {', '.join(undecided)}"] if undecided else []
    lengths = [len(t.steps) for t in traces if t.property in stated.violates]
    if stated.steps is not None and not parts and lengths != [stated.steps]:
        parts.append(f"expected {stated.steps} steps, found {', '.join(map(str, lengths))}")
    del verdict
    return not parts, "; ".join(parts)
