"""The data for the script about the steps beside a trace, in compact form: positions connected by steps."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from dio_mc.html.markup import visible
from dio_mc.render.scene import held_in
from dio_mc.render.statement import short
from dio_mc.stepping.ways import Position, Way, Ways
from dio_mc.trace.trace import Place, Trace, TraceStep

Values = Mapping[str, str]


def ways_view(trace: Trace, ways: Ways, threads: Mapping[str, int], files: Mapping[str, int]) -> dict[str, Any]:
    """Threads, cells, files and properties are numbered by position, as in `view`; statements are in a table. A way is
    [statement, segment, changes, target or null, fault, violated step properties, choice]."""
    writer = _Writer(trace, ways, threads, files)
    found = [writer.position(n, position) for n, position in enumerate(ways.positions)]
    return {
        "statements": writer.statements,
        "positions": found,
        "along": list(ways.along),
        "taken": [_taken(ways.positions[n].ways, step) for n, step in zip(ways.along, trace.steps, strict=False)],
        "depth": ways.depth,
        "cut": ways.cut,
        "command": visible(step_command(trace)),
    }


def step_command(trace: Trace) -> str:
    """The command that steps through the model of a trace; empty if the model is not a class with parameters."""
    name, _, given = trace.model.name.partition("@")
    bound = dict(trace.model.params)
    params = [param for param in given.split(",") if param]
    if not trace.model.file.endswith(".py") or "__" in name or any(p.split("=")[0] not in bound for p in params):
        return ""
    words = [word for param in params for word in ("--param", param)]
    return shlex.join(["dio-mc", "step", trace.model.file, "--model", name, *words])


def _taken(found: Sequence[Way] | None, step: TraceStep) -> int | None:
    """The position of the way that the trace took, or None."""
    action = (step.thread, step.location, step.choice)
    return next((n for n, w in enumerate(found or ()) if (w.thread, w.location, w.choice) == action), None)


class _Writer:
    """Writes positions in the order in which they were found, so that the values at each follow from those at an
    earlier one."""

    def __init__(self, trace: Trace, ways: Ways, threads: Mapping[str, int], files: Mapping[str, int]) -> None:
        self.statements: list[list[Any]] = []
        self._trace, self._threads, self._files = trace, threads, files
        self._numbers: dict[tuple[str, str], int] = {}
        self._cells = {cell.name: n for n, cell in enumerate(trace.initial)}
        self._properties = {standing.property: n for n, standing in enumerate(trace.standings)}
        self._values: dict[int, Values] = dict(zip(ways.along, trace.states(), strict=False))

    def position(self, number: int, position: Position) -> list[Any]:
        """[ways or null, who waits at what, properties, undecided properties, locks held, whether it is a deadlock]."""
        values = self._values[number]
        for way in position.ways or ():
            if way.target is not None and way.target not in self._values:
                self._values[way.target] = {**values, **{c.cell: c.after for c in way.changes}}
        held = [
            [visible(lock), self._threads[thread], visible(mode)] for lock, thread, mode in held_in(self._trace, values)
        ]
        return [
            None if position.ways is None else [self._way(way) for way in position.ways],
            [[self._threads[w.thread], short(w.text)] for w in position.waiting],
            self._named(position.at),
            self._named(position.unknown),
            held,
            int(position.deadlock),
        ]

    def _named(self, properties: Sequence[str]) -> list[int]:
        return [self._properties[name] for name in properties if name in self._properties]

    def _way(self, way: Way) -> list[Any]:
        changes = [[self._cells[c.cell], visible(c.after)] for c in way.changes if c.cell in self._cells]
        fault = visible(f"{way.fault.kind}: {way.fault.message}") if way.fault is not None else ""
        return [self._statement(way), way.segment, changes, way.target, fault, self._named(way.at), list(way.choice)]

    def _statement(self, way: Way) -> int:
        key = way.thread, way.location
        if key not in self._numbers:
            self._numbers[key] = len(self.statements)
            calls = [visible(call) for call in way.calls]
            place = visible(str(way.place)) if way.place is not None else ""
            anchor = visible(way.anchor or "")
            at = self._at(way.place)
            self.statements.append([self._threads[way.thread], short(way.text), calls, anchor, place, at])
        return self._numbers[key]

    def _at(self, place: Place | None) -> list[int] | None:
        return [self._files[place.file], place.line] if place is not None and place.file in self._files else None
