"""Models, parts, and the decorators for threads, operations and properties."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, overload

from dio_mc.ir.program import Fairness, PropertyKind
from dio_mc.lang.declarations import Expectation, Kernel, ParamDeclaration
from dio_mc.lang.statements import _compiled_only

F = TypeVar("F", bound=Callable[..., Any])

ROLE = "__dio_role__"
"""Attribute under which a decorated function carries its role."""


@dataclass(frozen=True, slots=True)
class OperationRole:
    """An operation: its kernel anchor (``file.c:function @versions``), the bound on its spawned instances, and how many
    calls of it one thread may have under way (None: it must not call itself)."""

    kernel: str | None = None
    slots: Any = None
    depth: Any = None


@dataclass(frozen=True, slots=True)
class ThreadRole:
    """A thread: how many instances, and whether it may wait forever."""

    instances: Any = 1
    daemon: bool = False


@dataclass(frozen=True, slots=True)
class PropertyRole:
    """A property: ``invariant`` (a step invariant if it has a second parameter), ``reachable``, ``always_reachable`` or
    ``progress``, the last with a fairness."""

    kind: PropertyKind
    fairness: Fairness = "weak"


class Model:
    """A program to check. Its class attributes declare data and locks, its methods define the threads, operations and
    properties.

    A subclass is a patch: it overrides the operations that change. ``class Base(Model, abstract=True)`` is not checked
    itself. ``deadlock = False`` switches the deadlock check off. ``anchors = {"get_block": "fs/a.c:b"}`` sets the
    kernel functions of operations that the class inherits unchanged. ``durable = ("disk",)`` names the variables that
    survive a `crash`, in addition to those of the base classes. ``memory_model`` (``"tso"`` or ``"pso"``) and
    ``store_buffer``, the number of stores in a thread's buffer, apply to relaxed variables.
    """

    deadlock: ClassVar[bool] = True
    durable: ClassVar[tuple[str, ...]] = ()
    memory_model: ClassVar[str] = "tso"
    store_buffer: ClassVar[int] = 2
    anchors: ClassVar[Mapping[str, str]] = {}
    __dio_abstract__: ClassVar[bool] = True
    __dio_place__: ClassVar[tuple[str, int]] = ("", 0)
    __dio_expectations__: ClassVar[tuple[Expectation, ...]] = ()

    def __init_subclass__(cls, *, abstract: bool = False, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        frame = sys._getframe(1)
        cls.__dio_place__ = (frame.f_code.co_filename, frame.f_lineno)
        cls.__dio_abstract__ = abstract
        cls.__dio_expectations__ = ()

    def inside(self, region: str | Callable[..., Any], **arguments: Any) -> Any:
        """In properties: whether some thread is inside the window or operation; `arguments` restrict it to calls of the
        operation with these arguments."""
        _compiled_only("inside")

    def finished(self, thread: Callable[..., Any]) -> Any:
        """In properties: whether every instance of the thread has ended."""
        _compiled_only("finished")

    def at_rest(self) -> Any:
        """In properties: whether every thread that is not a daemon has ended and no spawned operation is running."""
        _compiled_only("at_rest")


def _is_option(name: str, value: Any) -> bool:
    from dio_mc.lang.declarations import VarDeclaration

    return name not in ("sleeps", "holder_sleeps") and not isinstance(
        value, VarDeclaration | Part | classmethod | property
    )


class Part:
    """A component with its own state, such as a lock. Class attributes declare its variables; keyword arguments of the
    constructor override its class constants. Its methods are written in the modelling language; a method decorated with
    ``@atomic()`` is one step."""

    def __init__(self, *values: Any, **options: Any) -> None:
        if values:
            known = ", ".join(f"{name}=..." for name in self._options()) or "none"
            raise TypeError(f"{type(self).__name__} takes its options by name: {known}")
        for name, value in options.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no option {name!r}")
            setattr(self, name, value)

    @classmethod
    def _options(cls) -> list[str]:
        """The class constants that the constructor may override."""
        names = [name for owner in reversed(cls.__mro__) for name in vars(owner) if not name.startswith("_")]
        found = {name: getattr(cls, name) for name in names}
        return [name for name, value in found.items() if not callable(value) and _is_option(name, value)]

    def declarations(self) -> dict[str, Any]:
        """The variables of this part; a part whose sizes depend on its options overrides this."""
        from dio_mc.lang.declarations import VarDeclaration

        found: dict[str, Any] = {}
        for cls in reversed(type(self).__mro__):
            found.update({k: v for k, v in vars(cls).items() if isinstance(v, VarDeclaration | Part)})
        return found


@overload
def operation(function: F, /) -> F: ...
@overload
def operation(*, kernel: str | None = None, slots: Any = None, depth: Any = None) -> Callable[[F], F]: ...
def operation(function: Any = None, /, *, kernel: str | None = None, slots: Any = None, depth: Any = None) -> Any:
    """Mark a method as an operation: inlined where it is called, shown in traces under its kernel function.

    `kernel` is ``file.c:function``, optionally followed by the versions that have it (``@2.6.18``, ``@5.15-``,
    ``@-4.2``, ``@4.10-6.0``, ``@unmerged``); `slots` is the largest number of instances that `spawn` may have running.
    `depth`, 1 to 8, lets the operation call itself, directly or through others: one thread may have so many calls of it
    under way, and a call beyond them is the fault ``recursion``.
    """
    mark = _mark(OperationRole(kernel, slots, depth))
    return mark if function is None else mark(function)


def anchor_of(model: type, name: str, function: Any) -> str | None:
    """The kernel function of an operation in a model: of the classes along the MRO, the first decides that defines this
    very function or names the operation in its `anchors`."""
    role = getattr(function, ROLE, None)
    own = role.kernel if isinstance(role, OperationRole) else None
    for cls in model.__mro__:
        if vars(cls).get(name) is function:
            return own
        given = vars(cls).get("anchors", {})
        if name in given:
            return str(given[name])
    return own


@overload
def thread(function: F, /) -> F: ...
@overload
def thread(*, instances: Any = 1, daemon: bool = False) -> Callable[[F], F]: ...
def thread(function: Any = None, /, *, instances: Any = 1, daemon: bool = False) -> Any:
    """Mark a method as the body of a thread. `instances` is a number or a parameter; a `daemon` may wait forever."""
    mark = _mark(ThreadRole(instances, daemon))
    return mark if function is None else mark(function)


def invariant(function: F) -> F:
    """Mark a method as a property of every reachable state, or, with a second parameter, of every step.

    The body is one expression after ``return``. An array index outside its bounds reads the last element.
    """
    return _mark(PropertyRole("invariant"))(function)


def reachable(function: F) -> F:
    """Mark a method as a condition that must hold in some reachable state: a witness must exist."""
    return _mark(PropertyRole("reachable"))(function)


def always_reachable(function: F) -> F:
    """Mark a method as a condition that can be reached from every reachable state (AG EF). It need not be reached in
    every run: the property says nothing about the scheduler."""
    return _mark(PropertyRole("always_reachable"))(function)


@overload
def progress(function: F, /) -> F: ...
@overload
def progress(*, fairness: Fairness = "weak") -> Callable[[F], F]: ...
def progress(function: Any = None, /, *, fairness: Fairness = "weak") -> Any:
    """Mark a method as a condition that is true infinitely often in every fair run (GF), and at the end of a run.

    Weak fairness: a thread that stays enabled takes a step eventually. Strong fairness, for waiters that are served in
    turn: so does a thread that is enabled again and again. The property is violated by a fair loop without the
    condition, or by a run that ends without it. Raises `ValueError` for another fairness.
    """
    if fairness not in ("weak", "strong"):
        raise ValueError(f"fairness is 'weak' or 'strong', not {fairness!r}")
    mark = _mark(PropertyRole("progress", fairness))
    return mark if function is None else mark(function)


def _mark(role: object) -> Callable[[F], F]:
    def mark(function: F) -> F:
        if not callable(function):
            raise TypeError(f"a decorator marks a method, not {function!r}: its options have names, as in kernel=...")
        setattr(function, ROLE, role)
        return function

    return mark


def expect(
    model: type[Model],
    *,
    violates: str | Iterable[str] = (),
    holds: bool = False,
    steps: int | None = None,
    params: dict[str, int] | None = None,
    any: str | Iterable[str] = (),
    kernel: Kernel | None = None,
    **bound: int,
) -> None:
    """State at module level the result that checking a class of this file must give: the exact set of violated
    properties.

    ``holds=True`` states that nothing is violated. A fault may be named without its line (``"assertion"``). `steps`
    states the length of the (only) counterexample. `any`, with ``holds=True``, names threads, or parameters that count
    threads or pages (``"readers,pages"``), and states that the class holds for any number of these. Parameters are
    bound by keyword for this expectation's run. An unmet expectation makes the check fail. `kernel` describes how the
    counterexamples are run on a real kernel. Raises `ValueError` unless exactly one of `violates` and `holds` is given,
    and for `any` without `holds`.
    """
    frame = sys._getframe(1)
    names = frozenset([violates] if isinstance(violates, str) else violates)
    if holds == bool(names):
        raise ValueError("expect needs either violates=... or holds=True")
    words = tuple((word.strip() for word in any.split(",") if word) if isinstance(any, str) else any)
    if words and not holds:
        raise ValueError("expect says any=... with holds=True only")
    binding = tuple(sorted({**(params or {}), **bound}.items()))
    stated = Expectation(names, binding, frame.f_code.co_filename, frame.f_lineno, steps, words, kernel)
    model.__dio_expectations__ = (*model.__dio_expectations__, stated)


def effective(model: type[Model], params: Mapping[str, int]) -> dict[str, int]:
    """A binding completed with the defaults of all parameters that it leaves out. Two bindings with the same result are
    the same run."""
    found: dict[str, int] = {}
    for cls in reversed(model.__mro__):
        for name, value in vars(cls).items():
            if isinstance(value, ParamDeclaration):
                found[name] = value.default
            else:
                found.pop(name, None)
    return {**found, **params}
