"""The levels of a part in files that outlive its process: sorted states in blocks, as coded by
`disk.files`, followed by an index. A file gets its final name when it is complete."""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import Final

from dio_mc.engines.disk.files import Block, Coder, Cut, Pile, Sorted
from dio_mc.engines.native.memory import Region
from dio_mc.semantics.stop import Stop, StopKind

_TAIL: Final = struct.Struct("<QII")
"""The position of the index, its length, and its CRC-32."""


class NamedPile(Pile):
    """A file at a path. Raises `Cut` if it cannot be opened."""

    def __init__(self, path: Path, mode: str) -> None:
        self._folder, self._spare = path.parent, 0
        try:
            self._file = FileIO(path, mode)  # closed by `close`
            self.end = os.fstat(self._file.fileno()).st_size
        except OSError as error:
            raise self._cut(error.strerror) from error

    def _cut(self, reason: str | None) -> Cut:
        place = f"{os.uname().nodename}: {self._folder}"
        return Cut(Stop(StopKind.RAY, f"{place}: {reason or 'it cannot be used'}"))


class LevelFiles:
    """The levels of part `number` of a search, in a folder."""

    def __init__(self, folder: Path, number: int, coder: Coder) -> None:
        self._folder, self._number, self._coder = folder, number, coder

    def _path(self, depth: int) -> Path:
        return self._folder / f"part-{self._number}-level-{depth}"

    def write(self, depth: int, address: int, count: int) -> None:
        """Write sorted states as a level. Raises `Cut` if the file cannot be written."""
        part = self._path(depth).with_suffix(".part")
        pile = NamedPile(part, "w+b")
        try:
            size, most = self._coder.sorter.size, self._coder.most
            blocks = [
                self._coder.write(pile, address + at * size, min(most, count - at)) for at in range(0, count, most)
            ]
            rows = [[block.start, block.size, block.count, block.first, block.last] for block in blocks]
            index = json.dumps(rows).encode()
            start = pile.append(index)
            pile.append(_TAIL.pack(start, len(index), zlib.crc32(index)))
        finally:
            pile.close()
        os.replace(part, self._path(depth))

    def pieces(self, depth: int, region: Region, most: int) -> Iterator[int]:
        """Read the states of a level into a region, piece by piece (`Coder.pieces`). Raises `Cut`
        if the file is missing or damaged."""
        pile = NamedPile(self._path(depth), "rb")
        try:
            yield from self._coder.pieces(Sorted(pile, self._index(pile)), region.address, most)
        finally:
            pile.close()

    def _index(self, pile: NamedPile) -> tuple[Block, ...]:
        if pile.end < _TAIL.size:
            raise pile.damaged()
        start, length, checksum = _TAIL.unpack(pile.read(pile.end - _TAIL.size, _TAIL.size))
        if start + length + _TAIL.size != pile.end:
            raise pile.damaged()
        index = pile.read(start, length)
        if zlib.crc32(index) != checksum:
            raise pile.damaged()
        return tuple(
            Block(at, size, count, tuple(first), tuple(last)) for at, size, count, first, last in json.loads(index)
        )
