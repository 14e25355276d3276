"""Rewrites a program for one *tracked* page; the data of all other pages is abstracted to arbitrary values.

An array with one element per page keeps two elements: that of the tracked page, and one that stands for all other pages
and has an arbitrary value in every step. A local that names a page holds `TRACKED` or `ELSEWHERE`. A local that
iterates over all pages holds its position relative to the tracked page: before it, on it, after it, or at the end. A
question to all pages is asked of the tracked page, and the other pages may give any answer. A check of another page is
left out, because it is made when that page is the tracked one. A template with one thread per page is split in two: the
thread of the tracked page, and a kind for the threads of other pages, which may be empty.

So for every choice of the tracked page, each step of the original program is a step of the rewritten one. The argument
is in docs/any-number.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dio_mc.anynumber.conditions import NO_CRASHES, refusal
from dio_mc.anynumber.one_page import Naming
from dio_mc.anynumber.pages import Elsewhere, Pages, is_next, slice_of
from dio_mc.frontend import logic
from dio_mc.ir.expr import And, Arith, Compare, Const, Expr, Ite, Load, Local, Not, Or, type_of, walk
from dio_mc.ir.ops import (
    Assign,
    Await,
    Block,
    Branch,
    Check,
    Choose,
    Halt,
    Jump,
    LocalTo,
    Op,
    Option,
    Spawn,
    StoreTo,
    Target,
)
from dio_mc.ir.program import LocalVariable, Program, Template, Thread, Variable
from dio_mc.ir.rebuild import rebuilt
from dio_mc.ir.types import BOOL, RangeType, bounds
from dio_mc.source import Span

TRACKED: Final = 0
"""The value of a local that names the tracked page."""
ELSEWHERE: Final = 1
"""The value of a local that names another page; in a local that iterates over pages, a page before the tracked one."""
AFTER: Final = 2
"""The value of a local that iterates over pages when it is at a page after the tracked one."""
END: Final = 3
"""The value of a local that iterates over pages when it has passed the last page."""
_NAMES: Final = RangeType(TRACKED, ELSEWHERE)
_COUNTS: Final = RangeType(TRACKED, END)


def tracked(program: Program, pages: Pages) -> tuple[Program, Elsewhere]:
    """The program rewritten for one tracked page, without its properties (`one_page` rewrites these), and the data that
    is unknown in it. Raises `Refused` (DIO257, DIO262) if pages are used other than as indexes, in comparisons for
    equality and in loops over all pages."""
    return _Rewriting(program, pages).run()


class _Rewriting:
    def __init__(self, program: Program, pages: Pages) -> None:
        self.program, self.pages = program, pages
        self.naming = Naming(program, pages)
        self.anything: list[Variable] = []
        self._template = 0
        self._asked = False
        self._span: Span | None = None

    def run(self) -> tuple[Program, Elsewhere]:
        variables = tuple(self._variable(v, variable) for v, variable in enumerate(self.program.variables))
        templates = [self._rewritten(t, template) for t, template in enumerate(self.program.templates)]
        threads, optional = list(self.program.threads), set[int]()
        for t in sorted(self.pages.templates):
            optional.add(len(templates))
            for position, thread in enumerate(threads):
                if thread.template == t and thread.number > 0:
                    threads[position] = Thread(thread.name, len(templates), thread.number - 1)
            templates.append(_elsewhere(templates[t]))
        first = len(variables)
        program = replace(
            self.program,
            variables=(*variables, *self.anything),
            templates=tuple(templates),
            threads=tuple(threads),
            regions=(),
            properties=(),
        )
        anything = frozenset(range(first, first + len(self.anything)))
        return program, Elsewhere(dict(self.pages.dimensions), anything, frozenset(optional))

    def _variable(self, number: int, variable: Variable) -> Variable:
        dimension = self.pages.dimensions.get(number)
        if dimension is None:
            return variable
        shape = (*variable.shape[:dimension], 2, *variable.shape[dimension + 1 :])
        element = slice_of(variable.shape, variable.init, dimension, 0)
        inner = 1
        for extent in variable.shape[dimension + 1 :]:
            inner *= extent
        rows = [element[n : n + inner] for n in range(0, len(element), inner)]
        return replace(variable, shape=shape, init=tuple(value for row in rows for value in (*row, *row)))

    # -- templates -----------------------------------------------------------------------------------------------------

    def _rewritten(self, number: int, template: Template) -> Template:
        self._template = number
        locals_ = tuple(
            LocalVariable(local.name, self._type(n), TRACKED) if self._is_page(n) else local
            for n, local in enumerate(template.locals)
        )
        return replace(template, locals=locals_, blocks=tuple(map(self._block, template.blocks)))

    def _is_page(self, local: int) -> bool:
        return (self._template, local) in self.pages.locals

    def _is_counter(self, local: int) -> bool:
        return (self._template, local) in self.pages.counters

    def _type(self, local: int) -> RangeType:
        return _COUNTS if self._is_counter(local) else _NAMES

    def _block(self, block: Block) -> Block:
        ops: list[Op] = []
        for op, asked in self._checked_once(block.ops):
            self._span, self._asked = op.span, asked
            ops += self._op(op)
        self._asked = False
        end = block.terminator
        if isinstance(end, Branch):
            self._span = end.span
            end = replace(end, condition=self._expr(end.condition))
        return replace(block, ops=tuple(ops), terminator=end)

    def _checked_once(self, ops: Sequence[Op]) -> list[tuple[Op, bool]]:
        """The operations, where a sequence of checks of every page is reduced to the check of the tracked page; each
        operation with whether it is such a check."""
        kept: list[tuple[Op, bool]] = []
        waiting: list[Check] = []
        for op in ops:
            if isinstance(op, Check) and self.naming.singly(op.condition):
                waiting.append(op)
                continue
            kept += self._of_the_tracked(waiting)
            waiting = []
            kept.append((op, False))
        return [*kept, *self._of_the_tracked(waiting)]

    def _of_the_tracked(self, checks: list[Check]) -> list[tuple[Op, bool]]:
        found = self.naming.sorted([check.condition for check in checks])
        if found.single:
            raise self._named(checks[0].span)
        wanted = [id(part) for part in found.asked]
        return [(check, True) for check in checks if id(check.condition) in wanted]

    def _named(self, span: Span | None) -> Exception:
        return refusal("DIO262", "a statement names one page by its number", span or self._span)

    # -- statements ----------------------------------------------------------------------------------------------------

    def _op(self, op: Op) -> list[Op]:
        match op:
            case Assign(targets, values):
                return self._assign(op, targets, values)
            case Await(condition):
                return [replace(op, condition=self._expr(condition))]
            case Check(condition):
                return [replace(op, condition=self._on_the_tracked(condition))]
            case Choose(target, options):
                return [self._choose(op, target, options)]
            case Spawn(template, arguments):
                pairs = [self._flow(a, (template, n)) for n, a in enumerate(arguments)]
                return [replace(op, arguments=tuple(pairs))]
            case Halt():
                raise refusal("DIO257", "a crash ends all other threads", op.span, NO_CRASHES)

    def _on_the_tracked(self, condition: Expr) -> Expr:
        """The condition of a check of one page, weakened to hold if this is not the tracked page."""
        reached = {p.index for p in walk(condition) if isinstance(p, Local) and self._is_page(p.index)}
        after = self._expr(condition)
        if len(reached) != 1:
            return after
        (local,) = reached
        return logic.disjunction([Not(self._is(local, TRACKED)), after])

    def _assign(self, op: Assign, targets: Sequence[Target], values: Sequence[Expr]) -> list[Op]:
        kept: list[tuple[Target, Expr]] = []
        moved: list[Op] = []
        for target, value in zip(targets, values, strict=True):
            match target:
                case LocalTo(index) if self._is_counter(index):
                    moved.append(self._counted(index, target.name, value, op.span))
                case LocalTo(index) if self._is_page(index):
                    kept.append((replace(target, type=_NAMES), self._flow(value, (self._template, index))))
                case _:
                    kept.append((self._target(target), self._stored(target, self._expr(value))))
        first = [replace(op, targets=tuple(t for t, _ in kept), values=tuple(v for _, v in kept))] if kept else []
        return [*first, *moved]

    def _stored(self, target: Target, value: Expr) -> Expr:
        """The value to store, replaced by one in range if it is stored for a page that is not the tracked one. So a
        range fault is reported for the tracked page only."""
        if not isinstance(target, StoreTo) or target.variable not in self.pages.dimensions:
            return value
        (low, high), (least, most) = bounds(target.type), bounds(type_of(value))
        if low <= least and most <= high:
            return value
        index = target.indices[self.pages.dimensions[target.variable]]
        if not isinstance(index, Local):
            raise self._named(target.span)
        return Ite(self._is(index.index, TRACKED), value, Const(low, target.type), type_of(value))

    def _counted(self, local: int, name: str, value: Expr, span: Span | None) -> Choose:
        """The assignment of the first or the next page to a local that iterates over pages, as a choice of positions
        relative to the tracked page."""
        target = LocalTo(local, name, _COUNTS)
        if isinstance(value, Const) and value.value == 0:
            return Choose(target, (_option(TRACKED), _option(ELSEWHERE)), span)
        if not is_next(value, local):
            raise refusal("DIO262", f"`{name}` does not go through all pages from the first to the last", span)
        before = self._is(local, ELSEWHERE)
        options = (_option(ELSEWHERE, before), _option(TRACKED, before))
        return Choose(target, (*options, _option(AFTER, Not(before)), _option(END, Not(before))), span)

    def _flow(self, value: Expr, slot: tuple[int, int]) -> Expr:
        """The value assigned to the local `slot` (template, index), rewritten for a page if the local names one."""
        if slot not in self.pages.locals:
            return self._expr(value)
        if not (isinstance(value, Local) and self._is_page(value.index)) or slot in self.pages.counters:
            raise self._named(self._span)
        return self._page(value)

    def _page(self, local: Local) -> Expr:
        """The page that a local names, as an index into the arrays of two elements."""
        own = replace(local, type=self._type(local.index))
        if not self._is_counter(local.index):
            return own
        return Ite(self._is(local.index, TRACKED), Const(TRACKED, _NAMES), Const(ELSEWHERE, _NAMES), _NAMES)

    def _is(self, local: int, code: int) -> Expr:
        name = self.program.templates[self._template].locals[local].name
        return Compare("==", Local(local, name, self._type(local)), Const(code, self._type(local)))

    def _choose(self, op: Choose, target: Target, options: Sequence[Option]) -> Choose:
        if isinstance(target, LocalTo) and self._is_page(target.index):
            chosen = [o.value.value for o in options if isinstance(o.value, Const) and o.when is None]
            if chosen != list(range(self.pages.count)) or self._is_counter(target.index):
                raise refusal("DIO262", f"`{target.name}` is chosen from some of the pages only", op.span)
            return replace(op, target=replace(target, type=_NAMES), options=(_option(TRACKED), _option(ELSEWHERE)))
        chosen_ = tuple(
            Option(self._stored(target, self._expr(o.value)), o.when and self._expr(o.when)) for o in options
        )
        return replace(op, target=self._target(target), options=chosen_)

    def _target(self, target: Target) -> Target:
        if isinstance(target, LocalTo):
            return target
        return replace(target, indices=self._indices(target.variable, target.indices))

    def _indices(self, variable: int, indices: Sequence[Expr]) -> tuple[Expr, ...]:
        return tuple(
            self._index(index) if self.pages.dimensions.get(variable) == d else self._expr(index)
            for d, index in enumerate(indices)
        )

    def _index(self, index: Expr) -> Expr:
        match index:
            case Local(number) if self._is_page(number):
                return self._page(index)
            case Const(0) if self._asked:  # the tracked page in a question to all pages
                return index
            case Const():
                raise self._named(self._span)
            case _:
                raise refusal("DIO262", "the number of a page is computed", self._span)

    # -- expressions ---------------------------------------------------------------------------------------------------

    def _expr(self, expr: Expr) -> Expr:
        match expr:
            case And(operands) | Or(operands):
                return self._connective(expr, operands)
            case Load(variable, indices):
                return replace(expr, indices=self._indices(variable, indices))
            case Compare(op, left, right) if self._local(left) is not None or self._local(right) is not None:
                return self._compared(op, left, right)
            case Local(index) if self._is_page(index):
                raise refusal("DIO262", f"`{expr.name}`, the number of a page, is used as a number", self._span)
            case Arith():
                return rebuilt(expr, self._expr)
            case _:
                return rebuilt(expr, self._expr)

    def _local(self, side: Expr) -> int | None:
        return side.index if isinstance(side, Local) and self._is_page(side.index) else None

    def _compared(self, op: str, left: Expr, right: Expr) -> Expr:
        one, other = self._local(left), self._local(right)
        if one is not None and self._is_counter(one) and op == "<" and right == Const(self.pages.count, type_of(right)):
            return Not(self._is(one, END))
        if one is None or other is None or op not in ("==", "!="):
            raise refusal("DIO262", "the number of a page is compared with a number", self._span)
        both = And((self._is(one, TRACKED), self._is(other, TRACKED)))
        neither = And((Not(self._is(one, TRACKED)), Not(self._is(other, TRACKED)), self._something()))
        return Or((both, neither)) if op == "==" else Not(Or((both, neither)))

    def _connective(self, expr: And | Or, operands: Sequence[Expr]) -> Expr:
        found = self.naming.sorted(operands)
        if found.single:
            raise self._named(self._span)
        parts = [self._expr(part) for part in found.plain]
        if found.asked:
            before, self._asked = self._asked, True
            parts += [self._expr(part) for part in found.asked]
            self._asked = before
            parts.append(self._something())
        return logic.conjunction(parts) if isinstance(expr, And) else logic.disjunction(parts)

    def _something(self) -> Expr:
        """A read of a new boolean variable that has an arbitrary value in every step."""
        name = f"elsewhere[{len(self.anything)}]"
        self.anything.append(Variable(name, (name,), (), BOOL, (0,)))
        return Load(len(self.program.variables) + len(self.anything) - 1, (), BOOL)


def _option(code: int, when: Expr | None = None) -> Option:
    return Option(Const(code, _COUNTS), when)


def _elsewhere(template: Template) -> Template:
    """The template for the threads of other pages: its page argument becomes a local that is initialised to
    `ELSEWHERE`."""
    number = template.locals[0]
    first = Assign((LocalTo(0, number.name, number.type),), (Const(ELSEWHERE, _NAMES),), template.span)
    blocks = (*template.blocks, Block((first,), Jump(template.entry)))
    name = f"{template.name} of another page"
    return replace(template, name=name, parameters=0, blocks=blocks, entry=len(template.blocks))
