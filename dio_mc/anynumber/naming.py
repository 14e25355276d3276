"""Threads named by expressions: which ones are named, renaming them, and questions that are asked of all threads of a
kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dio_mc.anynumber.places import Dimension, Places
from dio_mc.ir.expr import (
    And,
    AtLocation,
    Const,
    Expr,
    Implies,
    Load,
    Local,
    LocalOf,
    Me,
    Or,
    children,
)
from dio_mc.ir.rebuild import rebuilt
from dio_mc.ir.types import OptionType, RangeType, ThreadIdType


def is_id(type_: object) -> bool:
    """Return whether a type is that of thread ids, or of thread ids and None."""
    return isinstance(type_, ThreadIdType) or (
        isinstance(type_, OptionType) and isinstance(type_.element, ThreadIdType)
    )


def named_threads(places: Places, expr: Expr) -> frozenset[int]:
    """The threads of kinds that the constants, locations, locals and constant indexes in an expression refer to."""
    return frozenset(_named(places, expr))


def _named(places: Places, expr: Expr) -> Iterator[int]:
    match expr:
        case Const(value, type_) if is_id(type_) and value in places.kind_of:
            yield value
        case AtLocation(thread) | LocalOf(thread) if thread in places.kind_of:
            yield thread
        case Load(variable, indices) if indices:
            for dimension, index in zip(places.dimensions[variable], indices, strict=True):
                if not isinstance(index, Const):
                    yield from _named(places, index)
                elif (named := places.thread_at(dimension, index.value)) is not None:
                    yield named
        case _:
            for part in children(expr):
                yield from _named(places, part)


def renamed(places: Places, expr: Expr, moved: Mapping[int, int]) -> Expr:
    """The expression with threads replaced according to `moved`, which maps positions of threads to positions of
    threads of the same kind."""
    match expr:
        case Const(value, type_) if is_id(type_):
            return replace(expr, value=moved.get(value, value))
        case AtLocation(thread) | LocalOf(thread):
            return replace(expr, thread=moved.get(thread, thread))
        case Load(variable, indices) if indices:
            pairs = zip(places.dimensions[variable], indices, strict=True)
            return replace(expr, indices=tuple(_index(places, d, i, moved) for d, i in pairs))
        case _:
            return rebuilt(expr, lambda part: renamed(places, part, moved))


def _index(places: Places, dimension: Dimension, index: Expr, moved: Mapping[int, int]) -> Expr:
    if not isinstance(index, Const) or dimension == "plain":
        return renamed(places, index, moved)
    thread = places.thread_at(dimension, index.value)
    if thread is None:
        return index
    target = moved.get(thread, thread)
    value = target if dimension == "threads" else places.program.threads[target].number
    type_ = RangeType(value, value) if isinstance(index.type, RangeType) else index.type
    return Const(value, type_)


@dataclass(frozen=True, slots=True)
class Question:
    """The operands of a conjunction or disjunction that are the same for every thread of a kind; `parts` are those
    about the kind's first member."""

    kind: int
    parts: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Sorted:
    """The operands of a conjunction or disjunction, by the threads they name: `plain` do not single out any thread of a
    kind, `questions` are the same for every thread of a kind, and `single` are about single threads."""

    plain: tuple[Expr, ...]
    questions: tuple[Question, ...]
    single: tuple[Expr, ...]


def sort_operands(places: Places, operands: Sequence[Expr]) -> Sorted:
    """Classify operands by the threads they name."""
    plain: list[Expr] = []
    single: list[Expr] = []
    about: dict[int, list[Expr]] = {}
    for operand in operands:
        match sorted(single_threads(places, operand)):
            case []:
                plain.append(operand)
            case [thread]:
                about.setdefault(thread, []).append(operand)
            case _:
                single.append(operand)
    questions: list[Question] = []
    for kind in sorted({places.kind_of[t] for t in about}):
        members = places.kinds[kind].members
        asked = [about.get(member, []) for member in members]
        if _same_of_all(places, members, asked):
            questions.append(Question(kind, tuple(asked[0])))
        else:
            single += [part for parts in asked for part in parts]
    return Sorted(tuple(plain), tuple(questions), tuple(single))


def _same_of_all(places: Places, members: Sequence[int], asked: Sequence[Sequence[Expr]]) -> bool:
    first = members[0]
    wanted = sorted(repr(in_any_order(part)) for part in asked[0])
    for member, parts in zip(members[1:], asked[1:], strict=True):
        swapped = [renamed(places, part, {member: first, first: member}) for part in parts]
        if sorted(repr(in_any_order(part)) for part in swapped) != wanted:
            return False
    return True


def in_any_order(expr: Expr) -> Expr:
    """A normal form in which operands of conjunctions and disjunctions are sorted and source spans removed."""
    expr = rebuilt(expr, in_any_order)
    if isinstance(expr, And | Or):
        return type(expr)(tuple(sorted(expr.operands, key=repr)))
    return replace(expr, span=None) if isinstance(expr, Load | Implies) else expr


def single_threads(places: Places, expr: Expr) -> frozenset[int]:
    """The threads of kinds that an expression singles out, that is, names outside of any question to all threads of the
    kind."""
    if not named_threads(places, expr):
        return frozenset()
    match expr:
        case And(operands) | Or(operands):
            found = sort_operands(places, operands).single
            return frozenset().union(*(single_threads(places, part) for part in found))
        case Const() | Local() | Me() | AtLocation() | LocalOf():
            return named_threads(places, expr)
        case Load(_, indices):
            inner = frozenset[int]().union(*(single_threads(places, i) for i in indices if not isinstance(i, Const)))
            own = replace(expr, indices=tuple(i if isinstance(i, Const) else _NOBODY for i in indices))
            return inner | named_threads(places, own)
        case _:
            return frozenset[int]().union(*(single_threads(places, part) for part in children(expr)))


_NOBODY = Me(RangeType(0, 0))
"""A placeholder for an index that is examined separately."""
