"""The report as lines for editors and hooks: ``file:line: VIOLATED no_stale_exposure [Ext3] in 12 steps``."""

from __future__ import annotations

import re
from typing import Final

from dio_mc.checking.results import Failure, Report
from dio_mc.report.batch import Batch, Case
from dio_mc.report.text import headline
from dio_mc.report.wording import counted

_BREAK: Final = re.compile(r"\s*[\r\n]\s*")
"""A message from a model may have several lines, but an editor parses each line separately."""


def report_concise(batch: Batch) -> str:
    """One line for each problem, or one line for a run without problems."""
    lines: list[str] = []
    for entry in batch.entries:
        lines += _heads(entry) if isinstance(entry, Failure) else _run(entry, batch)
    return "".join(f"{re.sub(_BREAK, ' ', line)}\n" for line in lines)


def _heads(failure: Failure) -> list[str]:
    return [d.head for d in failure.diagnostics] or failure.text.splitlines()[:1]


def _run(report: Report, batch: Batch) -> list[str]:
    red = [c for c in batch.cases(report) if c.status != "pass"]
    notes = (
        [] if batch.strict else [f"{f.where}: finding {f.code} [{report.model}] {f.message}" for f in report.findings]
    )
    if not red:
        return [f"{headline(report, brief=True)}  {counted(report)}", *notes]
    return [f"{c.where or report.where}: {_word(c)} {c.name} [{report.model}] {c.message}" for c in red] + notes


def _word(case: Case) -> str:
    """The verdict, unless a property that holds was expected to be violated."""
    return "NOT AS EXPECTED" if case.verdict == "HOLDS" else case.verdict
