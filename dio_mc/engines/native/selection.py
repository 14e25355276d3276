"""Partial order in machine code: of the successors of a state, only those that
`partial_order.persistent` selects remain.

The accesses of a thread are looked up by its control state. A set of threads is a 64-bit word.
First the conflicts of each thread's next step are computed, then their transitive closure, which
yields the least persistent set with each thread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

from dio_mc.analysis.partial_order.persistent import Access, PersistentSets
from dio_mc.analysis.values.facts import Config
from dio_mc.engines.native.asm import Asm, Cond, Ref
from dio_mc.engines.native.fields import Tables, Words
from dio_mc.engines.native.packing import Packing

NONE = "define internal i64 @select_steps(ptr %from, ptr %ends, ptr %out, i64 %count) {\n  ret i64 %count\n}\n"
"""The function for searches without partial order."""
NOWHERE = Access(0, 0, 0, 0, held=False)
"""The accesses of a thread at its end."""


def write_selection(sets: PersistentSets | None, packing: Packing, tables: Tables) -> str:
    """Generate ``@select_steps(from, ends, out, count) -> count``, which moves the selected
    successors of the state at `from` to the front of `out`.

    `ends` has 0, and then for each thread the index after its last successor.
    """
    return NONE if sets is None else _Selection(sets, packing, tables).text()


class _Selection:
    """Generates the function."""

    def __init__(self, sets: PersistentSets, packing: Packing, tables: Tables) -> None:
        self._asm, self._packing, self._tables = Asm(), packing, tables
        self._accesses = sets.accesses
        self._threads = range(len(sets.accesses))
        self._distinct = [set(own.values()) for own in sets.accesses]

    def text(self) -> str:
        """The text of the function."""
        asm = self._asm
        ends = [asm.load(asm.op(f"getelementptr i64, ptr %ends, i64 {n}")) for n in range(len(self._threads) + 1)]
        counts = [asm.sub(after, before) for before, after in pairwise(ends)]
        words = [asm.load(asm.op(f"getelementptr i64, ptr %from, i64 {n}")) for n in range(self._packing.words)]
        places = self._places(Words(asm, self._packing, self._tables, words, slots=False))
        moving = [asm.compare("ne", count, 0) for count in counts]
        held = [self._look_up(t, places[t], lambda access: access.held) for t in self._threads]
        free: Cond = 0
        for thread in self._threads:
            free = asm.either(free, asm.both(moving[thread], asm.compare("eq", held[thread], 0)))
        asm.branch(free, "choose", "all")
        asm.start("all")
        asm.do("ret i64 %count")
        asm.start("choose")
        never = self._set([asm.both(m, asm.compare("ne", h, 0)) for m, h in zip(moving, held, strict=True)])
        best, fewest = self._best(self._closed(self._met(places)), never, moving, counts)
        asm.branch(asm.compare("eq", fewest, "%count"), "all", "some")
        asm.start("some")
        self._keep(best, ends, counts)
        asm.do(f"ret i64 {fewest}")
        return asm.text("define internal i64 @select_steps(ptr %from, ptr %ends, ptr %out, i64 %count)")

    # -- what threads touch --------------------------------------------------------------------------------------------

    def _places(self, words: Words) -> list[Ref]:
        """The number of each thread's control state, or its location if control states are not
        numbered."""
        known = self._packing.configs
        return [words.location(t) if known[t] is None else words.config(t) for t in self._threads]

    def _look_up(self, thread: int, place: Ref, part: Callable[[Access], int]) -> Ref:
        """Look up one property of the accesses of a thread at its control state."""
        values = [part(access) for access in self._listed(thread, self._accesses[thread])]
        return self._tables.look_up(self._asm, [value - (value >> 63 << 64) for value in values], place)

    def _listed(self, thread: int, accesses: Mapping[Config, Access]) -> list[Access]:
        configs = self._packing.configs[thread]
        last = max((location for location, *_ in accesses), default=0)
        every = [(location,) for location in range(last + 1)] if configs is None else configs
        return [accesses.get(config, NOWHERE) for config in every] or [NOWHERE]  # if the thread never starts

    def _met(self, places: Sequence[Ref]) -> list[Ref]:
        """For each thread the set of threads whose future conflicts with its next step, including
        itself."""
        asm = self._asm
        accessed = [
            [self._look_up(t, places[t], part) for part in (_reads, _writes, _future, _future_writes)]
            for t in self._threads
        ]
        found: list[Ref] = []
        for one in self._threads:
            meets: list[Cond] = [int(one == other) for other in self._threads]
            for other in self._threads:
                if one != other and self._may_meet(one, other):
                    written = asm.bits("and", accessed[one][1], accessed[other][2])
                    read = asm.bits("and", accessed[one][0], accessed[other][3])
                    meets[other] = asm.compare("ne", asm.bits("or", written, read), 0)
            found.append(self._set(meets))
        return found

    def _may_meet(self, one: int, other: int) -> bool:
        return any(a.meets(b) for a in self._distinct[one] for b in self._distinct[other])

    # -- sets of threads -----------------------------------------------------------------------------------------------

    def _set(self, members: Sequence[Cond]) -> Ref:
        found: Ref = 0
        for thread, member in enumerate(members):
            found = self._asm.bits("or", self._asm.shift_left(self._asm.widen(member), thread), found)
        return found

    def _has(self, members: Ref, thread: int) -> Cond:
        return self._asm.compare("ne", self._asm.bits("and", members, 1 << thread), 0)

    def _closed(self, met: list[Ref]) -> list[Ref]:
        """The transitive closure of the conflicts (Warshall 1962): the least persistent set with
        each thread."""
        asm, found = self._asm, list(met)
        for middle in self._threads:
            for one in self._threads:
                if one != middle:
                    more = asm.select(self._has(found[one], middle), found[middle], 0)
                    found[one] = asm.bits("or", found[one], more)
        return found

    def _best(
        self, closed: Sequence[Ref], never: Ref, moving: Sequence[Cond], counts: Sequence[Ref]
    ) -> tuple[Ref, Ref]:
        """The first of the persistent sets with the fewest successors, and their number; ``%count``
        if none has fewer than all."""
        asm = self._asm
        best: Ref = 0
        fewest: Ref = "%count"
        for seed in self._threads:
            size: Ref = 0
            for thread in self._threads:
                size = asm.add(size, asm.select(self._has(closed[seed], thread), counts[thread], 0))
            allowed = asm.both(moving[seed], asm.compare("eq", asm.bits("and", closed[seed], never), 0))
            better = asm.both(allowed, asm.compare("slt", size, fewest))
            best, fewest = asm.select(better, closed[seed], best), asm.select(better, size, fewest)
        return best, fewest

    def _keep(self, chosen: Ref, ends: Sequence[Ref], counts: Sequence[Ref]) -> None:
        """Move the successors of the chosen threads to the front."""
        asm, words = self._asm, self._packing.words
        to: Ref = 0
        for thread in self._threads:
            kept = asm.select(self._has(chosen, thread), counts[thread], 0)
            target, source = (
                asm.op(f"getelementptr i64, ptr %out, i64 {asm.mul(n, words)}") for n in (to, ends[thread])
            )
            size = asm.mul(kept, 8 * words)
            asm.do(f"call void @llvm.memmove.p0.p0.i64(ptr {target}, ptr {source}, i64 {size}, i1 false)")
            to = asm.add(to, kept)


def _reads(access: Access) -> int:
    return access.reads


def _writes(access: Access) -> int:
    return access.writes


def _future(access: Access) -> int:
    return access.future


def _future_writes(access: Access) -> int:
    return access.future_writes
