"""The quick search for the states where runs end finds what the search of the reference engine finds."""

import pytest
from ir_builder import block, cell, equal, jump, load, plus, program, put, template, variable
from random_programs import random_program

from dio_mc.engines.limits import Limits
from dio_mc.engines.reference.components import Graph, components
from dio_mc.engines.reference.search import Search
from dio_mc.engines.reference.sweep import Sweep
from dio_mc.ir.ops import Await
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.remembering import Remembering
from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import StopKind


class Watch:
    """Keeps the steps of every state."""

    def __init__(self):
        self.graph = Graph()
        self.ends, self.failures = [], []

    def discovered(self, state, depth):
        pass

    def started(self):
        pass

    def level_ends(self, depth):
        return False

    def expanded(self, state, steps, depth):
        self.graph.steps[state] = steps
        if not steps:
            self.ends.append((state, depth))
        self.failures += [(state, s.action, s.fault, depth) for s in steps if s.fault is not None]

    def ended(self, state, depth):
        self.ends.append((state, depth))

    def failed(self, state, step, depth):
        self.failures.append((state, step.action, step.fault, depth))


def searched(made, budget=None):
    """The search and the quick one, with what they told."""
    plain, quick = Watch(), Watch()
    search = Search(Interpreter(made), plain, Limits(budget or Budget()))
    sweep = Sweep(Remembering(made), quick, Limits(budget or Budget()))
    search.run()
    sweep.run()
    return search, plain, sweep, quick


def compared(made, budget=None):
    search, plain, sweep, quick = searched(made, budget)
    assert (sweep.levels, sweep.states, sweep.stopped) == (search.levels, len(search.parents), search.stopped)
    assert (quick.ends, quick.failures) == (plain.ends, plain.failures)
    if search.stopped is None:
        turning = [c for c in components(plain.graph, plain.graph.steps) if plain.graph.moving(c)]
        rounds = sweep.round_and_round()
        assert rounds >= {state for component in turning for state in component}
        assert bool(rounds) == bool(turning)
    return sweep


@pytest.mark.parametrize("seeds", [range(n, n + 40) for n in range(0, 120, 40)], ids=lambda r: f"{r.start}")
def test_random_programs_are_searched_alike(seeds):
    for seed in seeds:
        compared(random_program(seed), Budget(max_states=1500))


@pytest.mark.parametrize("budget", [Budget(max_states=n) for n in (1, 2, 7)] + [Budget(max_depth=n) for n in (0, 1, 3)])
def test_limits_end_it_where_they_end_the_search(budget):
    for seed in range(30):
        compared(random_program(seed), budget)


def waiting(*edges):
    """A program with a cell that steps along these edges, beginning at 0."""
    threads = [
        template(block(to=1), block(Await(equal(load(0), a)), put(cell(0), b), to=jump(1), location=1), name=f"t{n}")
        for n, (a, b) in enumerate(edges)
    ]
    return program([variable("v")], threads, check_deadlock=False)


def values_of(states):
    return sorted(state[0] for state in states)


@pytest.mark.parametrize(
    ("edges", "rounds"),
    [
        ([(0, 1), (1, 2), (0, 2)], []),
        ([(0, 1), (0, 2), (2, 3), (3, 1), (1, 4)], []),
        ([(0, 0)], [0]),
        ([(0, 1), (1, 0)], [0, 1]),
        ([(0, 1), (1, 2), (2, 1), (2, 3)], [1, 2]),
        ([(0, 1), (1, 1), (1, 2), (2, 3), (3, 3), (0, 4), (4, 5)], [1, 2, 3]),
        ([(0, 1), (0, 3), (3, 2), (2, 1), (1, 4), (4, 4)], [4]),
    ],
)
def test_states_that_runs_come_back_to(edges, rounds):
    sweep = compared(waiting(*edges))
    assert values_of(sweep.round_and_round()) == rounds


def test_a_step_back_need_not_be_a_way_round():
    """State 1 is found before 2, which leads there."""
    sweep = compared(waiting((0, 1), (0, 2), (2, 3), (3, 1)))
    assert sweep.returns
    assert sweep.round_and_round() == set()


def test_it_ends_when_it_is_asked_to():
    count = template(block(to=1), block(put(cell(0), plus(load(0), 1)), to=jump(1), location=1))
    made = program([variable("v")], [count])
    sweep = Sweep(Remembering(made), Watch(), Limits(Budget(), lambda: "Ctrl-C"))
    sweep.run()
    assert (sweep.stopped.kind, str(sweep.stopped), sweep.states) == (StopKind.REQUESTED, "Ctrl-C", 1)
