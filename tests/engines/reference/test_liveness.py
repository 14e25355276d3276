"""What must or can still happen, against brute force on random programs; and what an incomplete search may say."""

import random
from dataclasses import replace

import pytest
from asking import explore_reference as explore
from brute import Graph
from brute_lasso import is_fair, is_lost, lasso
from ir_builder import (
    block,
    cell,
    check,
    equal,
    evaluator,
    load,
    number,
    observation,
    program,
    put,
    straight,
    template,
    variable,
    wait,
)
from random_programs import random_program
from random_rounds import random_rounds
from test_canonical import reach

from dio_mc.engines.reference.components import Graph as Steps
from dio_mc.engines.reference.components import components
from dio_mc.engines.reference.fairness import fair_components, shortest_loop
from dio_mc.ir.ops import Choose, Option
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Budget, Violation
from dio_mc.semantics.step import Action, Step
from dio_mc.trace.replay import ReplayError, build_trace


def asked(kind: str, name: str, goal, *observations, fairness: str = "weak"):
    made = evaluator(name, goal, *observations, kind=kind)
    made.property = replace(made.property, fairness=fairness)
    return made


Goals = set[tuple[int, ...]]


def evaluators_of(made, goals: Goals):
    """The goal is told from the first cells."""
    names = ("v", "a[0]", "a[1]") if len(made.variables[1].shape) else ("v", "w")
    shared = [observation(made, name) for name in names]

    def goal(*values):
        return values in goals

    return [
        asked("progress", "weakly", goal, *shared),
        asked("progress", "strongly", goal, *shared, fairness="strong"),
        asked("always_reachable", "possible", goal, *shared),
    ]


def small_programs(first: int, last: int):
    """Two of three go round forever: programs, their graphs, goals, how many cells tell them."""
    for seed in range(first, last):
        rng = random.Random(seed)
        made, cells = (random_program(seed), 3) if seed % 3 == 0 else (random_rounds(seed), 2)
        graph = Graph(made)
        if len(graph.level) <= 60 and reach(graph) <= 20_000:
            goals = {tuple(rng.randint(0, 2) for _ in range(cells)) for _ in range(rng.choice((1, 2, 4)))}
            yield seed, made, graph, goals, cells


def split(found: Violation):
    begins = len(found.schedule) if found.loop is None else found.loop
    return found.initial, found.schedule[:begins], found.schedule[begins:]


@pytest.mark.parametrize("group", range(5))
@pytest.mark.slow
def test_against_brute_force_on_random_programs(group):
    compared = rounds = differ = 0
    for seed, made, graph, goals, cells in small_programs(9000 + 300 * group, 9300 + 300 * group):
        found = {v.property: v for v in explore(made, evaluators_of(made, goals)).violations}

        def goal(state, goals=goals, cells=cells):
            return state[:cells] in goals

        expected = {"weakly": lasso(graph, goal, "weak"), "strongly": lasso(graph, goal, "strong")}
        told = {name: split(found[name]) if name in found else None for name in expected}
        assert told == expected, seed
        lost = graph.state(lambda s, goal=goal, graph=graph: is_lost(graph, s, goal))
        possible = found.get("possible")
        assert (possible and (possible.initial, possible.schedule)) == lost, seed
        assert possible is None or possible.loop is None
        compared += sum(path is not None for path in expected.values())
        rounds += sum(v.loop is not None for v in found.values())
        differ += expected["weakly"] != expected["strongly"]
    assert compared > 10
    assert rounds > 5
    assert differ > 0


def test_weak_and_strong_fairness_are_told_apart():
    told = [
        {v.property for v in explore(made, evaluators_of(made, goals)).violations} & {"weakly", "strongly"}
        for _, made, _, goals, _ in small_programs(9300, 9600)
    ]
    assert {"weakly"} in told
    assert {"weakly", "strongly"} in told
    assert {"strongly"} not in told, "what strong fairness does not rule out, weak fairness does not either"


def test_what_is_found_in_an_incomplete_graph_is_true_of_the_whole():
    early = 0
    for seed, made, graph, goals, cells in small_programs(9500, 9560):
        whole = {v.property for v in explore(made, evaluators_of(made, goals)).violations}
        for most in range(1, len(graph.level), 3):
            part = explore(made, evaluators_of(made, goals), Budget(max_states=most))
            assert part.stopped is not None
            found = {v.property: v for v in part.violations}
            assert found.keys() <= whole, (seed, most)
            for name in found.keys() & {"weakly", "strongly"}:
                fairness = name.removesuffix("ly")
                assert replays(graph, found[name], fairness, lambda s, g=goals, c=cells: s[:c] in g), (seed, most)
                early += 1
    assert early > 10


def replays(graph: Graph, violation: Violation, fairness: str, goal) -> bool:
    """Followed in the naive graph: it closes, away from the goals, and is fair; or it ends there."""
    states = [graph.starts[violation.initial]]
    for action in violation.schedule:
        states.append(dict(graph.edges[states[-1]])[action])
    if violation.loop is None:
        return not graph.edges[states[-1]] and not goal(states[-1])
    round_, schedule = states[violation.loop :], violation.schedule[violation.loop :]
    closed = round_[0] == round_[-1] and not any(goal(state) for state in round_)
    return closed and is_fair(graph, round_, schedule, fairness)


# -- by hand ------------------------------------------------------------------------------------------------------------


def flip(name: str = "flip", to: int = 1):
    """Sets a to 1, waits for nothing, sets it to 0, and so on."""
    return template(block(put(cell(0), to), to=1, location=1), block(put(cell(0), 0), to=0, location=2),
                    name=name, daemon=True)  # fmt: skip


def waiter(value: int):
    return straight(wait(equal(load(0), value)), name="waiter")


def run(made, *evaluators):
    return {v.property: v for v in explore(made, evaluators).violations}


def ends(made, fairness: str = "weak"):
    return asked("progress", "ends", lambda b: b == 1, observation(made, "b"), fairness=fairness)


def test_a_thread_that_could_run_now_and_then_is_kept_out_by_weak_fairness_only():
    late = straight([wait(equal(load(0), 1)), put(cell(1), 1)], name="late")
    made = program([variable("a"), variable("b")], [flip(), late], check_deadlock=False)
    found = run(made, ends(made))
    assert split(found["ends"]) == (0, (), (Action(0, 1), Action(0, 2)))
    assert run(made, ends(made, "strong")) == {}
    ready = straight(put(cell(1), 1), name="ready")
    assert run(program([variable("a"), variable("b")], [flip(), ready]), ends(made)) == {}


def test_a_goal_met_in_every_round_is_progress():
    made = program([variable("a")], [flip()])
    goal = observation(made, "a")
    assert run(made, asked("progress", "again", lambda a: a == 1, goal)) == {}
    assert "never" in run(made, asked("progress", "never", lambda a: a == 2, goal))


def test_a_run_that_ends_elsewhere_has_no_loop():
    made = program([variable("a")], [straight(put(cell(0), 1), put(cell(0), 2))])
    found = run(made, asked("progress", "one", lambda a: a == 1, observation(made, "a")))
    assert found == {"one": Violation("one", 0, (Action(0, 1), Action(0, 2)), 0)}
    assert run(made, asked("progress", "two", lambda a: a == 2, observation(made, "a"))) == {}


def test_a_deadlock_is_no_progress():
    made = program([variable("a")], [waiter(9)])
    found = run(made, asked("progress", "one", lambda a: a == 1, observation(made, "a")))
    assert [v.property for v in found.values()] == ["one", "deadlock"]


def test_no_option_of_a_choice_has_to_be_taken():
    picks = template(block(Choose(cell(0), (Option(number(0)), Option(number(1)))), to=0, location=1), daemon=True)
    made = program([variable("a")], [picks])
    found = run(made, asked("progress", "one", lambda a: a == 1, observation(made, "a")))
    assert split(found["one"]) == (0, (), (Action(0, 1, (0,)),))


def test_a_thread_whose_only_step_is_a_fault_would_have_to_run():
    broken = straight(check(equal(load(1), 5), line=7), name="broken")
    made = program([variable("a"), variable("b")], [flip(), broken])
    found = run(made, ends(made))
    assert list(found) == ["assertion@7"], "no fair run goes round without the fault"


def test_a_lost_state_is_named_where_it_is_entered():
    body = straight(put(cell(0), 1), put(cell(0), 2), put(cell(0), 3), name="down")
    made = program([variable("a")], [body])
    found = run(made, asked("always_reachable", "two", lambda a: a == 2, observation(made, "a")))
    assert found["two"].schedule == tuple(Action(0, n) for n in (1, 2, 3))
    assert run(made, asked("always_reachable", "three", lambda a: a == 3, observation(made, "a"))) == {}


def test_what_the_judge_cannot_decide_is_neither_violated_nor_held():
    made = program([variable("a")], [straight(put(cell(0), 1))])
    for kind in ("progress", "always_reachable"):
        unsure = asked(kind, "unsure", lambda a: None if a == 1 else False, observation(made, "a"))
        found = explore(made, [unsure])
        assert (found.violations, found.unknown, found.complete) == ((), ("unsure",), False)


def test_a_violation_does_not_end_a_search_with_first_early():
    made = program([variable("a")], [flip()])
    found = explore(made, [asked("progress", "two", lambda a: a == 2, observation(made, "a"))], first=True)
    assert (found.stopped, len(found.violations)) == (None, 1)


def test_a_loop_is_found_where_the_shortest_would_take_too_long():
    turns = [flip_cell(number) for number in range(4)]
    made = program([variable(f"x{n}") for n in range(4)], turns)
    interpreter = Interpreter(made)
    steps = Steps()
    waiting = interpreter.initial()
    while waiting:
        state = waiting.pop()
        if state not in steps.steps:
            steps.steps[state] = interpreter.successors(state)
            waiting += steps.successors(state)
    entry = interpreter.initial()[0]
    (component,) = fair_components(steps, set(steps.steps), "weak")
    for fairness in ("weak", "strong"):
        shortest = shortest_loop(steps, component, entry, fairness)
        short = shortest_loop(steps, component, entry, fairness, most=1)
        assert len(shortest) == 8
        assert 8 <= len(short) <= 30
        assert {action.thread for action in short} == {0, 1, 2, 3}
        state = entry
        for action in short:
            state = interpreter.step(state, action).state
        assert state == entry


def flip_cell(number: int):
    return template(block(put(cell(number), 1), to=1, location=1), block(put(cell(number), 0), to=0, location=2),
                    name=f"f{number}", daemon=True)  # fmt: skip


def test_components_of_a_long_path_need_no_recursion():
    steps = Steps()
    for place in range(20_000):
        steps.steps[(place,)] = [Step(Action(0, 1), (place + 1,))]
    steps.steps[(20_000,)] = [Step(Action(0, 1), (10_000,))]
    sizes = sorted(len(part) for part in components(steps, steps.steps.keys()))
    assert sizes[-1] == 10_001
    assert sizes[:-1] == [1] * 10_000


# -- the gate that every counterexample passes --------------------------------------------------------------------------


def claim(made, violation: Violation, fairness: str = "weak") -> str:
    """What the reference says of a violation of: b is 1 again and again."""
    goal = equal(load(1, total=True), 1)
    property_ = replace(ends(made, fairness).property, expr=goal)
    try:
        build_trace(replace(made, properties=(property_,)), violation, engine="liar")
    except ReplayError as error:
        return str(error)
    return "ok"


def test_a_lasso_is_replayed_before_it_is_believed():
    late = straight([wait(equal(load(0), 1)), put(cell(1), 1)], name="late")
    made = program([variable("a"), variable("b")], [flip(), late], check_deadlock=False)
    there, back, last = Action(0, 1), Action(0, 2), Action(1, 1)
    assert claim(made, Violation("ends", 0, (there, back), 0, None, 0)) == "ok"
    assert claim(made, Violation("ends", 0, (there, back, there), 0, None, 0)).endswith("where it began")
    assert claim(made, Violation("ends", 0, (there, back), 0, None, 2)).endswith("where it began")
    assert claim(made, Violation("ends", 0, (there, back), 0)).endswith("the run does not end there")
    assert claim(made, Violation("ends", 0, (there, last, back, there, back), 1, None, 3)).endswith("inside the loop")
    told = claim(made, Violation("ends", 0, (there, back), 0, None, 0), "strong")
    assert told.endswith("the loop is not fair: late could run and never does")
