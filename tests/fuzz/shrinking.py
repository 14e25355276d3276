"""Make a program small while it still shows the same difference: statements, then whole declarations, then expressions."""

from __future__ import annotations

import ast
import copy
import time
from collections.abc import Callable, Iterator

Shows = Callable[[str], bool]


def shrink(text: str, shows: Shows, seconds: float) -> str:
    """The smallest text found in so many seconds of processor time that still shows it; `text` itself must.

    A pass tries to leave out runs of neighbouring statements, long ones first (delta debugging), to put a block in the
    place of what stands around it, and to put a part of an expression in the place of the whole.
    """
    end = time.process_time() + seconds
    best = ast.unparse(ast.parse(text))
    if not shows(best):
        return text  # lines matter
    again = True
    while again and time.process_time() < end:
        again = False
        for smaller in _passes(best):
            if time.process_time() > end:
                break
            if len(smaller) < len(best) and shows(smaller):
                best, again = smaller, True
                break
    return best + "\n"


def _passes(text: str) -> Iterator[str]:
    tree = ast.parse(text)
    places = [(owner, field) for owner in range(_count(tree)) for field in ("body", "orelse")]
    lists = [
        (p, f, getattr(_node(tree, p), f)) for p, f in places if isinstance(getattr(_node(tree, p), f, None), list)
    ]
    for size in (8, 4, 2, 1):
        for owner, field, body in lists:
            for start in range(0, len(body) - size + 1, max(1, size // 2)):
                yield from _printed(tree, owner, _without(field, start, size))
    for owner, field, body in lists:
        for start, one in enumerate(body):
            if isinstance(getattr(one, "body", None), list) and not isinstance(one, ast.FunctionDef | ast.ClassDef):
                yield from _printed(tree, owner, _unwrapped(field, start))
    for number in range(_count(tree)):
        node = _node(tree, number)
        if isinstance(node, ast.FunctionDef | ast.Call) and (
            node.decorator_list if isinstance(node, ast.FunctionDef) else node.keywords
        ):
            yield from _printed(tree, number, _bare)
        for field, value in ast.iter_fields(node):
            for part in list(_parts(value)):
                yield from _printed(tree, number, _replaced(field, part))


def _parts(value: object) -> list[int]:
    """Positions of what may stand for an expression: its operands."""
    if not isinstance(value, ast.BoolOp | ast.BinOp | ast.UnaryOp | ast.IfExp | ast.Call | ast.Compare):
        return []
    return [n for n, child in enumerate(ast.iter_child_nodes(value)) if isinstance(child, ast.expr)]


def _count(tree: ast.AST) -> int:
    return sum(1 for _ in ast.walk(tree))


def _node(tree: ast.AST, number: int) -> ast.AST:
    return next(node for n, node in enumerate(ast.walk(tree)) if n == number)


Change = Callable[[ast.AST], bool]


def _printed(tree: ast.AST, number: int, change: Change) -> Iterator[str]:
    """The text with one node changed; nothing where that makes no program."""
    made = copy.deepcopy(tree)
    if change(_node(made, number)):
        try:
            yield ast.unparse(made)
        except (ValueError, AttributeError):
            return


def _without(field: str, start: int, size: int) -> Change:
    def change(node: ast.AST) -> bool:
        body = getattr(node, field)
        del body[start : start + size]
        return bool(body) or field == "orelse" or isinstance(node, ast.Module)

    return change


def _unwrapped(field: str, start: int) -> Change:
    def change(node: ast.AST) -> bool:
        body = getattr(node, field)
        body[start : start + 1] = body[start].body
        return True

    return change


def _bare(node: ast.AST) -> bool:
    """Options of a decorator or a declaration left out."""
    if isinstance(node, ast.Call):
        node.keywords = node.keywords[:-1]
        return True
    return False


def _replaced(field: str, part: int) -> Change:
    def change(node: ast.AST) -> bool:
        whole = getattr(node, field)
        setattr(node, field, list(ast.iter_child_nodes(whole))[part])
        return True

    return change
