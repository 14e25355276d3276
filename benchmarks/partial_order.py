"""What partial order would save: states with ample sets of one thread, against all states.

    python benchmarks/partial_order.py models/toys/*.py models/history/*.py "benchmarks/diorace.py pages=2 readers=2"

A state is expanded by one thread alone where that thread's next step neither reads nor writes what another thread may
write, nor writes what another may read, from where it stands to its end (footprints per location, by cell where the
index is known); is seen by no property; has no fault; and does not close a loop of its code (so every cycle has a
state that is expanded in full). That preserves deadlocks and invariants (Godefroid 1996, ch. 4; Kurshan et al. 1998).
Programs with step properties or spawns are left out. A measurement, no part of dio-mc: see `docs/reductions.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dio_mc.driver import bindings_of
from dio_mc.frontend import build, load_module
from dio_mc.ir.expr import AtLocation, Const, Expr, Load, Local, LocalOf, Me, walk
from dio_mc.ir.ops import Assign, Branch, Choose, Jump, Spawn, StoreTo
from dio_mc.ir.program import Program
from dio_mc.passes.unset import op_expressions
from dio_mc.semantics.contract import Step
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

MOST = 60_000
"""States after which a count is given up."""
Access = tuple[int, tuple[int | None, ...]]
"""A variable and its indices, None where they are not known."""


class Footprints:
    """What steps read and write."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.step = cache(self._step)
        self.future = cache(self._future)

    def _index(self, expr: Expr, thread: int) -> int | None:
        template, found = self.program.template_of(thread), None
        if isinstance(expr, Const):
            found = expr.value
        elif isinstance(expr, Me):
            found = thread
        elif isinstance(expr, Local) and expr.index == 0 and template.parameters:
            found = self.program.threads[thread].number
        return found

    def _access(self, found: Load | StoreTo, thread: int) -> Access:
        return found.variable, tuple(self._index(index, thread) for index in found.indices)

    def _loads(self, expr: Expr, thread: int) -> Iterator[Access]:
        return (self._access(part, thread) for part in walk(expr) if isinstance(part, Load))

    def _step(self, thread: int, location: int) -> tuple[set[Access], set[Access], set[int]]:
        """What the step at a location may read and write, and where it may lead."""
        template = self.program.template_of(thread)
        reads, writes, after, seen = set[Access](), set[Access](), set[int](), set[int]()
        waiting = [template.locations[location].block]
        while waiting:
            block = template.blocks[number := waiting.pop()]
            if seen and block.location is not None:
                after.add(block.location)
                continue
            if number in seen:
                continue
            seen.add(number)
            for op in block.ops:
                reads.update(a for e in op_expressions(op) for a in self._loads(e, thread))
                targets = op.targets if isinstance(op, Assign) else (op.target,) if isinstance(op, Choose) else ()
                writes.update(self._access(t, thread) for t in targets if isinstance(t, StoreTo))
            if isinstance(block.terminator, Jump):
                waiting.append(block.terminator.block)
            elif isinstance(block.terminator, Branch):
                reads.update(self._loads(block.terminator.condition, thread))
                waiting += [block.terminator.then, block.terminator.orelse]
            else:
                after.add(0)
        return reads, writes, after

    def _future(self, thread: int, location: int) -> tuple[set[Access], set[Access]]:
        """What a thread may still read and write."""
        reads, writes, seen, waiting = set[Access](), set[Access](), set[int](), [location]
        while waiting:
            here = waiting.pop()
            if here and here not in seen:
                seen.add(here)
                read, written, after = self.step(thread, here)
                reads |= read
                writes |= written
                waiting += after
        return reads, writes


class Ample:
    """Ample sets of one thread."""

    def __init__(self, interpreter: Interpreter) -> None:
        self._program, self._pcs = interpreter.program, interpreter.layout.pc
        self._footprints = Footprints(self._program)
        parts = [part for p in self._program.properties if p.expr is not None for part in walk(p.expr)]
        self._support = {part.variable for part in parts if isinstance(part, Load)}
        self._watched = [part for part in parts if isinstance(part, AtLocation)]
        self._read = {part.thread for part in parts if isinstance(part, LocalOf)}
        self._hidden = cache(self._is_hidden)
        self._independent = cache(self._is_independent)

    def of(self, state: State, steps: list[Step]) -> list[Step]:
        """The steps to take."""
        for thread in sorted({step.action.thread for step in steps}):
            own = [step for step in steps if step.action.thread == thread]
            if self._may_go_alone(state, thread) and all(step.state is not None for step in own):
                return own
        return steps

    def _may_go_alone(self, state: State, thread: int) -> bool:
        here = state[self._pcs[thread]]
        others = [(other, state[pc]) for other, pc in enumerate(self._pcs) if other != thread]
        return self._hidden(thread, here) and all(self._independent(thread, here, *other) for other in others)

    def _is_hidden(self, thread: int, location: int) -> bool:
        """Seen by no property, and no end of a loop."""
        _, writes, after = self._footprints.step(thread, location)
        regions = [part.locations for part in self._watched if part.thread == thread]
        crossed = any((location in region) != (further in region) for region in regions for further in after)
        back = any(0 < further <= location for further in after)
        return not (back or crossed or thread in self._read or any(v in self._support for v, _ in writes))

    def _is_independent(self, thread: int, location: int, other: int, at: int) -> bool:
        reads, writes, _ = self._footprints.step(thread, location)
        further_reads, further_writes = self._footprints.future(other, at)
        pairs = [(w, a) for w in writes for a in further_reads | further_writes]
        pairs += [(r, w) for r in reads for w in further_writes]
        return not any(_may_meet(one, another) for one, another in pairs)


def _may_meet(one: Access, other: Access) -> bool:
    same = (i is None or j is None or i == j for i, j in zip(one[1], other[1], strict=True))
    return one[0] == other[0] and all(same)


def count(program: Program, *, reduced: bool) -> int | None:
    """Reachable states; None for more than `MOST`."""
    interpreter = Interpreter(program)
    ample = Ample(interpreter)
    seen = set(interpreter.starting())
    waiting = list(seen)
    while waiting:
        state = waiting.pop()
        steps = interpreter.successors(state)
        for step in ample.of(state, steps) if reduced else steps:
            if step.state is not None and step.state not in seen:
                seen.add(step.state)
                waiting.append(step.state)
        if len(seen) > MOST:
            return None
    return len(seen)


def main(arguments: list[str]) -> None:
    """Print a line per run, and how the savings are distributed."""
    shares: list[float] = []
    for argument in arguments:
        file, *given = argument.split()
        params = {name: int(value) for name, value in (pair.split("=") for pair in given)}
        for model in load_module(Path(file), allow_empty=True).models:
            for binding, _ in bindings_of(model, params):
                program = build(model, binding).program
                ops = (op for template in program.templates for block in template.blocks for op in block.ops)
                kinds = {property_.kind for property_ in program.properties}
                if kinds - {"invariant", "reachable"} or any(isinstance(op, Spawn) for op in ops):
                    continue
                full, reduced = count(program, reduced=False), count(program, reduced=True)
                if full is not None and reduced is not None:
                    shares.append(reduced / full)
                    print(f"{program.name:44} {full:7,} {reduced:7,}  {100 * reduced / full:3.0f} %")
    ordered = sorted(shares)
    if ordered:
        middle = ordered[len(ordered) // 2]
        print(f"{len(ordered)} runs: least {ordered[0]:.0%}, median {middle:.0%} of the states are left")


if __name__ == "__main__":
    main(sys.argv[1:])
