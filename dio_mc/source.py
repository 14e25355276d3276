"""Source positions and source text: spans, excerpts with carets, and the syntax tree of a function.

Everything that reads Python text goes through here. A model's class may therefore be made dynamically: a product of a
protocol and a workload has no source of its own, but its functions do.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import FunctionType
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a source file; lines and columns count from 1, the end column is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def __str__(self) -> str:
        return f"{display_path(self.file)}:{self.line}"

    @property
    def head(self) -> str:
        """``file:line:column``, the form editors jump to."""
        return f"{display_path(self.file)}:{self.line}:{self.column}"


def display_path(file: str) -> str:
    """The path relative to the working directory if the file lies below it, otherwise unchanged."""
    return _display_path(file, os.getcwd())


@lru_cache(maxsize=1_024)
def _display_path(file: str, here: str) -> str:
    try:
        relative = os.path.relpath(file, here)
    except ValueError:  # another drive
        return file
    return file if relative.startswith("..") else relative.replace(os.sep, "/")


@lru_cache(maxsize=1 << 14)
def span_of(node: ast.AST, file: str) -> Span:
    """The span of a syntax node. Columns are counted in characters, not in UTF-8 bytes; a node without positions gets
    line 1, column 1. Kept per node, which does not move once something has asked for its place."""
    line = int(getattr(node, "lineno", 1))
    end_line = int(getattr(node, "end_lineno", None) or line)
    start = _character_column(file, line, int(getattr(node, "col_offset", 0)))
    end = _character_column(file, end_line, int(getattr(node, "end_col_offset", None) or 0))
    return Span(file, line, start + 1, end_line, end + 1)


def _character_column(file: str, line: int, offset: int) -> int:
    """The column in characters of a byte `offset`: `ast` counts UTF-8 bytes, people and editors count characters."""
    lines = source_lines(file)
    if not 0 < line <= len(lines) or lines[line - 1].isascii():
        return offset
    return len(lines[line - 1].encode()[:offset].decode(errors="replace"))


TREE = "__dio_tree__"
"""The attribute of a function that holds the tree to use instead of its source (set on mutants)."""

_LINES: dict[str, tuple[str, ...]] = {}
_TREES: dict[str, ast.Module] = {}
_FUNCTIONS: dict[str, dict[tuple[str, int], ast.FunctionDef]] = {}


def source_lines(file: str) -> tuple[str, ...]:
    """The lines of a file or of a notebook cell, without line ends; empty if it cannot be read. The text is read once
    and kept until `forget_source`."""
    if file not in _LINES:
        try:
            _LINES[file] = _split(Path(file).read_text(encoding="utf-8-sig"))
        except UnicodeDecodeError:
            _LINES[file] = ()
        except OSError:
            _LINES[file] = _cell_lines(file)
    return _LINES[file]


def sources_read() -> dict[str, tuple[str, ...]]:
    """The lines of all files whose source has been read, by file: those of the models that this process has loaded."""
    return dict(_LINES)


def _split(text: str) -> tuple[str, ...]:
    """Split at line feeds only, as Python counts lines; `str.splitlines` would also split at form feeds."""
    return tuple(text.removesuffix("\n").split("\n")) if text else ()


def _cell_lines(file: str) -> tuple[str, ...]:
    """The lines of a notebook cell: IPython registers its text in `linecache`, under a file name that does not
    exist."""
    import linecache

    return tuple(line.rstrip("\n") for line in linecache.getlines(file)) if file in linecache.cache else ()


def excerpt(span: Span) -> list[str]:
    """The first source line of `span` with a line of carets under it; empty if the source is not available."""
    lines = source_lines(span.file)
    if not 0 < span.line <= len(lines):
        return []
    text = lines[span.line - 1]
    end = span.end_column if span.end_line == span.line else len(text) + 1
    width = max(1, min(end, len(text) + 1) - span.column)
    number = f"{span.line:5d}"
    return [f"{number} | {text}", f"{'':5} | {' ' * (span.column - 1)}{'^' * width}"]


def module_tree(file: str) -> ast.Module:
    """The syntax tree of a file, parsed once and kept until `forget_source`. Raises `SyntaxError`."""
    if file not in _TREES:
        _TREES[file] = ast.parse("\n".join(source_lines(file)) + "\n", filename=file)
    return _TREES[file]


def _functions_of(file: str) -> dict[tuple[str, int], ast.FunctionDef]:
    """Every function of a file, by name and first line (including decorators, as in `co_firstlineno`)."""
    if file in _FUNCTIONS:
        return _FUNCTIONS[file]
    found: dict[tuple[str, int], ast.FunctionDef] = {}
    for node in ast.walk(module_tree(file)):
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found[(node.name, first)] = node
    _FUNCTIONS[file] = found
    return found


def function_tree(function: Callable[..., Any]) -> ast.FunctionDef | None:
    """The `ast` node of a function defined by ``def``; None if its source cannot be read (a REPL, a lambda). A tree
    attached under `TREE` takes precedence."""
    if not isinstance(function, FunctionType):
        return None
    carried: ast.FunctionDef | None = getattr(function, TREE, None)
    if carried is not None:
        return carried
    code = function.__code__
    try:
        node = _functions_of(code.co_filename).get((code.co_name, code.co_firstlineno))
    except SyntaxError:
        return None
    return node


@lru_cache(maxsize=512)
def stored_names(tree: ast.FunctionDef) -> frozenset[str]:
    """The names that a function assigns, without its parameters."""
    return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))


@lru_cache(maxsize=512)
def own_names(tree: ast.FunctionDef) -> frozenset[str]:
    """The names that a function assigns, and its positional parameters."""
    return stored_names(tree) | {a.arg for a in tree.args.args}


@lru_cache(maxsize=4096)
def text_of(node: ast.AST) -> str:
    """The Python source text of a node. Cached, since a statement is shown everywhere it is inlined."""
    return ast.unparse(node)


def forget_source(file: str) -> None:
    """Drop everything cached for a file. Called when a model is loaded, since the file may have changed."""
    _LINES.pop(file, None)
    _TREES.pop(file, None)
    _FUNCTIONS.pop(file, None)
