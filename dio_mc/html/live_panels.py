"""The parts of a live page that the page of a trace does not have: heading, expressions, what can follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dio_mc.html.live import Follows, Live, RunRequest
from dio_mc.html.markup import attribute, text, visible
from dio_mc.render.statement import short
from dio_mc.wording import plural


def live_view(live: Live) -> dict[str, Any]:
    """The data for the script: how much of the run comes from the trace, the schedule after it, the expressions."""
    return {
        "origin": live.is_origin,
        "to": live.to,
        "own": list(live.own),
        "watches": [
            {"text": visible(w.text), "values": [visible(value) for value in w.values], "problem": visible(w.problem)}
            for w in live.watches
        ],
    }


def live_head(live: Live, home: str | None) -> Iterator[str]:
    """The heading of a run that differs from the trace."""
    last = len(live.trace.steps)
    wrong = [s.property for s in live.trace.standings if s.kind in ("invariant", "step") and s.at]
    fault = live.trace.final_fault
    wrong += [fault.kind] if fault is not None else []
    wrong += ["deadlock"] if live.ways.positions[live.ways.along[-1]].deadlock else []
    if home is not None:
        yield f'<a class="home" href="{attribute(home)}">All counterexamples</a>'
    badge = f'<span class="badge bad">violated</span> {text(", ".join(wrong))}' if wrong else "Another way"
    yield f"<h1>{badge}</h1>"
    parts = [f"the first {plural(live.to, 'step')} of {text(live.origin.property)}"] if live.to else []
    parts += [plural(len(live.own), "step") + " chosen by hand"] if live.own else []
    yield f'<p class="end">A run of {plural(last, "step")}: {", then ".join(parts) or "the start"}.</p>'
    if live.problem:
        yield f'<p class="finally">{text(live.problem)}</p>'
    back = _address(live, RunRequest()) + f"#step={live.to}"
    yield f'<p class="about"><b>{text(live.trace.model.name.split("@")[0])}</b> &middot; '
    yield f'<a href="{attribute(back)}">Back to {text(live.origin.property)}</a>'
    if live.own:
        undone = RunRequest(live.to, live.own[:-1])
        yield f' &middot; <a href="{attribute(_address(live, undone))}">Undo the last step</a>'
    yield "</p>"


def live_panels(live: Live) -> Iterator[str]:
    """The expressions, with a field to add one, and what can follow the end of the run."""
    yield '<section class="card"><h2>Expressions</h2><div id="watches"></div>'
    yield '<form method="get" action="" class="ask"><label for="watch">In the modelling language</label>'
    here = _here(live)
    yield from (_hidden(name, value) for name, value in _fields(here))
    yield '<input id="watch" name="watch" type="text" maxlength="400" autocomplete="off" spellcheck="false" '
    yield 'placeholder="dirty[0] and not at_rest()"><button>Show</button></form></section>'
    yield '<section class="card"><h2>What can follow the end of this run</h2>'
    if live.follows:
        yield f'<ul class="list">{"".join(_follows(live, one) for one in live.follows)}</ul>'
    else:
        target = attribute(_address(live, replace(here, rest=True)))
        yield f'<p class="quiet"><a href="{target}">Explore every schedule from here</a></p>'
    yield "</section>"


def _here(live: Live) -> RunRequest:
    to = None if live.is_origin else live.to
    return RunRequest(to, live.own, tuple(watch.text for watch in live.watches))


def _address(live: Live, request: RunRequest) -> str:
    return replace(request, watches=tuple(watch.text for watch in live.watches)).address()


def _fields(request: RunRequest) -> Iterator[tuple[str, str]]:
    if request.to is not None:
        yield "to", str(request.to)
    if request.then:
        yield "then", ";".join(request.then)
    yield from (("watch", watch) for watch in request.watches)


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{name}" value="{attribute(value)}">'


def _follows(live: Live, one: Follows) -> str:
    shown = text(short(one.text))
    if one.then is None:
        return f"<li>{shown}</li>"
    address = attribute(_address(live, RunRequest(live.to, (*live.own, *one.then))))
    return f'<li>{shown} <a href="{address}">show the run</a></li>'
