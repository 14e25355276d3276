"""A model class with its parameters -> `Program`. The entry point of the frontend after loading."""

from __future__ import annotations

import ast
import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace

from dio_mc.errors import Diagnostic, ModelError
from dio_mc.frontend import expressions
from dio_mc.frontend.calls import body_of
from dio_mc.frontend.connectives import SolverOnly
from dio_mc.frontend.context import Abort, Context, Scope, parameters_of
from dio_mc.frontend.declare import Members, function_span
from dio_mc.frontend.prepared import prepare
from dio_mc.frontend.propositions import Control
from dio_mc.frontend.shelf import Drawer, Shelf
from dio_mc.frontend.templates import Asked, Known, compile_templates
from dio_mc.frontend.values import Value
from dio_mc.ir.expr import Expr
from dio_mc.ir.printer import print_program
from dio_mc.ir.program import Program, Property, PropertyKind, Region, Template
from dio_mc.ir.verify import verify
from dio_mc.lang.model import PropertyRole
from dio_mc.source import function_tree

FORMAT = 1
"""Part of the digest: to be incremented when the meaning of the IR text changes."""


@dataclass(frozen=True, slots=True)
class Built:
    """A program and the warnings found while compiling it."""

    program: Program
    warnings: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """A program of a class that differs from the one to build in some functions only, and the threads that do not reach
    these functions."""

    program: Program
    threads: frozenset[str]

    def known(self, context: Context) -> Known:
        """The templates that can be reused. The new program may have additional variables at the end. With spawned
        operations nothing is reused, because the types of their arguments depend on all threads."""
        before = self.program.variables
        if context.spawned or before != tuple(context.variables[: len(before)]):
            return {}
        if context.threads != self.program.threads:
            return {}
        return {
            template.name: (template, [r for r in self.program.regions if r.template == number])
            for number, template in enumerate(self.program.templates)
            if template.name in self.threads
        }


def build(
    model: type,
    params: Mapping[str, int] | None = None,
    numbers: Mapping[str, int] | None = None,
    like: Like | Shelf | None = None,
) -> Built:
    """Compile a model class with parameters bound.

    `numbers` overrides the number of instances of threads and of slots of operations, and binds parameters regardless
    of their bounds. Parts that a `like` program or a shelf already contains are not compiled again. Raises `ModelError`
    with all diagnostics if the model is wrong, and for an unknown parameter.
    """
    params, numbers = params or {}, numbers or {}
    ready = like.ready.of(model, params, numbers) if isinstance(like, Shelf) else prepare(model, params, numbers)
    members, bound, context, asked = ready.members, ready.bound, ready.context, ready.asked
    drawer = like.of(ready) if isinstance(like, Shelf) and context.buffers is None else None
    templates, regions = _templates(context, members, asked, drawer or like)
    if context.buffers is not None and templates:
        templates = [*map(context.buffers.rewritten, templates), context.buffers.daemon()]
    context.control = Control(tuple(templates), tuple(regions), asked.operations)
    properties: list[Property] = []
    if not context.diagnostics.errors:
        properties = _properties(members, context, drawer)
    if context.diagnostics.errors:
        raise ModelError(tuple(context.diagnostics.errors))
    given = {n: v for n, v in bound.items() if n in params and v != members.params[n].default}
    given |= {n: v for n, v in numbers.items() if n in members.threads or n in members.params}
    program = Program(
        program_name(model, given), tuple((n, int(v)) for n, v in bound.items()), tuple(context.variables),
        context.root,
        tuple(templates), context.threads, tuple(regions), tuple(properties), bool(getattr(model, "deadlock", True)),
        str(getattr(model, "__dio_place__", ("", 0))[0]), inspect.cleandoc(model.__doc__ or ""),
    )  # fmt: skip
    if drawer is None:
        program = replace(program, digest=digest_of(program))
    verify(program, drawer.taken if drawer is not None else ())
    return Built(program, tuple(d for d in context.diagnostics.found if d.severity != "error"))


def _templates(
    context: Context, members: Members, asked: Asked, like: Like | Drawer | Shelf | None
) -> tuple[list[Template], list[Region]]:
    """All templates and their regions; those that `like` provides are not compiled again."""
    known: Known = {}
    if isinstance(like, Like) and context.buffers is None:
        known = like.known(context)
    elif isinstance(like, Drawer):
        known = like.known()
    earlier = list(context.diagnostics.found)
    templates, regions = compile_templates(context, members, asked, known)
    if isinstance(like, Drawer) and not like.holds(known):
        context.diagnostics.found = earlier
        like.taken.clear()
        for target in context.spawned.values():
            target.parameters.clear()
        templates, regions = compile_templates(context, members, asked, {})
    if isinstance(like, Drawer):
        like.keep(templates, regions)
    return templates, regions


def _properties(members: Members, context: Context, drawer: Drawer | None) -> list[Property]:
    properties: list[Property] = []
    for name in members.properties:
        found = drawer.property(name) if drawer is not None else None
        if found is None and (found := _property(name, members, context)) is not None and drawer is not None:
            drawer.keep_property(found)
        properties += [found] if found is not None else []
    return properties


def program_name(model: type, given: Mapping[str, int | bool]) -> str:
    """``Class`` or ``Class@pages=2``: parameters that differ from their defaults."""
    listed = ",".join(f"{n}={int(v)}" for n, v in sorted(given.items()))
    return f"{model.__name__}@{listed}" if listed else model.__name__


def digest_of(program: Program) -> str:
    """A hash of what the program does: the IR text without places in files."""
    text = f"{FORMAT}\n{print_program(program)}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _property(name: str, members: Members, context: Context) -> Property | None:
    function, owner, role = members.properties[name]
    tree = function_tree(function)
    span = function_span(function)
    if tree is None or span is None:
        context.diagnostics.add(
            Diagnostic("DIO118", f"the source of `{name}` cannot be read", None, "define it in a file")
        )
        return None
    scope = Scope(context, function, owner, {}, None, in_property=True)
    try:
        kind = _bind_views(tree, role, scope)
        context.control.atoms = {}
        context.inlined.begin()
        expr = _compile_property(tree, scope)
    except Abort:
        return None
    atoms = tuple(context.control.atoms[text] for text in sorted(context.control.atoms))
    doc = inspect.cleandoc(function.__doc__ or "")
    return Property(name, kind, expr, doc, span, function, context.model, atoms, role.fairness)


def _bind_views(tree: ast.FunctionDef, role: PropertyRole, scope: Scope) -> PropertyKind:
    names = [tree.args.args[0].arg, *parameters_of(tree)] if tree.args.args else []
    if not 1 <= len(names) <= 2 or (len(names) == 2 and role.kind != "invariant"):
        raise scope.fail("DIO113", tree, "a property takes `self`, and a step invariant the state `after` as well")
    scope.bindings[names[0]] = scope.receiver = scope.context.receiver(total=True)
    if len(names) == 2:
        scope.bindings[names[1]] = scope.context.receiver(total=True, after=True)
        return "step"
    return role.kind


def _compile_property(tree: ast.FunctionDef, scope: Scope) -> Expr | None:
    """The compiled condition, or None if only z3 can evaluate it."""
    body = body_of(tree)
    try:
        for statement in body[:-1]:
            scope.bindings.update(_named(statement, scope))
        last = body[-1]
        if not isinstance(last, ast.Return) or last.value is None:
            raise scope.fail("DIO113", last, "a property ends with `return` and a condition")
        return expressions.truth(last.value, scope)
    except SolverOnly:
        return None


def _named(statement: ast.stmt, scope: Scope) -> dict[str, Value]:
    """Compile ``name = expression`` before the ``return`` of a property."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return {name: expressions.value_of(value, scope)}
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=value) if all(isinstance(n, ast.Name) for n in names):
            values = expressions.elements(expressions.value_of(value, scope), value, scope)
            return {n.id: v for n, v in zip(names, values, strict=False) if isinstance(n, ast.Name)}
        case _:
            raise scope.fail("DIO113", statement, "a property is names for expressions and one `return`")
