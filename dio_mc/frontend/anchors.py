"""Checking the kernel anchors of a model: malformed ones, and those of operations that do not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from dio_mc.errors import Diagnostic, did_you_mean
from dio_mc.frontend.context import Context
from dio_mc.frontend.declare import Members, attribute_span, function_span
from dio_mc.ir.anchor import parse_anchor
from dio_mc.lang.model import Model
from dio_mc.source import Span

_HINT = 'write "fs/ext4/inode.c:ext4_iomap_begin", and where versions differ "... @5.15-", "@-4.2", "@2.6.18"'


def check_anchors(model: type, members: Members, context: Context) -> None:
    """Report each malformed anchor of the model's operations, and each wrong entry of its `anchors`, once."""
    for text, place in _anchors(model, members):
        try:
            parse_anchor(text)
        except ValueError as error:
            context.diagnostics.add(Diagnostic("DIO119", f"kernel anchor: {error}", place(), _HINT))
    for cls in _classes(model):
        for name in (n for n in _given(cls) if n not in members.operations):
            text = f"`anchors` of {cls.__name__} names `{name}`, which is not an operation"
            hint = did_you_mean(name, members.operations)
            context.diagnostics.add(Diagnostic("DIO119", text, attribute_span(cls, "anchors"), hint))


def _anchors(model: type, members: Members) -> Iterator[tuple[str, Callable[[], Span | None]]]:
    """Each anchor, and what finds its place."""
    for function, _, role in members.operations.values():
        if role.kernel is not None:
            yield role.kernel, partial(function_span, function)
    for cls in _classes(model):
        for text in _given(cls).values():
            yield str(text), partial(attribute_span, cls, "anchors")


def _classes(model: type) -> tuple[type, ...]:
    return tuple(cls for cls in model.__mro__ if cls is not Model)


def _given(cls: Any) -> dict[str, str]:
    return dict(vars(cls).get("anchors", {}))
