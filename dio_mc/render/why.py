"""The explanation in at most five sentences: what fails, who wrote it last, which steps matter, the decisive window and
whether it was verified. Derived from the trace alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from dio_mc.render.scene import cpu_of, last_writers, wrong_cells
from dio_mc.render.statement import cut_statement, printable, short
from dio_mc.render.stuck import turn_sentences, waiting_sentence
from dio_mc.render.where import numbers
from dio_mc.trace.cause import Why, Window
from dio_mc.trace.trace import Trace, TraceStep

_MOST_WRITERS = 2
_MOST_INSIDE = 3


def why_sentences(trace: Trace) -> list[str]:
    """All sentences; none for a trace without explanation."""
    return [*failing_sentences(trace), *cause_sentences(trace)] if trace.why is not None else []


def failing_sentences(trace: Trace) -> list[str]:
    """The first failing conjunct, with its values."""
    if not trace.failing:
        return []
    part = trace.failing[0]
    word = "holds" if trace.kind == "witness" else "fails"
    return [printable(f"{short(part.source)} {word}{f': {part.values}' if part.values else ''}.")]


def cause_sentences(trace: Trace, *, brief: bool = False) -> list[str]:
    """What the end of a trace does not show: the writers, the steps that matter, the window, its verification. With
    `brief`, a writer that is the last step, right above, is omitted."""
    if trace.why is None:
        return []
    last = {last_writers(trace).get(cell) for cell in wrong_cells(trace)}
    writers = [] if brief and last == {len(trace.steps)} else list(_writers(trace))
    matter = list(_slice(trace, trace.why))
    stuck = waiting_sentence(trace)
    before = turn_sentences(trace) if trace.property_kind in ("progress", "always_reachable") else writers
    first = [" ".join([stuck, *matter])] if stuck else [*before, *matter]
    return [printable(sentence) for sentence in [*first, *_window(trace, trace.why)]]


def _writers(trace: Trace) -> Iterator[str]:
    """Who wrote the wrong values."""
    writers = last_writers(trace)
    written = [(cell, trace.steps[writers[cell] - 1]) for cell in wrong_cells(trace) if cell in writers]
    if written and trace.failing:
        listed = [f"{cell} in step {step.number} ({_cpu(trace, step)}, {_call(step)})" for cell, step in written]
        yield f"Last changed: {'; '.join(_cut(listed, _MOST_WRITERS))}."


def _slice(trace: Trace, why: Why) -> Iterator[str]:
    """``5 of 12 steps matter: 7 of CPU1; 8,9 of CPU2``."""
    if not why.steps:
        return
    if trace.loop is not None:
        yield from _stem(trace, why, trace.loop)
        return
    if len(why.steps) == len(trace.steps):
        yield "All steps matter." if len(trace.steps) > 1 else "The one step matters."
        return
    verb = "matters" if len(why.steps) == 1 else "matter"
    yield f"{len(why.steps)} of {len(trace.steps)} steps {verb}: {_by_cpu(trace, why.steps)}."


def _stem(trace: Trace, why: Why, loop: int) -> Iterator[str]:
    """The same for the steps before a loop; the steps of the loop all matter."""
    stem = [number for number in why.steps if number < loop]
    if len(stem) == loop - 1 > 0:
        yield "All steps before the loop matter." if loop > 2 else "The one step before the loop matters."
    elif not stem and loop > 1:
        yield "No step before the loop matters."
    elif loop > 1:
        verb = "matters" if len(stem) == 1 else "matter"
        yield f"{len(stem)} of the {loop - 1} steps before the loop {verb}: {_by_cpu(trace, stem)}."


def _by_cpu(trace: Trace, steps: Sequence[int]) -> str:
    """``7 of CPU1; 8,9 of CPU2``."""
    by_cpu: dict[str, list[int]] = {}
    for number in steps:
        by_cpu.setdefault(_cpu(trace, trace.steps[number - 1]), []).append(number)
    return "; ".join(f"{numbers(own)} of {cpu}" for cpu, own in sorted(by_cpu.items()))


def _window(trace: Trace, why: Why) -> Iterator[str]:
    """The window and the result of testing it, or that there is none."""
    match why.search:
        case "not sought":
            return
        case "none":
            if why.states:
                yield f"No pair of steps of one thread is decisive (tried: {why.states:,} states)."
        case "gave up":
            longer = "dio-mc why TRACE --max-states N looks longer"
            yield f"Not verified: no decisive pair of steps within {why.states:,} states; {longer}."
        case "found":
            if why.window is not None:
                yield from _decisive(trace, why, why.window)


def _decisive(trace: Trace, why: Why, window: Window) -> Iterator[str]:
    """Of the steps inside the window, those that matter, and those whose values of wrong cells were lost."""
    wrong = wrong_cells(trace)
    lost = {step.number for step in trace.steps if any(change.cell in wrong for change in step.changes)}
    inside = [n for n in window.inside if n in lost.union(why.steps)] or list(window.inside)
    by_cpu: dict[str, list[TraceStep]] = {}
    for number in inside:
        by_cpu.setdefault(_cpu(trace, trace.steps[number - 1]), []).append(trace.steps[number - 1])
    ends, name = _ends(trace, window)
    calls = [f"{cpu} {', '.join(_cut(_calls(steps, name), _MOST_INSIDE))}" for cpu, steps in by_cpu.items()]
    cpu = _cpu(trace, trace.steps[window.first - 1])
    yield f"While {cpu} was between {ends}, {'this' if len(inside) == 1 else 'these'} ran: {'; '.join(_cut(calls, 3))}."
    yield f"Verified: {atomic_words(trace, window)} ({window.states:,} states)."


def atomic_words(trace: Trace, window: Window) -> str:
    """``making steps 2-10 of CPU0 atomic removes the race``: the result of testing the window as one step."""
    cpu = _cpu(trace, trace.steps[window.first - 1])
    if window.last <= len(trace.steps):
        what = f"steps {window.first}-{window.last} of {cpu}"
    elif trace.loop is None:
        what = f"step {window.first} of {cpu} and its wait"
    else:
        what = f"step {window.first} of {cpu} and its next step"
    return f"making {what} atomic {_removed(trace)}"


def _removed(trace: Trace) -> str:
    match trace.property_kind:
        case "deadlock":
            return "removes the deadlock"
        case "progress" if trace.loop is not None:
            return "removes the livelock"
        case "reachable":
            return "makes it impossible"
        case "fault":
            return "removes the fault"
        case "invariant" | "step":
            return "removes the race"
        case _:
            return "removes the violation"


def _calls(steps: Sequence[TraceStep], name: Callable[[TraceStep], str]) -> list[str]:
    """The calls of the steps, consecutive steps of one call joined."""
    by_call: dict[str, list[int]] = {}
    for step in steps:
        by_call.setdefault(name(step), []).append(step.number)
    return [f"{call} ({numbers(found)})" for call, found in by_call.items()]


def _ends(trace: Trace, window: Window) -> tuple[str, Callable[[TraceStep], str]]:
    """A window's two steps, and how steps are named there: by their functions; if both ends are in one function, or one
    end is only waited for, by their statements."""
    first = trace.steps[window.first - 1]
    if window.last > len(trace.steps):
        return f"{_does(first)} ({first.number}) and {cut_statement(_awaited(trace, first.thread))}", _does
    last = trace.steps[window.last - 1]
    name = _does if _call(first) == _call(last) and _does(first) != _does(last) else _call
    return f"{name(first)} ({first.number}) and {name(last)} ({last.number})", name


def _awaited(trace: Trace, thread: str) -> str:
    """The statement that a thread is at at the end."""
    texts = {waiting.thread: waiting.text for waiting in trace.blocked}
    if trace.loop is not None:  # there the thread may be able to run without doing so, or may run again
        looped = trace.steps[trace.loop - 1 :]
        texts |= {other.thread: other.text for other in looped[0].alternatives}
        texts |= {step.thread: step.text for step in reversed(looped)}
    return texts.get(thread, "where it waits")


def _does(step: TraceStep) -> str:
    return cut_statement(step.text)


def _call(step: TraceStep) -> str:
    if step.calls:
        return f"{step.calls[-1]}()"
    return cut_statement(step.text)


def _cpu(trace: Trace, step: TraceStep) -> str:
    return cpu_of(trace, step.thread)


def _cut(parts: Sequence[str], most: int) -> list[str]:
    """The first parts, and the number of the others."""
    return [*parts[:most], *([f"{len(parts) - most} more"] if len(parts) > most else [])]
