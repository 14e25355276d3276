"""Operations that begin at a later page: ``direct_write@1`` acts on all pages of the file from page
1 on.

The functions of the shipped operations make their calls at page 0. Here they get another page, in a
copy of their syntax tree, which the frontend compiles. A call ends at the last page of the file:
rules know no other length.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable
from functools import lru_cache
from types import FunctionType
from typing import Any, Final

from dio_mc.errors import usage_error
from dio_mc.source import TREE, function_tree

AT: Final = "@"


def split(name: str) -> tuple[str, int]:
    """The operation and the page that ``direct_write@1`` names; page 0 without one. Raises
    `ModelError` (DIO208) if no page follows the sign."""
    operation, sign, page = name.partition(AT)
    if not sign:
        return operation, 0
    if not (page.isascii() and page.isdigit()):
        hint = f"`{operation}@1` is about the pages from 1 on"
        raise usage_error("DIO208", f"no page `{page}` for `{operation}` to begin at", hint=hint)
    return operation, int(page)


def spelled(operation: str, page: int) -> str:
    """The name of an operation that begins at a page."""
    return f"{operation}{AT}{page}" if page else operation


@lru_cache(maxsize=256)
def beginning_at(function: Callable[..., Any], page: int) -> Callable[..., Any] | None:
    """The operation with its calls at `page`; None for a function whose calls are not about a page,
    such as `truncate`."""
    tree = copy.deepcopy(function_tree(function))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree is not None else []
    first = [call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.args]
    pages = [node for node in first if isinstance(node, ast.Constant) and node.value == 0]
    if not pages:
        return None
    for node in pages:
        node.value = page
    assert isinstance(function, FunctionType)
    copied = FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__
    )
    copied.__dict__.update(function.__dict__)
    setattr(copied, TREE, tree)
    return copied


def begins_later(function: Callable[..., Any]) -> bool:
    """Whether a function of a workload makes a call that begins after page 0: its body has a
    positive number."""
    tree = function_tree(function)
    nodes = [node for statement in tree.body for node in ast.walk(statement)] if tree is not None else []
    return any(isinstance(n, ast.Constant) and type(n.value) is int and n.value > 0 for n in nodes)
