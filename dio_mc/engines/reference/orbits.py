"""A path of the full graph for a goal of a search reduced by symmetry: from representatives back to original states.

`reference.canonical` computes the canonical counterexample; this path is used if there is no time for that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dio_mc.engines.reference.canonical import End, Goal, Path
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Representatives
from dio_mc.semantics.step import Action


def any_unfolded_path(
    interpreter: Interpreter,
    representatives: Representatives,
    parents: Mapping[State, State | None],
    goal: Goal,
    ends_at: Callable[[State], list[End]],
) -> Path:
    """Some shortest path of the full graph to a goal of the reduced one. `ends_at` lists the edges out of a state that
    are ends."""
    chain = [goal.ends[0].state]
    while (parent := parents[chain[-1]]) is not None:
        chain.append(parent)
    chain.reverse()
    of = representatives.of
    position, state = next((n, s) for n, s in enumerate(interpreter.starting()) if of(s) == chain[0])
    actions: list[Action] = []
    for wanted in chain[1:]:
        steps = interpreter.successors(state)
        action, state = next((x.action, x.state) for x in steps if x.state is not None and of(x.state) == wanted)
        actions.append(action)
    if goal.ends[0].action is None:
        return Path(position, tuple(actions), None, canonical=False)
    end = ends_at(state)[0]
    assert end.action is not None
    return Path(position, (*actions, end.action), end.fault, canonical=False)
