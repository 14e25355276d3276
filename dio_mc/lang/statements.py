"""The functions of thread bodies. They are compiled, never called; a call from ordinary Python raises
`RuntimeError`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def _compiled_only(word: str) -> NoReturn:
    raise RuntimeError(f"{word} is a word of the modelling language: it is compiled, not called")


def wait_until(condition: Any) -> None:
    """Block until the condition holds; testing it and continuing are one step."""
    _compiled_only("wait_until")


def choose(*options: Any) -> Any:
    """A non-deterministic choice: of the arguments, or of the elements of one range, enum or generator with a
    filter."""
    _compiled_only("choose")


def spawn(operation: Callable[..., Any], *arguments: Any) -> None:
    """Start an idle instance of an operation as a thread, with these arguments."""
    _compiled_only("spawn")


def crash() -> None:
    """In a thread's body: every other thread ends, and variables that are not `durable` are reset to their initial
    values."""
    _compiled_only("crash")


def smp_mb() -> None:
    """A full barrier: wait until the thread's store buffer is empty."""
    _compiled_only("smp_mb")


def smp_wmb() -> None:
    """A store barrier: stores before it reach memory before stores after it."""
    _compiled_only("smp_wmb")


def smp_rmb() -> None:
    """A load barrier. It has no effect, because loads are never reordered here."""
    _compiled_only("smp_rmb")


def smp_store_release(variable: Any, value: Any) -> None:
    """Store to a relaxed variable after all earlier stores: ``smp_store_release(self.ready, True)``."""
    _compiled_only("smp_store_release")


def smp_load_acquire(variable: Any) -> Any:
    """Load a relaxed variable. Later loads come after it, as all loads do here."""
    _compiled_only("smp_load_acquire")


def require(condition: Any, message: str) -> None:
    """In a part's method: a rule that must hold, otherwise ``lock_misuse`` at the caller's line (``misuse`` if the part
    is not a lock)."""
    _compiled_only("require")


def threads(thread: Callable[..., Any] | None = None) -> Iterable[Any]:
    """The ids of all threads, or of the instances of one thread; for ``all(...)``, ``any(...)`` and ``sum(...)``."""
    _compiled_only("threads")


class _Block:
    """The value of ``atomic()`` and ``window(name)``."""

    def __enter__(self) -> None:
        _compiled_only("with atomic/window")

    def __exit__(self, *_: object) -> None:
        _compiled_only("with atomic/window")

    def __call__(self, function: F) -> F:
        """As a decorator, ``@atomic()`` makes a whole method one step."""
        function.__dio_atomic__ = True  # type: ignore[attr-defined]  # functions take attributes, mypy does not know
        return function


def atomic() -> _Block:
    """``with atomic():`` makes its statements one step: all are executed, without interruption, or none."""
    return _Block()


def window(name: str) -> _Block:
    """``with window(name):`` names a section of code; properties test ``self.inside(name)``."""
    return _Block()


class _Me:
    """The running thread's id."""

    def __repr__(self) -> str:
        return "me"


me: Any = _Me()
