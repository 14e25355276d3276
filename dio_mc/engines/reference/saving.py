"""Checkpoints of the reference engine: the steps of every state that was expanded.

A search by the interpreter is resumed by running it again, with steps that are read instead of interpreted. So the
answer is the same by construction, with the graph for properties of whole runs, and every part of the search sees what
it saw before. Interpreting again is what takes the time: to rebuild the graph from its states alone would take as long
as the search did, so the steps are saved, one word for most.

A frame contains the states that appear in it for the first time, cell by cell, and then, for each expanded state: its
number, how many steps it has, and for each step its action and the number of the state after it. A state with a fault
is interpreted again. The search may be cut after any state, so a frame need not end with a level.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

from dio_mc.engines.checkpoints.frame import WORD, Frame
from dio_mc.engines.checkpoints.place import refused
from dio_mc.engines.checkpoints.store import Keeper
from dio_mc.engines.reference.components import Graph
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Step

LOOK_EVERY: Final = 256
"""States between two looks at whether a frame is due."""
AGAIN: Final = -1
"""In place of the number of steps: interpret the state again."""


class Recorded:
    """A `TransitionSystem` that saves what the interpreter says, and says again what was saved.

    If saving begins late, the steps before are those of `graph`, which exists for properties of whole runs; a search
    without such properties is then not saved.
    """

    def __init__(self, system: Interpreter, keeper: Keeper, graph: Graph | None) -> None:
        self._system, self._keeper, self._graph = system, keeper, graph
        self._size = system.layout.size
        self._numbers: dict[State, int] = {}
        self._actions: dict[Action, int] = {}
        self._calls = 0
        self._saved = self._read(keeper.saved) if keeper.saved else None
        self._on = keeper.begun
        self._begin_frame()

    def starting(self) -> Iterator[State]:
        """As the interpreter's."""
        return self._system.starting()

    def successors(self, state: State) -> Sequence[Step]:
        """As the interpreter's."""
        if self._saved is not None:
            entry = next(self._saved, None)
            if entry is not None:
                return self._checked(state, *entry)
            self._saved = None
        self._calls += 1
        if self._calls % LOOK_EVERY == 0:  # before this state: the graph has all states before it
            self._look()
        steps = self._system.successors(state)
        if self._on:
            self._record(state, steps)
        return steps

    def end(self, *, write: bool) -> None:
        """The search has ended: wait for what is being written, and write the rest if it may be of use."""
        self._keeper.close()
        if write and self._on and self._saved is None and self._done[2] and not self._keeper.ended:
            self._write()
            self._keeper.close()

    # -- saving --------------------------------------------------------------------------------------------------------

    def _begin_frame(self) -> None:
        self._cells, self._words = array("q"), array("q")
        self._first_action = len(self._actions)
        self._done = 0, 0, 0
        """Cells, words and states that belong to states whose steps are recorded: an interrupt may come amid one."""

    def _look(self) -> None:
        if not self._on:
            self._begin()
        if not self._on or self._keeper.done() is None:
            return
        if self._keeper.ended:
            self._on = False
            self._numbers.clear()
            self._begin_frame()
        elif self._keeper.is_due((len(self._cells) + len(self._words)) * WORD):
            self._write()

    def _begin(self) -> None:
        """Start to save, if it is time to; with the steps so far, where they are known."""
        if self._graph is None or not self._keeper.begun:
            return
        for state, steps in self._graph.steps.items():
            self._record(state, steps)
        self._on = True

    def _record(self, state: State, steps: Sequence[Step]) -> None:
        try:
            words = [self._number(state)]
            if any(step.state is None for step in steps):
                words.append(AGAIN)
            else:
                words.append(len(steps))
                for step in steps:
                    words.append(self._actions.setdefault(step.action, len(self._actions)))
                    words.append(self._number(step.state))  # type: ignore[arg-type]  # none is without, see above
            self._words.extend(words)
            self._done = len(self._cells), len(self._words), self._done[2] + 1
        except OverflowError:
            self._keeper.give_up("a value has more than 64 bits")
            self._on = False

    def _number(self, state: State) -> int:
        number = self._numbers.get(state)
        if number is None:
            number = len(self._numbers)
            self._cells.extend(state)
            self._numbers[state] = number
        return number

    def _write(self) -> None:
        cells, words, states = self._done
        actions = list(self._actions)[self._first_action :]
        about = {
            "states": cells // max(self._size, 1), "words": words, "expanded": states, "size": self._size,
            "actions": [[action.thread, action.location, list(action.choice)] for action in actions],
        }  # fmt: skip
        parts = [self._cells[:cells].tobytes(), self._words[:words].tobytes()]
        self._begin_frame()
        self._keeper.write(about, cells + words, parts)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _read(self, frames: Sequence[Frame]) -> Iterator[tuple[Frame, State, Sequence[Step] | None]]:
        """Every expanded state with its steps; None for those to interpret again."""
        states: list[State] = []
        actions: list[Action] = []
        for frame in frames:
            try:
                words = self._taken(frame, states, actions)
                yield from self._steps_of(frame, words, states, actions)
            except (KeyError, TypeError, ValueError, IndexError):
                raise refused(frame.path, "it is not what dio-mc writes") from None
            frame.close()

    def _taken(self, frame: Frame, states: list[State], actions: list[Action]) -> Sequence[int]:
        """Take in the states and actions of a frame; its other words."""
        about: dict[str, Any] = frame.about
        new, size = int(about["states"]), self._size
        if about["size"] != size or new < 0 or new * size + about["words"] != frame.words:
            raise ValueError
        numbers = array("q")
        numbers.frombytes(ctypes.string_at(frame.address, frame.words * WORD))
        for at in range(0, new * size, size):
            state = tuple(numbers[at : at + size])
            self._numbers[state] = len(states)
            states.append(state)
        for thread, location, choice in about["actions"]:
            action = Action(thread, location, tuple(choice))
            self._actions[action] = len(actions)
            actions.append(action)
        self._first_action = len(actions)
        return numbers[new * size :]

    @staticmethod
    def _steps_of(
        frame: Frame, words: Sequence[int], states: Sequence[State], actions: Sequence[Action]
    ) -> Iterator[tuple[Frame, State, Sequence[Step] | None]]:
        at = 0
        while at < len(words):
            number, count = words[at : at + 2]
            at += 2
            if number < 0 or count < AGAIN:
                raise ValueError
            if count == AGAIN:
                yield frame, states[number], None
                continue
            pairs = words[at : at + 2 * count]
            if len(pairs) != 2 * count or any(one < 0 for one in pairs):
                raise ValueError
            at += 2 * count
            yield (
                frame,
                states[number],
                [Step(actions[action], states[after]) for action, after in zip(pairs[::2], pairs[1::2], strict=True)],
            )

    def _checked(self, state: State, frame: Frame, known: State, steps: Sequence[Step] | None) -> Sequence[Step]:
        if state != known:
            raise refused(frame.path, "its states are not those of this search")
        return self._system.successors(state) if steps is None else steps
