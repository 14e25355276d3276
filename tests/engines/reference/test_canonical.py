"""The canonical counterexample is the minimum over all shortest paths: against brute force, and by hand."""

import random
from dataclasses import replace

import pytest
from asking import explore_reference as explore
from brute import Graph
from ir_builder import (
    DIGIT,
    block,
    branch,
    cell,
    check,
    equal,
    evaluator,
    load,
    local,
    number,
    observation,
    own,
    plus,
    program,
    put,
    straight,
    template,
    variable,
    wait,
)
from random_programs import random_program

from dio_mc.ir.ops import Choose, Option
from dio_mc.semantics.step import Action, count_switches


def reach(graph: Graph) -> int:
    """How many paths brute force would look at."""
    depth = max(graph.level.values()) + 1
    counts = dict.fromkeys(graph.level, 1)
    for _ in range(depth):
        counts = {s: 1 + sum(counts.get(a, 1) for _, a in graph.edges[s]) for s in counts}
    return sum(counts[s] for s in graph.starts)


def questions(made, seed: int):
    """One invariant, one reachable, one step property: each false, or true, on values picked at random."""
    rng = random.Random(seed)
    shared = [observation(made, name) for name in ("v", "a[0]", "a[1]")]
    after = [observation(made, name, after=True) for name in ("v", "a[0]", "a[1]")]
    bad = {tuple(rng.randint(0, 2) for _ in range(3)) for _ in range(5)}
    moves = {tuple(rng.randint(0, 2) for _ in range(6)) for _ in range(120)}
    return [
        evaluator("never", lambda *v: v not in bad, *shared),
        evaluator("once", lambda *v: v in bad, *shared, kind="reachable"),
        evaluator("step", lambda *v: v not in moves, *shared, *after, kind="step"),
    ], bad, moves  # fmt: skip


@pytest.mark.parametrize("group", range(10))
def test_against_every_shortest_path_of_random_programs(group):
    compared = switched = 0
    for seed in range(5000 + group * 40, 5040 + group * 40):
        made = random_program(seed)
        graph = Graph(made)
        if len(graph.level) > 150 or reach(graph) > 200_000:
            continue
        evaluators, bad, moves = questions(made, seed)
        expected = {
            "never": graph.state(lambda s, bad=bad: s[:3] in bad),
            "once": graph.state(lambda s, bad=bad: s[:3] in bad),
            "step": graph.edge(lambda s, e, moves=moves: isinstance(e, tuple) and s[:3] + e[:3] in moves),
            "deadlock": graph.state(graph.dead),
            **graph.faults(),
        }
        found = {v.property: v for v in explore(made, evaluators).violations}
        told = {name: (v.initial, v.schedule) for name, v in found.items()}
        assert told == {name: path for name, path in expected.items() if path is not None}, seed
        assert all(v.switches == count_switches(v.schedule) for v in found.values())
        compared += len(told)
        switched += sum(v.switches > 0 for v in found.values())
    assert compared > 20, "the comparison is worth something"
    assert switched > 3


def only(made, *evaluators):
    """The one counterexample there is; nobody is asked about deadlocks."""
    (found,) = explore(replace(made, check_deadlock=False), evaluators).violations
    return found


def test_fewest_switches_before_first_in_order():
    """Both threads have to do two steps."""
    body = straight(put(own(0), 1), put(own(0), 2), put(own(0), 3), locals_=[(DIGIT, 0)])
    made = program([], [body], [2])
    found = only(
        made,
        evaluator("both", lambda a, b: (a, b) != (3, 3), observation(made, "t[0].pc"), observation(made, "t[1].pc")),
    )
    assert found.schedule == (Action(0, 1), Action(0, 2), Action(1, 1), Action(1, 2))
    assert found.switches == 1


def test_a_later_thread_goes_first_when_that_saves_a_switch():
    """Threads zero and one make 2 together, thread two alone."""
    start, finish = [wait(equal(load(0), 0)), put(cell(0), 1)], [wait(equal(load(0), 1)), put(cell(0), 2)]
    threads = [straight(start, name="zero"), straight(finish, name="one"), straight(start, finish, name="two")]
    made = program([variable("a")], threads)
    found = only(made, evaluator("two", lambda a: a != 2, observation(made, "a")))
    assert (found.schedule, found.switches) == ((Action(2, 1), Action(2, 2)), 0)


def test_the_best_prefix_depends_on_who_moves_next():
    """After one step of each the state is the same; zero's next step makes the later order the better one. A search
    that keeps one prefix per state keeps the wrong one."""
    zero = straight(put(own(0), 1), [wait(equal(load(0), 1)), put(own(0), 2)], name="zero", locals_=[(DIGIT, 0)])
    made = program([variable("a")], [zero, straight(put(cell(0), 1), name="one")])
    found = only(made, evaluator("ended", lambda pc: pc != 0, observation(made, "zero.pc")))
    assert (found.schedule, found.switches) == ((Action(1, 1), Action(0, 1), Action(0, 2)), 1)


def test_of_several_ends_the_first_in_order_wins():
    options = (Option(number(1)), Option(number(2)))
    made = program([variable("a")], [straight(Choose(own(0), options), put(cell(0), local(0)), locals_=[(DIGIT, 0)])])
    found = only(made, evaluator("zero", lambda a: a == 0, observation(made, "a")))
    assert found.schedule == (Action(0, 1, (0,)), Action(0, 2))


def test_the_first_initial_state_wins():
    made = program([variable("a", any_init=True)], [straight(put(cell(0), 0))])
    found = only(made, evaluator("low", lambda a: a < 4, observation(made, "a")))
    assert (found.initial, found.schedule) == (4, ())
    found = only(made, evaluator("end", lambda pc: pc == 1, observation(made, "t.pc")))
    assert (found.initial, found.schedule) == (0, (Action(0, 1),))


def test_fewer_switches_win_over_an_earlier_initial_state():
    """Two steps from a = 0 (one of each thread) and from a = 1 (two of the second)."""
    ready = straight([wait(equal(load(0), 0)), put(cell(2), 1)], name="ready")
    twice = template(
        block(to=branch(equal(load(2), 1), 1, 2), location=1),
        block(put(cell(1), 1)),
        block(wait(equal(load(0), 1)), put(cell(1), 1), location=2),
        name="twice",
    )
    made = program([variable("a", any_init=True), variable("b"), variable("c")], [ready, twice])
    found = only(made, evaluator("done", lambda b: b == 0, observation(made, "b")))
    assert (found.initial, found.schedule, found.switches) == (1, (Action(1, 1), Action(1, 2)), 0)
    first = only(made, evaluator("done", lambda a, b: b == 0 or a == 1, observation(made, "a"), observation(made, "b")))
    assert (first.initial, first.schedule, first.switches) == (0, (Action(0, 1), Action(1, 1)), 1)


def test_a_fault_is_a_last_step_without_a_successor():
    """The final edge counts as a step: staying with the thread that fails saves a switch."""
    fails = straight(put(own(0), 1), check(equal(load(0), 0), "no", line=8), name="fails", locals_=[(DIGIT, 0)])
    made = program([variable("a")], [straight(put(cell(0), 1), name="sets"), fails])
    found = only(made)
    assert (found.property, found.switches) == ("assertion@8", 1)
    assert found.schedule == (Action(0, 1), Action(1, 1), Action(1, 2))
    swapped = program([variable("a")], [fails, straight(put(cell(0), 1), name="sets")])
    found = only(swapped)
    assert (found.schedule, found.switches) == ((Action(1, 1), Action(0, 1), Action(0, 2)), 1)
    assert found.fault is not None
    assert found.fault.message == "no"


def test_a_long_path_through_a_wide_graph():
    """Three threads of three steps; all have to be at their end: nine steps, two switches."""
    made = program([variable("a")], [straight(*[put(cell(0), plus(load(0), 1))] * 3)], [3])
    found = only(made, evaluator("nine", lambda a: a != 9, observation(made, "a")))
    assert [a.thread for a in found.schedule] == [0] * 3 + [1] * 3 + [2] * 3
    assert found.switches == 2
