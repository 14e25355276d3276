"""Trace -> a mail: what was checked, the diagram of `commit`, why it fails, and how to reproduce it. ASCII, 72
columns."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from dio_mc.render.columns import wrapped
from dio_mc.render.commit import WIDTH, render_commit
from dio_mc.render.sentences import rule_words
from dio_mc.render.statement import printable
from dio_mc.render.why import why_sentences
from dio_mc.trace.trace import Trace


def render_lkml(trace: Trace, *, path: str = "TRACE.json") -> str:
    """The mail without a newline at the end; `path` is the file of the trace."""
    blocks = [_subject(trace), _about(trace), render_commit(trace, numbered=True)]
    if trace.why is not None:
        rows = [row for line in why_sentences(trace) for row in wrapped(printable(line), WIDTH, 2, hang=2)]
        blocks.append("Why:\n" + "\n".join(rows))
    blocks.append("To see it again:\n" + "\n".join(_commands(trace, path)))
    return "\n\n".join(blocks)


_PRODUCT = re.compile(
    r"(?P<work>[a-z0-9_]+)__(?P<rule>[a-z0-9_]+?)(?:@(?:pages=(?P<pages>\d))?,?(?:sectors=(?P<sectors>\d))?,?(?:watched=\d)?)?"
    r"@(?:hole|preallocated|written)(?:_\w+)?"
)
"""The name of the program of a workload under a rule, which is not a class in a file."""


def _subject(trace: Trace) -> str:
    stem = trace.model.file.rsplit("/", 1)[-1].removesuffix(".py")
    what = {"deadlock": "deadlock", "fault": trace.property}.get(trace.property_kind, trace.property.replace("_", " "))
    verdict = "can be reached" if trace.kind == "witness" else "found" if what == "deadlock" else "is violated"
    return "\n".join(wrapped(printable(f"Subject: {stem} ({trace.model.name}): {what} {verdict}"), WIDTH, 0, hang=1))


def _about(trace: Trace) -> str:
    """The model, its bounds, the rule."""
    threads = ", ".join(t.name + (" (daemon)" if t.daemon else "") for t in trace.threads)
    params = ", ".join(f"{name}={value}" for name, value in trace.model.params)
    shown = "a shortest schedule" if trace.canonical else "a schedule, not known to be the shortest"
    about = [
        ("Model", f"{trace.model.file}, {trace.model.name}, digest {trace.model.digest}"),
        ("Bounds", "; ".join(part for part in (params, f"threads: {threads}") if part)),
        ("Rule", rule_words(trace) + (f" ({trace.place})" if trace.place else "")),
        ("Shown", f"{shown}: {len(trace.steps)} steps, {trace.switches} context switches (sequential "
                  "consistency; a step of the model is one step here)"),
    ]  # fmt: skip
    return "\n".join(row for label, text in about for row in _labelled(label, text))


def _labelled(label: str, text: str) -> list[str]:
    rows = wrapped(printable(text), WIDTH - 8, 0, hang=0)
    return [(f"{label}:".ljust(8) if not number else " " * 8) + row for number, row in enumerate(rows)]


def _commands(trace: Trace, path: str) -> list[str]:
    product = _PRODUCT.fullmatch(trace.model.name)
    if product is not None:
        work = product["work"].replace("_x_", ",")
        sectors = ["--sectors", product["sectors"]] if product["sectors"] else []
        sectors += ["--pages", product["pages"]] if product["pages"] else []
        files = [word for file in trace.model.files for word in ("--file", file)]
        again = ["dio-mc", "outcomes", work, "--rule", product["rule"], *sectors, *files]
        return [*_command(again), *_command(["dio-mc", "replay", path, *files])]
    name = trace.model.name.split("@", maxsplit=1)[0]
    params = [part for key, value in trace.model.params for part in ("--param", f"{key}={value}")]
    check = ["dio-mc", "check", trace.model.file, "--model", name, *params]
    return [*_command(check), *_command(["dio-mc", "replay", path])]


def _command(words: Sequence[str]) -> list[str]:
    """A shell command in rows; all except the last end in a backslash."""
    rows, row = list[str](), " "
    for word in (printable(shlex.quote(word)) for word in words):
        if len(row) + 1 + len(word) > WIDTH - 2 and row.strip():
            rows.append(f"{row} \\")
            row = "     "
        row += f" {word}"
    return [*rows, row]
