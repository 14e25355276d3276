"""The pages of a folder by name: what is served, and what is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dio_mc.files import write_if_changed
from dio_mc.html.folder import Folder, Found, scan
from dio_mc.html.index_page import index_page, way_home
from dio_mc.html.source import sources_of
from dio_mc.html.trace_page import trace_page

INDEX = "index.html"


def pages_of(folder: Folder, base: Path) -> dict[str, Callable[[], str]]:
    """Every page below its name, made when it is asked for. Models' sources are read below `base`."""
    pages: dict[str, Callable[[], str]] = {found.page: _maker(found, base) for found in folder.traces}
    pages[INDEX] = lambda: index_page(folder)  # a trace of that name gives way
    return pages


def write_pages(root: Path, target: Path, base: Path) -> int:
    """Write the pages of folder `root` below `target`, only those that differ from what is there; how many pages there
    are. Raises `OSError`."""
    pages = pages_of(scan(root), base)
    for name, make in pages.items():
        write_if_changed(target / name, make())
    return len(pages)


def _maker(found: Found, base: Path) -> Callable[[], str]:
    return lambda: trace_page(found.trace, sources_of(found.trace, base), home=way_home(found))
