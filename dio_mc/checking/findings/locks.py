"""Locks that no interleaving needs, as far as a single run shows: no thread ever had to wait for
them.

In every reachable state in which a thread came to take such a lock, it was free. So the lock never
kept a step from being taken, and without it the same steps are possible in the same states: it
excludes nothing. The converse is answered by `dio-mc mutate`: a contended lock may still protect
nothing that a property reads.

The finding is reported only for locks that do nothing but exclude. A lock that properties read, or
that is tried, tested or handed over, is left out; so is one that is taken in a step with a choice,
where other options may have been possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dio_mc.checking.findings.declared import named_by_patches
from dio_mc.checking.findings.owning import is_judged
from dio_mc.checking.findings.reading import expressions_of_op
from dio_mc.errors import Diagnostic
from dio_mc.frontend.declare import attribute_span, members_of
from dio_mc.ir.expr import Expr, Load, walk
from dio_mc.ir.ops import Assign, Await, Block, Branch, Check, Choose, StoreTo, successors
from dio_mc.ir.program import Program, Template
from dio_mc.lang.model import Model
from dio_mc.semantics.search import Coverage


def idle_locks(model: type[Model], program: Program, coverage: Coverage) -> list[Diagnostic]:
    """For a complete search: the locks that the class declares, that were taken, and that no thread
    waited for."""
    if any(p.expr is None for p in program.properties):
        return []
    found: list[Diagnostic] = []
    for name, (_, owner) in members_of(model).data.items():
        lock = _Lock(
            name, frozenset(v for v, var in enumerate(program.variables) if _is_part(var.path, name, var.role))
        )
        judged = is_judged(owner, model) and name not in named_by_patches(owner)
        if judged and lock.cells and _is_idle(lock, program, coverage):
            span = attribute_span(owner, name)
            found.append(Diagnostic("DIO325", f"nobody ever waits for the lock `{name}`", span, severity="warning"))
    return found


def _is_part(path: tuple[str | None, ...], name: str, role: str) -> bool:
    return role == "lock" and path[0] == name


@dataclass(frozen=True, slots=True)
class _Lock:
    """An attribute, and the variables that it consists of."""

    name: str
    cells: frozenset[int]

    def in_(self, expression: Expr) -> bool:
        return any(isinstance(part, Load) and part.variable in self.cells for part in walk(expression))


def _is_idle(lock: _Lock, program: Program, coverage: Coverage) -> bool:
    asked = [p.expr for p in program.properties if p.expr is not None]
    asked += [atom.meaning for p in program.properties for atom in p.atoms]
    if any(lock.in_(expression) for expression in asked):
        return False
    taken = False
    for number, template in enumerate(program.templates):
        for location in range(1, len(template.locations)):
            step = list(_step(template, template.locations[location].block))
            if any(_uses_otherwise(block, lock) for block in step):
                return False
            if not any(isinstance(op, Await) and lock.in_(op.condition) for block in step for op in block.ops):
                continue
            chooses = any(isinstance(op, Choose) for block in step for op in block.ops)
            if chooses or (number, location) in coverage.blocked:
                return False
            taken = taken or (number, location) in coverage.fired
    return taken


def _step(template: Template, start: int) -> Iterator[Block]:
    """The blocks of the step that begins at one, up to the next locations."""
    ahead, seen = [start], {start}
    while ahead:
        block = template.blocks[ahead.pop()]
        yield block
        for following in successors(block):
            if following not in seen and template.blocks[following].location is None:
                seen.add(following)
                ahead.append(following)


def _uses_otherwise(block: Block, lock: _Lock) -> bool:
    """Whether it reads the lock for another purpose than to take it, release it, or test that it is
    held."""
    if isinstance(block.terminator, Branch) and lock.in_(block.terminator.condition):
        return True
    for op in block.ops:
        own = isinstance(op, Assign) and all(isinstance(t, StoreTo) and t.variable in lock.cells for t in op.targets)
        if not own and not isinstance(op, Await | Check) and any(lock.in_(e) for e in expressions_of_op(op)):
            return True
    return False
