"""Relaxed variables: a store waits in its thread's buffer until a daemon lets it reach memory.

The threads are compiled as if there were no buffers. Then their code is rewritten. A load searches the thread's own
buffer, newest store first, and then reads memory. A store is appended to the buffer, and waits while it is full. A step
that writes anything else, or starts a thread, waits until the buffer is empty, like a locked instruction. The daemon
takes the oldest store (``memory_model = "tso"``: x86), or any store that is not preceded by a barrier or by a store to
the same variable (``"pso"``). So engines, exports and evaluators handle an ordinary program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from dio_mc.errors import Diagnostic
from dio_mc.frontend import logic
from dio_mc.frontend.context import Context
from dio_mc.ir.expr import FALSE, TRUE, Compare, Const, Expr, Ite, Load, Local, Me, Not
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
from dio_mc.ir.program import LocalVariable, Location, Template, Variable
from dio_mc.ir.rebuild import rebuilt
from dio_mc.ir.types import BOOL, RangeType, ScalarType
from dio_mc.source import Span

THREAD = "store_buffers"
"""The name of the daemon that lets stores reach memory."""
OWN = ("which", "barrier", "fence")
"""The names of the buffers' administrative cells; the other cells are named after the relaxed variables."""
MODELS = ("tso", "pso")
MOST = 8
"""The largest number of stores in a buffer."""


@dataclass(frozen=True, slots=True)
class Buffers:
    """The variables of the store buffers. `which` has, for each thread and place, the number of the variable that is
    stored to (0: none), and `values` the values by variable. `barrier` marks stores that earlier stores must precede;
    `fence` marks threads whose next store is to be marked. `relaxed` numbers the variables from 1."""

    context: Context
    relaxed: Mapping[int, int]
    which: int
    values: Mapping[int, int]
    barrier: int
    fence: int
    depth: int
    reorders: bool

    # -- cells ---------------------------------------------------------------------------------------------------------

    def load(self, variable: int, thread: Expr, place: Expr | int | None = None) -> Load:
        """The value of a cell of a buffer."""
        at = _number(place) if isinstance(place, int) else place
        indices = (thread,) if at is None else (thread, at)
        return Load(variable, indices, self.context.variables[variable].type)

    def store(self, variable: int, thread: Expr, place: int | None = None) -> StoreTo:
        """A cell of a buffer as a target."""
        found = self.load(variable, thread, place)
        return StoreTo(variable, found.indices, found.type)

    def me(self) -> Expr:
        """The id of the running thread."""
        return Me(self.context.thread_id)

    def empty(self, thread: Expr, place: int = 0) -> Expr:
        """Whether a place, and every later place, is free."""
        return Compare("==", self.load(self.which, thread, place), self.number(0))

    def number(self, value: int) -> Const:
        """The number of a variable as a constant of the type of `which`."""
        return Const(value, self.context.variables[self.which].type)

    def seen(self, expr: Expr) -> Expr:
        """An expression as the running thread evaluates it, with loads that search its buffer first."""
        inner = rebuilt(expr, self.seen)
        if not isinstance(inner, Load) or inner.variable not in self.relaxed:
            return inner
        found: Expr = inner
        for place in range(self.depth):
            own = Compare("==", self.load(self.which, self.me(), place), self.number(self.relaxed[inner.variable]))
            found = Ite(own, self.load(self.values[inner.variable], self.me(), place), found, inner.type)
        return found

    # -- the code of a thread ------------------------------------------------------------------------------------------

    def rewritten(self, template: Template) -> Template:
        """A template whose loads and stores go through the buffer."""
        return replace(template, blocks=tuple(map(self._block, template.blocks)))

    def _block(self, block: Block) -> Block:
        end = block.terminator
        if isinstance(end, Branch):
            end = replace(end, condition=self.seen(end.condition))
        return replace(block, ops=tuple(op for one in block.ops for op in self._op(one)), terminator=end)

    def _op(self, op: Op) -> list[Op]:
        drained = Await(self.empty(self.me()), op.span)
        match op:
            case Await(condition) | Check(condition):
                return [replace(op, condition=self.seen(condition))]
            case Choose(target, options):
                seen = tuple(Option(self.seen(o.value), o.when and self.seen(o.when)) for o in options)
                if isinstance(target, StoreTo) and target.variable in self.relaxed:
                    self._told(op.span, "is chosen", "choose into a local first")
                chosen = replace(op, target=self._target(target), options=seen)
                return [drained, chosen] if self._is_strong(target) else [chosen]
            case Spawn(_, arguments):
                return [drained, replace(op, arguments=tuple(map(self.seen, arguments)))]
            case Halt():
                self._told(op.span, "beside a crash", "a model has relaxed variables or crashes")
                return [op]
            case Assign(targets, values):
                return self._assign(op, targets, values, drained)

    def _is_strong(self, target: Target) -> bool:
        own = (self.which, self.barrier, self.fence)
        return (
            isinstance(target, StoreTo)
            and target.variable not in (*self.relaxed, *own)
            and not self.context.variables[target.variable].ghost
        )

    def _target(self, target: Target) -> Target:
        if isinstance(target, LocalTo):
            return target
        return replace(target, indices=tuple(map(self.seen, target.indices)))

    def _assign(self, op: Assign, targets: Sequence[Target], values: Sequence[Expr], drained: Op) -> list[Op]:
        pairs = [(self._target(t), self.seen(v)) for t, v in zip(targets, values, strict=True)]
        weak = [(t, v) for t, v in pairs if isinstance(t, StoreTo) and t.variable in self.relaxed]
        others = [(t, v) for t, v in pairs if not (isinstance(t, StoreTo) and t.variable in self.relaxed)]
        strong = any(self._is_strong(t) for t, _ in others)
        if len(weak) > 1 or (weak and strong):
            self._told(op.span, "is stored to beside others", "one statement stores to one relaxed variable")
        before: list[Op] = [drained] if strong else []
        for target, value in weak[:1]:
            assert isinstance(target, StoreTo)
            before.append(Await(self.empty(self.me(), self.depth - 1), op.span))
            others += self._appended(target.variable, value)
        found = Assign(tuple(t for t, _ in others), tuple(v for _, v in others), op.span)
        return [*before, found]

    def _appended(self, variable: int, value: Expr) -> list[tuple[Target, Expr]]:
        """The assignments that append a store at the first free place."""
        me = self.me()
        found: list[tuple[Target, Expr]] = []
        for place in range(self.depth):
            here = [self.empty(me, place)] + ([Not(self.empty(me, place - 1))] if place else [])
            first = logic.conjunction(here)
            for cells, new in ((self.which, self.number(self.relaxed[variable])), (self.values[variable], value)):
                old = self.load(cells, me, place)
                found.append((self.store(cells, me, place), Ite(first, new, old, old.type)))
            if self.reorders and place:
                after = logic.conjunction([first, self.load(self.fence, me)])
                kept = logic.disjunction([self.load(self.barrier, me, place), after])
                found.append((self.store(self.barrier, me, place), kept))
        if self.reorders:
            found.append((self.store(self.fence, me), FALSE))
        return found

    def _told(self, span: Span | None, what: str, hint: str) -> None:
        self.context.diagnostics.add(Diagnostic("DIO114", f"a relaxed variable {what}", span, hint))

    # -- the daemon ----------------------------------------------------------------------------------------------------

    def daemon(self) -> Template:
        """The daemon, which repeatedly takes a store of some thread."""
        threads = range(len(self.context.threads))
        owner = Local(0, "thread", RangeType(0, len(threads) - 1))
        place = Local(1, "place", RangeType(0, self.depth - 1))
        whose = tuple(Option(_number(t), Not(self.empty(_number(t)))) for t in threads)
        ops: list[Op] = [Choose(LocalTo(0, "thread", owner.type), whose)]
        if self.reorders:
            ready = tuple(Option(_number(s), self._ready(owner, s)) for s in range(self.depth))
            ops.append(Choose(LocalTo(1, "place", place.type), ready))
        else:
            ops.append(Assign((LocalTo(1, "place", place.type),), (Const(0, place.type),)))
        pairs = [*self._reaches(owner, place), *self._moves_up(owner, place)]
        ops.append(Assign(tuple(t for t, _ in pairs), tuple(v for _, v in pairs)))
        ends = Location("end", -1, "end", None, (), (0, 1))
        drains = Location(f"{THREAD}+1", 0, "drain()", None, (), (0, 1))
        names = (LocalVariable("thread", owner.type, 0), LocalVariable("place", place.type, 0))
        return Template(THREAD, True, False, 0, names, (Block(tuple(ops), Jump(0), 1),), (ends, drains), 0)

    def _ready(self, owner: Expr, place: int) -> Expr:
        """Whether the store at a place may reach memory before the earlier stores of its buffer."""
        own = self.load(self.which, owner, place)
        parts: list[Expr] = [Not(self.empty(owner, place))]
        parts += [Compare("!=", self.load(self.which, owner, earlier), own) for earlier in range(place)]
        parts += [Not(self.load(self.barrier, owner, behind)) for behind in range(1, place + 1)]
        return logic.conjunction(parts)

    def _reaches(self, owner: Expr, place: Expr) -> list[tuple[Target, Expr]]:
        found: list[tuple[Target, Expr]] = []
        for variable, number in self.relaxed.items():
            type_ = self.context.variables[variable].type
            taken = Compare("==", self.load(self.which, owner, place), self.number(number))
            value = self.load(self.values[variable], owner, place)
            found.append((StoreTo(variable, (), type_), Ite(taken, value, Load(variable, (), type_), type_)))
        return found

    def _moves_up(self, owner: Expr, place: Expr) -> list[tuple[Target, Expr]]:
        """The assignments that move every store after the taken place one place forward."""
        found: list[tuple[Target, Expr]] = []
        cells = [self.which, *self.values.values(), *([self.barrier] if self.reorders else [])]
        for variable in cells:
            declared = self.context.variables[variable]
            free = Const(declared.init[0], declared.type)
            for at in range(self.depth):
                following = self.load(variable, owner, at + 1) if at + 1 < self.depth else free
                old = self.load(variable, owner, at)
                before = Compare("<", Const(at, place.type), place)
                kept = FALSE if variable == self.barrier and at == 0 else Ite(before, old, following, old.type)
                found.append((self.store(variable, owner, at), kept))
        if self.reorders:
            last = self.empty(owner, 1) if self.depth > 1 else TRUE
            found.append((self.store(self.fence, owner), logic.conjunction([self.load(self.fence, owner), Not(last)])))
        return found


def lay_out(context: Context, names: Sequence[str]) -> Buffers:
    """Create the variables of the buffers; report relaxed variables and settings that are not allowed."""
    depth, model = int(getattr(context.model, "store_buffer", 2)), str(getattr(context.model, "memory_model", "tso"))
    relaxed: dict[int, int] = {}
    for number, variable in enumerate(context.variables):
        if variable.path[0] in names:
            relaxed[number] = len(relaxed) + 1
            if variable.path != (variable.path[0],) or variable.ghost:
                message = f"`{variable.path[0]}` cannot be relaxed: only a scalar that is not a ghost can"
                context.diagnostics.add(Diagnostic("DIO109", message, variable.span))
            elif variable.path[0] in OWN:
                message = f"a relaxed variable cannot be called `{variable.path[0]}`: a part of the store buffers is"
                context.diagnostics.add(Diagnostic("DIO109", message, variable.span, "give it another name"))
    if model not in MODELS:
        message = f"memory_model is {model!r}; there are: {', '.join(MODELS)}"
        context.diagnostics.add(Diagnostic("DIO109", message, _where(context, "memory_model")))
    if not 1 <= depth <= MOST:
        message = f"store_buffer is {depth}; a buffer holds 1 to {MOST} stores"
        context.diagnostics.add(Diagnostic("DIO109", message, _where(context, "store_buffer")))
        depth = 1
    place = partial(_place, context, len(context.threads))
    which = place(".which", RangeType(0, len(relaxed)), 0, depth)
    values = {n: place(f".{context.variables[n].name}", context.variables[n].type, context.variables[n].init[0], depth)
              for n in relaxed}  # fmt: skip
    barrier = fence = -1
    if model == "pso":
        barrier, fence = place(".barrier", BOOL, 0, depth), place(".fence", BOOL, 0, None)
    return Buffers(context, relaxed, which, values, barrier, fence, depth, model == "pso")


def _where(context: Context, name: str) -> Span | None:
    """The place where the nearest class assigns an attribute."""
    from dio_mc.frontend.declare import attribute_span

    owner = next(cls for cls in context.model.__mro__ if name in vars(cls))
    return attribute_span(owner, name)


def _place(context: Context, threads: int, name: str, type_: ScalarType, init: int, depth: int | None) -> int:
    shape = (threads,) if depth is None else (threads, depth)
    path = ("store_buffer", name, *(None for _ in shape))
    size = threads * (depth or 1)
    context.variables.append(Variable(f"store_buffer{name}", path, shape, type_, (init,) * size))
    return len(context.variables) - 1


def _number(value: int) -> Const:
    return Const(value, RangeType(value, value))
