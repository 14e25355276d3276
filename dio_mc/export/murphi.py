"""Murphi for Rumur: one rule for each way to take a step.

As long as nothing is violated, Rumur stores exactly the states of the model; it stops at the first error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dio_mc.export import reserved
from dio_mc.export.fitting import require_fits
from dio_mc.export.syntax import Syntax, assigned, condition, in_sequence, value
from dio_mc.export.terms import Term
from dio_mc.export.writing import PreparedProgram, Step, plain, prepare, quoted
from dio_mc.ir.program import Program

SYNTAX: Final = Syntax(
    {"and": "&", "or": "|", "not": "!", "==": "=", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
     "+": "+", "-": "-", "*": "*"},
    lambda test, then, orelse: f"(({test}) ? {then} : {orelse})",
    lambda left, right, op: (
        f"((({left}) % {right} + {right}) % {right})" if op == "%"
        else f"((({left}) - (({left}) % {right} + {right}) % {right}) / {right})"
    ),
    {0: "false", 1: "true"},
    "!= 0",
)  # fmt: skip


def murphi(program: Program) -> str:
    """The program in Murphi. Raises `ModelError` (DIO241)."""
    return "\n".join(_lines(require_fits(prepare(program, reserved.MURPHI), 64, "Rumur"))) + "\n"


def _lines(prepared: PreparedProgram) -> Iterator[str]:
    yield f"-- {plain(prepared.title)}: {plain(prepared.program.doc.partition(chr(10))[0])}"
    yield "-- One step of a thread is one rule; all that a thread is between steps is in the variables."
    yield f"-- To run it: rumur --deadlock-detection stuck {prepared.file}.m --output {prepared.file}.c"
    yield f"--   && gcc -O2 -w -mcx16 -o {prepared.file} {prepared.file}.c -lpthread && ./{prepared.file}"
    for words in prepared.left_out:
        yield f"-- Left out: {plain(words)}."
    if prepared.constants:
        yield "const"
    for name, number in prepared.constants.items():
        yield f"  {name}: {number};"
    # Rumur computes in the narrowest type that contains all declared types, and stops if an intermediate result does
    # not fit.
    yield "type"
    yield "  whole: -2147483648..2147483647; -- what numbers are computed in"
    yield "var"
    for _, cell in prepared.variables:
        low, high = cell.bounds
        yield f"  {cell.name}: {low}..{high};".ljust(48) + f" -- {plain(cell.shown)}"
    yield ""
    for number, start in enumerate(prepared.starts):
        yield f'startstate "start {number}" begin'
        for cell, first in prepared.first(start):
            yield f"  {cell.name} := {first};"
        yield "end;"
    yield ""
    for step in prepared.steps:
        yield from _step(step, prepared)
    idle = _condition(prepared.finished, prepared) if prepared.check_deadlock else "true"
    name = "all have ended" if prepared.check_deadlock else "stuck is not an error here"
    yield f'rule "{name}" {idle} ==> begin end;'
    yield ""
    for name, term in prepared.invariants.items():
        yield f'invariant "{name}" {_condition(term, prepared)};'
    for name, term in prepared.witnesses.items():
        yield f"-- reachable, some state should satisfy it: {name}"
        yield f'cover "{name}" {_condition(term, prepared)};'


def _condition(term: Term, prepared: PreparedProgram) -> str:
    return condition(term, prepared.cells, SYNTAX)


def _step(step: Step, prepared: PreparedProgram) -> Iterator[str]:
    command = step.command
    yield f"-- {step.comment}"
    yield f'rule "{step.name}" {_condition(command.guard, prepared)} ==>'
    if command.fault is not None:
        yield f'begin error "{quoted(": ".join(filter(None, (command.fault, command.message))))}"; end;'
        return
    aside, ordered = in_sequence(command.updates)
    for number, (cell, _) in enumerate(aside):
        low, high = prepared.cells[cell].bounds
        yield f"{'var ' if not number else '    '}t{number}: {low}..{high};"
    yield "begin"
    for name in prepared.step_properties:
        term = prepared.on_step(name, command)
        if term != 1:
            yield f'  assert "{name}" {_condition(term, prepared)};'
    for number, (_, term) in enumerate(aside):
        yield f"  t{number} := {value(term, prepared.cells, SYNTAX)};"
    for cell, term in ordered:
        yield f"  {prepared.cells[cell].name} := {assigned(prepared.cells[cell], term, prepared.cells, SYNTAX)};"
    for number, (cell, _) in enumerate(aside):
        yield f"  {prepared.cells[cell].name} := t{number};"
    yield "end;"
