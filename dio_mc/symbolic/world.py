"""The meaning of names in a property: the model's attributes, its locks, and the locations of threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from dio_mc.ir.expr import FALSE, TRUE, And, AtLocation, Compare, Const, Expr, LocalOf, Or
from dio_mc.ir.program import Program, RecordShape, Region
from dio_mc.ir.types import show_value
from dio_mc.semantics.layout import layout_of
from dio_mc.source import Span
from dio_mc.symbolic import algebra, terms, values
from dio_mc.symbolic.terms import Term, TermError
from dio_mc.symbolic.values import Cells, Data, Maybe, Record, ThreadNumber, Value, View

PROPOSITIONS = ("inside", "finished", "at_rest")


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the model, of a lock or of a record, with its receiver; also ``self.reader``."""

    receiver: Value
    name: str
    function: Any


@dataclass(frozen=True, slots=True)
class Super:
    """``super()`` in a method of `owner`."""

    receiver: Value
    owner: type


@dataclass(slots=True)
class World:
    """The context of one translation of one property: the program, the source of values, and what was found on the way
    (implications with their positions, z3 functions used)."""

    program: Program
    model: Any
    cells: Cells
    implications: list[tuple[Span, Term]] = field(default_factory=list)
    natives: dict[str, None] = field(default_factory=dict)

    def view(self, after: bool = False) -> View:
        """The value of ``self``, or of ``after``."""
        data = Data(self.program, layout_of(self.program), self.cells, after)
        return View(data, self.program.root, (), None, self.model)


def find(cls: Any, name: str, above: type | None = None) -> Any:
    """The attribute of a class, as it is in the class body; with `above`, only from the classes after that one in the
    MRO."""
    order = getattr(cls, "__mro__", ())
    order = order[order.index(above) + 1 :] if above in order else order
    return next((vars(c)[name] for c in order if name in vars(c)), MISSING)


MISSING = object()


def attribute(base: Value, name: str, world: World) -> Value:
    """``base.name``."""
    match base:
        case View(shape=RecordShape()):
            return _view_attribute(base, name, world)
        case Record():
            found = dict(base.fields).get(name, MISSING)
            return found if found is not MISSING else _class_attribute(base, base.python_class, name)
        case Super(receiver, owner):
            cls = receiver.model if receiver.model is not None else _part_class(receiver.part)
            found = find(cls, name, owner)
            if found is MISSING:
                raise TermError(f"no class above {owner.__name__} has `{name}`")
            return Method(receiver, name, found)
        case View() | Method() | values.Coded() | Maybe() | values.Filtered():
            raise TermError(f"{algebra.describe(base)} has no attribute `{name}`")
        case _:
            return _python_attribute(base, name)


def _python_attribute(base: Any, name: str) -> Any:
    try:
        return getattr(base, name)
    except AttributeError:
        raise TermError(f"{base!r} has no attribute `{name}`") from None


def _view_attribute(view: View, name: str, world: World) -> Value:
    assert isinstance(view.shape, RecordShape)
    shape = dict(view.shape.fields).get(name)
    if shape is not None:
        declared = find(world.model, name) if view.model is not None else find(_part_class(view.part), name)
        return values.field_of(view, name, shape, _part_of(declared))
    if view.model is not None:
        params = dict(world.program.params)
        if name in params:
            declared = find(world.model, name)
            return bool(params[name]) if isinstance(getattr(declared, "default", None), bool) else params[name]
        return _class_attribute(view, world.model, name)
    if view.part is not None:
        option = vars(view.part).get(name, MISSING) if hasattr(view.part, "__dict__") else MISSING
        if option is not MISSING and not isinstance(option, FunctionType):
            return resolve(option, world)
        found = _class_attribute(view, _part_class(view.part), name)
        return found if isinstance(found, Method) else resolve(found, world)
    return _class_attribute(view, view.shape.python_class, name)


def _part_class(part: Any) -> Any:
    return part if isinstance(part, type) or part is None else type(part)


def _part_of(declared: Any) -> Any:
    """The lock that a declaration declares (``Mutex()``, ``Mutex``, an array of either), otherwise None."""
    inner = getattr(declared, "type", declared) if hasattr(declared, "per_thread") else declared
    cls = _part_class(inner)
    return inner if any(c.__name__ == "Part" for c in getattr(cls, "__mro__", ())) else None


def _class_attribute(receiver: Value, cls: Any, name: str) -> Value:
    found = find(cls, name)
    if isinstance(found, FunctionType):
        return Method(receiver, name, found)
    if found is MISSING and isinstance(receiver, View) and receiver.model is not None and name in PROPOSITIONS:
        return Method(receiver, name, None)
    if found is MISSING:
        raise TermError(f"`{getattr(cls, '__name__', 'this record')}` has no attribute `{name}`")
    return found


def resolve(value: Any, world: World) -> Any:
    """An option of a lock, with parameters and arithmetic over them replaced by their values."""
    params = dict(world.program.params)
    if getattr(value, "name", None) in params and hasattr(value, "default"):
        return params[value.name]
    if hasattr(value, "operands") and hasattr(value, "function"):
        return value.function(*(resolve(operand, world) for operand in value.operands))
    return value


# --- thread locations -------------------------------------------------------------------------------------------------


def is_proposition(method: Method) -> bool:
    """Whether a method is one of the language's own propositions, and not the author's method of that name."""
    if method.name not in PROPOSITIONS or not isinstance(method.receiver, View) or method.receiver.model is None:
        return False
    return method.function is None or method.function.__module__ == "dio_mc.lang.model"


def proposition(method: Method, args: list[Value], keywords: dict[str, Value], world: World) -> Term:
    """The truth of ``self.inside(...)``, ``self.finished(...)`` or ``self.at_rest()``; with receiver ``after``, in the
    state after the step."""
    after = method.receiver.data.after
    if method.name == "at_rest":
        workers = [t for t in range(len(world.program.threads)) if not world.program.template_of(t).daemon]
        return _ended("at_rest()", workers, after, world)
    if len(args) != 1:
        raise TermError(f"`{method.name}` takes one thing by position")
    if method.name == "finished":
        name = thread_name(args[0], world)
        return _ended(f"finished({name})", list(group(name, world)), after, world)
    return _inside(args[0], keywords, method.receiver.data, world)


def thread_name(value: Value, world: World) -> str:
    """The thread named by ``self.reader``. Raises `TermError` for any other value."""
    if isinstance(value, Method) and any(t.name == value.name for t in world.program.templates):
        return value.name
    raise TermError("a thread of the model is needed here")


def group(name: str, world: World) -> tuple[int, ...]:
    """The instances of a thread."""
    templates = world.program.templates
    return tuple(i for i, t in enumerate(world.program.threads) if templates[t.template].name == name)


def threads(args: list[Value], world: World) -> list[Value]:
    """The value of ``threads()`` or ``threads(self.reader)``."""
    chosen = group(thread_name(args[0], world), world) if args else range(len(world.program.threads))
    return [ThreadNumber(t, world.program.threads[t].name) for t in chosen]


def _ended(text: str, who: list[int], after: bool, world: World) -> Term:
    meaning = join(And, [AtLocation(t, frozenset({0}), after) for t in who], TRUE)
    return world.cells.atom(f"after.{text}" if after else text, meaning, after)


def join(connective: type[And] | type[Or], parts: list[Expr], empty: Expr) -> Expr:
    """The parts joined by a connective; a single part is returned as it is, and `empty` for none."""
    return empty if not parts else parts[0] if len(parts) == 1 else connective(tuple(parts))


def _inside(target: Value, keywords: dict[str, Value], data: Data, world: World) -> Term:
    if not isinstance(target, str | Method):
        raise TermError("`inside` takes the name of a window or an operation of the model")
    name, shown = (target, f'"{target}"') if isinstance(target, str) else (f"{target.name}()", target.name)
    places = [_place(r, t, keywords, data) for r in world.program.regions if r.name == name for t in _in(r, world)]
    if not any(r.name == name for r in world.program.regions):
        raise TermError(f"no thread ever enters {shown}")
    if any(None in codes.values() for _, codes, _ in places):
        return terms.disj(_somewhere(at, codes, keywords, data) for at, codes, _ in places)
    texts = {k: text for _, _, given in places for k, text in given.items()}
    listed = "".join(f", {k}={texts[k]}" for k in sorted(texts))
    meaning = join(Or, [_standing(at, codes) for at, codes, _ in places], FALSE)
    text = f"inside({shown}{listed})"
    return world.cells.atom(f"after.{text}" if data.after else text, meaning, data.after)


def _in(region: Region, world: World) -> list[int]:
    return [i for i, t in enumerate(world.program.threads) if t.template == region.template]


Codes = dict[tuple[str, LocalOf], int | None]
"""The required codes of argument locals, by the argument's name and the local; None if the code is not known here."""


def _place(
    region: Region, thread: int, given: dict[str, Value], data: Data
) -> tuple[AtLocation, Codes, dict[str, str]]:
    """The proposition that the thread is in the region with these arguments: the locations, the locals of the arguments
    with their required codes (None: not known here), and the spelling of the known arguments."""
    codes: Codes = {}
    texts: dict[str, str] = {}
    known = dict(region.arguments)
    for name, value in given.items():
        if name not in known:
            raise TermError(f"the operation around it has no argument `{name}`")
        type_ = data.program.template_of(thread).locals[known[name]].type
        local = LocalOf(thread, known[name], type_, data.after)
        fixed = _fixed(algebra.code(value)) if value is not None else _none_code(local)
        codes[name, local] = fixed
        if fixed is not None:
            texts[name] = show_value(type_, fixed)
    return AtLocation(thread, region.locations, data.after), codes, texts


def _fixed(code: Term) -> int | None:
    return None if terms.is_symbolic(code) else int(code)


def _none_code(local: LocalOf) -> int:
    none = values.wrap(local.type, 0)
    if not isinstance(none, Maybe) or none.low is None:
        raise TermError("this argument is never None")
    return none.low - 1


def _standing(at: AtLocation, codes: Codes) -> Expr:
    """The condition that the thread is at one of the locations with these codes in its argument locals."""
    parts: list[Expr] = [at]
    parts += [Compare("==", local, Const(c, local.type)) for (_, local), c in codes.items() if c is not None]
    return join(And, parts, TRUE)


def _somewhere(at: AtLocation, codes: Codes, given: dict[str, Value], data: Data) -> Term:
    """The term for `_standing` if some arguments are not known here: each argument local is compared with its
    argument."""
    where = f"{'after.' if at.after else ''}at({at.thread}, {sorted(at.locations)})"
    parts = [data.cells.atom(where, at, at.after)]
    for name, local in codes:
        cell = data.layout.local_base[local.thread] + local.index
        held = data.cells.cell(cell, data.after)
        parts.append(algebra.equal(values.wrap(local.type, held), given[name]))
    return terms.conj(parts)
