"""Expressions over states that users enter, in the modelling language; compiled as in properties."""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from types import FunctionType
from typing import Any, Final

from dio_mc.errors import Diagnostic, ModelError
from dio_mc.frontend import expressions
from dio_mc.frontend.connectives import SolverOnly
from dio_mc.frontend.context import Abort, Context, Scope
from dio_mc.frontend.declare import bind_params, declare, members_of
from dio_mc.frontend.propositions import Control
from dio_mc.frontend.values import Place as SharedPlace
from dio_mc.frontend.values import describe, load, scalar_of
from dio_mc.ir.expr import Expr
from dio_mc.ir.program import Program

LONGEST: Final = 400
"""The largest number of characters in an expression."""
DEEPEST: Final = 60
"""The largest depth of its syntax tree."""
_FILE: Final = "expression"


def expression(model: type, program: Program, text: str) -> Expr:
    """Compile `text`, such as ``dirty[0] and not self.at_rest()``, for a program of `model`. Members of the model may
    be written without ``self``. Nothing is evaluated by Python; the expression means what it means in a property.

    Raises `ModelError` with all diagnostics, located in the file ``expression``, if `text` is not such an expression.
    """
    tree = _parsed(text)
    _check_regions(tree, model, program)
    context = _context(model, program)
    scope = _scope(model, context)
    try:
        value = expressions.value_of(_named(tree, model, scope), scope)
        if isinstance(value, SharedPlace):
            value = load(value, context.variables, None)
        found = scalar_of(value)
        if found is None:
            raise scope.fail(
                "DIO103", tree, f"one value is needed here, not {describe(value)}", "ask for one cell of it"
            )
        return found.expr
    except SolverOnly as only:
        raise _wrong("DIO114", f"`{only}` has a meaning in properties only, where z3 decides it") from None
    except Abort:
        raise ModelError(tuple(context.diagnostics.errors)) from None


def _wrong(code: str, message: str) -> ModelError:
    return ModelError((Diagnostic(code, message, None, "", _FILE),))


def _parsed(text: str) -> ast.expr:
    if len(text) > LONGEST:
        raise _wrong("DIO102", f"an expression has at most {LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _wrong("DIO101", f"not an expression: {getattr(error, 'msg', None) or error}") from None
    if _depth(tree) > DEEPEST:
        raise _wrong("DIO102", f"an expression is nested at most {DEEPEST} deep")
    for node in ast.walk(tree):
        private = getattr(node, "attr", "") or getattr(node, "id", "")
        if private.startswith("__"):
            raise _wrong("DIO104", f"the model has no `{private}`")
    return tree


def _depth(tree: ast.AST) -> int:
    """The depth of a tree. It does not recurse, because it protects later code from too deep a recursion."""
    depth, level = 0, [tree]
    while level:
        depth, level = depth + 1, [below for node in level for below in ast.iter_child_nodes(node)]
    return depth


def _check_regions(tree: ast.expr, model: type, program: Program) -> None:
    """Refuse ``inside`` of an operation that no property uses it for: the program does not record who is inside."""
    known = {region.name for region in program.regions}
    operations = members_of(model).operations
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="inside") | ast.Attribute(attr="inside"), args=[asked, *_]):
                name = getattr(asked, "attr", "") or getattr(asked, "id", "")
                if name in operations and f"{name}()" not in known:
                    raise _wrong("DIO114", f"no property asks who is inside `{name}`, so the program does not say it")


def _context(model: type, program: Program) -> Context:
    members = members_of(model)
    counts = Counter(program.templates[thread.template].name for thread in program.threads)
    numbers = {n: count for n, count in counts.items() if n in members.threads or n in members.operations}
    bound = bind_params(model, members, dict(program.params), dict(program.params))
    context = declare(model, members, bound, numbers)
    context.control = Control(program.templates, program.regions, frozenset(members.operations))
    return context


def _scope(model: type, context: Context) -> Scope:
    """The scope of a property of the class, in the file that defines the class."""
    names = _globals_of(model)
    stand_in = FunctionType((lambda: None).__code__.replace(co_filename=_FILE), names, _FILE)
    receiver = context.receiver(total=True)
    return Scope(context, stand_in, model, {"self": receiver}, receiver, in_property=True)


def _globals_of(model: type) -> dict[str, Any]:
    """The globals of the files that define the class and its bases; those of the class take precedence."""
    found: dict[str, Any] = {}
    for cls in reversed(model.__mro__):
        functions = [f for f in vars(cls).values() if isinstance(f, FunctionType)]
        found.update(functions[0].__globals__ if functions else {})
    return found


def _named(tree: ast.expr, model: type, scope: Scope) -> ast.expr:
    """The expression with ``self.`` added to the names that only the model defines."""
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    known = {*own, *scope.bindings, *vars(builtins), *scope.function.__globals__}

    class Qualify(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            if node.id in known and not (hasattr(model, node.id) and node.id not in own):
                return node
            owner = ast.copy_location(ast.Name("self", ast.Load()), node)
            return ast.copy_location(ast.Attribute(owner, node.id, ast.Load()), node)

    found: ast.expr = Qualify().visit(tree)
    return found


def excerpt_of(error: ModelError) -> str:
    """The error in one line, without its location, for use beside the expression."""
    return "; ".join(" ".join(filter(None, [d.message, d.hint and f"({d.hint})"])) for d in error.diagnostics)
