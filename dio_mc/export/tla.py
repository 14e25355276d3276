"""TLA+ for TLC: a module whose last comment is the configuration to run it with.

There is one action for each way to take a step. A fault of the model, or a violated step property, sets `fault`, which
is FALSE in every good state. TLC's own deadlock check must be off (`-deadlock`); `NoDeadlock` states what the model
means by deadlock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from dio_mc.export import reserved
from dio_mc.export.fitting import require_fits
from dio_mc.export.terms import Term, conj, neg
from dio_mc.export.words import Words, assigned, condition
from dio_mc.export.writing import Sheet, Step, plain, sheet_of
from dio_mc.ir.program import Program

_ROUNDED: Final = {"//": "\\div", "%": "%"}
WORDS: Final = Words(
    {"and": "/\\", "or": "\\/", "not": "~", "==": "=", "!=": "#", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
     "+": "+", "-": "-", "*": "*"},
    lambda test, then, orelse: f"(IF {test} THEN {then} ELSE {orelse})",
    lambda left, right, op: f"(({left}) {_ROUNDED[op]} {right})",
    {0: "FALSE", 1: "TRUE"},
    "# 0",
)  # fmt: skip


def tla(program: Program) -> str:
    """The program in TLA+. Raises `ModelError` (DIO241)."""
    return "\n".join(_lines(require_fits(sheet_of(program, reserved.TLA), 32, "TLC"))) + "\n"


def _lines(sheet: Sheet) -> Iterator[str]:
    yield f"---- MODULE {sheet.file} ----"
    yield f"(* {plain(sheet.title)}: {plain(sheet.program.doc.partition(chr(10))[0])}"
    yield "   One step of a thread is one action; all that a thread is between steps is in the variables."
    yield f"   To run it, with the configuration that the last lines hold, as {sheet.file}.cfg:"
    yield f"   java -cp tla2tools.jar tlc2.TLC -deadlock {sheet.file}.tla"
    for words in sheet.left_out:
        yield f"   Left out: {plain(words)}."
    yield "*)"
    yield "EXTENDS Integers"
    yield ""
    names = [cell.name for _, cell in sheet.variables]
    yield f"VARIABLES {', '.join([*names, 'fault'])}"
    for group in sheet.groups:
        yield f"{group} == <<{', '.join(_names(sheet, group))}>>"
    yield f"vars == <<{', '.join([*sheet.groups, 'fault'])}>>"
    yield ""
    for name, number in sheet.constants.items():
        yield f"{name} == {number}"
    yield ""
    yield "TypeOK =="
    for _, cell in sheet.variables:
        low, high = cell.bounds
        yield f"  /\\ {cell.name} \\in ({low})..({high}) \\* {plain(cell.shown)}"
    yield "  /\\ fault \\in BOOLEAN"
    yield ""
    yield "Init =="
    for start in sheet.starts:
        first = [f"{cell.name} = {value}" for cell, value in sheet.first(start)]
        joined = " /\\ ".join([*first, "fault = FALSE"])
        yield f"  \\/ {joined}"
    yield ""
    for step in sheet.steps:
        yield from _step(step, sheet)
    yield "Next =="
    yield from (f"  \\/ {step.name}" for step in sheet.steps)
    yield ""
    yield "Spec == Init /\\ [][Next]_vars"
    yield ""
    yield "NoFault == ~fault"
    for name, term in sheet.invariants.items():
        yield f"Inv_{name} == {_condition(term, sheet)}"
    for name, term in sheet.witnesses.items():
        yield f"Never_{name} == {_condition(neg(term), sheet)} \\* reachable: TLC should violate this one"
    if sheet.check_deadlock:
        yield f"Finished == {_condition(sheet.finished, sheet)}"
        yield "NoDeadlock == Finished \\/ fault \\/ ENABLED Next"
    yield "===="
    yield from _configuration(sheet)


def _configuration(sheet: Sheet) -> Iterator[str]:
    wanted = ["TypeOK", "NoFault", *(f"Inv_{name}" for name in sheet.invariants)]
    wanted += ["NoDeadlock"] if sheet.check_deadlock else []
    yield f"\\* {sheet.file}.cfg:"
    yield "\\* SPECIFICATION Spec"
    yield f"\\* INVARIANTS {' '.join(wanted)}"


def _condition(term: Term, sheet: Sheet) -> str:
    return condition(term, sheet.cells, WORDS)


def _step(step: Step, sheet: Sheet) -> Iterator[str]:
    command, cells = step.command, sheet.cells
    yield f"(* {step.comment} *)"
    yield f"{step.name} =="
    yield "  /\\ ~fault"
    yield f"  /\\ {_condition(command.guard, sheet)}"
    if command.fault is not None:
        yield f"  /\\ fault' = TRUE \\* {plain(f'{command.fault} {command.message}')}"
        yield f"  /\\ UNCHANGED <<{', '.join(sheet.groups)}>>"
        yield ""
        return
    good = conj([sheet.on_step(name, command) for name in sheet.step_properties])
    yield f"  /\\ fault' = {'FALSE' if good == 1 else f'~({_condition(good, sheet)})'}"
    changed = dict(command.updates)
    for number, term in changed.items():
        yield f"  /\\ {cells[number].name}' = {assigned(cells[number], term, cells, WORDS)}"
    same: list[str] = []
    for group, numbers in sheet.groups.items():
        same += [group] if numbers.isdisjoint(changed) else _names(sheet, group, changed)
    if same:
        yield f"  /\\ UNCHANGED <<{', '.join(same)}>>"
    yield ""


def _names(sheet: Sheet, group: str, but: Mapping[int, Term] | None = None) -> list[str]:
    """The variables of a group, except those in `but`."""
    return [
        cell.name for number, cell in sheet.variables if number in sheet.groups[group] and number not in (but or {})
    ]
