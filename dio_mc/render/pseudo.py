"""One step in the words of a commit message: calls as the kernel writes them, comments where data moves.

``self.i_mutex.lock()`` becomes ``lock(i_mutex)``, the way lockdep prints it; what a step did to data becomes
``/* slot[0]: ABSENT -> FILLING */``, which is said whatever the statement looked like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from dio_mc.render.scene import with_indices
from dio_mc.render.statement import learned_by, printable, root_of, short
from dio_mc.trace.trace import Change, TraceStep

_CALL = re.compile(r"(?P<lock>\w+(?:\[[^\]]*\])*)\.(?P<method>\w+)\((?P<arguments>[^()]*)\)")
_WAIT = re.compile(r"wait_until\((?P<condition>.*)\)")
_PLAIN = re.compile(r"[\w\[\].]+(?:, [\w\[\].]+)* = (?:[A-Z]\w*(?:\.\w+)?|-?\d+|me|\([A-Z\d][^()]*\))")
_READ = re.compile(r"\w+ = (?P<cell>[A-Za-z_][\w.\[\]]*)")
_STORE = re.compile(r"([A-Za-z_][\w.\[\]]*) = ")
_IF = re.compile(r"if (?P<condition>[^:]*)(?::|$)")
_CELL = re.compile(r"[A-Za-z_]\w*(?:\[\d+\]|\.[A-Za-z_]\w*)*")
_CONTROL = ("if ", "for ", "while ", "else")
_C = (
    (re.compile(r"\bnot (?!in\b)"), "!"),
    (re.compile(r"\band\b"), "&&"),
    (re.compile(r"\bor\b"), "||"),
    (re.compile(r"\bis None\b"), "== NULL"),
    (re.compile(r"\bis ! ?None\b"), "!= NULL"),
    (re.compile(r"\b[A-Z]\w*\.(?=[A-Z][A-Z_\d]*\b)"), ""),
)


def pseudo_code(step: TraceStep, state: Mapping[str, str], waited: bool, ghosts: frozenset[str]) -> list[str]:
    """The lines of a step's body, at least one. `state` is the one before it, `waited` whether it could not run
    earlier, `ghosts` the history variables that matter."""
    pieces = [with_indices(short(piece), step, state) for piece in step.text.split("; ")]
    lines = [line for piece in pieces for line in _piece(piece, step, state, waited)]
    lines += [line for change in step.changes for line in _lock(change, lines)]
    lines += [_comment(f"{c.cell}: {c.before} -> {c.after}") for c in step.changes if _is_shown(c, ghosts)]
    lines += [_comment(f"{name} = {change.after}") for name, change in learned_by(step)]
    if step.fault is not None:
        lines.append(_comment(f"{step.fault.kind}: {step.fault.message}"))
    return lines or [c_words(pieces[0])]


def _is_shown(change: Change, ghosts: frozenset[str]) -> bool:
    return change.role == "data" and (not change.ghost or change.cell in ghosts)


def _piece(piece: str, step: TraceStep, state: Mapping[str, str], waited: bool) -> list[str]:
    """What one statement says that its effect does not."""
    if match := _WAIT.fullmatch(piece):
        condition = c_words(match["condition"])
        return [_comment(f"waited until {condition}" if waited else f"sees {condition}")]
    if match := _CALL.fullmatch(piece):
        return [f"{match['method']}({', '.join(filter(None, [match['lock'], match['arguments']]))})"]
    if (match := _READ.fullmatch(piece)) and match["cell"] in state:
        return [_comment(f"reads {match['cell']}: {state[match['cell']]}")]
    if match := _IF.match(piece):
        return _seen(match["condition"], state) or ([] if step.changes else [c_words(piece)])
    if not step.changes:
        match = _STORE.match(piece)
        stays = [_comment(f"{match[1]} stays {state[match[1]]}")] if match and match[1] in state else []
        return [c_words(piece), *stays]
    if piece.endswith("...") or piece.startswith(_CONTROL) or _PLAIN.fullmatch(piece):
        return []
    return [c_words(piece)]


def _seen(condition: str, state: Mapping[str, str]) -> list[str]:
    """The cells that a condition names, with their values."""
    cells = [name for name in dict.fromkeys(_CELL.findall(condition)) if name in state]
    return [_comment("sees " + ", ".join(f"{name} = {state[name]}" for name in cells))] if cells else []


def _lock(change: Change, told: list[str]) -> list[str]:
    """The lock that a step took or gave back inside a longer statement."""
    match = re.fullmatch(r"(?P<lock>.+)\.(?P<field>owner|writer|reading)(?P<index>\[\d+\])?", change.cell)
    if change.role != "lock" or match is None or any(root_of(change.cell) in line for line in told):
        return []
    taken = change.before in ("None", "False")
    names = {"owner": ("lock", "unlock"), "writer": ("down_write", "up_write"), "reading": ("down_read", "up_read")}
    index = match["index"] or "" if match["field"] == "owner" else ""
    return [f"{names[match['field']][not taken]}({match['lock']}{index})"]


def c_words(text: str) -> str:
    """A Python expression with C's operators and without the names of enums."""
    text = printable(text)
    for pattern, word in _C:
        text = pattern.sub(word, text)
    return text


def _comment(text: str) -> str:
    return f"/* {printable(text).replace('*/', '* /')} */"
