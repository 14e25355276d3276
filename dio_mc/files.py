"""Writing files: names that every system takes, contents whole or not at all."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

_LONGEST_NAME = 120
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}


def safe_name(name: str) -> str:
    """A file name of one component, the same on every system: ``assertion@41`` stays, ``../x`` does not."""
    kept = re.sub(r"[^A-Za-z0-9_.,=@+-]", "_", name)[:_LONGEST_NAME].rstrip(".")
    kept = re.sub(r"^\.+", lambda dots: "_" * len(dots.group()), kept)
    return f"_{kept}" if not kept or kept.split(".")[0].upper() in _RESERVED else kept


def write_if_changed(path: Path, text: str) -> bool:
    """Put `text` into a file, all or nothing: written beside its place and renamed. False when it was there already.

    A device or pipe is written to and neither read (``/dev/full`` has no end) nor replaced; a symbolic link stays one.
    Raises `OSError`.
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
    """Whether `path` leads to something that is there and is neither a file nor a folder."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _mode() -> int:
    """What a plainly created file gets; `mkstemp` gives 0600."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
