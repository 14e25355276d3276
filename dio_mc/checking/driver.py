"""The facade: load a class, build it, explore, replay the counterexamples, and give the verdict.

Data flows one way: `Options` in, `Report` out. Nothing here prints or writes files.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from dio_mc.checking.expectations import expected, stated
from dio_mc.checking.findings.coverage import coverage_findings
from dio_mc.checking.findings.declared import static_findings
from dio_mc.checking.findings.stuck import stuck_for_ever
from dio_mc.checking.results import Finding, PropertyResult, Report, Verdict
from dio_mc.engines.agree import verify_reduction
from dio_mc.engines.choose import EngineName, Strategy, explore
from dio_mc.engines.limits import Limits
from dio_mc.engines.reference.recalled import Recalled
from dio_mc.errors import Diagnostic
from dio_mc.frontend.build import Built, build, program_name
from dio_mc.frontend.declare import members_of
from dio_mc.guard import Ended, Guard, attempt, stop_of
from dio_mc.ir.program import Program
from dio_mc.lang.declarations import Expectation
from dio_mc.lang.model import Model
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import (
    NO_REDUCTION,
    NOTHING,
    Budget,
    Checkpoints,
    Exploration,
    Note,
    OnRay,
    Partial,
    Reductions,
    SearchRequest,
    Violation,
    unheard,
)
from dio_mc.semantics.search import Report as ProgressReport
from dio_mc.semantics.stop import FIRST, Poll, Stop, StopKind
from dio_mc.source import Span, display_path
from dio_mc.symbolic.evaluator import EvaluatorReport, evaluators_of, property_evaluator
from dio_mc.trace.trace import Place, Trace

NO_FINDINGS: Final[tuple[Finding, ...]] = ()
NO_GROWTH: Final[tuple[tuple[str, int], ...]] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """A proof for any number: the words of ``--any``, whether larger instances are explored as
    well, and whether the certificate is needed."""

    words: tuple[str, ...]
    instances: bool = True
    certificate: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """How to check. `stop` is polled and returns the reason to stop (Ctrl-C) or None; `first` ends
    after the level of the first violation; `engine` explores, in `workers` threads if it is the
    native one, with `reductions` where they are proved sound. With `verify_reduction` both searches
    are made and compared. With `partial` only a part of the states is covered, and properties that
    are not violated are undetermined. `any_number` is for `general`. With `checkpoints` a long
    search saves its progress until its answer is complete, so that it can be resumed. With `disk` a
    large search keeps its states in this folder, with `overflow` only when memory runs out; with
    `ray` it divides them among processes."""

    budget: Budget = field(default_factory=Budget)
    first: bool = False
    report: ProgressReport | None = None
    stop: Poll | None = None
    engine: EngineName = "auto"
    workers: int = 1
    reductions: Reductions = field(default_factory=Reductions)
    verify_reduction: bool = False
    partial: Partial | None = None
    any_number: Wanted | None = None
    checkpoints: Checkpoints | None = None
    disk: Path | None = None
    overflow: Path | None = None
    ray: OnRay | None = None


def options_of(values: Mapping[str, Any]) -> Options:
    """The options given by settings (`dio_mc.config`): limits, engine, workers and reductions."""
    reductions = Reductions(values["symmetry"], values["partial-order"]) if values["reduction"] else NO_REDUCTION
    return Options(
        budget_of(values), engine=values["engine"], workers=values["workers"], reductions=reductions,
        verify_reduction=values["verify-reduction"],
    )  # fmt: skip


def budget_of(values: Mapping[str, Any]) -> Budget:
    """The limits given by settings."""
    return Budget(values["max-states"], values["max-depth"], values["timeout"], values["max-memory"])


def check_class(
    model: type[Model],
    params: Mapping[str, int] | None = None,
    options: Options | None = None,
    expectation: Expectation | None = None,
    numbers: Mapping[str, int] | None = None,
) -> Report:
    """Check one class with parameters bound, with `numbers` of threads other than those it declares
    (`frontend.build`).

    Raises `ModelError` if the model is wrong and `InternalError` if dio-mc is: a counterexample
    that does not replay is never shown.
    """
    started = time.perf_counter()
    options = options or Options()
    limits, notes = Limits(options.budget, options.stop), list[str]()
    try:
        with Guard(limits.exceeded):
            built = build(model, params, numbers)
            evaluators = [property_evaluator(built.program, p) for p in built.program.properties]
            interpreter = Recalled(built.program)
    except (Ended, MemoryError) as ended:
        return undetermined(model, params or {}, expectation, stop_of(ended), time.perf_counter() - started)
    program, asked = built.program, [j.evaluator for j in evaluators]
    options = options if numbers is None else replace(options, checkpoints=None)
    request, strategy = _asked(program, asked, options, notes.append)
    found = explore(request, strategy, limits, interpreter)
    if options.verify_reduction:
        notes += verify_reduction(found, request, strategy)
    notes += [f"{name}: its schedule is not shown: {found.stopped} ended the search for it" for name in found.unshown]
    found, traces = _shown(interpreter, found, asked, limits, notes.append)
    properties = stated(expectation, _properties(model, program, found, evaluators))
    verdict = _verdict(properties)
    looking = partial(_findings, model, built, interpreter, evaluators, found, verdict)
    findings = attempt("what was noticed about the model", looking, NO_FINDINGS, limits.exceeded, notes.append)
    grown = partial(_growth, interpreter, found)
    growth = attempt("which cells grew", grown, NO_GROWTH, limits.exceeded, notes.append) if found.stopped else ()
    met, text = expected(expectation, properties, traces)
    notes += _kept(program, found, options)
    return Report(
        model=program.name, file=display_path(program.file), doc=program.doc, verdict=verdict, found=found,
        seconds=time.perf_counter() - started, params=dict(program.params), properties=properties, traces=traces,
        findings=findings, expected=met, expectation=text, threads=len(program.threads), growth=growth,
        where=_class_place(model), notes=tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _kept(program: Program, found: Exploration, options: Options) -> list[str]:
    """Notes on how to resume a search that was stopped. The checkpoint of a complete search is
    removed."""
    asked, stopped = options.checkpoints, found.stopped
    if asked is None or not found.resumable:
        return []
    if stopped is None or stopped == FIRST:
        from dio_mc.engines.checkpoints.store import remove

        remove(asked, program)
        return []
    command = asked.command or "Checkpoints(resume=True)"
    if stopped.kind in (StopKind.MAX_STATES, StopKind.MAX_DEPTH):
        return [f"resume, with a larger {stopped.kind.value}, with: {command}"]
    return [f"resume with: {command}"]


def explore_class(
    model: type[Model], params: Mapping[str, int] | None = None, options: Options | None = None
) -> Exploration:
    """The result of the search of one class, without a verdict. Raises `ModelError` if the model is
    wrong."""
    program = build(model, params).program
    return explore(*_asked(program, evaluators_of(program), options or Options(), unheard))


def _asked(
    program: Program, evaluators: Sequence[PropertyEvaluator], options: Options, note: Note
) -> tuple[SearchRequest, Strategy]:
    request = SearchRequest(
        program, evaluators, options.budget, options.first, options.report, options.stop, note,
        checkpoints=options.checkpoints,
    )  # fmt: skip
    strategy = Strategy(
        options.engine,
        options.workers,
        options.reductions,
        options.partial,
        options.disk,
        options.overflow,
        options.ray,
    )
    return request, strategy


def _shown(
    interpreter: Interpreter, found: Exploration, evaluators: Sequence[PropertyEvaluator], limits: Limits, note: Note
) -> tuple[Exploration, tuple[Trace, ...]]:
    """The exploration and its counterexamples. A violation whose counterexample cannot be made for
    lack of memory stays a violation. The modules that make counterexamples are imported only if
    there is a violation."""
    if not found.violations:
        return found, ()
    from dio_mc.explain.witness import witness

    if found.stopped is not None:  # a limit may have ended it while it listed the initial states
        interpreter = Interpreter(interpreter.program)
    traces: dict[str, Trace] = {}
    unshown: list[str] = []
    for violation in found.violations:
        try:
            told = witness(interpreter, found.engine, violation, evaluators, limits.exceeded, note)
            traces[violation.property] = told
        except (Ended, MemoryError) as ended:
            unshown.append(violation.property)
            note(f"{violation.property}: its schedule is not shown: {stop_of(ended)}")
    shown = tuple(violation for violation in found.violations if violation.property in traces)
    return replace(found, violations=shown, unshown=(*found.unshown, *unshown)), tuple(traces.values())


def undetermined(
    model: type[Model],
    params: Mapping[str, int],
    expectation: Expectation | None,
    stopped: Stop,
    seconds: float = 0.0,
) -> Report:
    """The report of a run that ended before anything was found: every property of the class is
    undetermined."""
    place = _class_place(model)
    expected = None if expectation is None else False
    kinds: list[tuple[str, str]] = [(name, role.kind) for name, (_, _, role) in members_of(model).properties.items()]
    kinds += [("deadlock", "deadlock")] if model.deadlock else []
    results = tuple(
        PropertyResult(name, kind, "UNDETERMINED", where=place, expected=expected)
        for name, kind in [*kinds, ("faults", "faults")]
    )
    return Report(
        model=program_name(model, dict(params)), file=display_path(model.__dio_place__[0]), doc=model.__doc__ or "",
        verdict="UNDETERMINED", found=replace(NOTHING, stopped=stopped), seconds=seconds, params=dict(params),
        properties=results, expected=expected, where=place,
        expectation="" if expected is None else f"undetermined: {', '.join(r.name for r in results)}",
    )  # fmt: skip


def _properties(
    model: type[Model], program: Program, found: Exploration, evaluators: Sequence[EvaluatorReport]
) -> tuple[PropertyResult, ...]:
    violated = {v.property for v in found.violations} | set(found.unshown)
    results = [_written(j, violated, found) for j in evaluators]
    place = _class_place(model)
    if program.check_deadlock:
        results.append(PropertyResult("deadlock", "deadlock", _plain("deadlock" in violated, found), where=place))
    known = {p.name for p in program.properties} | {"deadlock"}
    results += [_fault(v) for v in found.violations if v.property not in known]
    results += [PropertyResult(name, "fault", "VIOLATED") for name in found.unshown if name not in known]
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


def _nothing_happens(model: type[Model]) -> Diagnostic:
    file, line = model.__dio_place__
    span = Span(file, line, 1, line, 1)
    return Diagnostic("DIO329", "no thread ever takes a step: there is nothing to check", span, severity="warning")


def _plain(violated: bool, found: Exploration) -> Verdict:
    return "VIOLATED" if violated else "UNDETERMINED" if found.stopped is not None else "HOLDS"


def _written(judged: EvaluatorReport, violated: set[str], found: Exploration) -> PropertyResult:
    name, kind = judged.evaluator.property.name, judged.evaluator.property.kind
    say = partial(
        PropertyResult, name, kind, doc=judged.evaluator.property.doc, where=_place(judged.evaluator.property.span)
    )
    vacuous = any(not held for _, held in judged.evaluator.premises())
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


def _findings(
    model: type[Model],
    built: Built,
    interpreter: Interpreter,
    evaluators: Sequence[EvaluatorReport],
    found: Exploration,
    verdict: Verdict,
) -> tuple[Finding, ...]:
    """Findings about a model, and about code that its search never reached."""
    program = built.program
    told = [*built.warnings, *static_findings(model, program)]
    if found.complete and not found.transitions and not found.violations:
        told.append(_nothing_happens(model))
    if verdict == "HOLDS" and found.complete and found.coverage.fired:
        told += coverage_findings(model, program, found.coverage)
        told += stuck_for_ever(interpreter, found.states)
    return (*(_finding(d) for d in told), *_evaluator_findings(evaluators, found))


def _finding(diagnostic: Diagnostic) -> Finding:
    return Finding(diagnostic.code, diagnostic.message, str(diagnostic.span) if diagnostic.span else "")


def _evaluator_findings(evaluators: Sequence[EvaluatorReport], found: Exploration) -> list[Finding]:
    """Findings made before the search and, if it was complete, those about conditions that no state satisfied."""
    told = [f for judged in evaluators for f in judged.findings]
    if found.complete:
        told += [f for judged in evaluators for f in judged.evaluator.findings_after()]
    return [Finding(f.code, f.message, str(f.span) if f.span else "") for f in told]


def _growth(interpreter: Interpreter, found: Exploration) -> tuple[tuple[str, int], ...]:
    """The cells with most distinct values, for a search that was stopped."""
    if not found.coverage.distinct:
        return ()
    names = interpreter.layout.names
    ranked = sorted(zip(found.coverage.distinct, names, strict=True), key=lambda pair: (-pair[0], pair[1]))
    return tuple((name, count) for count, name in ranked[:3])
