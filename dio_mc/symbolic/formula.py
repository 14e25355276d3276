"""The Python body of a property -> a formula: the second, independent translation.

The syntax tree of the function is evaluated on z3 terms. Running the body itself would be silently wrong: ``not (x ==
1)`` is a Python bool, and so are ``and``, ``or``, ``in`` and chained comparisons on z3 terms. Pure methods and
functions are evaluated in turn. Functions of z3 are called with terms as arguments, except that ``Implies`` and the
other connectives fold what is known; ``Implies`` also records its position.

An index outside its array reads the last element, an enum member is its position, records are compared field by field.
Evaluated on the values of one state, the same code creates no z3 objects (see `explain`).
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Final

import z3

from dio_mc.source import Span, function_tree, span_of
from dio_mc.symbolic import algebra, calls, terms, values
from dio_mc.symbolic.errors import FormulaError
from dio_mc.symbolic.terms import Term, TermError
from dio_mc.symbolic.values import Filtered, Value, View
from dio_mc.symbolic.world import MISSING, World, attribute

ARITHMETIC: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%", ast.Div: "/", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip
ORDERS: Final[dict[type[ast.cmpop], str]] = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
DEEPEST = 40


@dataclass(slots=True)
class Frame:
    """A call under evaluation: the function, its names so far, and the nesting depth of the call."""

    world: World
    function: FunctionType
    names: dict[str, Value] = field(default_factory=dict)
    depth: int = 0

    def span(self, node: ast.AST) -> Span:
        """The position of a node."""
        return span_of(node, self.function.__code__.co_filename)

    def inner(self, target: ast.expr, value: Value) -> Frame:
        """A copy of the frame with a loop variable bound."""
        frame = Frame(self.world, self.function, dict(self.names), self.depth)
        bind(target, value, frame)
        return frame

    def enclosed(self) -> dict[str, Any]:
        """The values of the free variables of the function (its closure)."""
        cells = zip(self.function.__code__.co_freevars, self.function.__closure__ or (), strict=False)
        found: dict[str, Any] = {}
        for name, cell in cells:
            try:
                found[name] = cell.cell_contents
            except ValueError:
                continue
        return found


def formula_of(function: Callable[..., Any], world: World) -> Term:
    """The property's formula (a Python bool if it does not depend on the state). Raises `FormulaError` with a
    position."""
    if not isinstance(function, FunctionType) or function_tree(function) is None:
        raise FormulaError(f"the source of {getattr(function, '__name__', function)} cannot be read", None, "DIO118")
    tree = function_tree(function)
    assert tree is not None
    frame = Frame(world, function)
    result = call_function(function, [world.view(), world.view(after=True)][: len(tree.args.args)], {}, frame)
    try:
        return terms.truth(result)
    except TermError as error:
        raise FormulaError(str(error), frame.span(tree), "DIO103") from None


def call_function(function: FunctionType, args: list[Value], keywords: dict[str, Value], caller: Frame) -> Value:
    """The return value of a pure function."""
    tree = function_tree(function)
    if tree is None:
        raise TermError(f"the source of `{function.__name__}` cannot be read: define it with `def` in a file")
    if caller.depth >= DEEPEST:
        raise TermError(f"`{function.__name__}` calls itself without end")
    frame = Frame(caller.world, function, _parameters(function, tree, args, keywords), caller.depth + 1)
    return run(tree.body, frame)


def _parameters(
    function: FunctionType, tree: ast.FunctionDef, args: list[Value], keywords: dict[str, Value]
) -> dict[str, Value]:
    names = [a.arg for a in [*tree.args.posonlyargs, *tree.args.args]]
    if tree.args.vararg or tree.args.kwarg or tree.args.kwonlyargs:
        raise TermError(f"`{tree.name}` has * or ** parameters, which are not supported")
    given = dict(zip(names, args, strict=False))
    defaults = dict(zip(names[::-1], (function.__defaults__ or ())[::-1], strict=False))
    wrong = len(args) > len(names) or any(k not in names or k in given for k in keywords)
    given = {**defaults, **given, **keywords}
    if wrong or any(n not in given for n in names):
        raise TermError(f"`{tree.name}` cannot be called with these arguments")
    return {name: given[name] for name in names}


# --- statements -------------------------------------------------------------------------------------------------------


def run(body: list[ast.stmt], frame: Frame) -> Value:
    """The return value of a list of statements: assignments to names, ``if`` and ``return``."""
    for number, statement in enumerate(body):
        match statement:
            case ast.Return(value=value):
                return None if value is None else evaluate(value, frame)
            case ast.Assign(targets=targets, value=value):
                found = evaluate(value, frame)
                for target in targets:
                    bind(target, found, frame)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                bind(target, evaluate(value, frame), frame)
            case ast.If(test=test, body=then, orelse=orelse):
                return _branch(test, then, orelse, body[number + 1 :], frame)
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                continue
            case _:
                word = type(statement).__name__.lower()
                raise FormulaError(f"`{word}` is not supported in a property", frame.span(statement), "DIO113")
    return None


def _branch(test: ast.expr, then: list[ast.stmt], orelse: list[ast.stmt], rest: list[ast.stmt], frame: Frame) -> Value:
    condition = condition_of(test, frame)
    if isinstance(condition, bool):
        return run([*(then if condition else orelse), *rest], frame)
    other = Frame(frame.world, frame.function, dict(frame.names), frame.depth)
    yes, no = run([*then, *rest], frame), run([*orelse, *rest], other)
    return located(frame, test, lambda: algebra.choose(condition, yes, no))


def bind(target: ast.expr, value: Value, frame: Frame) -> None:
    """Bind a name to a value, or a tuple of names to the elements of a value."""
    match target:
        case ast.Name(id=name):
            frame.names[name] = value
        case ast.Tuple(elts=elts):
            parts = located(frame, target, lambda: algebra.sequence(value))
            if len(parts) != len(elts):
                raise FormulaError(f"{len(elts)} values are needed here", frame.span(target), "DIO103")
            for one, part in zip(elts, parts, strict=True):
                bind(one, part, frame)
        case _:
            raise FormulaError("only names can be assigned in a property", frame.span(target), "DIO113")


# --- expressions ------------------------------------------------------------------------------------------------------


def located(frame: Frame, node: ast.AST, compute: Callable[[], Value]) -> Value:
    """The result of `compute`; errors in it are reported at the node."""
    try:
        return compute()
    except TermError as error:
        raise FormulaError(str(error), frame.span(node), "DIO103") from None
    except z3.Z3Exception as error:
        raise FormulaError(f"z3: {_sentence(error)}", frame.span(node), "DIO103") from None
    except (TypeError, ValueError, ArithmeticError, AttributeError, LookupError) as error:
        raise FormulaError(f"this has no meaning in a formula: {error}", frame.span(node), "DIO103") from None


def _sentence(error: z3.Z3Exception) -> str:
    value = error.value if hasattr(error, "value") else str(error)
    return value.decode() if isinstance(value, bytes) else str(value)


def evaluate(node: ast.expr, frame: Frame) -> Value:
    """The value of an expression."""
    return located(frame, node, lambda: _evaluate(node, frame))


def condition_of(node: ast.expr, frame: Frame) -> Term:
    """The value of a condition; anything other than a bool is an error, because its truth would be a guess."""
    return located(frame, node, lambda: terms.truth(evaluate(node, frame)))


def _evaluate(node: ast.expr, frame: Frame) -> Value:
    if isinstance(node, ast.Constant):
        return node.value
    match node:
        case ast.Name():
            return _name(node, frame)
        case ast.Attribute(value=base, attr=name):
            return attribute(evaluate(base, frame), name, frame.world)
        case ast.Subscript():
            return _subscript(node, frame)
        case ast.BoolOp():
            return _connect(node, frame)
        case ast.Compare():
            return _compare(node, frame)
        case ast.Call():
            return calls.call(node, frame)
        case ast.UnaryOp():
            return _unary(node, frame)
        case ast.BinOp(left=left, op=op, right=right):
            sides = (algebra.code(evaluate(side, frame)) for side in (left, right))
            return terms.arithmetic(ARITHMETIC.get(type(op), "@"), *sides)
        case ast.IfExp():
            return _choice(node, frame)
        case ast.Tuple(elts=elts) | ast.List(elts=elts) | ast.Set(elts=elts):
            return [evaluate(e, frame) for e in elts]
        case ast.GeneratorExp() | ast.ListComp() | ast.SetComp():
            return comprehension(node, frame)
        case ast.JoinedStr(values=parts):
            return "".join(_formatted(part, frame) for part in parts)
        case _:
            raise FormulaError(f"`{type(node).__name__}` is not supported in a property", frame.span(node))


def _choice(node: ast.IfExp, frame: Frame) -> Value:
    condition = condition_of(node.test, frame)
    if isinstance(condition, bool):
        return evaluate(node.body if condition else node.orelse, frame)
    return algebra.choose(condition, evaluate(node.body, frame), evaluate(node.orelse, frame))


def _formatted(part: ast.expr, frame: Frame) -> str:
    if isinstance(part, ast.FormattedValue) and part.format_spec is None:
        return str(evaluate(part.value, frame))
    return str(evaluate(part, frame))


def _name(node: ast.Name, frame: Frame) -> Value:
    for scope in (frame.names, frame.enclosed(), frame.function.__globals__):
        if node.id in scope:
            found = scope[node.id]
            break
    else:
        found = getattr(builtins, node.id, MISSING)
    if found is MISSING:
        raise FormulaError(f"unknown name `{node.id}`", frame.span(node), "DIO104")
    if type(found).__module__ == "dio_mc.lang.statements" and type(found).__name__ == "_Me":
        raise FormulaError("`me` has no meaning in a property: no thread is running it", frame.span(node), "DIO113")
    return found


def _connect(node: ast.BoolOp, frame: Frame) -> Term:
    """``and`` and ``or``, from the left, short-circuiting on operands that are known."""
    stop = isinstance(node.op, ast.Or)
    parts: list[Term] = []
    for operand in node.values:
        part = condition_of(operand, frame)
        if part is stop:
            return stop
        parts.append(part)
    return terms.disj(parts) if stop else terms.conj(parts)


def _unary(node: ast.UnaryOp, frame: Frame) -> Term:
    if isinstance(node.op, ast.Not):
        return terms.neg(condition_of(node.operand, frame))
    value = algebra.code(evaluate(node.operand, frame))
    match node.op:
        case ast.USub():
            return -value
        case ast.UAdd():
            return value
        case _:
            return ~value


def _compare(node: ast.Compare, frame: Frame) -> Term:
    parts: list[Term] = []
    left = evaluate(node.left, frame)
    for op, comparator in zip(node.ops, node.comparators, strict=True):
        right = evaluate(comparator, frame)
        parts.append(terms.truth(_one_comparison(op, left, right)))
        left = right
    return terms.conj(parts)


def _one_comparison(op: ast.cmpop, left: Value, right: Value) -> Term:
    match op:
        case ast.Eq() | ast.Is():
            return algebra.equal(left, right)
        case ast.NotEq() | ast.IsNot():
            return terms.neg(algebra.equal(left, right))
        case ast.In():
            return algebra.member(left, right)
        case ast.NotIn():
            return terms.neg(algebra.member(left, right))
        case _:
            return algebra.order(ORDERS[type(op)], left, right)


def _subscript(node: ast.Subscript, frame: Frame) -> Value:
    base = evaluate(node.value, frame)
    for one in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
        base = _index(base, evaluate(one, frame))
    return base


def _index(base: Value, index: Value) -> Value:
    if isinstance(base, View):
        number = algebra.code(index)
        if not algebra.is_sequence(base) or not terms.is_number(number):
            raise TermError(f"{algebra.describe(base)} cannot be indexed by {algebra.describe(index)}")
        return values.element_of(base, number)
    if terms.is_number(base) or terms.is_truth(base) or isinstance(base, values.Coded | values.Maybe | values.Record):
        raise TermError(f"{algebra.describe(base)} cannot be indexed")
    if not algebra.is_sequence(base):
        return base[index]
    number = algebra.code(index)
    known = not terms.is_symbolic(number) and -len(base) <= number < 0  # negative indexes count from the end
    return base[number] if known else terms.at_index(list(base), number, algebra.choose)


def comprehension(node: ast.GeneratorExp | ast.ListComp | ast.SetComp, frame: Frame) -> Value:
    """The elements: a list if every filter is known, otherwise `Filtered`."""
    pairs = [(condition, evaluate(node.elt, inner)) for condition, inner in scopes(node.generators, frame)]
    if all(condition is True for condition, _ in pairs):
        return [value for _, value in pairs]
    return Filtered(tuple(pairs))


def scopes(generators: list[ast.comprehension], frame: Frame, condition: Term = True) -> Iterator[tuple[Term, Frame]]:
    """A frame for each combination of the loop variables that the filters may admit, with the conjunction of the
    filters."""
    if not generators:
        yield condition, frame
        return
    first, rest = generators[0], generators[1:]
    around = evaluate(first.iter, frame)
    for value in located(frame, first.iter, lambda: algebra.sequence(around)):
        inner = frame.inner(first.target, value)
        combined = condition
        for test in first.ifs:
            combined = terms.conj([combined, condition_of(test, inner)])
            if combined is False:
                break
        if combined is not False:
            yield from scopes(rest, inner, combined)
