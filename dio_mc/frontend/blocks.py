"""``with atomic():`` and ``with window(name):``."""

from __future__ import annotations

import ast

from dio_mc import lang
from dio_mc.frontend import expressions, statements
from dio_mc.frontend.frames import Frame, is_word
from dio_mc.frontend.graph import Node, RegionKey, Weight
from dio_mc.frontend.values import Place
from dio_mc.source import text_of


def with_statement(node: ast.With, frame: Frame) -> None:
    """``with atomic():`` or ``with window(name):``."""
    if len(node.items) != 1 or node.items[0].optional_vars is not None:
        raise frame.scope.fail("DIO102", node, "write one `with atomic():` or `with window(name):` at a time")
    head = node.items[0].context_expr
    if is_word(head, lang.atomic, frame):
        _atomic(node, frame)
    elif is_word(head, lang.window, frame):
        assert isinstance(head, ast.Call)
        _window(node, head, frame)
    else:
        raise frame.scope.fail("DIO102", node, "`with` takes atomic() or window(name)", _locked(head, frame))


def _locked(head: ast.expr, frame: Frame) -> str:
    """A hint if a lock is used as a context manager."""
    found = expressions.reference(head, frame.scope) if isinstance(head, ast.Attribute | ast.Subscript) else None
    if not isinstance(found, Place) or not hasattr(found.part, "lock"):
        return ""
    return f"write `{text_of(head)}.lock()` before and `{text_of(head)}.unlock()` after it"


def _atomic(node: ast.With, frame: Frame) -> None:
    if frame.inner:
        statements.compile_body(node.body, frame)
        return
    text = "\n".join(text_of(s) for s in node.body)
    frame.emit(None, node, Weight.STEP, text)
    frame.inner = True
    try:
        statements.compile_body(node.body, frame)
    finally:
        frame.inner = False
    frame.graph.emit(Node(Weight.LOCAL, frame.site(node, "")))


def _window(node: ast.With, head: ast.Call, frame: Frame) -> None:
    if len(head.args) != 1 or not isinstance(head.args[0], ast.Constant) or not isinstance(head.args[0].value, str):
        raise frame.scope.fail("DIO111", head, "`window` takes its name as a plain string")
    if frame.inherited:  # called from an atomic block: the window opens and closes within one step
        statements.compile_body(node.body, frame)
        return
    if frame.inner:
        raise frame.scope.fail(
            "DIO114", node, "a window inside an atomic block is never seen open", "put the atomic block inside"
        )
    key = RegionKey(head.args[0].value, frame.arguments, frame.state.regions, window=True)
    frame.state.regions += 1
    frame.graph.emit(Node(Weight.LOCAL, frame.site(node, ""), enter=key))
    frame.windows.append(key)
    statements.compile_body(node.body, frame)
    frame.windows.pop()
    frame.graph.emit(Node(Weight.LOCAL, frame.site(node, ""), leave=key))
