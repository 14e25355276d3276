"""The choices of a step: the option of each ``choose``, as the statement writes it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from dio_mc.render.expression import NOBODY, c_text, parsed
from dio_mc.render.values import Known, range_of, read_c


def option_text(call: ast.Call, position: int, known: Known = NOBODY) -> str:
    """The text of an option of ``choose(...)`` by its position; empty if the statement does not list the options."""
    match call.args:
        case [ast.Tuple(elts=options) | ast.List(elts=options)]:
            found: Sequence[ast.expr] = options
        case [over]:
            numbers = range_of(over, known)
            return str(numbers[position]) if numbers is not None and position < len(numbers) else ""
        case options:
            found = options
    return c_text(found[position], known) if position < len(found) else ""


def is_choice(node: ast.AST) -> bool:
    """Whether a node is a call of ``choose``."""
    match node:
        case ast.Call(func=ast.Name(id="choose") | ast.Attribute(attr="choose")):
            return True
        case _:
            return False


def choices_of(node: ast.AST) -> Iterator[ast.Call]:
    """The calls of ``choose`` in a node, in the order of the text."""
    found = [part for part in ast.walk(node) if isinstance(part, ast.Call) and is_choice(part)]
    yield from sorted(found, key=lambda call: (call.lineno, call.col_offset))


def choice_words(code: str, choice: Sequence[int]) -> str:
    """``  [chose False]``; ``  [choice 1]`` if the text does not show the option; empty without a choice."""
    if not choice:
        return ""
    head = code.removeprefix("while ").removeprefix("if ").removesuffix(":")
    calls = [call for statement in parsed(code) or parsed(head) for call in choices_of(statement)]
    if len(calls) == len(choice):
        shown = [option_text(call, position) for call, position in zip(calls, choice, strict=True)]
        if all(shown):
            return f"  [chose {', '.join(str(read_c(one)) for one in shown)}]"
    return f"  [choice {', '.join(map(str, choice))}]"
