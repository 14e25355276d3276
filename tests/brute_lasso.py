"""Progress by brute force, without components or fixpoints: from every state, every walk that
avoids the goal, with the threads that ran and those that could have; whether one of them is a fair
way back."""

from collections.abc import Callable, Iterator

from brute import Found, Graph, State
from naive import Broken

from dio_mc.semantics.step import Action, count_switches

Goal = Callable[[State], bool]


def able(graph: Graph, state: State) -> frozenset[int]:
    return frozenset(action.thread for action, _ in graph.edges[state])


def is_fair(graph: Graph, states: list[State], schedule: tuple[Action, ...], fairness: str) -> bool:
    """Fairness by its definition, for a loop through these states, the last of which is the first
    again."""
    ran = {action.thread for action in schedule}
    sets = [able(graph, state) for state in states]
    owed = frozenset.intersection(*sets) if fairness == "weak" else frozenset.union(*sets)
    return owed <= ran


def loop_length(graph: Graph, start: State, goal: Goal, fairness: str) -> int | None:
    """The length of the shortest fair loop from `start` through states that are not goals."""
    if goal(start):
        return None
    first = (start, frozenset(), able(graph, start), able(graph, start))
    level, known, length = [first], {first}, 0
    while level:
        length += 1
        further = []
        for state, ran, always, ever in level:
            for action, after in graph.edges[state]:
                if isinstance(after, Broken) or goal(after):
                    continue
                ran_now = ran | {action.thread}
                if after == start and (always if fairness == "weak" else ever) <= ran_now:
                    return length
                there = able(graph, after)
                node = after, ran_now, always & there, ever | there
                if node not in known:
                    known.add(node)
                    further.append(node)
        level = further
    return None


def loops(graph: Graph, start: State, goal: Goal, fairness: str, length: int) -> Iterator[tuple[Action, ...]]:
    """Every fair loop of this length."""

    def go(states: list[State], done: tuple[Action, ...]) -> Iterator[tuple[Action, ...]]:
        if len(done) == length:
            if states[-1] == start and is_fair(graph, states, done, fairness):
                yield done
            return
        for action, after in graph.edges[states[-1]]:
            if not isinstance(after, Broken) and not goal(after):
                yield from go([*states, after], (*done, action))

    return go([start], ())


def best_loop(graph: Graph, start: State, goal: Goal, fairness: str) -> tuple[Action, ...]:
    length = loop_length(graph, start, goal, fairness)
    if length is None:
        return ()
    return min(loops(graph, start, goal, fairness, length), key=lambda done: (count_switches(done), done))


def stays_away(graph: Graph, state: State, goal: Goal, fairness: str) -> bool:
    """Whether a run can end here, or continue forever through here, without meeting a goal."""
    return not goal(state) and (not graph.edges[state] or loop_length(graph, state, goal, fairness) is not None)


def is_lost(graph: Graph, state: State, goal: Goal) -> bool:
    """Whether no path leads to a goal."""
    known, waiting = {state}, [state]
    while waiting:
        here = waiting.pop()
        if goal(here):
            return False
        for _, after in graph.edges[here]:
            if not isinstance(after, Broken) and after not in known:
                known.add(after)
                waiting.append(after)
    return True


def lasso(graph: Graph, goal: Goal, fairness: str) -> tuple[int, tuple[Action, ...], tuple[Action, ...]] | None:
    """The initial state, the path to the nearest state from which no goal is met any more, and the
    loop from there."""
    staying = {state for state in graph.level if stays_away(graph, state, goal, fairness)}
    found: Found | None = graph.state(lambda state: state in staying)
    if found is None:
        return None
    initial, stem = found
    state = graph.starts[initial]
    for action in stem:
        state = dict(graph.edges[state])[action]
    return initial, stem, best_loop(graph, state, goal, fairness)
