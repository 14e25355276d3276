"""Partial order: of the steps that a state has, those of a persistent set of threads are enough.

A set T of threads is *persistent* in a state if nothing that the others may ever do touches what the next steps of its
members touch: no write meets a read or a write (`footprints`). Members that are blocked count too: what they
wait for is read, so whoever could let them go on is in T. Then whatever the others do first, the steps of T stay as
they are, and one of T can as well be taken at once (Godefroid 1996, ch. 4: stubborn, ample, persistent sets).

Let a path lead from the state to something to be found: a valuation that some property reads, a deadlock, a fault, a
statement that runs, one that is blocked. If it has a step of T, the first of these moves to the front, and what is left
is shorter. A deadlock has one: an enabled step of T would still be enabled there. A path without one is put after any
step of T. It leads to the same valuation, as none that is taken so may be seen by a property (`visible`), to the same
fault, through the same statements; who is blocked there still is, for a step of T that wrote what it waits for would
have it in T, and then it is blocked before the path already. That it is not put after steps forever is the cycle
condition (`anchors`). All steps of every state that is visited are looked at, also those that are not taken: a fault of
T's own is seen where T is chosen.

So violated properties, witnesses, deadlocks, faults, undecided properties, what ran and what was blocked are those of
all states; depths and the lengths of counterexamples are not. What a property says of single steps may be said of a
step that changes nothing the property reads, and properties of runs need every step: such programs are refused. With
representatives (`symmetry.representatives`) the choice is made at the representative, where all of this holds; another
representative may have another choice, so the number of states depends on who names them.
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
"""Cells that the same steps touch are one class; more classes than this are joined, which only adds conflicts."""


SAMPLE: Final = 200
"""States that are tried to see whether it pays."""
MOST_THREADS: Final = 63
"""Machine code has sets of threads in one word."""


class Refused(Exception):
    """Partial order would not be sound, or save nothing; the reason in words."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a thread touches from a control state on, as bit sets of classes of cells: `reads` and `writes` by its next
    step, `future` and `future_writes` by any step. `held`: the step is never taken alone, since a property may see it
    or a cycle needs it."""

    reads: int
    writes: int
    future: int
    future_writes: int
    held: bool

    def meets(self, other: Access) -> bool:
        """Whether the next step here may touch what the other thread will ever touch, one of them writing."""
        return bool(self.writes & other.future or self.reads & other.future_writes)


class PersistentSets:
    """Chooses the steps to take. `accesses` has, per thread, those of every control state (`Footprints.steps`)."""

    def __init__(self, footprints: Footprints, accesses: Sequence[Mapping[Config, Access]]) -> None:
        self.footprints = footprints
        self.accesses = tuple(accesses)
        self._pcs = tuple(enumerate(footprints.layout.pc))

    def of(self, state: State, steps: Sequence[Step]) -> Sequence[Step]:
        """The steps to take of all `steps` of a state: of the persistent sets that leave out a thread with successors,
        those of the one with fewest, the first of several; else all."""
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
    """The least persistent set with a thread in it; None if a step that is never taken alone would be taken."""
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
    """Whether in at least a quarter of the states of a random run, always the same, some steps need not be taken."""
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
    """The persistent sets of a program whose properties these evaluators decide; `facts` are the program's, where they
    are known. Raises `Refused`."""
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
        raise Refused("no step is unseen by the properties and apart from all that some other thread may do")
    return sets


def _useful(accesses: Sequence[Mapping[Config, Access]]) -> bool:
    """Whether any step can be taken without those of some other thread."""
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
    """Per thread and control state what it touches, and whether it is held."""
    touched = _touched(footprints)
    seen = {(t, c) for t, own in enumerate(footprints.steps) for c, step in own.items() if sight.sees(t, c, step)}
    held = seen | find_anchors(footprints, seen, _busy(touched))
    return [
        {config: replace(access, held=(thread, config) in held) for config, access in own.items()}
        for thread, own in enumerate(touched)
    ]


def _busy(touched: Sequence[Mapping[Config, Access]]) -> set[Stand]:
    """Where the next step may touch what some other thread ever does."""
    lives = [reduce(_joined, own.values(), Access(0, 0, 0, 0, False)) for own in touched]
    return {
        (thread, config)
        for thread, own in enumerate(touched)
        for config, access in own.items()
        if any(access.meets(life) for other, life in enumerate(lives) if other != thread)
    }


def _joined(one: Access, other: Access) -> Access:
    """The futures of both."""
    return Access(0, 0, one.future | other.future, one.future_writes | other.future_writes, False)


def _touched(footprints: Footprints) -> list[dict[Config, Access]]:
    """Footprints and futures, in classes of cells."""
    cells = [
        {config: _cells(step, own_futures[config]) for config, step in own.items()}
        for own, own_futures in zip(footprints.steps, footprints.futures, strict=True)
    ]
    classes = _classes(cells)

    def said(sets: _Cells) -> Access:
        reads, writes, future, future_writes = (
            sum(1 << number for number, members in enumerate(classes) if members & cells_) for cells_ in sets
        )
        return Access(reads, writes, future, future_writes, held=False)

    known = {sets: said(sets) for own in cells for sets in own.values()}
    return [{config: known[sets] for config, sets in own.items()} for own in cells]


_Cells = tuple[int, int, int, int]
"""As in `Access`, with cells for classes."""


def _cells(step: Footprint, future: Future) -> _Cells:
    return step.reads, step.writes, future.reads | future.writes, future.writes


def _classes(touched: Sequence[Mapping[Config, _Cells]]) -> list[int]:
    """Of the cells that some thread writes and another touches, classes that no step tells apart, as bit sets; where
    these are more than `CLASSES`, classes that the same threads touch."""
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
    """What is touched and what is written, a step and its future included."""
    return life[0] | sets[2], life[1] | sets[3]


def _alike(cells: int, sets: Sequence[int]) -> list[int]:
    """These cells, in classes of those that are in the same ones of the sets."""
    found: dict[tuple[int, ...], int] = {}
    for cell in range(cells.bit_length()):
        if cells >> cell & 1:
            column = tuple(number for number, members in enumerate(sets) if members >> cell & 1)
            found[column] = found.get(column, 0) | 1 << cell
    return list(found.values())
