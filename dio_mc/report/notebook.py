"""Report -> HTML fragment for a notebook: the verdict, the properties, the first counterexample as a picture."""

from __future__ import annotations

from html import escape

from dio_mc.checking.results import PropertyResult, Report
from dio_mc.render.svg import render_svg
from dio_mc.render.why import cause_sentences
from dio_mc.wording import plural

_SIGN = {"HOLDS": "holds", "VIOLATED": "violated", "UNDETERMINED": "undetermined"}


def report_html(report: Report) -> str:
    """The fragment, without scripts; all text from the model is escaped."""
    bounds = ", ".join([plural(report.threads, "thread"), *(f"{n}={v}" for n, v in report.params.items())])
    scope = "complete" if report.complete else "not complete"
    rows = "".join(_row(p) for p in report.properties if p.kind != "faults" or p.verdict != "HOLDS")
    return (
        f"<div><p><b>{escape(report.model)}: {report.verdict}</b> &middot; {plural(report.states, 'state')}, "
        f"depth {report.depth}, {scope} for {escape(bounds)}</p><table>{rows}</table>{_picture(report)}</div>"
    )


def _row(result: PropertyResult) -> str:
    remark = " (vacuous)" if result.vacuous else f": {result.note}" if result.note else ""
    cells = (result.name, _SIGN[result.verdict] + remark, " ".join(result.doc.split()))
    return f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"


def _picture(report: Report) -> str:
    bad = {p.name for p in report.properties if p.verdict == "VIOLATED"}
    trace = next((t for t in report.traces if t.property in bad), None)
    if trace is None:
        return ""
    return render_svg(trace) + "".join(f"<p>{escape(sentence)}</p>" for sentence in cause_sentences(trace))
