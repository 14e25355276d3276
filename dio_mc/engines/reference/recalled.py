"""The reference interpreter, which recalls the steps of the states that it was asked about first.

One check asks for the steps of a state several times: in the search, in the pass backwards for each canonical
counterexample, in the test of each window, and when it looks for threads that are stuck forever. The steps are a
function of the state, so the first answer is every answer. Replay runs single steps, which are not recalled.
"""

from __future__ import annotations

from typing import Final

from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Step

RECALLED: Final = 4_096
"""The number of states whose steps are kept: a few megabytes. Larger programs are searched in machine code."""


class Recalled(Interpreter):
    """The interpreter of one check. The lists of steps that it gives are shared, and must not be changed."""

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self._steps: dict[State, list[Step]] = {}

    def successors(self, state: State) -> list[Step]:
        """As the interpreter's."""
        known = self._steps.get(state)
        if known is None:
            known = super().successors(state)
            if len(self._steps) < RECALLED:
                self._steps[state] = known
        return known
