"""What is asked: threads any number of which is meant, and the instances of a model with given numbers of them."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dio_mc.errors import Diagnostic, ModelError, did_you_mean, usage_error
from dio_mc.frontend.declare import Members, function_span, members_of
from dio_mc.lang.declarations import ParamDeclaration, ParamExpr
from dio_mc.lang.model import ROLE, Model, OperationRole, ThreadRole

EVERYTHING = "all"
"""The word for every thread that can be multiplied."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Threads any number of which is meant, in the order of the model; `numbers` are the parameters that count them."""

    threads: tuple[str, ...]
    numbers: tuple[str, ...]


def asked_of(model: type[Model], words: Sequence[str]) -> Asked:
    """What the words of ``--any`` name: threads, parameters that count threads, or ``all``.

    Raises `ModelError` for a word that is neither (DIO251), and where a thread is counted by a computed number.
    """
    members = members_of(model)
    counted = {name: _count_of(members, name) for name in members.threads}
    chosen: dict[str, None] = {}
    for word in words:
        found = _threads_of(word, members, counted)
        if not found:
            raise _unknown(model, word, members, counted)
        chosen.update(dict.fromkeys(found))
    for name in chosen:
        if isinstance(counted[name], ParamExpr):
            message = f"the number of `{name}` is computed: only a parameter, or a plain number, can be any number"
            raise ModelError((Diagnostic("DIO252", message, function_span(members.threads[name][0])),))
    numbers = {c.name for n in chosen if isinstance(c := counted[n], ParamDeclaration)}
    # who shares the parameter is multiplied with it
    threads = [n for n, c in counted.items() if n in chosen or (isinstance(c, ParamDeclaration) and c.name in numbers)]
    return Asked(tuple(threads), tuple(sorted(numbers)))


def _count_of(members: Members, name: str) -> Any:
    role = members.threads[name][2]
    if isinstance(role.instances, ParamDeclaration):
        return members.params.get(role.instances.name, role.instances)
    return role.instances


def _threads_of(word: str, members: Members, counted: Mapping[str, Any]) -> list[str]:
    if word == EVERYTHING:
        sized = _sizes(members)
        return [n for n, c in counted.items() if not (isinstance(c, ParamDeclaration) and c.name in sized)]
    if word in counted:
        return [word]
    return [n for n, c in counted.items() if isinstance(c, ParamDeclaration) and c.name == word]


def _sizes(members: Members) -> set[str]:
    """Parameters that are sizes of arrays of plain data, and so number more than threads."""
    found: set[str] = set()
    for declared, _ in members.data.values():
        size = getattr(declared, "size", None)
        sizes = size if isinstance(size, tuple) else (size,)
        if len(sizes) == 1:
            found |= {s.name for s in sizes if isinstance(s, ParamDeclaration)}
    return found


def _unknown(model: type[Model], word: str, members: Members, counted: Mapping[str, Any]) -> ModelError:
    params = {c.name for c in counted.values() if isinstance(c, ParamDeclaration)}
    known = [*counted, *sorted(params - set(counted))]
    hint = did_you_mean(word, known) or f"{model.__name__} has: {', '.join(known)}, {EVERYTHING}"
    if word in members.params and word not in params:
        return usage_error("DIO251", f"`{word}` does not count the threads of a template", hint=hint)
    return usage_error("DIO251", f"{model.__name__} has no thread `{word}`, nor a parameter that counts one", hint=hint)


def instance(
    model: type[Model], asked: Asked, numbers: Mapping[str, int], slots: int | None = None
) -> type[Model]:
    """The model with so many instances of each of the threads, whatever the bounds of its parameters; `slots` of every
    spawned operation, None for what the model says."""
    members = members_of(model)
    changed: dict[str, Any] = {}
    for name in asked.threads:
        function, _, role = members.threads[name]
        changed[name] = _with_role(function, ThreadRole(numbers[name], role.daemon))
    for name in asked.numbers:
        declared = members.params[name]
        most = max(numbers[t] for t in asked.threads)
        changed[name] = ParamDeclaration(most, None, None, name)
        del declared
    if slots is not None:
        for name, (function, _, operation) in members.operations.items():
            changed[name] = _with_role(function, OperationRole(operation.kernel, slots))
    found = type(model.__name__, (model,), {"__module__": model.__module__, "__doc__": model.__doc__, **changed})
    found.__dio_place__ = model.__dio_place__
    return found


def _with_role(function: Any, role: object) -> Any:
    """A copy of a function that says the same under another role."""
    copy = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copy.__dict__.update(function.__dict__)
    copy.__qualname__, copy.__doc__ = function.__qualname__, function.__doc__
    setattr(copy, ROLE, role)
    return copy
