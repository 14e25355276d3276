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
from dio_mc.export.syntax import Syntax, assigned, condition
from dio_mc.export.terms import Term, conj, neg
from dio_mc.export.writing import PreparedProgram, Step, plain, prepare
from dio_mc.ir.program import Program

_ROUNDED: Final = {"//": "\\div", "%": "%"}
SYNTAX: Final = Syntax(
    {"and": "/\\", "or": "\\/", "not": "~", "==": "=", "!=": "#", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
     "+": "+", "-": "-", "*": "*"},
    lambda test, then, orelse: f"(IF {test} THEN {then} ELSE {orelse})",
    lambda left, right, op: f"(({left}) {_ROUNDED[op]} {right})",
    {0: "FALSE", 1: "TRUE"},
    "# 0",
)  # fmt: skip


def tla(program: Program) -> str:
    """The program in TLA+. Raises `ModelError` (DIO241)."""
    return "\n".join(_lines(require_fits(prepare(program, reserved.TLA), 32, "TLC"))) + "\n"


def _lines(prepared: PreparedProgram) -> Iterator[str]:
    yield f"---- MODULE {prepared.file} ----"
    yield f"(* {plain(prepared.title)}: {plain(prepared.program.doc.partition(chr(10))[0])}"
    yield "   One step of a thread is one action; all that a thread is between steps is in the variables."
    yield f"   To run it, with the configuration that the last lines hold, as {prepared.file}.cfg:"
    yield f"   java -cp tla2tools.jar tlc2.TLC -deadlock {prepared.file}.tla"
    for words in prepared.left_out:
        yield f"   Left out: {plain(words)}."
    yield "*)"
    yield "EXTENDS Integers"
    yield ""
    names = [cell.name for _, cell in prepared.variables]
    yield f"VARIABLES {', '.join([*names, 'fault'])}"
    for group in prepared.groups:
        yield f"{group} == <<{', '.join(_names(prepared, group))}>>"
    yield f"vars == <<{', '.join([*prepared.groups, 'fault'])}>>"
    yield ""
    for name, number in prepared.constants.items():
        yield f"{name} == {number}"
    yield ""
    yield "TypeOK =="
    for _, cell in prepared.variables:
        low, high = cell.bounds
        yield f"  /\\ {cell.name} \\in ({low})..({high}) \\* {plain(cell.shown)}"
    yield "  /\\ fault \\in BOOLEAN"
    yield ""
    yield "Init =="
    for start in prepared.starts:
        first = [f"{cell.name} = {value}" for cell, value in prepared.first(start)]
        joined = " /\\ ".join([*first, "fault = FALSE"])
        yield f"  \\/ {joined}"
    yield ""
    for step in prepared.steps:
        yield from _step(step, prepared)
    yield "Next =="
    yield from (f"  \\/ {step.name}" for step in prepared.steps)
    yield ""
    yield "Spec == Init /\\ [][Next]_vars"
    yield ""
    yield "NoFault == ~fault"
    for name, term in prepared.invariants.items():
        yield f"Inv_{name} == {_condition(term, prepared)}"
    for name, term in prepared.witnesses.items():
        yield f"Never_{name} == {_condition(neg(term), prepared)} \\* reachable: TLC should violate this one"
    if prepared.check_deadlock:
        yield f"Finished == {_condition(prepared.finished, prepared)}"
        yield "NoDeadlock == Finished \\/ fault \\/ ENABLED Next"
    yield "===="
    yield from _configuration(prepared)


def _configuration(prepared: PreparedProgram) -> Iterator[str]:
    wanted = ["TypeOK", "NoFault", *(f"Inv_{name}" for name in prepared.invariants)]
    wanted += ["NoDeadlock"] if prepared.check_deadlock else []
    yield f"\\* {prepared.file}.cfg:"
    yield "\\* SPECIFICATION Spec"
    yield f"\\* INVARIANTS {' '.join(wanted)}"


def _condition(term: Term, prepared: PreparedProgram) -> str:
    return condition(term, prepared.cells, SYNTAX)


def _step(step: Step, prepared: PreparedProgram) -> Iterator[str]:
    command, cells = step.command, prepared.cells
    yield f"(* {step.comment} *)"
    yield f"{step.name} =="
    yield "  /\\ ~fault"
    yield f"  /\\ {_condition(command.guard, prepared)}"
    if command.fault is not None:
        yield f"  /\\ fault' = TRUE \\* {plain(f'{command.fault} {command.message}')}"
        yield f"  /\\ UNCHANGED <<{', '.join(prepared.groups)}>>"
        yield ""
        return
    good = conj([prepared.on_step(name, command) for name in prepared.step_properties])
    yield f"  /\\ fault' = {'FALSE' if good == 1 else f'~({_condition(good, prepared)})'}"
    changed = dict(command.updates)
    for number, term in changed.items():
        yield f"  /\\ {cells[number].name}' = {assigned(cells[number], term, cells, SYNTAX)}"
    same: list[str] = []
    for group, numbers in prepared.groups.items():
        same += [group] if numbers.isdisjoint(changed) else _names(prepared, group, changed)
    if same:
        yield f"  /\\ UNCHANGED <<{', '.join(same)}>>"
    yield ""


def _names(prepared: PreparedProgram, group: str, but: Mapping[int, Term] | None = None) -> list[str]:
    """The variables of a group, except those in `but`."""
    return [
        cell.name
        for number, cell in prepared.variables
        if number in prepared.groups[group] and number not in (but or {})
    ]
