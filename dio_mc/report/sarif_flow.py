"""A counterexample as a SARIF code flow: one thread flow per CPU, with the order of steps in `executionOrder`."""

from __future__ import annotations

import hashlib
import os
import urllib.parse
from pathlib import Path
from typing import Any

from dio_mc.checking.results import Report
from dio_mc.report.batch import Case
from dio_mc.trace.trace import Place, Trace, TraceStep

MOST_LOCATIONS = 10_000
"""The limit of code scanning services per result; of a longer counterexample the last steps are kept."""


def code_flow(trace: Trace) -> dict[str, Any]:
    """The steps by thread, in order of appearance."""
    steps = trace.steps[-MOST_LOCATIONS:]
    flows = []
    for cpu, thread in enumerate(trace.cast):
        located = [_step(step, step is trace.steps[-1]) for step in steps if step.thread == thread.name]
        if located:
            flows.append({"id": f"CPU{cpu} {thread.name}", "locations": located})
    flow: dict[str, Any] = {"threadFlows": flows}
    if len(steps) < len(trace.steps):
        flow["message"] = {"text": f"the last {len(steps)} of {len(trace.steps)} steps"}
    return flow


def _step(step: TraceStep, last: bool) -> dict[str, Any]:
    location: dict[str, Any] = {"message": {"text": message_text(step.head)}}
    if step.place is not None:
        location["physicalLocation"] = physical(step.place)
    if step.anchor:
        location["logicalLocations"] = [{"fullyQualifiedName": step.anchor, "kind": "function"}]
    changes = {c.cell: {"text": message_text(f"{c.before} -> {c.after}")} for c in step.changes}
    entry: dict[str, Any] = {"location": location, "executionOrder": step.number, "nestingLevel": len(step.calls)}
    entry["importance"] = "essential" if last else "important" if changes else "unimportant"
    return {**entry, "state": changes} if changes else entry


def fingerprint(report: Report, case: Case) -> str:
    """A hash of the property and its actions by name. Line numbers, state values and the path of the file are not
    included."""
    parts = [report.model, case.name.split("@")[0], case.status]
    if case.trace is not None:
        parts += [f"{s.thread}|{'/'.join(s.operations)}|{s.text}|{s.choice}" for s in case.trace.steps]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def physical(place: Place) -> dict[str, Any]:
    """A place in a file; relative to the working directory of the command if the file is below it."""
    return {"artifactLocation": _artifact(place.file), "region": {"startLine": max(1, place.line)}}


def _artifact(file: str) -> dict[str, str]:
    relative = os.path.relpath(file).replace(os.sep, "/")
    if relative.startswith("../"):
        return {"uri": Path(file).resolve().as_uri()}
    return {"uri": urllib.parse.quote(relative), "uriBaseId": "%SRCROOT%"}


def message_text(text: str) -> str:
    """Plain text in SARIF's notation: braces are doubled, and nothing is parsed as a link."""
    return text.replace("{", "{{").replace("}", "}}").replace("](", "] (")
