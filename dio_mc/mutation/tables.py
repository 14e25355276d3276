"""The reachable states of a model and of one of its mutants, as tables with the same columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dio_mc.errors import ModelError
from dio_mc.frontend.build import build
from dio_mc.ir.types import BOOL
from dio_mc.lang.model import Model
from dio_mc.mutation.columns import Column, Reached, Row, columns_of, enums_of, further_questions, reached
from dio_mc.mutation.mutants import Mutant
from dio_mc.mutation.proposals import Proposal, with_properties
from dio_mc.semantics.interpreter import Interpreter

Params = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables for one binding. The first `basic` columns are about variables and threads, the
    others about operations and windows."""

    columns: tuple[Column, ...]
    basic: int
    model: Reached
    mutant: Reached

    def rows(self, count: int) -> tuple[frozenset[Row], frozenset[Row]]:
        """The rows of both tables, restricted to the first `count` columns."""
        sides = [frozenset(row[:count] for row in side.rows) for side in (self.model, self.mutant)]
        return sides[0], sides[1]


def tables_of(model: type[Model], mutant: Mutant, params: Params, most: int) -> Tables | None:
    """The tables for one binding; None if one of the programs has more than `most` states. Raises
    `ModelError` if one of them cannot be built."""
    texts = tuple(further_questions(model))
    while True:
        try:
            changed = _columns(model, params, texts, mutant)
            columns, ours = _of_model(model, params, texts, most)  # type: ignore[arg-type]  # a class is hashable
            break
        except ModelError as error:
            texts = _without(texts, error)
    if ours is None:
        return None
    theirs = reached(changed.interpreter, list(changed.all), most)
    return None if theirs is None else Tables(columns.all, columns.basic, ours, theirs)


def _without(texts: tuple[str, ...], error: ModelError) -> tuple[str, ...]:
    """The questions that can be asked of both programs; a question about a region that no thread
    enters cannot."""
    wrong = {d.span.file for d in error.diagnostics if d.span is not None}
    left = tuple(text for text in texts if not any(file.endswith(f": {text}>") for file in wrong))
    if len(left) == len(texts):
        raise error
    return left


@dataclass(frozen=True, slots=True)
class _Columns:
    interpreter: Interpreter
    all: tuple[Column, ...]
    basic: int


def _columns(model: type[Model], params: Params, texts: tuple[str, ...], mutant: Mutant | None = None) -> _Columns:
    """The columns of the model or of a mutant, with these questions."""
    enums = enums_of(model)
    asked = {f"asked_{n}": Proposal("invariant", text) for n, text in enumerate(texts)}
    asking = with_properties(model, asked, enums) if asked else model
    program = build(mutant.of(asking) if mutant is not None else asking, dict(params)).program
    interpreter = Interpreter(program)
    basic = columns_of(model, interpreter, enums)
    further = [
        Column(asked[p.name].text, BOOL, interpreter.compiled(p.expr)[0], control=True)
        for p in program.properties
        if p.name in asked and p.expr is not None
    ]
    return _Columns(interpreter, (*basic, *further), len(basic))


@lru_cache(maxsize=4)
def _of_model(model: type[Model], params: Params, texts: tuple[str, ...], most: int) -> tuple[_Columns, Reached | None]:
    """The model's own part, which all its mutants share."""
    columns = _columns(model, params, texts)
    return columns, reached(columns.interpreter, list(columns.all), most)
