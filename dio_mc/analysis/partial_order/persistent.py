"""Partial-order reduction by persistent sets: in each state only the steps of some threads are taken.

A set T of threads is *persistent* in a state if nothing that the other threads may ever do conflicts with the next
steps of T's members (a conflict is a write and a read or write of the same cell, `footprints`). Blocked members count
too: the step reads what it waits for, so every thread that could unblock it is in T. Then the other threads never
change the steps of T, and a step of T may be taken first (Godefroid 1996, ch. 4: stubborn, ample and persistent sets).

Why nothing is missed: let a path lead from the state to something to be found, that is a valuation that a property
reads, a deadlock, a fault, an executed statement or a blocked one. If the path contains a step of T, the first such
step commutes to the front, and the rest is shorter. A path to a deadlock contains one, since an enabled step of T would
still be enabled there. Otherwise the path is executed after any step of T. It leads to the same valuation, because a
step that is taken this way is invisible to all properties (`visibility`), to the same fault, and through the same
statements. A thread blocked at its end still is: if a step of T wrote what the thread waits for, the thread would be in
T, and would already be blocked before the path. The cycle condition (`proviso`) ensures that the path is not postponed
forever. All steps of every visited state are examined, also those that are not taken, so a fault of T's own is found
where T is chosen.

So violated properties, witnesses, deadlocks, faults, undecided properties, and executed and blocked statements are
those of the full state space; depths and lengths of counterexamples are not. A property of single steps may be violated
by a step that changes nothing the property reads, and properties of runs need every step: such programs are refused.
With representatives (`symmetry.representatives`) the set is chosen at the representative, where all of this holds.
Another choice of representatives may lead to other sets, so the number of states depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from random import Random
from typing import Final

from dio_mc.analysis.partial_order.footprints import Footprint, Footprints, Future
from dio_mc.analysis.partial_order.proviso import Stand, find_anchors
from dio_mc.analysis.partial_order.visibility import Visibility
from dio_mc.analysis.values.facts import Config, Facts, find_facts
from dio_mc.analysis.values.sets import Unsupported
from dio_mc.ir.ops import Halt
from dio_mc.ir.program import LIVENESS, Program
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State, layout_of
from dio_mc.semantics.step import Step

CLASSES: Final = 64
"""The largest number of classes of cells. Cells accessed by the same steps form a class; surplus classes are merged,
which only adds conflicts."""


SAMPLE: Final = 200
"""The number of states examined to see whether the reduction pays."""
MOST_THREADS: Final = 63
"""Machine code keeps a set of threads in one word."""


class Refused(Exception):
    """Partial-order reduction would be unsound or would save nothing; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Access:
    """The accesses of a thread from a control state on, as bit sets of classes of cells: `reads` and `writes` by its
    next step, `future` (reads or writes) and `future_writes` by that and any later step. `held` is true if the step is
    never in a reduced set, because a property may see it or because it is an anchor of a cycle."""

    reads: int
    writes: int
    future: int
    future_writes: int
    held: bool

    def meets(self, other: Access) -> bool:
        """Whether the next step of this thread conflicts with any present or future access of the other thread."""
        return bool(self.writes & other.future or self.reads & other.future_writes)


class PersistentSets:
    """Chooses the steps to take. `accesses[thread]` maps every control state (a key of `Footprints.steps`) to its
    access."""

    def __init__(self, footprints: Footprints, accesses: Sequence[Mapping[Config, Access]]) -> None:
        self.footprints = footprints
        self.accesses = tuple(accesses)
        self._pcs = tuple(enumerate(footprints.layout.pc))

    def of(self, state: State, steps: Sequence[Step]) -> Sequence[Step]:
        """The steps to take among all `steps` of a state: those of the persistent set with the fewest successors, the
        first of several. All of them if no persistent set leaves out a thread that has successors."""
        counts = [0] * len(self._pcs)
        for step in steps:
            counts[step.action.thread] += step.state is not None
        best, fewest = None, sum(counts)
        if max(counts) == fewest:
            return steps
        there = {t: self.accesses[t][self.footprints.control(t, state)] for t, pc in self._pcs if state[pc]}
        for seed in there:
            chosen = _closed(seed, there, counts) if counts[seed] else None
            if chosen is not None and (size := sum(counts[t] for t in chosen)) < fewest:
                best, fewest = chosen, size
        return steps if best is None else [step for step in steps if step.action.thread in best]


def _closed(seed: int, there: Mapping[int, Access], counts: Sequence[int]) -> set[int] | None:
    """The least persistent set that contains thread `seed`; None if it contains an enabled step that is held. `counts`
    has the number of successors of each thread."""
    chosen, waiting = {seed}, [seed]
    while waiting:
        member = waiting.pop()
        if there[member].held and counts[member]:
            return None
        meeting = [t for t in there if t not in chosen and there[member].meets(there[t])]
        chosen.update(meeting)
        waiting += meeting
    return chosen


def pays(sets: PersistentSets, interpreter: Interpreter) -> bool:
    """Whether some steps can be left out in at least a quarter of the states of a random run (with a fixed seed)."""
    random = Random(0)
    first = next(interpreter.starting(), None)
    if first is None:
        return False
    state, saved = first, 0
    for _ in range(SAMPLE):
        steps = interpreter.successors(state)
        saved += len(sets.of(state, steps)) < len(steps)
        ahead = [step.state for step in steps if step.state is not None]
        state = random.choice(ahead) if ahead else first
    return 4 * saved >= SAMPLE


def find_persistent_sets(
    program: Program, evaluators: Iterable[PropertyEvaluator], facts: Facts | None = None
) -> PersistentSets:
    """The persistent sets of a program. `evaluators` decide its properties; `facts` are computed if not given. Raises
    `Refused`."""
    evaluators = list(evaluators)
    for evaluator in evaluators:
        name, kind = evaluator.property.name, evaluator.property.kind
        if kind == "step":
            raise Refused(f"`{name}` is about single steps")
        if kind in LIVENESS:
            raise Refused(f"`{name}` is decided on the graph of all states")
    if len(program.threads) > MOST_THREADS:
        raise Refused(f"there are more than {MOST_THREADS} threads")
    if any(isinstance(op, Halt) for t in program.templates for block in t.blocks for op in block.ops):
        raise Refused("a crash can come between any two steps")
    layout = layout_of(program)
    try:
        footprints = Footprints(program, layout, facts or find_facts(program, layout))
    except Unsupported as reason:
        raise Refused(str(reason)) from None
    sight = Visibility(footprints, [observation for evaluator in evaluators for observation in evaluator.observations])
    sets = PersistentSets(footprints, _accesses(footprints, sight))
    if not _useful(sets.accesses):
        raise Refused("no step is invisible to the properties and independent of some other thread")
    return sets


def _useful(accesses: Sequence[Mapping[Config, Access]]) -> bool:
    """Whether some step can be taken without the steps of some other thread."""
    distinct = [set(own.values()) for own in accesses]
    return any(
        not one.held and not one.meets(other)
        for thread, own in enumerate(distinct)
        for one in own
        for another, others in enumerate(distinct)
        for other in others
        if another != thread
    )


def _accesses(footprints: Footprints, sight: Visibility) -> list[dict[Config, Access]]:
    """The accesses of each thread by control state, with `held` set."""
    touched = _touched(footprints)
    seen = {(t, c) for t, own in enumerate(footprints.steps) for c, step in own.items() if sight.sees(t, c, step)}
    held = seen | find_anchors(footprints, seen, _busy(touched))
    return [
        {config: replace(access, held=(thread, config) in held) for config, access in own.items()}
        for thread, own in enumerate(touched)
    ]


def _busy(touched: Sequence[Mapping[Config, Access]]) -> set[Stand]:
    """The control states whose next step conflicts with anything that another thread ever does."""
    lives = [reduce(_joined, own.values(), Access(0, 0, 0, 0, False)) for own in touched]
    return {
        (thread, config)
        for thread, own in enumerate(touched)
        for config, access in own.items()
        if any(access.meets(life) for other, life in enumerate(lives) if other != thread)
    }


def _joined(one: Access, other: Access) -> Access:
    """The union of two futures."""
    return Access(0, 0, one.future | other.future, one.future_writes | other.future_writes, False)


def _touched(footprints: Footprints) -> list[dict[Config, Access]]:
    """Footprints and futures as bit sets of classes of cells."""
    cells = [
        {config: _cells(step, own_futures[config]) for config, step in own.items()}
        for own, own_futures in zip(footprints.steps, footprints.futures, strict=True)
    ]
    classes = _classes(cells)

    def in_classes(sets: _Cells) -> Access:
        reads, writes, future, future_writes = (
            sum(1 << number for number, members in enumerate(classes) if members & cells_) for cells_ in sets
        )
        return Access(reads, writes, future, future_writes, held=False)

    known = {sets: in_classes(sets) for own in cells for sets in own.values()}
    return [{config: known[sets] for config, sets in own.items()} for own in cells]


_Cells = tuple[int, int, int, int]
"""The bit sets of `Access`, over cells instead of classes."""


def _cells(step: Footprint, future: Future) -> _Cells:
    return step.reads, step.writes, future.reads | future.writes, future.writes


def _classes(touched: Sequence[Mapping[Config, _Cells]]) -> list[int]:
    """The cells that one thread writes and another accesses, partitioned into classes that no step distinguishes, as
    bit sets. If there are more than `CLASSES`, the classes that no thread distinguishes."""
    lives = [reduce(_of_both, own.values(), (0, 0)) for own in touched]
    shared = 0
    for thread, (_, writes) in enumerate(lives):
        for other, (touches, _) in enumerate(lives):
            shared |= writes & touches if other != thread else 0
    found = _alike(shared, [part for sets in sorted({s for own in touched for s in own.values()}) for part in sets])
    if len(found) > CLASSES:
        found = _alike(shared, [part for life in lives for part in life])
    classes = [0] * min(len(found), CLASSES)
    for number, members in enumerate(found):
        classes[number % CLASSES] |= members
    return classes


def _of_both(life: tuple[int, int], sets: _Cells) -> tuple[int, int]:
    """The union of all accesses and of all writes, with those of a step and its future added."""
    return life[0] | sets[2], life[1] | sets[3]


def _alike(cells: int, sets: Sequence[int]) -> list[int]:
    """Partition `cells` into classes of cells that are members of the same `sets`."""
    found: dict[tuple[int, ...], int] = {}
    for cell in range(cells.bit_length()):
        if cells >> cell & 1:
            column = tuple(number for number, members in enumerate(sets) if members >> cell & 1)
            found[column] = found.get(column, 0) | 1 << cell
    return list(found.values())
