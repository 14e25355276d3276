"""Counterexamples by brute force: the naive semantics, breadth first, with every shortest path
considered."""

from collections.abc import Callable, Iterator

from naive import Broken, Naive

from dio_mc.ir.program import Program
from dio_mc.semantics.step import Action, count_switches, fault_name

State = tuple[int, ...]
Found = tuple[int, tuple[Action, ...]]
"""The position of the initial state, and the schedule."""


class Graph:
    """All reachable states with their levels and edges."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.naive = Naive(program)
        self.starts = self.naive.initial()
        self.level = dict.fromkeys(self.starts, 0)
        self.edges: dict[State, list[tuple[Action, object]]] = {}
        waiting = list(self.level)
        while waiting:
            state = waiting.pop(0)
            self.edges[state] = self.naive.successors(state)
            for _, after in self.edges[state]:
                if not isinstance(after, Broken) and after not in self.level:
                    self.level[after] = self.level[state] + 1
                    waiting.append(after)

    def paths(self, length: int) -> Iterator[tuple[int, tuple[Action, ...], State, object]]:
        """Every path of this length: start, schedule, the state before the last step, the end."""

        def go(number: int, done: tuple[Action, ...], before: State, here: object):
            if len(done) == length:
                yield number, done, before, here
            elif not isinstance(here, Broken):
                for action, after in self.edges[here]:
                    yield from go(number, (*done, action), here, after)

        for number, start in enumerate(self.starts):
            yield from go(number, (), start, start)

    def best(self, bad: Callable[[State, object], bool], length: int) -> Found:
        candidates = [(number, done) for number, done, before, end in self.paths(length) if bad(before, end)]
        return min(candidates, key=lambda c: (count_switches(c[1]), c[0], c[1]))

    def state(self, bad: Callable[[State], bool]) -> Found | None:
        """The counterexample that ends in a violating state."""
        lengths = [level for state, level in self.level.items() if bad(state)]
        if not lengths:
            return None
        return self.best(lambda _, end: not isinstance(end, Broken) and bad(end), min(lengths))

    def edge(self, bad: Callable[[State, object], bool]) -> Found | None:
        """The counterexample that ends with a violating edge."""
        lengths = [self.level[s] + 1 for s, edges in self.edges.items() if any(bad(s, after) for _, after in edges)]
        return self.best(bad, min(lengths)) if lengths else None

    def dead(self, state: State) -> bool:
        naive = self.naive.unpack(state)
        threads = range(len(self.program.threads))
        unfinished = any(naive["pc", t] and not self.program.template_of(t).daemon for t in threads)
        return unfinished and not self.edges[state]

    def faults(self) -> dict[str, Found]:
        every = [after for edges in self.edges.values() for _, after in edges if isinstance(after, Broken)]

        def name(end: object) -> str | None:
            return fault_name(end.kind, end.span, self.program.file) if isinstance(end, Broken) else None

        found = {}
        for wanted in {name(broken) for broken in every}:
            found[wanted] = self.edge(lambda _, end, wanted=wanted: name(end) == wanted)
        return found
