"""Trace -> the diagram for a commit message: plain ASCII, at most 72 columns, one column per CPU, time downwards::

    CPU0 (reader)                       CPU1 (mapper)

    __blockdev_direct_IO()
      lock(i_mutex)
                                        set_page_dirty()
                                          /* dirty[0]: False -> True */

    This breaks the rule "no stale exposure". ...

A row belongs to one CPU, so a long line may extend to its right, below other names. With more than three CPUs the
diagram becomes a list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dio_mc.render.blocked import blocked, blocked_lines, starved_lines
from dio_mc.render.columns import wrapped
from dio_mc.render.pseudo import StepContext, pseudo_code
from dio_mc.render.scene import cpu_names, waited, wrong_cells
from dio_mc.render.sentences import closing
from dio_mc.render.statement import printable
from dio_mc.render.text import Frame, call_line, call_stack, common
from dio_mc.render.values import c_word
from dio_mc.trace.trace import Trace, TraceStep, Waiting

WIDTH = 72
MOST_COLUMNS = 3
_GAP = 2
_NARROWEST = 16
_DEEPEST = {1: 16, 2: 12}
"""The largest indentation of calls, by the number of columns; 8 for more columns."""
_JOINT = "\x00"
_CALL = re.compile(r"\w+\([^()]*\)")
_HANG = 3
"""The indentation of continued comment rows, after ``/* ``."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The lines of one step, as (indent, text), in the lane of its thread. `repeats`: the steps from here on repeat
    forever. `calls` is the number of lines that are calls which the step begins."""

    number: int
    lane: int
    lines: tuple[tuple[int, str], ...]
    repeats: bool = False
    calls: int = 0

    def begins(self, position: int) -> bool:
        """Whether the line at this position is a call that the step begins."""
        return self.repeats <= position < self.repeats + self.calls


def render_commit(trace: Trace, *, width: int = WIDTH, numbered: bool = False) -> str:
    """The diagram and the violated rule, without a newline at the end; `numbered`: with step numbers."""
    blocks = [
        _start(trace, width),
        diagram(trace, width, numbered),
        wrapped(" ".join(closing(trace)), width, 0, hang=0),
    ]
    return "\n\n".join("\n".join(row.rstrip() for row in block) for block in blocks if block)


def diagram(trace: Trace, width: int = WIDTH, numbered: bool = False) -> list[str]:
    """The names of the CPUs, an empty row, the steps."""
    titles = list(cpu_names(trace).values())
    if not titles:
        return []
    steps = [*entries(trace), *standing(trace)]
    if len(titles) > MOST_COLUMNS:
        return _list(steps, titles, width)
    return _columns(steps, titles, width, len(str(len(steps))) + _GAP if numbered else 0)


def entries(trace: Trace) -> list[Entry]:
    """The entries of all steps, in order: the calls a step begins, its statement, its changes."""
    lanes = {thread.name: lane for lane, thread in enumerate(trace.cast)}
    ghosts = frozenset(wrong_cells(trace))
    hidden = frozenset(cell.name for cell in trace.initial if cell.ghost) - ghosts
    context = StepContext(ghosts, hidden, dict(trace.model.params))
    stacks: dict[str, tuple[Frame, ...]] = {}
    operations: dict[str, tuple[str, ...]] = {}
    found: list[Entry] = []
    for position, (step, state) in enumerate(zip(trace.steps, trace.states(), strict=False)):
        stack, before = call_stack(step), stacks.get(step.thread, ())
        known = common(before, stack)
        calls, indent = _calls(step, known)
        done = operations.get(step.thread, ())[len(step.operations) :]
        body = pseudo_code(step, state, waited(trace.steps, position), replace(context, done=done[0] if done else ""))
        repeats = [(0, "/* again and again: */")] if step.number == trace.loop else []
        lines = (*repeats, *calls, *((indent, line) for line in body))
        found.append(Entry(step.number, lanes[step.thread], lines, step.number == trace.loop, len(calls)))
        stacks[step.thread] = stack
        operations[step.thread] = step.operations
    return found


def standing(trace: Trace) -> list[Entry]:
    """An entry for each thread that waits forever, with number 0: what it waits at, in its lane."""
    lanes = {thread.name: lane for lane, thread in enumerate(trace.cast)}
    stacks = {step.thread: call_stack(step) for step in trace.steps}
    found: list[Entry] = []
    waits = [(one.waiting, blocked_lines(trace, one)) for one in blocked(trace)]
    waits += [(waiting, starved_lines(trace, waiting)) for waiting in trace.starved]
    for waiting, rows in waits:
        stack = call_stack(waiting)
        known = common(stacks.get(waiting.thread, ()), stack)
        calls, indent = _calls(waiting, known)
        lines = (*calls, *((indent, line) for line in rows))
        found.append(Entry(0, lanes[waiting.thread], lines, False, len(calls)))
    return found


def _calls(step: TraceStep | Waiting, known: int) -> tuple[list[tuple[int, str]], int]:
    """The calls after the first `known`, as (indent, text), and the indentation of what is inside them. Operations that
    are one function of the kernel, with the same arguments, are shown once."""
    texts = [_call_in_c(step, depth) for depth in range(len(step.calls))]
    shown = [depth for depth, text in enumerate(texts) if depth == 0 or text != texts[depth - 1]]
    lines = [(2 * place, texts[depth]) for place, depth in enumerate(shown) if depth >= known]
    return lines, 2 * len(shown)


def _call_in_c(step: TraceStep | Waiting, depth: int) -> str:
    arguments = tuple(tuple(c_word(one) for one in call) for call in step.arguments)
    return call_line(replace(step, arguments=arguments), depth)


def _start(trace: Trace, width: int) -> list[str]:
    """The initial values that the model leaves open."""
    free = ", ".join(f"{cell.name} = {c_word(cell.value)}" for cell in trace.initial if cell.free)
    return wrapped(printable(f"It starts with {free}."), width, 0, hang=0) if free else []


def _columns(steps: Sequence[Entry], titles: Sequence[str], width: int, margin: int) -> list[str]:
    """One row per line; with a margin, the first row of a step has its number."""
    width -= margin
    starts = _starts(steps, titles, width)
    depths = [_depth(steps, lane, width - start, len(titles)) for lane, start in enumerate(starts)]
    heads = [_at(title, starts[lane], starts[lane + 1 : lane + 2], width) for lane, title in enumerate(titles)]
    page = [" " * margin + "".join(heads), ""]
    for step in steps:
        start, deepest = starts[step.lane], depths[step.lane]
        lines = [row for indent, text in step.lines for row in folded(text, width - start, min(indent, deepest))]
        fronts = [f"{step.number or '':{margin - _GAP}}  " if margin else "", *[" " * margin] * (len(lines) - 1)]
        page += [front + " " * start + row for front, row in zip(fronts, lines, strict=False)]
    return page


def _depth(steps: Sequence[Entry], lane: int, room: int, columns: int) -> int:
    """How far the calls of a lane are indented: as deep as they are, if no further line breaks for that."""
    least = _DEEPEST.get(columns, 8)
    lines = [(indent, len(text)) for step in steps if step.lane == lane for indent, text in step.lines]
    fits = [(indent, length) for indent, length in lines if min(indent, least) + length <= room]
    depths = range(_DEEPEST[1], least, -2)
    return next((deep for deep in depths if all(min(i, deep) + n <= room for i, n in fits)), least)


def _at(title: str, start: int, following: Sequence[int], width: int) -> str:
    """A title, cut to its column and padded up to the next one."""
    room = (following[0] if following else width) - start
    return title[: room - (_GAP if following else 0)].ljust(room)


def _starts(steps: Sequence[Entry], titles: Sequence[str], width: int) -> list[int]:
    """The start positions of the columns. Each is as wide as needed, and at most an even share of what the last column
    leaves. The last one cannot extend to its right, so the others are narrowed for it, down to the width of their
    titles."""
    needs, deepest = [len(title) for title in titles], _DEEPEST.get(len(titles), 8)
    for step in steps:
        for indent, text in step.lines:
            needs[step.lane] = max(needs[step.lane], min(indent, deepest) + len(text))
    gaps = _GAP * (len(titles) - 1)
    least = sum(max(_NARROWEST, len(title)) for title in titles[:-1])
    last = min(needs[-1], max(width - gaps - least, (width - gaps) // len(titles)))
    rest = (width - last - gaps) // max(1, len(titles) - 1)
    widths = [min(need, rest) for need in needs[:-1]]
    whole = [max(share, len(title)) for share, title in zip(widths, titles, strict=False)]
    if sum(whole) + gaps + _NARROWEST <= width:  # then no title is cut
        widths = whole
    return [sum(widths[:lane]) + _GAP * lane for lane in range(len(titles))]


def folded(text: str, width: int, indent: int) -> list[str]:
    """The text in rows; a comment is not broken before its ``*/``, nor after an arrow."""
    indent = max(0, min(indent, width - len(text))) if _CALL.fullmatch(text) else indent
    joined = text.replace(" */", f"{_JOINT}*/").replace("-> ", f"->{_JOINT}")
    return [row.replace(_JOINT, " ") for row in wrapped(joined, width, indent, hang=_HANG)]


def _list(steps: Sequence[Entry], titles: Sequence[str], width: int) -> list[str]:
    """The rows one after another, each step with its number and CPU."""
    page = [*wrapped(", ".join(titles), width, 0, hang=0), ""]
    margin, deepest = len(f"{len(steps)}. CPU{len(titles) - 1}  "), _DEEPEST[1]
    for step in steps:
        number = f"{step.number:{len(str(len(steps)))}d}." if step.number else " " * (len(str(len(steps))) + 1)
        head = f"{number} CPU{step.lane}".ljust(margin)
        for indent, text in step.lines:
            for row in folded(text, width - margin, min(indent, deepest)):
                page.append(head + row)
                head = " " * margin
    return page
