"""Enforcing limits on code that does not poll them: building a program, preparing code, explaining a schedule.

A search polls its limits itself. Everything else runs inside a `Guard`: a second thread polls the limits and raises
`Ended` asynchronously in the guarded thread, between two bytecodes, as Ctrl-C does. Guarded code must therefore leave
nothing half done: it is pure, or it writes files by renaming them. A call into foreign code (z3, LLVM) is not
interrupted before it returns; z3 has its own step limit, and LLVM's time is bounded by the size of its input.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from dio_mc.semantics.stop import Stop

EVERY: Final = 0.05
"""Seconds between two polls of the limits."""
GRACE: Final = 1.0
"""Seconds allowed for explaining and showing results after a limit has ended the search."""
STACK: Final = 256 << 10
"""Bytes of stack for the watching thread; the usual 8 MiB would count against a limited address space."""
OUTER: Final = 1.5
"""Seconds of `patience` around code that polls its limits and has guards of its own: more than a search needs to end
and keep what it found."""
AGAIN: Final = 1.0
"""Seconds after which `Ended` is raised again, because foreign code may have swallowed it."""
STARTING: Final = threading.Lock()
"""Held while guarded code starts a thread, and while an exception is raised in a thread.

Until a new thread runs, CPython 3.11 registers it under the identity of the thread that starts it
(``pystate.c:PyThreadState_SetAsyncExc`` takes the newest thread of that identity). An exception
meant for the starting thread would end the new one before it has signalled that it runs, and
`threading.Thread.start` would wait for that signal forever, beyond all limits.
"""
LIMBO: Final = 1.0
"""Seconds that an exception waits for threads started by code that does not hold `STARTING`, such
as a library that a model imports."""

Result = TypeVar("Result")


class Ended(BaseException):
    """A limit was reached in a guarded phase; `stop` says which."""

    stop: Stop


WHY_ENDED: Final = (KeyboardInterrupt, MemoryError, Ended)
"""Exceptions that end a phase but leave all earlier results valid."""


def stop_of(error: BaseException) -> Stop:
    """The reason that an exception of `WHY_ENDED` stands for."""
    if isinstance(error, Ended):
        return error.stop
    from dio_mc.semantics.stop import INTERRUPTED, OUT_OF_MEMORY

    return OUT_OF_MEMORY if isinstance(error, MemoryError) else INTERRUPTED


class Guard:
    """A context manager that raises `Ended` in the thread that entered it, once `exceeded` returns a reason.

    Polling starts after `grace` seconds. With `patience`, `Ended` is raised only that many seconds later, for code that
    polls its limits itself but may be in the middle of something. Put the `except Ended` outside the `with`: nothing is
    raised any more once the `with` is left.
    """

    def __init__(self, exceeded: Callable[[], Stop | None], grace: float = 0.0, patience: float = 0.0) -> None:
        self._exceeded = exceeded
        self._patience = patience
        self._grace = grace
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._raised: type[BaseException] | None = None

    def __enter__(self) -> None:
        self._target = threading.get_ident()
        try:
            with STARTING:
                self._start_watching()
        except RuntimeError:  # no address space for a thread: the guarded code then runs without a guard
            return
        except BaseException:  # the guarded code does not run, so nothing may be raised in this thread later
            self._left.set()
            raise

    def _start_watching(self) -> None:
        before = threading.stack_size(STACK)
        try:
            threading.Thread(target=self._watch, name="dio-mc guard", daemon=True).start()
        finally:
            threading.stack_size(before)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self._leave()
        except (Ended, KeyboardInterrupt) as pending:
            self._leave()
            if not self._has_raised(pending):
                raise

    def _has_raised(self, error: BaseException) -> bool:
        """Whether an exception comes from this guard, not from one around it."""
        return type(error) is self._raised

    def _leave(self) -> None:
        """End the watching. What was raised before that and is pending is raised here, in this thread.

        It must not be cancelled instead: CPython 3.11 then goes on believing that some thread has a pending exception
        (``ceval.c:_PyEval_SignalAsyncExc``), and a thread that is profiled or traced looks for it at its next call
        without end.
        """
        with self._lock:
            self._left.set()

    def _watch(self) -> None:
        self._left.wait(max(self._grace, EVERY))
        pause = EVERY
        while not self._left.is_set():
            stop = self._reason()
            if stop is not None:
                self._left.wait(self._patience)
                self._fire(stop)
                pause = AGAIN
            self._left.wait(pause)

    def _reason(self) -> Stop | None:
        """The reason to end, or None. Running out of memory while polling is a reason too."""
        try:
            return self._exceeded()
        except MemoryError as error:
            return stop_of(error)

    def _fire(self, stop: Stop) -> None:
        with self._lock:
            if not self._left.is_set():
                _silence_in_finalisers()
                self._raised = type("Ended", (Ended,), {"stop": stop})
                _raise_in(self._target, self._raised)


class Interrupting(Guard):
    """A guard that raises `KeyboardInterrupt`, once, for code that then keeps what it has. `stop`
    is the limit that caused it; None for Ctrl-C."""

    stop: Stop | None = None

    def _fire(self, stop: Stop) -> None:
        with self._lock:
            if not self._left.is_set() and self._raised is None:
                self._raised, self.stop = KeyboardInterrupt, stop
                interrupt(self._target)


def _silence_in_finalisers() -> None:
    """Keep Python from printing `Ended` to stderr when it is raised inside a finaliser (z3 has many) and swallowed
    there."""
    tell = sys.unraisablehook
    if getattr(tell, "quiet", False):
        return

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, Ended):
            tell(unraisable)

    hook.quiet = True  # type: ignore[attr-defined]
    sys.unraisablehook = hook


class Latch:
    """A limit check that stays triggered. The memory of a search is freed when it ends, so that its limit would no
    longer seem reached, but the next phase would only fill it again."""

    def __init__(self, exceeded: Callable[[], Stop | None]) -> None:
        self._exceeded = exceeded
        self.stop: Stop | None = None

    def __call__(self) -> Stop | None:
        """The reason to end everything now, or None."""
        self.stop = self.stop or self._exceeded()
        return self.stop

    def words(self) -> str | None:
        """The reason as text, in the form that `Limits` polls."""
        return None if self() is None else str(self.stop)


def attempt(
    what: str,
    task: Callable[[], Result],
    default: Result,
    exceeded: Callable[[], Stop | None],
    note: Callable[[str], None],
) -> Result:
    """The result of a task that only explains or shows results, which must never cost a verdict. If a limit or a fault
    of dio-mc ends it, `note` receives a sentence with `what` was left out and why, and `default` is returned."""
    try:
        with Guard(exceeded, GRACE):
            return task()
    except (Ended, MemoryError) as ended:
        note(f"{what} is left out: {stop_of(ended)}")
    except Exception as error:
        if os.environ.get("DIO_MC_DEBUG"):
            raise
        note(f"{what} is left out, by a fault of dio-mc: {type(error).__name__}: {error}")
    return default


def _raise_in(thread: int, error: type[BaseException]) -> None:
    """Have a thread raise `error` at its next bytecode."""
    with STARTING:
        _wait_for_threads_being_started()
        _set_pending(thread, error)


def _wait_for_threads_being_started() -> None:
    """Wait until no thread is being started by code that does not hold `STARTING`, for `LIMBO` seconds at most."""
    latest = time.monotonic() + LIMBO
    while getattr(threading, "_limbo", None) and time.monotonic() < latest:
        time.sleep(0.001)


def _set_pending(thread: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def interrupt(thread: int) -> None:
    """Have a thread raise `KeyboardInterrupt`, since signals are delivered to the main thread only."""
    _raise_in(thread, KeyboardInterrupt)
