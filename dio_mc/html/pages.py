"""The pages of a folder by name, for serving and for writing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dio_mc.files import write_if_changed
from dio_mc.html.folder import Folder, Found, scan
from dio_mc.html.index_page import index_page, way_home
from dio_mc.html.live import Explorer, RunRequest, request_of
from dio_mc.html.source import sources_of
from dio_mc.html.trace_page import trace_page
from dio_mc.stepping.ways import DEPTH

INDEX = "index.html"
Page = Callable[[str], str]
"""Makes a page from the query of its address."""


def pages_of(folder: Folder, base: Path, explorer: Explorer | None = None) -> dict[str, Page]:
    """Every page by name, made on request. Models' sources are read below `base`; models that the `explorer` can run
    are live."""
    pages: dict[str, Page] = {found.page: _maker(found, base, explorer) for found in folder.traces}
    pages[INDEX] = lambda query: index_page(folder)  # takes precedence over a trace of that name
    return pages


def write_pages(root: Path, target: Path, base: Path, explorer: Explorer | None = None) -> int:
    """Write the pages of folder `root` into `target`, where they differ; return the number of pages. Traces whose model
    the `explorer` can run get the steps beside them. Raises `OSError`."""
    folder = scan(root)
    for found in folder.traces:
        write_if_changed(target / found.page, _written(found, base, explorer))
    write_if_changed(target / INDEX, index_page(folder))
    return len({INDEX, *(found.page for found in folder.traces)})


def _written(found: Found, base: Path, explorer: Explorer | None) -> str:
    live = explorer(found, RunRequest(), DEPTH) if explorer is not None else ""
    ways = None if isinstance(live, str) else live.ways
    return trace_page(found.trace, sources_of(found.trace, base), home=way_home(found), ways=ways)


def _maker(found: Found, base: Path, explorer: Explorer | None) -> Page:
    def page(query: str) -> str:
        live = explorer(found, request_of(query), 1) if explorer is not None else ""
        if isinstance(live, str):
            return trace_page(found.trace, sources_of(found.trace, base), home=way_home(found), note=live)
        shown = live.trace
        return trace_page(shown, sources_of(shown, base), home=way_home(found), ways=live.ways, live=live)

    return page
