"""The folder of one check's checkpoints: its path, its lock, and the removal of old ones.

One process at a time uses a folder (``flock``). The user's cache holds only a few checkpoints: when
another is begun, those whose last write is oldest are removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from pathlib import Path
from typing import Final

from dio_mc.cache import LEAST_FREE, cache_folder, check_owner
from dio_mc.errors import ModelError, failed_io, usage_error
from dio_mc.files import safe_name
from dio_mc.ir.program import Program
from dio_mc.source import display_path

try:
    import fcntl
except ImportError:  # a system without file locks: other processes are not locked out
    fcntl = None  # type: ignore[assignment]

KEPT: Final = 8
"""The largest number of checkpoints in the user's cache."""
_LOCK: Final = "lock"


class Place:
    """The folder for the checkpoints of a program, below `folder`, or (None) in the user's cache.
    It is created when it is locked.

    Raises `RuntimeError` if there is no home folder.
    """

    def __init__(self, program: Program, folder: str | None) -> None:
        file = os.path.abspath(program.file) if program.file else ""
        stem = Path(file).stem
        told_apart = hashlib.sha256("\0".join([file if folder is None else stem, program.name]).encode()).hexdigest()
        name = f"{safe_name(f'{stem}.{program.name}'[:80])}-{told_apart[:12]}"
        self._root = cache_folder("checkpoints") if folder is None else Path(folder)
        self._is_cache = folder is None
        self.path = self._root / name
        self._lock: int | None = None

    def __str__(self) -> str:
        return display_path(str(self.path))

    @property
    def is_locked(self) -> bool:
        """Whether this process holds the lock."""
        return self._lock is not None

    def heads(self) -> list[Path]:
        """The heads in the folder, sorted by name. Raises `OSError`."""
        try:
            return sorted(self.path.glob("*.json"))
        except FileNotFoundError:
            return []

    def lock(self) -> None:
        """Lock the folder against other processes. Raises `BlockingIOError` if another process
        holds the lock, and `OSError`."""
        if self._lock is not None:
            return
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700 if self._is_cache else 0o777)
        while True:
            self.path.mkdir(exist_ok=True, mode=0o700)
            check_owner(self.path)
            lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                if fcntl is not None:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_there(self.path / _LOCK, lock):
                    self._lock = lock
                    return
            except BaseException:
                os.close(lock)
                raise
            os.close(lock)  # the process that held the lock has just removed the folder

    def has_room(self, size: int) -> bool:
        """Return whether `size` bytes may be written; only the user's cache is restricted
        (`LEAST_FREE`). Raises `OSError`."""
        return not self._is_cache or shutil.disk_usage(self.path).free - size >= LEAST_FREE

    def require_room(self, size: int) -> None:
        """Raise `OSError` if `size` bytes may not be written (`has_room`)."""
        if not self.has_room(size):
            raise OSError(f"{self}: less than 1 GiB would be left on the disk")

    def drop(self, search: str) -> None:
        """Remove the checkpoint of one search, its head first. Raises `OSError`."""
        for path in (self.path / f"{search}.json", *self.path.glob(f"{search}.*")):
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove the checkpoint. The heads are removed first, so that an interruption leaves
        nothing that seems complete. Raises `OSError`."""
        for path in self.heads():
            path.unlink(missing_ok=True)
        for path in self.path.iterdir():
            if path.name != _LOCK:
                path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the locked folder, unless it contains foreign files, and unlock it."""
        with contextlib.suppress(OSError):
            self.clear()
            (self.path / _LOCK).unlink(missing_ok=True)
            self.path.rmdir()
        self.unlock()

    def unlock(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def trim(self) -> None:
        """In the user's cache, remove the oldest checkpoints that no process uses, down to
        `KEPT`."""
        if not self._is_cache:
            return
        aged: list[tuple[float, Path]] = []
        with contextlib.suppress(OSError):
            for folder in self._root.iterdir():
                with contextlib.suppress(OSError):
                    aged.append((max(path.stat().st_mtime for path in (folder, *folder.glob("*.json"))), folder))
        for _, folder in sorted(aged)[:-KEPT]:
            if folder != self.path:
                _remove_unused(folder)


def _remove_unused(folder: Path) -> None:
    other = Place.__new__(Place)
    other._root, other._is_cache, other.path, other._lock = folder.parent, False, folder, None
    with contextlib.suppress(OSError):
        other.lock()
        other.remove()


def _is_there(path: Path, handle: int) -> bool:
    """Return whether an open file is still the one at `path`."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(handle))
    except FileNotFoundError:
        return False


LEFT: Final = (
    "it is left as it is; without --resume, or with another --checkpoint, the search starts from the beginning"
)


def refused(path: Path | str, reason: str, hint: str = LEFT) -> ModelError:
    """The error for a checkpoint that cannot be used."""
    return usage_error("DIO223", f"the checkpoint is refused: {reason}", file=display_path(str(path)), hint=hint)


def in_the_way(place: Place) -> ModelError:
    """The error for a folder that already has a checkpoint, when no resumption was requested."""
    hint = "--resume continues it; remove the folder to start from the beginning"
    return usage_error("DIO224", "there is a checkpoint already", file=str(place), hint=hint)


def unusable(place: Place, error: OSError) -> ModelError:
    """The error for a folder that cannot be locked or read."""
    if isinstance(error, BlockingIOError):
        return usage_error("DIO224", "another process is using this checkpoint", file=str(place))
    reason = failed_io(error).removeprefix("dio-mc: error: ")
    return refused(place.path, f"it cannot be read: {reason}")
