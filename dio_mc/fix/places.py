"""The places for insertions: before each statement of a function, and at the ends of its blocks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from dio_mc.fix.surroundings import Surroundings, parameters
from dio_mc.frontend.frames import shorten
from dio_mc.mutation.bodies import Body, stretches
from dio_mc.mutation.rewriting import Replacement, located


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive statements of a function, without its docstring; `names` select elements, `loops`
    are those around it."""

    body: Body
    statements: tuple[ast.stmt, ...]
    names: tuple[str, ...]
    atomic: bool
    loops: tuple[ast.stmt, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Before a statement, or after it."""

    block: Block
    anchor: ast.stmt
    after: bool

    def put(self, new: list[ast.stmt]) -> dict[ast.AST, Replacement]:
        """The change that inserts statements there."""
        return {self.anchor: [self.anchor, *new] if self.after else [*new, self.anchor]}

    def put_text(self, text: str) -> dict[ast.AST, Replacement]:
        """The same for text."""
        return self.put(located(text, self.anchor))

    def words(self) -> str:
        """``before `self.disk[i] = data```."""
        return f"{'after' if self.after else 'before'} `{shown(self.anchor)}`"


def shown(statement: ast.stmt) -> str:
    """A statement in one line."""
    return shorten(ast.unparse(statement), 60)


def blocks_of(body: Body, around: Surroundings) -> Iterator[Block]:
    """The blocks of a function that have statements, or could."""
    given = set(parameters(body))
    for stretch in stretches(body):
        statements = tuple(s for s in stretch.statements if not is_docstring(s)) or tuple(stretch.statements)
        names = tuple(n for n in around.indices(body) if n in given or n in stretch.counted)
        yield Block(body, statements, names, stretch.atomic, stretch.loops)


def places_of(block: Block) -> Iterator[Place]:
    """The places before each statement, and after the last one if control gets there."""
    for statement in block.statements:
        if not is_docstring(statement):
            yield Place(block, statement, after=False)
    last = block.statements[-1]
    if is_docstring(last) or goes_on(last):
        yield Place(block, last, after=True)


def goes_on(statement: ast.stmt) -> bool:
    """Whether control may continue after a statement."""
    if isinstance(statement, ast.Return | ast.Break | ast.Continue):
        return False
    forever = isinstance(statement, ast.While) and isinstance(statement.test, ast.Constant)
    return not forever or any(isinstance(node, ast.Break) for node in ast.walk(statement))


def leaves(statement: ast.stmt) -> bool:
    """Whether control may leave a statement for elsewhere than the next one."""
    if any(isinstance(node, ast.Return) for node in ast.walk(statement)):
        return True
    return _jumps(statement)


def _jumps(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Break | ast.Continue):
        return True
    if isinstance(statement, ast.For | ast.While):
        return False
    return any(_jumps(child) for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt))


def is_docstring(statement: ast.stmt) -> bool:
    """Whether a statement is a string."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
