"""Murphi for Rumur: one rule for each way to take a step.

As long as nothing is violated, Rumur stores exactly the states of the model; it stops at the first error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dio_mc.export import reserved
from dio_mc.export.fitting import require_fits
from dio_mc.export.terms import Term
from dio_mc.export.words import Words, assigned, condition, in_sequence, value
from dio_mc.export.writing import Sheet, Step, plain, quoted, sheet_of
from dio_mc.ir.program import Program

WORDS: Final = Words(
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
    return "\n".join(_lines(require_fits(sheet_of(program, reserved.MURPHI), 64, "Rumur"))) + "\n"


def _lines(sheet: Sheet) -> Iterator[str]:
    yield f"-- {plain(sheet.title)}: {plain(sheet.program.doc.partition(chr(10))[0])}"
    yield "-- One step of a thread is one rule; all that a thread is between steps is in the variables."
    yield f"-- To run it: rumur --deadlock-detection stuck {sheet.file}.m --output {sheet.file}.c"
    yield f"--   && gcc -O2 -w -mcx16 -o {sheet.file} {sheet.file}.c -lpthread && ./{sheet.file}"
    for words in sheet.left_out:
        yield f"-- Left out: {plain(words)}."
    if sheet.constants:
        yield "const"
    for name, number in sheet.constants.items():
        yield f"  {name}: {number};"
    # Rumur computes in the narrowest type that contains all declared types, and stops if an intermediate result does
    # not fit.
    yield "type"
    yield "  whole: -2147483648..2147483647; -- what numbers are computed in"
    yield "var"
    for _, cell in sheet.variables:
        low, high = cell.bounds
        yield f"  {cell.name}: {low}..{high};".ljust(48) + f" -- {plain(cell.shown)}"
    yield ""
    for number, start in enumerate(sheet.starts):
        yield f'startstate "start {number}" begin'
        for cell, first in sheet.first(start):
            yield f"  {cell.name} := {first};"
        yield "end;"
    yield ""
    for step in sheet.steps:
        yield from _step(step, sheet)
    idle = _condition(sheet.finished, sheet) if sheet.check_deadlock else "true"
    yield f'rule "{"all have ended" if sheet.check_deadlock else "stuck is not an error here"}" {idle} ==> begin end;'
    yield ""
    for name, term in sheet.invariants.items():
        yield f'invariant "{name}" {_condition(term, sheet)};'
    for name, term in sheet.witnesses.items():
        yield f"-- reachable, some state should satisfy it: {name}"
        yield f'cover "{name}" {_condition(term, sheet)};'


def _condition(term: Term, sheet: Sheet) -> str:
    return condition(term, sheet.cells, WORDS)


def _step(step: Step, sheet: Sheet) -> Iterator[str]:
    command = step.command
    yield f"-- {step.comment}"
    yield f'rule "{step.name}" {_condition(command.guard, sheet)} ==>'
    if command.fault is not None:
        yield f'begin error "{quoted(": ".join(filter(None, (command.fault, command.message))))}"; end;'
        return
    aside, ordered = in_sequence(command.updates)
    for number, (cell, _) in enumerate(aside):
        low, high = sheet.cells[cell].bounds
        yield f"{'var ' if not number else '    '}t{number}: {low}..{high};"
    yield "begin"
    for name in sheet.step_properties:
        term = sheet.on_step(name, command)
        if term != 1:
            yield f'  assert "{name}" {_condition(term, sheet)};'
    for number, (_, term) in enumerate(aside):
        yield f"  t{number} := {value(term, sheet.cells, WORDS)};"
    for cell, term in ordered:
        yield f"  {sheet.cells[cell].name} := {assigned(sheet.cells[cell], term, sheet.cells, WORDS)};"
    for number, (cell, _) in enumerate(aside):
        yield f"  {sheet.cells[cell].name} := t{number};"
    yield "end;"
