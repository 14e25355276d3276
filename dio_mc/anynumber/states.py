"""States in parts: the common cells, and the state of each single thread of a kind; also the evaluation of questions.

The state of one thread of a kind is a `Lone`: its kind, its row, and the cells that hold its id. In the common cells,
the id of the first member of a kind stands for the id of any member.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import NamedTuple

from dio_mc.anynumber.alone import Alone
from dio_mc.anynumber.conditions import refusal
from dio_mc.anynumber.places import Cells, Places
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

Common = tuple[int, ...]
"""Values of the common cells, in the order of `Cells.common`."""


class Lone(NamedTuple):
    """The state of one thread of a kind: the index of the kind, the values of its own cells (the location first), the
    common cells that hold its id, and its credits for each counter."""

    kind: int
    row: tuple[int, ...]
    flags: tuple[int, ...] = ()
    credits: tuple[int, ...] = ()


def values_at(cells: Sequence[int]) -> Callable[[Sequence[int]], tuple[int, ...]]:
    """Gives the values of these cells of a state."""
    if len(cells) > 1:
        return itemgetter(*cells)
    return lambda state: tuple(state[cell] for cell in cells)


class States:
    """Splits the states of a program into common cells and thread states, and assembles states from these."""

    def __init__(self, places: Places, alone: Alone) -> None:
        self.places, self.alone = places, alone
        self.cells = Cells(places, alone.program, {existing.variable for existing in alone.existing})
        self.interpreter = Interpreter(alone.program)
        self._of_common = values_at(self.cells.common)
        self._of_thread = {thread: values_at(cells) for thread, cells in self.cells.rows.items()}
        self._position = {cell: n for n, cell in enumerate(self.cells.common)}
        self._ids = tuple(n for n, cell in enumerate(self.cells.common) if cell in self.cells.ids)
        base = self.cells.layout.variable_base
        self._existing = tuple(self._position[base[existing.variable]] for existing in alone.existing)
        self._counters = tuple(base[counter] for counter in alone.counters)
        self._decided: dict[tuple[int, Lone], bool] = {}
        self._rest: State = self.interpreter.initial()[0] if self.interpreter.initial() else ()

    @property
    def questions(self) -> range:
        """The numbers of all questions: those of oracles, then those of existence, then, for each counter, whether
        others have credits."""
        return range(len(self.alone.oracles) + len(self.alone.existing) + len(self._counters))

    @property
    def questions_of_existence(self) -> range:
        """The numbers of the questions about existence."""
        first = len(self.alone.oracles)
        return self.questions[first : first + len(self.alone.existing)]

    @property
    def questions_of_credit(self) -> range:
        """The numbers of the questions about credits, in the order of the counters."""
        return self.questions[len(self.alone.oracles) + len(self.alone.existing) :]

    def decides(self, question: int, thread: Lone) -> bool:
        """Return whether a thread decides a question if it is one of the other threads: makes the disjunction true or
        the conjunction false, satisfies the condition of an existential question, or has a credit."""
        if question in self.questions_of_credit:
            return thread.credits[question - self.questions_of_credit.start] > 0
        known = self._decided.get((question, thread))
        if known is None:
            place = self.places.kinds[thread.kind].members[0]
            state = self.placed(self.common_of(self._rest), [(place, thread)])
            asked = [expr for kind, expr in self.alone.decides(question) if kind == thread.kind]
            known = any(self.interpreter.compiled(expr)[0](state) for expr in asked)
            self._decided[question, thread] = known
        return known

    def starts(self) -> list[tuple[Common, list[Lone]]]:
        """The common cells of every initial state, each with the initial states of threads; any combination of these
        may occur together."""
        firsts = [kind.members[0] for kind in self.places.kinds]
        together: dict[Common, dict[Lone, None]] = {}
        for state in self.interpreter.initial():
            found = together.setdefault(self.common_of(state), {})
            found.update(dict.fromkeys(self.thread_of(state, thread) for thread in firsts))
        return [
            (started, list(threads))
            for common, threads in together.items()
            for started in self._as_started(common, list(threads))
        ]

    def _as_started(self, common: Common, threads: Sequence[Lone]) -> list[Common]:
        """The common cells with the initial values of the auxiliary variables of existence: true if all initial states
        of some non-empty kind satisfy the condition, false if none does, and both values otherwise."""
        found = [list(common)]
        for question, n in zip(self.questions_of_existence, self._existing, strict=True):
            like = [t for t in threads if self.decides(question, t)]
            always = any(
                all(t in like for t in threads if t.kind == one.kind)
                for one in like
                if not self.places.kinds[one.kind].optional
            )
            values = (1,) if always else (0, 1) if like else (0,)
            found = [[*cells[:n], value, *cells[n + 1 :]] for cells in found for value in values]
        return [tuple(cells) for cells in found]

    def common_of(self, state: Sequence[int]) -> Common:
        """The common cells of a state. The id of a thread of a kind is replaced by that of the kind's first member."""
        if not self._ids:
            return self._of_common(state)
        kinds, kind_of = self.places.kinds, self.places.kind_of
        common = list(self._of_common(state))
        for n in self._ids:
            if common[n] in kind_of:
                common[n] = kinds[kind_of[common[n]]].members[0]
        return tuple(common)

    def thread_of(self, state: Sequence[int], thread: int, credits: tuple[int, ...] | None = None) -> Lone:
        """The state of a thread of a kind within a state of the program. `credits` is all zeros if it is not given."""
        flags = tuple(self.cells.common[n] for n in self._ids if state[self.cells.common[n]] == thread)
        row = self._of_thread[thread](state)
        if numbers := self.cells.own_numbers[thread]:  # all become the number of the kind's first member
            row = tuple(0 if n in numbers else value for n, value in enumerate(row))
        kept = (0,) * len(self._counters) if credits is None else credits
        return Lone(self.places.kind_of[thread], row, flags, kept)

    def placed(self, common: Common, threads: Sequence[tuple[int, Lone]]) -> list[int]:
        """A state of the program that consists of these common cells and these threads, given with their positions.
        Where a common cell holds the id of a thread of a kind and none of these threads has it, the cell holds the id
        of the kind's last member. All other threads are in their initial states."""
        state = list(self._rest)
        for cell, value in zip(self.cells.common, common, strict=True):
            state[cell] = value
        kinds, kind_of = self.places.kinds, self.places.kind_of
        for n in self._ids:
            if common[n] in kind_of:
                state[self.cells.common[n]] = kinds[kind_of[common[n]]].members[-1]
        for position, thread in threads:
            for cell, value in zip(self.cells.rows[position], thread.row, strict=True):
                state[cell] = value
            for n in self.cells.own_numbers[position]:
                state[self.cells.rows[position][n]] = self.places.program.threads[position].number
            for cell in thread.flags:
                state[cell] = position
            for cell, credit in zip(self._counters, thread.credits, strict=True):
                state[cell] += credit
        return state

    def refuse_reused(self, thread: Lone) -> None:
        """Raises `Refused` (DIO258) if a thread of a spawned operation has ended in a state that differs from an idle
        slot. The slot may be used again, and the next thread would find what is left in it."""
        kind = self.places.kinds[thread.kind]
        if not kind.spawned or thread.row[0]:
            return
        if thread != self.idle(thread.kind):
            span = self.places.program.templates[kind.template].span
            raise refusal(
                "DIO258", f"`{kind.name}` ends without resetting its own data, which the next instance would find", span
            )

    def idle(self, kind: int) -> Lone:
        """The state of an idle slot of a spawned operation."""
        return self.thread_of(self._rest, self.places.kinds[kind].members[0])
