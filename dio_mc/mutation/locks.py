"""Dropping a lock: one acquisition is removed, and a thread that did not take the lock does not
release it.

The text does not show which release belongs to an acquisition: one function may lock and another
unlock. So the acquisition is removed, and every release of that lock first tests whether the thread
holds it. A lock that is handed over, or that counts, is dropped as a whole.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dio_mc import lang
from dio_mc.frontend.declare import members_of
from dio_mc.lang.locks import DrainCounter, Lock
from dio_mc.lang.model import Model
from dio_mc.mutation.bodies import Body
from dio_mc.mutation.rewriting import Replacement, located, located_expression

ACQUIRE = frozenset(
    {
        "lock", "down_read", "down_write", "lock_buffered", "lock_direct", "rcu_read_lock", "srcu_read_lock",
        "write_begin",
    }
)  # fmt: skip
"""Methods that wait for a lock and return holding it."""
RELEASE = frozenset(
    {
        "unlock", "up_read", "up_write", "unlock_buffered", "unlock_direct", "rcu_read_unlock", "srcu_read_unlock",
        "write_end",
    }
)  # fmt: skip
"""Methods with which the holder releases a lock."""
_TRY = frozenset(
    {
        "trylock", "down_read_trylock", "down_write_trylock", "trylock_buffered", "trylock_direct",
        "lock_killable", "down_read_killable", "down_write_killable",
    }
)  # fmt: skip
_HANDED = frozenset(
    {
        "hand_over", "unlock_non_owner", "up_read_non_owner", "up_write_non_owner", "unlock_buffered_non_owner",
        "unlock_direct_non_owner",
    }
)  # fmt: skip
_COUNTED = frozenset({"begin", "end"})
KNOWN = ACQUIRE | RELEASE | _TRY | _HANDED | _COUNTED
"""All methods that acquire or release a lock."""
WORDS: Mapping[str, Any] = MappingProxyType({"_dio_atomic": lang.atomic, "_dio_me": lang.me})
"""Names used in the changed trees, added to the scope of the functions."""


@dataclass(frozen=True, slots=True)
class Use:
    """A call of a lock's method: ``self.page_lock[i].unlock()``. `lock` is the attribute of the
    model."""

    lock: str
    method: str
    call: ast.Call
    body: Body


def locks_of(model: type[Model]) -> dict[str, type]:
    """The locks that a model declares, including arrays of locks, by attribute."""
    found: dict[str, type] = {}
    for name, (value, _) in members_of(model).data.items():
        declared = getattr(value, "type", value)
        cls = declared if isinstance(declared, type) else type(declared)
        if issubclass(cls, Lock):
            found[name] = cls
    return found


def use_of(node: ast.AST, body: Body, locks: Mapping[str, type]) -> Use | None:
    """The call of a lock's method that a node is, or None."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    place = node.func.value
    while isinstance(place, ast.Subscript):
        place = place.value
    match place:
        case ast.Attribute(value=ast.Name(id=name), attr=lock) if name == body.receiver and lock in locks:
            return Use(lock, node.func.attr, node, body)
        case _:
            return None


def uses_in(bodies: Sequence[Body], locks: Mapping[str, type]) -> list[Use]:
    """All calls of locks."""
    found = [use_of(node, body, locks) for body in bodies for node in ast.walk(body.tree)]
    return [use for use in found if use is not None]


Edits = dict[Body, dict[ast.AST, Replacement]]


def dropped_locks(
    chosen: Sequence[Body], everywhere: Sequence[Body], locks: Mapping[str, type]
) -> Iterator[tuple[Use, str, Edits]]:
    """Each lock that can be dropped: the call, a description, and the changes of all bodies."""
    uses = uses_in(everywhere, locks)
    whole = {use.lock for use in uses if use.method in _HANDED or issubclass(locks[use.lock], DrainCounter)}
    done: set[str] = set()
    for use in uses:
        if use.body not in chosen:
            continue
        if use.lock in whole and use.lock not in done:
            done.add(use.lock)
            yield use, f"without `{use.lock}`", _all_gone([u for u in uses if u.lock == use.lock])
        elif use.lock not in whole and use.method in ACQUIRE | _TRY:
            yield use, _in_words(use), _pair_gone(use, [u for u in uses if u.lock == use.lock])


def _in_words(use: Use) -> str:
    text = ast.unparse(use.call)
    return f"without `{text}` and its release" if use.method in ACQUIRE else f"`{text}` succeeds and locks nothing"


def _all_gone(uses: Sequence[Use]) -> Edits:
    edits: Edits = {}
    for use in uses:
        if use.method in ACQUIRE | RELEASE | _HANDED | _COUNTED | {"wait"}:
            edits.setdefault(use.body, {})[statement_of(use)] = []
        elif use.method in _TRY:
            edits.setdefault(use.body, {})[use.call] = located_expression("True", use.call)
    return edits


def _pair_gone(dropped: Use, uses: Sequence[Use]) -> Edits:
    gone: Replacement = [] if dropped.method in ACQUIRE else located_expression("True", dropped.call)
    edits: Edits = {dropped.body: {statement_of(dropped) if gone == [] else dropped.call: gone}}
    for use in uses:
        if use.method in RELEASE | {"downgrade_write"}:
            assert isinstance(use.call.func, ast.Attribute)
            held, release = ast.unparse(use.call.func.value), ast.unparse(use.call)
            text = f"with _dio_atomic():\n    if {held}.held_by(_dio_me):\n        {release}"
            edits.setdefault(use.body, {})[statement_of(use)] = located(text, use.call)
    return edits


def statement_of(use: Use) -> ast.AST:
    """The statement that consists of the call; a lock's method is a statement of its own."""
    for node in ast.walk(use.body.tree):
        if isinstance(node, ast.Expr) and node.value is use.call:
            return node
    return use.call
