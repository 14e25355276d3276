"""A statement of the fixed class as a statement of the fix, in which every name has the same
meaning."""

from __future__ import annotations

import ast
import builtins
import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from dio_mc.lang.model import Model
from dio_mc.mutation.bodies import Body
from dio_mc.source import stored_names

NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Restored:
    """The node at its new place; `words` are the names in it that the scope of the fix lacks."""

    node: ast.AST
    words: Mapping[str, Any]


def restored(node: ast.AST, place: ast.AST | None, earlier: Body, later: Body, before: type[Model]) -> Restored | str:
    """A copy of a `node` of the function `earlier` for the function `later`; if a name has another
    meaning there, the reason as text."""
    if place is None:
        return "there is no place for it"
    lost = _other_meaning(node, earlier, later)
    if lost:
        return f"`{lost}` means something else here"
    words: dict[str, Any] = {}
    fresh = _Calls(earlier, before, words).visit(copy.deepcopy(node))
    for part in ast.walk(fresh):
        ast.copy_location(part, place)
    return Restored(fresh, words)


def _other_meaning(node: ast.AST, earlier: Body, later: Body) -> str:
    own = stored_names(earlier.tree) | {argument.arg for argument in earlier.tree.args.args}
    names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id not in own]
    scopes = earlier.function.__globals__, later.function.__globals__
    different = [n for n in names if scopes[0].get(n, NOTHING) is not scopes[1].get(n, NOTHING)]
    return next((n for n in different if n not in vars(builtins) or n in scopes[0]), "")


class _Calls(ast.NodeTransformer):
    """Makes ``super().operation(i)`` call the function that it called in the earlier class."""

    def __init__(self, earlier: Body, before: type[Model], words: dict[str, Any]) -> None:
        self.earlier, self.before, self.words = earlier, before, words

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(value=ast.Call(func=ast.Name(id="super")), attr=name):
                above = self.before.__mro__[self.before.__mro__.index(self.earlier.owner) + 1 :]
                owner = next((cls for cls in above if name in vars(cls)), None)
                if owner is None:
                    return node
                word = f"_dio_{owner.__name__}"
                self.words[word] = owner
                receiver = ast.Name(self.earlier.receiver, ast.Load())
                target = ast.Attribute(ast.Name(word, ast.Load()), name, ast.Load())
                return ast.Call(target, [receiver, *node.args], node.keywords)
            case _:
                return node
