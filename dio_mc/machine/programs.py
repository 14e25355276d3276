"""The programs of a workload's threads on a real kernel: their system calls, read from the source of their
functions."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, Final

from dio_mc.errors import usage_error
from dio_mc.study.registry import Workload

CALLS: Final = (
    "pread", "pwrite", "pread_direct", "pwrite_direct", "io_submit_pread", "io_submit_pwrite", "io_getevents",
    "mmap_load", "mmap_store", "punch_hole", "truncate", "readahead", "fsync", "msync", "sync_file_range", "writeback",
)  # fmt: skip
"""The calls that a guest makes; ``writeback`` stands for the kernel's flusher and is started by sync_file_range."""
FURTHER: Final = (
    "pread_direct_own", "pread_direct_other", "pwrite_half", "pwrite_direct_half", "pwrite_direct_rest",
    "pwrite_beyond", "zeroout", "zero_range", "fallocate", "drop_cache", "reclaim",
    "pwrite_direct_shared", "change_shared",
)  # fmt: skip
"""Further calls of a guest, for bindings: a direct read into a mapping of the same page, or of the second disk into it;
writes of half a page; BLKZEROOUT; two more modes of fallocate; posix_fadvise(DONTNEED); process_madvise(PAGEOUT) of the
first thread's mapping; a direct write from memory that another thread changes."""
WRITES: Final = {"NEW": "N", "NEWER": "M", "OLD": "O"}
"""The letters that stand for written values in the content of a page."""


def programs(workload: Workload) -> dict[str, str]:
    """Each thread's calls in the notation of a guest (``pread_direct``; ``pwrite:NEW,fsync``). Raises `ModelError`
    DIO285 for a function that is not a plain list of system calls, or has one that guests cannot make."""
    return {name: _program(name, function) for name, function in workload.threads.items()}


def _program(thread: str, function: Callable[..., Any]) -> str:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    body = [s for s in definition.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    return ",".join(_call(thread, statement) for statement in body)


def _call(thread: str, statement: ast.stmt) -> str:
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        raise _cannot(thread, f"does `{ast.unparse(statement).splitlines()[0]}`, which is not a system call")
    if call.func.attr not in CALLS:
        raise _cannot(thread, f"calls `{call.func.attr}`, which a guest cannot do")
    values = [a.attr for a in call.args if isinstance(a, ast.Attribute)]
    return ":".join([call.func.attr, *values])


def _cannot(thread: str, why: str) -> Exception:
    return usage_error("DIO285", f"thread `{thread}` cannot run on a real kernel: it {why}")
