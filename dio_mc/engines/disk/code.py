"""Generates operations on sorted arrays of states: radix sort, delta coding, and search for the
states of one array in another.

States are compared word by word, as unsigned numbers, the first word first. A sorted array without
duplicates is coded as a sequence of numbers, seven bits per byte, the lowest bits first, with bit 7
set in all bytes but the last (LEB128). The first word of a state is coded as the difference from
the state before. A later word is coded as a difference if all earlier words are equal to those of
the state before, and otherwise as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm, Cond, Ref
from dio_mc.engines.native.writer import Writer

FUNCTIONS: Final = {
    "differing": 3, "count_digits": 5, "scatter": 6, "unique": 2, "encode": 3, "decode": 3, "below": 3, "strike": 6,
    "without": 3,
}  # fmt: skip
"""The exported functions and their numbers of arguments."""
LONGEST: Final = 10
"""The most bytes that a word can take in the code."""


class SortedCode:
    """Generates the functions for states of `words` words."""

    def __init__(self, words: int) -> None:
        self._code = Writer(words, 0, (0, 0))

    def text(self) -> str:
        """The text of a module with all functions."""
        parts = [
            self._differing(), self._count_digits(), self._scatter(), self._unique(), self._put(), self._take(),
            self._encode(), self._decode(), self._below(), self._strike(), self._without(),
        ]  # fmt: skip
        return "\n".join(parts)

    # -- pieces --------------------------------------------------------------------------------------------------------

    def _state(self, asm: Asm, base: str, number: Ref) -> list[str]:
        return self._code.read(asm, self._code.at(asm, base, number))

    def _same(self, asm: Asm, one: Sequence[str], other: Sequence[str]) -> Cond:
        same: Cond = 1
        for a, b in zip(one, other, strict=True):
            same = asm.both(same, asm.op(f"icmp eq i64 {a}, {b}"))
        return same

    def _less(self, asm: Asm, one: Sequence[str], other: Sequence[str]) -> Cond:
        """Whether a state precedes another."""
        less: Cond = 0
        for a, b in reversed(list(zip(one, other, strict=True))):
            same = asm.op(f"icmp eq i64 {a}, {b}")
            less = asm.either(asm.op(f"icmp ult i64 {a}, {b}"), asm.both(same, less))
        return less

    def _each_digit(self, asm: Asm, base: str) -> tuple[str, str]:
        """Begin a loop over the states of ``%in``; return the number of the state, and the address
        of the element of the array `base` that its digit selects. A digit has the bits of ``%mask``
        from bit ``%where`` on, counted through the words of a state."""
        asm.do("%word = lshr i64 %where, 6")
        asm.do("%shift = and i64 %where, 63")
        number = asm.count_up(0, "%count")
        word = asm.load(asm.op(f"getelementptr i64, ptr {self._code.at(asm, '%in', number)}, i64 %word"))
        digit = asm.op(f"and i64 {asm.op(f'lshr i64 {word}, %shift')}, %mask")
        return number, asm.op(f"getelementptr i64, ptr {base}, i64 {digit}")

    def _keep(self, asm: Asm, number: Ref, kept: str) -> None:
        """End a loop over the states of ``%in`` with the block ``keep``, which moves the current
        state to the front, and the block ``done``, which returns the number of these."""
        asm.start("keep")
        many = asm.load(kept)
        self._code.put_words(asm, self._code.at(asm, "%in", many), self._state(asm, "%in", number))
        asm.store(asm.add(many, 1), kept)
        asm.jump("head")
        asm.start("done")
        asm.do(f"ret i64 {asm.load(kept)}")

    # -- sorting -------------------------------------------------------------------------------------------------------

    def _differing(self) -> str:
        """``@differing(in, count, out)``: the bits in which some states differ from the first, ORed
        into the state at `out`."""
        asm = Asm()
        first = self._state(asm, "%in", 0)
        number = asm.count_up(0, "%count")
        for word, (one, other) in enumerate(zip(self._state(asm, "%in", number), first, strict=True)):
            place = asm.op(f"getelementptr i64, ptr %out, i64 {word}")
            asm.store(asm.bits("or", asm.load(place), asm.bits("xor", one, other)), place)
        asm.jump("head")
        asm.start("done")
        asm.do("ret i64 0")
        return asm.text("define i64 @differing(ptr noalias %in, i64 %count, ptr noalias %out)")

    def _count_digits(self) -> str:
        """``@count_digits(in, count, where, mask, counts)``: count how often each digit occurs."""
        asm = Asm()
        _, place = self._each_digit(asm, "%counts")
        asm.store(asm.add(asm.load(place), 1), place)
        asm.jump("head")
        asm.start("done")
        asm.do("ret i64 0")
        return asm.text(
            "define i64 @count_digits(ptr noalias %in, i64 %count, i64 %where, i64 %mask, ptr noalias %counts)"
        )

    def _scatter(self) -> str:
        """``@scatter(in, count, where, mask, places, out)``: copy every state to the next place of
        its digit; `places` is updated."""
        asm = Asm()
        number, place = self._each_digit(asm, "%places")
        to = asm.load(place)
        asm.store(asm.add(to, 1), place)
        self._code.put_words(asm, self._code.at(asm, "%out", to), self._state(asm, "%in", number))
        asm.jump("head")
        asm.start("done")
        asm.do("ret i64 0")
        return asm.text(
            "define i64 @scatter(ptr noalias %in, i64 %count, i64 %where, i64 %mask, ptr noalias %places,"
            " ptr noalias %out)"
        )

    def _unique(self) -> str:
        """``@unique(in, count)``: remove duplicates from a sorted array; the result is the number
        of states left."""
        asm = Asm()
        kept = asm.slot("kept")
        asm.store(0, kept)
        number = asm.count_up(0, "%count")
        state = self._state(asm, "%in", number)
        many = asm.load(kept)
        asm.branch(asm.compare("eq", many, 0), "keep", "look")
        asm.start("look")
        before = self._state(asm, "%in", asm.sub(many, 1))
        asm.branch(self._same(asm, state, before), "head", "keep")
        self._keep(asm, number, kept)
        return asm.text("define i64 @unique(ptr %in, i64 %count)")

    # -- coding --------------------------------------------------------------------------------------------------------

    def _put(self) -> str:
        """``@put(out, number)``: code one number; the result is the address after it."""
        asm = Asm()
        asm.jump("head")
        asm.start("head")
        asm.do("%at = phi ptr [ %out, %entry ], [ %next, %more ]")
        asm.do("%rest = phi i64 [ %number, %entry ], [ %higher, %more ]")
        asm.do("%next = getelementptr i8, ptr %at, i64 1")
        low = asm.op("trunc i64 %rest to i8")
        asm.branch(asm.op("icmp ult i64 %rest, 128"), "last", "more")
        asm.start("more")
        asm.store(asm.op(f"or i8 {low}, -128"), "%at", "i8")
        asm.do("%higher = lshr i64 %rest, 7")
        asm.jump("head")
        asm.start("last")
        asm.store(low, "%at", "i8")
        asm.do("ret ptr %next")
        return asm.text("define internal ptr @put(ptr %out, i64 %number) alwaysinline")

    def _take(self) -> str:
        """``@take(in, to)``: decode one number; the result is the address after it. At most
        `LONGEST` bytes are read, whatever they are."""
        asm = Asm()
        asm.jump("head")
        asm.start("head")
        asm.do("%at = phi ptr [ %in, %entry ], [ %next, %more ]")
        asm.do("%shift = phi i64 [ 0, %entry ], [ %higher, %more ]")
        asm.do("%sofar = phi i64 [ 0, %entry ], [ %sum, %more ]")
        asm.do("%next = getelementptr i8, ptr %at, i64 1")
        byte = asm.op(f"zext i8 {asm.load('%at', 'i8')} to i64")
        low = asm.op(f"and i64 {byte}, 127")
        asm.do(f"%sum = or i64 %sofar, {asm.op(f'shl i64 {low}, %shift')}")
        asm.do("%higher = add i64 %shift, 7")
        long = asm.op(f"icmp ugt i64 {byte}, 127")
        asm.branch(asm.both(long, asm.op("icmp ult i64 %higher, 64")), "more", "last")
        asm.start("more")
        asm.jump("head")
        asm.start("last")
        asm.store("%sum", "%to")
        asm.do("ret ptr %next")
        return asm.text("define internal ptr @take(ptr %in, ptr %to) alwaysinline")

    def _encode(self) -> str:
        """``@encode(in, count, out)``: code sorted states; the result is the number of bytes."""
        asm = Asm()
        at, before = asm.slot("bytes", "ptr"), self._before(asm)
        asm.store("%out", at, "ptr")
        number = asm.count_up(0, "%count")
        state = self._state(asm, "%in", number)
        same: Cond = 1
        for word, place in zip(state, before, strict=True):
            known = asm.select(same, asm.load(place), 0)
            less = asm.sub(word, known)
            asm.store(asm.op(f"call ptr @put(ptr {asm.load(at, 'ptr')}, i64 {less})"), at, "ptr")
            same = asm.both(same, asm.compare("eq", less, 0))
            asm.store(word, place)
        asm.jump("head")
        asm.start("done")
        end = asm.op(f"ptrtoint ptr {asm.load(at, 'ptr')} to i64")
        asm.do(f"ret i64 {asm.sub(end, asm.op('ptrtoint ptr %out to i64'))}")
        return asm.text("define i64 @encode(ptr noalias %in, i64 %count, ptr noalias %out)")

    def _before(self, asm: Asm) -> list[str]:
        """Variables for the preceding state, which is zero at first."""
        places = [asm.slot(f"before{word}") for word in range(self._code.words)]
        for place in places:
            asm.store(0, place)
        return places

    def _decode(self) -> str:
        """``@decode(in, count, out)``: decode `count` states; the result is the number of bytes
        read, at most `LONGEST` per word."""
        asm = Asm()
        at, before, value = asm.slot("bytes", "ptr"), self._before(asm), asm.slot("value")
        asm.store("%in", at, "ptr")
        number = asm.count_up(0, "%count")
        same: Cond = 1
        words: list[str] = []
        for place in before:
            asm.store(asm.op(f"call ptr @take(ptr {asm.load(at, 'ptr')}, ptr {value})"), at, "ptr")
            less = asm.load(value)
            word = asm.add(less, asm.select(same, asm.load(place), 0))
            same = asm.both(same, asm.compare("eq", less, 0))
            asm.store(word, place)
            words.append(str(word))
        self._code.put_words(asm, self._code.at(asm, "%out", number), words)
        asm.jump("head")
        asm.start("done")
        end = asm.op(f"ptrtoint ptr {asm.load(at, 'ptr')} to i64")
        asm.do(f"ret i64 {asm.sub(end, asm.op('ptrtoint ptr %in to i64'))}")
        return asm.text("define i64 @decode(ptr noalias %in, i64 %count, ptr noalias %out)")

    # -- looking -------------------------------------------------------------------------------------------------------

    def _below(self) -> str:
        """``@below(in, count, key)``: the number of sorted states that precede `key`, by binary
        search."""
        asm = Asm()
        low, high = asm.slot("low"), asm.slot("high")
        asm.store(0, low)
        asm.store("%count", high)
        key = self._code.read(asm, "%key")
        asm.jump("head")
        asm.start("head")
        first, last = asm.load(low), asm.load(high)
        asm.branch(asm.op(f"icmp ult i64 {first}, {last}"), "half", "done")
        asm.start("half")
        middle = asm.shift_right(asm.add(first, last), 1)
        asm.branch(self._less(asm, self._state(asm, "%in", middle), key), "right", "left")
        asm.start("right")
        asm.store(asm.add(middle, 1), low)
        asm.jump("head")
        asm.start("left")
        asm.store(middle, high)
        asm.jump("head")
        asm.start("done")
        asm.do(f"ret i64 {first}")
        return asm.text("define i64 @below(ptr %in, i64 %count, ptr %key)")

    def _strike(self) -> str:
        """``@strike(in, count, first, known, size, marks)``: mark each of the `count` sorted
        states, from number `first` on, that is also among the `size` sorted states at `known`. The
        result is the number of the first state that follows all of these."""
        asm = Asm()
        one, other = asm.slot("one"), asm.slot("other")
        asm.store("%first", one)
        asm.store(0, other)
        asm.jump("state")
        asm.start("state")
        number = asm.load(one)
        asm.branch(asm.op(f"icmp ult i64 {number}, %count"), "known", "done")
        asm.start("known")
        state = self._state(asm, "%in", number)
        asm.jump("head")
        asm.start("head")
        place = asm.load(other)
        asm.branch(asm.op(f"icmp ult i64 {place}, %size"), "compare", "done")
        asm.start("compare")
        there = self._state(asm, "%known.states", place)
        asm.branch(self._less(asm, there, state), "skip", "reached")
        asm.start("skip")
        asm.store(asm.add(place, 1), other)
        asm.jump("head")
        asm.start("reached")
        mark = asm.op(f"getelementptr i8, ptr %marks, i64 {number}")
        same = asm.op(f"zext i1 {self._same(asm, there, state)} to i8")
        asm.store(asm.op(f"or i8 {asm.load(mark, 'i8')}, {same}"), mark, "i8")
        asm.store(asm.add(number, 1), one)
        asm.jump("state")
        asm.start("done")
        asm.do(f"ret i64 {asm.load(one)}")
        return asm.text(
            "define i64 @strike(ptr noalias %in, i64 %count, i64 %first, ptr noalias %known.states, i64 %size,"
            " ptr noalias %marks)"
        )

    def _without(self) -> str:
        """``@without(in, count, marks)``: remove the marked states and clear the marks; the result
        is the number of states left."""
        asm = Asm()
        kept = asm.slot("kept")
        asm.store(0, kept)
        number = asm.count_up(0, "%count")
        mark = asm.op(f"getelementptr i8, ptr %marks, i64 {number}")
        marked = asm.op(f"icmp ne i8 {asm.load(mark, 'i8')}, 0")
        asm.store(0, mark, "i8")
        asm.branch(marked, "head", "keep")
        self._keep(asm, number, kept)
        return asm.text("define i64 @without(ptr noalias %in, i64 %count, ptr noalias %marks)")
