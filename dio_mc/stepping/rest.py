"""Everything that can follow a schedule: an exploration that starts from its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dio_mc.engines.reference.engine import explore
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Budget, Exploration, SearchRequest
from dio_mc.semantics.step import Fault
from dio_mc.semantics.stop import Poll
from dio_mc.stepping.walk import Walk


class _From(Interpreter):
    """The program with the end of a walk as its only initial state."""

    def __init__(self, walk: Walk) -> None:
        super().__init__(walk.program)
        self._here = walk.states[-1]

    def starting(self) -> Iterator[State]:
        """The state at the end of the walk."""
        yield self._here

    @property
    def initial_faults(self) -> list[tuple[int, Fault]]:
        """Empty: the local prefixes have already been run."""
        return []


def continuations(
    walk: Walk, evaluators: Sequence[PropertyEvaluator], budget: Budget, stop: Poll | None = None
) -> Exploration:
    """Explore from the end of a schedule. Each violation found is a run from the model's start: the schedule, followed
    by the shortest continuation. Nothing follows a schedule that has ended in a fault."""
    found = explore(SearchRequest(walk.program, evaluators, budget, stop=stop), interpreter=_From(walk))
    violations = tuple(walk.violation(v.property, v.schedule, v) for v in found.violations)
    return replace(found, violations=violations)
