"""Trace -> Graphviz DOT: the path from top to bottom, with the alternatives at each state.

Path edges are thick and numbered, in one colour per thread; nodes list the cells that the step changed, and the last
node has a double border. Alternatives are dashed and lead to stubs; surplus ones are counted ("+7 more"). There are at
most `MOST_NODES` nodes, because Graphviz needs minutes for a general graph of 500. Ids and text depend on the trace
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dio_mc.render.buffers import is_bookkeeping
from dio_mc.render.columns import cut
from dio_mc.render.statement import learned_by, printable, short
from dio_mc.render.text import lasting_words
from dio_mc.trace.trace import Alternative, Change, Trace, TraceStep

MOST_NODES = 150
MOST_ALTERNATIVES = 3
"""The largest number of stubs per state; one more represents the rest."""
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito's palette without yellow, which is illegible on white."""
_WIDEST = 60
_WIDEST_STUB = 32
_MOST_CHANGES = 12


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is drawn: the steps whose target state has a node (the others are skipped), and the number of stubs per
    step."""

    drawn: tuple[int, ...]
    stubs: Mapping[int, int]


def render_dot(trace: Trace) -> str:
    """The trace as a DOT document."""
    plan = _plan(trace)
    lines = [*_header(trace), *_nodes(trace, plan), *_edges(trace, plan), *_stubs(trace, plan), "}"]
    return "\n".join(lines) + "\n"


# -- selection --------------------------------------------------------------------------------------


def _plan(trace: Trace) -> _Plan:
    """Long paths keep their two ends. Stubs are assigned in rounds, to states nearest to the end first."""
    numbers = [step.number for step in trace.steps]
    most = MOST_NODES - 2
    drawn = numbers if len(numbers) <= most else [*numbers[: most // 2], *numbers[-(most // 2) :]]
    room = MOST_NODES - 1 - len(drawn) - (len(drawn) < len(numbers))
    wanted = {n: len(trace.steps[n - 1].alternatives) for n in drawn if trace.steps[n - 1].alternatives}
    stubs = dict.fromkeys(wanted, 0)
    for _ in range(MOST_ALTERNATIVES + 1):
        for number in sorted(wanted, reverse=True):
            if room > 0 and stubs[number] < min(wanted[number], MOST_ALTERNATIVES + 1):
                stubs[number] += 1
                room -= 1
    return _Plan(tuple(drawn), stubs)


def _runs(drawn: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of consecutive drawn states, from 0 (the initial state)."""
    states = [0, *drawn]
    yield from pairwise(states)


# -- parts of the document --------------------------------------------------------------------------


def _header(trace: Trace) -> Iterator[str]:
    yield f"// {printable(trace.model.file)} {printable(trace.model.name)}, digest {printable(trace.model.digest)}"
    size = f"steps {len(trace.steps)}, switches {trace.switches}{trace.label}"
    yield f"// {trace.kind} of {printable(trace.property)}: {size}"
    yield "digraph trace {"
    yield "  rankdir=TB;"
    yield f"  label={_quoted(f'{trace.model.name}: {_verdict(trace)} {trace.property}')};"
    yield '  labelloc=t; fontname="sans-serif";'
    yield '  node [shape=box, style=rounded, fontname="monospace", fontsize=10, margin="0.12,0.06"];'
    yield '  edge [fontname="sans-serif", fontsize=10, arrowsize=0.7];'


def _verdict(trace: Trace) -> str:
    return "a witness of" if trace.kind == "witness" else "a violation of"


def _nodes(trace: Trace, plan: _Plan) -> Iterator[str]:
    """The states; the last one, or the fault in its place, has a double border."""
    states = list(trace.states())
    yield _node(0, _initial_label(trace), states[0], final=not trace.steps)
    drawn = set(plan.drawn)
    for step in trace.steps:
        if step.number in drawn:
            state = states[step.number] if step.fault is None else {}
            yield _node(step.number, _label(trace, step), state, final=step.number == len(trace.steps))
    for before, after in _runs(plan.drawn):
        if after > before + 1:
            text = _quoted(f"{after - before - 1} states")
            yield f"  s{before:03d}x [label={text}, shape=plaintext, fontcolor=gray40];"


def _node(number: int, label: Sequence[str], state: Mapping[str, str], *, final: bool) -> str:
    tooltip = [f"{name} = {value}" for name, value in state.items()] or label
    double = ", peripheries=2, penwidth=2" if final else ""
    return f"  s{number:03d} [label={_lines(label)}, tooltip={_quoted(*tooltip)}{double}];"


def _initial_label(trace: Trace) -> list[str]:
    """The initial values of the cells that change later."""
    changed = {change.cell for step in trace.steps for change in step.changes}
    values = [
        f"{c.name} = {c.value}"
        for c in trace.initial
        if c.free or (c.name in changed and not is_bookkeeping(c.name, ""))
    ]
    fault = [f"fault {trace.fault.kind}: {trace.fault.message}"] if trace.fault else []
    return ["initial state", *_bounded(values), *fault, *(_failing(trace) if not trace.steps else [])]


def _label(trace: Trace, step: TraceStep) -> list[str]:
    """What the step changed; at the end, also what is violated."""
    if step.fault is not None:
        return [f"fault {step.fault.kind}", step.fault.message]
    learned = [f"{name} = {change.after}" for name, change in learned_by(step)]
    shown = [change for change in step.changes if not is_bookkeeping(change.cell, step.thread)]
    changes = _bounded([_changed(change) for change in shown] + learned) or ["(no change)"]
    return changes + (_failing(trace) if step.number == len(trace.steps) else [])


def _changed(change: Change) -> str:
    return f"* {change.cell} = {change.after}" + (" (ghost)" if change.ghost else "")


def _failing(trace: Trace) -> list[str]:
    word = "reached" if trace.kind == "witness" else "violated"
    blocked = [w for w in trace.blocked if trace.property_kind == "deadlock" and not w.daemon]
    waiting = [f"{w.thread} waits at {short(w.text)}" for w in blocked]
    if trace.property_kind in ("progress", "always_reachable"):
        return [f"violated: {trace.property}", lasting_words(trace)]
    return [f"{word}: {trace.property}", *(short(part.source) for part in trace.failing), *waiting]


def _bounded(lines: Sequence[str]) -> list[str]:
    if len(lines) <= _MOST_CHANGES:
        return list(lines)
    return [*lines[: _MOST_CHANGES - 1], f"... and {len(lines) - _MOST_CHANGES + 1} more"]


def _edges(trace: Trace, plan: _Plan) -> Iterator[str]:
    colours = _colours(trace)
    for before, after in _runs(plan.drawn):
        if after > before + 1:
            yield f"  s{before:03d} -> s{before:03d}x [style=dotted, arrowhead=none];"
            yield f"  s{before:03d}x -> s{after:03d} [style=dotted];"
            continue
        step = trace.steps[after - 1]
        call = f"{step.calls[-1]}()" if step.calls else ""
        label = [f"  {part}" for part in (f"{after}  {step.thread}", call, short(step.text)) if part]
        tip = [part for part in (str(step.place) if step.place else "", step.anchor or "") if part]
        look = f'color="{colours[step.thread]}", penwidth=3, weight=10'
        yield f"  s{before:03d} -> s{after:03d} [label={_lines(label)}, tooltip={_quoted(*tip)}, {look}];"
    if trace.loop is not None and trace.loop - 1 in (0, *plan.drawn):
        look = 'style=bold, color="gray40", fontcolor="gray40"'
        yield f'  s{len(trace.steps):03d} -> s{trace.loop - 1:03d} [label="  the same state: for ever", {look}];'


def _colours(trace: Trace) -> dict[str, str]:
    """One colour per thread, in the order of the cast."""
    names = dict.fromkeys(thread.name for thread in (*trace.cast, *trace.threads))
    return {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(names)}


def _stubs(trace: Trace, plan: _Plan) -> Iterator[str]:
    """The alternatives of every state: some individually, the rest as a count."""
    colours = _colours(trace)
    for number, count in plan.stubs.items():
        others = trace.steps[number - 1].alternatives
        single = count if count == len(others) else count - 1
        for position, other in enumerate(others[: max(0, single)]):
            yield from _stub(number - 1, position, _alternative(other), colours.get(other.thread, "black"))
        if 0 < count < len(others):
            yield from _stub(number - 1, count - 1, [f"+{len(others) - count + 1} more"], "gray40")


def _stub(state: int, position: int, label: Sequence[str], colour: str) -> Iterator[str]:
    name = f"s{state:03d}a{position}"
    yield f"  {name} [label={_lines(label)}, shape=plaintext, fontsize=9, fontcolor=gray40, tooltip={_quoted(*label)}];"
    yield f'  s{state:03d} -> {name} [style=dashed, color="{colour}", arrowsize=0.5];'


def _alternative(other: Alternative) -> list[str]:
    choice = f" [choice {', '.join(map(str, other.choice))}]" if other.choice else ""
    fault = [f"fault {other.fault}"] if other.fault else []
    return [other.thread + choice, cut(short(other.text), _WIDEST_STUB), *fault]


# -- text -------------------------------------------------------------------------------------------


def _lines(lines: Sequence[str]) -> str:
    """A label of several lines, left-aligned."""
    return '"' + "".join(_escaped(cut(printable(line), _WIDEST)) + "\\l" for line in lines) + '"'


def _quoted(*lines: str) -> str:
    """A string of several lines; Graphviz unescapes ``\\n``."""
    return '"' + "\\n".join(_escaped(printable(line)) for line in lines) + '"'


def _escaped(text: str) -> str:
    """The text with backslashes and quotes escaped; Graphviz also interprets ``\\N`` and HTML entities in labels."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
