"""The model as a property's source sees it: attribute and index access down to the terms of single cells.

The same views serve z3 terms (a `Symbols` behind them) and plain values (a state behind them, see `explain`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from dio_mc.ir.program import ArrayShape, Program, RecordShape, ScalarShape, Shape


class Source(Protocol):
    """Where the values of cells come from."""

    @property
    def program(self) -> Program:
        """The program whose cells they are."""
        ...

    def read(self, variable: int, indices: Sequence[Any], after: bool) -> Any:
        """A cell; an index outside reads the last element."""
        ...

    def at(self, thread: int, locations: frozenset[int], after: bool) -> Any:
        """Whether a thread stands at one of some locations."""
        ...

    def local(self, thread: int, index: int, after: bool) -> Any:
        """A thread's local."""
        ...


class FormulaError(Exception):
    """A property's source cannot be translated to z3; the text says why."""


@dataclass(frozen=True, slots=True)
class View:
    """A part of the model's data with the indexes so far; `model` marks the model itself."""

    source: Source
    shape: Shape
    indices: tuple[Any, ...] = ()
    after: bool = False
    model: Any = None

    def attribute(self, name: str) -> Any:
        """What follows the dot: a field, a parameter, a proposition, a method, a constant of the class."""
        if not isinstance(self.shape, RecordShape):
            raise FormulaError(f"a value has no attribute {name}")
        fields = dict(self.shape.fields)
        if name in fields:
            return self._child(fields[name], self.indices)
        if self.model is not None:
            params = dict(self.source.program.params)
            if name in params:
                return params[name]
            if name in PROPOSITIONS:
                return Proposition(name, self)
        cls = self.model if self.model is not None else self.shape.python_class
        found = _class_attribute(cls, name)
        return Method(name, found, self) if callable(found) and not isinstance(found, type) else found

    def above(self, function: Any) -> Ancestor:
        """``super()`` in one of the methods of this view's class."""
        cls = self.model if self.model is not None else getattr(self.shape, "python_class", None)
        order = getattr(cls, "__mro__", ())
        owner = next((c for c in order if vars(c).get(function.__name__) is function), None)
        if owner is None:
            raise FormulaError("super() has no meaning here")
        return Ancestor(self, tuple(order[order.index(owner) + 1 :]))

    def item(self, index: Any) -> Any:
        """What an index selects; a tuple selects along several dimensions."""
        if isinstance(index, tuple):
            found: Any = self
            for one in index:
                found = found.item(one)
            return found
        if not isinstance(self.shape, ArrayShape):
            raise FormulaError("only arrays are indexed")
        return self._child(self.shape.element, (*self.indices, index))

    def elements(self) -> list[Any]:
        """The elements of an array in order."""
        if not isinstance(self.shape, ArrayShape):
            raise FormulaError("only arrays have elements")
        return [self.item(i) for i in range(self.shape.size)]

    def fields(self) -> dict[str, Any]:
        """A record's fields."""
        assert isinstance(self.shape, RecordShape)
        return {name: self._child(shape, self.indices) for name, shape in self.shape.fields}

    def _child(self, shape: Shape, indices: tuple[Any, ...]) -> Any:
        if isinstance(shape, ScalarShape):
            return self.source.read(shape.variable, indices, self.after)
        return View(self.source, shape, indices, self.after)


@dataclass(frozen=True, slots=True)
class Ancestor:
    """``super()``: a view whose methods are looked up in these classes only."""

    view: View
    classes: tuple[type, ...]

    def attribute(self, name: str) -> Method:
        """The nearest definition of a method above."""
        for cls in self.classes:
            if name in vars(cls):
                return Method(name, vars(cls)[name], self.view)
        raise FormulaError(f"no class above has {name}")


PROPOSITIONS = ("inside", "finished", "at_rest")


@dataclass(frozen=True, slots=True)
class Proposition:
    """``self.inside``, ``self.finished`` or ``self.at_rest``, to be called."""

    name: str
    view: View


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the model, a lock or a record with its receiver."""

    name: str
    function: Callable[..., Any]
    receiver: View


def _class_attribute(cls: Any, name: str) -> Any:
    for owner in getattr(cls, "__mro__", ()):
        if name in vars(owner):
            return vars(owner)[name]
    raise FormulaError(f"{getattr(cls, '__name__', 'the model')} has no attribute {name}")


def instances(program: Program, method: str) -> list[int]:
    """The thread instances of a template by name."""
    return [i for i, t in enumerate(program.threads) if program.templates[t.template].name == method]
