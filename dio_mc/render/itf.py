"""Trace -> the Informal Trace Format (Apalache's ADR-015), which ITF viewers and Quint's tools read.

Arrays are functions from 0 (``#map``), locks and records are records, threads are a function from their names to their
location and locals. The step that led to a state is in ``mbt::actionTaken`` and ``mbt::nondetPicks``, as in Quint.
``loop`` is the state that follows the last one, forever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dio_mc.trace.trace import Trace, TraceStep

ACTION, PICKS, THREADS = "mbt::actionTaken", "mbt::nondetPicks", "dio::threads"
FORMAT = "https://apalache-mc.org/docs/adr/015adr-trace.html"
_PART = re.compile(r"\[(-?\d+)\]|\.?([^.\[\]]+)")


def render_itf(trace: Trace) -> str:
    """The trace as JSON text with a newline at the end. A last step that is a fault adds no state."""
    steps = [None, *(step for step in trace.steps if step.fault is None)]
    states = [_state(trace, n, v, step) for n, (v, step) in enumerate(zip(trace.states(), steps, strict=True))]
    shared = dict.fromkeys(_path(cell.name)[0] for cell in trace.initial if cell.thread is None)
    document = {
        "#meta": {
            "format": "ITF",
            "format-description": FORMAT,
            "source": trace.model.file,
            "description": f"{trace.kind} of {trace.property} in {trace.model.name}, digest {trace.model.digest}",
        },
        "params": [],
        "vars": [*map(str, shared), THREADS, ACTION, PICKS],
        "states": states,
        **({} if trace.loop is None else {"loop": trace.loop}),
    }
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _state(trace: Trace, number: int, values: Mapping[str, str], step: TraceStep | None) -> dict[str, Any]:
    tree: dict[Any, Any] = {}
    threads: dict[Any, Any] = {thread.name: {} for thread in trace.threads}
    for cell in trace.initial:
        if cell.thread is None:
            _put(tree, _path(cell.name), _scalar(values[cell.name]))
        else:
            name = cell.name.removeprefix(f"{cell.thread}.")
            threads[cell.thread][name] = _scalar(values[cell.name])
    shared = {name: _plain(value) for name, value in tree.items()}
    named = {"#map": [[name, own] for name, own in threads.items()]}
    return {"#meta": {"index": number}, **shared, THREADS: named, **_action(step)}


def _action(step: TraceStep | None) -> dict[str, Any]:
    if step is None:
        return {ACTION: "init", PICKS: {}}
    picks = {"thread": step.thread, "choice": {"#tup": [_scalar(str(number)) for number in step.choice]}}
    return {ACTION: step.location, PICKS: picks}


def _path(name: str) -> list[str | int]:
    """``page_lock[0].owner`` -> page_lock, 0, owner."""
    return [int(index) if index else word for index, word in _PART.findall(name)]


def _put(tree: dict[Any, Any], path: list[str | int], value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _plain(value: Any) -> Any:
    """Dictionaries with number keys as functions, others as records."""
    if not isinstance(value, dict) or "#bigint" in value:
        return value
    if all(isinstance(key, int) for key in value):
        return {"#map": [[_scalar(str(key)), _plain(item)] for key, item in value.items()]}
    return {key: _plain(item) for key, item in value.items()}


def _scalar(value: str) -> Any:
    if value in ("True", "False"):
        return value == "True"
    return {"#bigint": value} if re.fullmatch(r"-?\d+", value) else value
