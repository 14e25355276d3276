"""Whether the parts of a trace agree with each other."""

from __future__ import annotations

from collections.abc import Iterator, Set

from dio_mc.trace.cause import Why
from dio_mc.trace.trace import Trace


def inconsistencies(trace: Trace) -> Iterator[str]:
    """Sentences about parts of a trace that contradict each other; none for a trace that `replay` built."""
    threads = {thread.name for thread in trace.threads}
    state = {cell.name: cell.value for cell in trace.initial}
    if len(threads) != len(trace.threads):
        yield "two threads have the same name"
    if len(state) != len(trace.initial):
        yield "two cells have the same name"
    for position, step in enumerate(trace.steps, start=1):
        where = f"step {position}"
        if step.number != position:
            yield f"{where} has the number {step.number}"
        if step.thread not in threads:
            yield f"{where} is of thread {step.thread!r}, which is not in the list of threads"
        if len(step.calls) != len(step.operations):
            yield f"{where} has {len(step.operations)} operations and {len(step.calls)} calls"
        if step.arguments and len(step.arguments) != len(step.calls):
            yield f"{where} has {len(step.calls)} calls and arguments of {len(step.arguments)}"
        if step.fault is not None and position != len(trace.steps):
            yield f"{where} ends in a fault and is not the last"
        for change in step.changes + step.local_changes:
            if state.get(change.cell) != change.before:
                yield f"{where} changes {change.cell} from {change.before!r}, but it is {state.get(change.cell)!r}"
            state[change.cell] = change.after
    for standing in trace.standings:
        for number in standing.at + standing.unknown:
            if not 0 <= number <= len(trace.steps):
                yield f"{standing.property} is said to be decided at step {number}, which does not exist"
    if trace.why is not None:
        yield from _unknown_steps(trace.why, len(trace.steps))
        yield from _unknown_names(trace.why, threads, {cell.name for cell in trace.initial})
    if trace.fault is not None and trace.steps:
        yield "a fault of the start is followed by steps"
    if trace.loop is not None:
        yield from _broken_loop(trace, trace.loop, state)


def _unknown_steps(why: Why, most: int) -> Iterator[str]:
    ends = [why.window.last] if why.window else []  # may be one past the end, see `Window`
    wrong = [n for n in why.named() if not 1 <= n <= most] + [n for n in ends if not 1 <= n <= most + 1]
    yield from (f"step {number} is said to matter and does not exist" for number in wrong)


def _unknown_names(why: Why, threads: Set[str], cells: Set[str]) -> Iterator[str]:
    for wait in why.waits:
        if wait.thread not in threads or wait.cell not in cells:
            yield f"{wait.thread} is said to wait for {wait.cell}, and one of them does not exist"
    if why.escape is not None and why.escape.thread not in threads:
        yield f"{why.escape.thread} is said to have a way out, and is not a thread"


def _broken_loop(trace: Trace, loop: int, final: dict[str, str]) -> Iterator[str]:
    if not 1 <= loop <= len(trace.steps):
        yield f"the loop begins at step {loop}, which it does not have"
    elif trace.final_fault is not None:
        yield "a fault ends the loop"
    elif (before := trace.state_before(loop)) != final:
        cell = next(cell for cell in final if final[cell] != before[cell])
        yield f"the loop does not close: {cell} is {before[cell]!r} before it and {final[cell]!r} after it"
