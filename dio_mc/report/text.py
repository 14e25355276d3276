"""The report as text: verdict first, the counterexample, what was covered, where the files are."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.driver import PropertyResult, Report
from dio_mc.render.text import render_text
from dio_mc.report.words import plural, stem_of


def report_text(report: Report, *, trace: bool, folder: str | None, seconds: bool = False) -> str:
    """One report. `trace` shows the first counterexample in full; `folder` is where files were written, if they were;
    `seconds` adds wall time (left out by default: the same input gives the same bytes)."""
    lines = [headline(report)]
    if report.doc and trace:
        lines.append(f"  {report.doc.splitlines()[0]}")
    if trace and report.traces:
        lines += ["", render_text(_shown(report)), ""]
    lines += _violated(report, folder)
    lines += _others(report)
    if report.verdict == "UNDETERMINED" or report.stopped:
        lines += _stopped(report)
    lines += [f"  finding {f.code} {f.where}: {f.message}" for f in report.findings]
    if report.expected is False:
        lines.append(f"  NOT AS EXPECTED: {report.expectation}")
    lines.append(_last(report, seconds))
    return "\n".join(line.rstrip() for line in lines)


def _shown(report: Report):  # type: ignore[no-untyped-def]  # a Trace
    """The counterexample to show: of a violated property, not a witness."""
    bad = [t for t in report.traces if t.property in _names(report, "VIOLATED")]
    return (bad or list(report.traces))[0]


def _names(report: Report, verdict: str) -> list[str]:
    return [p.name for p in report.properties if p.verdict == verdict and p.kind != "faults"]


def headline(report: Report) -> str:
    """``models/x.py Ext3: VIOLATED no_stale_exposure (as expected)``."""
    violated = _names(report, "VIOLATED")
    tail = f" {', '.join(violated)}" if violated else ""
    if report.verdict == "HOLDS":
        checked = [p for p in report.properties if p.kind != "faults"]
        tail = f" {', '.join(p.name for p in checked)}"
    expected = "" if report.expected is None else " (as expected)" if report.expected else " (NOT AS EXPECTED)"
    return f"{report.file} {report.model}: {report.verdict}{tail}{expected}"


def _violated(report: Report, folder: str | None) -> list[str]:
    lines = []
    for violation, trace in zip(report.violations, report.traces, strict=True):
        kind = "reached" if _is_witness(report, violation.property) else "violated"
        where = f"  {folder}/{stem_of(report)}/{violation.property}.txt" if folder else ""
        steps, switches = plural(len(trace.steps), "step"), plural(violation.switches, "switch")
        lines.append(f"  {kind} {violation.property}: {steps}, {switches}{where}")
    return lines


def _is_witness(report: Report, name: str) -> bool:
    return any(p.name == name and p.kind == "reachable" for p in report.properties)


def _others(report: Report) -> list[str]:
    lines = []
    if report.verdict != "HOLDS":
        holds = [p for p in report.properties if p.verdict == "HOLDS" and p.kind != "faults"]
        if holds:
            lines.append(f"  holds {', '.join(p.name for p in holds)}")
        lines += [f"  violated {p.name}: {p.note}" for p in report.properties if _unreachable(p)]
    vacuous = [p.name for p in report.properties if p.vacuous]
    if vacuous:
        lines.append(f"  vacuous {', '.join(vacuous)}")
    undecided = [p for p in report.properties if p.verdict == "UNDETERMINED" and p.note]
    return lines + [f"  undetermined {p.name}: {p.note}" for p in undecided]


def _unreachable(result: PropertyResult) -> bool:
    return result.kind == "reachable" and result.verdict == "VIOLATED"


def _stopped(report: Report) -> list[str]:
    lines = []
    if report.stopped:
        lines.append(f"  stopped by {report.stopped}; {plural(report.open, 'state')} found but not expanded")
    if report.growth:
        listed = ", ".join(f"{name} ({count} values)" for name, count in report.growth)
        lines.append(f"  most values seen: {listed}")
    return lines


def _last(report: Report, seconds: bool) -> str:
    shown = [plural(report.states, "state"), plural(report.transitions, "transition"), f"depth {report.depth}"]
    bounds = [plural(report.threads, "thread"), *(f"{n}={v}" for n, v in report.params.items())]
    scope = "complete" if report.complete else "not complete"
    time = f" in {report.seconds:.2f} s" if seconds else ""
    return f"  {', '.join(shown)}, {scope} for {', '.join(bounds)}{time}"


def summary_text(reports: Sequence[Report]) -> str:
    """The last line of a run over several classes."""
    met = sum(r.expected is True for r in reports)
    unmet = sum(r.expected is False for r in reports)
    counts = [f"{sum(r.verdict == v for r in reports)} {v}" for v in ("HOLDS", "VIOLATED", "UNDETERMINED")]
    states = sum(r.states for r in reports)
    told = f"; {met} as expected" + (f", {unmet} NOT AS EXPECTED" if unmet else "") if met or unmet else ""
    listed = ", ".join(c for c in counts if not c.startswith("0 "))
    return f"{plural(len(reports), 'run')}: {listed}{told}; {states:,} states"
