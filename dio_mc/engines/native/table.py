"""Generates the operations on the table of states in LLVM IR. `probing` has the probe sequence and
the rehash.

An entry consists of the words of a state; neither parents nor depths are stored.

Several workers share one table without locks: a compare-and-swap on the first word of a free slot
decides who stores a state there. A state of several words first claims the slot with `BUSY`, and a
worker that finds `BUSY` spins for the few stores until the state is complete (Laarman, van de Pol
and Weber, "Boosting multi-core reachability performance with shared hash tables", 2010).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.context import FULL, LOST
from dio_mc.engines.native.probing import Probing
from dio_mc.engines.native.writer import Writer
from dio_mc.semantics.search import Approximate

FACTORS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
"""Odd multipliers of the hash function: 2**64 divided by the golden ratio, two primes of xxHash,
and the multiplier of degski's 64-bit mixer."""


BITS: Final = (16, 22, 28)
"""Bit positions in a hash. The six bits from each on select one of the three bits that represent a
state in a bit-state table; the high bits select the word."""
KNOWN, NO_PLACE, NEW = range(3)
"""The results of ``put_hash``."""
_NEVER_GROWS: Final = """\
define i64 @rehash(ptr %ctx, i64 %first, i64 %end, i64 %least) { ret i64 1 }
define i64 @insert_overflow(ptr %ctx) { ret i64 1 }
"""


class TableCode:
    """Generates lookup, insertion and growth of the table."""

    def __init__(self, code: Writer, probing: Probing) -> None:
        self._code, self._probing = code, probing

    def text(self) -> str:
        """The text of the functions."""
        exact = [self._hash(), self._home(), self._probing.insert_new()]
        match self._code.approximate:
            case None:
                return "\n".join([*exact, self._insert(), self._probing.rehash(), self._probing.insert_overflow()])
            case Approximate("bitstate"):
                return "\n".join([*exact, self._insert_bits(), _NEVER_GROWS])
            case _:
                return "\n".join([*exact, self._insert_hash(), _hashes()])

    def _hash(self) -> str:
        """The hash of a state: every word is added, folded and multiplied. A last fold and
        multiplication spread all bits to the high ones, which select the slot."""
        asm = Asm()
        found = "%a0"
        for number in range(self._code.words):
            if number:
                found = asm.op(f"add i64 {found}, %a{number}")
            folded = asm.op(f"xor i64 {found}, {asm.op(f'lshr i64 {found}, 32')}")
            found = asm.op(f"mul i64 {folded}, {FACTORS[number % 4] - (1 << 64)}")
        folded = asm.op(f"xor i64 {found}, {asm.op(f'lshr i64 {found}, 29')}")
        found = asm.op(f"mul i64 {folded}, {FACTORS[3] - (1 << 64)}")
        asm.do(f"ret i64 {found}")
        return asm.text(f"define internal i64 @hash({self._code.arguments()}) alwaysinline")

    def _home(self) -> str:
        """The home slot of a hash: ``h * slots >> 64``, which grows with the hash."""
        asm = Asm()
        slots = self._code.get(asm, "slots")
        wide = asm.op(f"mul i128 {asm.op('zext i64 %h to i128')}, {asm.op(f'zext i64 {slots} to i128')}")
        place = asm.op(f"trunc i128 {asm.op(f'lshr i128 {wide}, 64')} to i64")
        asm.do(f"ret i64 {place}")
        return asm.text("define internal i64 @home(ptr %ctx, i64 %h) alwaysinline")

    def _insert(self) -> str:
        """``@insert(ctx, from, state)``: insert a state unless it is known; `from` is its home
        slot."""
        asm = Asm()
        place = self._probing.probe(asm, "done", "new", shared=True)
        asm.start("new")
        self._take_in(asm, lambda: self._probing.put_shared(asm, place))
        asm.start("again")
        asm.jump("probe")
        self._report_lost(asm)
        return asm.text(f"define internal void @insert(ptr %ctx, i64 %from, {self._code.arguments()})")

    def _insert_bits(self) -> str:
        """``@insert`` for bit-state hashing: a state is represented by three bits of the word in
        its home slot."""
        asm = Asm()
        hashed = asm.op(f"call i64 @hash({self._code.listed([f'%a{n}' for n in range(self._code.words)])})")
        place = self._code.entry(asm, self._code.pointer(asm, "table"), "%from")
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
        return asm.text(f"define internal void @insert(ptr %ctx, i64 %from, {self._code.arguments()})")

    def _insert_hash(self) -> str:
        """``@insert`` for hash compaction: only the hash of a state is stored; 0 stands for a free
        slot, so the hash 0 is stored as 1."""
        asm = Asm()
        hashed = asm.op(f"call i64 @hash({self._code.listed([f'%a{n}' for n in range(self._code.words)])})")
        key = asm.select(asm.compare("eq", hashed, 0), 1, hashed)
        found = asm.op(f"call i64 @put_hash(ptr %ctx, i64 %from, i64 {key})")
        asm.do(f"switch i64 {found}, label %new [ i64 {KNOWN}, label %done i64 {NO_PLACE}, label %lost ]")
        asm.start("new")
        self._take_in(asm, lambda: None)
        self._report_lost(asm)
        return asm.text(f"define internal void @insert(ptr %ctx, i64 %from, {self._code.arguments()})")

    def _report_lost(self, asm: Asm) -> None:
        """The blocks ``lost``, where probing has reached the end of the table, and ``done``."""
        asm.start("lost")
        self._code.put(asm, "full", LOST)
        asm.jump("done")
        asm.start("done")
        asm.do("ret void")

    def _take_in(self, asm: Asm, store: Callable[[], None]) -> None:
        """Store a new state, append it to the worker's array and have the monitors examine it; if
        `max_states` is reached, set ``full`` instead."""
        count = self._code.get(asm, "count")
        asm.branch(asm.op(f"icmp uge i64 {count}, {self._code.get(asm, 'max_states')}"), "full", "room")
        asm.start("room")
        words = [f"%a{n}" for n in range(self._code.words)]
        store()
        self._code.put(asm, "count", asm.add(count, 1))
        end = self._code.get(asm, "end")
        self._code.put_words(asm, self._code.at(asm, self._code.pointer(asm, "states"), end), words)
        self._code.put(asm, "end", asm.add(end, 1))
        if self._code.on_states:
            asm.do(f"call void @watch_state(ptr %ctx, {self._code.listed(words)})")
        asm.jump("done")
        asm.start("full")
        self._code.put(asm, "full", FULL)  # checked before the store, so the table has no state beyond the limit
        asm.jump("done")


def states(code: Writer) -> Probing:
    """The probe sequence of the table of states."""
    return Probing(code, lambda asm, words: asm.op(f"call i64 @hash({code.listed(words)})"))


def _hashes() -> str:
    """The table of hash compaction: an entry is the hash of a state, and serves as its own hash."""
    probing = Probing(Writer(1, 0, (0, 0)), lambda _, words: words[0], "insert_new_hash")
    asm = Asm()
    place = probing.probe(asm, "known", "new")
    asm.start("new")
    asm.store("%a0", place)
    asm.do(f"ret i64 {NEW}")
    asm.start("known")
    asm.do(f"ret i64 {KNOWN}")
    asm.start("lost")
    asm.do(f"ret i64 {NO_PLACE}")
    put = asm.text("define internal i64 @put_hash(ptr %ctx, i64 %from, i64 %a0)")
    return "\n".join([put, probing.insert_new(), probing.rehash(), probing.insert_overflow()])
