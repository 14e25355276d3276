"""The parts that a complete search did not reach: statements that never ran, waits that never
blocked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dio_mc.checking.findings.locks import idle_locks
from dio_mc.checking.findings.owning import is_judged
from dio_mc.errors import Diagnostic
from dio_mc.frontend.declare import Members, members_of
from dio_mc.ir.program import Location, Program
from dio_mc.lang.model import Model
from dio_mc.semantics.search import Coverage
from dio_mc.source import Span, function_tree

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Function:
    """A thread body, operation or method that is examined: its lines."""

    name: str
    file: str
    first: int
    last: int

    def has(self, span: Span | None) -> bool:
        return span is not None and span.file == self.file and self.first <= span.line <= self.last


def coverage_findings(model: type[Model], program: Program, coverage: Coverage) -> list[Diagnostic]:
    """For a complete search without violations: statements that never ran, waits that never
    blocked, locks that no thread waited for."""
    own = list(_own_functions(model, program, members_of(model)))
    places = [(t, n, loc) for t, tpl in enumerate(program.templates) for n, loc in enumerate(tpl.locations) if n]
    ran = {_statement(loc) for t, n, loc in places if (t, n) in coverage.fired}
    waited = {_statement(loc) for t, n, loc in places if (t, n) in coverage.blocked}
    found: list[Diagnostic] = []
    for function in own:
        here = {_statement(loc): loc for _, _, loc in places if function.has(loc.span)}
        dead = [loc for key, loc in here.items() if key not in ran]
        found += [_never_ran(function, dead)] if dead else []
        found += [_never_blocked(loc) for key, loc in here.items() if key in ran - waited and _waits(loc)]
    return found + idle_locks(model, program, coverage)


def _statement(location: Location) -> tuple[str, int, str]:
    """A statement of the source, which occurs twice if its operation is called twice."""
    span = location.span
    return (span.file, span.line, location.text) if span else ("", 0, location.text)


def _waits(location: Location) -> bool:
    return location.text.startswith("wait_until(")


def _never_ran(function: _Function, dead: list[Location]) -> Diagnostic:
    shown = ", ".join(f"`{loc.text}`" for loc in dead[:_MOST_NAMED]) + (", ..." if len(dead) > _MOST_NAMED else "")
    lines = ", ".join(str(line) for line in sorted({loc.span.line for loc in dead if loc.span}))
    message = f"no schedule runs {shown} in `{function.name}` (line {lines})"
    return Diagnostic("DIO320", message, dead[0].span, severity="warning")


def _never_blocked(location: Location) -> Diagnostic:
    return Diagnostic("DIO323", f"`{location.text}` never has to wait", location.span, severity="warning")


# --- whose code is judged ---------------------------------------------------------------------------------------------


def _own_functions(model: type[Model], program: Program, members: Members) -> Iterator[_Function]:
    listed: list[tuple[str, Any, type]] = [
        (name, entry[0], entry[1])
        for kind in (members.threads, members.operations, members.methods)
        for name, entry in kind.items()
    ]
    for name, function, owner in listed:
        tree = function_tree(function)
        if tree is not None and is_judged(owner, model) and function.__code__.co_filename == program.file:
            yield _Function(name, program.file, tree.lineno, tree.end_lineno or tree.lineno)
