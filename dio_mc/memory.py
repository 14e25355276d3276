"""How much memory there is: what this process holds, and what it may still take before the system has to kill somebody;
and how to hold less.

A process can be in a control group (a container, a batch job) that allows less than the machine has. Both versions of
control groups are read, the process's own group and all above it (Linux, ``Documentation/admin-guide/cgroup-v2.rst``,
``cgroup-v1/memory.rst``). Page cache that the kernel can drop at once counts as free. Where the system tells nothing,
nothing is limited.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

UNKNOWN: Final = 1 << 62
"""As good as no limit."""
RESERVE: Final = 128 << 20
"""Bytes to leave to the machine: a search that would take the last ones ends before."""

_PROCESS: Final = Path("/proc/self")
_MEMINFO: Final = Path("/proc/meminfo")
_GROUPS: Final = Path("/sys/fs/cgroup")


def resident_bytes() -> int:
    """Bytes of this process in memory now; where the system does not tell, the most there ever were (0: unknown)."""
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


def let_go_of_code(library: str) -> None:
    """Let go of the machine code of a library with this in its name. In memory it is what it is in the file, from which
    it is read again when it is needed (Linux, ``madvise(2)``); nothing happens where the system is another."""
    try:
        rows = (_PROCESS / "maps").read_text(encoding="utf-8", errors="replace").splitlines()
        madvise = ctypes.CDLL(None).madvise
    except (OSError, AttributeError, TypeError):
        return
    for row in rows:
        place, rights, *_, path = row.split(maxsplit=5)
        if rights == "r-xp" and library in Path(path).name:  # nothing was written there: it is as in the file
            first, end = (int(number, 16) for number in place.split("-"))
            madvise(ctypes.c_void_p(first), ctypes.c_size_t(end - first), mmap.MADV_DONTNEED)


def available_bytes() -> int:
    """Bytes that may still be taken before the machine, or a group that this process is in, is out of memory."""
    return min((_left_on_the_machine(), *(_left_in(group) for group in _groups())))


def _left_on_the_machine() -> int:
    try:
        lines = _MEMINFO.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return UNKNOWN


def _groups() -> Iterator[Path]:
    """The folders of this process's group and of those above it."""
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
    """What a group leaves; without a limit, or where it is not ours to see, `UNKNOWN`."""
    for limit, usage, idle in (
        ("memory.max", "memory.current", "inactive_file"),
        ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ):
        try:
            most, used = (int((group / name).read_text(encoding="ascii")) for name in (limit, usage))
            return max(most - used + _statistic(group, idle), 0)
        except (OSError, ValueError):  # another version; `max`, which is not a number
            continue
    return UNKNOWN


def _statistic(group: Path, name: str) -> int:
    try:
        rows = [line.split() for line in (group / "memory.stat").read_text(encoding="ascii").splitlines()]
        return next(int(value) for key, value in rows if key == name)
    except (OSError, ValueError, StopIteration):
        return 0
