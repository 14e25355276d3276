"""Writing files: portable file names, and contents written completely or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

_LONGEST_NAME = 120
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}


def safe_name(name: str) -> str:
    """A file name of one component that is valid on every system: ``assertion@41`` stays as it is, ``../x`` does
    not."""
    kept = re.sub(r"[^A-Za-z0-9_.,=@+-]", "_", name)[:_LONGEST_NAME].rstrip(".")
    kept = re.sub(r"^\.+", lambda dots: "_" * len(dots.group()), kept)
    return f"_{kept}" if not kept or kept.split(".")[0].upper() in _RESERVED else kept


def write_if_changed(path: Path, text: str) -> bool:
    """Write `text` to a file atomically (a temporary file beside it, then a rename). Return False if the file already
    had this content.

    A device or pipe is only written to: reading it may not end (``/dev/full``), and it must not be replaced. A symbolic
    link stays a link. Raises `OSError`.
    """
    data = text.encode("utf-8")
    if _is_special(path):
        path.write_bytes(data)
        return True
    path = path.resolve()
    if _content(path) == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, _mode())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def _is_special(path: Path) -> bool:
    """Whether `path` exists and leads to neither a regular file nor a folder."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _mode() -> int:
    """The mode of a file created by `open`; `mkstemp` uses 0600."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
