"""How a state is looked for in the table, and how the table grows: open addressing, linear probing, in place.

The place of a state is ``hash * slots >> 64``, so it keeps the order of hashes whatever the size of the table: growing
is one pass over the same memory, from the top down, and needs no second table.

The labels that a method goes to, other than those that it is given, are named in its docstring; the caller writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.writer import Writer

BUSY: Final = 1
"""The first word of a place that is being written: no state's, as those have bit 63."""

Hashed = Callable[[Asm, Sequence[str]], str]
"""Writes the hash of an entry."""


class Probing:
    """Writes the walk along the places of a table whose entries are `code`'s states. `hashed` is the hash of an entry,
    `insert_new` the name of the function that stores one known to be new."""

    def __init__(self, code: Writer, hashed: Hashed, insert_new: str = "insert_new") -> None:
        self.hashed = hashed
        self._code, self._insert_new = code, insert_new

    def probe(self, asm: Asm, found: str, empty: str, *, shared: bool = False) -> str:
        """Look for ``%a`` from ``%from`` on; go to `found`, or to `empty` with the place; beyond the limit to
        ``lost``. The address of the place. If `shared`, others may write at the same time, and whoever comes to
        ``again`` looks at the same place again."""
        table = self._code.pointer(asm, "table")
        limit = self._code.get(asm, "limit")
        before = asm.label
        asm.jump("probe")
        asm.start("probe")
        again = ", [ %index, %again ]" if shared else ""
        asm.do(f"%index = phi i64 [ %from, %{before} ], [ %following, %next ]{again}")
        place = self._code.at(asm, table, "%index")
        first = asm.op(f"load atomic i64, ptr {place} acquire, align 8") if shared else asm.load(place)
        asm.branch(asm.op(f"icmp eq i64 {first}, %a0"), "same", "other")
        asm.start("same")
        equal: Ref = 1
        for number in range(1, self._code.words):
            word = asm.load(asm.op(f"getelementptr i64, ptr {place}, i64 {number}"))
            equal = asm.both(equal, asm.op(f"icmp eq i64 {word}, %a{number}"))
        asm.branch(equal, found, "next")
        asm.start("other")
        taken = "taken" if shared and self._code.words > 1 else "next"
        asm.branch(asm.op(f"icmp eq i64 {first}, 0"), empty, taken)
        if taken != "next":
            asm.start(taken)
            asm.branch(asm.op(f"icmp eq i64 {first}, {BUSY}"), "again", "next")
        asm.start("next")
        asm.do("%following = add i64 %index, 1")
        asm.branch(asm.op(f"icmp ult i64 %following, {limit}"), "probe", "lost")
        return place

    def put_shared(self, asm: Asm, place: str) -> None:
        """Store ``%a`` at a free place; where others may do so too, go to ``again`` if somebody else was first."""
        words = [f"%a{n}" for n in range(self._code.words)]
        asm.branch(asm.op(f"icmp eq i64 {self._code.get(asm, 'workers')}, 1"), "alone", "shared")
        asm.start("alone")
        self._code.put_words(asm, place, words)
        asm.jump("stored")
        asm.start("shared")
        claim: Ref = words[0] if self._code.words == 1 else BUSY
        pair = asm.op(f"cmpxchg ptr {place}, i64 0, i64 {claim} acq_rel acquire")
        asm.branch(asm.op(f"extractvalue {{ i64, i1 }} {pair}, 1"), "claimed", "again")
        asm.start("claimed")
        for number, word in enumerate(words[1:], start=1):
            asm.store(word, asm.op(f"getelementptr i64, ptr {place}, i64 {number}"))
        if self._code.words > 1:
            asm.do(f"store atomic i64 {words[0]}, ptr {place} release, align 8")
        asm.jump("stored")
        asm.start("stored")

    def insert_new(self) -> str:
        """Store a state known to be new at the first free place; whether there was one."""
        asm = Asm()
        words = [f"%a{n}" for n in range(self._code.words)]
        asm.do(f"%from = call i64 @home(ptr %ctx, i64 {self.hashed(asm, words)})")
        table, limit = self._code.pointer(asm, "table"), self._code.get(asm, "limit")
        asm.jump("probe")
        asm.start("probe")
        asm.do("%index = phi i64 [ %from, %entry ], [ %following, %next ], [ %index, %again ]")
        place = self._code.at(asm, table, "%index")
        first = asm.op(f"load atomic i64, ptr {place} monotonic, align 8")
        asm.branch(asm.op(f"icmp eq i64 {first}, 0"), "free", "next")
        asm.start("next")
        asm.do("%following = add i64 %index, 1")
        asm.branch(asm.op(f"icmp ult i64 %following, {limit}"), "probe", "lost")
        asm.start("again")
        asm.jump("probe")
        asm.start("free")
        self.put_shared(asm, place)
        asm.do("ret i1 true")
        asm.start("lost")
        asm.do("ret i1 false")
        return asm.text(f"define internal i1 @{self._insert_new}(ptr %ctx, {self._code.arguments()})")

    def rehash(self) -> str:
        """Move the states on the places from ``%first`` to ``%end``, the last first, to where they belong now. Those
        that belong to where others may not have been moved yet (not after their own place, or before ``%least``) are
        set aside in ``overflow``. 1 when that failed."""
        asm = Asm()
        table = self._code.pointer(asm, "table")
        overflow, most = self._code.pointer(asm, "overflow"), self._code.get(asm, "overflow_most")
        at = asm.slot("at")
        asm.store("%end", at)
        asm.jump("head")
        asm.start("head")
        left = asm.load(at)
        asm.branch(asm.op(f"icmp eq i64 {left}, %first"), "done", "body")
        asm.start("body")
        index = asm.sub(left, 1)
        asm.store(index, at)
        place = self._code.at(asm, table, index)
        asm.branch(asm.op(f"icmp eq i64 {asm.load(place)}, 0"), "head", "taken")
        asm.start("taken")
        words = self._code.read(asm, place)
        asm.store(0, place)
        home = asm.op(f"call i64 @home(ptr %ctx, i64 {self.hashed(asm, words)})")
        later, allowed = asm.op(f"icmp ugt i64 {home}, {index}"), asm.op(f"icmp uge i64 {home}, %least")
        asm.branch(asm.both(later, allowed), "move", "keep")
        asm.start("keep")
        number = self._code.get(asm, "overflow_length")
        self._code.put_words(asm, self._code.at(asm, overflow, number), words)
        self._code.put(asm, "overflow_length", asm.add(number, 1))
        asm.branch(asm.op(f"icmp ult i64 {asm.add(number, 1)}, {most}"), "head", "failed")
        asm.start("move")
        moved = asm.op(f"call i1 @{self._insert_new}(ptr %ctx, {self._code.listed(words)})")
        asm.branch(moved, "head", "failed")
        asm.start("done")
        asm.do("ret i64 0")
        asm.start("failed")
        asm.do("ret i64 1")
        return asm.text("define i64 @rehash(ptr %ctx, i64 %first, i64 %end, i64 %least)")

    def insert_overflow(self) -> str:
        """Insert what was set aside, when all else is where it belongs; 1 when that failed."""
        asm = Asm()
        total = self._code.get(asm, "overflow_length")

        def body(words: Sequence[str]) -> None:
            fine = asm.new_label("fine")
            asm.branch(asm.op(f"call i1 @{self._insert_new}(ptr %ctx, {self._code.listed(words)})"), fine, "failed")
            asm.start(fine)

        self._code.each(asm, self._code.pointer(asm, "overflow"), total, body)
        self._code.put(asm, "overflow_length", 0)
        asm.do("ret i64 0")
        asm.start("failed")
        asm.do("ret i64 1")
        return asm.text("define i64 @insert_overflow(ptr %ctx)")
