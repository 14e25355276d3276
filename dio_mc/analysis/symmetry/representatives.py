"""One state for every orbit: the least of the candidates that the plan leaves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

from dio_mc.analysis.symmetry.action import MOST_KNOWN, Action, Permutation
from dio_mc.analysis.symmetry.plan import Key, Plan, make_plan
from dio_mc.analysis.symmetry.proof import Sort, Symmetry
from dio_mc.ir.program import Program
from dio_mc.semantics.layout import State


class Representatives:
    """Representatives of a program's states. `plan` says which symmetry is used, `tried` lists the
    permutations of what is not sorted, the identity first."""

    def __init__(self, program: Program, symmetry: Symmetry) -> None:
        self.plan: Plan = make_plan(program, symmetry)
        self._program = program
        self.action = Action(program, self.plan.symmetry)
        self._layout = self.action.layout
        self._sorts = self.plan.symmetry.sorts
        self.tried = self._every_tried()
        self._images: dict[Permutation, Sequence[int]] = {}

    def of(self, state: State) -> State:
        """The same for all states of an orbit, and one of them."""
        apply = self.action.apply
        return min(self._sorted(apply(permutation, state))[0] for permutation in self.tried)

    def named(self, state: State) -> tuple[State, Sequence[int]]:
        """As `of`, and for each thread the one that it is there. Where a state is the same under several permutations
        any of them does: they differ by one that leaves the representative as it is."""
        candidates = [(*self._sorted(self.action.apply(one, state)), one) for one in self.tried]
        found, then, first = min(candidates, key=lambda candidate: candidate[0])
        tried, sorted_ = self._threads(first), self._threads(then)
        return found, [sorted_[thread] for thread in tried]

    def _threads(self, permutation: Permutation) -> Sequence[int]:
        """Where each thread goes."""
        if permutation == self.action.identity:
            return range(len(self._program.threads))
        found = self._images.get(permutation)
        if found is None:
            if len(self._images) >= MOST_KNOWN:
                self._images.clear()
            threads = range(len(self._program.threads))
            found = self._images[permutation] = [self.action.thread(permutation, thread) for thread in threads]
        return found

    # -- permutations --------------------------------------------------------------------------------------------------

    def _every_tried(self) -> list[Permutation]:
        choices = [
            _within_blocks(sort) if number in self.plan.tried else [tuple(range(sort.size))]
            for number, sort in enumerate(self._sorts)
        ]
        return list(product(*choices))

    # -- sorting -------------------------------------------------------------------------------------------------------

    def _sorted(self, state: State) -> tuple[State, Permutation]:
        """The state with its sorted blocks in order, and the permutation that does it."""
        images = [list(found) for found in self.action.identity]
        for sort, block, keys in self.plan.blocks:
            ordered = sorted(zip((self._value(key, state) for key in keys), block, strict=True))
            for place, (_, element) in zip(block, ordered, strict=True):
                images[sort][element] = place
        permutation = tuple(map(tuple, images))
        return self.action.apply(permutation, state), permutation

    def _value(self, key: Key, state: State) -> tuple[int, ...]:
        """The key of an element in a state. A thread's own number is the same as its element, and left out."""
        values: list[int] = []
        for thread in key.threads:
            base = self._layout.local_base[thread]
            template = self._program.template_of(thread)
            own = template.parameters > 0 and not template.spawned
            values.append(state[self._layout.pc[thread]])
            values += state[base + own : base + len(template.locals)]
        values += [state[cell] for cell in key.cells]
        values += [meant.index(state[cell]) + 1 if state[cell] in meant else 0 for cell, meant in key.names]
        return tuple(values)


def _within_blocks(sort: Sort) -> list[tuple[int, ...]]:
    """Every permutation of a sort that keeps its blocks."""
    found: list[tuple[int, ...]] = []
    for chosen in product(*(permutations(block) for block in sort.blocks)):
        images = list(range(sort.size))
        for block, targets in zip(sort.blocks, chosen, strict=True):
            for element, target in zip(block, targets, strict=True):
                images[element] = target
        found.append(tuple(images))
    return found
