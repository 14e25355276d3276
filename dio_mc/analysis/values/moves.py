"""How the locals of a thread change on a walk over its code, with the possible values of shared data.

Two analyses walk over the code between locations with concrete locals: `facts` collects the values
of cells, `partial_order.walker` the accesses of a step. What they collect differs, and so do their
points; how locals change is here. The interpreter, the machine code and the exports walk on their
own, because they are compared with each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

from dio_mc.analysis.values.evaluate import Evaluator
from dio_mc.analysis.values.sets import Values, within
from dio_mc.ir.ops import Assign, Choose, LocalTo, Target
from dio_mc.ir.program import Template
from dio_mc.ir.types import bounds

Config = tuple[int, ...]
"""A location and the values of the locals there."""


def stored(
    evaluator: Evaluator, op: Assign | Choose, known: Sequence[Values], me: int
) -> list[tuple[Target, Values]] | None:
    """The targets of an operation, each with the possible values that fit its type; None if one has
    no such value, so that no run continues."""
    targets, results = evaluator.results(op, known, me)
    fitting = [within(found, *bounds(target.type)) for target, found in zip(targets, results, strict=True)]
    return list(zip(targets, fitting, strict=True)) if all(fitting) else None


def own(found: Iterable[tuple[Target, Values]]) -> list[tuple[int, Values]]:
    """The locals among the targets, by their positions."""
    return [(target.index, values) for target, values in found if isinstance(target, LocalTo)]


def locals_after(locals_: tuple[int, ...], changes: Sequence[tuple[int, Values]]) -> set[tuple[int, ...]]:
    """The possible locals after an operation that assigns these values to some of them."""
    after: set[tuple[int, ...]] = set()
    for chosen in product(*(values for _, values in changes)):
        changed = list(locals_)
        for (index, _), value in zip(changes, chosen, strict=True):
            changed[index] = value
        after.add(tuple(changed))
    return after


def arrived(template: Template, location: int, locals_: Iterable[int]) -> Config:
    """The control state after arriving at a location, where dead locals have their defaults."""
    values = list(locals_)
    for dead in template.locations[location].kills:
        values[dead] = template.locals[dead].default
    return location, *values
