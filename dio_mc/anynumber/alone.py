"""Reduces a program to single threads: what a step reads of other threads becomes boolean variables.

A thread may depend on the other threads of a kind only through questions to all of them, such as ``any(self.reading)``.
The answer combines those of the thread itself, of the fixed threads, and of all other threads of kinds. The last part
becomes a variable, an *oracle*. It is true if some other thread *decides* the question, that is, makes a disjunction
true or a conjunction false. Nothing else of other threads is read or written. So a step is determined by the common
cells, the thread's own row, and the values of the oracles.

The result is a program, which the reference interpreter runs. A program that is not of this form is rejected with a
located diagnostic (`Refused`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dio_mc.anynumber.conditions import NO_CRASHES, refusal
from dio_mc.anynumber.counters import counters_of
from dio_mc.anynumber.existence import Existence, Existing
from dio_mc.anynumber.naming import (
    Question,
    is_id,
    named_threads,
    sort_operands,
)
from dio_mc.anynumber.places import Places
from dio_mc.frontend import logic
from dio_mc.ir.expr import (
    FALSE,
    TRUE,
    And,
    Compare,
    Const,
    Expr,
    Load,
    Local,
    Me,
    Not,
    Or,
    children,
)
from dio_mc.ir.ops import Assign, Await, Block, Branch, Check, Choose, Halt, LocalTo, Op, Option, Spawn, StoreTo, Target
from dio_mc.ir.program import Program, Property, Variable
from dio_mc.ir.rebuild import rebuilt
from dio_mc.ir.types import BOOL
from dio_mc.source import Span


@dataclass(frozen=True, slots=True)
class Oracle:
    """The variable for the answer of all other threads to a question. `decides` has, for each kind concerned, the
    condition under which its first member, as one of the other threads, decides the question."""

    variable: int
    decides: tuple[tuple[int, Expr], ...]


@dataclass(frozen=True, slots=True)
class Alone:
    """The program with variables for oracles and existence; it is meaningful for steps of the fixed threads and of the
    first member of each kind. `properties` are those of the original program, with the variables of existence in place
    of existential questions. `counters` are the variables that are split into credits."""

    program: Program
    oracles: tuple[Oracle, ...]
    existing: tuple[Existing, ...] = ()
    properties: tuple[Property, ...] = ()
    counters: tuple[int, ...] = ()

    def decides(self, question: int) -> tuple[tuple[int, Expr], ...]:
        """The conditions under which a thread decides a question, for each kind concerned. The questions of oracles are
        numbered first, then those of existence."""
        return (*(o.decides for o in self.oracles), *(e.decides for e in self.existing))[question]


def alone(places: Places, *, credits: bool = True) -> Alone:
    """Reduce a program to single threads; `credits` allows counters to be split. Raises `Refused` (DIO256, DIO257,
    DIO258) if a thread depends on other threads in another way."""
    cut = _Cutter(places).cut()
    return replace(cut, counters=counters_of(places.program)) if credits else cut


class _Cutter:
    def __init__(self, places: Places) -> None:
        self.places = places
        self.program = places.program
        self.oracles: list[Oracle] = []
        self._span: Span | None = None
        self._keep: int | None = None

    def cut(self) -> Alone:
        first = {kind.template: kind.members[0] for kind in self.places.kinds}
        templates = []
        for number, template in enumerate(self.program.templates):
            self._keep = first.get(number)
            templates.append(replace(template, blocks=tuple(map(self._block, template.blocks))))
        existence = Existence(self.places, self.program.properties, len(self.program.variables) + len(self.oracles))
        variables = [Variable(f"others[{n}]", (f"others[{n}]",), (), BOOL, (0,)) for n in range(len(self.oracles))]
        variables += [Variable(f"some[{n}]", (f"some[{n}]",), (), BOOL, (0,)) for n in range(len(existence.asked))]
        program = replace(
            self.program, variables=(*self.program.variables, *variables), templates=tuple(templates), properties=()
        )
        return Alone(program, tuple(self.oracles), tuple(existence.asked), existence.properties)

    # -- code ----------------------------------------------------------------------------------------------------------

    def _block(self, block: Block) -> Block:
        ops = []
        for op in block.ops:
            self._span = op.span
            ops.append(self._op(op))
        terminator = block.terminator
        if isinstance(terminator, Branch):
            self._span = terminator.span
            terminator = replace(terminator, condition=self._expr(terminator.condition))
        return replace(block, ops=tuple(ops), terminator=terminator)

    def _op(self, op: Op) -> Op:
        match op:
            case Assign(targets, values):
                for target, value in zip(targets, values, strict=True):
                    self._store(target, value)
                return replace(op, targets=tuple(map(self._target, targets)), values=tuple(map(self._expr, values)))
            case Await(condition) | Check(condition):
                return replace(op, condition=self._expr(condition))
            case Choose(target, options):
                if isinstance(target, StoreTo) and self.places.holds_thread[target.variable]:
                    raise refusal("DIO256", "`choose` stores a thread id: a thread may store its own id only", op.span)
                chosen = tuple(Option(self._expr(o.value), o.when and self._expr(o.when)) for o in options)
                return replace(op, target=self._target(target), options=chosen)
            case Spawn(_, arguments):
                return replace(op, arguments=tuple(map(self._expr, arguments)))
            case Halt():
                raise refusal("DIO257", "a crash ends all other threads", op.span, NO_CRASHES)

    def _store(self, target: Target, value: Expr) -> None:
        if not isinstance(target, StoreTo) or not self.places.holds_thread[target.variable]:
            return
        if not (isinstance(value, Me) or (isinstance(value, Const) and not named_threads(self.places, value))):
            raise refusal("DIO256", "a thread stores an id that is not its own", target.span or self._span)

    def _target(self, target: Target) -> Target:
        if isinstance(target, LocalTo):
            return target
        self._own(target.variable, target.indices, target.span)
        return replace(target, indices=tuple(map(self._expr, target.indices)))

    def _own(self, variable: int, indices: Sequence[Expr], span: Span | None) -> None:
        """Raises `Refused` if an array of threads is not indexed by the running thread or by a fixed thread."""
        for dimension, index in zip(self.places.dimensions[variable], indices, strict=True):
            own = isinstance(index, Me) if dimension == "threads" else isinstance(index, Local)
            fixed = isinstance(index, Const) and not named_threads(self.places, Load(variable, tuple(indices), BOOL))
            if dimension != "plain" and not own and not fixed:
                name = self.program.variables[variable].name
                raise refusal("DIO258", f"`{name}` of another thread is used", span or self._span)

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _expr(self, expr: Expr) -> Expr:
        match expr:
            case And(operands) | Or(operands):
                return self._connective(expr, operands)
            case Load(variable, indices):
                if self.places.holds_thread[variable]:
                    raise refusal("DIO256", "a thread id is used other than in a comparison", expr.span or self._span)
                self._own(variable, indices, expr.span)
                return rebuilt(expr, self._expr)
            case Compare(op, left, right) if _about_ids(self.places, left) or _about_ids(self.places, right):
                return self._identity(expr, op, left, right)
            case Const() if named_threads(self.places, expr):
                raise refusal("DIO257", "a statement names one thread", self._span)
            case Not(operand):
                return logic.negation(self._expr(operand))
            case _:
                return rebuilt(expr, self._expr)

    def _identity(self, expr: Compare, op: str, left: Expr, right: Expr) -> Expr:
        """A comparison of thread ids, such as ``owner == me`` or ``owner is None``. Raises `Refused` unless it compares
        for equality an id cell with the running thread, a fixed thread or None."""
        cells = [side for side in (left, right) if isinstance(side, Load)]
        simple = all(
            isinstance(side, Load | Me) or (isinstance(side, Const) and not named_threads(self.places, side))
            for side in (left, right)
        )
        if op not in ("==", "!=") or len(cells) > 1 or not simple:
            raise refusal("DIO256", "thread ids are compared with something other than `me` or None", self._span)
        for cell in cells:
            self._own(cell.variable, cell.indices, cell.span)
        inside = {id(cell): replace(cell, indices=tuple(map(self._expr, cell.indices))) for cell in cells}
        return replace(expr, left=inside.get(id(left), left), right=inside.get(id(right), right))

    def _connective(self, expr: And | Or, operands: Sequence[Expr]) -> Expr:
        found = sort_operands(self.places, operands)
        if found.single:
            raise refusal("DIO257", "a condition treats one thread differently from the others", self._span)
        parts = [self._expr(part) for part in found.plain]
        decides: list[tuple[int, Expr]] = []
        for question in found.questions:
            first = self.places.kinds[question.kind].members[0]
            if first == self._keep:
                parts += [self._myself(part, first) for part in question.parts]
            other = self._others(question, first, isinstance(expr, And))
            if other != FALSE:
                decides.append((question.kind, other))
        if decides:
            variable = len(self.program.variables) + len(self.oracles)
            self.oracles.append(Oracle(variable, tuple(decides)))
            answer = Load(variable, (), BOOL)
            parts.append(Not(answer) if isinstance(expr, And) else answer)
        return logic.conjunction(parts) if isinstance(expr, And) else logic.disjunction(parts)

    def _myself(self, part: Expr, first: int) -> Expr:
        """The part of a question about `first` when `first` is the running thread."""
        return _resolved(self.places, part, first, me=True)

    def _others(self, question: Question, first: int, conjunction: bool) -> Expr:
        """The condition under which `first`, as one of the other threads, decides the question. Raises `Refused` if it
        depends on more than this thread: a step does not change other threads' rows, and so the answer is the same
        throughout the step."""
        parts = [_resolved(self.places, part, first, me=False) for part in question.parts]
        if conjunction:
            parts = [logic.negation(part) for part in parts]
        asked = logic.disjunction(parts)
        if not _is_about(self.places, asked, first):
            raise refusal("DIO258", "any or all over threads depends on more than the data of each thread", self._span)
        return asked


def _about_ids(places: Places, side: Expr) -> bool:
    match side:
        case Me():
            return True
        case Const(_, type_):
            return is_id(type_)
        case Load(variable):
            return places.holds_thread[variable]
        case _:
            return False


def _resolved(places: Places, expr: Expr, first: int, *, me: bool) -> Expr:
    """A question about `first` with its comparisons of `first` to the running thread evaluated; `me` tells whether they
    are the same."""
    match expr:
        case Compare(op, left, right) if op in ("==", "!=") and _names(left, first) and isinstance(right, Me):
            return TRUE if me == (op == "==") else FALSE
        case Compare(op, left, right) if op in ("==", "!=") and _names(right, first) and isinstance(left, Me):
            return TRUE if me == (op == "==") else FALSE
        case And(operands):
            return logic.conjunction([_resolved(places, o, first, me=me) for o in operands])
        case Or(operands):
            return logic.disjunction([_resolved(places, o, first, me=me) for o in operands])
        case Not(operand):
            return logic.negation(_resolved(places, operand, first, me=me))
        case _:
            return rebuilt(expr, lambda part: _resolved(places, part, first, me=me))


def _names(expr: Expr, thread: int) -> bool:
    return isinstance(expr, Const) and is_id(expr.type) and expr.value == thread


def _is_about(places: Places, expr: Expr, thread: int) -> bool:
    """Return whether an expression depends only on the row of this thread."""
    match expr:
        case Const():
            return True
        case Me() | Local():
            return False
        case Load(_, indices):
            fixed = all(isinstance(index, Const) for index in indices)
            return fixed and named_threads(places, expr) == {thread}
        case _:
            return all(_is_about(places, part, thread) for part in children(expr))
