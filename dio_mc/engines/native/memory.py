"""Anonymous memory maps for tables: reserved generously, backed by memory when touched, in huge
pages if available."""

from __future__ import annotations

import ctypes
import mmap
from typing import Final

PAGE: Final = 1 << 21
"""The size of a huge page in bytes (2 MiB)."""
_NORESERVE: Final = getattr(mmap, "MAP_NORESERVE", 0x4000)


class Region:
    """A private anonymous map of at least `size` bytes, zero until written. Raises `MemoryError` if
    there is no address space."""

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
        """Release the memory of the whole pages between two offsets in bytes; they read as zero
        afterwards."""
        first, last = -(-start // PAGE) * PAGE, end // PAGE * PAGE
        if last > first:
            self._map.madvise(mmap.MADV_DONTNEED, first, last - first)

    def close(self) -> None:
        """Unmap the region."""
        del self._view
        self._map.close()


def reservable() -> int:
    """Bytes of address space that can be reserved at once: a power of two, at most 4 TiB. Raises
    `MemoryError` if it is less than 16 MiB."""
    space = 1 << 42
    while True:
        try:
            Region(space).close()
            return space
        except MemoryError:
            space //= 2
            if space < 1 << 24:
                raise
