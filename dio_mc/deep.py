"""Room for deep trees: a thread with a large stack, on which recursion may go as deep as any model is nested.

Expressions are trees of the user's size. Python's own parser and compiler go through them by recursion, as do the
frontend, the printers, z3 and the exports, so rewriting ours without recursion would not be enough. Every command,
every function of the package's face and what the pytest plugin does runs in a thread whose stack is large and whose
limit of recursion fits it. Address space is reserved; memory is taken by those who use it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from dio_mc.guard import interrupt

STACKS: Final = (512 << 20, 256 << 20, 128 << 20, 64 << 20)
"""Bytes of stack to ask for, in turn, at most a sixteenth of an address space that is limited (``ulimit -v``)."""
BYTES_PER_CALL: Final = 5 << 10
"""Stack that one level of recursion may take: the compiler of Python takes most."""
LOOK: Final = 0.05
"""Seconds after which the waiting thread looks for Ctrl-C."""
Result = TypeVar("Result")
_here = threading.local()


def deeply(
    function: Callable[..., Result],
    *arguments: Any,
    waiting: Callable[[threading.Thread], None] | None = None,
    **named: Any,
) -> Result:
    """Call a function where recursion may go deep; what it raises is raised here. `waiting` is called with the thread
    until that ends (by default it is joined, and is told of Ctrl-C). Called from such a thread, the function is simply
    called."""
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
    """Bytes of address space that this process may have (``ulimit -v``): libraries and states need most of it."""
    try:
        import resource
    except ImportError:
        return sys.maxsize
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def _started(run: Callable[[], None]) -> threading.Thread | None:
    """A thread that runs with the largest stack that there is; None where there is none."""
    before = threading.stack_size()
    try:
        for size in [size for size in STACKS if size <= _address_space() // 16]:
            threading.stack_size(size)
            thread = threading.Thread(target=run, name="dio-mc", daemon=True)
            limit = sys.getrecursionlimit()
            sys.setrecursionlimit(max(limit, size // BYTES_PER_CALL))
            try:
                thread.start()
            except RuntimeError:  # no address space for that stack
                sys.setrecursionlimit(limit)
                continue
            return thread
    finally:
        threading.stack_size(before)
    return None
