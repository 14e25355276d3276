"""Declarations of a model's data: parameters, variables, arrays, and the types that have no Python spelling."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

MISSING: Any = object()
"""Marks "no initial value given"."""


class ThreadId:
    """The type of a thread instance's id; `me` is the id of the running thread. `ThreadId | None` adds "no thread"."""


@dataclass(frozen=True, slots=True)
class Range:
    """The integers ``low..high``, both included; bounds may be parameters (``Range(0, pages - 1)``)."""

    low: Any
    high: Any

    def __or__(self, other: Any) -> Choice:
        return Choice((self, other))


@dataclass(frozen=True, slots=True)
class Choice:
    """``Range(0, 3) | None``: a union that Python's own types cannot spell."""

    members: tuple[Any, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ParamExpr:
    """Arithmetic over parameters, evaluated when they are bound."""

    function: Callable[..., Any]
    operands: tuple[Any, ...]


class _Arithmetic:
    """Operators shared by parameters and expressions over them."""

    def __add__(self, other: Any) -> Any:
        return _Sum(operator.add, (self, other))

    def __radd__(self, other: Any) -> Any:
        return _Sum(operator.add, (other, self))

    def __sub__(self, other: Any) -> Any:
        return _Sum(operator.sub, (self, other))

    def __rsub__(self, other: Any) -> Any:
        return _Sum(operator.sub, (other, self))

    def __mul__(self, other: Any) -> Any:
        return _Sum(operator.mul, (self, other))

    def __rmul__(self, other: Any) -> Any:
        return _Sum(operator.mul, (other, self))

    def __lt__(self, other: Any) -> Any:
        return _Sum(operator.lt, (self, other))

    def __le__(self, other: Any) -> Any:
        return _Sum(operator.le, (self, other))

    def __gt__(self, other: Any) -> Any:
        return _Sum(operator.gt, (self, other))

    def __ge__(self, other: Any) -> Any:
        return _Sum(operator.ge, (self, other))


class _Sum(_Arithmetic, ParamExpr):
    __slots__ = ()


@dataclass(slots=True, eq=False)
class ParamDeclaration(_Arithmetic):
    """A parameter as declared; `name` is set when the class is created. It is resolved by name in the final class, so a
    subclass may declare another default."""

    default: int
    min: int | None = None
    max: int | None = None
    name: str = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name


@dataclass(slots=True, eq=False)
class VarDeclaration:
    """A variable as declared: its type, its size (None, an integer or a tuple of them), its initial value, and whether
    it is a ghost."""

    type: Any
    size: Any = None
    init: Any = MISSING
    ghost: bool = False
    per_thread: bool = False
    ordering: str | None = None


def Param(default: int | bool, *, min: int | None = None, max: int | None = None) -> Any:  # noqa: N802  # reads as a type
    """An integer or boolean that is fixed for a run (``--param pages=3``). `min` and `max` are inclusive."""
    return ParamDeclaration(default, min, max)


def Var(  # noqa: N802  # reads as a type
    type: Any, *, init: Any = MISSING, ghost: bool = False, ordering: str | None = None
) -> Any:
    """One shared variable of `type`.

    `init` is a value, or the builtin `any` to start from every value of the type. A `ghost` records history: it may be
    read by ghost statements and properties only. With ``ordering="relaxed"`` its stores wait in the thread's store
    buffer. Raises `ValueError` for another ordering.
    """
    if ordering not in (None, "relaxed"):
        raise ValueError(f'ordering is "relaxed" or nothing, not {ordering!r}')
    return VarDeclaration(type, None, init, ghost, ordering=ordering)


def Array(type: Any, *, size: Any, init: Any = MISSING, ghost: bool = False) -> Any:  # noqa: N802  # reads as a type
    """An array of `size` elements (a tuple for more dimensions); `type` may be a type or a lock's class or instance.

    `init` is one value for all elements, a list with one per element, or `any`.
    """
    return VarDeclaration(type, size, init, ghost)


def PerThread(type: Any, *, init: Any = MISSING, ghost: bool = False) -> Any:  # noqa: N802  # reads as a type
    """An array with one element per thread of the model, indexed by `ThreadId`: ``self.seen[me]``."""
    return VarDeclaration(type, None, init, ghost, per_thread=True)


@dataclass(frozen=True, slots=True)
class Kernel:
    """How a model's counterexamples are run on a real kernel (``dio-mc confirm``).

    - `file_system`: the file system that is mounted, with the options in `mount`.
    - `layout`: the file at the start: ``hole``, ``preallocated``, ``written``, ``empty``, ``dirty`` (preallocated, with
      data in the cache), or ``block device`` (a disk instead of a file).
    - `threads`: the system calls of each thread, separated by commas: ``{"reader": "pread_direct"}``. A flusher is
      ``"writeback"``; ``""`` is a thread that the kernel runs by itself.
    - `shows`: what a violation of a property looks like, in the words of ``dio-mc outcomes``:
      ``{"no_stale_exposure": {"reader": "exposed"}}``. Besides threads, the keys are ``file``, ``second half`` (of its
      page on disk), ``kernel`` (a function in which the kernel reports a bug) and ``all`` (``deadlock``).
    - `gates`: the kernel function at which a thread is held before an operation, if it is not the operation's own:
      ``{"reader.get_block": "ext4_iomap_begin"}``, with ``reader.*`` for any other step. ``{"pdflush": "submit_bio"}``
      is where the thread is held when the counterexample switches away in the middle of a call.
    - `turns`: the whole schedule, for a kernel that does in one go what the model does in steps:
      ``"reader until ext4_iomap_begin, mapper, reader"``.
    - `has`, `mended`: kernels that have the race, and kernels that do not: ``"6.1"``, or with another file system and
      other mount options ``"6.1 ext4 nodelalloc"``.
    """

    file_system: str
    threads: dict[str, str]
    shows: dict[str, dict[str, str]]
    layout: str = "hole"
    mount: str = ""
    gates: dict[str, str] = field(default_factory=dict)
    turns: str = ""
    has: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a model file states about one of its classes: the exact set of violated properties for a parameter binding.

    `file` and `line` locate the statement. `any` names the threads for any number of which it states that the class
    holds.
    """

    violates: frozenset[str]
    params: tuple[tuple[str, int], ...]
    file: str
    line: int
    steps: int | None = None
    any: tuple[str, ...] = ()
    kernel: Kernel | None = None
