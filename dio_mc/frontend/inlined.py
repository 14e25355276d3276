"""What calls of pure functions were compiled to.

Such a call becomes the `return` of its function with the arguments in place of the parameters. Nothing else decides
what that is, while one template or property is compiled: the class, its data and its parameters stay the same, and a
name that is no parameter means what it means in the function's module. So a call with the same arguments is the same
expression, and both uses share it. A call that is wrong is not kept: it is reported at each place.

Most calls have constants and locals as arguments, and their values are scalars. Such a call is kept for the templates
of other classes as well that differ in the functions of their threads alone (`prepared`): whatever it asks the class is
answered alike there. It is asked again, so that what a template has asked is complete (`Context.ask`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import Enum

from dio_mc.frontend.context import Lookup, Scope
from dio_mc.frontend.values import Place, Scalar, Static, Value
from dio_mc.ir.expr import Const, Local, Me


@dataclass(frozen=True, slots=True)
class Call:
    """A compiled call. `arguments` are kept because keys have their identity: no other object can have it meanwhile.
    `asked` is what compiling it has asked the class."""

    value: Value
    arguments: tuple[Value, ...]
    asked: tuple[Lookup, ...]


@dataclass(slots=True)
class Inlined:
    """Compiled calls by what decides them: those of the template or property that is being compiled, and those that are
    `common` to many classes."""

    common: dict[Hashable, Call] = field(default_factory=dict)
    own: dict[Hashable, Call] = field(default_factory=dict)

    def begin(self) -> None:
        """Another template or property."""
        self.own.clear()

    def value(self, scope: Scope, arguments: tuple[Value, ...], compile_: Callable[[], Value]) -> Value:
        """The value of a pure function in `scope`, which is that of its body; `compile_` compiles it."""
        context, kept = scope.context, self.own
        key = _common_key(scope, arguments)
        if key is not None:
            kept = self.common
        else:
            key = _about(scope), *map(_identity, arguments)
        if key in kept:
            call = kept[key]
            for question, about in call.asked:
                context.ask(question, *about)
            return call.value
        before, context.trail = context.trail, {}
        try:
            value = compile_()
        finally:
            asked = tuple(context.trail)
            context.trail = {**before, **context.trail}
        if kept is self.own or isinstance(value, Scalar | Static):
            kept[key] = Call(value, arguments, asked)
        return value


def _about(scope: Scope) -> tuple[Hashable, ...]:
    """What decides a value beside the arguments: the function, the class whose `super()` it may call, the depth of
    calls, which is limited, and the place that its spans name, if it is one of a lock."""
    return scope.function, scope.owner, scope.inline_depth, scope.call_site


def _common_key(scope: Scope, arguments: tuple[Value, ...]) -> Hashable:
    """The key of a call that many classes may have in common; None if it is not one. A property notes which
    propositions it uses while it is compiled, so its calls are its own."""
    if scope.in_property:
        return None
    found = [_plain(argument) for argument in arguments]
    return None if None in found else (_about(scope), *found)


def _plain(value: Value) -> Hashable:
    """A constant, a local or the model as all classes with the same data and threads have it; None for anything
    else."""
    match value:
        case Static(plain):
            return (type(plain), plain) if plain is None or isinstance(plain, int | str | Enum) else None
        case Scalar(Const() | Local() | Me() as expr):
            return expr
        case Place(model=True, total=total, after=after):
            return "model", total, after
        case _:
            return None


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
