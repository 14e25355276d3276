"""Whether a mutant is equivalent to its model: both programs are run in lockstep.

In every pair of states that is reached, the cells of the variables must be equal, the answers to
the properties' questions about control must be equal, and the same actions (thread and choice) must
exist; each leads to the next pair. If no pair is left to visit, every schedule of one is a schedule
of the other with the same data at each step, so no property of this model can distinguish them. The
converse is not claimed: programs that differ here may still behave alike.

One statement of the first program, a wait, may be missing in the other. Its step is taken by the
first program alone, and must not change anything that is compared: neither data (a ghost that would
be written earlier without it is data) nor the answers about control. If the thread cannot take that
step, the other program can continue, and differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Step
from dio_mc.source import Span

MOST_PAIRS: Final = 20_000
"""The number of pairs of states after which the comparison is given up."""


def same_behaviour(one: Program, other: Program, most: int = MOST_PAIRS, without: Span | None = None) -> bool:
    """Whether equal behaviour is proved. False means that they differ, or that there are too many
    pairs of states. The steps of `one` at the statement `without` are taken by `one` alone."""
    if one.variables != other.variables or one.threads != other.threads:
        return False
    if one.digest == other.digest:
        return True
    return _Lockstep(Interpreter(one), Interpreter(other), without).closes(most)


class _Lockstep:
    def __init__(self, one: Interpreter, other: Interpreter, without: Span | None) -> None:
        self._sides = one, other
        self._views = _view(one), _view(other)
        self._waits = _standing_at(one.program, without)

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
        """The next pairs; None if the two differ."""
        one, other = self._sides
        if self._views[0](left) != self._views[1](right):
            return None
        steps = _by_action(one.successors(left)), _by_action(other.successors(right))
        ahead = {t for t, _ in steps[0] if left[one.layout.pc[t]] in self._waits[t]}
        alone = [(step, right) for (t, _), step in steps[0].items() if t in ahead]
        both = [{a: step for a, step in side.items() if a[0] not in ahead} for side in steps]
        if both[0].keys() != both[1].keys():
            return None
        pairs = [*alone, *((both[0][action], both[1][action]) for action in both[0])]
        return None if any(a is None or b is None for a, b in pairs) else [(a, b) for a, b in pairs if a and b]


def _standing_at(program: Program, statement: Span | None) -> list[frozenset[int]]:
    """For each thread, the locations at which its next step is one of these statements."""
    return [
        frozenset(n for n, place in enumerate(program.template_of(t).locations) if place.span == statement and n > 0)
        for t in range(len(program.threads))
    ]


def _by_action(steps: list[Step]) -> dict[tuple[int, tuple[int, ...]], State | None]:
    """The successors by thread and choice, since locations are numbered differently in the other
    program."""
    return {(step.action.thread, step.action.choice): step.state for step in steps}


def _view(interpreter: Interpreter) -> Callable[[State], tuple[int, ...]]:
    """The observable part of a state: data, ended threads, and the answers about control."""
    layout, program = interpreter.layout, interpreter.program
    cells = min(layout.pc, default=layout.size)
    asked = [interpreter.compiled(atom.meaning)[0] for p in program.properties for atom in p.atoms]

    def view(state: State) -> tuple[int, ...]:
        ended = tuple([int(state[pc] == 0) for pc in layout.pc])
        return (*state[:cells], *ended, *[int(ask(state)) for ask in asked])

    return view
