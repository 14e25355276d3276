"""Promela for SPIN: one process that chooses among all steps, each of which is a ``d_step``.

SPIN then stores exactly the states of the model (without ``-o2`` it omits variables that are never read). With several
initial states it stores one more, the state before the choice of an initial state. A state that violates an invariant
has one more transition, so SPIN does not report that it is a deadlock as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dio_mc.export import reserved
from dio_mc.export.fitting import require_fits
from dio_mc.export.syntax import Cell, Syntax, assigned, condition, in_sequence, value
from dio_mc.export.terms import Term
from dio_mc.export.writing import PreparedProgram, Step, plain, prepare, quoted
from dio_mc.ir.program import Program

SYNTAX: Final = Syntax(
    {"and": "&&", "or": "||", "not": "!", "==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
     "+": "+", "-": "-", "*": "*"},
    lambda test, then, orelse: f"(({test}) -> {then} : {orelse})",
    lambda left, right, op: (
        f"((({left}) % {right} + {right}) % {right})" if op == "%"
        else f"((({left}) - (({left}) % {right} + {right}) % {right}) / {right})"
    ),
    {0: "false", 1: "true"},
    "!= 0",
)  # fmt: skip


def promela(program: Program) -> str:
    """The program in Promela. Raises `ModelError` (DIO241)."""
    return "\n".join(_lines(require_fits(prepare(program, reserved.PROMELA), 32, "SPIN"))) + "\n"


def _lines(prepared: PreparedProgram) -> Iterator[str]:
    yield f"/* {plain(prepared.title)}: {plain(prepared.program.doc.partition(chr(10))[0])}"
    yield " * One step of a thread is one d_step; all that a thread is between steps is in the variables."
    yield from _how(prepared)
    for words in prepared.left_out:
        yield f" * Left out: {plain(words)}."
    yield " */"
    for name, number in prepared.constants.items():
        yield f"#define {name} {number}"
    yield ""
    single = len(prepared.starts) == 1
    for cell, first in prepared.first(prepared.starts[0]):
        start = f" = {first}" if single else ""
        yield f"{_type(cell)} {cell.name}{start};".ljust(48) + f" /* {plain(cell.shown)} */"
    for position in range(_aside(prepared)):
        yield f"hidden int t{position};"
    yield ""
    for name, term in prepared.invariants.items():
        yield f"#define holds_{name} ({_condition(term, prepared)})"
    for name, term in prepared.witnesses.items():
        yield f"#define reached_{name} ({_condition(term, prepared)}) /* reachable: some state should satisfy it */"
    yield ""
    yield "active proctype model()"
    yield "{"
    if not single:
        yield from _starts(prepared)
    idle = _idle(prepared)
    yield "    do" if idle else "end: do /* to be stuck is not an error here */"
    for name in prepared.invariants:
        yield f'    :: d_step {{ !holds_{name} -> printf("violated: {name}\\n"); assert(holds_{name}) }}'
    for step in prepared.steps:
        yield from _step(step, prepared)
    if idle:
        yield f"    :: ({idle}) /* all have ended */"
    if not (idle or prepared.invariants or prepared.steps):
        yield "    :: (false)"
    yield "    od"
    yield "}"


def _idle(prepared: PreparedProgram) -> str:
    """The condition under which it is correct that no thread can continue; empty if it always is. SPIN rejects a loop
    without a condition; there an end label has the same effect."""
    always = not prepared.check_deadlock or prepared.finished == 1
    return "" if always else _condition(prepared.finished, prepared)


def _how(prepared: PreparedProgram) -> Iterator[str]:
    name = prepared.file
    yield f" * To run it: spin -o2 -a {name}.pml && gcc -O2 -w -DSAFETY -DNOREDUCE -DPRINTF -o pan pan.c"
    yield " *   && ./pan -c0 -m1000000"
    yield f" * Step by step to the first error: ./pan -m1000000; spin -t -p {name}.pml"
    if len(prepared.starts) > 1:
        yield " * SPIN stores one state more than dio-mc, the one before the choice among the initial states."


def _condition(term: Term, prepared: PreparedProgram) -> str:
    return condition(term, prepared.cells, SYNTAX)


def _type(cell: Cell) -> str:
    low, high = cell.bounds
    if low >= 0 and high <= 255:
        return "bit" if high <= 1 else "byte"
    return "short" if low >= -32768 and high <= 32767 else "int"


def _aside(prepared: PreparedProgram) -> int:
    return max((len(in_sequence(step.command.updates)[0]) for step in prepared.steps), default=0)


def _starts(prepared: PreparedProgram) -> Iterator[str]:
    yield "    if"
    for start in prepared.starts:
        values = "; ".join(f"{cell.name} = {first}" for cell, first in prepared.first(start)) or "skip"
        yield f"    :: d_step {{ {values} }}"
    yield "    fi;"


def _step(step: Step, prepared: PreparedProgram) -> Iterator[str]:
    command = step.command
    yield f"    :: d_step {{ /* {step.comment} */"
    guard = _condition(command.guard, prepared)
    if command.fault is not None:
        if command.message:
            yield f"        /* {plain(command.message)} */"
        yield f'        ({guard}) -> printf("violated: {quoted(command.fault)}\\n"); assert(false)'
        yield "       }"
        return
    lines = [f"({guard}) ->" if command.updates else f"({guard}) -> skip;"]
    checks = [(n, prepared.on_step(n, command)) for n in prepared.step_properties]
    lines += [_checked(name, _condition(term, prepared)) for name, term in checks if term != 1]
    aside, ordered = in_sequence(command.updates)
    lines += [f"t{n} = {value(term, prepared.cells, SYNTAX)};" for n, (_, term) in enumerate(aside)]
    for cell, term in ordered:
        lines.append(f"{prepared.cells[cell].name} = {assigned(prepared.cells[cell], term, prepared.cells, SYNTAX)};")
    lines += [f"{prepared.cells[cell].name} = t{n};" for n, (cell, _) in enumerate(aside)]
    yield from (f"        {line}" for line in lines)
    yield "       }"


def _checked(name: str, test: str) -> str:
    return f'if :: {test} :: else -> printf("violated: {name}\\n"); assert(false) fi;'
