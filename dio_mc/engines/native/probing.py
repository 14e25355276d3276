"""Generates the probe sequence and the rehash of a table: open addressing, linear probing, growth
in place.

The home slot of a state is ``hash * slots >> 64``. So the order of home slots is that of the hashes
whatever the size of the table, and a rehash is one pass over the same memory, from the top down,
without a second table.

The docstring of a method names the labels that the generated code branches to, except those that
are its arguments; the caller defines them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.writer import Writer

BUSY: Final = 1
"""The first word of a slot that is being written. No state has it, because bit 63 is set in the
first word of every state."""

Hashed = Callable[[Asm, Sequence[str]], str]
"""Generates the hash of an entry; returns its register."""


class Probing:
    """Generates probing for a table with entries of `code.words` words. `hashed` generates the hash
    of an entry, and `insert_new` names the function that inserts one known to be new."""

    def __init__(self, code: Writer, hashed: Hashed, insert_new: str = "insert_new") -> None:
        self.hashed = hashed
        self._code, self._insert_new = code, insert_new

    def probe(self, asm: Asm, found: str, empty: str, *, shared: bool = False) -> str:
        """Look for the state ``%a...`` from slot ``%from`` on, and return the address of the
        current slot (its number is ``%index``).

        Branches to `found`, to `empty` at a free slot, or to ``lost`` at the end of the table. With
        `shared`, others may write at the same time; a branch to ``again`` must lead back to
        ``probe``, which examines the same slot again.
        """
        table = self._code.pointer(asm, "table")
        limit = self._code.get(asm, "limit")
        before = asm.label
        asm.jump("probe")
        asm.start("probe")
        again = ", [ %index, %again ]" if shared else ""
        asm.do(f"%index = phi i64 [ %from, %{before} ], [ %following, %next ]{again}")
        place = self._code.at(asm, table, "%index")
        # acquire pairs with the release store in `put_shared`: a state that is seen is complete
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
        """Store the state ``%a...`` in a free slot. With several workers, branch to ``again`` if
        another worker was faster."""
        words = [f"%a{n}" for n in range(self._code.words)]
        asm.branch(asm.op(f"icmp eq i64 {self._code.get(asm, 'workers')}, 1"), "alone", "shared")
        asm.start("alone")
        self._code.put_words(asm, place, words)
        asm.jump("stored")
        asm.start("shared")
        # a state of one word is stored by the exchange itself
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
        """Insert a state known to be new into the first free slot; the result tells whether there
        was one."""
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
        """``@rehash(ctx, first, end, least)``: move the states in slots from `first` up to `end` to
        where they belong in the larger table, the last first. The result is 1 if that failed,
        otherwise 0.

        Only slots after a state's own, and not before `least`, are known to have been rehashed
        already. A state whose home slot is not among these is set aside in ``overflow``.
        """
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
        """``@insert_overflow(ctx)``: insert the states that were set aside, once all others are in
        place. The result is 1 if that failed, otherwise 0."""
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
