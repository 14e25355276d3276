"""The report as Markdown: a table of runs, then the unexpected results with their diagrams.

Mermaid diagrams are drawn where GitHub and GitLab display the text; a diagram that is too long for them is omitted.
"""

from __future__ import annotations

import re

from dio_mc.checking.results import Failure, Report
from dio_mc.render.mermaid import render_mermaid
from dio_mc.render.text import render_text
from dio_mc.report.batch import Batch, Case, red_cases
from dio_mc.semantics.search import counted_up_to
from dio_mc.wording import one_line, without_control

_LONGEST_MERMAID = 20_000


def report_markdown(batch: Batch) -> str:
    """The document."""
    rows = ["| model | verdict | properties | states | |", "|---|---|---|---:|---|"]
    rows += [_broken(e) if isinstance(e, Failure) else _run(e, batch) for e in batch.entries]
    parts = ["## dio-mc: " + _headline(batch), "\n".join(rows)]
    parts += [_fence(failure.text, "text") for failure in batch.failures]
    parts += [_section(report, case) for report, case in red_cases(batch)]
    return "\n\n".join(parts) + "\n"


def _headline(batch: Batch) -> str:
    words = {0: "passed", 1: "violated", 2: "error", 3: "undetermined", 4: "internal error"}
    return words[batch.exit_code] if batch.entries else "nothing was checked"


def _run(report: Report, batch: Batch) -> str:
    cases = batch.cases(report)
    red = [c for c in cases if c.status != "pass"]
    listed = ", ".join(f"{c.name}: {c.message}" for c in red) or f"{len(cases)} as they should be"
    scope = "complete" if report.complete else "not complete"
    code = {0: "ok", 3: "UNDETERMINED"}.get(batch.code_of(report), "**FAIL**")
    where = f"{report.file} {report.model}"
    states = f"{report.states:,}{counted_up_to(report.reductions)}"
    return f"| {cell(where)} | {report.verdict} | {cell(listed)} | {states} ({scope}) | {code} |"


def _broken(failure: Failure) -> str:
    head, *_ = failure.text.splitlines() or [""]
    return f"| {cell(f'{failure.file} {failure.model}'.strip())} | ERROR | {cell(head)} | | **FAIL** |"


def _section(report: Report, case: Case) -> str:
    where = f" ({case.where})" if case.where else ""
    parts = [f"### {cell(case.name)}, {cell(report.model)}{cell(where)}", cell(case.message)]
    if case.doc:
        parts.append(f"> {cell(one_line(case.doc))}")
    if case.trace is not None:
        parts.append(_fence(render_text(case.trace), "text"))
        chart = render_mermaid(case.trace)
        if len(chart) <= _LONGEST_MERMAID:
            parts.append(f"<details><summary>sequence diagram</summary>\n\n{_fence(chart, 'mermaid')}\n\n</details>")
    return "\n\n".join(parts)


def cell(text: str) -> str:
    """The text, escaped so that it cannot end a cell, open a tag or start markup."""
    flat = " ".join(without_control(text).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_|\[\]])", r"\\\1", flat)


def _fence(text: str, language: str) -> str:
    """A code block whose fence is longer than any run of backticks in the text."""
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{ticks}{language}\n{without_control(text).rstrip()}\n{ticks}"
