"""Properties by the words of docs/language.md, on the graph that `oracle` explores. Shares no code with dio_mc.

The body of a property is run by Python on a stand-in for `self`, once per state (per edge, if it asks for `after`). What
must or can happen is decided by naive graph algorithms. A run that shows something has a length, and a number of
context switches: the fewest of all the shortest. Of a run that goes round forever the length is that of the way to the
loop, and only bounds are known for it: states that differ in dead locals alone are one state or several, as one likes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import networkx
from oracle import Graph, Oracle, State
from oracle_words import Cells, Fault

Truth = Callable[[State], bool]


@dataclass(frozen=True)
class Shown:
    """A run that shows a violation (a witness): its length lies in `least`..`most`, `switches` where they are known."""

    least: int
    most: int
    switches: int | None = None


@dataclass(frozen=True)
class Answer:
    """What there is to know of a model: of each property the run that shows it, None where nothing does. Faults by
    ``kind@line``, those of endless loops without a line."""

    written: dict[str, Shown | None]
    deadlock: Shown | None
    faults: dict[str, Shown]

    def violated(self, kinds: dict[str, str]) -> set[str]:
        """Names of what a checker must report as violated."""
        broken = {n for n, shown in self.written.items() if (shown is None) == (kinds[n] == "reachable")}
        return broken | set(self.faults) | ({"deadlock"} if self.deadlock is not None else set())


def answer(oracle: Oracle, graph: Graph) -> Answer:
    """Every property of a model, its faults and its deadlocks."""
    return _Asker(oracle, graph).answer()


def kinds(oracle: Oracle) -> dict[str, str]:
    """The kind of each property, a step invariant's being ``step``."""
    return {name: _kind(role, body) for name, (role, body) in oracle.source.properties.items()}


def _kind(role: Any, body: Any) -> str:
    return "step" if role.kind == "invariant" and body.__code__.co_argcount == 2 else str(role.kind)


def view(oracle: Oracle, state: State) -> Any:
    """What `self` is to a property: variables as attributes, and the questions about control."""
    source = oracle.source
    model = object.__new__(source.cls)
    model.__dict__.update(source.params)
    model.__dict__.update(zip(source.declared, state[0], strict=True))
    model.__dict__["inside"] = lambda what, **wanted: any(
        _stands_in(oracle, frames, what, wanted) for frames in state[1] if frames is not None
    )
    model.__dict__["finished"] = lambda body: all(state[1][n] is None for n in source.threads(body))
    model.__dict__["at_rest"] = lambda: all(
        frames is None or daemon for frames, (_, _, _, daemon, _) in zip(state[1], source.instances, strict=True)
    )
    return model


def _stands_in(oracle: Oracle, frames: Any, what: Any, wanted: dict[str, Any]) -> bool:
    """Whether a thread is in a window (a string) or in an operation, called with these values."""
    for number, _, values, begun, windows in frames:
        function = oracle.source.numbered[number]
        if isinstance(what, str):
            here = any(opened and name == what for name, opened in windows)
        else:
            here = begun and function.method == what.__name__
        held = dict(zip(function.names, values, strict=True))
        if here and all(held[name] == value for name, value in wanted.items()):
            return True
    return False


class _Asker:
    def __init__(self, oracle: Oracle, graph: Graph) -> None:
        self.oracle, self.graph = oracle, graph
        self.views = {state: view(oracle, state) for state in graph.depth}
        self.fewest = _fewest_switches(graph)

    def answer(self) -> Answer:
        Cells.in_property = True
        try:
            written = {name: self.written(*one) for name, one in self.oracle.source.properties.items()}
        finally:
            Cells.in_property = False
        dead = [s for s, edges in self.graph.edges.items() if not edges and self.oracle.unfinished(s)]
        return Answer(written, self.states(dead) if self.oracle.source.deadlock else None, self.faults())

    def written(self, role: Any, body: Any) -> Shown | None:
        kind = _kind(role, body)
        if kind == "step":
            views = self.views
            return self.edges(
                (state, thread)
                for state, edges in self.graph.edges.items()
                for thread, after in edges
                if not isinstance(after, Fault) and not body(views[state], views[after])
            )
        true = {state for state, seen in self.views.items() if body(seen)}
        match kind:
            case "invariant":
                return self.states(self.views.keys() - true)
            case "reachable":
                return self.states(true)
            case "always_reachable":
                return self.states(lost(self.graph, true))
            case _:
                return self.staying(self.views.keys() - true, role.fairness)

    # -- the runs that show it -----------------------------------------------------------------------------------------

    def states(self, bad: Collection[State]) -> Shown | None:
        """A shortest run to one of these states."""
        if not bad:
            return None
        length = min(self.graph.depth[s] for s in bad)
        ends = [self.fewest[s] for s in bad if self.graph.depth[s] == length]
        return Shown(length, length, min(min(one.values()) for one in ends))

    def edges(self, bad: Iterable[tuple[State, int]]) -> Shown | None:
        """A shortest run that ends with one of these steps."""
        best: tuple[int, int] | None = None
        for state, thread in bad:
            length = self.graph.depth[state] + 1
            if best is None or length <= best[0]:
                switches = min(n + (last not in (None, thread)) for last, n in self.fewest[state].items())
                best = min(best or (length, switches), (length, switches))
        return None if best is None else Shown(best[0], best[0], best[1])

    def faults(self) -> dict[str, Shown]:
        """The shortest run to each fault; those before the first state take no step."""
        named: dict[str, list[tuple[State, int]]] = {}
        for state, edges in self.graph.edges.items():
            for thread, after in edges:
                if isinstance(after, Fault):
                    named.setdefault(fault_name(after), []).append((state, thread))
        found = {name: shown for name, bad in named.items() if (shown := self.edges(bad)) is not None}
        return found | {fault_name(fault): Shown(0, 0, 0) for fault in self.graph.at_start}

    def staying(self, away: Collection[State], fairness: str) -> Shown | None:
        """The nearest place in `away` where a run ends, or where a fair one goes round forever without leaving it."""
        ends = [s for s in away if not self.graph.edges[s]]
        rounds = [s for component in fair_rounds(self.graph, away, fairness) for s in component]
        if not ends and not rounds:
            return None
        alike = _bisimilar(self.graph, away)
        chosen = {alike[s] for s in [*ends, *rounds]}
        nearest = min(depth for state, depth in self.graph.depth.items() if alike[state] in chosen)
        return Shown(nearest, min(self.graph.depth[s] for s in [*ends, *rounds]))


def fault_name(fault: Fault) -> str:
    """``assertion@41``; where an endless loop is, is not compared."""
    return fault.kind if fault.kind == "endless_loop" else f"{fault.kind}@{fault.line}"


def _fewest_switches(graph: Graph) -> dict[State, dict[int | None, int]]:
    """Of each state, by the thread that ran last: the fewest switches of its shortest runs."""
    found: dict[State, dict[int | None, int]] = {state: {None: 0} for state in graph.starts}
    for state in graph.depth:  # nearest first
        for thread, after in graph.edges[state]:
            if isinstance(after, Fault) or graph.depth[after] != graph.depth[state] + 1:
                continue
            switches = min(n + (last not in (None, thread)) for last, n in found[state].items())
            known = found.setdefault(after, {})
            known[thread] = min(switches, known.get(thread, switches))
    return found


# --- what must or can still happen ------------------------------------------------------------------------------------


def lost(graph: Graph, goals: Collection[State]) -> set[State]:
    """The states from which no run reaches a goal."""
    hopeful = set(goals)
    while True:
        more = {s for s, edges in graph.edges.items() if s not in hopeful and any(a in hopeful for _, a in edges)}
        if not more:
            return set(graph.depth) - hopeful
        hopeful |= more


def able(graph: Graph, state: State) -> set[int]:
    """The threads that can take a step, be it one that ends in a fault."""
    return {thread for thread, _ in graph.edges[state]}


def fair_rounds(graph: Graph, away: Collection[State], fairness: str) -> list[set[State]]:
    """Sets of states, all in `away`, that a fair run can go round forever."""
    found = []
    waiting = [set(away)]
    while waiting:
        region = waiting.pop()
        inner = networkx.MultiDiGraph()
        inner.add_nodes_from(region)
        for state in region:
            for thread, after in graph.edges[state]:
                if after in region:
                    inner.add_edge(state, after, thread=thread)
        for component in networkx.strongly_connected_components(inner):
            ran = {thread for _, _, thread in inner.subgraph(component).edges(data="thread")}
            if not ran:
                continue
            sets = [able(graph, state) for state in component]
            owed = (set.intersection(*sets) if fairness == "weak" else set.union(*sets)) - ran
            if not owed:
                found.append(component)
            elif fairness == "strong":
                waiting.append({state for state in component if not able(graph, state) & owed})
    return found


def _bisimilar(graph: Graph, away: Collection[State]) -> dict[State, int]:
    """States by what can be seen of their future: two of one number cannot be told apart by any run."""
    names: dict[Any, int] = {}
    found = {state: int(state in away) for state in graph.depth}
    count = 0
    while len(set(found.values())) > count:
        count, names = len(set(found.values())), {}
        found = {
            state: names.setdefault(
                (
                    number,
                    frozenset((t, -1 if isinstance(a, Fault) else found[a]) for t, a in graph.edges[state]),
                ),
                len(names),
            )
            for state, number in found.items()
        }
    return found
