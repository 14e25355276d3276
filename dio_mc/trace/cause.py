"""The explanation of a trace, as stored in it. Steps are given by their numbers in the trace, from 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WindowSearch = Literal["found", "none", "gave up", "not sought"]


@dataclass(frozen=True, slots=True)
class Window:
    """The interval after step `first` until step `last`, both of one thread. If no other thread runs in it while that
    thread can, the model does not violate the property; a search of `states` states has shown this. `inside` are the
    steps of other threads that this trace has there. If `last` is one past the trace's end, it is the step that the
    thread waits for there, or its first step in the next round of the loop."""

    first: int
    last: int
    inside: tuple[int, ...]
    states: int


@dataclass(frozen=True, slots=True)
class Wait:
    """A thread that cannot run at the end, but could if `cell` had a value other than the one that `step` gave it. If
    `step` is None, the cell has had that value from the start; `setters` are then the other threads whose code could
    still change it."""

    thread: str
    cell: str
    step: int | None
    setters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escape:
    """The point at which a run that never reaches its goal could have left for it: before step `step`, `thread` could
    have taken the step `text`, the first of `length` steps to the goal. If `step` is in the loop, this is the shortest
    way out; if it is before the loop, or there is no loop, it is the last one: after that step, no continuation reaches
    the goal."""

    step: int
    thread: str
    text: str
    length: int


@dataclass(frozen=True, slots=True)
class Why:
    """The explanation of a trace: `steps` are those that matter (empty: not known), `window` is the decisive one.

    `search` is the outcome of the search for a window: every pair of steps was tried and there is ``none``, or it
    ``gave up`` after `states` states. `waits` belong to a run that ends; `escape` belongs to one that is infinite and
    never reaches its goal (None: there is none, or it was not found within the allowed number of states).
    """

    steps: tuple[int, ...]
    window: Window | None
    search: WindowSearch
    states: int
    waits: tuple[Wait, ...] = ()
    escape: Escape | None = None

    def named(self) -> tuple[int, ...]:
        """All steps that the explanation mentions; a window's end beyond the trace is omitted."""
        window = self.window
        found = [*self.steps, *((window.first, *window.inside) if window else ())]
        found += [wait.step for wait in self.waits if wait.step is not None]
        return (*found, *((self.escape.step,) if self.escape else ()))
