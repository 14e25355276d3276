"""The statements of a step, executed with the values that the trace stores."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from dio_mc.render.buffers import is_buffered
from dio_mc.render.choice import choices_of, is_choice, option_text
from dio_mc.render.expression import c_text, negated, parsed, parsed_expression
from dio_mc.render.locking import asks_a_lock, held_words
from dio_mc.render.statement import is_plain, learned_by, printable, root_of
from dio_mc.render.values import (
    UNKNOWN,
    Known,
    Value,
    c_word,
    cell_name,
    cells_below,
    range_of,
    read_c,
    show,
    value_of,
    written_root,
)
from dio_mc.trace.trace import TraceStep, Waiting

_MOST_ROUNDS = 16
HEAD = re.compile(r"(?P<word>if|while|elif|for|else)\b:?(?P<rest>.*)", re.DOTALL)
"""The head of a compound statement, whose text may be truncated."""


class _Stop(Exception):
    """The rest of a step cannot be determined, or there is none."""


class StatementWalk:
    """A walk through a step's statements with the values of the trace. It writes for each statement
    what the step's changes do not show. For a thread that waits, it stops at the condition that is
    not met.

    `lines` are the lines written, `quiet` those that are used if there are no others. `reported` are
    the locals whose new values the lines show. `computed` are locals with the expressions assigned
    to them, `unread` those of them that no later expression reads. `returned` is the value of a
    ``return``, `awaited` the condition that is not met.
    """

    def __init__(
        self, step: TraceStep | Waiting, known: Known, waited: bool, hidden: frozenset[str], done: str = ""
    ) -> None:
        self.known = known
        self.lines: list[str] = []
        self.quiet: list[str] = []
        self.reported: set[str] = set()
        self.computed: dict[str, ast.expr] = {}
        self.unread: set[str] = set()
        self.returned: Value = UNKNOWN
        self._done = done
        self._waited = waited
        self._hidden = {root_of(cell) for cell in hidden}
        self.awaited: ast.expr | None = None
        self._step = step if isinstance(step, TraceStep) else None
        self._changed = {change.cell for change in self._step.changes} if self._step else set()
        self._choices = list(self._step.choice) if self._step else []

    def code(self, code: str) -> None:
        """Process the statements of a step's text; of a truncated text, the complete ones."""
        match = HEAD.fullmatch(code)
        body = parsed(code)
        try:
            if body:
                self._body(body)
            elif match is not None and match["word"] in ("if", "while"):
                test = parsed_expression(match["rest"].strip(" :"))
                if test is not None:
                    self._branch(test)
                else:
                    self._seen(_cells_in(match["rest"], self.known))
            elif code.endswith("..."):
                whole, _, _ = code.rpartition("; ")
                self._body(parsed(whole.replace("; ", "\n")))
        except (_Stop, RecursionError):
            return

    def _body(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self._statement(statement)

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Call() as call):
                self._call(call)
            case ast.Assign(targets=[target], value=value) | ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(target, value, value)
            case ast.AugAssign(target=target, op=op, value=value):
                self._assign(target, ast.BinOp(target, op, value), None)
            case ast.If(test=test, body=body, orelse=orelse):
                self._body(body if self._branch(test) else orelse)
            case ast.With(body=body):
                self._body(body)
            case ast.Assert(test=test):
                self.quiet.append(f"assert({c_text(test, self.known)})")
            case ast.For():
                self._rounds(node)
            case ast.Return(value=value):
                if value is not None:
                    self._returns(value)
                raise _Stop
            case ast.While() | ast.Break() | ast.Continue():
                raise _Stop
            case _:
                pass

    def _call(self, call: ast.Call) -> None:
        self._reads(call)
        match call:
            case ast.Call(func=ast.Name(id="wait_until"), args=[condition]):
                if self._step is None and value_of(condition, self.known) is not True:
                    self.awaited = condition
                    raise _Stop
                shown = c_text(condition, self.known)
                self.lines.append(comment(f"waited until {shown}" if self._waited else f"sees {shown}"))
            case ast.Call(func=ast.Name(id="require")):
                pass
            case ast.Call(func=ast.Attribute(value=ast.Call(func=ast.Name(id="super")))) if self._changed:
                pass  # the operation itself, which the call above it already shows
            case _:
                self.lines.append(c_text(call, self.known))

    def _branch(self, test: ast.expr) -> bool:
        """Write a condition and return which way it went."""
        if is_choice(test):
            chosen = self._choose(next(choices_of(test)))
            if isinstance(chosen, bool):
                return chosen
            raise _Stop
        self._reads(test)
        found = value_of(test, self.known)
        if isinstance(found, int) and self._only_counts(test):  # a trace stores parameters as numbers
            return bool(found)
        if not isinstance(found, bool):
            self._seen(_cells_in(ast.unparse(test), self.known))
            raise _Stop
        if _name_of(test) in self.computed:
            return found
        met = test if found else negated(test)
        if asks_a_lock(test):
            self.quiet.append(comment(held_words(met, self.known) or f"sees {c_text(met, self.known)}"))
        else:
            self._sees(met)
        return found

    def _only_counts(self, test: ast.expr) -> bool:
        """Whether a condition depends only on parameters and counters."""
        names = {part.id for part in ast.walk(test) if isinstance(part, ast.Name)} - {"self"}
        roots = {part.attr for part in ast.walk(test) if isinstance(part, ast.Attribute)}
        counters = [self.known.local(name) for name in names]
        counts = all(isinstance(value, int) and not isinstance(value, bool) for value in counters)
        return counts and bool(roots) and roots <= self.known.params.keys()

    def _sees(self, condition: ast.expr) -> None:
        """Write a condition that is met. ``x == a`` makes earlier lines ``x != b`` superfluous."""
        line = comment(f"sees {c_text(condition, self.known)}")
        if self.lines[-1:] == [line]:
            return
        if " == " in line and line.count(" == ") == 1 and "&&" not in line and "||" not in line:
            start = line.partition(" == ")[0] + " != "
            self.lines = [one for one in self.lines if not one.startswith(start)]
        self.lines.append(line)

    def _seen(self, cells: list[str]) -> None:
        if cells:
            cells_text = ", ".join(f"{name} = {show(self.known.cell(name))}" for name in cells)
            self.lines.append(comment(f"sees {cells_text}"))

    def _choose(self, call: ast.Call) -> Value:
        """Write the option that was chosen."""
        if not self._choices:
            return UNKNOWN
        position = self._choices.pop(0)
        shown = option_text(call, position, self.known)
        self.lines.append(comment(f"chooses {shown}" if shown else f"choice {position}"))
        return read_c(shown) if shown else UNKNOWN

    def _rounds(self, node: ast.For) -> None:
        numbers = range_of(node.iter, self.known)
        if numbers is None or len(numbers) > _MOST_ROUNDS or not isinstance(node.target, ast.Name):
            raise _Stop
        for number in numbers:
            self.known.learned[node.target.id] = number
            self._body(node.body)

    def _returns(self, value: ast.expr) -> None:
        self._reads(value)
        self.lines.append(f"return {c_text(value, self.known)}")
        self.returned = value_of(value, self.known)
        learned = [change.after for _, change in learned_by(self._step)] if self._step else []
        known = self.returned is not UNKNOWN and not isinstance(value, ast.Constant)
        if known and self._step and str(self.returned) not in learned:
            self.lines.append(comment(f"returns {show(self.returned)}"))

    def _assign(self, target: ast.expr, value: ast.expr, plain: ast.expr | None) -> None:
        match target, value:
            case ast.Tuple(elts=targets), ast.Tuple(elts=values) if len(targets) == len(values):
                for one, what in zip(targets, values, strict=True):
                    self._assign(one, what, what)
                return
        self._reads(value, *([target] if not isinstance(target, ast.Name) else []))
        if is_choice(value):
            found = self._choose(next(choices_of(value)))
            if isinstance(target, ast.Name):
                self.reported.add(target.id)
        else:
            found = value_of(value, self.known)
            self._assignment(target, value, found, plain)
        self._remember(target, found)

    def _assignment(self, target: ast.expr, value: ast.expr, found: Value, plain: ast.expr | None) -> None:
        """Write what the assignment's change of the state does not show."""
        if isinstance(target, ast.Name):
            source = cell_name(value, self.known)
            if source in self.known.state:
                self.reported.add(target.id)
                self.lines.append(comment(f"reads {source}: {show(self.known.cell(source))}"))
            elif not is_plain(value, with_locals=True):
                self.lines.append(f"{self.known.name_of(target.id)} = {c_text(value, self.known)}")
                self.computed[target.id] = value
                self.unread.add(target.id)
            return
        if written_root(target) in self._hidden:
            return
        cell = cell_name(target, self.known)
        if self._is_buffered(cell):
            self.lines += [f"{cell} = {c_text(value, self.known)}", comment("in the store buffer")]
            return
        if self._done and plain is not None and _called_of(plain) == self._done and cell in self.known.state:
            plain = ast.Constant(None)  # the call has returned, and its arguments are no longer known
        if plain is None or not is_plain(plain, with_locals=True):
            shown = f"{c_text(target, self.known)} = {c_text(value, self.known)}"
            if plain is not None or cell not in self._changed:
                self.lines.append(shown)
        if cell in self.known.state and cell not in self._changed and self._step and not self._step.fault:
            self.lines.append(comment(f"{cell} stays {c_word(self.known.state[cell])}"))

    def _reads(self, *nodes: ast.expr) -> None:
        """Locals in these expressions are read."""
        self.unread -= {part.id for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)}

    def _is_buffered(self, cell: str) -> bool:
        """Whether the step stores to a relaxed variable."""
        stored = any(is_buffered(name) for name in self._changed)
        return stored and any(name.startswith(f"store_buffer.{cell}[") for name in self.known.state)

    def _remember(self, target: ast.expr, found: Value) -> None:
        if isinstance(target, ast.Name):
            self.known.learned[target.id] = found
            return
        cell, root = cell_name(target, self.known), written_root(target)
        for name in [cell] if cell in self.known.state else cells_below(cell or root, self.known.state):
            self.known.changed[name] = found if name == cell else UNKNOWN


def _name_of(test: ast.expr) -> str:
    """The local whose truth a condition tests."""
    inner = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else test
    return inner.id if isinstance(inner, ast.Name) else ""


def _called_of(value: ast.expr) -> str:
    """The method of the model that an expression calls."""
    match value:
        case ast.Call(func=ast.Attribute(attr=name)):
            return name
        case _:
            return ""


def _cells_in(text: str, known: Known) -> list[str]:
    """The shared cells that a condition names."""
    node = parsed_expression(text)
    parts = ast.walk(node) if node is not None else ()
    named = [cell_name(part, known) for part in parts if isinstance(part, ast.expr)]
    return [name for name in dict.fromkeys(named) if name in known.state]


def comment(text: str) -> str:
    """A comment in C."""
    return f"/* {printable(text).replace('*/', '* /')} */"
