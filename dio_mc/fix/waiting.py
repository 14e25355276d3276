"""What a lock costs: how often a thread cannot continue."""

from __future__ import annotations

from collections.abc import Callable

from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter


def waiting(program: Program, most: int, enough: Callable[[], object]) -> dict[str, int]:
    """For each thread that is not spawned, the share of the states in which it has not ended and
    cannot continue, in per cent; over up to `most` states. `enough` is polled."""
    interpreter = Interpreter(program)
    seen = set(interpreter.initial())
    ahead = list(seen)
    there, blocked = [0] * len(program.threads), [0] * len(program.threads)
    while ahead and len(seen) <= most and enough() is None:
        state = ahead.pop()
        steps = interpreter.successors(state)
        able = {step.action.thread for step in steps}
        for thread, pc in enumerate(interpreter.layout.pc):
            there[thread] += bool(state[pc])
            blocked[thread] += bool(state[pc]) and thread not in able
        new = {s.state for s in steps if s.state is not None} - seen
        seen |= new
        ahead += new
    return {
        thread.name: round(100 * blocked[number] / max(1, there[number]))
        for number, thread in enumerate(program.threads)
        if not program.template_of(number).spawned
    }
