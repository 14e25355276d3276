"""A second implementation of the semantics, as short and direct as possible: a recursive walk over
the IR, without compilation or search.

It shares only the data classes of the interface with the interpreter; fault messages are not
compared. Steps are a list without duplicates of (action, successor or fault kind).
"""

from collections.abc import Iterator
from itertools import product

from dio_mc.ir import expr as e
from dio_mc.ir import ops as o
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds
from dio_mc.semantics.step import Action

Seen = frozenset[tuple]


class Broken(Exception):
    def __init__(self, kind: str, span=None) -> None:
        self.kind = kind
        self.span = span


class Naive:
    """States are dictionaries: ("v", variable, cell), ("pc", thread), ("l", thread, local)."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def keys(self) -> list[tuple]:
        found: list[tuple] = []
        for v, variable in enumerate(self.program.variables):
            found += [("v", v, c) for c in range(variable.size)]
        for t in range(len(self.program.threads)):
            found += [("pc", t), *(("l", t, n) for n in range(len(self.program.template_of(t).locals)))]
        return found

    def pack(self, state: dict) -> tuple[int, ...]:
        return tuple(state[key] for key in self.keys())

    def unpack(self, state: tuple[int, ...]) -> dict:
        return dict(zip(self.keys(), state, strict=True))

    # expressions

    def address(self, state: dict, thread: int, target, span) -> tuple:
        cell = 0
        for index, extent in zip(target.indices, self.program.variables[target.variable].shape, strict=True):
            value = self.value(state, thread, index, span)
            if value < 0 or value >= extent:
                raise Broken("index", getattr(target, "span", None) or span)
            cell = cell * extent + value
        return ("v", target.variable, cell)

    def value(self, s: dict, t: int, x: e.Expr, span) -> int:
        def go(y: e.Expr) -> int:
            return self.value(s, t, y, span)

        if isinstance(x, e.Const):
            return x.value
        if isinstance(x, e.Local):
            return s["l", t, x.index]
        if isinstance(x, e.Load):
            return s[self.address(s, t, x, span)]
        if isinstance(x, e.Me):
            return t
        if isinstance(x, e.Not):
            return int(go(x.operand) == 0)
        if isinstance(x, e.And):
            return int(all(go(y) != 0 for y in x.operands))
        if isinstance(x, e.Or):
            return int(any(go(y) != 0 for y in x.operands))
        if isinstance(x, e.Implies):
            return int(go(x.premise) == 0 or go(x.conclusion) != 0)
        if isinstance(x, e.Ite):
            return go(x.then) if go(x.condition) else go(x.orelse)
        left, right = go(x.left), go(x.right)
        if x.op in ("//", "%") and right == 0:
            raise Broken("range", span)
        return int(eval(f"({left}) {x.op} ({right})"))

    # steps

    def write(self, s: dict, t: int, target, key: tuple, value: int, span) -> None:
        low, high = bounds(target.type)
        if not low <= value <= high:
            raise Broken("range", getattr(target, "span", None) or span)
        s[key] = value

    def key(self, s: dict, t: int, target, span) -> tuple:
        return ("l", t, target.index) if isinstance(target, o.LocalTo) else self.address(s, t, target, span)

    def run(self, s: dict, t: int, block: int, at: int, seen: Seen, whole) -> Iterator[tuple[tuple[int, ...], object]]:
        """(choices, state or `Broken`) of every run from operation `at` of a block."""
        try:
            yield from self.run_on(s, t, block, at, seen, whole)
        except Broken as broken:
            yield (), broken

    def run_on(self, s: dict, t: int, block: int, at: int, seen: Seen, whole):
        code = self.program.template_of(t).blocks[block]
        if at == len(code.ops):
            end = code.terminator
            if isinstance(end, o.End):
                yield (), self.arrived(s, t, 0)
                return
            if isinstance(end, o.Branch):
                goes = end.then if self.value(s, t, end.condition, end.span) else end.orelse
            else:
                goes = end.block
            yield from self.enter(s, t, goes, seen, whole)
            return
        op = code.ops[at]
        span = op.span
        if isinstance(op, o.Choose):
            for number, option in enumerate(op.options):
                fork = dict(s)
                try:
                    if option.when is not None and not self.value(fork, t, option.when, span):
                        continue
                    value = self.value(fork, t, option.value, span)
                    self.write(fork, t, op.target, self.key(fork, t, op.target, span), value, span)
                except Broken as broken:
                    yield (number,), broken
                    continue
                for choice, result in self.run(fork, t, block, at + 1, seen, whole):
                    yield (number, *choice), result
            return
        if isinstance(op, o.Spawn):
            for choice, after in self.spawn(s, t, op):
                if isinstance(after, Broken):
                    yield choice, after
                else:
                    for more, result in self.run(after, t, block, at + 1, seen, whole):
                        yield (*choice, *more), result
            return
        s = dict(s)
        if isinstance(op, o.Halt):
            for other, thread in enumerate(self.program.threads):
                if other != t:
                    s["pc", other] = 0
                    for n, local in enumerate(self.program.templates[thread.template].locals):
                        s["l", other, n] = local.default
        if isinstance(op, o.Await) and not self.value(s, t, op.condition, span):
            return
        if isinstance(op, o.Check) and not self.value(s, t, op.condition, span):
            raise Broken(op.kind, span)
        if isinstance(op, o.Assign):
            values = [self.value(s, t, v, span) for v in op.values]
            keys = [self.key(s, t, target, span) for target in op.targets]
            for target, key, value in zip(op.targets, keys, values, strict=True):
                self.write(s, t, target, key, value, span)
        yield from self.run(s, t, block, at + 1, seen, whole)

    def enter(self, s: dict, t: int, block: int, seen: Seen, whole):
        location = self.program.template_of(t).blocks[block].location
        if location is not None:
            yield (), self.arrived(s, t, location)
            return
        here = block, self.pack(s)
        if here in seen:
            yield (), Broken("endless_loop", whole)
        else:
            yield from self.run(s, t, block, 0, seen | {here}, whole)

    def arrived(self, s: dict, t: int, location: int) -> dict:
        template = self.program.template_of(t)
        s = {**s, ("pc", t): location}
        for dead in template.locations[location].kills:
            s["l", t, dead] = template.locals[dead].default
        return s

    def spawn(self, s: dict, t: int, op: o.Spawn):
        arguments = [self.value(s, t, a, op.span) for a in op.arguments]
        for new, thread in enumerate(self.program.threads):
            if thread.template == op.template and s["pc", new] == 0:
                template = self.program.templates[op.template]
                s = {**s, **{("l", new, n): x.default for n, x in enumerate(template.locals)}}
                for n, value in enumerate(arguments):
                    low, high = bounds(template.locals[n].type)
                    if not low <= value <= high:
                        raise Broken("range", op.span)
                    s["l", new, n] = value
                yield from self.enter(s, new, template.entry, frozenset(), template.span)
                return
        raise Broken("spawn", op.span)

    # the two questions

    def initial(self) -> list[tuple[int, ...]]:
        """The initial states of programs whose prefixes neither choose nor fail."""
        ranges = []
        for variable in self.program.variables:
            low, high = bounds(variable.type)
            ranges += [range(low, high + 1) if variable.any_init else [x] for x in variable.init]
        states = []
        for shared in product(*ranges):
            s = dict(zip(self.keys(), shared, strict=False))
            for t, thread in enumerate(self.program.threads):
                template = self.program.template_of(t)
                s["pc", t] = 0
                s.update({("l", t, n): x.default for n, x in enumerate(template.locals)})
                if template.parameters and not template.spawned:
                    s["l", t, 0] = thread.number
            for t in range(len(self.program.threads)):
                template = self.program.template_of(t)
                if not template.spawned:
                    ((_, s),) = self.enter(s, t, template.entry, frozenset(), template.span)
            states.append(self.pack(s))
        return states

    def successors(self, state: tuple[int, ...]) -> list[tuple[Action, object]]:
        """(action, successor) or (action, `Broken`)."""
        found: list[tuple[Action, object]] = []
        s = self.unpack(state)
        for t in range(len(self.program.threads)):
            location = s["pc", t]
            if location:
                place = self.program.template_of(t).locations[location]
                for choice, result in self.run(dict(s), t, place.block, 0, frozenset(), place.span):
                    after = result if isinstance(result, Broken) else self.pack(result)
                    found.append((Action(t, location, choice), after))
        return sorted(found, key=lambda pair: pair[0])
