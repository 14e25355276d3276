"""No exception is raised in a thread that is starting another: CPython 3.11 might give it to the new one, which then
never says that it runs, so that the first waits for it without end."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

import dio_mc.guard
from dio_mc.guard import Ended, Guard, Interrupting
from dio_mc.semantics.stop import OUT_OF_MEMORY, Stop


class Starts:
    """Holds up each start of a thread from the second on, and records what is raised meanwhile."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.under_way = threading.Event()
        self.raised: list[bool] = []
        self._start: Callable[..., Any] = threading._start_new_thread  # type: ignore[attr-defined]
        self._pend = dio_mc.guard._set_pending
        patch.setattr(threading, "_start_new_thread", self.start)
        patch.setattr(dio_mc.guard, "_set_pending", self.pend)
        patch.setattr(dio_mc.guard, "EVERY", 0.001)

    def start(self, *arguments: Any) -> Any:
        self.count += 1
        if self.count == 1:
            return self._start(*arguments)
        self.under_way.set()
        threading.Event().wait(0.05)
        try:
            return self._start(*arguments)
        finally:
            self.under_way.clear()

    def pend(self, thread: int, error: type[BaseException]) -> None:
        self.raised.append(self.under_way.is_set())
        self._pend(thread, error)

    def exceeded(self) -> Stop | None:
        return OUT_OF_MEMORY if self.under_way.is_set() else None


def in_a_guard() -> None:
    with Guard(lambda: None):
        pass


def in_other_code() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def ended_while_starting(guard: Guard, start: Callable[[], None]) -> None:
    with guard:
        while True:
            start()


@pytest.mark.parametrize(("start", "limbo"), [(in_a_guard, 0.0), (in_other_code, 60.0)])
def test_what_is_raised_waits_until_a_new_thread_runs(
    monkeypatch: pytest.MonkeyPatch, start: Callable[[], None], limbo: float
) -> None:
    """Our own threads hold a lock; others are looked for."""
    monkeypatch.setattr(dio_mc.guard, "LIMBO", limbo)
    starts = Starts(monkeypatch)
    with pytest.raises(Ended):
        ended_while_starting(Guard(starts.exceeded), start)
    assert starts.raised[:1] == [False]


def test_an_interrupt_waits_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dio_mc.guard, "LIMBO", 0.0)
    starts = Starts(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        ended_while_starting(Interrupting(starts.exceeded), in_a_guard)
    assert starts.raised[:1] == [False]


def test_a_guard_that_was_not_entered_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread runs already when the guard around it ends the thread that would have entered it."""
    polled = threading.Event()
    wait = threading.Event.wait

    def ended(event: threading.Event, timeout: float | None = None) -> bool:
        wait(event, timeout)
        if threading.current_thread() is first and timeout is None:
            raise Ended
        return True

    def exceeded() -> Stop | None:
        polled.set()
        return None

    first = threading.current_thread()
    monkeypatch.setattr(dio_mc.guard, "EVERY", 0.3)
    guard = Guard(exceeded)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Event, "wait", ended)
        with pytest.raises(Ended):
            guard.__enter__()
    assert not polled.wait(0.8)
