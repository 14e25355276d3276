"""Trace -> one HTML file: step through it with the arrow keys, or leave it for another run; lanes, state, locks,
properties, source.

Nothing is fetched, and only the scripts beside this module run (`markup` explains how that is enforced). Without
scripts the file still shows the violation, the lanes and the diagram. The text depends only on the arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dio_mc.html.live import Live
from dio_mc.html.live_panels import live_head, live_panels
from dio_mc.html.markup import Document, asset, attribute, block, data, prose, text
from dio_mc.html.source import Source, coloured
from dio_mc.html.view import lanes, view
from dio_mc.html.waiting import waiting_card
from dio_mc.render.commit import render_commit
from dio_mc.render.sentences import closing
from dio_mc.render.svg import COLOURS, STYLE, lanes_svg
from dio_mc.render.why import why_sentences
from dio_mc.stepping.ways import Ways
from dio_mc.trace.codec import encode
from dio_mc.trace.trace import Trace

ASSETS = "dio_mc.html.assets"
SCRIPTS = ("page.js", "ways.js", "trace.js")
MOST_WHY = 5
"""The largest number of lines on the cause."""
_ALL_DOTS = 80
"""Up to this number of steps, each has a button of its own."""


@dataclass(frozen=True, slots=True)
class Heading:
    """The heading of a trace that does not show a violated property: a badge, a title, a sentence."""

    badge: str
    title: str
    about: str


def trace_page(
    trace: Trace,
    sources: Sequence[Source] = (),
    *,
    why: Sequence[str] | None = None,
    home: str | None = None,
    kernels: Sequence[str] = (),
    ways: Ways | None = None,
    live: Live | None = None,
    note: str = "",
    heading: Heading | None = None,
) -> str:
    """The page.

    `why` are lines on the cause, of which the first five are shown (None: derived from the trace); `home` is the
    address of the index; `kernels` are lines on what real kernels did. `ways` are the steps beside the trace that the
    reader can take (in a `live` page, all of them); `note` says why there are none. `heading` replaces the heading made
    from the trace.
    """
    causes = (why_sentences(trace) if why is None else why)[:MOST_WHY]
    word = "reached" if trace.kind == "witness" else "violated"
    return Document(
        title=f"{trace.property}: {word} - {trace.model.name}" if heading is None else heading.title,
        styles=(STYLE, asset(ASSETS, "base.css"), asset(ASSETS, "trace.css")),
        body="\n".join(_body(trace, sources, causes, home, kernels, live, note, heading)),
        scripts=tuple(asset(ASSETS, name) for name in SCRIPTS),
        blocks=(
            ("data", "application/json", data(view(trace, sources, ways, live))),
            ("copies", "application/json", data({"commit": render_commit(trace) + "\n", "json": encode(trace)})),
        ),
        extra=() if live is None else (("form-action", "'self'"),),
    ).render()


def _body(
    trace: Trace,
    sources: Sequence[Source],
    why: Sequence[str],
    home: str | None,
    kernels: Sequence[str],
    live: Live | None,
    note: str,
    heading: Heading | None,
) -> Iterator[str]:
    yield "<header>"
    yield from _head(trace, home, heading) if live is None or live.is_origin else live_head(live, home)
    yield "</header>"
    if note:
        yield f'<p class="note outside">{text(note)}</p>'
    yield from _stepper(trace)
    yield '<main><section class="left">'
    yield from waiting_card(trace)
    yield from _said("Why", why)
    yield from _said("On real kernels", kernels)
    yield f'<div class="card lanes" data-scrolls tabindex="0" aria-label="lanes">{lanes_svg(trace)}</div>'
    yield '<details class="card fold" open><summary>Diagram for a commit message</summary>'
    yield f'<pre data-scrolls tabindex="0">{block(render_commit(trace))}</pre></details>'
    yield '</section><section class="right">'
    yield from _panels(trace, sources, live)
    yield "</section></main>"
    yield '<p id="said" class="unseen" role="status" aria-live="polite"></p>'


def _head(trace: Trace, home: str | None, heading: Heading | None) -> Iterator[str]:
    reached = trace.kind == "witness" and heading is None
    if home is not None:
        yield f'<a class="home" href="{attribute(home)}">{"All cells" if heading else "All counterexamples"}</a>'
    badge = heading.badge if heading is not None else "reached" if reached else "violated"
    yield f'<h1><span class="badge {"good" if reached else "bad"}">{text(badge)}</span> '
    yield f"{text(heading.title if heading is not None else trace.property)}</h1>"
    yield f'<p class="end">{prose(heading.about if heading is not None else " ".join(closing(trace)))}</p>'
    yield f'<p class="about">{_about(trace)}</p>'


def _about(trace: Trace) -> str:
    params = ", ".join(f"{name}={value}" for name, value in trace.model.params)
    model = f"<b>{text(trace.model.name.split('@')[0])}</b>{f' ({text(params)})' if params else ''}"
    where = f"<code>{text(str(trace.place) if trace.place else trace.model.file)}</code>"
    count = len(trace.steps)
    steps = f"{count} step{'' if count == 1 else 's'}"
    switches = f"{trace.switches} context switch{'' if trace.switches == 1 else 'es'}{trace.label}"
    return " &middot; ".join([model, where, steps, switches, f"digest <code>{text(trace.model.digest)}</code>"])


def _stepper(trace: Trace) -> Iterator[str]:
    last = len(trace.steps)
    yield '<nav class="stepper" aria-label="steps"><div class="buttons">'
    for name, label, sign in (("first", "First step", "&#8676;"), ("back", "Step back", "&larr;")):
        yield f'<button type="button" id="{name}" aria-label="{label}" title="{label}">{sign}</button>'
    yield f'<span class="where">Step <output id="number">0</output> of <span id="of">{last}</span></span>'
    for name, label, sign in (("on", "Step on", "&rarr;"), ("last", "Last step", "&#8677;")):
        yield f'<button type="button" id="{name}" aria-label="{label}" title="{label}">{sign}</button>'
    yield "</div>"
    if last <= _ALL_DOTS:
        lane = {thread.name: number for number, thread in enumerate(lanes(trace))}
        yield '<ol class="dots"><li><a href="#step=0" class="dot" title="start">0</a></li>'
        for step in trace.steps:
            look = f"c{lane[step.thread] % len(COLOURS)}"
            title = attribute(step.head)
            yield f'<li><a href="#step={step.number}" class="dot {look}" title="{title}">{step.number}</a></li>'
        yield "</ol>"
    else:
        yield f'<input id="slide" type="range" min="0" max="{last}" value="0" aria-label="step">'
    yield '<div class="copies"><button type="button" class="copy" data-copy="commit">Copy commit diagram</button>'
    yield '<button type="button" class="copy" data-copy="json">Copy JSON</button></div>'
    yield '<div id="detour" class="detour" role="group" aria-label="another way" hidden></div></nav>'


def _said(head: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield f'<section class="card why"><h2>{head}</h2><ul>'
        yield from (f"<li>{prose(line)}</li>" for line in lines)
        yield "</ul></section>"


def _panels(trace: Trace, sources: Sequence[Source], live: Live | None) -> Iterator[str]:
    yield "<noscript><p class='card'>Stepping needs scripts; the lanes and the diagram do not.</p></noscript>"
    yield '<section class="card step"><h2 id="step-head">Step</h2><div id="step"></div>'
    yield from _sources(trace, sources)
    yield "</section>"
    yield '<section class="card"><h2>State <span class="hint" id="state-hint"></span></h2><div id="state"></div>'
    yield '<details class="fold"><summary>Locals and positions</summary><div id="locals"></div></details></section>'
    yield '<section class="card"><h2 id="instead-head">Instead of this step</h2><div id="instead"></div></section>'
    yield '<section class="card" id="onward-card"><h2>Steps that can run now</h2><div id="onward"></div></section>'
    if live is not None:
        yield from live_panels(live)
    yield '<section class="card"><h2>Locks held</h2><div id="locks"></div></section>'
    yield '<section class="card"><h2>Properties</h2><div id="properties"></div></section>'


def _sources(trace: Trace, sources: Sequence[Source]) -> Iterator[str]:
    lane = {thread.name: number for number, thread in enumerate(lanes(trace))}
    for number, source in enumerate(sources):
        yield f'<figure class="source" id="file{number}"{" hidden" if number else ""}>'
        note = f' <span class="note">{text(source.note)}</span>' if source.note else ""
        yield f"<figcaption><code>{text(source.file)}</code>{note}</figcaption>"
        if source.lines:
            marks = _marks(trace, source, lane)
            rows = "".join(
                f'<div class="line" data-line="{at}">{marks.get(at, "")}<i>{at}</i><code>{line}</code></div>'
                for at, line in coloured(source).items()
            )
            label = attribute(f"source {source.file}")
            room = f"m{min(4, max((links.count('<a ') + links.count('<b ') for links in marks.values()), default=0))}"
            yield f'<div class="lines {room}" data-scrolls tabindex="0" role="group" aria-label="{label}">{rows}</div>'
        yield "</figure>"


def _marks(trace: Trace, source: Source, lane: dict[str, int]) -> dict[int, str]:
    """For each line the steps that execute it, as links, and a mark for the property."""
    found: dict[int, list[str]] = {}
    for step in trace.steps:
        if step.place is not None and step.place.file == source.file:
            look = f"c{lane[step.thread] % len(COLOURS)}"
            link = f'<a class="dot {look}" href="#step={step.number}" tabindex="-1">{step.number}</a>'
            found.setdefault(step.place.line, []).append(link)
    if trace.place is not None and trace.place.file == source.file:
        found.setdefault(trace.place.line, []).append('<b class="rule" title="the property">&sect;</b>')
    return {line: f'<span class="marks">{"".join(links)}</span>' for line, links in found.items()}
