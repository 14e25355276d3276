"""The table of states in LLVM IR: open addressing, linear probing, growing in place.

The place of a state is ``hash * slots >> 64``, so it keeps the order of hashes whatever the size of the table: growing
is one pass over the same memory, from the top down, and needs no second table. A state is stored as its words; no
parents, no depth.

Several workers share one table without locks: who exchanges the first word of a free place for his own has it. A state
of several words takes its place with `BUSY`, and whoever meets that waits for the few stores until the state is there.
(The idea is that of Laarman, van de Pol and Weber, "Boosting multi-core reachability performance with shared hash
tables", 2010.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.context import FULL, LOST
from dio_mc.engines.native.turns import TurnWriter
from dio_mc.semantics.search import Approximate

FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)


BITS: Final = (16, 22, 28)
"""Which bits of a hash, six from each on, choose the bits of a bit-state table; those above choose the word."""
KNOWN, NO_PLACE, NEW = range(3)
BUSY: Final = 1
"""The first word of a place that is being written: no state's, as those have bit 63."""
_NEVER_GROWS: Final = """\
define i64 @spread(ptr %ctx, i64 %first, i64 %behind, i64 %least) { ret i64 1 }
define i64 @unspill(ptr %ctx) { ret i64 1 }
"""


class TableWriter(TurnWriter):
    """Writes what looks states up, takes them in, and grows the table."""

    settle = "settle"

    def hashed(self, asm: Asm, words: Sequence[str]) -> str:
        """The hash of an entry."""
        return asm.op(f"call i64 @hash({self.listed(words)})")

    def table_text(self) -> str:
        """The functions."""
        exact = [self._hash(), self._home(), self._settle()]
        match self.approximate:
            case None:
                return "\n".join([*exact, self._insert(), self._spread(), self._unspill()])
            case Approximate("bitstate"):
                return "\n".join([*exact, self._insert_bits(), _NEVER_GROWS])
            case _:
                return "\n".join([*exact, self._insert_hash(), Hashes(1, 0, (0, 0)).hashes_text()])

    def _hash(self) -> str:
        asm = Asm()
        found = "%a0"
        for number in range(self.words):
            if number:
                found = asm.op(f"add i64 {found}, %a{number}")
            folded = asm.op(f"xor i64 {found}, {asm.op(f'lshr i64 {found}, 32')}")
            found = asm.op(f"mul i64 {folded}, {FACTORS[number % 4] - (1 << 64)}")
        folded = asm.op(f"xor i64 {found}, {asm.op(f'lshr i64 {found}, 29')}")
        found = asm.op(f"mul i64 {folded}, {FACTORS[3] - (1 << 64)}")
        asm.do(f"ret i64 {found}")
        return asm.text(f"define internal i64 @hash({self.arguments()}) alwaysinline")

    def _home(self) -> str:
        asm = Asm()
        slots = self.get(asm, "slots")
        wide = asm.op(f"mul i128 {asm.op('zext i64 %h to i128')}, {asm.op(f'zext i64 {slots} to i128')}")
        place = asm.op(f"trunc i128 {asm.op(f'lshr i128 {wide}, 64')} to i64")
        asm.do(f"ret i64 {place}")
        return asm.text("define internal i64 @home(ptr %ctx, i64 %h) alwaysinline")

    def _probe(self, asm: Asm, found: str, empty: str, *, shared: bool = False) -> str:
        """Look for ``%a`` from ``%from`` on; go to `found`, or to `empty` with the place; beyond the limit to
        ``lost``. The address of the place. If `shared`, others may write at the same time, and whoever comes to
        ``again`` looks at the same place again."""
        table = self.pointer(asm, "table")
        limit = self.get(asm, "limit")
        before = asm.label
        asm.jump("probe")
        asm.start("probe")
        again = ", [ %index, %again ]" if shared else ""
        asm.do(f"%index = phi i64 [ %from, %{before} ], [ %following, %next ]{again}")
        place = self.at(asm, table, "%index")
        first = asm.op(f"load atomic i64, ptr {place} acquire, align 8") if shared else asm.load(place)
        asm.branch(asm.op(f"icmp eq i64 {first}, %a0"), "same", "other")
        asm.start("same")
        equal: Ref = 1
        for number in range(1, self.words):
            word = asm.load(asm.op(f"getelementptr i64, ptr {place}, i64 {number}"))
            equal = asm.both(equal, asm.op(f"icmp eq i64 {word}, %a{number}"))
        asm.branch(equal, found, "next")
        asm.start("other")
        taken = "taken" if shared and self.words > 1 else "next"
        asm.branch(asm.op(f"icmp eq i64 {first}, 0"), empty, taken)
        if taken != "next":
            asm.start(taken)
            asm.branch(asm.op(f"icmp eq i64 {first}, {BUSY}"), "again", "next")
        asm.start("next")
        asm.do("%following = add i64 %index, 1")
        asm.branch(asm.op(f"icmp ult i64 %following, {limit}"), "probe", "lost")
        return place

    def _insert(self) -> str:
        """Take in a state that may be new."""
        asm = Asm()
        place = self._probe(asm, "done", "new", shared=True)
        asm.start("new")
        self._take_in(asm, lambda: self._put_shared(asm, place))
        asm.start("again")
        asm.jump("probe")
        self._report_lost(asm)
        return asm.text(f"define internal void @insert(ptr %ctx, i64 %from, {self.arguments()})")

    def _put_shared(self, asm: Asm, place: str) -> None:
        """Store ``%a`` at a free place; where others may do so too, go to ``again`` if somebody else was first."""
        words = [f"%a{n}" for n in range(self.words)]
        asm.branch(asm.op(f"icmp eq i64 {self.get(asm, 'workers')}, 1"), "alone", "shared")
        asm.start("alone")
        self.put_words(asm, place, words)
        asm.jump("stored")
        asm.start("shared")
        claim: Ref = words[0] if self.words == 1 else BUSY
        pair = asm.op(f"cmpxchg ptr {place}, i64 0, i64 {claim} acq_rel acquire")
        asm.branch(asm.op(f"extractvalue {{ i64, i1 }} {pair}, 1"), "claimed", "again")
        asm.start("claimed")
        for number, word in enumerate(words[1:], start=1):
            asm.store(word, asm.op(f"getelementptr i64, ptr {place}, i64 {number}"))
        if self.words > 1:
            asm.do(f"store atomic i64 {words[0]}, ptr {place} release, align 8")
        asm.jump("stored")
        asm.start("stored")

    def _insert_bits(self) -> str:
        """The same where a state is three bits of the word at its place."""
        asm = Asm()
        hashed = asm.op(f"call i64 @hash({self.listed([f'%a{n}' for n in range(self.words)])})")
        place = self.entry(asm, self.pointer(asm, "table"), "%from")
        before = asm.load(place)
        mask: Ref = 0
        for shift in BITS:
            bit = asm.op(f"and i64 {asm.shift_right(hashed, shift)}, 63")
            mask = asm.bits("or", mask, asm.op(f"shl i64 1, {bit}"))
        asm.branch(asm.op(f"icmp eq i64 {asm.bits('and', before, mask)}, {mask}"), "done", "new")
        asm.start("new")
        self._take_in(asm, lambda: asm.store(asm.bits("or", before, mask), place))
        asm.start("done")
        asm.do("ret void")
        return asm.text(f"define internal void @insert(ptr %ctx, i64 %from, {self.arguments()})")

    def _insert_hash(self) -> str:
        """The same where only its hash is kept of a state."""
        asm = Asm()
        hashed = asm.op(f"call i64 @hash({self.listed([f'%a{n}' for n in range(self.words)])})")
        key = asm.select(asm.compare("eq", hashed, 0), 1, hashed)
        found = asm.op(f"call i64 @put_hash(ptr %ctx, i64 %from, i64 {key})")
        asm.do(f"switch i64 {found}, label %new [ i64 {KNOWN}, label %done i64 {NO_PLACE}, label %lost ]")
        asm.start("new")
        self._take_in(asm, lambda: None)
        self._report_lost(asm)
        return asm.text(f"define internal void @insert(ptr %ctx, i64 %from, {self.arguments()})")

    def _report_lost(self, asm: Asm) -> None:
        asm.start("lost")
        self.put(asm, "full", LOST)
        asm.jump("done")
        asm.start("done")
        asm.do("ret void")

    def _take_in(self, asm: Asm, store: Callable[[], None]) -> None:
        """A new state is stored, appended to the frontier and watched, if there may be one more."""
        count = self.get(asm, "count")
        asm.branch(asm.op(f"icmp uge i64 {count}, {self.get(asm, 'max_states')}"), "full", "room")
        asm.start("room")
        words = [f"%a{n}" for n in range(self.words)]
        store()
        self.put(asm, "count", asm.add(count, 1))
        end = self.get(asm, "end")
        self.put_words(asm, self.at(asm, self.pointer(asm, "states"), end), words)
        self.put(asm, "end", asm.add(end, 1))
        if self.on_states:
            asm.do(f"call void @watch_state(ptr %ctx, {self.listed(words)})")
        asm.jump("done")
        asm.start("full")
        self.put(asm, "full", FULL)
        asm.jump("done")

    def _spread(self) -> str:
        """Move the states on the places from ``%first`` to ``%behind``, the last first, to where they belong now. Those
        that belong to where others may not have been moved yet (not after their own place, or before ``%least``) are
        spilled. 1 when that failed."""
        asm = Asm()
        table = self.pointer(asm, "table")
        spill, most = self.pointer(asm, "spill"), self.get(asm, "spill_most")
        at = asm.slot("at")
        asm.store("%behind", at)
        asm.jump("head")
        asm.start("head")
        left = asm.load(at)
        asm.branch(asm.op(f"icmp eq i64 {left}, %first"), "done", "body")
        asm.start("body")
        index = asm.sub(left, 1)
        asm.store(index, at)
        place = self.at(asm, table, index)
        asm.branch(asm.op(f"icmp eq i64 {asm.load(place)}, 0"), "head", "taken")
        asm.start("taken")
        words = self.read(asm, place)
        asm.store(0, place)
        home = asm.op(f"call i64 @home(ptr %ctx, i64 {self.hashed(asm, words)})")
        behind, allowed = asm.op(f"icmp ugt i64 {home}, {index}"), asm.op(f"icmp uge i64 {home}, %least")
        asm.branch(asm.both(behind, allowed), "move", "keep")
        asm.start("keep")
        number = self.get(asm, "spilled")
        self.put_words(asm, self.at(asm, spill, number), words)
        self.put(asm, "spilled", asm.add(number, 1))
        asm.branch(asm.op(f"icmp ult i64 {asm.add(number, 1)}, {most}"), "head", "failed")
        asm.start("move")
        moved = asm.op(f"call i1 @{self.settle}(ptr %ctx, {self.listed(words)})")
        asm.branch(moved, "head", "failed")
        asm.start("done")
        asm.do("ret i64 0")
        asm.start("failed")
        asm.do("ret i64 1")
        return asm.text("define i64 @spread(ptr %ctx, i64 %first, i64 %behind, i64 %least)")

    def _unspill(self) -> str:
        """Put back what was spilled, when all else is where it belongs; 1 when that failed."""
        asm = Asm()
        total = self.get(asm, "spilled")

        def body(words: Sequence[str]) -> None:
            fine = asm.new_label("fine")
            asm.branch(asm.op(f"call i1 @{self.settle}(ptr %ctx, {self.listed(words)})"), fine, "failed")
            asm.start(fine)

        self.each(asm, self.pointer(asm, "spill"), total, body)
        self.put(asm, "spilled", 0)
        asm.do("ret i64 0")
        asm.start("failed")
        asm.do("ret i64 1")
        return asm.text("define i64 @unspill(ptr %ctx)")

    def _settle(self) -> str:
        """Store a state known to be new at the first free place; whether there was one."""
        asm = Asm()
        words = [f"%a{n}" for n in range(self.words)]
        asm.do(f"%from = call i64 @home(ptr %ctx, i64 {self.hashed(asm, words)})")
        table, limit = self.pointer(asm, "table"), self.get(asm, "limit")
        asm.jump("probe")
        asm.start("probe")
        asm.do("%index = phi i64 [ %from, %entry ], [ %following, %next ], [ %index, %again ]")
        place = self.at(asm, table, "%index")
        first = asm.op(f"load atomic i64, ptr {place} monotonic, align 8")
        asm.branch(asm.op(f"icmp eq i64 {first}, 0"), "free", "next")
        asm.start("next")
        asm.do("%following = add i64 %index, 1")
        asm.branch(asm.op(f"icmp ult i64 %following, {limit}"), "probe", "lost")
        asm.start("again")
        asm.jump("probe")
        asm.start("free")
        self._put_shared(asm, place)
        asm.do("ret i1 true")
        asm.start("lost")
        asm.do("ret i1 false")
        return asm.text(f"define internal i1 @{self.settle}(ptr %ctx, {self.arguments()})")


class Hashes(TableWriter):
    """Writes the table of hash compaction: its entries are hashes of states, and so their own hashes."""

    settle = "settle_hash"

    def hashed(self, asm: Asm, words: Sequence[str]) -> str:
        """The entry itself."""
        return words[0]

    def hashes_text(self) -> str:
        """The functions."""
        asm = Asm()
        place = self._probe(asm, "known", "new")
        asm.start("new")
        asm.store("%a0", place)
        asm.do(f"ret i64 {NEW}")
        asm.start("known")
        asm.do(f"ret i64 {KNOWN}")
        asm.start("lost")
        asm.do(f"ret i64 {NO_PLACE}")
        put = asm.text("define internal i64 @put_hash(ptr %ctx, i64 %from, i64 %a0)")
        return "\n".join([put, self._settle(), self._spread(), self._unspill()])
