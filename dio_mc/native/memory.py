"""Address space for tables: reserved large, filled as it is touched, in huge pages where the system has them."""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path
from typing import Final

PAGE: Final = 1 << 21
_NORESERVE: Final = getattr(mmap, "MAP_NORESERVE", 0x4000)
_MEMINFO: Final = Path("/proc/meminfo")
_CGROUP: Final = Path("/sys/fs/cgroup")


class Region:
    """So many bytes, zero until written, taking memory only where they are touched."""

    def __init__(self, size: int, *, huge: bool = True) -> None:
        self.size = -(-max(size, 1) // PAGE) * PAGE
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _NORESERVE
        try:
            self._map = mmap.mmap(-1, self.size, flags=flags)
        except (OSError, ValueError) as error:
            raise MemoryError(f"no address space for {self.size >> 20} MB") from error
        if huge and hasattr(mmap, "MADV_HUGEPAGE"):
            self._map.madvise(mmap.MADV_HUGEPAGE)
        self._view = ctypes.c_char.from_buffer(self._map)
        self.address = ctypes.addressof(self._view)

    def forget(self, start: int, end: int) -> None:
        """Give back the memory of whole pages between two offsets; they read as zero again."""
        first, last = -(-start // PAGE) * PAGE, end // PAGE * PAGE
        if last > first:
            self._map.madvise(mmap.MADV_DONTNEED, first, last - first)

    def close(self) -> None:
        """Give back everything."""
        del self._view
        self._map.close()


def available_bytes() -> int:
    """Memory that may still be taken before the machine, or the group this process is in, is out of it."""
    found = [_meminfo(), _group()]
    known = [size for size in found if size is not None]
    return min(known) if known else 1 << 62


def _meminfo() -> int | None:
    try:
        for line in _MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    except (OSError, ValueError, IndexError):
        return None
    return None


def _group() -> int | None:
    """What a control group (version 2) leaves."""
    try:
        most = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
        return None if most == "max" else max(int(most) - used, 0)
    except (OSError, ValueError):
        return None
