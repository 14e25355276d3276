"""Memory: how much this process uses, how much it may still use, and how to use less.

A process can be in a control group (a container, a batch job) that allows less than the machine has. Both versions of
control groups are read, for the process's own group and all its ancestors (Linux,
``Documentation/admin-guide/cgroup-v2.rst``, ``cgroup-v1/memory.rst``). Page cache that the kernel can drop at once
counts as free. If the system reports nothing, no limit applies.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

UNKNOWN: Final = 1 << 62
"""Stands for "no limit is known"."""
RESERVE: Final = 128 << 20
"""Bytes to leave free: a search stops before it uses the last memory of the machine."""

_PROCESS: Final = Path("/proc/self")
_MEMINFO: Final = Path("/proc/meminfo")
_GROUPS: Final = Path("/sys/fs/cgroup")


def resident_bytes() -> int:
    """The resident set size of this process in bytes; if the system does not report it, the peak so far (0:
    unknown)."""
    try:
        pages = int((_PROCESS / "statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError, AttributeError):
        return _peak_bytes()


def _peak_bytes() -> int:
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def collect_seldom() -> None:
    """Make Python's cycle collector run rarely, and ignore all objects that exist now.

    The default threshold of 700 new objects is meant for short-lived ones. A compiled program
    consists of a hundred thousand objects that stay, and scanning them repeatedly takes a third of
    the time of compiling it.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def let_go_of_code(library: str) -> None:
    """Drop the resident code pages of libraries with `library` in their file name (Linux, ``madvise(2)``,
    ``MADV_DONTNEED``). The kernel reads them from the file again when they are needed. Does nothing on other
    systems."""
    import ctypes
    import mmap

    try:
        rows = (_PROCESS / "maps").read_text(encoding="utf-8", errors="replace").splitlines()
        madvise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError, TypeError):
        return
    for row in rows:
        place, rights, *_, path = row.split(maxsplit=5)
        if rights == "r-xp" and library in Path(path).name:  # not writable, so the pages equal the file's
            first, end = (int(number, 16) for number in place.split("-"))
            madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), mmap.MADV_DONTNEED)


def available_bytes() -> int:
    """Bytes that may still be used before the machine, or a control group of this process, is out of memory."""
    return min((_left_on_the_machine(), *(_left_in(group) for group in _groups())))


def _left_on_the_machine() -> int:
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return UNKNOWN


def _groups() -> Iterator[Path]:
    """The folders of this process's control groups and of their ancestors."""
    try:
        lines = (_PROCESS / "cgroup").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        root = _GROUPS / "memory" if controllers else _GROUPS
        below = root / path.lstrip("/")
        yield from (folder for folder in (below, *below.parents) if folder == root or root in folder.parents)


def _left_in(group: Path) -> int:
    """Bytes left in a control group; `UNKNOWN` if it has no limit or its files cannot be read."""
    for limit, usage, idle in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most, used = (int((group / name).read_text(encoding="ascii")) for name in (limit, usage))
            return max(most - used + _statistic(group, idle), 0)
        except (OSError, ValueError):  # the other version of control groups, or `max` instead of a number
            continue
    return UNKNOWN


def _statistic(group: Path, name: str) -> int:
    try:
        rows = [line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines()]
        return next(int(value) for key, value in rows if key == name)
    except (OSError, ValueError, StopIteration):
        return 0
