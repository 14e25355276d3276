"""Two versions of a function's statements, aligned: what was added, removed, changed or moved.

Two statements are equal if their trees are. If a block is put around existing statements, only its
header is added.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

Kind = Literal["added", "removed", "replaced", "header", "moved"]
"""``added``: `node` is new. ``removed``: `earlier` is gone. ``replaced``: `node` replaces
`earlier`. ``header``: an ``if`` or ``while`` whose condition `earlier` was changed. ``moved``:
`node` is `earlier` at another place."""
ADDED: Kind = "added"
REMOVED: Kind = "removed"
REPLACED: Kind = "replaced"
HEADER: Kind = "header"
MOVED: Kind = "moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `place` is the statement of the new version that replaces `earlier`, or
    before which it stood; if `earlier` was the `last` of its block, the statement after which it
    stood."""

    kind: Kind
    node: ast.stmt
    earlier: ast.AST | None = None
    place: ast.stmt | None = None
    last: bool = False


def differences(earlier: Sequence[ast.stmt], later: Sequence[ast.stmt]) -> list[Difference]:
    """The differences of two bodies, in the order of the later one. Docstrings and ``pass`` are ignored."""
    found = _aligned(_code(earlier), _code(later) or later[:1])
    return [d for d in _with_moves(list(found)) if not _says_nothing(d.node if d.kind == ADDED else d.earlier)]


def _says_nothing(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _code(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    return [s for s in statements if not _says_nothing(s)]


def _with_moves(found: list[Difference]) -> Iterator[Difference]:
    """A statement that was removed in one place and added in another was moved."""
    removed = [d for d in found if d.kind == REMOVED]
    moved: list[Difference] = []
    for one in found:
        same = next((r for r in removed if one.kind == ADDED and _same(one.node, r.earlier)), None)
        if same is not None:
            removed.remove(same)
            moved.append(same)
            yield replace(same, kind=MOVED, node=one.node)
        elif one.kind != REMOVED:
            yield one
    yield from (r for r in removed if r not in moved)


def _same(one: ast.AST | None, other: ast.AST | None) -> bool:
    return one is not None and other is not None and ast.dump(one) == ast.dump(other)


def _aligned(earlier: Sequence[ast.stmt], later: Sequence[ast.stmt]) -> Iterator[Difference]:
    texts = [ast.dump(s) for s in earlier], [ast.dump(s) for s in later]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if tag != "equal":
            yield from _hunk(list(earlier[i1:i2]), list(later[j1:j2]), later, j2)


def _hunk(old: list[ast.stmt], new: list[ast.stmt], block: Sequence[ast.stmt], end: int) -> Iterator[Difference]:
    """The differences in a run of statements. `block` is the whole block of the new version, `end`
    the end of the run in it."""
    place, last = (block[end], False) if end < len(block) else (block[-1], True) if block else (None, True)
    for statement in new:
        twin = next((o for o in old if _alike(o, statement)), None)
        if twin is not None:
            yield from _pair(twin, statement)
            old.remove(twin)
            continue
        inner = [s for part in ("body", "orelse") for s in getattr(statement, part, [])]
        wrapped = [o for o in old if any(_same(o, s) or _alike(o, s) for s in inner)]
        yield Difference(ADDED, statement)
        if inner:
            yield from _aligned(wrapped, inner)
        old = [o for o in old if o not in wrapped]
    yield from (Difference(REMOVED, place or o, o, place, last) for o in old)


def _pair(old: ast.stmt, new: ast.stmt) -> Iterator[Difference]:
    """The difference between two statements at the same place."""
    match old, new:
        case (ast.If() | ast.While(), ast.If() | ast.While()):
            if not _same(old.test, new.test):
                yield Difference(HEADER, new, old.test, new)
            yield from _aligned(old.body, new.body)
            yield from _aligned(old.orelse, new.orelse)
        case (ast.With() | ast.For(), ast.With() | ast.For()):
            yield from _aligned(old.body, new.body)
        case _:
            yield Difference(REPLACED, new, old, new)


def _alike(old: ast.stmt, new: ast.stmt) -> bool:
    """Whether one statement replaced the other: they are of the same kind and about the same
    thing."""
    match old, new:
        case (ast.If(test=test, body=body), ast.If(test=other, body=inner)) | (
            ast.While(test=test, body=body),
            ast.While(test=other, body=inner),
        ):
            return _same(test, other) or _common(body, inner)
        case ast.With(), ast.With():
            heads = [[ast.dump(item) for item in s.items] for s in (old, new)]
            return heads[0] == heads[1]
        case ast.For(), ast.For():
            return _same(old.target, new.target) and _same(old.iter, new.iter)
        case ast.Assign(), ast.Assign():
            return [ast.dump(t) for t in old.targets] == [ast.dump(t) for t in new.targets]
        case ast.AugAssign(), ast.AugAssign():
            return _same(old.target, new.target)
        case ast.Return(), ast.Return():
            return True
        case ast.Expr(value=ast.Call() as call), ast.Expr(value=ast.Call() as other):
            return _same(call.func, other.func)
        case _:
            return False


def _common(old: Sequence[ast.stmt], new: Sequence[ast.stmt]) -> bool:
    texts = {ast.dump(s) for s in old}
    return any(ast.dump(s) in texts for s in new)
