"""Threads that can never move again, whatever the others do, while others can run forever.

A deadlock is a state in which nothing can run. A daemon that polls, or any thread that loops, hides
that two other threads hold each other's locks. So the graph of a search without violations is
examined once more: in a state a thread is stuck forever if it should end, has not, and has no step
in any state that can be reached from there. This is exact, and is done for programs of up to `MOST`
states.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dio_mc.errors import Diagnostic
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.source import Span

MOST: Final = 10_000
"""The number of states of the largest graph that is examined."""


def stuck_for_ever(interpreter: Interpreter, states: int) -> list[Diagnostic]:
    """One finding for the nearest state in which some thread is stuck forever, naming all that are
    in that state."""
    program = interpreter.program
    if not program.check_deadlock or states > MOST:
        return []
    graph = _Graph(interpreter)
    found: dict[State, list[int]] = {}
    for thread in range(len(program.threads)):
        template = program.template_of(thread)
        if not template.daemon or template.spawned:
            for state in graph.without_end(thread):
                found.setdefault(state, []).append(thread)
    nearest = next((state for state in graph.steps if state in found), None)
    return [_told(program, graph, nearest, found[nearest])] if nearest is not None else []


class _Graph:
    """All states in breadth-first order, the threads that can run in each, and their
    predecessors."""

    def __init__(self, interpreter: Interpreter) -> None:
        self.interpreter = interpreter
        self.depth: dict[State, int] = dict.fromkeys(self.interpreter.initial(), 0)
        self.steps: dict[State, frozenset[int]] = {}
        self.before: dict[State, list[State]] = {}
        waiting = list(self.depth)
        for state in waiting:
            steps = self.interpreter.successors(state)
            self.steps[state] = frozenset(step.action.thread for step in steps)
            for step in steps:
                if step.state is not None:
                    self.before.setdefault(step.state, []).append(state)
                    if step.state not in self.depth:
                        self.depth[step.state] = self.depth[state] + 1
                        waiting.append(step.state)

    def without_end(self, thread: int) -> list[State]:
        """For each state, whether a thread has not ended and has no step, there and in all states
        after it."""
        pc = self.interpreter.layout.pc[thread]
        if all(thread in runs or state[pc] == 0 for state, runs in self.steps.items()):
            return []
        alive = self._leading_to(state for state, runs in self.steps.items() if thread in runs)
        return [state for state in self.steps if state[pc] != 0 and state not in alive]

    def _leading_to(self, states: Iterable[State]) -> set[State]:
        found = set(states)
        waiting = list(found)
        while waiting:
            for earlier in self.before.get(waiting.pop(), ()):
                if earlier not in found:
                    found.add(earlier)
                    waiting.append(earlier)
        return found


def _told(program: Program, graph: _Graph, state: State, threads: list[int]) -> Diagnostic:
    names = [f"`{program.threads[t].name}`" for t in threads]
    places = [_place(program, graph, state, t) for t in threads]
    who = f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
    waits = "; ".join(f"{name} waits at {text}" for name, (text, _) in zip(names, places, strict=True))
    message = f"after {graph.depth[state]} steps {who} can never move again, whatever other threads do: {waits}"
    return Diagnostic("DIO327", message, places[0][1], severity="warning")


def _place(program: Program, graph: _Graph, state: State, thread: int) -> tuple[str, Span | None]:
    location = program.template_of(thread).locations[state[graph.interpreter.layout.pc[thread]]]
    line = f" (line {location.span.line})" if location.span is not None else ""
    return f"`{location.text}`{line}", location.span
