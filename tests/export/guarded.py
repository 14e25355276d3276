"""Guarded commands run naively, without anything of the explorer: what they reach is what an export means."""

from __future__ import annotations

import operator

from dio_mc.export.commands import Command
from dio_mc.export.terms import Apply, Read, Term

OPERATORS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip


def evaluated(term: Term, state: tuple[int, ...]) -> int:
    match term:
        case int():
            return term
        case Read(cell):
            return state[cell]
        case Apply("and", parts):
            return int(all(evaluated(part, state) for part in parts))
        case Apply("or", parts):
            return int(any(evaluated(part, state) for part in parts))
        case Apply("not", (part,)):
            return int(not evaluated(part, state))
        case Apply("ite", (test, then, orelse)):
            return evaluated(then if evaluated(test, state) else orelse, state)
        case Apply(op, (left, right)):
            return int(OPERATORS[op](evaluated(left, state), evaluated(right, state)))
    raise AssertionError(term)


def after(command: Command, state: tuple[int, ...]) -> tuple[int, ...]:
    cells = list(state)
    for cell, term in command.updates:
        cells[cell] = evaluated(term, state)
    return tuple(cells)


def reached(commands: list[Command], starts: list[tuple[int, ...]]) -> tuple[int, int, int]:
    """States, transitions, and steps that fail."""
    seen, waiting, transitions, faults = set(starts), list(starts), 0, 0
    while waiting:
        state = waiting.pop()
        for command in commands:
            if not evaluated(command.guard, state):
                continue
            if command.fault is not None:
                faults += 1
                continue
            transitions += 1
            following = after(command, state)
            if following not in seen:
                seen.add(following)
                waiting.append(following)
    return len(seen), transitions, faults
