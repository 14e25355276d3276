"""The displayed form of a step: its statement, shortened, and the cells it changed.

A statement is shown as the author wrote it, without ``self.``. What the changes show anyway is omitted: a plain
assignment whose target is among the changed cells, and a change of a lock that the statement names.
"""

from __future__ import annotations

import ast
import re
import warnings

from dio_mc.render.buffers import is_bookkeeping
from dio_mc.render.choice import choice_words
from dio_mc.trace.trace import Change, TraceStep

_SELF = re.compile(r"\bself\.")
_LONGEST_PARSED = 500
_LONGEST_SHOWN = 40


def printable(text: str) -> str:
    """One line of printable ASCII; anything else is escaped."""
    if text.isascii() and text.isprintable():
        return text
    shown = (c if c.isascii() and c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return "".join(shown)


def short(text: str) -> str:
    """A statement without ``self.``."""
    return printable(_SELF.sub("", text))


def cut_statement(text: str) -> str:
    """A statement without ``self.``, cut if it is too long for a sentence."""
    statement = short(text)
    if len(statement) <= _LONGEST_SHOWN:
        return statement
    head = statement[:_LONGEST_SHOWN]
    whole = head.rfind("; ")
    cut = whole if whole > 0 else head.rfind(" ") if " " in head else len(head)
    return f"{head[:cut].rstrip(' ;')}..."


def shown_changes(step: TraceStep) -> list[str]:
    """``slot[0]: ABSENT -> FILLING``, without changes of locks that the statement names and of what store buffers
    keep for themselves; then the locals it assigned."""
    mentioned = short(step.text)
    changes = [c for c in step.changes if c.role == "data" or not _names(mentioned, root_of(c.cell))]
    changes = [c for c in changes if not is_bookkeeping(c.cell, step.thread)]
    shown = [_change(change.cell, change) for change in changes]
    return shown + [_change(name, change) for name, change in learned_by(step)]


def learned_by(step: TraceStep) -> list[tuple[str, Change]]:
    """The locals that the statement itself changes, by their short names; without arguments and dead locals."""
    return [(change.cell.rsplit(".", 1)[-1], change) for change in step.local_changes if _is_result(change, step)]


def _is_result(change: Change, step: TraceStep) -> bool:
    """Whether a local is assigned by the statement, or receives the result of the operation that the statement ends."""
    if change.role != "local":
        return False
    frames = [step.thread, *step.operations]
    returns = step.text.startswith("return") and len(frames) > 1
    owner = frames[-2] if returns else frames[-1]
    prefix = f"{step.thread}." if owner == step.thread else f"{step.thread}.{owner}."
    name = change.cell.removeprefix(prefix)
    if "." in name or name == change.cell:
        return False
    return returns or name in _assigned(step.text)


def _assigned(text: str) -> set[str]:
    """The plain names that a statement assigns."""
    found: set[str] = set()
    for piece in text.split("; "):
        match _parse(piece):
            case ast.Assign(targets=[target]) | ast.AugAssign(target=target) | ast.AnnAssign(target=target):
                parts = target.elts if isinstance(target, ast.Tuple) else [target]
                found |= {part.id for part in parts if isinstance(part, ast.Name)}
    return found


def _change(name: str, change: Change) -> str:
    ghost = " (ghost)" if change.ghost else ""
    return printable(f"{name}: {change.before} -> {change.after}{ghost}")


def shown_statement(step: TraceStep) -> str:
    """The statement without the assignments that `shown_changes` shows; empty if it consists of these."""
    changed = {root_of(change.cell) for change in step.changes if change.role == "data"}
    kept = [piece for piece in step.text.split("; ") if not _is_shown(piece, changed)]
    if changed and len(kept) > 1 and kept[-1].endswith("..."):  # truncated, and its effect is shown
        kept.pop()
    return short("; ".join(kept)) + choice_words(step.code or step.text, step.choice)


def root_of(cell: str) -> str:
    """The variable of a cell: ``page_lock`` of ``page_lock[0].owner``."""
    return re.split(r"[\[.]", cell, maxsplit=1)[0]


def _names(text: str, word: str) -> bool:
    return re.search(rf"\b{re.escape(word)}\b", text) is not None


def _is_shown(piece: str, changed: set[str]) -> bool:
    """Whether a statement only assigns constants to variables that are among the changed ones."""
    match _parse(piece):
        case ast.Assign(targets=[target], value=value) if is_plain(value):
            return _roots(target) <= changed
        case ast.AugAssign(target=target, value=value) if is_plain(value):
            return _roots(target) <= changed
        case _:
            return False


def _parse(piece: str) -> ast.stmt | None:
    """The statement; None if the text is truncated or not a statement."""
    if len(piece) > _LONGEST_PARSED:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(piece).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return body[0] if len(body) == 1 else None


def is_plain(value: ast.expr, *, with_locals: bool = False) -> bool:
    """Whether the value is a constant, ``me``, an enum member, or a tuple of these (`with_locals`: also a local), so
    that the change of the state shows all of it."""
    match value:
        case ast.Name(id=name):
            return with_locals or name == "me"
        case ast.Constant() | ast.UnaryOp(operand=ast.Constant()):
            return True
        case ast.Attribute(value=ast.Name(id=name)):
            return name != "self"
        case ast.Tuple(elts=elements):
            return all(is_plain(element, with_locals=with_locals) for element in elements)
        case _:
            return False


def _roots(target: ast.expr) -> set[str]:
    """The variables that a target writes; for a local, a name that no cell has."""
    match target:
        case ast.Tuple(elts=elements):
            return {root for element in elements for root in _roots(element)}
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return {name}
        case ast.Attribute(value=inner) | ast.Subscript(value=inner):
            return _roots(inner)
        case _:
            return {""}
