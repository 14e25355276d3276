"""The report as text: the verdict first, then the counterexample, what was covered, and where the files are."""

from __future__ import annotations

from dio_mc.checking.results import Failure, Report
from dio_mc.report.batch import Batch
from dio_mc.report.wording import counted
from dio_mc.semantics.search import Violation
from dio_mc.trace.trace import Trace, canonical_label
from dio_mc.wording import plural


def report_text(report: Report, *, trace: bool, folder: str | None, seconds: bool = False, strict: bool = False) -> str:
    """One report: a single line if it is as expected, and with `trace` the first counterexample in full.

    `folder` is where files were written, if they were. `seconds` adds wall time, which is omitted by default so that
    equal input gives equal bytes. `strict`: findings are errors.
    """
    if not trace and report.exit_code == 0:
        return "\n".join([f"{headline(report, brief=True)}  {_counts(report)}", *_remarks(report, strict)])
    shown = _shown(report) if trace else None
    lines = [headline(report)]
    if shown is not None:
        from dio_mc.render.text import render_text  # imported only if there is a counterexample

        lines.append(render_text(shown, brief=True))
    lines += _others(report, shown)
    lines += _remarks(report, strict)
    lines.append(_last(report, folder, seconds))
    return "\n".join(line.rstrip() for line in lines)


def headline(report: Report, *, brief: bool = False) -> str:
    """``models/x.py Ext3: VIOLATED no_stale_exposure; holds deadlock (as expected)``; `brief`: only the decisive
    group."""
    groups = [f"{word} {', '.join(names)}" for word, names in _by_verdict(report) if names]
    if brief:
        groups = groups[:1] if report.verdict != "HOLDS" else [f"HOLDS {plural(len(_checked(report)), 'property')}"]
    expected = "" if report.expected is None else " (as expected)" if report.expected else " (NOT AS EXPECTED)"
    return f"{report.file} {report.model}: {'; '.join(groups)}{expected}"


def _checked(report: Report) -> list[str]:
    return [p.name for p in report.properties if p.kind != "faults"]


def _by_verdict(report: Report) -> list[tuple[str, list[str]]]:
    """Properties grouped by verdict; the model's own verdict first, in capitals."""
    words = {"VIOLATED": "violated", "UNDETERMINED": "undetermined", "HOLDS": "holds"}
    order = [report.verdict, *(v for v in words if v != report.verdict)]
    groups = [
        (v, [_said(p.name, v) for p in report.properties if p.verdict == v and p.kind != "faults"]) for v in order
    ]
    return [(v if v == report.verdict else words[v], names) for v, names in groups]


def _said(name: str, verdict: str) -> str:
    """The name of a property; if there is no deadlock, ``no deadlock``."""
    return "no deadlock" if (name, verdict) == ("deadlock", "HOLDS") else name


def _shown(report: Report) -> Trace | None:
    """The counterexample to show: of a violated property, not a witness."""
    bad = {p.name for p in report.properties if p.verdict == "VIOLATED"}
    return next((t for t in report.traces if t.property in bad), None)


def _others(report: Report, shown: Trace | None) -> list[str]:
    """The other counterexamples in one line each, and unreachable `reachable` properties."""
    bad = {p.name for p in report.properties if p.verdict == "VIOLATED"}
    listed = [v for v in report.violations if v.property in bad and (shown is None or v.property != shown.property)]
    lines = [f"violated {v.property}: {_extent(v)}" for v in listed]
    traced = {v.property for v in report.violations}
    noted = [
        p
        for p in report.properties
        if p.note and p.verdict != "HOLDS" and p.name not in traced and p.kind != "any number"
    ]
    return lines + [f"{p.verdict.lower()} {p.name}: {p.note}" for p in noted]


def _extent(violation: Violation) -> str:
    label = canonical_label(violation.canonical)
    return f"{plural(len(violation.schedule), 'step')}, {plural(violation.switches, 'switch')}{label}"


def _remarks(report: Report, strict: bool) -> list[str]:
    """What a reader must know in addition to the verdict."""
    vacuous = [p.name for p in report.properties if p.vacuous]
    lines = [f"  {report.any_number.words()}"] if report.any_number is not None else []
    lines += [f"  vacuous: {', '.join(vacuous)}"] if vacuous else []
    if report.stopped:
        lines.append(f"  stopped by {report.stopped}; {plural(report.open, 'state')} still unexplored")
    if report.growth:
        listed = ", ".join(f"{name} ({count} values)" for name, count in report.growth)
        lines.append(f"  most values seen: {listed}")
    lines += [f"  note: {note}" for note in report.notes]
    lines += [f"  {'FINDING' if strict else 'finding'} {f.code} {f.where}: {f.message}" for f in report.findings]
    if report.expected is False:
        lines.append(f"  NOT AS EXPECTED: {report.expectation}")
    return lines


def _counts(report: Report) -> str:
    """``114 states, depth 17``; of a reduced search ``185 states up to symmetry, depth 9``."""
    return f"{counted(report)}, depth {report.depth}"


def _last(report: Report, folder: str | None, seconds: bool) -> str:
    """What was covered, and where the files are."""
    bounds = [plural(report.threads, "thread"), *(f"{n}={v}" for n, v in report.params.items())]
    scope = "complete" if report.complete else "not complete"
    time = f" in {report.seconds:.2f} s (search {report.search_seconds:.2f} s)" if seconds else ""
    files = f"; files: {folder}/" if folder and report.traces else ""
    moves = plural(report.transitions, "transition")
    return f"{_counts(report)}, {moves}, {scope} for {', '.join(bounds)}{time}{files}"


def batch_text(batch: Batch) -> str:
    """All of a batch as `check` prints it, with errors in their place and a newline at the end."""
    files = len({e.file for e in batch.entries})
    lines: list[str] = []
    violated = False
    for entry in batch.entries:
        if isinstance(entry, Failure):
            lines.append(entry.text)
            continue
        full = batch.code_of(entry) == 1 or (files == 1 and not violated)
        lines.append(report_text(entry, trace=full, folder=batch.place(entry), strict=batch.strict))
        violated = violated or entry.verdict == "VIOLATED"
    lines += summary_lines(batch)
    return "\n".join(lines) + "\n" if lines else ""


def summary_lines(batch: Batch) -> list[str]:
    """The end of a run over several classes: a table of unexpected results, and the totals."""
    if len(batch.entries) < 2:
        return []
    red = [_red_row(e, batch) for e in batch.entries if isinstance(e, Failure) or batch.code_of(e) != 0]
    widths = [max(len(row[column]) for row in red) for column in range(2)] if red else [0, 0]
    table = [f"  {word:{widths[0]}}  {where:{widths[1]}}  {reason}".rstrip() for word, where, reason in red]
    return [*(["Unexpected results:"] if table else []), *table, *([_totals(batch)] if batch.reports else [])]


def _red_row(entry: Report | Failure, batch: Batch) -> tuple[str, str, str]:
    if isinstance(entry, Failure):
        head, *_ = entry.text.splitlines() or [""]
        return "ERROR", f"{entry.file} {entry.model}".strip(), head
    red = [c for c in batch.cases(entry) if c.status != "pass"]
    names = [f"{c.name} (holds)" if c.verdict == "HOLDS" else c.name for c in red]
    return entry.verdict, f"{entry.file} {entry.model}", ", ".join(dict.fromkeys(names))


def _totals(batch: Batch) -> str:
    """``17 runs: 9 HOLDS, 8 VIOLATED; 17 as expected; 4,626 states``."""
    reports = batch.reports
    met = sum(r.expected is True for r in reports)
    unmet = sum(r.expected is False for r in reports)
    counts = [f"{sum(r.verdict == v for r in reports)} {v}" for v in ("HOLDS", "VIOLATED", "UNDETERMINED")]
    counts.append(f"{plural(len(batch.failures), 'error')}")
    states = sum(r.states for r in reports)
    expected = f"; {met} as expected" + (f", {unmet} NOT AS EXPECTED" if unmet else "") if met or unmet else ""
    listed = ", ".join(c for c in counts if not c.startswith("0 "))
    return f"{plural(len(reports), 'run')}: {listed}{expected}; {states:,} states"
