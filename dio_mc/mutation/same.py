"""Whether a mutant is one: two programs in lockstep.

Both are run side by side. In every pair of states that is reached the cells of the variables must be equal, so must
what properties ask about control, and the same actions (thread and choice) must exist; each leads to the next pair. If
that closes, every schedule of one is a schedule of the other with the same data at each step, so no property of this
model can tell them apart. The converse is not claimed: programs that differ here may still behave alike.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Step

MOST_PAIRS: Final = 20_000
"""Pairs of states after which nothing is said."""


def same_behaviour(one: Program, other: Program, most: int = MOST_PAIRS) -> bool:
    """True when it is proved. False says nothing: they differ, or there is too much to look at."""
    if one.variables != other.variables or one.threads != other.threads:
        return False
    if one.digest == other.digest:
        return True
    return _Lockstep(Interpreter(one), Interpreter(other)).closes(most)


class _Lockstep:
    def __init__(self, one: Interpreter, other: Interpreter) -> None:
        self._sides = one, other
        self._views = _view(one), _view(other)

    def closes(self, most: int) -> bool:
        one, other = self._sides
        starts = one.initial(), other.initial()
        if len(starts[0]) != len(starts[1]) or one.initial_faults or other.initial_faults:
            return False
        ahead = list(zip(*starts, strict=True))
        seen = set(ahead)
        while ahead:
            pairs = self._after(*ahead.pop())
            if pairs is None or len(seen) > most:
                return False
            ahead += [pair for pair in pairs if pair not in seen]
            seen.update(pairs)
        return True

    def _after(self, left: State, right: State) -> list[tuple[State, State]] | None:
        """The next pairs; None where the two differ."""
        one, other = self._sides
        if self._views[0](left) != self._views[1](right):
            return None
        steps = _by_action(one.successors(left)), _by_action(other.successors(right))
        if steps[0].keys() != steps[1].keys():
            return None
        pairs = [(steps[0][action], steps[1][action]) for action in steps[0]]
        return None if any(a is None or b is None for a, b in pairs) else [(a, b) for a, b in pairs if a and b]


def _by_action(steps: list[Step]) -> dict[tuple[int, tuple[int, ...]], State | None]:
    """Successors by thread and choice; locations have other numbers in another program."""
    return {(step.action.thread, step.action.choice): step.state for step in steps}


def _view(interpreter: Interpreter) -> Callable[[State], tuple[int, ...]]:
    """What anybody can tell of a state: the data, which threads are at their end, what properties ask."""
    layout, program = interpreter.layout, interpreter.program
    cells = min(layout.pc, default=layout.size)
    asked = [interpreter.compiled(atom.meaning)[0] for p in program.properties for atom in p.atoms]

    def view(state: State) -> tuple[int, ...]:
        ended = tuple([int(state[pc] == 0) for pc in layout.pc])
        return (*state[:cells], *ended, *[int(ask(state)) for ask in asked])

    return view
