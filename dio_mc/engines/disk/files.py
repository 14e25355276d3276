"""Sorted arrays of states in unnamed files: blocks of coded and compressed states.

An unnamed file disappears when it is closed, however the process ends, and no other process can
open it. So nothing is left after a search, and several searches can use one folder. Only the file
of the levels can get a name, in a checkpoint (`levels_file`). Zstandard's checksums are written and
verified: damaged data ends the search and never becomes states.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import IO, Final

from dio_mc.engines.disk.code import LONGEST
from dio_mc.engines.disk.sorting import Key, Sorter
from dio_mc.engines.native.memory import Region
from dio_mc.guard import Ended
from dio_mc.semantics.stop import Stop, StopKind
from dio_mc.wording import show_bytes

LEVEL: Final = 1
"""The compression level of Zstandard. Higher levels take longer, and save little on codes as short
as these."""


class Cut(Ended):
    """A phase was ended by a limit, or by a disk that is full or fails."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(str(stop))
        self.stop = stop


class Pile:
    """A file to which data is appended; `end` is its length. Without a `file` it is an unnamed one
    in a folder.

    Raises `Cut` if the file cannot be created or written, or if fewer than `spare` bytes of the
    file system would stay free.
    """

    def __init__(self, folder: Path, spare: int = 0, file: FileIO | None = None) -> None:
        self._folder, self._spare = folder, spare
        self._file: FileIO | IO[bytes]
        try:
            self._file = file or _unnamed(folder)  # it lives as long as this
            self.end = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise self._cut(error.strerror) from error

    def append(self, data: bytes) -> int:
        """Append data; return its position."""
        start, left, at = self.end, memoryview(data), self.end
        try:
            if self._spare and shutil.disk_usage(self._folder).free - len(data) < self._spare:
                raise self._cut(f"less than {show_bytes(self._spare)} would stay free")
            while left:
                written = os.pwrite(self._file.fileno(), left, at)
                left, at = left[written:], at + written
        except OSError as error:
            raise self._cut(error.strerror) from error
        self.end = at
        return start

    def read(self, start: int, size: int) -> bytes:
        """Read `size` bytes from position `start` on. Raises `Cut` if the file is shorter."""
        try:
            data = os.pread(self._file.fileno(), size, start)
            while len(data) < size and (more := os.pread(self._file.fileno(), size - len(data), start + len(data))):
                data += more
        except OSError as error:
            raise self._cut(error.strerror) from error
        if len(data) < size:
            raise self.damaged()
        return data

    def forget(self, start: int) -> None:
        """Truncate the file. If the system does not allow that, the space is reused by later
        data."""
        self.end = start
        try:
            os.ftruncate(self._file.fileno(), start)
        except OSError:
            return

    def link(self, path: Path) -> None:
        """Give the file a name in the same file system. Raises `OSError` if that is not
        possible."""
        number = self._file.fileno()
        os.link(
            f"/proc/self/fd/{number}", path, src_dir_fd=number, follow_symlinks=True
        )  # linkat(2), AT_SYMLINK_FOLLOW

    def sync(self) -> None:
        """Return when what was written is on the disk. Raises `OSError`."""
        os.fsync(self._file.fileno())

    def damaged(self) -> Cut:
        """The exception for data that differs from what was written."""
        return self._cut("what was written is not there any more")

    def _cut(self, reason: str | None) -> Cut:
        return Cut(Stop(StopKind.DISK, f"{self._folder}: {reason or 'it cannot be used'}"))

    def close(self) -> None:
        """Close the file, which deletes it unless it has a name."""
        self._file.close()


def _unnamed(folder: Path) -> FileIO | IO[bytes]:
    """A file without a name. Where the system has ``O_TMPFILE`` it can get one later; Python's own
    excludes that with ``O_EXCL``. Raises `OSError`."""
    if hasattr(os, "O_TMPFILE"):
        with suppress(OSError):
            return FileIO(os.open(folder, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600), "r+b")
    return tempfile.TemporaryFile(dir=folder, buffering=0)


@dataclass(frozen=True, slots=True)
class Block:
    """`count` states, coded in `size` bytes of a file from `start` on; `first` and `last` are the
    first and the last of them."""

    start: int
    size: int
    count: int
    first: Key
    last: Key


@dataclass(frozen=True, slots=True)
class Sorted:
    """A sorted array of states on disk."""

    pile: Pile
    blocks: tuple[Block, ...]

    @property
    def count(self) -> int:
        """The number of states."""
        return sum(block.count for block in self.blocks)


class Coder:
    """Converts between arrays in memory and blocks of at most `most` states."""

    def __init__(self, sorter: Sorter, most: int) -> None:
        import zstandard

        self.sorter, self.most = sorter, most
        self._longest = LONGEST * sorter.words * most
        self._bytes = Region(self._longest, huge=False)
        self._compress = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress
        self._decompress = zstandard.ZstdDecompressor().decompress
        self._error = zstandard.ZstdError

    def write(self, pile: Pile, address: int, count: int) -> Block:
        """Code states of a sorted array as a block at the end of a file."""
        size = self.sorter.call["encode"](address, count, self._bytes.address)
        data = self._compress(ctypes.string_at(self._bytes.address, size))
        first, last = self.sorter.key(address, 0), self.sorter.key(address, count - 1)
        return Block(pile.append(data), len(data), count, first, last)

    def read(self, pile: Pile, block: Block, address: int) -> None:
        """Decode the states of a block. Raises `Cut` if the block is damaged."""
        try:
            data = self._decompress(pile.read(block.start, block.size), self._longest)
        except self._error as error:
            raise pile.damaged() from error
        if len(data) > self._longest:
            raise pile.damaged()
        ctypes.memmove(self._bytes.address, data, len(data))
        used = self.sorter.call["decode"](self._bytes.address, block.count, address)
        ends = self.sorter.key(address, 0), self.sorter.key(address, block.count - 1)
        if used != len(data) or ends != (block.first, block.last):
            raise pile.damaged()

    def pieces(self, states: Sorted, address: int, most: int) -> Iterator[int]:
        """Decode all states to one address, piece by piece, and yield the number of states in each
        piece. A piece consists of whole blocks, and has at most `most` states, but at least one
        block."""
        count = 0
        for block in states.blocks:
            if count and count + block.count > most:
                yield count
                count = 0
            self.read(states.pile, block, address + count * self.sorter.size)
            count += block.count
        if count:
            yield count

    def close(self) -> None:
        """Free its memory."""
        self._bytes.close()


class Writing:
    """A sorted array that is being written."""

    def __init__(self, coder: Coder, pile: Pile) -> None:
        self._coder, self._pile = coder, pile
        self._size = coder.sorter.size
        self._waiting = Region(coder.most * self._size, huge=False)
        self._count = 0
        self._began = pile.end
        self._blocks: list[Block] = []

    def put(self, address: int, count: int) -> None:
        """Append states, which must follow all states before them."""
        while count:
            taken = min(count, self._coder.most - self._count)
            ctypes.memmove(self._waiting.address + self._count * self._size, address, taken * self._size)
            self._count += taken
            if self._count == self._coder.most:
                self._write()
            address, count = address + taken * self._size, count - taken

    def _write(self) -> None:
        self._blocks.append(self._coder.write(self._pile, self._waiting.address, self._count))
        self._count = 0

    def finish(self) -> Sorted:
        """Write the last block; return the array."""
        if self._count:
            self._write()
        self._waiting.close()
        return Sorted(self._pile, tuple(self._blocks))

    def give_up(self) -> None:
        """Remove what was written."""
        self._waiting.close()
        self._pile.forget(self._began)
