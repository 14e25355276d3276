"""TLA+ for TLC: a module and, as its last comment, the configuration to run it with.

An action per way to take a step; a fault of the model sets `fault`, which is FALSE in every good state. A violated
step property does so too. TLC's own deadlock check is to be off (`-deadlock`): `NoDeadlock` says what this model means
by it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dio_mc.export import reserved
from dio_mc.export.terms import Term, conj, neg
from dio_mc.export.writing import Sheet, Step, Words, assigned, condition, plain, sheet_of
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
    return "\n".join(_lines(sheet_of(program, reserved.TLA))) + "\n"


def module_name(program: Program) -> str:
    """The module's name, which its file must have too (``NAME.tla``)."""
    return "".join(c for c in program.name.partition("@")[0] if c.isalnum() or c == "_")


def _lines(sheet: Sheet) -> Iterator[str]:
    yield f"---- MODULE {module_name(sheet.program)} ----"
    yield f"(* {plain(sheet.title)}: {plain(sheet.program.doc.partition(chr(10))[0])}"
    yield "   One step of a thread is one action; all that a thread is between steps is in the variables."
    for words in sheet.left_out:
        yield f"   Left out: {plain(words)}."
    yield "*)"
    yield "EXTENDS Integers"
    yield ""
    names = [cell.name for cell in sheet.cells]
    yield f"VARIABLES {', '.join([*names, 'fault'])}"
    yield f"vars == <<{', '.join([*names, 'fault'])}>>"
    yield ""
    for name, number in sheet.constants.items():
        yield f"{name} == {number}"
    yield ""
    yield "TypeOK =="
    for cell in sheet.cells:
        low, high = cell.bounds
        yield f"  /\\ {cell.name} \\in ({low})..({high}) \\* {plain(cell.shown)}"
    yield "  /\\ fault \\in BOOLEAN"
    yield ""
    yield "Init =="
    for start in sheet.starts:
        first = [f"{cell.name} = {number}" for cell, number in zip(sheet.cells, start, strict=True)]
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
    yield f"\\* {module_name(sheet.program)}.cfg, for: java -cp tla2tools.jar tlc2.TLC -deadlock ..."
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
        yield f"  /\\ fault' = TRUE \\* {plain(command.fault)}"
        yield f"  /\\ UNCHANGED <<{', '.join(cell.name for cell in cells)}>>"
        yield ""
        return
    good = conj([sheet.on_step(name, command) for name in sheet.step_properties])
    yield f"  /\\ fault' = {'FALSE' if good == 1 else f'~({_condition(good, sheet)})'}"
    changed = dict(command.updates)
    for number, term in changed.items():
        yield f"  /\\ {cells[number].name}' = {assigned(cells[number], term, cells, WORDS)}"
    same = [cell.name for number, cell in enumerate(cells) if number not in changed]
    if same:
        yield f"  /\\ UNCHANGED <<{', '.join(same)}>>"
    yield ""
