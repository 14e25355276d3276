"""Deep recursion: a thread with a large stack, on which recursion may go as deep as any model is nested.

Expressions are trees, as deep as the user writes them. Python's own parser and compiler traverse them recursively, as
do the frontend, the printers, z3 and the exports, so rewriting only our part without recursion would not help. Every
command, every public function of the package and the pytest plugin run in a thread with a large stack and a matching
recursion limit. The stack only reserves address space; memory is used as recursion needs it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from dio_mc.guard import STARTING, interrupt

STACKS: Final = (512 << 20, 256 << 20, 128 << 20, 64 << 20)
"""Stack sizes in bytes to try in turn; each is used only if it is at most 1/16 of a limited address space (``ulimit
-v``)."""
BYTES_PER_CALL: Final = 5 << 10
"""Stack that one level of recursion may need; Python's compiler needs most."""
LOOK: Final = 0.05
"""Seconds between two checks for Ctrl-C by the waiting thread."""
Result = TypeVar("Result")
_here = threading.local()


def deeply(
    function: Callable[..., Result],
    *arguments: Any,
    waiting: Callable[[threading.Thread], None] | None = None,
    **named: Any,
) -> Result:
    """Call a function in a thread with a large stack; return its result, or raise what it raised.

    `waiting` is called with the thread until that ends; by default it joins the thread and forwards Ctrl-C to it.
    Within such a thread, or if none can be started, the function is called directly.
    """
    if getattr(_here, "deep", False):
        return function(*arguments, **named)
    outcome: list[tuple[bool, Any]] = []

    def run() -> None:
        _here.deep = True
        try:
            outcome.append((True, function(*arguments, **named)))
        except BaseException as error:
            outcome.append((False, error))

    before = sys.getrecursionlimit()
    thread = _started(run)
    if thread is None:
        return function(*arguments, **named)
    try:
        while thread.is_alive():
            (waiting or _joined)(thread)
    finally:
        if not thread.is_alive():
            sys.setrecursionlimit(before)
    fine, value = outcome[0]
    if not fine:
        raise value
    result: Result = value
    return result


def _joined(thread: threading.Thread) -> None:
    try:
        thread.join(LOOK)
    except KeyboardInterrupt:
        if thread.ident is not None:
            interrupt(thread.ident)


def _address_space() -> int:
    """The limit on this process's address space in bytes (``ulimit -v``); `sys.maxsize` if there is none."""
    try:
        import resource
    except ImportError:
        return sys.maxsize
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def _started(run: Callable[[], None]) -> threading.Thread | None:
    """Start a thread with the largest stack of `STACKS` that can be had, and set the recursion limit; None if none can
    be started."""
    before = threading.stack_size()
    try:
        for size in [size for size in STACKS if size <= _address_space() // 16]:
            threading.stack_size(size)
            thread = threading.Thread(target=run, name="dio-mc", daemon=True)
            limit = sys.getrecursionlimit()
            sys.setrecursionlimit(max(limit, size // BYTES_PER_CALL))
            try:
                with STARTING:
                    thread.start()
            except RuntimeError:  # no address space for that stack
                sys.setrecursionlimit(limit)
                continue
            return thread
    finally:
        threading.stack_size(before)
    return None
