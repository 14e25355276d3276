"""Independent checks of counterexamples of ``progress`` and ``always_reachable``, on the reference interpreter and
without the engine's graph.

`truth` gives whether the goal holds in a state. Each answer is None, or a sentence that says why the claim is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from dio_mc.ir.program import Fairness
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

Truth = Callable[[State], bool]


class Run(NamedTuple):
    """The states of a run, and the threads whose steps lead from each state to the next."""

    states: Sequence[State]
    threads: Sequence[int]


def progress_problem(
    interpreter: Interpreter,
    run: Run,
    loop: int | None,
    fairness: Fairness,
    truth: Truth,
    exempt: frozenset[int] = frozenset(),
) -> str | None:
    """The reason why the run does not violate ``progress``, or None if it does. The run repeats from position `loop`
    (an index into its states) forever or, if `loop` is None, ends in its last state. Fairness does not apply to the
    threads in `exempt`."""
    states = run.states
    if loop is None:
        if interpreter.successors(states[-1]):
            return "the run does not end there"
        return "the goal holds where the run ends" if truth(states[-1]) else None
    if not 0 <= loop < len(states) - 1 or states[loop] != states[-1]:
        return "the loop does not lead back to where it began"
    if any(truth(state) for state in states[loop:]):
        return "the goal holds inside the loop"
    return _unfair(interpreter, states[loop:-1], {*run.threads[loop:], *exempt}, fairness)


def _unfair(interpreter: Interpreter, states: Sequence[State], threads: set[int], fairness: Fairness) -> str | None:
    """A thread that never runs in a loop although fairness gives it a turn."""
    able = [{step.action.thread for step in interpreter.successors(state)} for state in states]
    owed = set.intersection(*able) if fairness == "weak" else set.union(*able)
    kept_out = sorted(owed - threads)
    if not kept_out:
        return None
    name = interpreter.program.threads[kept_out[0]].name
    return f"the loop is not fair: {name} could run and never does"


def unreachable_problem(interpreter: Interpreter, state: State, truth: Truth) -> str | None:
    """The reason why the goal is reachable from `state` after all, or None if it is not. All states after `state` are
    explored again."""
    known, waiting = {state}, [state]
    while waiting:
        here = waiting.pop()
        if truth(here):
            return "a run from there reaches the goal"
        for step in interpreter.successors(here):
            if step.state is not None and step.state not in known:
                known.add(step.state)
                waiting.append(step.state)
    return None
