"""Why, in at most five sentences: what fails, who wrote it last, which steps matter, the decisive window and whether it
was tried. Derived from the trace alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dio_mc.render.scene import last_writers, wrong_cells
from dio_mc.render.statement import printable, short
from dio_mc.render.where import numbers
from dio_mc.render.words import cpu_names
from dio_mc.trace.trace import Trace, TraceStep, Why, Window

_MOST_WRITERS = 2
_MOST_INSIDE = 3
_LONGEST_STATEMENT = 32


def why_sentences(trace: Trace) -> list[str]:
    """All sentences; none for a trace that was not asked."""
    return [*failing_sentences(trace), *cause_sentences(trace)] if trace.why is not None else []


def failing_sentences(trace: Trace) -> list[str]:
    """The first conjunct that fails, with its values."""
    if not trace.failing:
        return []
    part = trace.failing[0]
    word = "holds" if trace.kind == "witness" else "fails"
    return [printable(f"{short(part.source)} {word}{f': {part.values}' if part.values else ''}.")]


def cause_sentences(trace: Trace, *, brief: bool = False) -> list[str]:
    """What the end of a trace does not show: the writers, the steps that matter, the window, its verification. With
    `brief` a writer that is the last step, right above, is not told again."""
    if trace.why is None:
        return []
    last = {last_writers(trace).get(cell) for cell in wrong_cells(trace)}
    writers = [] if brief and last == {len(trace.steps)} else list(_writers(trace))
    found = [*writers, *_slice(trace, trace.why), *_window(trace, trace.why)]
    return [printable(sentence) for sentence in found]


def _writers(trace: Trace) -> Iterator[str]:
    """Who wrote the values that are wrong."""
    writers = last_writers(trace)
    told = [(cell, trace.steps[writers[cell] - 1]) for cell in wrong_cells(trace) if cell in writers]
    if told and trace.failing:
        listed = [f"{cell} in step {step.number} ({_cpu(trace, step)}, {_call(step)})" for cell, step in told]
        yield f"Last changed: {'; '.join(_cut(listed, _MOST_WRITERS))}."


def _slice(trace: Trace, why: Why) -> Iterator[str]:
    """``5 of 12 steps matter: 7 of CPU1; 8,9 of CPU2``."""
    if not why.steps:
        return
    if len(why.steps) == len(trace.steps):
        yield "All steps matter." if len(trace.steps) > 1 else "The one step matters."
        return
    by_cpu: dict[str, list[int]] = {}
    for number in why.steps:
        by_cpu.setdefault(_cpu(trace, trace.steps[number - 1]), []).append(number)
    listed = "; ".join(f"{numbers(own)} of {cpu}" for cpu, own in sorted(by_cpu.items()))
    verb = "matters" if len(why.steps) == 1 else "matter"
    yield f"{len(why.steps)} of {len(trace.steps)} steps {verb}: {listed}."


def _window(trace: Trace, why: Why) -> Iterator[str]:
    """The window and what became of trying it, or that there is none."""
    match why.search:
        case "not sought":
            return
        case "none":
            if why.states:
                yield f"No pair of steps is decisive: none, made atomic, prevents it (tried: {why.states:,} states)."
        case "gave up":
            longer = "dio-mc why TRACE --max-states N looks longer"
            yield f"Not verified: no decisive pair of steps within {why.states:,} states; {longer}."
        case "found":
            if why.window is not None:
                yield from _decisive(trace, why, why.window)


def _decisive(trace: Trace, why: Why, window: Window) -> Iterator[str]:
    """Of the steps inside, those that matter, and those whose values of wrong cells got lost."""
    first, last = trace.steps[window.first - 1], trace.steps[window.last - 1]
    wrong = wrong_cells(trace)
    lost = {step.number for step in trace.steps if any(change.cell in wrong for change in step.changes)}
    inside = [n for n in window.inside if n in lost.union(why.steps)] or list(window.inside)
    by_cpu: dict[str, list[TraceStep]] = {}
    for number in inside:
        by_cpu.setdefault(_cpu(trace, trace.steps[number - 1]), []).append(trace.steps[number - 1])
    calls = [f"{cpu} {', '.join(_cut(_calls(steps), _MOST_INSIDE))}" for cpu, steps in by_cpu.items()]
    yield f"Between {_called(first)} and {_called(last)} of {_cpu(trace, first)} ran: {'; '.join(_cut(calls, 3))}."
    alone = f"If no other runs there while {_cpu(trace, first)} can"
    yield f"{alone}, it never happens (re-checked: {window.states:,} states)."


def _calls(steps: Sequence[TraceStep]) -> list[str]:
    """Neighbours in one call are told once."""
    by_call: dict[str, list[int]] = {}
    for step in steps:
        by_call.setdefault(_call(step), []).append(step.number)
    return [f"{call} ({numbers(found)})" for call, found in by_call.items()]


def _called(step: TraceStep) -> str:
    return f"{_call(step)} ({step.number})"


def _call(step: TraceStep) -> str:
    if step.calls:
        return f"{step.calls[-1]}()"
    statement = short(step.text)
    return statement if len(statement) <= _LONGEST_STATEMENT else f"{statement[:_LONGEST_STATEMENT].rstrip()}..."


def _cpu(trace: Trace, step: TraceStep) -> str:
    return cpu_names(trace)[step.thread].split(" (")[0]


def _cut(parts: Sequence[str], most: int) -> list[str]:
    """The first parts, and how many more there are."""
    return [*parts[:most], *([f"{len(parts) - most} more"] if len(parts) > most else [])]
