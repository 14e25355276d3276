"""The steps of a trace that matter: backwards from what is wrong, through the values that made it so.

A step matters when it wrote a value that is wrong, that another such step used, or that let such a step's thread go on
where it would have waited at first; and when it decided a branch that led there. Locks that merely were free do not.
Of a run that goes on for ever the loop matters, and of each thread in it, or kept out, the step that brought it there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dio_mc.explain.influence import FAULT, Run, changed
from dio_mc.explain.waiting import frees
from dio_mc.ir.program import Property


@dataclass(slots=True)
class Slice:
    """What has been found to matter: numbers of steps, and (cell, before step) that were followed."""

    run: Run
    steps: set[int] = field(default_factory=set)
    _followed: set[tuple[int, int]] = field(default_factory=set)

    def need(self, cell: int, before: int) -> None:
        """The value that a cell has before step `before`: its last writer, and what that one used."""
        number = self.run.last_writer(cell, before)
        if number is None or (cell, number) in self._followed:
            return
        self._followed.add((cell, number))
        if not self._only_passes_on(cell, number):
            self.take(number)
        for source in sorted(self.run.influence(number).effects.get(cell, ())):
            self.need(source, number)

    def _only_passes_on(self, cell: int, number: int) -> bool:
        """Whether a local only got the value of another local of the thread: an argument, on the way to a call."""
        layout = self.run.interpreter.layout
        sources = self.run.influence(number).effects.get(cell, frozenset())
        first = min(layout.pc, default=0)
        return cell > first and bool(sources) and all(source > first for source in sources)

    def take(self, number: int) -> None:
        """A step, and why its thread came there."""
        if number in self.steps:
            return
        self.steps.add(number)
        self.reach(self.run.actions[number - 1].thread, number)

    def reach(self, thread: int, number: int) -> None:
        """What let a thread come to its step `number`: what it waited for on the way, the branches that it took."""
        pc = self.run.interpreter.layout.pc[thread]
        for earlier in range(1, number + 1):
            if earlier > len(self.run.actions) or self.run.actions[earlier - 1].thread != thread:
                continue
            influence = self.run.influence(earlier)
            wanted = set(influence.needed)
            if earlier < number:
                wanted |= influence.effects.get(pc, frozenset())
            for cell in sorted(wanted):
                if self.run.last_writer(cell, earlier) is not None:
                    self.steps.add(earlier)
                    self.need(cell, earlier)


def slice_of_property(run: Run, property_: Property) -> set[int]:
    """The steps that made a property fail at the end of a run."""
    found, end = Slice(run), len(run.states)
    if property_.kind == "step":
        found.take(end - 1)
    for cell in _tipping(run, property_):
        if cell not in run.locations:
            found.need(cell, end)
            continue
        thread = run.interpreter.layout.pc.index(cell)
        entered = _entered(run, property_, thread)
        if entered is not None:
            found.take(entered)
    return found.steps


def slice_of_waiting(run: Run, threads: Iterable[int]) -> set[int]:
    """The steps that made threads wait at the end of a run: who wrote what they wait for."""
    found = Slice(run)
    _wait(found, threads)
    return found.steps


def slice_of_lasting(run: Run, first: int, waiting: Iterable[int]) -> set[int]:
    """The steps that made a run go on without its goal: those from `first` on (its loop, or the one that left no way
    back), what led to them, and what made others wait; what brought these threads to where they stand as well."""
    found, threads = Slice(run), set(waiting)
    _wait(found, sorted(threads))
    for number in range(first, len(run.actions) + 1):
        found.take(number)
        threads.add(run.actions[number - 1].thread)
    for thread in sorted(threads):
        before = [number for number in range(1, first) if run.actions[number - 1].thread == thread]
        if before:
            found.take(before[-1])
    return found.steps


def _wait(found: Slice, threads: Iterable[int]) -> None:
    end = len(found.run.states)
    for thread in threads:
        for cell in frees(found.run, thread):
            found.need(cell, end)
        found.reach(thread, end)


def slice_of_fault(run: Run) -> set[int]:
    """The steps that made the last one a fault."""
    found, last = Slice(run), len(run.actions)
    if last:
        found.take(last)
        for cell in sorted(run.influence(last).effects.get(FAULT, ())):
            found.need(cell, last)
    return found.steps


def _tipping(run: Run, property_: Property) -> list[int]:
    """The cells of the last state without whose value the property would not fail there."""
    return [cell for cell in range(len(run.states[-1])) if _tips(run, property_, cell)]


def _tips(run: Run, property_: Property, cell: int) -> bool:
    return any(_is_right(run, property_, cell, value) for value in run.other_values(run.states[-1], cell))


def _is_right(run: Run, property_: Property, cell: int, value: int) -> bool:
    """Whether the property would be as it should at the end, had a cell this value (before the last step too, where
    that step leaves the cell alone)."""
    expr = property_.expr
    if expr is None:
        return False
    after = run.states[-1]
    other = changed(after, cell, value)
    wanted = property_.kind != "reachable"
    if property_.kind != "step":
        return bool(run.interpreter.evaluate(expr, other)) == wanted
    before = run.states[-2]
    if before[cell] == after[cell]:
        before = changed(before, cell, value)
    return bool(run.interpreter.evaluate(expr, before, other)) == wanted


def _entered(run: Run, property_: Property, thread: int) -> int | None:
    """The step with which a thread came into the stretch in which the property fails for it."""
    pc = run.interpreter.layout.pc[thread]
    for number in range(len(run.actions), 0, -1):
        if run.actions[number - 1].thread != thread or run.states[number - 1][pc] == run.states[-1][pc]:
            continue
        if _is_right(run, property_, pc, run.states[number - 1][pc]):
            return number
    return None
