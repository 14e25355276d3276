"""Finds where a run that never reaches its goal could have left for it: out of its loop, or at the last possibility
before that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from dio_mc.explain.run import Run
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action

Truth = Callable[[State], bool]
"""Whether the goal holds in a state."""


class Turn(NamedTuple):
    """Taking `action` before step `number` instead: the first of `length` steps to the goal."""

    number: int
    action: Action
    length: int


def last_turn(run: Run, loop: int | None, truth: Truth, max_states: int) -> tuple[Turn | None, int]:
    """The shortest way to the goal out of the loop that begins at step `loop`. If there is none (or no loop), the last
    point of the run from which the goal can be reached. Also the number of states visited; the search gives up after
    `max_states`.

    A path that only follows this run for longer, and reaches the goal where this one does, does not count.
    """
    last, spent = len(run.actions), 0
    stretches = [(number, number) for number in range((loop or last + 1) - 1, 0, -1)]
    for first, end in [(loop, last), *stretches] if loop else stretches:
        turn, looked = _nearest(run, first, end, truth, max_states - spent)
        spent += looked
        if turn is not None or spent >= max_states:
            return turn, spent
    return None, spent


def _nearest(run: Run, first: int, last: int, truth: Truth, max_states: int) -> tuple[Turn | None, int]:
    """The shortest path to the goal from before one of these steps that does not return to the run after them. Among
    equally short paths, the one that leaves first, then the first in the order of steps."""
    turns = {state: Turn(0, run.actions[0], 0) for state in run.states[last:]}
    for number in range(last, first - 1, -1):
        turns[run.states[number - 1]] = Turn(number, run.actions[number - 1], 0)
    level = [run.states[number - 1] for number in range(first, last + 1)]
    while level:
        further: list[State] = []
        for after, turn in _steps(run, level, turns):
            if len(turns) >= max_states:
                return None, len(turns)
            turns[after] = turn
            if truth(after):
                return turn, len(turns)
            further.append(after)
        level = further
    return None, len(turns)


def _steps(run: Run, level: list[State], turns: dict[State, Turn]) -> Iterator[tuple[State, Turn]]:
    """The successors of a level that are not in `turns` yet, each with how it was reached."""
    for state in level:
        number, action, length = turns[state]
        for step in run.interpreter.successors(state):
            if step.state is not None and step.state not in turns:
                yield step.state, Turn(number, action if length else step.action, length + 1)
