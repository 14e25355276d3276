"""Who holds a lock, in the notation of a commit message: ``lock(i_mutex)``, ``holds i_mutex``."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping

from dio_mc.render.expression import c_text
from dio_mc.render.statement import root_of
from dio_mc.render.values import Known
from dio_mc.trace.trace import Change

_LOCKING = {"owner": ("lock", "unlock"), "writer": ("down_write", "up_write"), "reading": ("down_read", "up_read")}
_TRY = re.compile(r"(?:\w+ = )?(?:\w+_)?trylock(?:_\w+)?\((?P<lock>[^(),]+)[^()]*\)")


def lock_line(change: Change, lines: list[str]) -> list[str]:
    """The call for a lock that a step took or released inside a longer statement."""
    match = re.fullmatch(r"(?P<lock>.+)\.(?P<field>owner|writer|reading)(?P<index>\[\d+\])?", change.cell)
    root = re.compile(rf"\b{re.escape(root_of(change.cell))}\b")
    if change.role != "lock" or match is None or any(root.search(line) for line in lines):
        return []
    taken = change.before in ("None", "False")
    index = match["index"] or "" if match["field"] == "owner" else ""
    return [f"{_LOCKING[match['field']][not taken]}({match['lock']}{index})"]


def failed_tries(lines: list[str], changes: Iterable[Change], state: Mapping[str, str]) -> list[str]:
    """The lines of a step, with a comment after a try that did not get its lock: the state has cells of the lock, and
    none of them has changed."""
    taken = {change.cell for change in changes if change.role == "lock"}
    found: list[str] = []
    for line in lines:
        tried = _TRY.fullmatch(line)
        found.append(line)
        if tried is not None and _cells_of(tried["lock"], state) and not _cells_of(tried["lock"], taken):
            found.append("/* fails */")
    return found


def is_taken(call: str, state: Mapping[str, str]) -> bool:
    """Whether a call ``lock(i_mutex)`` is about a lock that some thread holds."""
    match = re.fullmatch(r"\w+\((?P<lock>[^(),]+)[^()]*\)", call)
    if match is None:
        return False
    cells = [name for name in _cells_of(match["lock"], state) if not name.startswith(f"{match['lock']}.waiting")]
    return any(state[name] not in ("None", "False") for name in cells)


def _cells_of(lock: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(f"{lock}.")]


def asks_a_lock(test: ast.expr) -> bool:
    """Whether a condition is about who holds a lock; the step's later operations on the lock show the result."""
    return any(isinstance(part, ast.Attribute) and part.attr in ("held_by", "is_locked") for part in ast.walk(test))


def held_words(condition: ast.expr, known: Known) -> str:
    """Whether the thread holds a lock, in words; empty for another condition."""
    match condition:
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Attribute(value=lock, attr="held_by"), args=[who])):
            said = "does not hold"
        case ast.Call(func=ast.Attribute(value=lock, attr="held_by"), args=[who]):
            said = "holds"
        case _:
            return ""
    is_own = isinstance(who, ast.Name) and who.id == "me"
    return f"{said} {c_text(lock, known)}" if is_own else ""
