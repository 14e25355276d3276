"""A function with an edit as text: the author's own lines, including comments, with new lines
between them.

The text is parsed again and compared with the intended tree. If the author's layout does not allow
the edit (two statements on one line), the tree is printed in Python's own layout instead.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from textwrap import indent

from dio_mc.mutation.bodies import Body
from dio_mc.mutation.rewriting import Replacement, rewritten
from dio_mc.source import TREE, source_lines, span_of


def first_of(tree: ast.FunctionDef) -> int:
    """The line of a function's first decorator, or of its ``def``; from 1."""
    return min([tree.lineno, *(d.lineno for d in tree.decorator_list)])


def edited_lines(body: Body, changes: Mapping[ast.AST, Replacement]) -> list[str]:
    """The function with an edit, from its first decorator on, indented as in its file."""
    meant = rewritten(body.tree, changes)
    margin = " " * body.tree.col_offset
    if not hasattr(body.function, TREE):
        try:
            lines = _Printer(body, changes).function()
        except _OnOneLine:
            lines = []
        if lines and _says(lines, meant, margin):
            return lines
    return indent(ast.unparse(meant), margin).split("\n")


def _says(lines: Sequence[str], meant: ast.FunctionDef, margin: str) -> bool:
    text = "\n".join(line.removeprefix(margin) for line in lines)
    try:
        (found,) = ast.parse(text).body
    except (SyntaxError, ValueError):
        return False
    return ast.dump(found) == ast.dump(meant)


class _OnOneLine(Exception):
    """A statement shares its lines with another one."""


class _Printer:
    def __init__(self, body: Body, changes: Mapping[ast.AST, Replacement]) -> None:
        self.body, self.changes = body, changes
        self.lines = source_lines(body.file)
        self.own = {id(node) for node in ast.walk(body.tree)}

    def function(self) -> list[str]:
        tree = self.body.tree
        head = self.lines[first_of(tree) - 1 : tree.body[0].lineno - 1]
        return [*head, *self._block(tree.body, tree.body[0].lineno - 1, tree.body[0].col_offset)]

    def _block(self, statements: Sequence[ast.stmt], before: int, column: int) -> list[str]:
        """The lines of consecutive statements; `before` is the last line before them."""
        found: list[str] = []
        code = False
        for statement in statements:
            self._alone(statement)
            gap = list(self.lines[before : statement.lineno - 1])
            before = statement.end_lineno or statement.lineno
            new = self.changes.get(statement)
            placed = new if isinstance(new, list) else [statement]
            if statement in placed or not any(line.strip() for line in gap):
                found += gap if placed else []
            for each in placed:
                found += self._placed(each, column)
                code = True
        return found if code else [*found, f"{' ' * column}pass"]

    def _placed(self, statement: ast.stmt, column: int) -> list[str]:
        if id(statement) in self.own:
            moved = column - statement.col_offset
            return [_shifted(line, moved) for line in self._own(statement)]
        if isinstance(statement, ast.While) and not statement.orelse:
            inner = [line for each in statement.body for line in self._placed(each, column + 4)]
            return [f"{' ' * column}while {ast.unparse(statement.test)}:", *inner]
        return indent(ast.unparse(statement), " " * column).split("\n")

    def _own(self, statement: ast.stmt) -> list[str]:
        """The lines of a statement of the function, with the changes inside it."""
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        inner = {node for node in ast.walk(statement) if node is not statement and node in self.changes}
        if not inner:
            return list(self.lines[first - 1 : last])
        body: list[ast.stmt] = getattr(statement, "body", [])
        if not body:
            return self._replaced(statement, inner)
        if any(node for part in _expressions(statement) for node in ast.walk(part) if node in inner):
            raise _OnOneLine
        self._alone(body[0])
        head = list(self.lines[first - 1 : body[0].lineno - 1])
        comments = _trailing_comments(head)
        found = [*head[: len(head) - comments], *self._block(body, body[0].lineno - 1 - comments, body[0].col_offset)]
        orelse: list[ast.stmt] = getattr(statement, "orelse", [])
        if orelse:
            found += self._otherwise(body[-1].end_lineno or 0, orelse)
        return found

    def _otherwise(self, before: int, orelse: Sequence[ast.stmt]) -> list[str]:
        between = self.lines[before : orelse[0].lineno - 1]
        if all(self.changes.get(statement) == [] for statement in orelse):
            return []
        head = next((n for n, line in enumerate(between) if line.strip().startswith("else")), -1) + 1
        return [*between[:head], *self._block(orelse, before + head, orelse[0].col_offset)]

    def _replaced(self, statement: ast.stmt, inner: set[ast.AST]) -> list[str]:
        """A simple statement with expressions replaced."""
        lines = list(self.lines[statement.lineno - 1 : statement.end_lineno or statement.lineno])
        spans = [(span_of(node, self.body.file), self.changes[node]) for node in inner]
        for span, new in sorted(spans, key=lambda pair: (pair[0].line, pair[0].column), reverse=True):
            if span.line != span.end_line or isinstance(new, list):
                raise _OnOneLine
            line = lines[span.line - statement.lineno]
            text = line[: span.column - 1] + ast.unparse(new) + line[span.end_column - 1 :]
            lines[span.line - statement.lineno] = text
        return lines

    def _alone(self, statement: ast.stmt) -> None:
        head = self.lines[statement.lineno - 1][: statement.col_offset]
        if head.strip():
            raise _OnOneLine


def _expressions(statement: ast.stmt) -> list[ast.AST]:
    return [node for node in ast.iter_child_nodes(statement) if not isinstance(node, ast.stmt)]


def _trailing_comments(lines: Sequence[str]) -> int:
    count = 0
    for line in reversed(lines):
        if line.strip() and not line.strip().startswith("#"):
            break
        count += 1
    return count


def _shifted(line: str, columns: int) -> str:
    if columns >= 0:
        return " " * columns + line if line.strip() else line
    return line[-columns:] if not line[:-columns].strip() else line.lstrip()
