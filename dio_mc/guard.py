"""Ending what does not look at the clock itself: building a program, preparing code, shaping and explaining a schedule.

A search looks at its limits as it goes. Everything else runs inside a `Guard`: a thread looks at the limits for it and
raises `Ended` in the guarded thread, between two operations of Python, as Ctrl-C does. So what runs inside must leave
nothing half done that anybody sees: it is pure, or writes files by renaming them. A call into foreign code (z3, LLVM)
is not interrupted before it returns; z3 counts its own steps, and LLVM is bounded by the size of what it is given.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from dio_mc.semantics.stop import Stop

EVERY: Final = 0.05
"""Seconds between two looks at the limits."""
GRACE: Final = 1.0
"""Seconds that what is to be told about a search may take, once a limit has ended that."""
STACK: Final = 256 << 10
"""Bytes of the watching thread's stack; the usual 8 MiB count against a limited address space."""
AGAIN: Final = 1.0
"""Seconds after which `Ended` is raised once more: foreign code may have swallowed it."""


Result = TypeVar("Result")


class Ended(BaseException):
    """A limit was met in a guarded phase; `stop` says which."""

    stop: Stop


WHY_ENDED: Final = (KeyboardInterrupt, MemoryError, Ended)
"""What ends a phase and leaves everything found before it as it is."""


def stop_of(error: BaseException) -> Stop:
    """Why a phase ended, for one of `WHY_ENDED`."""
    if isinstance(error, Ended):
        return error.stop
    from dio_mc.semantics.stop import INTERRUPTED, OUT_OF_MEMORY

    return OUT_OF_MEMORY if isinstance(error, MemoryError) else INTERRUPTED


class Guard:
    """Raises `Ended` in the thread that enters it, once `exceeded` has a reason, asked from `grace` seconds on; with
    `patience` so many seconds later, for what looks at its limits itself and only may be in the middle of something.

    The `except` for it belongs outside of the `with`. When the `with` is left nothing is raised any more.
    """

    def __init__(self, exceeded: Callable[[], Stop | None], grace: float = 0.0, patience: float = 0.0) -> None:
        self._exceeded = exceeded
        self._patience = patience
        self._grace = grace
        self._lock = threading.Lock()
        self._left = threading.Event()
        self._fired = False

    def __enter__(self) -> None:
        self._target = threading.get_ident()
        before = threading.stack_size(STACK)
        try:
            threading.Thread(target=self._watch, name="dio-mc guard", daemon=True).start()
        except RuntimeError:  # no address space is left for a thread: what is guarded ends by its own looks, or not
            return
        finally:
            threading.stack_size(before)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._lock:
            self._left.set()
            if self._fired and not isinstance(error, Ended):
                _raise_in(self._target, None)

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
        """Why to end; where there is no memory left to look, that is the reason."""
        try:
            return self._exceeded()
        except MemoryError as error:
            return stop_of(error)

    def _fire(self, stop: Stop) -> None:
        with self._lock:
            if not self._left.is_set():
                _say_nothing_of_it()
                self._fired = True
                _raise_in(self._target, type("Ended", (Ended,), {"stop": stop}))


def _say_nothing_of_it() -> None:
    """`Ended` that is raised inside of a finaliser (z3 has many) is swallowed there, and Python tells so on stderr."""
    tell = sys.unraisablehook
    if getattr(tell, "quiet", False):
        return

    def hook(unraisable: sys.UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, Ended):
            tell(unraisable)

    hook.quiet = True  # type: ignore[attr-defined]
    sys.unraisablehook = hook


class Latch:
    """Limits that stay met once they were: what a search held is given back when it ends, and the next one would only
    take it again."""

    def __init__(self, exceeded: Callable[[], Stop | None]) -> None:
        self._exceeded = exceeded
        self.stop: Stop | None = None

    def __call__(self) -> Stop | None:
        """Why everything has to end now, or None."""
        self.stop = self.stop or self._exceeded()
        return self.stop

    def words(self) -> str | None:
        """The same as text, for a `Limits` that asks."""
        return None if self() is None else str(self.stop)


def attempt(
    what: str,
    task: Callable[[], Result],
    default: Result,
    exceeded: Callable[[], Stop | None],
    note: Callable[[str], None],
) -> Result:
    """What a task gives that explains or shows what was found: it never takes a verdict with it. Where a limit ends it,
    or a fault of ours, `note` is told `what` is left out and why, and the `default` stands in."""
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


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Have a thread raise `error` at its next operation; with None, not raise what it was to."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error)
    )


def interrupt(thread: int) -> None:
    """Have a thread raise `KeyboardInterrupt`: signals are delivered to the main thread alone."""
    _raise_in(thread, KeyboardInterrupt)
