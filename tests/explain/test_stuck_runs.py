"""A run that gets stuck: who waits for whom, in the trace and in words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from explained import Case, cases
from small_models import case

from dio_mc.render.why import why_sentences
from dio_mc.trace.cause import Wait
from dio_mc.trace.codec import TraceFormatError, decode, encode

STUCK = [c for c in cases() if c.trace.why is not None and c.trace.why.waits]


def named(name: str) -> Case:
    return next(c for c in cases() if c.name == name)


def first_sentence(case: Case) -> str:
    return why_sentences(case.trace)[0]


@pytest.mark.parametrize("case", STUCK, ids=lambda case: case.name)
def test_a_thread_waits_for_the_value_that_somebody_gave(case: Case) -> None:
    """It cannot run; it can with the value that the cell had before that step, or another one."""
    assert case.trace.why is not None
    stuck = {waiting.thread for waiting in case.trace.blocked if not waiting.daemon}
    names = list(case.interpreter.layout.names)
    for wait in case.trace.why.waits:
        assert wait.thread in stuck
        thread = [t.name for t in case.trace.threads].index(wait.thread)
        cell, last = names.index(wait.cell), case.states[-1]
        assert not any(step.action.thread == thread for step in case.interpreter.successors(last))
        freed = [(*last[:cell], value, *last[cell + 1 :]) for value in range(-1, 9)]
        assert any(step.action.thread == thread for s in freed for step in case.interpreter.successors(s))
        if wait.step is not None:
            later = case.trace.steps[wait.step :]
            assert not any(change.cell == wait.cell for step in later for change in step.changes)


def test_every_deadlock_of_the_models_says_who_waits() -> None:
    deadlocks = [c for c in cases() if c.trace.property_kind == "deadlock" and c.trace.steps]
    assert len(deadlocks) > 5
    assert [c.name for c in deadlocks if not (c.trace.why and c.trace.why.waits)] == []


def test_a_circle_of_three() -> None:
    assert why_sentences(named("Philosophers-deadlock").trace) == [
        "CPU0 waits for fork[1] of CPU1 (2), CPU1 for fork[2] of CPU2 (3), CPU2 for fork[0] of CPU0 (1): a cycle. "
        "All steps matter.",
        "While CPU0 was between fork[first].lock() (1) and fork[second].lock(), these ran: CPU1 fork[first].lock() (2); "
        "CPU2 fork[first].lock() (3).",
        "Verified: making step 1 of CPU0 and its wait atomic removes the deadlock (83 states).",
    ]


def test_a_large_circle_is_cut() -> None:
    assert first_sentence(named("Philosophers@n=5-deadlock")) == (
        "CPU0 waits for fork[1] of CPU1 (2), CPU1 for fork[2] of CPU2 (3), and so on round a cycle of 5. "
        "All steps matter."
    )


def test_who_waits_for_itself() -> None:
    assert (
        first_sentence(named("OwnBuffer-deadlock")) == "CPU0 waits for slot, its own doing (1). The one step matters."
    )
    assert first_sentence(named("FaultsLocked-io_ends")) == "CPU0 waits for extents, its own (1). The one step matters."


def test_a_circle_that_others_wait_for_is_told_without_them(tmp_path: Path) -> None:
    model = """
    class Outside(Model):
        a = Mutex()
        b = Mutex()

        @thread
        def early(self):
            self.a.lock()
            self.b.lock()
            self.b.unlock()
            self.a.unlock()

        @thread
        def bystander(self):
            self.a.lock()
            self.a.unlock()

        @thread
        def other(self):
            self.b.lock()
            self.a.lock()
            self.a.unlock()
            self.b.unlock()
    """
    found = case(tmp_path, model, "deadlock")
    assert found.trace.why is not None
    assert [wait.thread for wait in found.trace.why.waits] == ["early", "bystander", "other"]
    assert first_sentence(found) == ("CPU0 waits for b of CPU1 (2), CPU1 for a of CPU0 (1): a cycle. All steps matter.")


def test_who_has_ended_and_what_nobody_does(tmp_path: Path) -> None:
    model = """
    class Gone(Model):
        lock = Mutex()
        go = Var(bool)

        @thread
        def forgets(self):
            self.lock.lock()
            self.lock.hand_over()

        @thread
        def needs(self):
            self.lock.lock()

        @thread
        def hopes(self):
            wait_until(self.go)
    """
    assert first_sentence(case(tmp_path, model, "deadlock")) == (
        "CPU1 waits for lock of CPU0 (2), which has ended, CPU2 for go, which no thread changes any more. "
        "1 of 2 steps matters: 2 of CPU0."
    )


def test_a_pair_of_conditions_is_no_single_cell(tmp_path: Path) -> None:
    model = """
    class Both(Model):
        one = Var(bool)
        two = Var(bool)

        @thread
        def needs(self):
            wait_until(self.one and self.two)

        @thread
        def other(self):
            self.one = False
    """
    found = case(tmp_path, model, "deadlock")
    assert found.trace.why is not None
    assert found.trace.why.waits == ()


def test_one_who_waits_for_what_is_not_there_is_no_trace() -> None:
    trace = named("Philosophers-deadlock").trace
    assert trace.why is not None
    wrong = replace(trace, why=replace(trace.why, waits=(Wait("philosopher[0]", "spoon", 1),)))
    with pytest.raises(TraceFormatError, match=r"philosopher\[0\] is said to wait for spoon, and one of them does not"):
        decode(encode(wrong))


def test_a_lock_is_told_rather_than_data(tmp_path: Path) -> None:
    model = """
    class Either(Model):
        hurry = Var(bool)
        lock = Mutex()

        @thread
        def keeps(self):
            self.hurry = False
            self.lock.lock()
            self.lock.hand_over()

        @thread
        def needs(self):
            wait_until(self.hurry or not self.lock.is_locked())
            self.lock.lock()
    """
    found = case(tmp_path, model, "deadlock")
    assert found.trace.why is not None
    assert [wait.cell for wait in found.trace.why.waits] == ["lock.handed"]
