"""All mutants of a model, in a fixed order, and the class of each."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from dio_mc import lang
from dio_mc.frontend.declare import members_of
from dio_mc.lang.model import Model
from dio_mc.mutation.bodies import Body, asked_by_properties, bodies_of
from dio_mc.mutation.fixed import ChangedLine, fixed_by, is_library, lines_of_fix
from dio_mc.mutation.locks import WORDS, Edits, dropped_locks, locks_of
from dio_mc.mutation.operators import Surroundings, changes_of
from dio_mc.mutation.rewriting import regrown, rewritten
from dio_mc.source import Span, span_of

KINDS: Final = {
    "undo": "a line of the fix undone, where the class fixes another one",
    "lock": "an acquisition and its release left out; of a lock that is handed over or counts, all uses",
    "wait": "a wait left out",
    "call": "the call of an operation left out, such as an invalidation; or its result taken to be true",
    "store": "an assignment to the model's data left out",
    "check": "a condition not tested: taken as true, as false, or a loop that does not test again",
    "condition": "one part of an `and` or `or` left out",
    "swap": "two neighbouring statements in the other order",
    "shrink": "a lock taken a statement later, or released one earlier",
    "atomic": "a block that was one step taken apart",
}
"""The kinds of mutants."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A model with one change. `number` is its position among the mutants of the class, from 0;
    `text` describes the change, `function` is the function that is changed. `line` is the line of a
    fix that it undoes."""

    number: int
    kind: str
    text: str
    function: str
    span: Span
    edits: Edits = field(compare=False, repr=False)
    line: ChangedLine | None = None

    @property
    def library(self) -> bool:
        """Whether it changes code of the library."""
        return is_library(self.span.file)

    def of(self, model: type[Model]) -> type[Model]:
        """The class of this mutant; `model` is unchanged."""
        edits = [(body.function, rewritten(body.tree, changes)) for body, changes in self.edits.items()]
        return regrown(model, edits, {**WORDS, **(self.line.words if self.line is not None else {})})


@dataclass(frozen=True, slots=True)
class Recipe:
    """A mutant by its number, to be made in another process from the same source."""

    number: int
    inherited: bool
    before: str = ""

    def of(self, model: type[Model]) -> type[Model]:
        """The class of the mutant."""
        return self.mutant(model).of(model)

    def mutant(self, model: type[Model]) -> Mutant:
        """The mutant of this number."""
        before = fixed_by(model, self.before) if self.before else None
        return _kept(model, self.inherited, before)[self.number]  # type: ignore[arg-type]  # a class is hashable


@lru_cache(maxsize=2)
def _kept(model: type[Model], inherited: bool, before: type[Model] | None) -> list[Mutant]:
    """The mutants of a class, cached because they are run one after the other."""
    return mutants_of(model, inherited=inherited, before=before)


def mutants_of(model: type[Model], *, inherited: bool = False, before: type[Model] | None = None) -> list[Mutant]:
    """The mutants of the code in the model's own file; with `inherited` also of code inherited from
    other files, including the page cache of the library. The order is by file, line and kind; the
    same source gives the same list. If the model is a fix of `before`, the mutants that undo a line
    of the fix come first, including lines of other files."""
    everywhere = bodies_of(model)
    chosen = [body for body in everywhere if _is_chosen(body, model, inherited)]
    found = [Mutant(0, *row) for _, *row in sorted(_found(model, chosen, everywhere), key=lambda entry: entry[0])]  # type: ignore[arg-type]  # a row each
    undone = _undone(lines_of_fix(model, before), found) if before is not None else []
    known = {_outcome(m) for m in undone}
    ordered = [*undone, *(m for m in found if _outcome(m) not in known)] if undone else found
    return [replace(mutant, number=number) for number, mutant in enumerate(ordered)]


def _undone(lines: list[ChangedLine], others: list[Mutant]) -> list[Mutant]:
    """A mutant for each line that can be undone; it takes kind and text from an equal mutant among
    `others`, if there is one."""
    known = {_outcome(m): m for m in others}
    made = [Mutant(0, "undo", line.undone, line.function, line.span, line.edits, line) for line in lines if line.edits]
    twins = [known.get(_outcome(m), m) for m in made]
    return [replace(m, kind=twin.kind, text=twin.text) for m, twin in zip(made, twins, strict=True)]


def _outcome(mutant: Mutant) -> frozenset[tuple[int, str]]:
    """The functions of a mutant, by which equal mutants are recognised."""
    return frozenset(
        (id(body.function), ast.dump(rewritten(body.tree, changes))) for body, changes in mutant.edits.items()
    )


def _is_chosen(body: Body, model: type[Model], inherited: bool) -> bool:
    if inherited:
        return Path(body.file).parent != Path(lang.__file__).parent
    return body.file == model.__dio_place__[0]


_Row = tuple[tuple[str, int, int, int, str], str, str, str, Span, Edits]


def _found(model: type[Model], chosen: list[Body], everywhere: list[Body]) -> Iterator[_Row]:
    locks = locks_of(model)
    around = Surroundings(locks, frozenset(members_of(model).params), {body.name: body for body in everywhere})
    for use, text, edits in dropped_locks(chosen, everywhere, locks):
        yield _row("lock", text, use.body, span_of(use.call, use.body.file), edits)
    asked = asked_by_properties(model)
    for body in chosen:
        if body.name in asked:
            continue
        for change in changes_of(body, around):
            yield _row(change.kind, change.text, body, span_of(change.place, body.file), {body: dict(change.replaced)})


def _row(kind: str, text: str, body: Body, span: Span, edits: Edits) -> _Row:
    order = (span.file, span.line, span.column, list(KINDS).index(kind), text)
    return order, kind, text, body.name, span, edits
