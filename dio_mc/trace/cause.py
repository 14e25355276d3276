"""Why a trace shows what it shows, as a trace stores it. Steps are told by their numbers in the trace, from 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WindowSearch = Literal["found", "none", "gave up", "not sought"]


@dataclass(frozen=True, slots=True)
class Window:
    """From after step `first` until step `last`, both of one thread: when no other runs there while that one can, the
    model does not violate the property, which a search of `states` states has shown. `inside` are the steps of others
    that this trace has there. One past the trace's end, `last` is the step that the thread waits for there, or its
    first one in the next round of the loop."""

    first: int
    last: int
    inside: tuple[int, ...]
    states: int


@dataclass(frozen=True, slots=True)
class Wait:
    """A thread that cannot run at the end could, if `cell` had another value than the one that `step` gave it. None: it
    has had that value from the start; `setters` are then the other threads whose code could still change it."""

    thread: str
    cell: str
    step: int | None
    setters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Escape:
    """Where a run that never meets its goal could have turned off to it: before step `step`, `thread` could have taken
    the step `text`, the first of `length` to the goal. With `step` in the loop it is the nearest way out; before it,
    or without a loop, the last one: after that step no run that leaves this one reaches the goal."""

    step: int
    thread: str
    text: str
    length: int


@dataclass(frozen=True, slots=True)
class Why:
    """Why a trace shows what it shows: `steps` are those that matter (empty: not known), `window` is the decisive one.

    `search` says how looking for the window ended: every pair of steps was tried and there is ``none``, or it ``gave
    up`` after `states` states. `waits` are those of a run that ends; `escape` is of one that goes on and never meets
    its goal (None: there is none, or it was not found within the states allowed).
    """

    steps: tuple[int, ...]
    window: Window | None
    search: WindowSearch
    states: int
    waits: tuple[Wait, ...] = ()
    escape: Escape | None = None

    def named(self) -> tuple[int, ...]:
        """All steps that are spoken of; a window's end beyond the trace is none."""
        window = self.window
        found = [*self.steps, *((window.first, *window.inside) if window else ())]
        found += [wait.step for wait in self.waits if wait.step is not None]
        return (*found, *((self.escape.step,) if self.escape else ()))
