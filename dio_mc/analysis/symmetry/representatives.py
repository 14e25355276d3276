"""One state for each orbit: the least of the candidates that the plan leaves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations, product

from dio_mc.analysis.symmetry.action import MOST_KNOWN, Action, Permutation
from dio_mc.analysis.symmetry.plan import Key, Plan, make_plan
from dio_mc.analysis.symmetry.proof import Sort, Symmetry
from dio_mc.ir.program import Program
from dio_mc.semantics.layout import State


class Representatives:
    """The representatives of a program's states. `plan` gives the symmetry that is used; `tried` lists the permutations
    of the sorts that are not sorted, the identity first."""

    def __init__(self, program: Program, symmetry: Symmetry) -> None:
        self.plan: Plan = make_plan(program, symmetry)
        self._program = program
        self.action = Action(program, self.plan.symmetry)
        self._layout = self.action.layout
        self._sorts = self.plan.symmetry.sorts
        self.tried = self._every_tried()
        self._images: dict[Permutation, Sequence[int]] = {}

    def of(self, state: State) -> State:
        """The representative of the state's orbit: one state of it, the same for all of them."""
        apply = self.action.apply
        return min(self._sorted(apply(permutation, state))[0] for permutation in self.tried)

    def named(self, state: State) -> tuple[State, Sequence[int]]:
        """The representative, and for each thread the position it has there. If several permutations lead to the
        representative, any of them will do: they differ by one that maps it to itself."""
        candidates = [(*self._sorted(self.action.apply(one, state)), one) for one in self.tried]
        found, then, first = min(candidates, key=lambda candidate: candidate[0])
        tried, sorted_ = self._threads(first), self._threads(then)
        return found, [sorted_[thread] for thread in tried]

    def _threads(self, permutation: Permutation) -> Sequence[int]:
        """The image of each thread."""
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
        """The state with its sorted blocks in order, and the permutation that sorts them."""
        images = [list(found) for found in self.action.identity]
        for sort, block, keys in self.plan.blocks:
            ordered = sorted(zip((self._value(key, state) for key in keys), block, strict=True))
            for place, (_, element) in zip(block, ordered, strict=True):
                images[sort][element] = place
        permutation = tuple(map(tuple, images))
        return self.action.apply(permutation, state), permutation

    def _value(self, key: Key, state: State) -> tuple[int, ...]:
        """The value of an element's key in a state. A thread's own number equals its element and is left out."""
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
    """Every permutation of a sort that maps each block to itself."""
    found: list[tuple[int, ...]] = []
    for chosen in product(*(permutations(block) for block in sort.blocks)):
        images = list(range(sort.size))
        for block, targets in zip(sort.blocks, chosen, strict=True):
            for element, target in zip(block, targets, strict=True):
                images[element] = target
        found.append(tuple(images))
    return found
