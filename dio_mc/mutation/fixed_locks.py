"""The calls of locks among the lines of a fix. An acquisition is undone together with its release,
wherever that is. A lock that is handed over or counts is undone as a whole, provided that the fix
introduces it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dio_mc.lang.model import Model
from dio_mc.mutation.bodies import Body
from dio_mc.mutation.locks import KNOWN, Edits, Use, dropped_locks, locks_of, statement_of, use_of, uses_in
from dio_mc.source import Span


@dataclass(frozen=True, slots=True)
class LockLine:
    """A line that calls a lock's method: what a model without it does and the edits that make that
    model, or the line together with which it is undone."""

    use: Use
    span: Span
    text: str
    undone: str = ""
    edits: Edits | None = None
    partner: int = 0


class AddedLocks:
    """Collects the calls of locks among the lines; `lines` decides how each is undone once all are
    known."""

    def __init__(self, model: type[Model], everywhere: Sequence[Body]) -> None:
        self._names = locks_of(model)
        self._everywhere = everywhere
        self._dropped = list(dropped_locks(everywhere, everywhere, self._names))
        self._lines: list[LockLine] = []

    def takes(self, node: ast.AST, span: Span, text: str, body: Body) -> bool:
        """Keep a line of the fix if it calls a lock's method; returns whether it does."""
        use = use_of(node.value, body, self._names) if isinstance(node, ast.Expr) else None
        if use is None or use.method not in KNOWN:
            return False
        self._lines.append(LockLine(use, span, text))
        return True

    def lines(self) -> Iterator[LockLine]:
        """All lines kept, each with its edits or with the line that it belongs to."""
        ordered = sorted(self._lines, key=lambda line: (line.span.file, line.span.line, line.span.column))
        for lock in dict.fromkeys(line.use.lock for line in ordered):
            uses = [line for line in ordered if line.use.lock == lock]
            yield from self._of_one(lock, uses)

    def _of_one(self, lock: str, lines: Sequence[LockLine]) -> Iterator[LockLine]:
        dropped = {id(use.call): (text, edits) for use, text, edits in self._dropped if use.lock == lock}
        whole = next(((t, e) for t, e in dropped.values() if t == f"without `{lock}`"), None)
        if whole is not None:
            dropped = {id(lines[0].use.call): whole} if self._brings(lock, lines) else {}
        taken = 0
        for line in lines:
            text, edits = dropped.get(id(line.use.call), ("", None))
            if edits is not None:
                taken = line.span.line
                yield LockLine(line.use, line.span, line.text, text, edits)
            elif taken or dropped:
                first = next(other.span.line for other in lines if id(other.use.call) in dropped)
                yield LockLine(line.use, line.span, line.text, partner=taken or first)
            else:
                alone: Edits = {line.use.body: {statement_of(line.use): []}}
                yield LockLine(line.use, line.span, line.text, f"without `{line.text}`", alone)

    def _brings(self, lock: str, lines: Sequence[LockLine]) -> bool:
        """Whether all acquisitions and releases of the lock are among these lines."""
        calls = {id(line.use.call) for line in lines}
        uses = [u for u in uses_in(self._everywhere, self._names) if u.lock == lock and u.method in KNOWN]
        return all(id(use.call) in calls for use in uses)
