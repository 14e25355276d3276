"""The levels of a search on disk, as a file of its checkpoint.

Levels are only ever appended to their file, so its first bytes, up to the end of a level, are a
checkpoint of all levels until then. The file only needs a name in the folder of the checkpoint. On
another file system, or where unnamed files cannot be linked, the bytes are copied as they are. What
follows them is of a level that was in progress: a resumed search overwrites it, and one that ends
cuts it off.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Final

from dio_mc.engines.checkpoints.frame import Refused, write_all
from dio_mc.engines.checkpoints.place import Place
from dio_mc.engines.disk.files import Cut, Pile

AT_ONCE: Final = 1 << 22
"""Bytes that are read, and added to the checksum, at once."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where a search goes on that is resumed: its folder (`Pile`), and a function that polls the
    limits, and raises `Cut`."""

    folder: Path
    spare: int
    look: Callable[[], None]


class LevelsFile:
    """The file of a checkpoint for the levels of `pile`: the same file, or a copy of it. Its first
    `end` bytes are on the disk."""

    def __init__(self, pile: Pile, path: Path | None = None, copy: FileIO | None = None) -> None:
        self.pile, self._path, self._copy = pile, path, copy
        self._digest = hashlib.sha256()
        self.end = 0

    @classmethod
    def opened(cls, path: Path, end: int, digest: str, where: Where) -> LevelsFile:
        """The file of an earlier run, whose first `end` bytes have the SHA-256 `digest`. The search
        goes on in this file, or, on another file system, in a new one that gets the same levels.

        Raises `Refused` if the file must not be used, `OSError`, and `Cut`.
        """
        number = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        file = FileIO(number, "r+b")
        pile: Pile | None = None
        try:
            is_here = _shares(number, where.folder)
            pile = Pile(where.folder, where.spare, file if is_here else None)
            found = cls(pile, path, None if is_here else file)
            found._verify(file, end, digest, where)
        except BaseException:
            if pile is not None:
                pile.close()
            file.close()
            raise
        return found

    def _verify(self, file: FileIO, end: int, digest: str, where: Where) -> None:
        """Read what an earlier run has kept, and continue after it. Raises as `opened` does."""
        assert self._path is not None
        there = os.fstat(file.fileno())
        if not stat.S_ISREG(there.st_mode):
            raise Refused(self._path, "it is not a regular file")
        if there.st_size < end:
            raise Refused(self._path, "it is cut off")
        for data in _pieces(Pile(where.folder, file=file), 0, end):
            where.look()
            self._digest.update(data)
            if self._copy is not None:
                self.pile.append(data)
        if self._digest.hexdigest() != digest:
            raise Refused(self._path, "it is damaged: its checksum is another")
        self.end = end
        os.lseek(file.fileno(), end, os.SEEK_SET)
        self.pile.end = end

    def keep(self, place: Place, path: Path, end: int) -> str:
        """Bring the first `end` bytes to the disk; return their SHA-256. Raises `OSError`."""
        if self._path is None:
            self._begin(path)
        if self._copy is not None:
            place.require_room(end - self.end)
        try:
            for data in _pieces(self.pile, self.end, end):
                self._digest.update(data)
                if self._copy is not None:
                    write_all(self._copy.fileno(), data)
        except Cut as error:
            raise OSError(str(error)) from error
        if self._copy is None:
            self.pile.sync()
        else:
            os.fsync(self._copy.fileno())
        self.end = end
        return self._digest.hexdigest()

    def _begin(self, path: Path) -> None:
        """Give the file its name, or begin a copy of that name."""
        path.unlink(missing_ok=True)
        try:
            self.pile.link(path)
        except OSError:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._copy = FileIO(os.open(path, flags, 0o600), "r+b")
        self._path = path

    def close(self) -> None:
        """Cut off what is not kept, at the end of the search; a file of which nothing is kept is
        removed."""
        if self._path is None:
            return
        with suppress(OSError):
            if self.end == 0:
                self._path.unlink(missing_ok=True)
            elif self._copy is not None:
                os.ftruncate(self._copy.fileno(), self.end)
            else:
                self.pile.forget(self.end)
        if self._copy is not None:
            self._copy.close()


def _shares(number: int, folder: Path) -> bool:
    """Whether an open file is on the file system of a folder. Raises `OSError`."""
    return os.fstat(number).st_dev == os.stat(folder).st_dev


def _pieces(pile: Pile, start: int, end: int) -> Iterator[bytes]:
    """The bytes of a file from `start` to `end`. Raises `Cut`."""
    for at in range(start, end, AT_ONCE):
        yield pile.read(at, min(AT_ONCE, end - at))
