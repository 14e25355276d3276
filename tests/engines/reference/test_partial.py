"""Random runs and bounded preemptions: what they cover, that what they find is real, and that they never say HOLDS."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest
from asking import explore_partly
from asking import explore_reference as explore
from click.testing import CliRunner
from ir_builder import (
    DIGIT,
    cell,
    check,
    evaluator,
    less,
    load,
    observation,
    own,
    plus,
    program,
    put,
    straight,
    variable,
)
from random_programs import random_program

from dio_mc.cli import cli
from dio_mc.engines.reference.partial import STARTS
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import Budget, Exploration, FewPreemptions, RandomRuns

ROOT = Path(__file__).resolve().parents[3]
SEED = str(ROOT / "models" / "seed" / "ext3_2_6_18.py")
HOLDS = str(ROOT / "benchmarks" / "diorace.py")
NO_BUDGET = Budget()


def grid(threads: int = 2, steps: int = 3) -> Program:
    return program([variable("a")], [straight(*[put(own(0), 0)] * steps, locals_=[(DIGIT, 0)])], [threads])


def preempted(made: Program) -> dict[State, int]:
    """Every state with the least preemptions that lead to it, by a search for cheapest paths over whole schedules'
    ends, relaxed until nothing changes."""
    interpreter = Interpreter(made)
    cost: dict[tuple[State, int | None], int] = {(state, None): 0 for state in interpreter.starting()}
    waiting = deque(cost)
    while waiting:
        state, last = waiting.popleft()
        steps = interpreter.successors(state)
        enabled = {step.action.thread for step in steps}
        for step in steps:
            if step.state is None:
                continue
            thread = step.action.thread
            total = cost[state, last] + int(last is not None and last in enabled and thread != last)
            if total < cost.get((step.state, thread), total + 1):
                cost[step.state, thread] = total
                waiting.append((step.state, thread))
    least: dict[State, int] = {}
    for (state, _), total in cost.items():
        least[state] = min(total, least.get(state, total))
    return least


def seen_states(made: Program, partial: RandomRuns | FewPreemptions, budget: Budget = NO_BUDGET) -> Exploration:
    return explore_partly(made, [], partial, budget)[0]


# -- preemptions -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_states_are_those_of_schedules_with_so_many_preemptions(seed: int) -> None:
    made = random_program(seed)
    least = preempted(made)
    for most in range(max(least.values()) + 1):
        found = seen_states(made, FewPreemptions(most))
        inside = {state for state, total in least.items() if total <= most}
        interpreter = Interpreter(made)
        reached = {step.state for state in inside for step in interpreter.successors(state)} - {None}
        assert (found.states, found.open) == (len(inside), len(reached - inside)), most
        assert (str(found.stopped), found.complete) == (f"--preemptions {most}", False)
    assert found.states == explore(made, []).states, "enough of them are all"


def test_a_thread_that_cannot_go_on_is_left_for_free() -> None:
    found = seen_states(grid(2, 3), FewPreemptions(0))
    assert found.states == 4 + 4 + 4 + 4 - 4, "the sides of a square: either runs to its end, then the other one"


def test_a_violation_needs_the_preemptions_it_needs() -> None:
    """Two threads read and write back: the lost update takes one preemption."""
    thread = straight(put(own(0), load(0)), put(cell(0), plus(_local(), 1)), locals_=[(DIGIT, 0)], kills={1: (0,)})
    made = program([variable("n")], [thread], [2])
    ended = [observation(made, "t[0].pc"), observation(made, "t[1].pc"), observation(made, "n")]
    lost = evaluator("none lost", lambda a, b, n: bool(a or b) or n == 2, *ended)
    assert explore_partly(made, [lost], FewPreemptions(0), NO_BUDGET)[0].violations == ()
    (violation,) = explore_partly(made, [lost], FewPreemptions(1), NO_BUDGET)[0].violations
    assert (violation,) == explore(made, [lost]).violations


def _local():
    from ir_builder import local

    return local(0)


@pytest.mark.parametrize(
    ("most", "times"), [(0, "without preemptions"), (1, "with at most 1 preemption"), (2, "with at most 2 preemptions")]
)
def test_what_was_covered_in_words(most: int, times: str) -> None:
    found, words = explore_partly(grid(3, 3), [], FewPreemptions(most), NO_BUDGET)
    others = {0: 18, 1: 7, 2: 0}[most]
    assert found.open == others
    assert words == f"covered every schedule {times}; " + (
        f"from there steps lead to {others} other {'state' if others == 1 else 'states'}; a counterexample is the "
        "shortest among what was covered"
        if others
        else "no step leads out of what was covered: these are all states"
    )


def test_a_search_that_is_cut_says_some() -> None:
    found, words = explore_partly(grid(), [], FewPreemptions(2), Budget(max_states=5))
    assert (found.states, str(found.stopped)) == (5, "--max-states 5")
    assert words.startswith("covered some schedules with at most 2 preemptions; ")


# -- random runs -------------------------------------------------------------------------------------------------------


def test_a_seed_is_a_run_of_its_own_and_always_the_same() -> None:
    made = grid(3, 5)
    runs = [explore_partly(made, [], RandomRuns(4, seed), NO_BUDGET) for seed in (0, 0, 1, 2)]
    assert runs[0] == runs[1]
    assert len({(found.states, found.transitions, found.open) for found, _ in runs}) > 1


@pytest.mark.parametrize("seed", range(6))
def test_random_runs_stay_among_the_reachable_states(seed: int) -> None:
    made = random_program(seed)
    all_ = explore(made, [])
    found = seen_states(made, RandomRuns(50, seed))
    assert 0 < found.states <= all_.states
    assert found.states + found.open <= all_.states
    assert (str(found.stopped), found.complete) == ("--simulate 50", False)
    assert found.coverage.fired <= all_.coverage.fired
    assert {v.property for v in found.violations} <= {v.property for v in all_.violations}


def test_many_runs_of_a_small_model_see_everything_and_say_so() -> None:
    found, words = explore_partly(grid(), [], RandomRuns(2_000), NO_BUDGET)
    assert (found.states, found.open) == (16, 0)
    assert words == (
        "covered 2,000 random runs, the longest of 6 steps; no step leads out of what was covered: these are all states"
    )


def test_a_run_is_as_long_as_it_may_be() -> None:
    found, words = explore_partly(grid(1, 9), [], RandomRuns(1), Budget(max_depth=4))
    assert (found.states, found.open, str(found.stopped)) == (5, 1, "--simulate 1")
    assert words.startswith("covered 1 random run, the longest of 4 steps; from there steps lead to 1 other state; ")


def test_a_fault_ends_a_run_and_is_found() -> None:
    bad = straight(put(own(0), 0), check(less(load(0), 0), "never", line=7), locals_=[(DIGIT, 0)])
    found = seen_states(program([variable("a")], [bad]), RandomRuns(1))
    assert [(v.property, len(v.schedule)) for v in found.violations] == [("assertion@7", 2)]


def test_more_initial_states_than_anybody_can_wait_for() -> None:
    made = program([variable(f"v{n}", any_init=True) for n in range(12)], [straight(put(cell(0), 0))])
    found = seen_states(made, RandomRuns(10))
    assert 10 <= found.states <= 20
    assert found.states + found.open > STARTS - 10, "and the search of that part looks at no more of them"
    found = seen_states(made, FewPreemptions(1), Budget(max_states=100))
    assert (found.states, str(found.stopped)) == (100, "--max-states 100")


# -- both --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("partial", [RandomRuns(10_000), FewPreemptions(9)])
def test_the_user_may_stop_it_and_what_was_found_is_judged(partial: RandomRuns | FewPreemptions) -> None:
    made = grid(2, 60)
    far = evaluator("near", lambda pc: pc != 3, observation(made, "t[0].pc"))
    asked = iter([None, "Ctrl-C", "Ctrl-C", "Ctrl-C"])
    found, _ = explore_partly(made, [far], partial, NO_BUDGET, stop=lambda: next(asked))
    assert str(found.stopped) == "Ctrl-C"
    assert 3 < found.states < 61 * 61
    assert [v.property for v in found.violations] == ["near"]


def check_command(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["check", *arguments, "--no-artifacts"])
    return done.exit_code, done.output


@pytest.mark.parametrize("option", [("--simulate", "60"), ("--preemptions", "9")])
def test_what_holds_is_undetermined(option: tuple[str, str]) -> None:
    code, said = check_command(HOLDS, "--param", "fixed=1", *option)
    assert code == 3
    assert "UNDETERMINED" in said
    assert f"stopped by {' '.join(option)}; " in said
    assert "  note: covered " in said


def test_what_is_violated_is_shown() -> None:
    code, said = check_command(SEED, "--param", "pages=1", "--simulate", "300", "--seed", "5")
    assert code == 1
    assert "VIOLATED no_stale_exposure, no_hole_filled" in said
    assert "no_stale_exposure: violated in " in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--simulate", "3", "--preemptions", "1"), "Error: --simulate and --preemptions: one or the other.\n"),
        (
            ("--preemptions", "1", "--verify-reduction"),
            "Error: --verify-reduction explores everything: not with --preemptions.\n",
        ),
        (("--seed", "1"), "Error: --seed says which random runs: it needs --simulate.\n"),
    ],
)
def test_options_that_do_not_go_together(options: tuple[str, ...], words: str) -> None:
    code, said = check_command(SEED, *options)
    assert code == 2
    assert said.endswith(words)
