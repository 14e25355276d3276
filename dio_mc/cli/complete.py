"""Names in files for shell completion, read from the source without executing it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from dio_mc.study.registry import snake

PAIR: Final = {"first", "second"}
"""The threads of an operation."""
LARGEST: Final = 1 << 20
"""The size in bytes of the largest file that is read for completion."""


def classes_in(paths: list[str]) -> list[str]:
    """The classes of the Python files among the paths, in order, without abstract ones, which are never checked."""
    return [node.name for path in paths for node in _classes(Path(path)) if node.bases and not _is_left_out(node)]


def rules(folder: Path) -> list[str]:
    """The locking rules of a folder of models: the ``rule`` attributes of its classes."""
    files = sorted((folder / "protocols").glob("*.py"))
    return [name for file in files for node in _classes(file) for name in _rules_of(node)]


def workloads(folder: Path) -> list[str]:
    """The workloads of a folder of models, without operations."""
    return [name for name, threads in _named_threads(folder) if threads != PAIR]


def operations(folder: Path) -> list[str]:
    """The operations of a folder of models: workloads with the threads `first` and `second`."""
    return [name for name, threads in _named_threads(folder) if threads == PAIR]


def _named_threads(folder: Path) -> list[tuple[str, set[str]]]:
    files = sorted((folder / "workloads").glob("*.py"))
    nodes = [(node, _threads(node)) for file in files for node in _classes(file)]
    return [(snake(node.name), threads) for node, threads in nodes if threads]


def _classes(path: Path) -> Iterator[ast.ClassDef]:
    try:
        if path.suffix != ".py" or not path.is_file() or path.stat().st_size > LARGEST:
            return
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from (node for node in tree.body if isinstance(node, ast.ClassDef))


def _is_left_out(node: ast.ClassDef) -> bool:
    abstract = any(k.arg == "abstract" and isinstance(k.value, ast.Constant) and k.value.value for k in node.keywords)
    return abstract or any(ast.unparse(base).rpartition(".")[2].endswith("Enum") for base in node.bases)


def _rules_of(node: ast.ClassDef) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign):
            for target, value in _pairs(statement.targets[0], statement.value):
                if isinstance(target, ast.Name) and target.id == "rule" and isinstance(value, ast.Constant):
                    yield str(value.value)


def _pairs(target: ast.expr, value: ast.expr) -> list[tuple[Any, Any]]:
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return list(zip(target.elts, value.elts, strict=False))
    return [(target, value)]


def _threads(node: ast.ClassDef) -> set[str]:
    functions = (one for one in node.body if isinstance(one, ast.FunctionDef))
    named = {one.name for one in functions if any("thread" in ast.unparse(d) for d in one.decorator_list)}
    pairs = (pair for one in node.body if isinstance(one, ast.Assign) for pair in _pairs(one.targets[0], one.value))
    again = {
        t.id for t, value in pairs if isinstance(t, ast.Name) and isinstance(value, ast.Name) and value.id in named
    }
    return named | again
