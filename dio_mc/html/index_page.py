"""The index of a folder: its traces by model, its graphs drawn in the same page, and the files not shown.

Graphviz is part of the page, as the text of a worker: a graph is laid out in the reader's browser, without a network
and without an installed Graphviz. A layout that takes too long is aborted.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from dio_mc.html.folder import Folder, Found, groups
from dio_mc.html.markup import Document, asset, attribute, data, prose, text
from dio_mc.trace.trace import Trace

MOST_SECONDS = 20
"""The time limit for the layout of one graph."""
_ASSETS, _VENDOR = "dio_mc.html.assets", "dio_mc.html.vendor"


def index_page(folder: Folder) -> str:
    """The page; its links lead to `Found.page`, relative to it."""
    blocks = [("graphs", "application/json", data({graph.name: graph.text for graph in folder.graphs}))]
    if folder.graphs:
        blocks += [("engine", "text/plain", asset(_VENDOR, "graphviz.js")), ("worker", "text/plain", _worker())]
    return Document(
        title=f"Counterexamples: {folder.title}",
        styles=(asset("dio_mc.html.assets", "base.css"), asset(_ASSETS, "index.css")),
        body="\n".join(_body(folder)),
        scripts=(asset(_ASSETS, "index.js"),),
        blocks=blocks,
        extra=(("script-src", "'wasm-unsafe-eval'"), ("worker-src", "blob:")) if folder.graphs else (),
    ).render()


def link_to(found: Found) -> str:
    """The address of a trace's page relative to the index."""
    return quote(found.page)


def way_home(found: Found) -> str:
    """The address of the index relative to a trace's page."""
    return "../" * found.page.count("/") + "index.html"


def _worker() -> str:
    return asset(_ASSETS, "worker.js")


def _body(folder: Folder) -> Iterator[str]:
    violations = sum(found.trace.kind == "violation" for found in folder.traces)
    witnesses = len(folder.traces) - violations
    yield f"<header><h1>Counterexamples</h1><p>{text(folder.title)}: "
    counts = [_count(violations, "violation"), _count(witnesses, "witness", "witnesses")]
    counts += [_count(len(folder.graphs), "graph"), *([f"{len(folder.refused)} not shown"] if folder.refused else [])]
    yield f"{', '.join(counts)}</p>"
    yield '<p><label>Filter <input id="filter" type="search" autocomplete="off"></label> '
    yield '<span id="matches" role="status" aria-live="polite"></span></p></header><main><section class="list">'
    for trace, entries in groups(folder):
        yield from _group(trace, entries)
    if not folder.traces:
        yield '<p class="card">No traces in this folder. <code>dio-mc check</code> writes them.</p>'
    yield from _graphs(folder)
    yield from _refused(folder)
    yield "</section>"
    if folder.graphs:
        yield from _viewer()
    yield "</main>"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _group(trace: Trace, entries: list[Found]) -> Iterator[str]:
    params = ", ".join(f"{name}={value}" for name, value in trace.model.params)
    words = attribute(f"{trace.model.name} {trace.model.file} {params}".lower())
    yield f'<section class="card model" data-words="{words}"><h2><b>{text(trace.model.name.split("@")[0])}</b> '
    yield f'{text(params)} <code class="file">{text(trace.model.file)}</code></h2><ul>'
    for entry in entries:
        yield from _row(entry)
    yield "</ul></section>"


def _row(entry: Found) -> Iterator[str]:
    trace = entry.trace
    reached = trace.kind == "witness"
    yield f'<li data-words="{attribute(f"{trace.property} {entry.name}".lower())}">'
    yield f'<span class="badge {"good" if reached else "bad"}">{"reached" if reached else "violated"}</span> '
    yield f'<span class="what"><a class="property" href="{attribute(link_to(entry))}">{text(trace.property)}</a> '
    yield f'<span class="about">{_count(len(trace.steps), "step")}, '
    yield f"{_count(trace.switches, 'switch', 'switches')}{trace.label}</span></span>"
    if entry.graph is not None:
        yield _button(entry.graph, "Graph", f"Graph of {trace.property} in {trace.model.name}")
    if trace.doc and trace.property_kind != "fault":
        paragraph = trace.doc.split("\n\n")[0]
        yield f'<span class="doc">{prose(paragraph)}</span>'
    yield "</li>"


def _button(name: str, shown: str, label: str) -> str:
    labelled = f' aria-label="{attribute(label)}"'
    return f'<button type="button" class="graph" data-graph="{attribute(name)}"{labelled}>{text(shown)}</button>'


def _graphs(folder: Folder) -> Iterator[str]:
    alone = [graph for graph in folder.graphs if graph.alone]
    if not alone:
        return
    yield '<section class="card model"><h2><b>Other graphs</b></h2><ul>'
    for graph in alone:
        words, button = attribute(graph.name.lower()), _button(graph.name, "Graph", graph.name)
        yield f'<li data-words="{words}"><code>{text(graph.name)}</code> {button}</li>'
    yield "</ul></section>"


def _refused(folder: Folder) -> Iterator[str]:
    if not folder.refused:
        return
    yield '<section class="card model refused"><h2><b>Not shown</b></h2><ul>'
    for file in folder.refused:
        words = attribute(f"{file.name} {file.reason}".lower())
        yield f'<li data-words="{words}"><code>{text(file.name)}</code>'
        yield f' <span class="about">{text(file.reason)}</span></li>'
    yield "</ul></section>"


def _viewer() -> Iterator[str]:
    yield f'<section class="viewer card" id="viewer" aria-label="graph" data-seconds="{MOST_SECONDS}" hidden>'
    yield '<div class="bar"><h2 id="shown" tabindex="-1"></h2><div class="zoom">'
    for name, label, sign in (("out", "Smaller", "&minus;"), ("fit", "Fit", "Fit"), ("in", "Larger", "+")):
        yield f'<button type="button" id="{name}" aria-label="{label}" title="{label}">{sign}</button>'
    yield '<button type="button" id="close" aria-label="Close the graph" title="Close">&times;</button></div></div>'
    yield '<p id="note" role="status" aria-live="polite"></p><div id="drawing" tabindex="0" role="group" '
    yield 'aria-label="drawing"></div><pre id="details" tabindex="0" hidden></pre></section>'
