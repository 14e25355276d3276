"""What a property can ask about a state, as a table: a column for each question, a row for each
reachable state.

The questions are about variables (the value of a cell), about threads (whether they have ended),
and, if these do not distinguish two programs, about operations and windows (whether a thread is
inside one). There is no question about who holds a lock: the property would only repeat the line
that takes it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from dio_mc import lang
from dio_mc.frontend.declare import members_of
from dio_mc.ir.program import ArrayShape, Program, RecordShape, Shape, Variable
from dio_mc.ir.types import BoolType, EnumType, OptionType, RangeType, ScalarType, bounds, show_value
from dio_mc.lang.declarations import ParamDeclaration, VarDeclaration
from dio_mc.lang.model import Model
from dio_mc.mutation.bodies import bodies_of
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

AT_REST: Final = "self.at_rest()"
Row = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A question: its text, the type of its answers, and how to read the answer from a state.
    For an element of an array, `array` is the text with ``{}`` for the index, `index` the index,
    and `over` the text of all indices. `control`: the question is about threads, not about a
    variable."""

    text: str
    type: ScalarType
    read: Callable[[State], int]
    array: str = ""
    index: int = -1
    over: str = ""
    control: bool = False

    def asked(self, value: int, text: str = "", *, differs: bool = False) -> str:
        """The condition that the answer is this value, or differs from it. `text` replaces the text
        of the column."""
        text = text or self.text
        match self.type:
            case BoolType():
                return text if bool(value) != differs else f"not {text}"
            case OptionType() if value == bounds(self.type)[0]:
                return f"{text} is {'not ' if differs else ''}None"
            case _:
                return f"{text} {'!=' if differs else '=='} {_literal(self.type, value)}"


def _literal(type_: ScalarType, value: int) -> str:
    match type_:
        case EnumType(name):
            return f"{name}.{show_value(type_, value)}"
        case OptionType(element):
            return _literal(element, value)
        case _:
            return show_value(type_, value)


def columns_of(model: type[Model], interpreter: Interpreter, enums: Mapping[str, type[Enum]]) -> list[Column]:
    """The columns for threads and variables: first whether all threads have ended, then the
    variables in the order of their declaration, then each thread."""
    program, layout = interpreter.program, interpreter.layout
    ends: dict[str, list[int]] = {t.name.split("[")[0]: [] for t in program.threads}
    for number, thread in enumerate(program.threads):
        ends[thread.name.split("[")[0]].append(layout.pc[number])
    workers = [pc for t, pc in enumerate(layout.pc) if not program.template_of(t).daemon]
    found = [Column(AT_REST, BoolType(), _all_zero(workers), control=True)]
    for number, variable in enumerate(program.variables):
        if _can_be_asked(variable, program, enums):
            found += _cells(model, variable, layout.variable_base[number])
    declared = members_of(model)
    named = [name for name in ends if name in declared.threads or name in declared.operations]
    return [
        *found,
        *(Column(f"self.finished(self.{name})", BoolType(), _all_zero(ends[name]), control=True) for name in named),
    ]


def _all_zero(cells: list[int]) -> Callable[[State], int]:
    return lambda state: int(not any(state[cell] for cell in cells))


def _cell(number: int) -> Callable[[State], int]:
    return lambda state: state[number]


def _can_be_asked(variable: Variable, program: Program, enums: Mapping[str, type[Enum]]) -> bool:
    """Whether the variable is declared by the model and its values can be written in Python: not a
    lock, a union or a thread id."""
    shape = dict(program.root.fields).get(str(variable.path[0]))
    if variable.role == "lock" or shape is None or _has_variants(shape):
        return False
    type_ = variable.type.element if isinstance(variable.type, OptionType) else variable.type
    if isinstance(type_, EnumType):
        return type_.name in enums and tuple(enums[type_.name].__members__) == type_.members
    return isinstance(type_, BoolType | RangeType)


def _has_variants(shape: Shape) -> bool:
    match shape:
        case RecordShape(fields=fields, variants=variants):
            return bool(variants) or any(_has_variants(inner) for _, inner in fields)
        case ArrayShape(element=element):
            return _has_variants(element)
        case _:
            return False


def _cells(model: type[Model], variable: Variable, base: int) -> Iterator[Column]:
    over = _indices(model, variable)
    for cell in range(variable.size):
        text, read = f"self.{variable.cell_name(cell)}", _cell(base + cell)
        if over and variable.path.count(None) == 1:
            array = "self." + "".join("[{}]" if piece is None else piece for piece in variable.path)
            yield Column(text, variable.type, read, array, cell, over)
        else:
            yield Column(text, variable.type, read)


def _indices(model: type[Model], variable: Variable) -> str:
    """The text of all indices of an array: ``range(self.pages)``, ``threads()``."""
    declared, _ = members_of(model).data.get(str(variable.path[0]), (None, model))
    if not isinstance(declared, VarDeclaration) or variable.path[1:2] != (None,):
        return ""
    if declared.per_thread:
        return "threads()"
    if isinstance(declared.size, ParamDeclaration):
        return f"range(self.{declared.size.name})"
    return f"range({declared.size})" if isinstance(declared.size, int) and declared.size > 1 else ""


def further_questions(model: type[Model]) -> list[str]:
    """Whether any thread is inside an operation or a window. Some of these questions may be
    impossible in this model, because no thread ever enters."""
    asked = [f"self.inside(self.{name})" for name in members_of(model).operations]
    for body in bodies_of(model):
        for node in ast.walk(body.tree):
            match node:
                case ast.Call(func=word, args=[ast.Constant(value=str(name))]) if body.names(word, lang.window):
                    asked.append(f"self.inside({name!r})")
                case _:
                    pass
    return list(dict.fromkeys(asked))


def enums_of(model: type[Model]) -> dict[str, type[Enum]]:
    """The enums named in the modules of a model's classes, those of the nearest class first."""
    found: dict[str, type[Enum]] = {}
    for cls in model.__mro__:
        for value in list(vars(sys.modules.get(cls.__module__, object)).values()):
            if isinstance(value, type) and issubclass(value, Enum) and value is not Enum:
                found.setdefault(value.__name__, value)
    return found


@dataclass(frozen=True, slots=True)
class Reached:
    """The rows of the columns, and two projections of the states without columns: the values of all
    variables with the control state of threads, and the same with the state of locks."""

    rows: frozenset[Row]
    data: frozenset[Row]
    locks: frozenset[Row]


def reached(interpreter: Interpreter, columns: list[Column], most: int) -> Reached | None:
    """The reachable states as rows; None if there are more than `most` states."""
    starts = interpreter.initial()
    seen, ahead = set(starts), list(starts)
    while ahead:
        for step in interpreter.successors(ahead.pop()):
            if step.state is not None and step.state not in seen:
                seen.add(step.state)
                ahead.append(step.state)
        if len(seen) > most:
            return None
    program, base = interpreter.program, interpreter.layout.variable_base
    cells = [(base[n] + cell, v.role) for n, v in enumerate(program.variables) for cell in range(v.size)]
    data, every = [cell for cell, role in cells if role == "data"], [cell for cell, _ in cells]
    reads = [column.read for column in columns]
    rows = [(state, tuple([read(state) for read in reads])) for state in seen]
    return Reached(
        frozenset(row for _, row in rows),
        frozenset((*(state[c] for c in data), *row) for state, row in rows),
        frozenset((*(state[c] for c in every), *row) for state, row in rows),
    )
