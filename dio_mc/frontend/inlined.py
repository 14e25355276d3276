"""What calls of pure functions were compiled to, within one template or property.

Such a call becomes the `return` of its function with the arguments in place of the parameters. Nothing else decides
what that is, while one template or property is compiled: the class, its data and its parameters stay the same, and a
name that is no parameter means what it means in the function's module. So a call with the same arguments is the same
expression, and both uses share it. A call that is wrong is not kept: it is reported at each place.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from dio_mc.frontend.context import Scope
from dio_mc.frontend.values import Place, Scalar, Static, Value


@dataclass(slots=True)
class Inlined:
    """Compiled calls by what decides them (`key_of`). Each is kept with the arguments that its key identifies, so that
    no other object can have their identity meanwhile. Cleared before each template and each property."""

    values: dict[Hashable, tuple[Value, tuple[Value, ...]]] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget everything."""
        self.values.clear()


def key_of(scope: Scope, arguments: Iterable[Value]) -> Hashable:
    """What decides the value of a pure function that is compiled in `scope`, which is that of its body: the function,
    the class whose `super()` it may call, the depth of calls, which is limited, the place that its spans name, if it is
    one of a lock, and the arguments."""
    about = scope.function, scope.owner, scope.inline_depth, scope.call_site
    return *about, *map(_identity, arguments)


def _identity(value: Value) -> Hashable:
    """The same for two values only if they are alike in everything, spans of their expressions included."""
    match value:
        case Static(plain):
            return (type(plain), plain) if plain is None or isinstance(plain, int | str | Enum) else id(plain)
        case Scalar(expr):
            return id(expr)
        case Place(shape, name, indices, part, model, total, after):
            return id(shape), name, *map(id, indices), id(part), model, total, after
        case _:
            return id(value)
