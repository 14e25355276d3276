"""Footprints: what the step from each control state may read and write, and which control states it may lead to. The
code between two locations is walked once per control state (`facts`) with its locals known, so that an index is a
constant wherever the locals determine it.

Sets of cells are bit sets: bit `c` is cell `c` of the layout. The location cell of a spawned template's instance says
whether the instance is idle: a spawn reads and writes the location cells of all instances, and an instance writes its
own when it ends. No other step reads or writes a location of another thread, so no other control cells occur in
footprints. A local prefix that a spawn runs is part of the spawning step.

Everything is an over-approximation: an access with an unknown index counts for all cells of the array, a condition for
both of its operands.

A condition that compares a cell with one value (``lock.owner == me``) reads less than the whole cell: it is a *test*,
which has a bit of its own after the cells. A step writes the test if the cell may have that value before or after it.
The value before is known if the step itself has tested it (a lock is taken if nobody holds it, and released by its
owner). So the test that nobody holds a lock at the end of a thread depends on that thread alone, and taking a lock
writes no other thread's test.
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
    """The footprint of one step: cells and tests it may read and write (bit sets), templates it may spawn, control
    states of its thread it may lead to."""

    reads: int
    writes: int
    spawns: frozenset[int]
    after: frozenset[Config]


@dataclass(frozen=True, slots=True)
class Future:
    """The accesses of a thread from its next step on, including those of threads that it spawns: `reads` and `writes`
    are bit sets."""

    reads: int
    writes: int


class Footprints:
    """The footprints of all steps, as sets of `size` bits: the cells, followed by the `tests`. `steps[thread]` maps
    each control state to a footprint; for a thread with too many control states the keys are ``(location,)``. `futures`
    has the same keys. A thread at its end takes no step and has no future."""

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
        """The control state of a thread in a state: its key in `steps`."""
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
    """The least fixpoint: the footprint of a step, the futures of the control states it leads to, and all that the
    threads it spawns do."""
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
