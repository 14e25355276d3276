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
    """The load of a lost update reads 0 into a local that is 0: without it nothing is lost."""
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
    assert matter(case(tmp_path, model, "both")) == ["seen = self.count", "count = seen + 1", "count = seen + 1"]


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
