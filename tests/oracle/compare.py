"""One program: what the oracle reaches against what dio-mc reaches, and the smallest part of it on which they differ."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from checker import Checker, compile_model
from oracle import Oracle, Reached

from dio_mc.errors import ModelError

LIMIT = 2000
"""States of dio-mc beyond which a program is skipped. The oracle keeps dead locals and may have more."""


def difference(text: str, folder: Path, name: str, limit: int = LIMIT) -> str | None:
    """What the two disagree on, empty when they agree; None when the program is too large."""
    found = Checker(compile_model(text, folder, name)).explore(limit)
    expected = None if found is None else Oracle(text).explore(3 * limit)
    if found is None or expected is None:
        return None
    return "".join(_differing(part, expected, found) for part in ("initial", "states", "edges", "faults", "deadlocks"))


def _differing(part: str, expected: Reached, found: Reached) -> str:
    left, right = getattr(expected, part), getattr(found, part)
    lines = [f"  {part}, the oracle only: {one}" for one in sorted(left - right)[:1]]
    lines += [f"  {part}, dio-mc only:    {one}" for one in sorted(right - left)[:1]]
    return "\n".join(lines) + "\n" if lines else ""


def explained(text: str, folder: Path, name: str, difference_: str) -> str:
    """A mismatch for people: the smallest program found that still shows one."""
    small = shrink(text, folder, name)
    shown = difference(small, folder, f"{name}_small") or difference_
    return f"the oracle and dio-mc disagree\n{shown}\n{small}\n--- made from ---\n{text}"


def shrink(text: str, folder: Path, name: str) -> str:
    """Leave out statements and declarations, one at a time, while the two still disagree; the same result every time."""
    best, tried = text, 0
    again = True
    while again:
        again = False
        for smaller in _smaller(best):
            tried += 1
            if _disagree(smaller, folder, f"{name}_{tried}"):
                best, again = smaller, True
                break
    return best


def _disagree(text: str, folder: Path, name: str) -> bool:
    try:
        return bool(difference(text, folder, name))
    except (ModelError, NameError, KeyError, StopIteration, AttributeError, NotImplementedError, AssertionError):
        return False  # no program any more


def _smaller(text: str) -> Iterator[str]:
    """Every text with one statement fewer, or with a block in place of what stands around it."""
    bodies = [
        (number, field)
        for number, node in enumerate(ast.walk(ast.parse(text)))
        for field in ("body", "orelse")
        if isinstance(getattr(node, field, None), list)
    ]
    for number, field in bodies:
        size = len(getattr(_node(ast.parse(text), number), field))
        for position in range(size):
            for unwrap in (False, True):
                tree = ast.parse(text)
                owner = _node(tree, number)
                body = getattr(owner, field)
                inner = getattr(body[position], "body", []) if unwrap else []
                if unwrap and (not inner or isinstance(body[position], ast.FunctionDef | ast.ClassDef)):
                    continue
                body[position : position + 1] = inner
                if not body and field == "body":
                    continue
                smaller = ast.unparse(tree) + "\n"
                if smaller != text:
                    yield smaller


def _node(tree: ast.AST, number: int) -> ast.AST:
    return next(node for i, node in enumerate(ast.walk(tree)) if i == number)
