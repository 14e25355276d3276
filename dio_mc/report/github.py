"""The report for GitHub Actions: the text report as plain log, then one annotation for each problem.

The text is enclosed in ``::stop-commands::``, because text from a model could otherwise be parsed as commands. If
``$GITHUB_STEP_SUMMARY`` names a file, `append_summary` adds the Markdown report to it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from dio_mc.checking.results import Failure
from dio_mc.errors import Diagnostic
from dio_mc.report.batch import Batch, Case, place_of, red_cases
from dio_mc.report.markdown import report_markdown
from dio_mc.report.text import batch_text
from dio_mc.trace.trace import Place
from dio_mc.wording import one_line

_LARGEST_SUMMARY = 1_000_000
"""The limit in bytes; GitHub rejects more than 1 MiB per step."""


def report_github(batch: Batch) -> str:
    """The text, then ``::error`` and ``::warning`` commands."""
    text = batch_text(batch)
    token = "dio-mc-" + hashlib.sha256(text.encode()).hexdigest()[:24]
    return f"::stop-commands::{token}\n{text}::{token}::\n" + "".join(f"{line}\n" for line in commands(batch))


def commands(batch: Batch) -> list[str]:
    """One command for each problem: errors as errors, undetermined properties as warnings, findings as notices."""
    lines = [_failure(f, d) for f in batch.failures for d in f.diagnostics or (None,)]
    for report, case in red_cases(batch):
        level = "warning" if case.status == "undetermined" else "error"
        lines.append(_command(level, case.where or report.where, f"{case.name} ({report.model})", _message(case)))
    if not batch.strict:
        for report in batch.reports:
            lines += [
                _command("notice", place_of(f.where) or report.where, f"{f.code} ({report.model})", f.message)
                for f in report.findings
            ]
    return lines


def append_summary(path: Path, batch: Batch) -> None:
    """Add the Markdown report to a file. Raises `OSError`."""
    text = report_markdown(batch)
    data = text.encode()
    if len(data) > _LARGEST_SUMMARY:
        cut = data[:_LARGEST_SUMMARY].decode(errors="ignore").rpartition("\n### ")[0]
        text = cut + "\n\nThe rest is left out: the summary would be too long.\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _message(case: Case) -> str:
    """The message with the property's documentation, the steps, and the conjuncts that are false at the end."""
    lines = [f"{case.name}: {case.message}", one_line(case.doc)]
    if case.trace is not None:
        lines += [f"{step.number}. {step.head}" for step in case.trace.steps]
        lines += [f"= {part.source} ({part.values})" for part in case.trace.failing]
    return "\n".join(line for line in lines if line)


def _failure(failure: Failure, diagnostic: Diagnostic | None) -> str:
    if diagnostic is None:
        return _command("error", Place(failure.file, 1) if failure.file else None, "dio-mc", failure.text)
    place = place_of(str(diagnostic.span)) if diagnostic.span else Place(diagnostic.file or failure.file, 1)
    return _command("error", place, diagnostic.code, f"{diagnostic.message}\n{diagnostic.hint}".strip())


def _command(level: str, place: Place | None, title: str, message: str) -> str:
    fields = [f"file={_field(place.file)}", f"line={place.line}"] if place is not None and place.file else []
    return f"::{level} {','.join([*fields, f'title={_field(title)}'])}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _field(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
