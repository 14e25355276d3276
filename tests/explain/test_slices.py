"""The steps that matter: small models in which it is known which do."""

from __future__ import annotations

from pathlib import Path

import pytest
from explained import Case, cases
from small_models import case, cases_in, matter


def test_noise_does_not_matter(tmp_path: Path) -> None:
    model = """
    class Noise(Model):
        x = Var(bool)
        noise = Var(Range(0, 3))

        @thread
        def writer(self):
            self.noise = 1
            self.x = True
            self.noise = 2

        @invariant
        def never(self):
            return not self.x or self.noise != 2
    """
    assert matter(case(tmp_path, model, "never")) == ["x = True", "noise = 2"]


def test_a_value_goes_through_copies(tmp_path: Path) -> None:
    model = """
    class Copies(Model):
        a = Var(Data)
        b = Var(Data)
        c = Var(bool)

        @thread
        def one(self):
            self.c = True
            self.a = Data.NEW
            held = self.a
            self.b = held

        @invariant
        def old(self):
            return self.b == Data.OLD
    """
    assert matter(case(tmp_path, model, "old")) == ["a = Data.NEW", "held = self.a", "b = held"]


def test_writing_the_value_that_was_there_is_writing(tmp_path: Path) -> None:
    """The load of a lost update reads 0 into a local that is 0: both loads have to come before either store."""
    model = """
    class Lost(Model):
        count = Var(Range(0, 2))

        @thread(instances=2)
        def adder(self):
            seen = self.count
            self.count = seen + 1

        @invariant
        def both(self):
            return not self.at_rest() or self.count == 2
    """
    loads, stores = ["seen = self.count"] * 2, ["count = seen + 1"] * 2
    assert matter(case(tmp_path, model, "both")) == [*loads, *stores]


CHECK_THEN_ACT = """
    class Toctou(Model):
        cached = Var(bool)
        skipped_flush = Var(bool)
        other = Var(bool)

        @thread
        def direct(self):
            self.other = True
            if not self.cached:
                self.skipped_flush = True

        @thread
        def writer(self):
            self.other = False
            self.cached = True

        @invariant
        def flushed(self):
            return not (self.skipped_flush and self.cached)
"""


def test_a_check_matters_though_nobody_had_written_what_it_read(tmp_path: Path) -> None:
    found = matter(case(tmp_path, CHECK_THEN_ACT, "flushed"))
    assert found == ["if not self.cached", "skipped_flush = True", "cached = True"]


def test_a_choice_matters_where_no_other_leads_there(tmp_path: Path) -> None:
    model = """
    class Chooses(Model):
        bad = Var(bool)
        noise = Var(Range(0, 2))

        @thread
        def one(self):
            got = choose(range(3))
            self.noise = got
            if choose(True, False):
                self.bad = True

        @invariant
        def good(self):
            return not self.bad
    """
    found = matter(case(tmp_path, model, "good"))
    assert "if choose(True, False): self.bad = True" in found
    assert "got = choose(range(3))" not in found


def test_an_unlock_that_came_too_early_matters(tmp_path: Path) -> None:
    model = """
    class Early(Model):
        lock = Mutex()
        x = Var(Range(0, 3))
        seen = Var(Range(0, 3))

        @thread
        def writer(self):
            self.lock.lock()
            self.x = 1
            self.lock.unlock()
            self.x = 2

        @thread
        def reader(self):
            self.lock.lock()
            self.seen = self.x
            self.lock.unlock()

        @invariant
        def whole(self):
            return self.seen != 1
    """
    assert matter(case(tmp_path, model, "whole")) == ["x = 1", "lock.unlock()", "lock.lock()", "seen = self.x"]


def test_a_long_chain_is_no_recursion(tmp_path: Path) -> None:
    model = """
    class Chain(Model):
        a = Array(bool, size=400)

        @thread
        def one(self):
            self.a[0] = True
            for i in range(399):
                self.a[i + 1] = self.a[i]

        @invariant
        def never(self):
            return not self.a[399]
    """
    found = case(tmp_path, model, "never")
    assert found.trace.why is not None
    assert len(found.trace.steps) == 400


def test_what_a_thread_waited_for_matters_and_a_free_lock_does_not(tmp_path: Path) -> None:
    model = """
    class Waits(Model):
        go = Var(bool)
        lock = Mutex()
        bad = Var(bool)

        @thread
        def first(self):
            self.lock.lock()
            self.go = True
            self.lock.unlock()

        @thread
        def second(self):
            wait_until(self.go)
            self.bad = True

        @invariant
        def good(self):
            return not self.bad
    """
    assert matter(case(tmp_path, model, "good")) == ["go = True", "wait_until(self.go)", "bad = True"]


def test_the_branch_that_was_taken_matters(tmp_path: Path) -> None:
    model = """
    class Branch(Model):
        flag = Var(bool)
        bad = Var(bool)
        other = Var(bool)

        @thread
        def setter(self):
            self.other = True
            self.flag = True

        @thread
        def user(self):
            found = self.flag
            if found:
                self.bad = True

        @invariant
        def good(self):
            return not self.bad or not self.flag
    """
    found = matter(case(tmp_path, model, "good"))
    assert "flag = True" in found
    assert "found = self.flag" in found
    assert "other = True" not in found


def test_of_a_fault_what_made_it_one_matters(tmp_path: Path) -> None:
    model = """
    class Faulty(Model):
        fine = Var(Range(0, 3))
        wrong = Var(bool)

        @thread
        def one(self):
            self.fine = 2
            self.wrong = True
            assert not self.wrong
    """
    (fault,) = [c for c in cases_in(tmp_path, model) if c.trace.property_kind == "fault"]
    assert matter(fault) == ["wrong = True", "assert not self.wrong"]


def test_of_a_deadlock_who_took_what_the_others_wait_for_matters() -> None:
    found = next(c for c in cases() if c.name == "Philosophers@n=2-deadlock")
    assert found.trace.why is not None
    assert found.trace.why.steps == (1, 2)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_last_step_of_a_shortest_schedule_matters(case: Case) -> None:
    """It made the property fail: without it the schedule would be shorter. Only a deadlock may end in mere steps."""
    why = case.trace.why
    if why is None:
        assert not case.trace.steps
        return
    stuck = case.trace.property_kind == "deadlock" or bool(why.waits)
    assert stuck or len(case.trace.steps) in why.steps
    assert list(why.steps) == sorted(set(why.steps))
