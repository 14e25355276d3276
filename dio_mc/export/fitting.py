"""Whether the numbers of a program fit into the integers of a target: constants, cells, and intermediate results.

A target with smaller integers would silently compute different values: SPIN would report a violation of a property that
holds. So a program is refused unless everything is known to fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from dio_mc.errors import Diagnostic, ModelError
from dio_mc.export.terms import Apply, Known, Term, interval
from dio_mc.export.writing import PreparedProgram
from dio_mc.ir.program import Program
from dio_mc.semantics.layout import layout_of
from dio_mc.source import Span


def require_fits(prepared: PreparedProgram, bits: int, target: str) -> PreparedProgram:
    """Return the program unchanged. Raises `ModelError` (DIO241) if a number may not fit into `bits` bits.
    One is for the sign, and one is kept in reserve, because the targets' form of division adds the
    divisor to a remainder."""
    most = 1 << (bits - 2)
    cells = [cell.bounds for cell in prepared.cells]
    for what, span, term in _terms(prepared):
        if not _fits(term, cells, most):
            message = f"{what} may need a number beyond 2^{bits - 2}, and {target} computes with {bits} bits"
            hint = "give the variables in it a smaller Range"
            raise ModelError((Diagnostic("DIO241", f"{message}: it cannot be exported", span, hint=hint),))
    return prepared


def _terms(prepared: PreparedProgram) -> Iterator[tuple[str, Span | None, Term]]:
    """Every term that is computed, with a description and its span."""
    program = prepared.program
    for number, cell in enumerate(prepared.cells):
        for value in cell.bounds:
            yield f"`{cell.shown}`", _declared(program, number), value
    for step in prepared.steps:
        command = step.command
        location = program.template_of(command.thread).locations[command.location]
        for term in (command.guard, *(term for _, term in command.updates)):
            yield "this step", location.span, term
        for name, one in prepared.step_properties.items():
            yield f"`{name}`", one.span, prepared.on_step(name, command)
    spans = {one.name: one.span for one in program.properties}
    for name, term in {**prepared.invariants, **prepared.witnesses}.items():
        yield f"`{name}`", spans[name], term


def _declared(program: Program, cell: int) -> Span | None:
    """The span of the declaration of a cell's variable; None for a local."""
    bases = layout_of(program).variable_base
    for variable, base in zip(program.variables, bases, strict=True):
        if base <= cell < base + variable.size:
            return variable.span
    return None


def _fits(term: Term, cells: list[tuple[int, int]], most: int) -> bool:
    """Whether a term and all its subterms lie between ``-most`` and ``most``."""
    waiting = [term]
    known: Known = {}
    while waiting:
        part = waiting.pop()
        low, high = interval(part, cells, known)
        if low < -most or high > most:
            return False
        if isinstance(part, Apply):
            waiting += part.operands
    return True
