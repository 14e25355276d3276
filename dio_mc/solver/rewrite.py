"""Translation (b): a property's Python source -> z3, by rewriting its syntax tree and running the result on terms.

Independent of the frontend on purpose: both start from the source, and z3 proves that they agree. The rewrite replaces
every construct whose Python meaning would be wrong on terms by a call of `operators`; what is left (z3py's own
functions among it) runs as it is.
"""

from __future__ import annotations

import ast
import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from dio_mc.ir.program import Property
from dio_mc.solver import operators
from dio_mc.solver.operators import all_of, any_of, code, compare, conjunction, disjunction, held
from dio_mc.solver.views import FormulaError, Method, Proposition, Source, View, instances
from dio_mc.source import function_tree

_SIGNS = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
}  # fmt: skip
_DEPTH = 40


def formula(property_: Property, source: Source) -> Any:
    """The property as a term over `source`. Raises `FormulaError` where its source has no translation."""
    root = source.program.root
    before = View(source, root, model=property_.model)
    arguments: list[Any] = [before]
    if property_.kind == "step":
        arguments.append(View(source, root, after=True, model=property_.model))
    return operators.truth(run(property_.function, arguments, {}, source))


def run(
    function: Callable[..., Any], arguments: list[Any], keywords: dict[str, Any], source: Source, depth: int = 0
) -> Any:
    """Call a function with its source rewritten."""
    if depth > _DEPTH:
        raise FormulaError(f"{function.__name__} calls itself without end")
    tree = function_tree(function)
    if tree is None or not isinstance(function, FunctionType):
        raise FormulaError(f"the source of {function!r} cannot be read")
    receiver = arguments[0] if arguments and isinstance(arguments[0], View) else None
    rewritten = _compiled(tree, function, source, depth, receiver)
    return rewritten(*arguments, **keywords)


def _compiled(
    tree: ast.FunctionDef, function: FunctionType, source: Source, depth: int, receiver: View | None
) -> Callable[..., Any]:
    clone = copy.deepcopy(tree)
    clone.decorator_list = []
    clone.returns = None
    for argument in clone.args.args:
        argument.annotation = None
    module = ast.fix_missing_locations(ast.Module([_Rewriter().visit(clone)], []))
    scope = namespace(function, source, depth, receiver)
    exec(compile(module, function.__code__.co_filename, "exec"), scope)  # the model's own code, rewritten
    made: Any = scope[tree.name]
    made.__defaults__ = function.__defaults__
    return made  # type: ignore[no-any-return]  # a function


def namespace(function: FunctionType, source: Source, depth: int = 0, receiver: View | None = None) -> dict[str, Any]:
    """The globals of rewritten source: the function's own, its closure, and the operators. `receiver` is what
    ``super()`` means in it."""
    closure = inspect.getclosurevars(function).nonlocals if function.__closure__ else {}
    return {**function.__globals__, **closure, "__dio__": Operators(source, depth, function, receiver)}


@dataclass(frozen=True, slots=True)
class Operators:
    """What rewritten source calls, under the name ``__dio__``."""

    source: Source
    depth: int
    function: FunctionType
    receiver: View | None = None
    conjunction = staticmethod(conjunction)
    disjunction = staticmethod(disjunction)
    negation = staticmethod(operators.negation)
    conditional = staticmethod(operators.conditional)
    compare = staticmethod(compare)
    index = staticmethod(operators.index)
    attribute = staticmethod(operators.attribute)
    elements = staticmethod(operators.elements)
    floor_divide = staticmethod(operators.floor_divide)

    def quantifier(self, function: Any, items: operators.Guarded) -> Any:
        """A call of all, any, sum, min or max on a generator."""
        if function is all:
            return operators.for_all(items)
        if function is any:
            return operators.exists(items)
        if function is sum:
            return operators.total(items)
        values = [element() for condition, element in items if self._plain(condition)]
        if function in (min, max):
            return operators.extreme("<" if function is min else ">", values)
        return self.call(function, values)

    def _plain(self, condition: Any) -> bool:
        if isinstance(condition, bool):
            return condition
        raise FormulaError("this filter depends on the state; only all, any and sum can have such a filter")

    def call(self, function: Any, *arguments: Any, **keywords: Any) -> Any:
        """Any other call."""
        if isinstance(function, Method):
            receiver = [function.receiver, *arguments]
            return run(function.function, receiver, keywords, self.source, self.depth + 1)
        if function is super and self.receiver is not None:
            return self.receiver.above(self.function)
        if isinstance(function, Proposition):
            return proposition(function, arguments, keywords, self.source)
        known = _BUILTINS.get(function) if isinstance(function, type | type(len)) else None
        if known is not None:
            return known(*arguments)
        module = getattr(function, "__module__", "") or ""
        if function is _threads():
            return _thread_ids(arguments, self.source)
        if isinstance(function, FunctionType) and not module.startswith(("z3.", "dio_mc.")) and module != "z3":
            return run(function, list(arguments), keywords, self.source, self.depth + 1)
        lifted = [code(a) if a is not None else a for a in arguments]
        return function(*lifted, **keywords)


def _threads() -> Any:
    from sys import modules

    return getattr(modules.get("dio_mc.lang.statements"), "threads", None)


def _thread_ids(arguments: tuple[Any, ...], source: Source) -> list[int]:
    if not arguments:
        return list(range(len(source.program.threads)))
    return instances(source.program, _method_name(arguments[0]))


def _method_name(value: Any) -> str:
    if not isinstance(value, Method):
        raise FormulaError("a method of the model is needed here")
    return value.name


def _abs(value: Any) -> Any:
    return operators.conditional(compare(value, ("<", 0)), lambda: -value, lambda: value)


_BUILTINS: dict[Any, Callable[..., Any]] = {
    all: lambda items: operators.for_all([(True, held(v)) for v in operators.elements(items)]),
    any: lambda items: operators.exists([(True, held(v)) for v in operators.elements(items)]),
    sum: lambda items: operators.total([(True, held(v)) for v in operators.elements(items)]),
    min: lambda *v: operators.extreme("<", list(v) if len(v) > 1 else list(operators.elements(v[0]))),
    max: lambda *v: operators.extreme(">", list(v) if len(v) > 1 else list(operators.elements(v[0]))),
    abs: _abs,
    len: lambda value: len(list(operators.elements(value))),
    bool: operators.truth,
    isinstance: operators.is_instance,
    tuple: lambda value: tuple(operators.elements(value)),
    list: lambda value: list(operators.elements(value)),
}


def proposition(asked: Proposition, arguments: tuple[Any, ...], keywords: Mapping[str, Any], source: Source) -> Any:
    """``self.inside(...)``, ``self.finished(...)``, ``self.at_rest()`` on the state of the view."""
    after = asked.view.after
    program = source.program
    if asked.name == "at_rest":
        workers = [i for i in range(len(program.threads)) if not program.template_of(i).daemon]
        return all_of([source.at(t, frozenset({0}), after) for t in workers])
    if asked.name == "finished":
        chosen = instances(program, _method_name(arguments[0]))
        return all_of([source.at(t, frozenset({0}), after) for t in chosen])
    name = arguments[0] if isinstance(arguments[0], str) else f"{_method_name(arguments[0])}()"
    found = []
    for region in (r for r in program.regions if r.name == name):
        slots = dict(region.arguments)
        for thread in (i for i, t in enumerate(program.threads) if t.template == region.template):
            tests = [source.at(thread, region.locations, after)]
            tests += [compare(source.local(thread, slots[n], after), ("==", keywords[n])) for n in sorted(keywords)]
            found.append(all_of(tests))
    return any_of(found)


class _Rewriter(ast.NodeTransformer):
    """Replaces what would be wrong on terms."""

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        name = "conjunction" if isinstance(node.op, ast.And) else "disjunction"
        return _call(node, name, [_thunk(v) for v in node.values])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        return _call(node, "negation", [node.operand]) if isinstance(node.op, ast.Not) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return _call(node, "conditional", [node.test, _thunk(node.body), _thunk(node.orelse)])

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        rest = [
            ast.Tuple([ast.Constant(_SIGNS[type(op)]), right], ast.Load())
            for op, right in zip(node.ops, node.comparators, strict=True)
        ]
        return _call(node, "compare", [node.left, *rest])

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        return _call(node, "index", [node.value, node.slice])

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        return _call(node, "attribute", [node.value, ast.Constant(node.attr)])

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return _call(node, "floor_divide", [node.left, node.right]) if isinstance(node.op, ast.FloorDiv) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        one = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if isinstance(one, ast.GeneratorExp | ast.ListComp):
            function = self.visit(node.func)
            return _call(node, "quantifier", [function, self._guarded(one)])
        self.generic_visit(node)
        found = _call(node, "call", [node.func, *node.args])
        found.keywords = node.keywords
        return found

    def _guarded(self, node: ast.GeneratorExp | ast.ListComp) -> ast.expr:
        """``[(filter, lambda: element) for ...]``; the lambda binds the loop's names at once."""
        names = [n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)]
        filters = [self.visit(test) for g in node.generators for test in g.ifs]
        generators = [
            ast.comprehension(g.target, _call(g.iter, "elements", [self.visit(g.iter)]), [], 0) for g in node.generators
        ]
        condition = _call(node, "conjunction", [_thunk(f) for f in filters]) if filters else ast.Constant(True)
        element = _thunk(self.visit(node.elt), names)
        pair = ast.Tuple([condition, element], ast.Load())
        return ast.copy_location(ast.ListComp(pair, generators), node)


def _call(node: ast.AST, name: str, arguments: list[ast.expr]) -> ast.Call:
    function = ast.Attribute(ast.Name("__dio__", ast.Load()), name, ast.Load())
    return ast.copy_location(ast.Call(function, arguments, []), node)


def _thunk(body: ast.expr, names: list[str] | None = None) -> ast.expr:
    defaults: list[ast.expr] = [ast.Name(n, ast.Load()) for n in names or []]
    arguments = ast.arguments([], [ast.arg(n) for n in names or []], None, [], [], None, defaults)
    return ast.copy_location(ast.Lambda(arguments, body), body)


__all__ = ["FormulaError", "formula", "namespace", "run"]
