"""Counterexample files: ``counterexamples/<stem>.<Class>[@params]/<property>.{txt,dot,json}``, and ``.html`` on
request.

A file that already has the right content is not rewritten, so that a committed folder changes only where a
counterexample does. Nothing else in the folder is touched. Errors of the file system are returned in words, because
they must not cost the verdict.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from dio_mc.files import safe_name, write_if_changed
from dio_mc.render.dot import render_dot
from dio_mc.render.text import render_text
from dio_mc.source import display_path
from dio_mc.trace.codec import encode
from dio_mc.trace.trace import Trace

if TYPE_CHECKING:
    from dio_mc.stepping.ways import Ways


def write_artifacts(
    folder: Path, stem: str, trace: Trace, *, page: bool = False, ways: Ways | None = None
) -> list[str]:
    """Write the files of a trace below ``folder/stem``, with `page` also a page, which includes the `ways` beside the
    trace.

    Returns one sentence for each file that could not be written.
    """
    place = folder / safe_name(stem)
    problems: list[str] = []
    for suffix, text in rendered(trace, page=page, ways=ways).items():
        path = place / f"{safe_name(trace.property)}.{suffix}"
        try:
            _check_no_link(place, path)
            write_if_changed(path, text)
        except OSError as error:
            shown = display_path(str(path))
            problems.append(f"{shown}: cannot be written: {error.strerror or error}")
    return problems


def _check_no_link(*paths: Path) -> None:
    """Refuse symbolic links. The names come from the model, so a link of that name was not made for this purpose.
    Raises `OSError`."""
    for path in paths:
        if path.is_symlink():
            raise OSError(errno.ELOOP, "a symbolic link is in the way")


def rendered(trace: Trace, *, page: bool = False, ways: Ways | None = None) -> dict[str, str]:
    """The contents of a trace's files by suffix. A page includes the sources below the working directory."""
    files = {"txt": render_text(trace, model=True) + "\n", "dot": render_dot(trace), "json": encode(trace)}
    return {**files, "html": _page(trace, ways)} if page else files


def _page(trace: Trace, ways: Ways | None) -> str:
    from dio_mc.html.source import sources_of
    from dio_mc.html.trace_page import trace_page

    return trace_page(trace, sources_of(trace, Path.cwd()), ways=ways)
