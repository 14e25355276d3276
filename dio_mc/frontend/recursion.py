"""Operations that call themselves, directly or through others, up to a declared depth.

A call is inlined at every depth, with locals of its own, up to the depth that the operation declares
(``@operation(depth=2)``): so the number of calls under way in one thread is bounded, and the program needs no stack.
A call beyond it is a check that fails. An operation that declares no depth may be entered again only if an operation
that does is entered in between: then the depth of the latter bounds both.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dio_mc.frontend.values import Bound, Place

if TYPE_CHECKING:
    from dio_mc.frontend.frames import Frame

DEEPEST: Final = 8
"""The largest depth that can be declared: a body with two calls of itself is inlined 255 times then."""


@dataclass(frozen=True, slots=True)
class Entered:
    """A function that is being inlined; `bounded` says that it is an operation with a declared depth."""

    function: object
    bounded: bool


def depth_of(bound: Bound, frame: Frame) -> int | None:
    """The declared depth of the operation of the model that a call enters; None if there is none."""
    is_model = isinstance(bound.receiver, Place) and bound.receiver.model
    return frame.state.context.depths.get(bound.name) if is_model else None


def level_of(bound: Bound, frame: Frame) -> int:
    """How many calls of this function would be under way with this one."""
    return 1 + sum(entered.function is bound.function for entered in frame.stack)


def check_bounded(bound: Bound, call: ast.Call, frame: Frame) -> None:
    """Refuse a call (DIO106) that could be repeated without end: neither the operation has a declared depth nor any
    that was entered since its last call."""
    positions = [n for n, entered in enumerate(frame.stack) if entered.function is bound.function]
    if not positions or depth_of(bound, frame) is not None:
        return
    if not any(entered.bounded for entered in frame.stack[positions[-1] :]):
        hint = "use a loop, or declare how deep it may go: `@operation(depth=2)`"
        raise frame.scope.fail("DIO106", call, f"`{bound.name}` calls itself", hint)
