"""Relaxed variables as shown to a reader: a store waits in its thread's buffer and reaches memory later.

A trace has the buffers as cells (``store_buffer.x[0][1]``: thread 0, second entry). A thread sees its own stores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dio_mc.trace.trace import TraceStep

_CELL = re.compile(r"store_buffer\.(?P<name>\w+)\[(?P<thread>\d+)\](?:\[(?P<place>\d+)\])?")
_OWN = ("which", "barrier", "fence")
_DAEMON = "store_buffers"
_LOCATION = ".pc"


@dataclass(frozen=True, slots=True)
class Drained:
    """A store that reaches memory: the variable, its values before and after, and the thread that stored it."""

    name: str
    before: str
    after: str
    thread: str


@dataclass(frozen=True, slots=True)
class Buffers:
    """The contents of the buffers in one state: the relaxed variables in the order of their numbers (from 1), the
    threads, and the state itself."""

    names: tuple[str, ...]
    threads: tuple[str, ...]
    state: Mapping[str, str]

    def stores(self, thread: str) -> list[tuple[str, str]]:
        """The stores of a thread that have not reached memory, oldest first."""
        if thread not in self.threads:
            return []
        found, number, place = list[tuple[str, str]](), self.threads.index(thread), 0
        numbers = {str(which): name for which, name in enumerate(self.names, start=1)}
        while name := numbers.get(self.state.get(f"store_buffer.which[{number}][{place}]", "")):
            found.append((name, self.state.get(f"store_buffer.{name}[{number}][{place}]", "")))
            place += 1
        return found

    def drained(self, step: TraceStep) -> Drained | None:
        """The store that a step of the buffers moves to memory; None for any other step."""
        if step.thread != _DAEMON or step.text != "drain()" or not step.choice:
            return None
        owner, *places = step.choice
        thread, place = self.threads[owner] if owner < len(self.threads) else "", places[0] if places else 0
        waiting = self.stores(thread)
        if place >= len(waiting):
            return None
        name, value = waiting[place]
        return Drained(name, self.state.get(name, ""), value, thread)


def buffers_of(state: Mapping[str, str]) -> Buffers | None:
    """The buffers of a program in a state; None if it has none."""
    if "store_buffer.which[0][0]" not in state or _DAEMON + _LOCATION not in state:
        return None
    cells = [match["name"] for name in state if (match := _CELL.fullmatch(name)) is not None]
    threads = [name.removesuffix(_LOCATION) for name in state if name.endswith(_LOCATION)]
    return Buffers(tuple(name for name in dict.fromkeys(cells) if name not in _OWN), tuple(threads), state)


def own_stores(state: Mapping[str, str], thread: str) -> dict[str, str]:
    """The values that a thread sees of the variables that it has stored to: its newest stores."""
    buffers = buffers_of(state)
    return dict(buffers.stores(thread)) if buffers is not None else {}


def is_bookkeeping(cell: str, thread: str) -> bool:
    """Whether a change of a cell says nothing that the step does not: which variable an entry is of, and on a step of
    the buffers the entries themselves, since the store is shown where it reaches memory."""
    match = _CELL.fullmatch(cell)
    return match is not None and (match["name"] in _OWN or thread == _DAEMON)


def is_buffered(cell: str) -> bool:
    """Whether a cell is an entry of a buffer."""
    return _CELL.fullmatch(cell) is not None
