"""The files of a checkpoint: frames, which contain words, and heads. No byte is trusted before its
checksum is verified.

A frame consists of, little-endian: an eight-byte signature, the version of the format and the
length of the text (32 bits each), the number of words (64 bits), a JSON text padded with blanks to
a multiple of eight bytes, the words, and the SHA-256 of everything before it. The text contains the
checksum of the preceding frame, so that frames of different checkpoints cannot be mixed. A head is
a line of JSON and a line with its SHA-256.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import mmap
import os
import stat
import struct
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1
"""The version of the format. It changes when older checkpoints can no longer be read."""
WORD: Final = 8
"""The size of a word in bytes."""
_MARK: Final = b"dio-mc\0\x1a"
_HEAD: Final = struct.Struct("<8sIIQ")
_DIGEST: Final = 32
_AT_ONCE: Final = 1 << 22
"""The size in bytes of one write, and of one update of a checksum."""

Buffer = memoryview | bytes


class Refused(Exception):
    """A file of a checkpoint that must not be used, with the reason."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(reason)
        self.path, self.reason = path, reason


class Frame:
    """A frame whose checksum was correct, mapped into memory. `about` is its text, `words` the
    number of words, `address` their address until the frame is closed, `digest` the checksum."""

    def __init__(self, path: Path) -> None:
        """Map and verify a file. Raises `Refused` if it is not an intact frame, and `OSError`."""
        self.path = path
        with _opened(path) as handle:
            size = os.fstat(handle).st_size
            if size < _HEAD.size + _DIGEST:
                raise Refused(path, "it is cut off")
            self._map = mmap.mmap(handle, size, access=mmap.ACCESS_COPY)
        try:
            self.about, self._first, self.words = self._read(size)
        except BaseException:
            self._map.close()
            raise
        self.release()
        self._view = ctypes.c_char.from_buffer(self._map)
        self.address = ctypes.addressof(self._view) + self._first

    def _read(self, size: int) -> tuple[dict[str, Any], int, int]:
        mark, version, length, words = _HEAD.unpack_from(self._map)
        if mark != _MARK:
            raise Refused(self.path, "it is not a file of a checkpoint")
        if version != FORMAT:
            raise Refused(self.path, f"it has format {version}, and this version of dio-mc reads format {FORMAT}")
        first = _HEAD.size + length
        if size != first + words * WORD + _DIGEST:
            raise Refused(self.path, "it is cut off" if size < first + words * WORD + _DIGEST else "it is damaged")
        found = hashlib.sha256()
        with memoryview(self._map) as whole:
            for start in range(0, size - _DIGEST, _AT_ONCE):
                found.update(whole[start : min(start + _AT_ONCE, size - _DIGEST)])
        self.digest = found.digest()
        if self.digest != self._map[size - _DIGEST :]:
            raise Refused(self.path, "it is damaged: its checksum is another")
        return _text(self.path, self._map[_HEAD.size : first]), first, words

    def numbers(self, start: int, count: int) -> list[int]:
        """`count` words from number `start` on. Raises `Refused` if the frame has fewer."""
        if start < 0 or count < 0 or start + count > self.words:
            raise Refused(self.path, "it has fewer words than it says")
        return list((ctypes.c_uint64 * count).from_address(self.address + start * WORD)) if count else []

    def release(self) -> None:
        """Release the memory of the pages that were read, which count as this process's; they are
        read from the file again when needed."""
        if hasattr(mmap, "MADV_DONTNEED"):
            self._map.madvise(mmap.MADV_DONTNEED)

    def close(self) -> None:
        """Unmap the file; `address` is invalid from now on."""
        del self._view
        self._map.close()


def write_frame(path: Path, about: Mapping[str, Any], count: int, words: Iterable[Buffer]) -> bytes:
    """Write a frame of `count` words; return its checksum. Raises `OSError`."""
    text = json.dumps(about, sort_keys=True, separators=(",", ":")).encode()
    text += b" " * (-(len(text)) % WORD)
    found, size = hashlib.sha256(), _HEAD.size + len(text) + count * WORD

    def parts() -> Iterator[Buffer]:
        written = 0
        for part in chain((_HEAD.pack(_MARK, FORMAT, len(text), count), text), _bits(words)):
            found.update(part)
            written += len(part)
            yield part
        if written != size:
            raise ValueError(f"{written} bytes instead of {size}")
        yield found.digest()

    _write(path, parts())
    return found.digest()


def _bits(words: Iterable[Buffer]) -> Iterator[Buffer]:
    """The same bytes in pieces that fit in the processor's caches, so that each is read from memory
    once for the checksum and the write."""
    for part in words:
        for start in range(0, len(part), _AT_ONCE):
            yield part[start : start + _AT_ONCE]


def write_head(path: Path, about: Mapping[str, Any]) -> None:
    """Write a head. Raises `OSError`."""
    text = json.dumps(about, sort_keys=True).encode()
    _write(path, [text, b"\n", hashlib.sha256(text).hexdigest().encode(), b"\n"])


def read_head(path: Path) -> dict[str, Any]:
    """The contents of a head. Raises `Refused` if it is damaged, and `OSError`."""
    with _opened(path) as handle:
        data = os.read(handle, 1 << 20)
    text, _, rest = data.partition(b"\n")
    if rest != hashlib.sha256(text).hexdigest().encode() + b"\n":
        raise Refused(path, "it is damaged: its checksum is another")
    return _text(path, text)


def _text(path: Path, data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise Refused(path, "it is not what dio-mc writes")
    return found


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a regular file for reading. Links are not followed, and pipes are not waited for."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Refused(path, "it is not a regular file")
        yield handle
    finally:
        os.close(handle)


def _write(path: Path, parts: Iterable[Buffer]) -> None:
    """Write a file atomically and durably: its bytes are on the disk before it gets its name, and
    its name before this returns."""
    beside = path.with_name(f".{path.name}.new")
    try:
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            for part in parts:
                write_all(handle, part)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_all(handle: int, part: Buffer) -> None:
    """Write all bytes to an open file. Raises `OSError`."""
    done = 0
    with memoryview(part) as view:
        while done < len(view):
            done += os.write(handle, view[done:])
