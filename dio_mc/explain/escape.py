"""Where a run that never meets its goal could have turned off to it: out of its loop, or the last time before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from dio_mc.explain.run import Run
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action

Truth = Callable[[State], bool]
"""Whether a state is the goal."""


class Turn(NamedTuple):
    """Before step `number`, `action` instead: the first of `length` steps to the goal."""

    number: int
    action: Action
    length: int


def last_turn(run: Run, loop: int | None, truth: Truth, max_states: int) -> tuple[Turn | None, int]:
    """The nearest turn out of the loop that begins at step `loop`; where no run leads from there to the goal (or there
    is no loop), the last one on the way. And the states looked at; beyond `max_states` there is no answer.

    A run that only follows this one for longer, and meets the goal where this one does, is no turn."""
    last, spent = len(run.actions), 0
    stretches = [(number, number) for number in range((loop or last + 1) - 1, 0, -1)]
    for first, end in [(loop, last), *stretches] if loop else stretches:
        turn, looked = _nearest(run, first, end, truth, max_states - spent)
        spent += looked
        if turn is not None or spent >= max_states:
            return turn, spent
    return None, spent


def _nearest(run: Run, first: int, last: int, truth: Truth, max_states: int) -> tuple[Turn | None, int]:
    """The shortest way to the goal from before one of these steps that does not come back to the run after them; of
    equally short ones the one that turns off first, then the first in the order of steps."""
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
    """The states after a level that are not among `turns` yet, each with how it was reached."""
    for state in level:
        number, action, length = turns[state]
        for step in run.interpreter.successors(state):
            if step.state is not None and step.state not in turns:
                yield step.state, Turn(number, action if length else step.action, length + 1)
