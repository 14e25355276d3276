"""Findings from the source alone: operations that nothing calls, variables that nothing reads,
unused parameters."""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from functools import lru_cache
from types import FunctionType

from dio_mc.checking.findings.owning import is_judged
from dio_mc.checking.findings.reading import expressions_of
from dio_mc.checking.findings.weak import pointless_relaxation
from dio_mc.errors import Diagnostic, did_you_mean
from dio_mc.frontend.declare import Members, attribute_span, class_span, function_span, members_of
from dio_mc.ir.expr import AtLocation, Load, LocalOf, walk
from dio_mc.ir.ops import Assign, Choose, End, StoreTo
from dio_mc.ir.program import Program
from dio_mc.lang.model import Model
from dio_mc.source import function_tree, module_tree


def static_findings(model: type[Model], program: Program) -> list[Diagnostic]:
    """Operations that nothing calls, variables that nothing reads, parameters that nothing uses."""
    members = members_of(model)
    named = _names_in_sources(model)
    found = uncalled_operations(model)
    found += [
        Diagnostic("DIO324", f"nothing uses the parameter `{name}`", attribute_span(owner, name), severity="warning")
        for name in members.params
        if is_judged(owner := _owner(model, name), model) and name not in named
    ]
    found += [*_ending_daemons(program, members), *_unread(model, program, members), *_constant(program)]
    found += pointless_relaxation(model, program, members)
    return [*found, *_within_a_step(model, program), *_hidden(model, members)]


def uncalled_operations(model: type[Model], called: Collection[str] = ()) -> list[Diagnostic]:
    """Operations of the class that nothing calls, except those `called` from elsewhere. An
    operation whose name almost equals one of its bases overrides nothing."""
    named = _names_in_sources(model)
    operations = members_of(model).operations
    found: list[Diagnostic] = []
    for name, (function, owner, _) in operations.items():
        if is_judged(owner, model) and name not in named and name not in called:
            meant = did_you_mean(name, [other for other, (_, above, _) in operations.items() if above is not owner])
            message = f"nothing calls the operation `{name}`{meant and f'; {meant}'}"
            found.append(Diagnostic("DIO321", message, function_span(function), severity="warning"))
    return found


def _within_a_step(model: type[Model], program: Program) -> Iterator[Diagnostic]:
    """Properties of the class that ask whether a thread is inside a region that begins and ends
    within one step, where no other thread can run. A patch may make a window of its base one step
    on purpose; that is not reported."""
    for property_ in program.properties:
        if not is_judged(_owner(model, property_.name), model):
            continue
        for atom in property_.atoms:
            parts = list(walk(atom.meaning))
            standing = [part for part in parts if isinstance(part, AtLocation)]
            if standing and not any(part.locations for part in standing):
                asked = atom.text.removeprefix("after.")
                message = f"`{asked}` in `{property_.name}` is never true: no thread stands within one step"
                yield Diagnostic("DIO330", message, property_.span, severity="warning")


def _hidden(model: type[Model], members: Members) -> Iterator[Diagnostic]:
    """Threads and properties that exist in two bases of which neither overrides the other: the
    class that derives from both has the first one only."""
    for name, owner, other in members.hidden:
        joined = next(cls for cls in reversed(model.__mro__) if issubclass(cls, owner) and issubclass(cls, other))
        if is_judged(joined, model):
            lost = "does not run" if name in members.threads else "is not checked"
            message = f"`{name}` of {other.__name__} {lost}: {owner.__name__} has one, too, and comes first"
            yield Diagnostic("DIO332", message, class_span(joined), severity="warning")


def _owner(model: type[Model], name: str) -> type:
    return next((cls for cls in model.__mro__ if name in vars(cls)), object)


def _constant(program: Program) -> Iterator[Diagnostic]:
    """Properties of states that read nothing which the program writes: they have the same value in
    every state."""
    ops = [op for template in program.templates for block in template.blocks for op in block.ops]
    targets = [t for op in ops if isinstance(op, Assign) for t in op.targets]
    targets += [op.target for op in ops if isinstance(op, Choose)]
    written = {t.variable for t in targets if isinstance(t, StoreTo)}
    for property_ in program.properties:
        if property_.kind != "invariant" or property_.expr is None or property_.atoms:
            continue
        parts = list(walk(property_.expr))
        read = {part.variable for part in parts if isinstance(part, Load)}
        stands = any(isinstance(part, AtLocation | LocalOf) for part in parts)
        if read and not stands and not read & written and not any(program.variables[v].any_init for v in read):
            names = ", ".join(
                f"`{name}`" for name in dict.fromkeys(str(program.variables[v].path[0]) for v in sorted(read))
            )
            message = f"`{property_.name}` reads nothing but {names}, which nothing writes"
            yield Diagnostic("DIO328", message, property_.span, severity="warning")


def _ending_daemons(program: Program, members: Members) -> Iterator[Diagnostic]:
    """Daemons whose code can end, including inherited ones, since they weaken each verdict: they do
    their work once, so that the effects of a second round are not seen. A ``return`` as the last
    statement says that once is intended; daemons of the library are as intended."""
    for template in program.templates:
        entry = members.threads.get(template.name)
        if entry is None or not template.daemon or not any(isinstance(b.terminator, End) for b in template.blocks):
            continue
        function, owner, _ = entry
        tree = function_tree(function)
        meant = owner.__module__.startswith("dio_mc.") or (tree is not None and isinstance(tree.body[-1], ast.Return))
        if not meant:
            message = (
                f"the daemon `{template.name}` ends after one round: `while True:` makes it go on, "
                "a `return` at the end says that once is meant"
            )
            yield Diagnostic("DIO326", message, function_span(function), severity="warning")


def _unread(model: type[Model], program: Program, members: Members) -> Iterator[Diagnostic]:
    """Variables of the class that no statement and no property reads; unknown if only z3 can say
    what is read. Names in a class of the same file that derives from this one count as reads."""
    if any(p.expr is None for p in program.properties):
        return
    read = {program.variables[e.variable].path[0] for e in expressions_of(program) if isinstance(e, Load)}
    locks = {v.path[0] for v in program.variables if v.role == "lock"}
    for name, (_, owner) in members.data.items():
        declared = any(v.path[0] == name for v in program.variables)
        judged = declared and is_judged(owner, model) and name not in named_by_patches(owner)
        if judged and name not in read | locks:
            yield Diagnostic("DIO322", f"nothing reads `{name}`", attribute_span(owner, name), severity="warning")


def named_by_patches(model: type[object]) -> frozenset[str]:
    """The names in the bodies of classes of the same file that derive from this one."""
    found: set[str] = set()
    for patch in (c for c in model.__subclasses__() if c.__module__ == model.__module__):
        for value in vars(patch).values():
            tree = function_tree(value) if isinstance(value, FunctionType) else None
            found |= _names_in(tree) if tree is not None else frozenset()
        found |= named_by_patches(patch)
    return frozenset(found)


def _names_in_sources(model: type[Model]) -> frozenset[str]:
    """Every name and attribute in the files of the class and its bases, except where it is
    bound."""
    modules = [sys.modules.get(c.__module__) for c in model.__mro__ if c not in (object, Model)]
    files = {getattr(module, "__file__", None) for module in modules}
    return frozenset().union(*(_names_in(tree) for file in files if file and (tree := _tree(file)) is not None))


def _tree(file: str) -> ast.Module | None:
    try:
        return module_tree(file)
    except SyntaxError:
        return None


@lru_cache(maxsize=64)
def _names_in(tree: ast.AST) -> frozenset[str]:
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    return frozenset(names | {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)})
