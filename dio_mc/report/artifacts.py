"""Counterexample files: ``counterexamples/<stem>.<Class>[@params]/<property>.{txt,dot,json}``, on request ``.html``.

A file is written beside its place and renamed, and left alone when it already says the same, so that a committed
gallery changes only where a counterexample does. Nothing else in the folder is touched. What the file system refuses is
returned in words: a verdict is worth more than its files.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from dio_mc.render.dot import render_dot
from dio_mc.render.text import render_text
from dio_mc.source import display_path
from dio_mc.trace.codec import encode
from dio_mc.trace.trace import Trace

_LONGEST_NAME = 120
_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10))}


def write_artifacts(folder: Path, stem: str, trace: Trace, *, page: bool = False) -> list[str]:
    """Write the files of a trace below ``folder/stem``, with `page` a page too.

    Returns what went wrong, a sentence per file.
    """
    place = folder / safe_name(stem)
    problems: list[str] = []
    for suffix, text in rendered(trace, page=page).items():
        path = place / f"{safe_name(trace.property)}.{suffix}"
        try:
            write_if_changed(path, text)
        except OSError as error:
            shown = display_path(str(path))
            problems.append(f"{shown}: cannot be written: {error.strerror or error}")
    return problems


def rendered(trace: Trace, *, page: bool = False) -> dict[str, str]:
    """The contents of a trace's files by suffix. A page has the sources below the working directory in it."""
    files = {"txt": render_text(trace, model=True) + "\n", "dot": render_dot(trace), "json": encode(trace)}
    return {**files, "html": _page(trace)} if page else files


def _page(trace: Trace) -> str:
    from dio_mc.page.source import sources_of  # a tenth of the time of a small check, for those who ask for pages
    from dio_mc.page.trace_page import trace_page

    return trace_page(trace, sources_of(trace, Path.cwd()))


def safe_name(name: str) -> str:
    """A file name of one component, the same on every system: ``assertion@41`` stays, ``../x`` does not."""
    kept = re.sub(r"[^A-Za-z0-9_.,=@+-]", "_", name)[:_LONGEST_NAME].rstrip(".")
    kept = re.sub(r"^\.+", lambda dots: "_" * len(dots.group()), kept)
    return f"_{kept}" if not kept or kept.split(".")[0].upper() in _RESERVED else kept


def write_if_changed(path: Path, text: str) -> bool:
    """Put `text` into a file, all or nothing; False when it was there already. Raises `OSError`."""
    data = text.encode("utf-8")
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
