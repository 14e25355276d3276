"""The report as KTAP 1, the result format of kernel tests: a test per run, with its properties as subtests.

An undetermined result is ``not ok ... # undetermined``: with a directive (SKIP, TODO) it could count as a pass.
"""

from __future__ import annotations

from dio_mc.checking.results import Failure, Report
from dio_mc.render.text import render_text
from dio_mc.report.batch import Batch, Case
from dio_mc.semantics.search import counted_up_to
from dio_mc.wording import without_control


def report_ktap(batch: Batch) -> str:
    """The document."""
    lines = ["KTAP version 1", f"1..{len(batch.entries)}"]
    for number, entry in enumerate(batch.entries, start=1):
        lines += _broken(number, entry) if isinstance(entry, Failure) else _run(number, entry, batch)
    return "\n".join(lines) + "\n"


def _run(number: int, report: Report, batch: Batch) -> list[str]:
    cases = batch.cases(report)
    name = _name(f"{report.file} {report.model}")
    lines = ["KTAP version 1", f"# Subtest: {name}", f"1..{len(cases)}"]
    for position, case in enumerate(cases, start=1):
        lines += _case(position, case)
    scope = "complete" if report.complete else "not complete"
    lines.append(f"# {report.states} states{counted_up_to(report.reductions)}, depth {report.depth}, {scope}")
    good = batch.code_of(report) == 0
    return [*(f"  {line}" for line in lines), f"{'ok' if good else 'not ok'} {number} {name}{_why(report, good)}"]


def _why(report: Report, good: bool) -> str:
    return " # undetermined" if not good and report.verdict == "UNDETERMINED" else ""


def _case(number: int, case: Case) -> list[str]:
    if case.status == "pass":
        return [f"ok {number} {_name(case.name)}"]
    comment = f" # {_name(case.message)}" if case.status == "undetermined" else ""
    diagram = render_text(case.trace, model=True) if case.trace else case.message
    return [f"not ok {number} {_name(case.name)}{comment}", *_diagnostic(diagram)]


def _broken(number: int, failure: Failure) -> list[str]:
    return [*_diagnostic(failure.text), f"not ok {number} {_name(f'{failure.file} {failure.model}'.strip())}"]


def _diagnostic(text: str) -> list[str]:
    return [f"# {line}".rstrip() for line in without_control(text).splitlines()]


def _name(text: str) -> str:
    """A description: one line, and no ``#``, which would begin a directive."""
    return " ".join(without_control(text).replace("#", "_").split())
