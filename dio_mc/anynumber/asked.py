"""The scope of a proof: the threads and pages the user wants any number of, and the instances of a model with given
numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dio_mc.errors import Diagnostic, ModelError, did_you_mean, usage_error
from dio_mc.frontend.declare import Members, function_span, members_of
from dio_mc.lang.declarations import ParamDeclaration, ParamExpr
from dio_mc.lang.model import Model

EVERYTHING = "all"
"""The argument that stands for all threads (and, if that can be proved, for pages)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The scope of a proof. `threads` are the names of the threads of which there is any number, in the order of the
    model; `numbers` are the parameters that count them. `pages` is the parameter that gives the number of pages if
    there is any number of pages; threads that it counts are not in `threads`."""

    threads: tuple[str, ...]
    numbers: tuple[str, ...]
    pages: str | None = None

    @property
    def counted(self) -> tuple[str, ...]:
        """All parameters that may have any value: those that count threads, and that of pages."""
        return self.numbers if self.pages is None else (*self.numbers, self.pages)


def asked_of(model: type[Model], words: Sequence[str]) -> Asked:
    """The scope that the arguments of ``--any`` name: threads, parameters that count threads, ``all`` for every thread
    whose number does not size an array, or one parameter that sizes arrays. If that parameter does not count threads,
    it counts pages (`readings_of` gives all interpretations).

    Raises `ModelError` for an argument that is none of these (DIO251) and for a thread whose number is computed
    (DIO252).
    """
    members = members_of(model)
    sized = [word for word in words if word in _sizes(members)]
    if len(sized) > 1:
        raise usage_error("DIO251", f"`{sized[0]}` and `{sized[1]}` are sizes of arrays: one can be any number")
    if sized and not any(_is_counted(members, name, sized[0]) for name in members.threads):
        others = [word for word in words if word not in sized]
        return with_pages(model, _threads_asked(model, others) if others else Asked((), ()), sized[0])
    return _threads_asked(model, words)


def readings_of(model: type[Model], words: Sequence[str]) -> tuple[Asked, ...]:
    """All interpretations of the arguments, in the order in which they are tried. For ``all``, threads and pages are
    tried first, then threads alone. A parameter that both counts threads and sizes arrays counts threads first, and
    then pages. Raises what `asked_of` raises."""
    sized = pages_of_model(model)
    if EVERYTHING in words and sized and not _threads_of(EVERYTHING, members_of(model)):
        return tuple(with_pages(model, Asked((), ()), pages) for pages in sized)
    asked = asked_of(model, words)
    if EVERYTHING in words and asked.pages is None:
        return (*(with_pages(model, asked, pages) for pages in sized), asked)
    further = [with_pages(model, asked, pages) for pages in sized if pages in words and asked.pages is None]
    return (asked, *further)


def _threads_asked(model: type[Model], words: Sequence[str]) -> Asked:
    members = members_of(model)
    counted = _counts(members)
    chosen: dict[str, None] = {}
    for word in words:
        found = _threads_of(word, members)
        if not found:
            raise _unknown(model, word, members, counted)
        chosen.update(dict.fromkeys(found))
    for name in chosen:
        if isinstance(counted[name], ParamExpr):
            message = f"the number of `{name}` is computed: only a parameter, or a plain number, can be any number"
            raise ModelError((Diagnostic("DIO252", message, function_span(members.threads[name][0])),))
    numbers = {c.name for n in chosen if isinstance(c := counted[n], ParamDeclaration)}
    # a thread that has the same parameter gets the same number
    threads = [n for n, c in counted.items() if n in chosen or (isinstance(c, ParamDeclaration) and c.name in numbers)]
    return Asked(tuple(threads), tuple(sorted(numbers)))


def with_pages(model: type[Model], asked: Asked, pages: str) -> Asked:
    """The scope extended to any number of pages, given by the parameter `pages`; the threads that this parameter counts
    are removed from `threads`, as their number is that of the pages. Raises `ModelError` if the parameter does not size
    an array of the model (DIO251)."""
    members = members_of(model)
    if pages not in members.params or pages not in _sizes(members):
        raise usage_error("DIO251", f"`{pages}` is not a parameter that is the size of arrays of {model.__name__}")
    threads = [name for name in asked.threads if not _is_counted(members, name, pages)]
    return Asked(tuple(threads), tuple(n for n in asked.numbers if n != pages), pages)


def pages_of_model(model: type[Model]) -> list[str]:
    """The parameters that may be the number of pages: those that size arrays of plain data."""
    members = members_of(model)
    sized = _sizes(members)
    return [name for name in members.params if name in sized]


def threads_of_pages(model: type[Model], asked: Asked) -> tuple[str, ...]:
    """The names of the threads of which there is one for each page."""
    members = members_of(model)
    return tuple(n for n in members.threads if asked.pages is not None and _is_counted(members, n, asked.pages))


def _is_counted(members: Members, thread: str, number: str) -> bool:
    counted = _count_of(members, thread)
    return isinstance(counted, ParamDeclaration) and counted.name == number


def _count_of(members: Members, name: str) -> Any:
    role = members.threads[name][2]
    if isinstance(role.instances, ParamDeclaration):
        return members.params.get(role.instances.name, role.instances)
    return role.instances


def _counts(members: Members) -> dict[str, Any]:
    return {name: _count_of(members, name) for name in members.threads}


def _threads_of(word: str, members: Members) -> list[str]:
    counted = _counts(members)
    if word == EVERYTHING:
        sized = _sizes(members)
        return [n for n, c in counted.items() if not (isinstance(c, ParamDeclaration) and c.name in sized)]
    if word in counted:
        return [word]
    return [n for n, c in counted.items() if isinstance(c, ParamDeclaration) and c.name == word]


def _sizes(members: Members) -> set[str]:
    """The parameters that are sizes of one-dimensional arrays of plain data, and so may count more than threads."""
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
    if word == EVERYTHING:
        return usage_error(
            "DIO251", f"every thread of {model.__name__} is one of an array's elements: none can be any number"
        )
    if word in members.params and word not in params:
        return usage_error("DIO251", f"`{word}` does not count the threads of a template", hint=hint)
    return usage_error("DIO251", f"{model.__name__} has no thread `{word}`, nor a parameter that counts one", hint=hint)


def numbers_of(model: type[Model], asked: Asked, number: int) -> dict[str, int]:
    """The numbers of instances for `frontend.build`: `number` for each thread and parameter in the scope. Operations
    that declare a number of slots get `number` times as many, since the declared number is a bound for the original
    model."""
    operations = members_of(model).operations
    slots = {name: role.slots * number for name, (_, _, role) in operations.items() if isinstance(role.slots, int)}
    return {**slots, **dict.fromkeys((*asked.threads, *asked.counted), number)}


def slots_of(model: type[Model], number: int) -> dict[str, int]:
    """The numbers of slots for `frontend.build`: `number` for every operation."""
    return dict.fromkeys(members_of(model).operations, number)
