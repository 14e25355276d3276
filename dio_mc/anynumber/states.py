"""States in parts: the common cells, and threads of kinds, each by itself; and what is asked of a thread.

A thread of a kind is a `Lone`: its kind, its row, and the cells that hold its id. The common cells are a tuple in which
the id of a thread of a kind stands for any of that kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dio_mc.anynumber.alone import Alone
from dio_mc.anynumber.conditions import refusal
from dio_mc.anynumber.places import Cells, Places
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

Common = tuple[int, ...]


class Lone(NamedTuple):
    """A thread of a kind: the position of the kind, its own cells (location first), the id cells that name it, and its
    credits, per counter."""

    kind: int
    row: tuple[int, ...]
    flags: tuple[int, ...] = ()
    credits: tuple[int, ...] = ()


class States:
    """The states of a program, put together and taken apart."""

    def __init__(self, places: Places, alone: Alone) -> None:
        self.places, self.alone = places, alone
        self.cells = Cells(places, alone.program, {existing.variable for existing in alone.existing})
        self.interpreter = Interpreter(alone.program)
        self._position = {cell: n for n, cell in enumerate(self.cells.common)}
        self._ids = tuple(n for n, cell in enumerate(self.cells.common) if cell in self.cells.ids)
        base = self.cells.layout.variable_base
        self._existing = tuple(self._position[base[existing.variable]] for existing in alone.existing)
        self._counters = tuple(base[counter] for counter in alone.counters)
        self._decided: dict[tuple[int, Lone], bool] = {}
        self._rest: State = self.interpreter.initial()[0] if self.interpreter.initial() else ()

    @property
    def questions(self) -> range:
        """Of oracles, then of existence, then whether others have credits."""
        return range(len(self.alone.oracles) + len(self.alone.existing) + len(self._counters))

    @property
    def questions_of_existence(self) -> range:
        """Those among them."""
        first = len(self.alone.oracles)
        return self.questions[first : first + len(self.alone.existing)]

    @property
    def questions_of_credit(self) -> range:
        """Those among them."""
        return self.questions[len(self.alone.oracles) + len(self.alone.existing) :]

    def decides(self, question: int, thread: Lone) -> bool:
        """Whether a thread decides a question where it is one of the others, or is like what exists."""
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
        """The common cells of every initial state, with the threads that may start there, independently of each
        other."""
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
        """The common cells with what is kept of existence: true where all threads of a kind are like this, both ways
        where they may be."""
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
        """The common cells; ids of threads of a kind are its first member's."""
        kinds, kind_of = self.places.kinds, self.places.kind_of
        common = [state[cell] for cell in self.cells.common]
        for n in self._ids:
            if common[n] in kind_of:
                common[n] = kinds[kind_of[common[n]]].members[0]
        return tuple(common)

    def thread_of(self, state: Sequence[int], thread: int, credits: tuple[int, ...] | None = None) -> Lone:
        """A thread of a kind as it is in a state, with no credits if none are said."""
        flags = tuple(self.cells.common[n] for n in self._ids if state[self.cells.common[n]] == thread)
        row = [state[cell] for cell in self.cells.rows[thread]]
        for n in self.cells.own_numbers[thread]:
            row[n] = 0  # as the kind's first member has it
        kept = (0,) * len(self._counters) if credits is None else credits
        return Lone(self.places.kind_of[thread], tuple(row), flags, kept)

    def placed(self, common: Common, threads: Sequence[tuple[int, Lone]]) -> list[int]:
        """A state with these common cells and threads at these positions; ids of others are those of a kind's last
        member. All other threads are as they were at the start."""
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
        """A slot of a spawned operation that has ended must be like one that never began, as it may be used again.
        Raises `Refused` (DIO258)."""
        kind = self.places.kinds[thread.kind]
        if not kind.spawned or thread.row[0]:
            return
        if thread != self.idle(thread.kind):
            span = self.places.program.templates[kind.template].span
            raise refusal("DIO258", f"`{kind.name}` ends with data of its own set, which the next one finds", span)

    def idle(self, kind: int) -> Lone:
        """A slot of a spawned operation that nobody uses."""
        return self.thread_of(self._rest, self.places.kinds[kind].members[0])
