"""A cache of files below the user's cache folder: object code, and cells of matrices. An entry is
complete or absent, and the number of entries is bounded."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from dio_mc.semantics.search import Note

KEPT: Final = 512
"""The largest number of entries of a kind; those unused for longest are removed."""
LEAST_FREE: Final = 1 << 30
"""Bytes that must stay free on the disk when something large that was not requested is written to
the user's cache: checkpoints, and the states of a search that ran out of memory."""
_MARK: Final = b"dio-mc object\n"


class Cache:
    """A cache of bytes by key, in a folder per `kind`.

    `what` describes the entries in messages. The first error ends the use of the cache and is
    reported once through `note`; a damaged entry counts as absent.
    """

    def __init__(self, note: Note, kind: str = "native", what: str = "compiled code is") -> None:
        self._note, self._what = note, what
        self._folder: Path | None = None
        try:
            self._folder = cache_folder(kind)
        except RuntimeError as error:  # no home folder
            self._give_up(str(error))

    def get(self, key: str) -> bytes | None:
        """The bytes stored under a key, or None if there are none or they are damaged."""
        if self._folder is None:
            return None
        path = self._folder / key
        try:
            check_owner(self._folder)
            data = _read(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._give_up(reason_of(error))
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        head = len(_MARK)
        digest, code = data[head : head + 32], data[head + 32 :]
        whole = data[:head] == _MARK and hashlib.sha256(code).digest() == digest
        return code if whole else None

    def put(self, key: str, code: bytes) -> None:
        """Store bytes under a key."""
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            check_owner(self._folder)
            _write(self._folder, key, _MARK + hashlib.sha256(code).digest() + code)
            _trim(self._folder)
        except OSError as error:
            self._give_up(reason_of(error))

    def _give_up(self, reason: str) -> None:
        self._folder = None
        self._note(f"{self._what} not kept: {reason}")


def cache_folder(kind: str = "native") -> Path:
    """The folder of the entries of a kind. Raises `RuntimeError` if there is no home folder."""
    base = os.environ.get("XDG_CACHE_HOME") or ""
    return (Path(base) if os.path.isabs(base) else Path.home() / ".cache") / "dio-mc" / kind


def check_owner(folder: Path) -> None:
    """Raise `OSError` if others may write to the folder: its contents are executed or trusted."""
    found = folder.stat()
    if found.st_uid not in (os.geteuid(), 0) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise OSError(errno.EPERM, "others may write to it", str(folder))


def _read(path: Path) -> bytes:
    """The contents of a regular file. Links are not followed, and pipes are not waited for. Raises
    `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(path))
        return file.read()


def reason_of(error: OSError) -> str:
    """The file and the system's description of an error."""
    return f"{error.filename}: {error.strerror}" if error.filename else str(error)


def _write(folder: Path, key: str, data: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, folder / key)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _trim(folder: Path) -> None:
    """Remove the oldest files. Other processes may do this at the same time, so missing files are ignored."""
    aged: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        with contextlib.suppress(OSError):
            aged.append((path.stat().st_mtime, path))
    for _, path in sorted(aged)[:-KEPT]:
        with contextlib.suppress(OSError):
            path.unlink()
