"""Expressions of a model in the notation of kernel developers.

``mapped and self.slot[i] is None`` becomes ``mapped && slot[0] == NULL``. In indexes and in arguments of calls, locals
are replaced by their values; ``any(...)`` and ``all(...)`` are written in words.
"""

from __future__ import annotations

import ast
import copy
import warnings
from collections.abc import Mapping

from dio_mc.render.values import UNKNOWN, Known, c_word, range_of, show, value_of

_LONGEST_PARSED = 4_000
_FEW = 3
"""``any`` and ``all`` over at most this number of values are expanded."""
_TERNARY, _OR, _AND, _COMPARE, _SUM, _PRODUCT, _UNARY, _ATOM = range(8)
_OPERATORS: Mapping[type[ast.operator | ast.cmpop], tuple[str, int]] = {
    ast.Add: ("+", _SUM), ast.Sub: ("-", _SUM), ast.Mult: ("*", _PRODUCT), ast.FloorDiv: ("/", _PRODUCT),
    ast.Mod: ("%", _PRODUCT), ast.Eq: ("==", _COMPARE), ast.NotEq: ("!=", _COMPARE), ast.Is: ("==", _COMPARE),
    ast.IsNot: ("!=", _COMPARE), ast.Lt: ("<", _COMPARE), ast.LtE: ("<=", _COMPARE), ast.Gt: (">", _COMPARE),
    ast.GtE: (">=", _COMPARE),
}  # fmt: skip
_OPPOSITE: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.Lt: ast.GtE, ast.GtE: ast.Lt,
    ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
NOBODY = Known({}, {}, "")
"""Nothing is known: every name stays."""


def parsed(code: str) -> list[ast.stmt]:
    """The statements of a text; none if it is truncated or is not Python."""
    if len(code) > _LONGEST_PARSED:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def parsed_expression(text: str) -> ast.expr | None:
    """The expression of a text; None if it is not an expression."""
    match parsed(f"({text}\n)"):
        case [ast.Expr(value=value)]:
            return value
        case _:
            return None


def c_words(text: str, known: Known = NOBODY) -> str:
    """The text of an expression in C; unchanged if it cannot be parsed."""
    node = parsed_expression(text)
    return c_text(node, known) if node is not None else text.replace("self.", "")


def c_text(node: ast.expr, known: Known = NOBODY) -> str:
    """An expression in C."""
    try:
        return _C(known, ambiguous=_both_ways(node)).text(node)
    except RecursionError:
        return "..."


def negated(node: ast.expr) -> ast.expr:
    """The negation of a condition."""
    match node:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return inner
        case ast.Compare(left=left, ops=[op], comparators=others):
            return ast.Compare(left, [_OPPOSITE[type(op)]()], others)
        case ast.BoolOp(op=op, values=parts) if not any(_is_counted(part) for part in parts):
            return ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), [negated(part) for part in parts])
        case _:
            return ast.UnaryOp(ast.Not(), node)


def _is_counted(node: ast.expr) -> bool:
    """Whether a condition is one of ``any`` and ``all``, which are said in words."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("any", "all")


class _C:
    """Writes expressions in C. `level` is the binding strength of the context; `exact` replaces locals by their values.
    Locals in `ambiguous` are always replaced, because shared data of the same name occurs beside them."""

    def __init__(self, known: Known, exact: bool = False, ambiguous: frozenset[str] = frozenset()) -> None:
        self._known = known
        self._exact = exact
        self._ambiguous = ambiguous

    def text(self, node: ast.expr, level: int = _TERNARY) -> str:
        said, own = self._said(node)
        return f"({said})" if own < level else said

    def _said(self, node: ast.expr) -> tuple[str, int]:
        if self._exact and (found := value_of(node, self._known)) is not UNKNOWN and not self._is_shared(node):
            return show(found), _ATOM
        match node:
            case ast.Constant(value=value):
                return c_word(str(value)), _ATOM
            case ast.Name(id="me"):
                return "current", _ATOM
            case ast.Name(id=name):
                own = self._known.local(name) if name in self._ambiguous else UNKNOWN
                return (self._known.name_of(name) if own is UNKNOWN else show(own)), _ATOM
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return name, _ATOM
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if name.isupper() and owner[:1].isupper():
                return name, _ATOM
            case ast.Attribute(value=inner, attr=name):
                return f"{self.text(inner, _ATOM)}.{name}", _ATOM
            case ast.Subscript(value=inner, slice=index):
                return f"{self.text(inner, _ATOM)}[{self._exactly(index)}]", _ATOM
            case ast.UnaryOp(op=ast.Not(), operand=ast.Compare(ops=[_]) as inner):
                return self._said(negated(inner))
            case ast.UnaryOp(op=ast.Not(), operand=ast.BoolOp() as inner) if not isinstance(
                opposite := negated(inner), ast.UnaryOp
            ):
                return self._said(opposite)
            case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="any" | "all")) as inner):
                return self._quantified(inner, opposite=True)
            case ast.UnaryOp(op=op, operand=inner):
                return f"{'!' if isinstance(op, ast.Not) else '-'}{self.text(inner, _UNARY)}", _UNARY
            case ast.BoolOp(op=op, values=parts):
                own, sign = (_OR, " || ") if isinstance(op, ast.Or) else (_AND, " && ")
                return sign.join(self.text(part, own + 1) for part in parts), own
            case ast.Compare():
                return self._compared(node)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
                sign, own = _OPERATORS[type(op)]
                return f"{self.text(left, own)} {sign} {self.text(right, own + 1)}", own
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return f"{self.text(test, _OR)} ? {self.text(body, _OR)} : {self.text(orelse, _TERNARY)}", _TERNARY
            case ast.Tuple(elts=parts):
                return ", ".join(self.text(part) for part in parts), _TERNARY
            case ast.Call(func=ast.Name(id="any" | "all"), args=[ast.GeneratorExp()]):
                return self._quantified(node)
            case ast.Call():
                return self._call(node), _ATOM
            case _:
                return " ".join(ast.unparse(node).replace("self.", "").split()), _ATOM

    def _is_shared(self, node: ast.expr) -> bool:
        """Whether an expression reads shared data or the running thread, which are shown by name. Parameters do not
        count."""
        fixed = {
            id(part.value)
            for part in ast.walk(node)
            if isinstance(part, ast.Attribute) and part.attr in self._known.params
        }
        names = (part for part in ast.walk(node) if isinstance(part, ast.Name) and id(part) not in fixed)
        return any(name.id in ("self", "me") for name in names)

    def _exactly(self, node: ast.expr) -> str:
        return _C(self._known, True, self._ambiguous).text(node)

    def _compared(self, node: ast.Compare) -> tuple[str, int]:
        """A chain as single comparisons, and membership in a few values as comparisons with each."""
        operands = [node.left, *node.comparators]
        links = [self._link(left, op, right) for left, op, right in zip(operands, node.ops, operands[1:], strict=False)]
        if len(links) == 1:
            return links[0]
        return " && ".join(said if own > _AND else f"({said})" for said, own in links), _AND

    def _link(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> tuple[str, int]:
        if isinstance(op, ast.In | ast.NotIn):
            inside = isinstance(op, ast.In)
            if not isinstance(right, ast.Tuple | ast.List | ast.Set):
                return f"{self.text(left, _SUM)} {'in' if inside else 'not in'} {self.text(right, _SUM)}", _COMPARE
            links = [self._link(left, ast.Eq() if inside else ast.NotEq(), one)[0] for one in right.elts]
            own = _COMPARE if len(links) == 1 else _OR if inside else _AND
            return (" || " if inside else " && ").join(links), own
        return f"{self.text(left, _SUM)} {_OPERATORS[type(op)][0]} {self.text(right, _SUM)}", _COMPARE

    def _call(self, node: ast.Call) -> str:
        """``lock(i_mutex)``: the receiver of a method becomes the first argument."""
        arguments = [self._exactly(part) for part in node.args]
        arguments += [f"{word.arg}={self._exactly(word.value)}" for word in node.keywords]
        match node.func:
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                pass
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
                pass
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner[:1].isupper():
                arguments = arguments[1:] if arguments[:1] == ["self"] else arguments
            case ast.Attribute(value=inner, attr=name):
                arguments.insert(0, self.text(inner))
            case _:
                name = self.text(node.func, _ATOM)
        return f"{name}({', '.join(arguments)})"

    def _quantified(self, node: ast.expr, opposite: bool = False) -> tuple[str, int]:
        """``no dirty[i]``, ``any dirty[i] with i in 0..2``; expanded to ``!dirty[0] && !dirty[1]`` for a few known
        values."""
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        word = {("any", False): "any", ("any", True): "no", ("all", False): "all", ("all", True): "not all"}
        each = node.args[0] if node.args else None
        if not isinstance(each, ast.GeneratorExp):
            return f"{'!' if opposite else ''}{node.func.id}({', '.join(self.text(one) for one in node.args)})", _UNARY
        shown = self._without(each)
        listed = self._one_by_one(each, opposite)
        if listed:
            own = _OR if (node.func.id == "any") is not opposite else _AND
            return (listed[0], _AND) if len(listed) == 1 else ((" || " if own == _OR else " && ").join(listed), own)
        tests = [shown.text(test, _AND) for one in each.generators for test in one.ifs]
        bounds = [(ast.unparse(one.target), range_of(one.iter, self._known)) for one in each.generators]
        tests += [f"{name} in {found[0]}..{found[-1]}" for name, found in bounds if found and found.step == 1]
        such = f" with {' && '.join(tests)}" if tests else ""
        return f"{word[node.func.id, opposite]} {shown.text(each.elt, _UNARY)}{such}", _UNARY

    def _one_by_one(self, each: ast.GeneratorExp, opposite: bool) -> list[str]:
        """The quantified expression for each of a few known numbers; empty if it cannot be expanded."""
        match each.generators:
            case [ast.comprehension(target=ast.Name(id=name), iter=over, ifs=[])]:
                numbers = range_of(over, self._known) or ()
            case _:
                return []
        body = negated(each.elt) if opposite else each.elt
        few = numbers if len(numbers) <= _FEW else ()
        return [self.text(_Put(name, number).visit(copy.deepcopy(body)), _COMPARE) for number in few]

    def _without(self, each: ast.GeneratorExp) -> _C:
        """A writer in which names bound by the expression are not taken for locals."""
        bound = {part.id for one in each.generators for part in ast.walk(one.target) if isinstance(part, ast.Name)}
        known = self._known
        kept = {name: value for name, value in known.locals.items() if name not in bound}
        learned = {name: value for name, value in known.learned.items() if name not in bound}
        return _C(
            Known(known.state, kept, known.thread, known.changed, learned, known.params, known.scalars - bound),
            self._exact,
            self._ambiguous,
        )


def _both_ways(node: ast.expr) -> frozenset[str]:
    """Names that occur in an expression both as a local and as shared data."""
    parts = list(ast.walk(node))
    shared = {part.attr for part in parts if isinstance(part, ast.Attribute)}
    return frozenset(part.id for part in parts if isinstance(part, ast.Name)) & shared


class _Put(ast.NodeTransformer):
    """Replaces a name by a number."""

    def __init__(self, name: str, number: int) -> None:
        self._name = name
        self._number = number

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """The number, if it is the name."""
        return ast.Constant(self._number) if node.id == self._name else node
