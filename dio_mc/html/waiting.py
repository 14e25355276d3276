"""Who holds what and who waits for whom in a deadlock: a table, and the cycle in one line."""

from __future__ import annotations

from collections.abc import Iterator

from dio_mc.html.markup import attribute, text
from dio_mc.render.blocked import Blocked, blocked, cycle, reason
from dio_mc.render.scene import cpu_names, cpu_of, held_at
from dio_mc.render.sentences import waits_at
from dio_mc.render.svg import COLOURS
from dio_mc.trace.trace import Trace

_HEADS = ("thread", "holds", "waits at", "why it waits")


def waiting_card(trace: Trace) -> Iterator[str]:
    """The card; nothing if some thread can continue."""
    found = blocked(trace)
    if not found:
        return
    yield '<section class="card waits"><h2>Who waits for whom</h2>'
    round_ = cycle(found)
    if round_:
        arrow = ' <span class="arrow" aria-hidden="true">&rarr;</span> '
        chips = arrow.join(_chip(trace, name) for name in (*round_, round_[0]))
        yield f'<p class="cycle"><b>Circular wait</b> {chips}</p>'
    yield '<div class="wide" data-scrolls tabindex="0" role="group" aria-label="who waits for whom">'
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>"
    yield from (_row(trace, one, one.waiting.thread in round_) for one in found)
    yield "</tbody></table></div></section>"


def _row(trace: Trace, one: Blocked, in_cycle: bool) -> str:
    held = [hold for hold in held_at(trace, len(trace.steps)) if hold.thread == one.waiting.thread]
    holds = ", ".join(f"{text(hold.label)}{_since(hold.start)}" for hold in held) or "nothing"
    cells = [holds, text(waits_at(trace, one.waiting)), text(reason(trace, one).removeprefix("and ")) or "not known"]
    look = ' class="wrong"' if in_cycle else ""
    head = f'<th scope="row">{_chip(trace, one.waiting.thread)}</th>'
    return f"<tr{look}>{head}{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _since(step: int) -> str:
    return f' (<a href="#step={step}">step {step}</a>)' if step else " (from the start)"


def _chip(trace: Trace, thread: str) -> str:
    number = [one.name for one in trace.cast].index(thread) % len(COLOURS)
    title = attribute(cpu_names(trace)[thread])
    return f'<span class="chip c{number}" title="{title}">{text(cpu_of(trace, thread))} {text(thread)}</span>'
