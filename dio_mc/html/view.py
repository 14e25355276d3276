"""The data for the script of a trace's page: the trace as numbers and display-ready texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from dio_mc.html.live import Live
from dio_mc.html.live_panels import live_view
from dio_mc.html.markup import visible
from dio_mc.html.source import Source
from dio_mc.html.ways_view import ways_view
from dio_mc.render.scene import holds, wrong_cells
from dio_mc.render.sentences import closing, waits_at
from dio_mc.render.statement import short
from dio_mc.stepping.ways import Ways
from dio_mc.trace.trace import Alternative, Change, Place, Standing, Trace, TraceStep, Waiting


def view(trace: Trace, sources: Sequence[Source], ways: Ways | None = None, live: Live | None = None) -> dict[str, Any]:
    """Threads, cells and files are numbered by position; steps and states are numbered as in the trace."""
    threads = {thread.name: position for position, thread in enumerate(lanes(trace))}
    cells = {cell.name: position for position, cell in enumerate(trace.initial)}
    files = {source.file: position for position, source in enumerate(sources)}
    wrong = wrong_cells(trace)
    return {
        "threads": [{"name": visible(t.name), "daemon": t.daemon} for t in lanes(trace)],
        "cells": [
            {"name": visible(c.name), "value": visible(c.value), "role": c.role, "ghost": c.ghost,
             "thread": threads.get(c.thread or ""), "wrong": c.name in wrong, "free": c.free}
            for c in trace.initial
        ],
        "steps": [_step(trace, step, threads, cells, files) for step in trace.steps],
        "holds": [
            {"lock": visible(h.lock), "mode": visible(h.mode), "thread": threads[h.thread], "start": h.start,
             "end": h.end}
            for h in holds(trace)
        ],
        "properties": [_property(s, trace) for s in trace.standings],
        "blocked": _blocked(trace.blocked, threads, trace),
        "failing": [visible(f"{f.source}  ({f.values})" if f.values else f.source) for f in trace.failing],
        "end": visible(" ".join(closing(trace))),
        "loop": trace.loop,
        "witness": trace.kind == "witness",
        "deadlock": trace.property_kind == "deadlock",
        "ways": ways_view(trace, ways, threads, files) if ways is not None else None,
        "live": live_view(live) if live is not None else None,
    }  # fmt: skip


def lanes(trace: Trace) -> list[Any]:
    """The threads in the order of the CPUs: those that run, in the order of their first step, then the others."""
    cast = trace.cast
    return [*cast, *(thread for thread in trace.threads if thread not in cast)]


def _step(
    trace: Trace, step: TraceStep, threads: dict[str, int], cells: dict[str, int], files: dict[str, int]
) -> dict[str, Any]:
    place = step.fault.place if step.fault is not None and step.fault.place is not None else step.place
    return {
        "thread": threads[step.thread],
        "text": short(step.text),
        "calls": [visible(call) for call in step.calls],
        "anchor": visible(step.anchor or ""),
        "place": visible(str(place)) if place is not None else "",
        "at": _at(place, files),
        "changes": _changes(step.changes, cells) + _changes(step.local_changes, cells),
        "instead": [_alternative(a, threads) for a in step.alternatives],
        "blocked": _blocked(step.blocked, threads, None),
        "fault": visible(f"{step.fault.kind}: {step.fault.message}") if step.fault is not None else "",
        "choice": list(step.choice),
    }


def _at(place: Place | None, files: dict[str, int]) -> list[int] | None:
    return [files[place.file], place.line] if place is not None and place.file in files else None


def _changes(changes: Iterable[Change], cells: dict[str, int]) -> list[list[Any]]:
    return [[cells[c.cell], visible(c.after)] for c in changes if c.cell in cells]


def _alternative(other: Alternative, threads: dict[str, int]) -> dict[str, Any]:
    choice = f"  [choice {', '.join(map(str, other.choice))}]" if other.choice else ""
    return {
        "thread": threads.get(other.thread),
        "name": visible(other.thread),
        "text": short(other.text) + choice,
        "fault": visible(other.fault or ""),
    }


def _blocked(waiting: Iterable[Waiting], threads: dict[str, int], end: Trace | None) -> list[dict[str, Any]]:
    return [
        {"thread": threads.get(w.thread), "name": visible(w.thread),
         "text": waits_at(end, w) if end is not None else short(w.text)}
        for w in waiting
    ]  # fmt: skip


def _property(standing: Standing, trace: Trace) -> dict[str, Any]:
    return {
        "name": visible(standing.property),
        "kind": standing.kind,
        "doc": visible(" ".join(standing.doc.split())),
        "at": list(standing.at),
        "unknown": list(standing.unknown),
        "shown": standing.property == trace.property,
    }
