"""Critical sections: a lock around statements, and a lock after which an awaited condition is
tested again."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dio_mc import lang
from dio_mc.fix.edit import NEW_LOCK, Edit
from dio_mc.fix.places import Block, is_docstring, leaves, shown
from dio_mc.fix.surroundings import Surroundings, parameters
from dio_mc.frontend.declare import members_of
from dio_mc.lang.locks import DrainCounter, Mutex, PageLock, RangeLock, RWSem, SpinLock
from dio_mc.lang.two_class import TwoClassLock
from dio_mc.mutation.bodies import Body
from dio_mc.mutation.locks import uses_in
from dio_mc.mutation.rewriting import Replacement, located
from dio_mc.source import span_of

WAYS: Final[dict[type, tuple[tuple[str, str], ...]]] = {
    Mutex: (("lock()", "unlock()"),),
    SpinLock: (("lock()", "unlock()"),),
    PageLock: (("lock()", "unlock()"),),
    RWSem: (("down_read()", "up_read()"), ("down_write()", "up_write()")),
    TwoClassLock: (("lock_buffered()", "unlock_buffered()"), ("lock_direct()", "unlock_direct()")),
    DrainCounter: (("begin()", "end()"),),
}
"""How a lock is acquired and released."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to hold a lock in a function: the calls that acquire and release it."""

    lock: str
    take: str
    give: str

    @property
    def declares(self) -> bool:
        """Whether it is a lock that the model does not have."""
        return self.lock == NEW_LOCK


def ways(block: Block, around: Surroundings) -> Iterator[Way]:
    """The locks of the model, of arrays the elements that the names in the block denote, and a new
    mutex."""
    declared = {name: value for name, (value, _) in members_of(around.model).data.items()}
    for name, cls in around.locks.items():
        for element in _elements(name, getattr(declared[name], "size", None), cls, block.names):
            for take, give in _ways_of(cls, block.names):
                yield Way(name, f"{element}.{take}", f"{element}.{give}")
    if not hasattr(around.model, NEW_LOCK):
        yield Way(NEW_LOCK, f"self.{NEW_LOCK}.lock()", f"self.{NEW_LOCK}.unlock()")


def _elements(name: str, size: Any, cls: type, names: tuple[str, ...]) -> list[str]:
    if size is None or issubclass(cls, RangeLock):
        return [f"self.{name}"]
    return [] if isinstance(size, tuple) else [f"self.{name}[{index}]" for index in names]


def _ways_of(cls: type, names: tuple[str, ...]) -> list[tuple[str, str]]:
    if issubclass(cls, RangeLock):
        return [(f"lock({n}, {n} + 1)", f"unlock({n}, {n} + 1)") for n in names]
    return list(next((found for known, found in WAYS.items() if issubclass(cls, known)), ()))


def sections(block: Block, around: Surroundings) -> Iterator[Edit]:
    """A lock around every range of statements that control does not leave early."""
    for way in ways(block, around):
        for first in range(len(block.statements)):
            for last in range(first, len(block.statements)):
                covered = block.statements[first : last + 1]
                changes = None if _takes(covered, way, block.body, around) else _around(covered, way, block.body)
                if changes is not None:
                    yield _edit("section", block, covered, way, changes, 2)


def _edit(
    kind: str,
    block: Block,
    covered: tuple[ast.stmt, ...],
    way: Way,
    changes: dict[ast.AST, Replacement],
    size: int,
    how: str = "around",
) -> Edit:
    reach = f"`{shown(covered[0])}`" + (f" .. `{shown(covered[-1])}`" if len(covered) > 1 else "")
    text = f"`{way.take}` {how} {reach}" if kind == "section" else f"`{way.take}` {how}"
    span = span_of(covered[0], block.body.file)
    return Edit(
        kind, text, block.body.name, span, size + way.declares, {block.body: changes}, way.lock, declares=way.declares
    )


def _takes(covered: tuple[ast.stmt, ...], way: Way, body: Body, around: Surroundings) -> bool:
    """Whether the statements use the lock themselves."""
    uses = {use.lock for use in uses_in([body], around.locks) if _is_within(use.call, covered)}
    called = [around.operation_of(node, body) for s in covered for node in ast.walk(s)]
    below = [b for b in around.bodies for c in called if c is not None and around.calls(c, b)]
    return way.lock in uses | {use.lock for use in uses_in(below, around.locks)}


def _is_within(node: ast.AST, covered: tuple[ast.stmt, ...]) -> bool:
    return any(node is inner for statement in covered for inner in ast.walk(statement))


def _around(covered: tuple[ast.stmt, ...], way: Way, body: Body) -> dict[ast.AST, Replacement] | None:
    first, last = covered[0], covered[-1]
    if any(leaves(s) for s in covered[:-1]) or is_docstring(first):
        return None
    end = _ended(last, way, body)
    if end is None:
        return None
    take = located(way.take, first)
    return {first: [*take, *end]} if first is last else {first: [*take, first], last: end}


def _ended(last: ast.stmt, way: Way, body: Body) -> list[ast.stmt] | None:
    """The last statement of a section with the release; the value that it returns is computed
    before that."""
    if isinstance(last, ast.Return) and last.value is not None and not isinstance(last.value, ast.Constant):
        name = "result" if "result" not in _names(body) else "result_"
        return located(f"{name} = {ast.unparse(last.value)}\n{way.give}\nreturn {name}", last)
    if isinstance(last, ast.Return):
        return [*located(way.give, last), last]
    return None if leaves(last) else [last, *located(way.give, last)]


def _names(body: Body) -> set[str]:
    return {node.id for node in ast.walk(body.tree) if isinstance(node, ast.Name)} | set(parameters(body))


def relooks(block: Block, around: Surroundings) -> Iterator[Edit]:
    """One or two waits, then a lock under which the condition is tested again, and back to the
    waits if it is false."""
    for first in range(len(block.statements)):
        for count in (1, 2):
            waits = block.statements[first : first + count]
            asked = [awaited(s, block.body, around) for s in waits]
            if len(waits) < count or any(c is None for c in asked):
                continue
            for way in ways(block, around):
                for last in range(first + count, len(block.statements)):
                    covered = block.statements[first + count : last + 1]
                    if not (_takes((*waits, *covered), way, block.body, around) or any(leaves(s) for s in covered)):
                        yield _relook(block, waits, covered, way, [c for c in asked if c is not None])


def _relook(
    block: Block, waits: tuple[ast.stmt, ...], covered: tuple[ast.stmt, ...], way: Way, asked: list[str]
) -> Edit:
    name = "settled" if "settled" not in _names(block.body) else "settled_"
    together = " and ".join(f"({c})" if " or " in c else c for c in asked)
    look = f"{name} = {together}" if len(asked) == 1 else f"with atomic():\n        {name} = {together}"
    text = f"while True:\n    {way.take}\n    {look}\n    if {name}:\n        break\n    {way.give}"
    loop = located(text, waits[0])[0]
    assert isinstance(loop, ast.While)
    loop.body[0:0] = waits
    changes: dict[ast.AST, Replacement] = {waits[0]: [loop], **{s: [] for s in waits[1:]}}
    changes[covered[-1]] = [covered[-1], *located(way.give, covered[-1])]
    how = f"after `{shown(waits[-1])}`, `{together}` tested again, released after `{shown(covered[-1])}`"
    return _edit("relook", block, (*waits, *covered), way, changes, 5 + len(asked), how)


def awaited(statement: ast.stmt, body: Body, around: Surroundings) -> str | None:
    """The condition that a statement waits for: ``wait_until(c)``, or an operation that only
    waits."""
    match statement:
        case ast.Expr(value=ast.Call(func=word, args=[condition])) if body.names(word, lang.wait_until):
            return ast.unparse(condition)
        case ast.Expr(value=ast.Call() as call):
            called = around.operation_of(call, body)
            inner = [s for s in called.tree.body if not is_docstring(s)] if called is not None else []
            if called is None or called.receiver != body.receiver or not inner or call.keywords:
                return None
            conditions = [awaited(s, called, around) for s in inner]
            if any(c is None for c in conditions):
                return None
            given = dict(zip(parameters(called), call.args, strict=False))
            return " and ".join(_with(given, c) for c in conditions if c is not None)
        case _:
            return None


def _with(given: dict[str, ast.expr], condition: str) -> str:
    """A condition with arguments in the place of parameters."""

    class Given(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:  # ast's name for it
            return given.get(node.id, node)

    return ast.unparse(Given().visit(ast.parse(condition, mode="eval").body))
