"""The values of a model's expressions at a point of a trace, computed from the values that the trace stores as text.

Locals are plain names and shared data are attributes of ``self``, so that equal names are not confused.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Protocol

from dio_mc.render.buffers import own_stores
from dio_mc.trace.trace import Trace


class _Unknown:
    """The value cannot be determined."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()

Value = int | str | None | _Unknown
"""A number or truth value, a name (of a thread, of an enum member), None, or unknown."""

_WORDS: Final = {"True": "true", "False": "false", "None": "NULL"}
_MOST_ROUNDS = 64
_LONGEST_RANGE = 10_000
_ORDER: Mapping[type[ast.cmpop], Callable[[int, int], bool]] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_ARITHMETIC: Mapping[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip


class Running(Protocol):
    """A step or a waiting thread: which thread it is, and where."""

    @property
    def thread(self) -> str: ...  # noqa: D102
    @property
    def location(self) -> str: ...  # noqa: D102
    @property
    def operations(self) -> tuple[str, ...]: ...  # noqa: D102


@dataclass(slots=True)
class Known:
    """The shared cells and the locals of one call, by name, the running thread, and the parameters of the run.
    `changed` are cells written since then; their new value may be `UNKNOWN`. `scalars` are the shared variables
    that have neither an index nor a field."""

    state: Mapping[str, str]
    locals: Mapping[str, str]
    thread: str
    changed: dict[str, Value] = field(default_factory=dict)
    learned: dict[str, Value] = field(default_factory=dict)
    params: Mapping[str, int] = field(default_factory=dict)
    scalars: frozenset[str] = frozenset()

    def name_of(self, local: str) -> str:
        """The displayed name of a local; ``local_`` is added if a shared variable has the same name."""
        return f"local_{local}" if local in self.scalars else local

    def cell(self, name: str) -> Value:
        """The value of a shared cell."""
        if name in self.changed:
            return self.changed[name]
        return read(self.state[name]) if name in self.state else self.params.get(name, UNKNOWN)

    def local(self, name: str) -> Value:
        """The value of a local."""
        if name in self.learned:
            return self.learned[name]
        return read(self.locals[name]) if name in self.locals else UNKNOWN


def known_at(where: Running, state: Mapping[str, str], params: Mapping[str, int]) -> Known:
    """What a thread can see in a state; of its locals, those of its innermost call; of relaxed variables, its own
    stores before memory."""
    of_thread = f"{where.thread}."
    prefix = f"{of_thread}{_innermost(where)}." if where.operations else of_thread
    own = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    if len(where.operations) == 1 and not own:  # a spawned operation has no call around it
        rest = ((name.removeprefix(of_thread), value) for name, value in state.items() if name.startswith(of_thread))
        own = {name: value for name, value in rest if "." not in name}
    seen = {**state, **stores} if (stores := own_stores(state, where.thread)) else state
    return Known(seen, own, where.thread, params=params, scalars=_scalars_of(tuple(state)))


@lru_cache(maxsize=8)
def _scalars_of(cells: tuple[str, ...]) -> frozenset[str]:
    """The shared variables among the cells of a state that have one cell."""
    return frozenset(name for name in cells if "." not in name and "[" not in name)


def _innermost(where: Running) -> str:
    """The name of the innermost operation in its locals: ``Base.read`` if another class has a ``read`` of its own."""
    name = where.operations[-1]
    parts = [part.split("+", maxsplit=1)[0] for part in where.location.split("/")]
    return next((part for part in reversed(parts) if part == name or part.endswith(f".{name}")), name)


def known_at_end(trace: Trace, where: Running) -> Known:
    """What a thread can see in the last state of a trace."""
    *_, final = trace.states()
    return known_at(where, final, dict(trace.model.params))


def read(text: str) -> Value:
    """A value as a trace writes it."""
    match text:
        case "True" | "False":
            return text == "True"
        case "None":
            return None
        case _ if re.fullmatch(r"-?\d{1,18}", text):
            return int(text)
        case _:
            return text


def show(value: Value) -> str:
    """A value as C writes it."""
    return c_word(str(value))


def c_word(text: str) -> str:
    """A value in the notation of a trace (Python's), converted to C's."""
    return _WORDS.get(text, text)


def read_c(text: str) -> Value:
    """Parse a value in C's notation."""
    return read(next((word for word, said in _WORDS.items() if said == text), text))


def value_of(node: ast.expr, known: Known) -> Value:
    """The value of an expression; `UNKNOWN` if it cannot be determined."""
    match node:
        case ast.Constant(value=bool() | int() | None as value):
            return value
        case ast.Name(id="me"):
            return known.thread
        case ast.Name(id=name):
            return known.local(name)
        case ast.Attribute(value=ast.Name(id=owner), attr=attr) if owner != "self" and owner not in known.locals:
            return attr if attr.isupper() else UNKNOWN
        case ast.Attribute() | ast.Subscript():
            return _at(node, known)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            found = value_of(inner, known)
            return found if isinstance(found, _Unknown) else not found
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            found = value_of(inner, known)
            return -found if isinstance(found, int) else UNKNOWN
        case ast.BoolOp(op=op, values=parts):
            return _together([value_of(part, known) for part in parts], isinstance(op, ast.Or))
        case ast.Compare(left=left, ops=ops, comparators=others):
            return _compared([left, *others], ops, known)
        case ast.BinOp(left=left, op=op, right=right):
            return _combined(value_of(left, known), op, value_of(right, known))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            found = value_of(test, known)
            return found if isinstance(found, _Unknown) else value_of(body if found else orelse, known)
        case ast.Call():
            return _called(node, known)
        case _:
            return UNKNOWN


def cell_name(node: ast.expr, known: Known) -> str:
    """The shared cell that an expression names (``slot[0]``); empty for other expressions."""
    match node:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Attribute(value=inner, attr=name):
            base = cell_name(inner, known)
            return f"{base}.{name}" if base else ""
        case ast.Subscript(value=inner, slice=index):
            base, number = cell_name(inner, known), value_of(index, known)
            return f"{base}[{number}]" if base and isinstance(number, int) else ""
        case _:
            return ""


def _at(node: ast.expr, known: Known) -> Value:
    name = cell_name(node, known)
    if name:
        return known.cell(name)
    match node:
        case ast.Attribute(value=ast.Name(id=owner), attr=attr):
            return known.local(f"{owner}.{attr}")
        case ast.Subscript(value=ast.Name(id=owner), slice=index):
            return known.local(f"{owner}[{show(value_of(index, known))}]")
        case _:
            return UNKNOWN


def _together(values: list[Value], is_or: bool) -> Value:
    """``and`` and ``or``: a known operand that decides the result does so even if others are unknown."""
    if any(not isinstance(value, _Unknown) and bool(value) is is_or for value in values):
        return is_or
    return UNKNOWN if any(isinstance(value, _Unknown) for value in values) else not is_or


def _compared(nodes: list[ast.expr], ops: list[ast.cmpop], known: Known) -> Value:
    results: list[Value] = []
    for left, op, right in zip(nodes, ops, nodes[1:], strict=False):
        results.append(_related(value_of(left, known), op, right, known))
    return _together(results, False)


def _related(left: Value, op: ast.cmpop, right: ast.expr, known: Known) -> Value:
    if isinstance(op, ast.In | ast.NotIn):
        if not isinstance(right, ast.Tuple | ast.List | ast.Set):
            return UNKNOWN
        found = _together([_same(left, value_of(one, known)) for one in right.elts], True)
        return found if isinstance(found, _Unknown) else bool(found) is isinstance(op, ast.In)
    value = value_of(right, known)
    if isinstance(op, ast.Eq | ast.Is | ast.NotEq | ast.IsNot):
        same = _same(left, value)
        return same if isinstance(same, _Unknown) else bool(same) is isinstance(op, ast.Eq | ast.Is)
    if isinstance(left, int) and isinstance(value, int):
        return _ORDER[type(op)](left, value)
    return UNKNOWN


def _same(left: Value, right: Value) -> Value:
    return UNKNOWN if isinstance(left, _Unknown) or isinstance(right, _Unknown) else left == right


def _combined(left: Value, op: ast.operator, right: Value) -> Value:
    work = _ARITHMETIC.get(type(op))
    if work is None or not isinstance(left, int) or not isinstance(right, int):
        return UNKNOWN
    if isinstance(op, ast.FloorDiv | ast.Mod) and right == 0:
        return UNKNOWN
    return work(left, right)


def _called(node: ast.Call, known: Known) -> Value:
    match node:
        case ast.Call(func=ast.Attribute(value=lock, attr="held_by"), args=[who]):
            owner = cell_name(lock, known)
            return _same(known.cell(f"{owner}.owner"), value_of(who, known)) if owner else UNKNOWN
        case ast.Call(func=ast.Attribute(value=lock, attr="is_locked"), args=[]):
            holder = known.cell(f"{cell_name(lock, known)}.owner")
            return UNKNOWN if isinstance(holder, _Unknown) else holder is not None
        case ast.Call(func=ast.Name(id="any" | "all" as name), args=[ast.GeneratorExp() as each]):
            return _over(each, name == "any", known)
        case _:
            return UNKNOWN


def _over(each: ast.GeneratorExp, is_or: bool, known: Known) -> Value:
    """``any`` and ``all`` over a known range."""
    found = _rounds(each, known)
    if found is None:
        return UNKNOWN
    name, numbers = found
    before, results = known.learned, list[Value]()
    for number in numbers:
        known.learned = {**before, name: number}
        wanted = _together([value_of(test, known) for test in each.generators[0].ifs], False)
        inner = value_of(each.elt, known)
        results.append(inner if wanted is True else UNKNOWN if isinstance(wanted, _Unknown) else not is_or)
    known.learned = before
    return _together(results, is_or)


def _rounds(each: ast.GeneratorExp, known: Known) -> tuple[str, range] | None:
    match each.generators:
        case [ast.comprehension(target=ast.Name(id=name), iter=over)]:
            numbers = range_of(over, known)
            return (name, numbers) if numbers is not None and len(numbers) <= _MOST_ROUNDS else None
        case _:
            return None


def range_of(node: ast.expr, known: Known) -> range | None:
    """``range(...)`` with known bounds; otherwise None."""
    match node:
        case ast.Call(func=ast.Name(id="range"), args=arguments, keywords=[]) if 1 <= len(arguments) <= 3:
            bounds = [value_of(one, known) for one in arguments]
            numbers = [bound for bound in bounds if isinstance(bound, int) and abs(bound) < _LONGEST_RANGE]
            return range(*numbers) if len(numbers) == len(bounds) and numbers[2:] != [0] else None
        case _:
            return None


def cells_below(root: str, cells: Collection[str]) -> list[str]:
    """The cells of a variable, or of a part of it."""
    return [name for name in cells if name.startswith((f"{root}[", f"{root}.")) or name == root]


def written_root(target: ast.expr) -> str:
    """The shared variable that a target writes."""
    match target:
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return name
        case ast.Attribute(value=inner) | ast.Subscript(value=inner):
            return written_root(inner)
        case _:
            return ""
