"""Deciding from its text whether a file is written for dio-mc; nothing is executed.

A folder may contain anything: deployment scripts, a virtual environment, tests. Only files that import ``dio_mc``,
directly or through a file in the same folder, are models or helper modules of models.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

_IMPORT: Final = re.compile(r"^[ \t]*(?:from[ \t]+(\.*[\w.]*)[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)
_QUOTES: Final = re.compile(r"\"\"\"|'''")


def imports_dio_mc(file: Path, known: dict[Path, bool] | None = None) -> bool:
    """Whether a file imports ``dio_mc``, directly or through files of its folder. `known` caches the answers.

    A file that cannot be parsed counts if it mentions ``dio_mc``, so that its error is shown.
    """
    known = {} if known is None else known
    waiting, seen = [file], {file}
    while waiting:
        current = waiting.pop()
        if known.get(current):
            known[file] = True
            return True
        if current in known:
            continue
        names = _imported(current)
        if "dio_mc" in names:
            known[current] = known[file] = True
            return True
        beside = {current.parent / f"{name}.py" for name in names}
        waiting += sorted(path for path in beside - seen if path.is_file())
        seen |= beside
    known[file] = False
    return False


def defines_class(file: Path, name: str) -> bool:
    """Whether a file defines a class of this name; true for a file that cannot be parsed, which may define it."""
    if not file.is_file():  # reading a pipe would block
        return True
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return True
    return any(isinstance(n, ast.ClassDef) and n.name == name for n in ast.walk(tree))


def _imported(file: Path) -> frozenset[str]:
    """The first components of the module names that a file imports; ``dio_mc`` for a file in doubt that mentions it."""
    if not file.is_file():  # reading a pipe would block
        return frozenset()
    try:
        data = file.read_bytes()
        text = data.decode("utf-8-sig")
    except OSError:
        return frozenset()
    except UnicodeDecodeError:
        return frozenset({"dio_mc"} if b"dio_mc" in data else ())
    found: set[str] = set()
    for match in _IMPORT.finditer(text):
        names = [match[1].lstrip(".")] if match[1] is not None else match[2].split(",")
        found |= {name.strip().split(".")[0].split(" ")[0] for name in names}
    if "dio_mc" in found and _in_doubt(text):
        return _imported_by_tree(text)
    return frozenset(found - {""})


def _in_doubt(text: str) -> bool:
    """Whether the import of ``dio_mc`` may be inside a triple-quoted string."""
    first = re.search(r"^[ \t]*(?:from|import)[ \t]+dio_mc\b", text, re.MULTILINE)
    return first is None or len(_QUOTES.findall(text, 0, first.start())) % 2 == 1


def _imported_by_tree(text: str) -> frozenset[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return frozenset({"dio_mc"})
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return frozenset(found)
