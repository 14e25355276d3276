"""One step in the notation of a commit message: calls as in kernel code, comments where data changes.

``self.i_mutex.lock()`` becomes ``lock(i_mutex)``, in the notation of lockdep; a change of data becomes ``/* slot[0]:
ABSENT -> FILLING */``, whatever the statement looked like. For a branch, the side that was taken is shown, if the trace
has the values that decide it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dio_mc.render.buffers import Drained, buffers_of, is_buffered
from dio_mc.render.expression import c_text, c_words, negated, parsed
from dio_mc.render.locking import failed_tries, is_taken, lock_line
from dio_mc.render.statement import learned_by, printable, short
from dio_mc.render.values import UNKNOWN, Known, c_word, known_at, read, show, value_of
from dio_mc.render.walk import HEAD, StatementWalk, comment
from dio_mc.trace.trace import Change, TraceStep, Waiting


@dataclass(frozen=True, slots=True)
class StepContext:
    """What the rest of the trace says about a step: the ghost variables that are shown, the others
    (`hidden`), the run's parameters, and the operation from which the thread has just returned
    (`done`)."""

    ghosts: frozenset[str]
    hidden: frozenset[str]
    params: Mapping[str, int]
    done: str = ""


def pseudo_code(step: TraceStep, state: Mapping[str, str], waited: bool, context: StepContext) -> list[str]:
    """The lines of a step's body, at least one. `state` is the state before the step; `waited`: the thread could not
    run earlier."""
    buffers = buffers_of(state)
    drained = buffers.drained(step) if buffers is not None else None
    if drained is not None:
        return [_reached(drained)]
    walk = StatementWalk(step, known_at(step, state, context.params), waited, context.hidden, context.done)
    walk.code(step.code or step.text)
    learned = {name: change.after for name, change in learned_by(step)}
    lines = _checked(walk, learned, dict(step.results))
    lines = failed_tries(lines, step.changes, state) if step.fault is None else lines
    if "crash()" not in lines:  # a crash is not an unlock
        lines += [line for change in step.changes for line in lock_line(change, lines)]
    shown = [change for change in step.changes if _is_shown(change, context.ghosts)]
    lines += [comment(f"{c.cell}: {c_word(c.before)} -> {c_word(c.after)}") for c in shown]
    if walk.returned is not UNKNOWN:
        learned = {name: value for name, value in learned.items() if value == str(walk.returned)}
    unreported = [(name, value) for name, value in learned.items() if name not in walk.reported]
    lines += [comment(f"{walk.known.name_of(name)} = {c_word(value)}") for name, value in unreported]
    if step.fault is not None:
        lines.append(comment(f"{step.fault.kind}: {_with_lock(step.fault.message, walk.lines)}"))
    return [printable(line) for line in lines or walk.quiet] or _plain(step.code or step.text, walk.known)


def _reached(drained: Drained) -> str:
    """The line for a store that reaches memory from a buffer."""
    before, after = c_word(drained.before), c_word(drained.after)
    shown = f"{drained.name} stays {after}" if before == after else f"{drained.name}: {before} -> {after}"
    return comment(f"{shown}, stored by {drained.thread}")


def _checked(walk: StatementWalk, learned: Mapping[str, str], results: Mapping[str, str]) -> list[str]:
    """The lines of a walk. A truth value that is dead afterwards is shown as the condition seen; the
    result of a call that nothing reads is left out if another line shows the call's effect."""
    lines = list(walk.lines)
    for name, test in walk.computed.items():
        own = walk.known.name_of(name)
        value, said = read(results.get(name, "")), f"{own} = {c_text(test, walk.known)}"
        if name not in learned and lines[-1:] == [said] and value and not isinstance(value, bool):
            lines.append(comment(f"{own} = {show(value)}"))
        elif name not in learned and isinstance(value, bool):
            seen = comment(f"sees {c_text(test if value else negated(test), walk.known)}")
            lines = [seen if line == said else line for line in lines]
        elif name not in learned and name in walk.unread and isinstance(test, ast.Call):
            lines = [line for line in lines if line != said]
    return lines


def fault_text(step: TraceStep, state: Mapping[str, str], params: Mapping[str, int]) -> str:
    """The message of a step's fault, with the lock that its statement names."""
    walk = StatementWalk(step, known_at(step, state, params), False, frozenset())
    walk.code(step.code or step.text)
    return _with_lock(step.fault.message if step.fault is not None else "", walk.lines)


def _with_lock(message: str, lines: Iterable[str]) -> str:
    """The message with ``page_lock[...]`` replaced by the lock in the call."""
    match = re.search(r"`(?P<lock>\w+)\[\.\.\.\]", message)
    if match is None:
        return short(message)
    calls = (re.search(rf"\((?P<lock>{match['lock']}(?:\[\d+\])+)[,)]", line) for line in lines)
    named = next((call["lock"] for call in calls if call is not None), None)
    return short(message if named is None else message.replace(match[0], f"`{named}", 1))


def awaited(waiting: Waiting, state: Mapping[str, str], params: Mapping[str, int]) -> tuple[bool, str]:
    """What a blocked thread waits at: whether it is a condition, and its text. Of a condition, only the part that is
    not met."""
    walk = StatementWalk(waiting, known_at(waiting, state, params), False, frozenset())
    walk.code(waiting.code or waiting.text)
    known = walk.known
    if walk.awaited is not None:
        missing = [part for part in _conjuncts(walk.awaited) if value_of(part, known) is False]
        return True, printable(" && ".join(c_text(part, known) for part in missing) or c_text(walk.awaited, known))
    calls = [line for line in walk.lines if not line.startswith("/*")]
    taken = [line for line in calls if is_taken(line, state)]
    return False, printable((taken or calls or _plain(waiting.code or waiting.text, known))[0])


def _conjuncts(condition: ast.expr) -> list[ast.expr]:
    match condition:
        case ast.BoolOp(op=ast.And(), values=parts):
            return [one for part in parts for one in _conjuncts(part)]
        case _:
            return [condition]


def _plain(code: str, known: Known) -> list[str]:
    """The default for a statement: its first line in C."""
    match parsed(code)[:1]:
        case [ast.Expr(value=value)]:
            return [printable(c_text(value, known))]
        case [ast.Assign(targets=[target], value=value)]:
            return [printable(f"{c_text(target, known)} = {c_text(value, known)}")]
        case _:
            head = code.splitlines()[0] if code else ""
            match = HEAD.fullmatch(head)
            if match is not None and match["word"] in ("if", "while"):
                return [printable(f"{match['word']} ({c_words(match['rest'].strip(' :'), known)})")]
            return [printable(c_words(head, known))]


def _is_shown(change: Change, ghosts: frozenset[str]) -> bool:
    return change.role == "data" and (not change.ghost or change.cell in ghosts) and not is_buffered(change.cell)
