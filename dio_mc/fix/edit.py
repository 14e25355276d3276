"""An edit: the changes per function, their size, and the class that it makes."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, Final

from dio_mc.lang.locks import Mutex
from dio_mc.lang.model import Model
from dio_mc.lang.statements import atomic, wait_until
from dio_mc.mutation.bodies import Body
from dio_mc.mutation.locks import Edits
from dio_mc.mutation.rewriting import joined, regrown, rewritten
from dio_mc.source import Span

KINDS: Final = {
    "section": "a lock, the model's or a new mutex, around statements that follow one another",
    "relook": "after a wait, a lock is taken and the condition tested again under it, the wait repeated if false",
    "move": "a statement elsewhere in its function: another order, a lock taken earlier or kept longer",
    "wait": "a wait for a condition of the model",
    "call": "a call of an operation of the model, such as a flush or an invalidation, or a wait of one of its counters",
    "store": "an assignment of a value that the model uses",
    "constant": "another member of the enum in an assignment",
}
"""The kinds of single edits."""
NEW_LOCK: Final = "new_mutex"
"""The name of a lock that the model does not have."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit, or two together. `size` counts the statements that are added, moved or changed;
    `lock` is the lock of a section, `about` the variables that are stored to, or whose stores are
    moved; `declares`: there is a new lock; `words` are names of other modules."""

    kind: str
    text: str
    function: str
    span: Span
    size: int
    changes: Edits = field(compare=False, repr=False)
    lock: str = ""
    about: tuple[str, ...] = ()
    declares: bool = False
    words: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    parts: tuple[int, ...] = ()

    @property
    def functions(self) -> list[Body]:
        """The functions that are changed."""
        return list(self.changes)

    def trees(self) -> dict[FunctionType, ast.FunctionDef]:
        """The changed functions, after the edit."""
        return {body.function: rewritten(body.tree, changes) for body, changes in self.changes.items()}

    def of(self, model: type[Model]) -> type[Model]:
        """The class with the edit; `model` is unchanged."""
        words = {"wait_until": wait_until, "atomic": atomic, **self.words}
        changed = regrown(model, list(self.trees().items()), words)
        if self.declares:
            setattr(changed, NEW_LOCK, Mutex())
        return changed


def both(one: Edit, other: Edit, numbers: tuple[int, int]) -> Edit | None:
    """Two edits at once; None if they replace the same expression."""
    changes = dict(one.changes)
    for body, further in other.changes.items():
        together = joined(changes[body], further) if body in changes else dict(further)
        if together is None:
            return None
        changes[body] = together
    function = one.function if one.function == other.function else f"{one.function}, {other.function}"
    text = f"{one.text}; {other.text}" if function == one.function else f"{one.text}; in {other.function} {other.text}"
    return Edit(
        "pair", text, function, one.span, one.size + other.size - (one.declares and other.declares), changes,
        about=tuple(sorted({*one.about, *other.about})), declares=one.declares or other.declares,
        words={**one.words, **other.words}, parts=numbers,
    )  # fmt: skip
