"""The results of one command, and how each counts; all report formats use this.

A `Case` is a property of a run, or a problem of a run as a whole. Its status decides whether a build fails;
``undetermined`` is neither a pass nor a failure, and no format may show it as a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from dio_mc.checking.results import Failure, Finding, PropertyResult, Report
from dio_mc.report.wording import stem_of
from dio_mc.trace.trace import Place, Trace
from dio_mc.wording import plural

WORST = (4, 2, 1, 3, 0)
"""Exit codes, the worst first."""

Status = Literal["pass", "fail", "undetermined"]


@dataclass(frozen=True, slots=True)
class Case:
    """One result. `trace` is the counterexample of a violated property, expected or not."""

    name: str
    kind: str
    status: Status
    verdict: str
    message: str
    doc: str = ""
    where: Place | None = None
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """All results of a command, in the order of the models. `folder` is where counterexamples were written, if they
    were; `strict` makes findings failures; `allow_undetermined` maps exit code 3 to 0 and nothing else; `stems` is the
    result of `wording.stems_of`."""

    entries: tuple[Report | Failure, ...]
    folder: str | None = None
    strict: bool = False
    allow_undetermined: bool = False
    stems: Mapping[str, str] = field(default_factory=dict)

    def place(self, report: Report) -> str | None:
        """The folder of a report's counterexamples, if they were written."""
        return None if self.folder is None else f"{self.folder}/{stem_of(report, self.stems)}"

    @property
    def reports(self) -> tuple[Report, ...]:
        """The runs that gave a verdict."""
        return tuple(e for e in self.entries if isinstance(e, Report))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The entries that could not be checked."""
        return tuple(e for e in self.entries if isinstance(e, Failure))

    @property
    def exit_code(self) -> int:
        """The worst exit code of all entries."""
        return self.code_with([])

    def code_with(self, others: list[int]) -> int:
        """The worst exit code of all entries and of `others`."""
        codes = {*others, *(f.exit_code for f in self.failures), *(self.code_of(r) for r in self.reports)}
        worst = next((c for c in WORST if c in codes), 0)
        return 0 if worst == 3 and self.allow_undetermined else worst

    def code_of(self, report: Report) -> int:
        """The exit code of one run."""
        if self.strict and report.findings and report.exit_code in (0, 3):
            return 1
        return report.exit_code

    def cases(self, report: Report) -> tuple[Case, ...]:
        """The results of one run; if its exit code is not 0, at least one of them is not a pass."""
        traces = {t.property: t for t in report.traces}
        found = [_case(p, report, traces) for p in report.properties if not _has_own_cases(p)]
        if self.strict:
            found += [_finding(f) for f in report.findings]
        if report.exit_code != 0 and all(c.status == "pass" for c in found):
            found.append(
                Case("expectation", "expectation", "fail", report.verdict, report.expectation, "", report.where)
            )
        return tuple(found)


def _has_own_cases(result: PropertyResult) -> bool:
    """Whether the result is about faults, each of which has a case of its own."""
    return result.kind == "faults" and result.verdict == "VIOLATED"


def _case(result: PropertyResult, report: Report, traces: dict[str, Trace]) -> Case:
    status: Status = "pass" if result.verdict == "HOLDS" else "fail"
    if result.verdict == "UNDETERMINED":
        status = "undetermined"
    elif result.expected is not None:
        status = "pass" if result.expected else "fail"
    trace = traces.get(result.name) if result.verdict == "VIOLATED" else None
    message = _message(result, report, trace)
    return Case(result.name, result.kind, status, result.verdict, message, result.doc, result.where, trace)


def _message(result: PropertyResult, report: Report, trace: Trace | None) -> str:
    """``violated in 12 steps, 3 switches``, and the reason for its status."""
    words = {"HOLDS": "holds", "VIOLATED": "violated", "UNDETERMINED": "undetermined"}[result.verdict]
    if trace is not None:
        words += f" in {plural(len(trace.steps), 'step')}, {plural(trace.switches, 'switch')}{trace.label}"
    if result.verdict == "UNDETERMINED" and report.stopped:
        words += f": stopped by {report.stopped}"
    elif result.note and result.verdict != "HOLDS":
        words += f": {result.note}"
    if result.vacuous:
        words += " vacuously: its premise was never true"
    if result.expected is not None and result.verdict != "UNDETERMINED":
        words += ", as expected" if result.expected else ", which the file does not expect"
    return words


def _finding(finding: Finding) -> Case:
    return Case(f"{finding.code}", "finding", "fail", "FINDING", finding.message, where=place_of(finding.where))


def place_of(where: str) -> Place | None:
    """``file:line`` as a place."""
    file, _, line = where.rpartition(":")
    return Place(file, int(line)) if file and line.isdigit() else None


def red_cases(batch: Batch) -> Iterator[tuple[Report, Case]]:
    """All cases that are not a pass, in order."""
    for report in batch.reports:
        for case in batch.cases(report):
            if case.status != "pass":
                yield report, case
