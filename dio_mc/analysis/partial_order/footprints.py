"""What the step from each control state may read and write, and where it may lead: the code between two locations is
walked once per control state (`facts`), its locals known, so that an index is a number wherever a local knows it.

Sets of cells are bit sets: bit `c` is cell `c` of the layout. Whether an instance of a spawned template is idle is said
by the cell of its location: a spawn reads and writes those of all instances, an instance writes its own when it ends.
No other step reads or writes a location of another thread, so further cells of threads are in no footprint. A prefix
that a spawn runs is part of the spawning step.

Everything is a superset: of an array whose index is not known, all cells; of a condition, both operands.

A condition that asks whether a cell has one certain value (``lock.owner == me``) reads less than the cell: a *test*, a
bit of its own after the cells. A step writes it if the cell may have that value before or after it; what it has
before is known where the step has asked itself (a lock is taken if it is nobody's, and given back by its owner). So
that nobody holds a lock at the end of a thread depends on that thread alone, and taking one on no other's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dio_mc.analysis.partial_order.walker import Test, Touched, Walker, bits, instances
from dio_mc.analysis.values.facts import Config, Facts
from dio_mc.ir.program import Program
from dio_mc.semantics.layout import Layout


@dataclass(frozen=True, slots=True)
class Footprint:
    """Of one step: cells and tests it may read and write, templates it may spawn, control states of its thread it may
    lead to."""

    reads: int
    writes: int
    spawns: frozenset[int]
    after: frozenset[Config]


@dataclass(frozen=True, slots=True)
class Future:
    """What a thread may still read and write, its next step included, and what those may whom it spawns."""

    reads: int
    writes: int


class Footprints:
    """The steps of every thread, in sets of `size` bits: cells, and after them `tests`. `steps` has them by control
    state, for threads whose control states are too many by ``(location,)``; `futures` likewise. A thread at its end
    takes no step and has no future."""

    def __init__(self, program: Program, layout: Layout, facts: Facts) -> None:
        self.program, self.layout, self.facts = program, layout, facts
        touched = [
            dict(_steps(Walker(program, layout, facts, thread), facts.configs[thread]))
            for thread in range(len(program.threads))
        ]
        self.tests = tuple(sorted({test for own in touched for step in own.values() for test in step.tests}))
        self.size = layout.size + len(self.tests)
        bits_of = {test: number for number, test in enumerate(self.tests, start=layout.size)}
        self.steps: tuple[dict[Config, Footprint], ...] = tuple(
            {config: _footprint(step, bits_of) for config, step in own.items()} for own in touched
        )
        self.futures = _futures(program, self.steps)

    def control(self, thread: int, state: Sequence[int]) -> Config:
        """The control state of a thread in a state, as `steps` has it."""
        pc = self.layout.pc[thread]
        if self.facts.configs[thread] is None:
            return (state[pc],)
        return tuple(state[pc : pc + 1 + len(self.program.template_of(thread).locals)])


def _steps(walker: Walker, configs: tuple[Config, ...] | None) -> Iterator[tuple[Config, Touched]]:
    if configs is None:
        for location in range(1, len(walker.template.locations)):
            yield (location,), walker.at_location(location)
        return
    for config in configs:
        if config[0]:
            yield config, walker.at(config)


def _futures(program: Program, steps: Sequence[dict[Config, Footprint]]) -> tuple[dict[Config, Future], ...]:
    """By fixpoint: what a step touches, what those touch that it leads to, and the lives of those it spawns."""
    futures = [{config: Future(0, 0) for config in own} for own in steps]
    lives = [Future(0, 0) for _ in steps]
    changed = True
    while changed:
        changed = False
        for thread, own in enumerate(steps):
            for config in reversed(own):
                found = own[config]
                parts = [futures[thread][config], Future(found.reads, found.writes)]
                parts += [futures[thread][after] for after in found.after if after[0]]
                parts += [lives[one] for one in instances(program, found.spawns)] if found.spawns else []
                joined = _either(parts)
                if joined != futures[thread][config]:
                    changed = True
                    futures[thread][config] = joined
            lives[thread] = _either(futures[thread].values())
    return tuple(futures)


def _either(futures: Iterable[Future]) -> Future:
    reads = writes = 0
    for future in futures:
        reads |= future.reads
        writes |= future.writes
    return Future(reads, writes)


def _footprint(step: Touched, bits_of: Mapping[Test, int]) -> Footprint:
    decided = [bit for test, bit in bits_of.items() if any(one.decides(test) for one in step.written)]
    return Footprint(
        step.reads | bits(bits_of[test] for test in step.tests),
        step.slots | bits(one.cell for one in step.written) | bits(decided),
        frozenset(step.spawns),
        frozenset(step.after),
    )
