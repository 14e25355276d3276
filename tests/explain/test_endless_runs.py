"""A run that goes on and never meets its goal: the steps that led there, and the way out that it does not take."""

from __future__ import annotations

from pathlib import Path

import pytest
from explained import Case, cases
from small_models import case, matter
from windows_by_force import brute_force

from dio_mc.explain.cause import why
from dio_mc.explain.window import candidates, try_window
from dio_mc.render.why import why_sentences
from dio_mc.semantics.layout import State
from dio_mc.trace.cause import Why

ENDLESS = [
    c for c in cases() if c.trace.why and (c.trace.loop is not None or c.trace.property_kind == "always_reachable")
]


def goal(case: Case, state: State) -> bool:
    assert case.property is not None
    assert case.property.expr is not None
    return bool(case.interpreter.evaluate(case.property.expr, state))


def distance(case: Case, start: State, without: set[State]) -> int | None:
    """Steps from a state to the goal that enter none of these states."""
    known, level, length = {start} | without, [start], 0
    while level:
        length += 1
        behind = {s.state for state in level for s in case.interpreter.successors(state) if s.state is not None}
        level = list(behind - known)
        if any(goal(case, state) for state in level):
            return length
        known.update(level)
    return None


@pytest.mark.parametrize("case", ENDLESS, ids=lambda case: case.name)
def test_the_way_out_is_the_nearest_and_as_long_as_is_said(case: Case) -> None:
    assert case.trace.why is not None
    begins = case.trace.loop or len(case.trace.steps)
    stretches = [range(begins, len(case.trace.steps) + 1)] if case.trace.loop else [range(begins, begins + 1)]
    stretches += [range(number, number + 1) for number in range(begins - 1, 0, -1)]
    expected = None
    for numbers in stretches:
        ahead = set(case.states[numbers[-1] :]) | {case.states[n - 1] for n in numbers}
        found = [(far, n) for n in numbers if (far := distance(case, case.states[n - 1], ahead)) is not None]
        if found:
            expected = min(found)
            break
    escape = case.trace.why.escape
    assert (None if escape is None else (escape.length, escape.step)) == expected
    if escape is not None:
        others = {(other.thread, other.text) for other in case.trace.steps[escape.step - 1].alternatives}
        assert (escape.thread, escape.text) in others


def test_the_models_have_both() -> None:
    inside = [c.trace.why.escape for c in ENDLESS if c.trace.why and c.trace.why.escape]
    assert len(inside) >= 3
    assert any(c.trace.why and c.trace.why.escape is None for c in ENDLESS)


def test_readers_that_starve_a_truncate() -> None:
    found = next(c for c in cases() if c.name == "ReadersTakeNoLock-truncate_ends")
    assert why_sentences(found.trace) == [
        "Way out never taken (before 4, 4 steps to the goal): CPU0 i_dio_count.end().",
        "2 of the 3 steps before the loop matter: 1 of CPU0; 3 of CPU1.",
        "While CPU0 was between btrfs_direct_IO() (1) and i_dio_count.end() (5), these ran: CPU1 waiting = True (3); "
        "CPU2 btrfs_direct_IO() (4).",
        "Verified: making steps 1-5 of CPU0 atomic removes the livelock (18 states).",
    ]


LIVELOCK = """
class Polite(Model):
    "Each puts its flag up, and down again when it sees the other's."
    flag = Array(bool, size=2)
    noise = Var(Range(0, 1))
    entered = Var(bool)

    @thread(instances=2)
    def one(self, k):
        while True:
            self.flag[k] = True
            free = not self.flag[1 - k]
            if free:
                break
            self.flag[k] = False
        self.entered = True

    @thread
    def chatter(self):
        self.noise = 1

    @progress
    def somebody_enters(self):
        return self.entered
"""


def test_a_livelock_has_a_window_and_a_way_out(tmp_path: Path) -> None:
    """Nothing but the order of the four steps keeps the two from the goal."""
    found = case(tmp_path, LIVELOCK, "somebody_enters")
    assert found.trace.loop is not None
    assert found.trace.why is not None
    assert found.trace.why.escape is not None
    assert found.trace.why.window is not None
    texts = [found.trace.steps[n - 1].text for n in (found.trace.why.window.first, *found.trace.why.window.inside)]
    assert "self.flag[k] = True" in texts
    assert found.trace.why.escape.step >= found.trace.loop


def test_what_has_no_part_in_the_loop_does_not_matter(tmp_path: Path) -> None:
    found = case(tmp_path, LIVELOCK, "somebody_enters")
    assert "noise = 1" not in matter(found)


SPINS = """
class Spins(Model):
    "`user` asks again and again, and always when it is not its turn."
    turn = Var(bool)
    gone = Var(bool)

    @thread
    def user(self):
        self.gone = False
        while not self.turn:
            pass
        self.gone = True

    @thread(daemon=True)
    def other(self):
        while True:
            self.turn = True
            self.turn = False

    @progress(fairness="{fairness}")
    def user_ends(self):
        return self.gone
"""


@pytest.mark.parametrize("fairness", ["weak", "strong"])
@pytest.mark.parametrize(("model", "name"), [(LIVELOCK, "somebody_enters"), (SPINS, "user_ends")])
def test_every_window_is_as_brute_force_says(tmp_path: Path, model: str, name: str, fairness: str) -> None:
    """One who asks forever in a window that is his alone is endless too."""
    text = model.replace("@progress\n", f'@progress(fairness="{fairness}")\n').replace("{fairness}", fairness)
    found = case(tmp_path, text, name)
    pairs = candidates(found.schedule)
    assert len(pairs) > 1
    for pair in pairs:
        tried = try_window(found.interpreter, found.schedule, pair, name, found.property, 1000)
        assert tried.gone == brute_force(found, pair), pair


@pytest.mark.parametrize("case", ENDLESS, ids=lambda case: case.name)
def test_every_window_of_the_models_is_as_brute_force_says(case: Case) -> None:
    for pair in candidates(case.schedule):
        tried = try_window(case.interpreter, case.schedule, pair, case.trace.property, case.property, 1000)
        assert tried.gone == brute_force(case, pair), pair


LOST = """
class Lost(Model):
    "Who takes the token first keeps it; `late` needs it."
    token = Var(Range(0, 2))
    noise = Var(bool)
    done = Var(bool)

    @thread
    def chatter(self):
        self.noise = True

    @thread
    def greedy(self):
        with atomic():
            wait_until(self.token == 0)
            self.token = 1

    @thread
    def late(self):
        with atomic():
            wait_until(self.token == 0)
            self.token = 2
        self.done = True

    @{kind}
    def can_be_done(self):
        return self.done
"""


def test_the_last_way_out_of_what_is_lost(tmp_path: Path) -> None:
    """Behind the first step nobody reaches the goal; before it, the other thread's two steps do."""
    found = case(tmp_path, LOST.replace("{kind}", "always_reachable"), "can_be_done")
    assert len(found.trace.steps) == 1
    assert why_sentences(found.trace)[0] == (
        "Last way out (before 1, 2 steps to the goal): late wait_until(token == 0); token = 2."
    )


def test_a_run_that_ends_without_its_goal_tells_who_waits(tmp_path: Path) -> None:
    found = case(tmp_path, LOST.replace("{kind}", "progress"), "can_be_done")
    assert found.trace.loop is None
    sentence = next(s for s in why_sentences(found.trace) if " waits for " in s)
    assert sentence.startswith("CPU2 waits for token of CPU")
    assert "which has ended" in sentence


def test_a_budget_is_shared(tmp_path: Path) -> None:
    """The way out may use half of it; what the window needs is then left."""
    found = case(tmp_path, LIVELOCK, "somebody_enters")

    def within(states: int) -> Why:
        cut = why(found.interpreter, found.trace, found.states, found.actions, found.property, states)
        assert cut is not None
        return cut

    assert (within(2).escape, within(2).window, within(2).search) == (None, None, "gave up")
    for states in range(2, 120):
        assert within(states).states <= states
    assert within(120) == found.trace.why
