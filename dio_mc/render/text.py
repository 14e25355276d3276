"""Trace -> text, the way kernel developers draw a race: one column per CPU, time downwards, the functions that run, and
what each step changes::

         CPU0 reader                      CPU1 writer
         -------------------------------  -------------------------
      1  filemap_read()  page: 0 -> 1
      2                                   ext4_writepages()
                                            block[0]: HOLE -> MAPPED
      =  no_hole_filled: block[0] == Block.HOLE   (block[0]=MAPPED)

Steps that repeat forever have a line along their numbers.

A function's name is shown where a call begins, with its steps indented below; when a thread resumes, it continues
further down in its column. With more than three threads the columns become a list. Pure ASCII, derived from the trace
alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from dio_mc.render.columns import GUTTER, Line, as_list, fair_width, in_columns, wrapped
from dio_mc.render.statement import printable, short, shown_changes, shown_statement
from dio_mc.render.where import where_block
from dio_mc.render.why import cause_sentences
from dio_mc.trace.trace import Trace, TraceStep, Waiting

WIDTH = 100
MOST_COLUMNS = 3
_NARROWEST = 20
_STATEMENT_ROWS = 3
_LABEL = 8


def render_text(
    trace: Trace, *, width: int = WIDTH, model: bool = False, brief: bool = False, places: bool = True
) -> str:
    """The trace as text without a newline at the end. With `model`, the model is named above it. With `brief`, nothing
    is repeated, and of the places only those without a source file are shown; without `places`, none are shown.

    Every line has at most `width` characters (`width` is at least 40).
    """
    width = max(40, width)
    lines = _heading(trace, width, model)
    lines += _diagram(trace, width)
    lines += _ending(trace, width)
    lines += _why(trace, width, brief)
    explained = brief and trace.why is not None and bool(trace.why.steps)
    lines += where_block(trace.steps, width, brief=brief) if places and not explained else []
    return "\n".join(line.rstrip() for line in lines)


# -- above and below the diagram --------------------------------------------------------------------------------------


def _heading(trace: Trace, width: int, model: bool) -> list[str]:
    lines: list[str] = []
    if model:
        params = ", ".join(f"{name}={value}" for name, value in trace.model.params)
        model_line = f"{trace.model.file} {trace.model.name}" + (f" ({params})" if params else "")
        lines += wrapped(printable(f"{model_line}, digest {trace.model.digest}"), width, 0)
    word = "reached" if trace.kind == "witness" else "violated"
    where = f"  ({trace.place})" if trace.place else ""
    lines += wrapped(printable(f"{trace.property}: {word} {_extent(trace)}{where}"), width, 0)
    if trace.doc and trace.property_kind != "fault":
        lines += wrapped(printable(" ".join(trace.doc.split("\n\n")[0].split())), width, 2, limit=2)
    return lines


def _extent(trace: Trace) -> str:
    """``in 12 steps, 3 switches``."""
    if not trace.steps:
        return "in the initial state"
    switches = _count(trace.switches, "switch", "switches")
    if trace.loop is not None:
        round_ = len(trace.steps) - trace.loop + 1
        return f"by {_count(trace.loop - 1, 'step', 'steps')} and a loop of {round_}, {switches}{trace.label}"
    return f"in {_count(len(trace.steps), 'step', 'steps')}, {switches}{trace.label}"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _ending(trace: Trace, width: int) -> list[str]:
    """The line that says what is violated at the end."""
    fault = trace.final_fault
    if fault is not None:
        where = f"   ({fault.place})" if fault.place else ""
        lines = [f"fault {fault.kind}: {fault.message}{where}"]
    elif trace.property_kind == "deadlock":
        lines = ["deadlock: no thread can run", *_waiting(trace)]
    elif trace.property_kind in ("progress", "always_reachable"):
        lines = [lasting_words(trace), *(_waiting(trace) if ends(trace) else ())]
    elif trace.failing:
        lines = [f"{short(part.source)}   ({part.values})" if part.values else part.source for part in trace.failing]
    else:
        lines = [f"{trace.property} is {'reached' if trace.kind == 'witness' else 'violated'} here"]
    rows = [row for text in lines for row in wrapped(printable(text), width - GUTTER, 0)]
    return [("  =  " if position == 0 else "     ") + row for position, row in enumerate(rows)]


def _why(trace: Trace, width: int, brief: bool) -> list[str]:
    """The causes, five rows at most at the usual `width`."""
    room = width - _LABEL
    rows = [
        row
        for sentence in cause_sentences(trace, brief=brief)
        for row in wrapped(sentence, room, 0, limit=_rows_for(sentence), hang=2)
    ]
    return [("why" if not position else "").ljust(_LABEL) + row for position, row in enumerate(rows)]


def _rows_for(sentence: str) -> int:
    """Only sentences on what ran in the window, and on who waits for whom, may take two rows."""
    return 2 if sentence.startswith("While ") or " waits for " in sentence else 1


def ends(trace: Trace) -> bool:
    """Whether it is a counterexample of progress whose run ends."""
    return trace.property_kind == "progress" and trace.loop is None


def lasting_words(trace: Trace) -> str:
    """What never happens after the last step of a counterexample of ``progress`` or ``always_reachable``."""
    goal = " and ".join(short(part.source) for part in trace.failing) or trace.property
    if trace.property_kind == "always_reachable":
        return f"no run leads from here to: {goal}"
    if trace.loop is None:
        return f"the run ends here, without: {goal}"
    which = (
        f"step {trace.loop} repeats" if trace.loop == len(trace.steps) else f"{trace.loop} to {len(trace.steps)} repeat"
    )
    return f"livelock: {which} for ever, without: {goal}"


def _waiting(trace: Trace) -> Iterator[str]:
    """Who waits where, and the state of the locks; daemons that wait are only named."""
    cpus = {thread.name: title for thread, title in zip(trace.cast, _titles(trace), strict=True)}
    for waiting in (w for w in trace.blocked if not w.daemon):
        where = f"   ({waiting.place})" if waiting.place else ""
        yield f"{cpus.get(waiting.thread, waiting.thread)} waits at {short(waiting.text)}{where}"
    *_, final = trace.states()
    taken = [f"{c.name} = {final[c.name]}" for c in trace.initial if c.role == "lock" and final[c.name] != c.value]
    if taken:
        yield f"locks: {', '.join(taken)}"
    daemons = [waiting.thread for waiting in trace.blocked if waiting.daemon]
    if daemons:
        yield f"daemons that wait: {', '.join(daemons)}"


# -- the diagram ------------------------------------------------------------------------------------------------------


def _diagram(trace: Trace, width: int) -> list[str]:
    lines = [*_start(trace, width)]
    if not trace.steps and not trace.stuck:
        return lines
    titles = _titles(trace)
    share = fair_width(len(titles), width)
    columns = len(titles) <= MOST_COLUMNS and share >= _NARROWEST
    entries = _entries(trace, min(share * 5 // 4, width - GUTTER) if columns else width // 2)
    page = (in_columns if columns else as_list)(entries, titles, width)
    return lines + (page if trace.loop is None else _looped(page, trace.loop))


def _looped(page: Sequence[str], loop: int) -> list[str]:
    """The rows, with a line beside the numbers of the steps that repeat."""
    first = next(position for position, row in enumerate(page) if row[:3].strip() == str(loop))
    last = len(page) - 1
    marks = {first: "/" if first < last else "@", last: "\\" if first < last else "@"}
    return [
        row if position < first else f"{row[:3]:3}{marks.get(position, '|')}{row[4:]}"
        for position, row in enumerate(page)
    ]


def _titles(trace: Trace) -> list[str]:
    """``CPU0 reader``, in order of appearance."""
    cast = enumerate(trace.cast)
    return [printable(f"CPU{number} {t.name}{' (daemon)' if t.daemon else ''}") for number, t in cast]


def _start(trace: Trace, width: int) -> list[str]:
    """The initial values that the model leaves open."""
    free = ", ".join(f"{cell.name} = {cell.value}" for cell in trace.initial if cell.free)
    rows = wrapped(printable(f"starts with {free}"), width - GUTTER, 0) if free else []
    return [("  0  " if position == 0 else "     ") + row for position, row in enumerate(rows)]


def _entries(trace: Trace, room: int) -> list[Line]:
    """The lines of all steps, in order. `room` is the width of one row of a lane."""
    lanes = {thread.name: lane for lane, thread in enumerate(trace.cast)}
    stacks: dict[str, tuple[Frame, ...]] = {}
    following = _following(trace.steps)
    lines: list[Line] = []
    for step in trace.steps:
        stack = call_stack(step)
        known = common(stacks.get(step.thread, ()), stack)
        lines += _step_lines(step, lanes[step.thread], known, following[step.number], room)
        stacks[step.thread] = stack
    for waiting in trace.stuck:
        stack = call_stack(waiting)
        known = common(stacks.get(waiting.thread, ()), stack)
        lane = lanes[waiting.thread]
        lines += [Line(lane, 2 * depth, call_line(waiting, depth)) for depth in range(known, len(stack))]
        lines.append(Line(lane, 2 * len(stack), f"waits at {short(waiting.text)}", limit=_STATEMENT_ROWS))
    return lines


@dataclass(frozen=True, slots=True)
class Frame:
    """A call around a step: where it is called, what it was given, and the line at which the thread is in it."""

    path: str
    arguments: tuple[str, ...] = ()
    line: int = 0


def call_stack(step: TraceStep | Waiting) -> tuple[Frame, ...]:
    """The calls around a step; calls of the same operation are distinguished by their call site."""
    parts = step.location.split("/")
    spawned = bool(step.operations) and parts[0].split("+", maxsplit=1)[0] == step.operations[0]
    parts = ["", *parts] if spawned else parts
    named = list(zip_longest(step.operations, step.arguments[: len(step.operations)], fillvalue=()))
    if len(parts) <= len(named):
        return tuple(Frame(str(name), given) for name, given in named)
    return tuple(
        Frame("/".join([*parts[: depth + 1], str(name)]), given, _line(parts[depth + 1]))
        for depth, (name, given) in enumerate(named)
    )


def _line(part: str) -> int:
    """``read+2`` is line 2."""
    number = part.rpartition("+")[2]
    return int(number) if number.isdecimal() else 0


def call_line(step: TraceStep | Waiting, depth: int) -> str:
    """``ext3_get_block(0)``: one of the calls around a step."""
    arguments = step.arguments[depth] if depth < len(step.arguments) else ()
    return printable(f"{step.calls[depth]}({', '.join(arguments)})")


def common(before: Sequence[Frame], now: Sequence[Frame]) -> int:
    """The number of calls that continue."""
    pairs = zip(before, now, strict=False)
    return next((depth for depth, (a, b) in enumerate(pairs) if not _continues(a, b)), min(len(before), len(now)))


def _continues(before: Frame, now: Frame) -> bool:
    """Whether two steps one after the other are in one call. Other arguments at the same line, or further up, are those
    of a loop's next call; further down they are parameters that were assigned."""
    return before.path == now.path and (before.arguments == now.arguments or before.line < now.line)


def _following(steps: Sequence[TraceStep]) -> dict[int, tuple[Frame, ...]]:
    """For each step the call stack of the thread's next step."""
    found: dict[int, tuple[Frame, ...]] = {}
    ahead: dict[str, tuple[Frame, ...]] = {}
    for step in reversed(steps):
        found[step.number] = ahead.get(step.thread, ())
        ahead[step.thread] = call_stack(step)
    return found


def _step_lines(step: TraceStep, lane: int, known: int, following: Sequence[Frame], room: int) -> list[Line]:
    """The new calls of a step, its statement, its changes; the first line has the number."""
    depth = len(step.calls)
    calls = [Line(lane, 2 * level, call_line(step, level)) for level in range(known, depth)]
    body = _body(step, lane, 2 * depth, room)
    leaves = common(call_stack(step), following) < depth
    if calls and leaves and len(body) == 1:
        joined = Line(lane, calls[-1].indent, f"{calls[-1].text}  {body[0].text}")
        if joined.indent + len(joined.text) <= room:
            calls, body = calls[:-1], [joined]
    first, *others = [*calls, *body]
    return [Line(first.lane, first.indent, first.text, step.number, first.limit), *others]


def _body(step: TraceStep, lane: int, indent: int, room: int) -> list[Line]:
    """The statement and the changes; a statement that the changes show completely is omitted."""
    statement, changes = shown_statement(step), shown_changes(step)
    lines = [Line(lane, indent, part, limit=_STATEMENT_ROWS) for part in _parts(statement, room - indent)]
    if lines and not statement and changes:
        lines = []
    deeper = indent + 2 if lines else indent
    together = ", ".join(changes)
    rows = [together] if changes and deeper + len(together) <= room else changes
    return lines + [Line(lane, deeper, row) for row in rows]


def _parts(statement: str, room: int) -> list[str]:
    """The statement in one line, or the parts of a long atomic one below each other."""
    return [statement] if len(statement) <= room else statement.replace("; ", ";\n").split("\n")
