"""What pictures of a trace need in addition to the steps: who holds which lock when, which cells get a column, which
are wrong at the end. Derived from the trace alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dio_mc.render.statement import printable
from dio_mc.trace.trace import Cell, Trace, TraceStep

_FIELD = re.compile(r"\.(?P<field>\w+)(?:\[(?P<index>\d+)\])?$")
_VALUE = re.compile(r"(?P<cell>[A-Za-z_][\w.\[\]]*?)\s*=\s*(?P<value>[^,;=]+?)\s*(?:[,;]|$)")
_IGNORED = {"waiting", "handed", "asleep", "changed"}
"""Cells of a lock, per thread or not, that do not say who holds it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A thread holds a lock from after step `start` (0: from the beginning) until step `end` (None: to the end of the
    trace). `mode` is set for locks that can be held in several ways (``reading``)."""

    lock: str
    thread: str
    mode: str
    start: int
    end: int | None

    @property
    def label(self) -> str:
        """``i_mutex``, ``i_alloc_sem (reading)``."""
        return f"{self.lock} ({self.mode})" if self.mode else self.lock


def holds(trace: Trace) -> tuple[Hold, ...]:
    """Every interval in which a thread holds a lock, by start, then in the order of the state."""
    open_: dict[tuple[str, str, str], int] = {}
    found: list[Hold] = []
    for number, state in enumerate(trace.states()):
        held = list(held_in(trace, state))
        for key in [key for key in open_ if key not in held]:
            found.append(Hold(*key, open_.pop(key), number))
        for key in held:
            open_.setdefault(key, number)
    found += [Hold(*key, start, None) for key, start in open_.items()]
    order = {cell.name: rank for rank, cell in enumerate(trace.initial)}
    return tuple(sorted(found, key=lambda hold: (hold.start, order.get(hold.lock, len(order)), hold.lock, hold.thread)))


def held_at(trace: Trace, number: int) -> tuple[Hold, ...]:
    """The locks held in the state after step `number`."""
    return tuple(h for h in holds(trace) if h.start <= number and (h.end is None or number < h.end))


def held_in(trace: Trace, state: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(lock, thread, mode) of every lock held in a state."""
    names = [thread.name for thread in trace.threads]
    for cell in trace.initial:
        match = _FIELD.search(cell.name) if cell.role == "lock" else None
        if match is None or match["field"] in _IGNORED:
            continue
        lock, value = cell.name[: match.start()], state[cell.name]
        mode = "" if match["field"] in ("owner", "holder") else match["field"]
        index = match["index"]
        if value in names:
            yield (f"{lock}[{index}]" if index is not None else lock), value, mode
        elif (
            index is not None and int(index) < len(names) and (value == "True" or (mode == "readers" and value != "0"))
        ):
            yield lock, names[int(index)], mode


def wrong_cells(trace: Trace) -> dict[str, str]:
    """The cells in the failing conjuncts, with their values at the end; without conjuncts, the cells that the last step
    changed. Only shared cells count (``after.x`` is ``x``)."""
    final = list(trace.states())[-1]
    shared = {cell.name for cell in trace.initial if cell.thread is None}
    found: dict[str, str] = {}
    for part in trace.failing:
        for match in _VALUE.finditer(part.values):
            name = match["cell"].removeprefix("after.").removeprefix("self.")
            if name in shared:
                found[name] = final[name]
    if not found and trace.property_kind in ("invariant", "step", "reachable") and trace.steps:
        changed = [c.cell for c in trace.steps[-1].changes if c.role == "data" and not c.ghost]
        found = {name: final[name] for name in changed}
    return found


def last_writers(trace: Trace) -> dict[str, int]:
    """For each cell the last step that changed it."""
    return {change.cell: step.number for step in trace.steps for change in step.changes}


def cells_shown(trace: Trace, most: int = 12) -> tuple[Cell, ...]:
    """The shared data cells that get a column, at most `most`, in the order of the state. Preferred are wrong cells,
    then those that change, then those that a statement names."""
    wrong, writers = wrong_cells(trace), last_writers(trace)
    named = {root for step in trace.steps for root in re.findall(r"self\.(\w+)", step.text)}
    data = [cell for cell in trace.initial if cell.role == "data" and cell.thread is None]

    def rank(cell: Cell) -> int:
        if cell.name in wrong:
            return 0
        if cell.name in writers:
            return 1 + cell.ghost
        return 3 if _root(cell.name) in named else 4

    chosen = {cell.name for cell in sorted(data, key=rank)[:most]}
    return tuple(cell for cell in data if cell.name in chosen)


def _root(cell: str) -> str:
    return re.split(r"[\[.]", cell, maxsplit=1)[0]


def waited(steps: Sequence[TraceStep], position: int) -> bool:
    """Whether the thread of this step was blocked at some point since its previous step."""
    step = steps[position]
    for other in reversed(steps[:position]):
        if any(w.thread == step.thread and w.location == step.location for w in other.blocked):
            return True
        if other.thread == step.thread:
            return False
    return False


def cpu_names(trace: Trace) -> dict[str, str]:
    """``CPU0 (reader)`` by thread, in order of appearance."""
    return {thread.name: printable(f"CPU{number} ({thread.name})") for number, thread in enumerate(trace.cast)}


def cpu_of(trace: Trace, thread: str) -> str:
    """``CPU0``; the thread's name if it takes no step."""
    return cpu_names(trace).get(thread, thread).split(" (")[0]
