"""Compares a program for two numbers of threads, to ensure that it is the same for every number.

The frontend's output depends on the number of threads through array sizes, through the operands of quantifiers, and
wherever the author uses the number itself. `counting` finds the third case in the source. The first two are removed by
`alone` and `demands.about` before the programs are compared. The remaining text must be equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from dio_mc.analysis.symmetry.domains import THREADS, Domains, Slot
from dio_mc.analysis.symmetry.exchange import Exchange, Form
from dio_mc.anynumber.alone import Alone
from dio_mc.anynumber.conditions import refusal
from dio_mc.anynumber.demands import about, covered
from dio_mc.anynumber.naming import in_any_order, is_id
from dio_mc.anynumber.places import Places
from dio_mc.anynumber.unchanging import constants
from dio_mc.ir.ops import Branch
from dio_mc.ir.program import Template, Variable
from dio_mc.ir.types import bounds
from dio_mc.source import Span


def refuse_unless_alike(one: tuple[Places, Alone], other: tuple[Places, Alone]) -> None:
    """Raises `Refused` (DIO260) at the first difference between the programs for two numbers of threads."""
    first, second = list(_Forms(*one).all()), list(_Forms(*other).all())
    for (what, span, form), (_, _, compared) in zip(first, second, strict=False):
        if form != compared:
            raise refusal("DIO260", f"{what} is not the same for every number of threads", span)
    if len(first) != len(second):
        raise refusal("DIO260", "the program is not the same for every number of threads", None)


class _Forms:
    """Normal forms of the parts of a program, in which a thread has the same name whatever the number of threads."""

    def __init__(self, places: Places, cut: Alone) -> None:
        self.places, self.cut = places, cut
        names = {thread: 10_000 + n for n, thread in enumerate(places.fixed)}
        for number, kind in enumerate(places.kinds):
            names |= {member: 20_000 + 100 * number + n for n, member in enumerate(kind.members)}
        self._unchanging = constants(places.program)
        domains = Domains(cut.program)
        self._exchange = Exchange(domains, {domains.root(THREADS): names}, names)
        self._first = {kind.members[0] for kind in places.kinds}
        self._numbers = {places.domains.root(("number", kind.template)) for kind in places.kinds if kind.numbered}

    def all(self) -> Iterator[tuple[str, Span | None, Form]]:
        fixed = tuple(self.places.program.threads[thread].name for thread in self.places.fixed)
        yield "the number of other threads", None, fixed
        for number, variable in enumerate(self.places.program.variables):
            yield f"`{variable.name}`", variable.span, self._variable(number, variable)
        for number, template in enumerate(self.cut.program.templates):
            yield f"`{template.name}`", template.span, self._template(number, template)
            yield from self._blocks(number, template)
        for oracle in self.cut.oracles:
            form = [(kind, self._exchange.expr(None, in_any_order(expr), None)) for kind, expr in oracle.decides]
            yield "a quantifier over other threads", None, form
        present = frozenset(member for kind in self.places.kinds for member in kind.members[:2])
        for property_ in covered(self.places.program.properties):
            if property_.expr is None:
                continue
            cut = about(self.places, property_.expr, present)
            yield f"`{property_.name}`", property_.span, self._exchange.expr(None, in_any_order(cut), None)

    def _variable(self, number: int, variable: Variable) -> Form:
        dimensions = self.places.dimensions[number]
        shape = tuple(n if d == "plain" else str(d) for d, n in zip(dimensions, variable.shape, strict=True))
        init = []
        for indices, value in zip(product(*map(range, variable.shape)), variable.init, strict=True):
            named = [
                t for d, i in zip(dimensions, indices, strict=True) if (t := self.places.thread_at(d, i)) is not None
            ]
            if all(thread in self._first for thread in named):
                init.append(self._exchange.value(("value", number), value))
        if number in self._unchanging:  # neither its size nor its bounds affect a step
            return variable.name, variable.init[0]
        range_ = None if is_id(variable.type) else bounds(variable.type)
        return variable.name, range_, variable.any_init, variable.ghost, shape, tuple(init)

    def _template(self, number: int, template: Template) -> Form:
        locals_ = tuple(
            (
                local.name,
                None if self._root(("local", number, n)) in self._numbers else bounds(local.type),
                local.default,
            )
            for n, local in enumerate(template.locals)
        )
        locations = tuple((place.block, place.kills) for place in template.locations)
        return template.name, template.daemon, template.spawned, template.parameters, template.entry, locals_, locations

    def _root(self, slot: Slot) -> Slot:
        return self.places.domains.root(slot)

    def _blocks(self, number: int, template: Template) -> Iterator[tuple[str, Span | None, Form]]:
        for block in template.blocks:
            for op in block.ops:
                yield f"a statement of `{template.name}`", op.span, self._exchange.op(number, op)
            end = block.terminator
            if isinstance(end, Branch):
                condition = self._exchange.expr(number, end.condition, None)
                yield f"a condition of `{template.name}`", end.span, (condition, end.then, end.orelse, block.location)
            else:
                yield f"`{template.name}`", template.span, (repr(end), block.location)
