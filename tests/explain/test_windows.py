"""The decisive window against a search of its own that shares nothing with the one tested but the interpreter."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest
from explained import Case, cases, cases_of
from windows_by_force import brute_force

from dio_mc.explain.cause import why
from dio_mc.explain.window import candidates, try_window
from dio_mc.frontend import build, load_module

CHEAP = 1500
"""Cases whose search took at most so many states are searched again here."""
DECIDED = [c for c in cases() if c.trace.why is not None and c.trace.kind == "violation"]


@pytest.mark.parametrize("case", [c for c in DECIDED if c.trace.why.states <= CHEAP], ids=lambda case: case.name)  # type: ignore[union-attr]  # DECIDED has none without
def test_brute_force_finds_the_same_window(case: Case) -> None:
    """The first candidate without which nothing is violated, or none of them."""
    found = case.trace.why
    assert found is not None
    assert found.search in ("found", "none")
    first = next((pair for pair in candidates(case.schedule) if brute_force(case, pair)), None)
    assert first == ((found.window.first, found.window.last) if found.window else None)


def test_most_races_have_one() -> None:
    """Of the shipped models' violations more than half have a decisive window that was found within the limit."""
    found = [c.trace.why.search for c in DECIDED if c.trace.why is not None]
    assert found.count("found") > len(found) / 2
    assert found.count("gave up") <= 3


@pytest.mark.parametrize("case", [c for c in DECIDED if c.trace.why and c.trace.why.window], ids=lambda case: case.name)
def test_a_window_is_of_one_thread_with_others_inside(case: Case) -> None:
    assert case.trace.why is not None
    window = case.trace.why.window
    assert window is not None
    thread = case.trace.steps[window.first - 1].thread
    ends = [step.thread for step in case.trace.steps] + [thread] * (thread in waiting_threads(case))
    assert ends[window.last - 1] == thread
    between = case.trace.steps[window.first : window.last - 1]
    assert window.inside == tuple(step.number for step in between if step.thread != thread)
    assert window.inside


def waiting_threads(case: Case) -> list[str]:
    return [case.trace.threads[action.thread].name for action in case.schedule.pending]


def test_the_seed_race_has_store_and_allocation_between_flush_and_map() -> None:
    case = next(c for c in cases() if c.name == "Ext3-no_stale_exposure")
    assert case.trace.why is not None
    window = case.trace.why.window
    assert window is not None
    steps = {step.number: step for step in case.trace.steps}
    assert steps[window.first].calls[-1] == "__filemap_fdatawrite_range"
    assert steps[window.last].calls[-1] == "ext3_get_block"
    inside = {steps[n].calls[-1]: n for n in window.inside if n in case.trace.why.steps}
    assert set(inside) == {"set_page_dirty", "ext3_ordered_writepage", "ext3_get_block"}
    assert "dirty[0]" in {change.cell for change in steps[inside["set_page_dirty"]].changes}
    assert "block[0]" in {change.cell for change in steps[inside["ext3_get_block"]].changes}
    assert brute_force(case, (window.first, window.last))
    assert not brute_force(case, (window.first + 1, window.last)), "a smaller one would do"


def test_the_smallest_comes_first() -> None:
    case = next(c for c in cases() if c.name == "Ext3-no_stale_exposure")
    tried = candidates(case.schedule)
    own = [sum(a.thread == case.actions[first - 1].thread for a in case.actions[first:last]) for first, last in tried]
    assert all(a <= b for a, b in pairwise(own))


def test_a_window_that_nobody_gets_through_decides_nothing(tmp_path: Path) -> None:
    """`user` waits in the middle for what only `other` does: kept out, `other` would hide the race by blocking it."""
    model = """\
    from dio_mc import *

    class Starved(Model):
        turn = Var(bool)
        x = Var(bool)

        @thread
        def user(self):
            self.x = False
            while not self.turn:
                pass
            self.x = True

        @thread
        def other(self):
            self.turn = True

        @invariant
        def never(self):
            return not self.x
    """
    path = tmp_path / "starved.py"
    path.write_text(dedent(model))
    (cls,) = load_module(str(path)).models
    (case,) = [c for c in cases_of(build(cls, {}).program) if c.trace.property == "never"]
    assert case.trace.why is not None
    assert case.trace.why.window is None
    for pair in candidates(case.schedule):
        assert not try_window(case.interpreter, case.schedule, pair, "never", case.property, 1000).gone


def test_a_window_in_which_a_thread_spins_for_ever_decides_nothing(tmp_path: Path) -> None:
    """`other` waits for the first step of the window, and `user` in it for `other`: kept out, all that is left is
    `user` going round."""
    model = """\
    from dio_mc import *

    class Spins(Model):
        started = Var(bool)
        turn = Var(bool)
        x = Var(bool)

        @thread
        def user(self):
            self.started = True
            while not self.turn:
                pass
            self.x = True

        @thread
        def other(self):
            wait_until(self.started)
            self.turn = True

        @invariant
        def never(self):
            return not self.x
    """
    path = tmp_path / "spins.py"
    path.write_text(dedent(model))
    (cls,) = load_module(str(path)).models
    (case,) = [c for c in cases_of(build(cls, {}).program) if c.trace.property == "never"]
    assert candidates(case.schedule)
    for pair in candidates(case.schedule):
        assert not try_window(case.interpreter, case.schedule, pair, "never", case.property, 1000).gone
        assert not brute_force(case, pair)


def test_a_search_that_is_cut_says_nothing() -> None:
    case = next(c for c in cases() if c.name == "Ext3-no_stale_exposure")
    found = why(case.interpreter, case.trace, case.states, case.actions, case.property, 20)
    assert found is not None
    assert (found.window, found.search) == (None, "gave up")
    assert found.states <= 20
