"""Address space for tables: reserved large, filled as it is touched, in huge pages where the system has them."""

from __future__ import annotations

import ctypes
import mmap
from typing import Final

PAGE: Final = 1 << 21
_NORESERVE: Final = getattr(mmap, "MAP_NORESERVE", 0x4000)


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
