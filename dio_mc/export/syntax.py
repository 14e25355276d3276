"""Terms in the syntax of a target: conditions, values, assignments in sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dio_mc.export.terms import Apply, Operator, Read, Term, conj, reads
from dio_mc.ir.types import ScalarType, bounds


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the state: its name in the target, the author's name, its type, and the spelling of its values."""

    name: str
    shown: str
    type: ScalarType
    values: Mapping[int, str]

    @property
    def bounds(self) -> tuple[int, int]:
        """Lowest and highest value."""
        return bounds(self.type)


@dataclass(frozen=True, slots=True)
class Syntax:
    """The syntax of a target. `select` takes condition, then, else; `modulo` and `divided` take the operands and the
    lowest value of the left one."""

    operators: Mapping[Operator, str]
    select: Callable[[str, str, str], str]
    divided: Callable[[str, str, Operator], str]
    truth: Mapping[int, str]
    is_true: str
    """The suffix that turns a 0-or-1 cell into a condition."""


NUMBERS: Final = Syntax({}, lambda *_: "", lambda *_: "", {}, "")
"""For values that are numbers."""
_CONDITIONS: Final = frozenset({"and", "or", "not", "==", "!=", "<", "<=", ">", ">="})


def condition(term: Term, cells: Sequence[Cell], words: Syntax) -> str:
    """A term as a condition in the target."""
    match term:
        case int():
            return words.truth[1 if term else 0]
        case Apply("and" | "or" as op, operands):
            return f" {words.operators[op]} ".join(_grouped(one, cells, words) for one in operands)
        case Apply("not", (operand,)):
            if not isinstance(operand, Apply) or operand.operator not in _CONDITIONS | {"ite"}:
                return f"{value(operand, cells, words)} {words.operators['==']} 0"
            return f"{words.operators['not']}({condition(operand, cells, words)})"
        case Apply("==" | "!=" | "<" | "<=" | ">" | ">=" as op, (left, right)):
            named = cells[left.cell].values if isinstance(left, Read) else {}
            shown = named.get(right, number(right)) if isinstance(right, int) else value(right, cells, words)
            return f"{value(left, cells, words)} {words.operators[op]} {shown}"
        case Apply("ite", (test, then, orelse)):
            parts = conj([test, then]), conj([Apply("not", (test,)), orelse])
            return " {} ".format(words.operators["or"]).join(f"({condition(part, cells, words)})" for part in parts)
        case _:
            return f"{value(term, cells, words)} {words.is_true}"


def _grouped(term: Term, cells: Sequence[Cell], words: Syntax) -> str:
    text = condition(term, cells, words)
    return f"({text})" if isinstance(term, Apply) and term.operator in ("and", "or", "ite") else text


def value(term: Term, cells: Sequence[Cell], words: Syntax) -> str:
    """A term as a number in the target."""
    match term:
        case int():
            return number(term)
        case Read(cell):
            return cells[cell].name
        case Apply("ite", (test, then, orelse)):
            return words.select(
                condition(test, cells, words), value(then, cells, words), value(orelse, cells, words)
            )  # fmt: skip
        case Apply(op, _) if op in _CONDITIONS:
            return words.select(condition(term, cells, words), "1", "0")
        case Apply("//" | "%" as op, (left, right)):
            return words.divided(value(left, cells, words), value(right, cells, words), op)
        case Apply(op, (left, right)):
            return f"({value(left, cells, words)} {words.operators[op]} {value(right, cells, words)})"
        case _:
            raise AssertionError(f"no value: {term}")


def number(value_: int) -> str:
    """A number; a negative one in parentheses."""
    return str(value_) if value_ >= 0 else f"({value_})"


def assigned(cell: Cell, term: Term, cells: Sequence[Cell], words: Syntax) -> str:
    """The value assigned to a cell, in the spelling of the cell's type."""
    if isinstance(term, int):
        return cell.values.get(term, number(term))
    return value(term, cells, words)


def in_sequence(updates: Sequence[tuple[int, Term]]) -> tuple[list[tuple[int, Term]], list[tuple[int, Term]]]:
    """A parallel assignment as a sequence: first the updates whose values must be kept in temporaries, then the others,
    in an order in which no cell is read after it was written."""
    waiting, ordered, aside = dict(updates), list[tuple[int, Term]](), list[tuple[int, Term]]()
    while waiting:
        free = [c for c in waiting if not any(c in reads(term) for other, term in waiting.items() if other != c)]
        if free:
            ordered.append((free[0], waiting.pop(free[0])))
        else:
            cell = next(iter(waiting))
            aside.append((cell, waiting.pop(cell)))
    return aside, ordered
