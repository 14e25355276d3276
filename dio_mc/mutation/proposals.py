"""Properties that would distinguish a surviving mutant from its model, as Python source, and a
class that has one of them.

A condition that the mutant reaches and the model does not is a candidate for an invariant which
excludes it. A condition that the model reaches and the mutant does not is a candidate for a
`@reachable`. These are only candidates: whoever shows one has checked it with both classes
(`dio_mc.checking.runs.propose`).
"""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Literal

import dio_mc
from dio_mc.lang.model import Model
from dio_mc.mutation.columns import Column, Row
from dio_mc.mutation.distinguishing import Condition, holds_in

Kind = Literal["invariant", "reachable"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A property: its kind, the expression that it returns, and the names in it that the model's
    file lacks, with their modules."""

    kind: Kind
    text: str
    imports: tuple[tuple[str, str], ...] = ()

    def source(self, name: str) -> str:
        """The method, as source for a class."""
        return f"@{self.kind}\ndef {name}(self):\n    return {self.text}\n"


def invariants(condition: Condition, columns: Sequence[Column], rows: Collection[Row]) -> Iterator[str]:
    """The expressions of invariants that exclude a condition: first for all indices, if it is about
    one index of arrays. `rows` are those of the model; if they allow only one answer beside the
    others, that answer is stated instead."""
    for texts, over in _spellings(condition, columns):
        *given, (column, value) = _ordered(condition, columns)
        values = {row[column] for row in rows if holds_in(tuple(given), row)}
        only = values.pop() if len(values) == 1 else None
        then = columns[column].asked(value if only is None else only, texts[column], differs=only is None)
        text = " or ".join([*(columns[c].asked(v, texts[c], differs=True) for c, v in given), then])
        yield f"all({text} for {over})" if over else text


def witnesses(condition: Condition, columns: Sequence[Column]) -> Iterator[str]:
    """The expressions of a `@reachable` for a condition."""
    for texts, over in _spellings(condition, columns):
        text = " and ".join(columns[c].asked(v, texts[c]) for c, v in _ordered(condition, columns))
        yield f"any({text} for {over})" if over else text


def _ordered(condition: Condition, columns: Sequence[Column]) -> list[tuple[int, int]]:
    """The answers about threads first, so that what is stated is about a variable."""
    return sorted(condition, key=lambda answer: not columns[answer[0]].control)


def _spellings(condition: Condition, columns: Sequence[Column]) -> Iterator[tuple[dict[int, str], str]]:
    """The texts of the columns: with an index for all elements of the arrays, if there is one, and
    as they are."""
    plain = {c: columns[c].text for c, _ in condition}
    arrays = _elements(condition, columns)
    if arrays and not is_special(condition, columns):
        variable = "t" if arrays[0].over == "threads()" else "i"
        every = {c: columns[c].array.format(variable) or text for c, text in plain.items()}
        yield every, f"{variable} in {arrays[0].over}"
    yield plain, ""


def is_special(condition: Condition, columns: Sequence[Column]) -> bool:
    """Whether the condition is about particular elements of arrays, which cannot stand for all
    elements."""
    arrays = _elements(condition, columns)
    return bool(arrays) and (not arrays[0].array or len({(a.index, a.over) for a in arrays}) > 1)


def _elements(condition: Condition, columns: Sequence[Column]) -> list[Column]:
    return [columns[c] for c, _ in condition if "[" in columns[c].text and not columns[c].control]


def proposal(kind: Kind, text: str, model: type[Model], enums: Mapping[str, type[Enum]]) -> Proposal:
    """The proposal, with the imports that the file of the model lacks."""
    known = vars(sys.modules.get(model.__module__, object))
    names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    needed: dict[str, Any] = {name: enums[name] for name in sorted(names & enums.keys())}
    needed |= {word: getattr(dio_mc, word) for word in (kind, "threads") if word in names | {kind}}
    missing = [(_module_of(value), name) for name, value in needed.items() if known.get(name) is not value]
    return Proposal(kind, text, tuple(sorted(missing)))


def imports_of(proposals: Iterable[Proposal]) -> list[str]:
    """The ``import`` lines for these names, one per module."""
    names: dict[str, set[str]] = {}
    for module, name in (missing for one in proposals for missing in one.imports):
        names.setdefault(module, set()).add(name)
    return [f"from {module} import {', '.join(sorted(names[module]))}" for module in sorted(names)]


def _module_of(value: Any) -> str:
    if not isinstance(value, type):
        return "dio_mc"
    return "dio_mc.kernel" if value.__module__.startswith("dio_mc.kernel.") else value.__module__


def with_properties(
    model: type[Model], proposals: Mapping[str, Proposal], enums: Mapping[str, type[Enum]]
) -> type[Model]:
    """A subclass with these further properties, by name."""
    scope: dict[str, Any] = {**vars(sys.modules.get(model.__module__, object)), **enums}
    scope |= {word: getattr(dio_mc, word) for word in ("invariant", "reachable", "threads")}
    members: dict[str, Any] = {"__doc__": model.__doc__, "__module__": model.__module__}
    for name, one in proposals.items():
        text = one.source(name)
        file = f"<{name} of {model.__name__}: {one.text}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), scope)
        members[name] = scope[name]
    made: type[Model] = type(model.__name__, (model,), members)
    made.__dio_place__ = model.__dio_place__
    return made
