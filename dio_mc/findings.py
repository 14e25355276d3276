"""What makes a pass worth less than it looks: code that never ran, waits that never waited, data that nobody reads.

Collected from what the engine covered and from the program, without a second run. Only what a class says itself is
judged (with abstract bases and mixins of its file, which are never checked alone): what it inherits was judged where it
was written. Coverage is told only of a complete search that found nothing, since a violation cuts behaviour off.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dio_mc.errors import Diagnostic
from dio_mc.frontend.declare import Members, attribute_span, function_span, members_of
from dio_mc.ir.expr import Expr, Load, walk
from dio_mc.ir.ops import Assign, Await, Block, Branch, Check, Choose, Op, Spawn, StoreTo, Target
from dio_mc.ir.program import Location, Program
from dio_mc.lang.model import Model
from dio_mc.semantics.contract import Coverage
from dio_mc.source import Span, function_tree, source_lines

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class _Function:
    """A thread body, operation or method that is judged here: its lines."""

    name: str
    file: str
    first: int
    last: int

    def has(self, span: Span | None) -> bool:
        return span is not None and span.file == self.file and self.first <= span.line <= self.last


def coverage_findings(model: type[Model], program: Program, coverage: Coverage) -> list[Diagnostic]:
    """Of a complete search without violations: statements that never ran, waits that never blocked."""
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
    return found


def _statement(location: Location) -> tuple[str, int, str]:
    """A statement of the source; an operation that is called twice has it twice."""
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


# --- without a run ----------------------------------------------------------------------------------------------------


def static_findings(model: type[Model], program: Program) -> list[Diagnostic]:
    """Operations that nothing calls, variables that nothing reads, parameters that nothing uses."""
    members = members_of(model)
    named = _names_in_sources(model)
    found = [
        Diagnostic("DIO321", f"nothing calls the operation `{name}`", function_span(function), severity="warning")
        for name, (function, owner, _) in members.operations.items()
        if owner is model and name not in named
    ]
    found += [
        Diagnostic("DIO324", f"nothing uses the parameter `{name}`", _place(model, name), severity="warning")
        for name in members.params
        if name in vars(model) and name not in named
    ]
    return found + list(_unread(model, program, members))


def _place(model: type[Model], name: str) -> Span | None:
    return attribute_span(model, name)


def _unread(model: type[Model], program: Program, members: Members) -> Iterator[Diagnostic]:
    """Variables of the class that no statement and no property reads; unknown where only z3 can say what is read, or
    where a class of the same file builds on this one."""
    patches = any(c.__module__ == model.__module__ for c in model.__subclasses__())
    if patches or any(p.expr is None for p in program.properties):
        return
    read = {program.variables[e.variable].path[0] for e in _expressions(program) if isinstance(e, Load)}
    locks = {v.path[0] for v in program.variables if v.role == "lock"}
    for name, (_, owner) in members.data.items():
        declared = any(v.path[0] == name for v in program.variables)
        if owner is model and declared and name not in read | locks:
            yield Diagnostic("DIO322", f"nothing reads `{name}`", _place(model, name), severity="warning")


def _expressions(program: Program) -> Iterator[Expr]:
    roots = [p.expr for p in program.properties if p.expr is not None]
    roots += [a.meaning for p in program.properties for a in p.atoms]
    roots += [e for t in program.templates for block in t.blocks for e in _of_block(block)]
    for root in roots:
        yield from walk(root)


def _of_block(block: Block) -> Iterator[Expr]:
    for op in block.ops:
        yield from _of_op(op)
    if isinstance(block.terminator, Branch):
        yield block.terminator.condition


def _of_op(op: Op) -> Iterator[Expr]:
    match op:
        case Assign(targets, values):
            yield from values
            yield from _indices(targets)
        case Await(condition) | Check(condition):
            yield condition
        case Choose(target, options):
            yield from _indices([target])
            for option in options:
                yield option.value
                yield from [option.when] if option.when is not None else []
        case Spawn(_, arguments):
            yield from arguments


def _indices(targets: Iterable[Target]) -> Iterator[Expr]:
    for target in targets:
        if isinstance(target, StoreTo):
            yield from target.indices


# --- whose code is judged ---------------------------------------------------------------------------------------------


def _own_functions(model: type[Model], program: Program, members: Members) -> Iterator[_Function]:
    listed: list[tuple[str, Any, type]] = [
        (name, entry[0], entry[1])
        for kind in (members.threads, members.operations, members.methods)
        for name, entry in kind.items()
    ]
    for name, function, owner in listed:
        tree = function_tree(function)
        if tree is not None and _is_judged(owner, model) and function.__code__.co_filename == program.file:
            yield _Function(name, program.file, tree.lineno, tree.end_lineno or tree.lineno)


def _is_judged(owner: type, model: type[Model]) -> bool:
    return owner is model or not issubclass(owner, Model) or bool(vars(owner).get("__dio_abstract__"))


def _names_in_sources(model: type[Model]) -> frozenset[str]:
    """Every name and attribute that the files of the class and its bases mention, other than to bind it."""
    modules = [sys.modules.get(c.__module__) for c in model.__mro__ if c not in (object, Model)]
    files = {getattr(module, "__file__", None) for module in modules}
    return frozenset().union(*(_names_in(source_lines(file)) for file in files if file))


@lru_cache(maxsize=64)
def _names_in(lines: tuple[str, ...]) -> frozenset[str]:
    try:
        tree = ast.parse("\n".join(lines) + "\n")
    except SyntaxError:
        return frozenset()
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return frozenset(names | {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)})
