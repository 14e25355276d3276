"""What ends a search early, and that what was found until then is right."""

import itertools

import pytest
from asking import explore_reference as explore
from ir_builder import (
    DIGIT,
    block,
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
    template,
    variable,
)

from dio_mc.engines import limits
from dio_mc.engines.limits import Limits
from dio_mc.engines.reference import engine
from dio_mc.engines.reference.search import POLL_EVERY
from dio_mc.ir.types import RangeType
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Budget, Progress, Violation
from dio_mc.semantics.step import Action
from dio_mc.semantics.stop import requested
from dio_mc.wording import show_bytes

WIDE = RangeType(0, 10_000)


def grid(threads: int = 2, steps: int = 3):
    """(steps + 1) ** threads states."""
    return program([variable("a")], [straight(*[put(own(0), 0)] * steps, locals_=[(DIGIT, 0)])], [threads])


def line(length: int = 3000):
    """One thread counts and counts: a state per level."""
    here = load(0, type_=WIDE)
    not_the_end = check(less(here, length), "end", line=9)
    loop = template(block(not_the_end, put(cell(0, type_=WIDE), plus(here, 1)), to=0, location=1))
    return program([variable("a", WIDE)], [loop])


@pytest.mark.parametrize("limit", range(1, 16))
def test_max_states_is_exact(limit):
    found = explore(grid(), [], Budget(max_states=limit))
    assert (found.states, str(found.stopped)) == (limit, f"--max-states {limit}")
    assert 0 < found.open <= limit
    assert not found.complete
    assert found.coverage.distinct[0] == 1


def test_max_states_that_suffice_are_no_limit():
    found = explore(grid(), [], Budget(max_states=16))
    assert (found.states, found.stopped, found.open, found.complete) == (16, None, 0, True)


def test_max_states_holds_for_initial_states_too():
    made = program([variable("a", any_init=True)], [straight(put(cell(0), 0))])
    found = explore(made, [], Budget(max_states=4))
    assert (found.states, str(found.stopped), found.open, found.depth) == (4, "--max-states 4", 4, 0)


def endless_starts(bad: bool = False):
    """10**12 initial states; with `bad`, most prefixes fail."""
    first = check(less(load(0), 3), "first below 3", line=5)
    body = template(block(*[first] * bad, to=1), block(put(cell(0), 0), to=0, location=1))
    return program([variable(f"v{n}", any_init=True) for n in range(12)], [body])


def test_more_initial_states_than_anybody_can_wait_for():
    found = explore(endless_starts(), [], Budget(max_states=500))
    assert (found.states, str(found.stopped), found.depth) == (500, "--max-states 500", 0)


def test_the_clock_is_looked_at_between_initial_states():
    asked = itertools.count()
    found = explore(endless_starts(), [], stop=lambda: "enough" if next(asked) == 2 else None)
    assert (str(found.stopped), found.states) == ("enough", 3 * POLL_EVERY - 1)


def test_a_violation_among_a_part_of_the_initial_states_has_its_position():
    seen = evaluator("two", lambda v: v != 2, observation(endless_starts(), "v10"))
    found = explore(endless_starts(), [seen], Budget(max_states=500))
    assert found.violations == (Violation("two", 20, (), 0),)


def test_faults_of_starts_are_told_when_all_starts_are_known():
    small = program([variable("v0", any_init=True)], endless_starts(True).templates)
    assert [v.fault.message for v in explore(small, []).violations] == ["first below 3"]
    assert explore(small, [], Budget(max_states=2)).violations == ()


def test_states_found_are_judged_when_there_is_no_room_for_more():
    made = grid(1, 5)
    seen = evaluator("place", lambda pc: pc != 3, observation(made, "t.pc"))
    found = explore(made, [seen], Budget(max_states=3))
    assert found.violations == (Violation("place", 0, (Action(0, 1), Action(0, 2)), 0),)
    assert str(found.stopped) == "--max-states 3"


@pytest.mark.parametrize(("limit", "states", "open_"), [(0, 1, 1), (1, 3, 2), (2, 6, 3), (3, 10, 4), (5, 15, 2)])
def test_max_depth_judges_the_last_level_and_does_not_expand_it(limit, states, open_):
    made = grid()
    seen = evaluator("any", lambda a: True, observation(made, "t[0].pc"))
    found = explore(made, [seen], Budget(max_depth=limit))
    assert (found.states, found.open, found.depth) == (states, open_, limit)
    assert str(found.stopped) == f"--max-depth {limit}"
    assert sum(map(len, seen.batches)) == min(limit, 3) + 1


def test_the_depth_of_the_last_state_is_still_a_limit_one_more_is_not():
    assert str(explore(grid(), [], Budget(max_depth=6)).stopped) == "--max-depth 6", "nobody looked beyond level 6"
    assert explore(grid(), [], Budget(max_depth=7)).stopped is None


def test_a_timeout_of_nothing_stops_at_once():
    found = explore(grid(), [], Budget(timeout=0.0))
    assert (found.states, found.open, found.transitions, str(found.stopped)) == (1, 1, 0, "--timeout 0")


def test_the_clock_is_looked_at_now_and_then(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(limits.time, "monotonic", lambda: float(next(ticks)))
    found = explore(line(), [], Budget(timeout=2.5))
    assert str(found.stopped) == "--timeout 2.5"
    assert found.states == 2 * POLL_EVERY + 1, "the clock was read once at the start and at 0, 256 and 512 states"
    assert found.depth == 2 * POLL_EVERY


def test_memory_is_a_limit():
    found = explore(line(), [], Budget(max_memory=1 << 20))
    assert (found.states, str(found.stopped)) == (1, "--max-memory 1M"), "this process is larger than a megabyte"
    assert explore(line(50), [], Budget(max_memory=1 << 50)).stopped is None


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0"), (1000, "1000"), (1024, "1K"), (512 << 20, "512M"), (2 << 30, "2G"), ((2 << 30) + 1, "2147483649")],
)
def test_bytes_are_shown_as_they_are_typed(size, text):
    assert show_bytes(size) == text


def test_stop_is_polled_and_its_answer_is_the_reason():
    asked = []

    def stop() -> str | None:
        asked.append(1)
        return "enough" if len(asked) == 4 else None

    found = explore(line(), [], stop=stop)
    assert (found.states, str(found.stopped), found.open) == (3 * POLL_EVERY + 1, "enough", 1)
    assert explore(grid(), [], stop=lambda: None).stopped is None


def test_stop_is_asked_before_the_budget():
    assert Limits(Budget(timeout=0.0), lambda: "enough").exceeded() == requested("enough")
    assert Limits(Budget()).exceeded() is None


class Interrupting:
    """An evaluator at whose desk an exception arrives."""

    def __init__(self, made, error: type[BaseException], when: int) -> None:
        inner = evaluator("low", lambda a: a < 3, observation(made, "a"))
        self.property, self.observations, self.inner, self.error, self.when = (
            inner.property,
            inner.observations,
            inner,
            error,
            when,
        )
        self.formulas = ()

    def decide(self, valuations):
        if (self.when,) in valuations:
            raise self.error
        return self.inner.decide(valuations)


@pytest.mark.parametrize(("error", "words"), [(KeyboardInterrupt, "interrupted"), (MemoryError, "out of memory")])
def test_an_interrupt_in_a_judge_leaves_what_was_found(error, words):
    made = line()
    found = explore(made, [Interrupting(made, error, 10)])
    assert (found.states, found.depth, found.transitions, str(found.stopped)) == (11, 10, 10, words)
    assert found.violations == (Violation("low", 0, (Action(0, 1),) * 3, 0),)
    assert found.coverage.distinct[0] == 11


@pytest.mark.parametrize(("error", "words"), [(KeyboardInterrupt, "interrupted"), (MemoryError, "out of memory")])
def test_an_interrupt_in_a_successor_leaves_what_was_found(monkeypatch, error, words):
    successors = Interpreter.successors

    def interrupted(self, state):
        if state[0] == 7:
            raise error
        return successors(self, state)

    monkeypatch.setattr(Interpreter, "successors", interrupted)
    made = line()
    found = explore(made, [evaluator("low", lambda a: a < 3, observation(made, "a"))])
    assert (found.states, found.open, str(found.stopped)) == (8, 1, words)
    assert [len(v.schedule) for v in found.violations] == [3]


def test_an_interrupt_before_the_first_state(monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Interpreter, "starting", interrupted)
    found = explore(grid(), [])
    assert (found.states, found.depth, str(found.stopped), found.violations) == (0, 0, "interrupted", ())


def test_an_interrupt_on_the_way_back_gives_a_shortest_counterexample(monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "canonical_paths", interrupted)
    made = grid()
    seen = evaluator(
        "corner", lambda a, b: (a, b) != (3, 3), observation(made, "t[0].pc"), observation(made, "t[1].pc")
    )
    found = explore(made, [seen])
    (violation,) = found.violations
    assert str(found.stopped) == "interrupted"
    assert len(violation.schedule) == 4
    interpreter = Interpreter(made)
    state = interpreter.initial()[violation.initial]
    for action in violation.schedule:
        step = interpreter.step(state, action)
        assert step is not None
        state = step.state
    assert [state[cell_] for cell_ in interpreter.layout.pc] == [3, 3]


def test_an_interrupt_on_the_way_back_keeps_a_fault(monkeypatch):
    def interrupted(*_):
        raise MemoryError

    monkeypatch.setattr(engine, "canonical_paths", interrupted)
    found = explore(line(5), [])
    (violation,) = found.violations
    assert str(found.stopped) == "out of memory"
    assert (violation.property, len(violation.schedule), violation.fault.message) == ("assertion@9", 6, "end")


def test_progress_is_reported_while_it_runs():
    reports: list[Progress] = []
    found = explore(line(600), [], report=reports.append)
    assert (reports[-1].states, reports[-1].open, reports[-1].transitions) == (found.states, 0, found.transitions)
    assert [r.depth for r in reports] == sorted(r.depth for r in reports)
    assert all(r.seconds >= 0 and r.states == r.transitions + 1 for r in reports)
