"""Generates the backward pass in LLVM IR: which states of a level are ends, and the best
continuation from the states of the levels before.

A record is a state (its words), the fewest switches of a continuation from it, and the set of
threads for which no further switch is needed (`engines.reference.canonical.Rest`), one bit per
thread. The records of one level are put into a hash table for the level before it: the states in
one array, their continuations at the same positions of a second array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.probing import Probing
from dio_mc.engines.native.writer import Writer

Selects = Callable[[Asm, str, Sequence[str], str, str], None]
"""Generates a test of a state: its address, its words, the address of its successors, their number.
Branches to ``yes`` or to ``head``."""

NOWHERE: Final = (1 << 62) - 1
"""More switches than any path has: no shortest path continues from a state."""


def rest_words(threads: int) -> int:
    """The number of words of a continuation: the switches, and the set of threads."""
    return 1 + -(-threads // 64)


class BackCode:
    """Generates ``examine``, ``rest``, ``keep`` and ``left_from``, for a program with this number
    of `threads`."""

    def __init__(self, code: Writer, probing: Probing, threads: int) -> None:
        self._code, self._probing, self._threads = code, probing, threads

    def text(self) -> str:
        """The text of the functions."""
        return "\n".join([self._left(), self._left_from(), self._examine(), self._rest(), self._keep()])

    @property
    def _masks(self) -> int:
        return rest_words(self._threads) - 1

    @property
    def _size(self) -> int:
        return self._code.words + rest_words(self._threads)

    # -- records -------------------------------------------------------------------------------------------------------

    def _write(self, asm: Asm, words: Sequence[str], switches: Ref, masks: Sequence[Ref]) -> None:
        """Append a record to ``found``."""
        length = self._code.get(asm, "found_length")
        place = asm.op(f"getelementptr i64, ptr {self._code.pointer(asm, 'found')}, i64 {asm.mul(length, self._size)}")
        for number, word in enumerate([*words, switches, *masks]):
            asm.store(word, asm.op(f"getelementptr i64, ptr {place}, i64 {number}"))
        self._code.put(asm, "found_length", asm.add(length, 1))

    def _beside(self, asm: Asm, index: str) -> str:
        """The address of the continuation at a position of the table."""
        size = rest_words(self._threads)
        return asm.op(f"getelementptr i64, ptr {self._code.pointer(asm, 'rests')}, i64 {asm.mul(index, size)}")

    @staticmethod
    def _word(asm: Asm, masks: str, thread: str) -> str:
        """The address of the word that has the bit of a thread."""
        return asm.op(f"getelementptr i64, ptr {masks}, i64 {asm.shift_right(thread, 6)}")

    @staticmethod
    def _bit(asm: Asm, thread: str) -> Ref:
        return asm.op(f"and i64 {thread}, 63")

    def _left(self) -> str:
        """``@left(ctx, thread, state)``: the switches of the best continuation from a state if
        `thread` made the step to it; -1 if no shortest path continues."""
        asm = Asm()
        asm.do(f"%from = call i64 @home(ptr %ctx, i64 {self._probing.hashed(asm, self._arguments())})")
        self._probing.probe(asm, "found", "lost")
        asm.start("found")
        beside = self._beside(asm, "%index")
        masks = asm.op(f"getelementptr i64, ptr {beside}, i64 1")
        switches = asm.load(beside)
        word = asm.load(self._word(asm, masks, "%thread"))
        bit = asm.op(f"lshr i64 {word}, {self._bit(asm, '%thread')}")
        same = asm.op(f"and i64 {bit}, 1")
        asm.do(f"ret i64 {asm.sub(asm.add(switches, 1), same)}")
        asm.start("lost")
        asm.do("ret i64 -1")
        return asm.text(f"define internal i64 @left(ptr %ctx, i64 %thread, {self._code.arguments()})")

    def _arguments(self) -> list[str]:
        return [f"%a{number}" for number in range(self._code.words)]

    def _left_from(self) -> str:
        """``@left_from(ctx, state, thread)``: like ``@left``, for a state that is replaced by its
        representative if ``reduced``."""
        asm = Asm()
        thread = self._named(asm, "%state", "%thread")
        asm.do(f"ret i64 {self._call_left(asm, '%ctx', thread, self._code.read(asm, '%state'))}")
        return asm.text("define i64 @left_from(ptr %ctx, ptr %state, i64 %thread)")

    def _call_left(self, asm: Asm, table: str, thread: str, words: Sequence[str]) -> str:
        return asm.op(f"call i64 @left(ptr {table}, i64 {thread}, {self._code.listed(words)})")

    def _named(self, asm: Asm, place: str, thread: str) -> str:
        """Replace a state by its representative if the search is reduced by symmetry; return the
        number of the thread there."""
        reduced, done, before = asm.new_label("reduced"), asm.new_label("whole"), asm.label
        asm.branch(asm.op(f"icmp ne i64 {self._code.get(asm, 'reduced')}, 0"), reduced, done)
        asm.start(reduced)
        there = asm.op(f"call i64 @named(ptr {place}, i64 {thread})")
        asm.jump(done)
        asm.start(done)
        return asm.op(f"phi i64 [ {thread}, %{before} ], [ {there}, %{reduced} ]")

    def _keep(self) -> str:
        """``@keep(ctx, records, count)``: insert records into a table; the result is 1 if that
        failed, otherwise 0."""
        asm = Asm()
        number = asm.count_up(0, "%count")
        record = asm.op(f"getelementptr i64, ptr %records, i64 {asm.mul(number, self._size)}")
        for number_, word in enumerate(self._code.read(asm, record)):
            asm.do(f"%a{number_} = add i64 {word}, 0")  # a copy with the name that `probe` expects
        asm.do(f"%from = call i64 @home(ptr %ctx, i64 {self._probing.hashed(asm, self._arguments())})")
        place = self._probing.probe(asm, "head", "free")
        asm.start("free")
        self._code.put_words(asm, place, self._arguments())
        beside = self._beside(asm, "%index")
        for part in range(rest_words(self._threads)):
            word = asm.load(asm.op(f"getelementptr i64, ptr {record}, i64 {self._code.words + part}"))
            asm.store(word, asm.op(f"getelementptr i64, ptr {beside}, i64 {part}"))
        asm.jump("head")
        asm.start("lost")
        asm.do("ret i64 1")
        asm.start("done")
        asm.do("ret i64 0")
        return asm.text("define i64 @keep(ptr %ctx, ptr %records, i64 %count)")

    # -- levels --------------------------------------------------------------------------------------------------------

    def _scan(self, head: str, selects: Selects) -> str:
        """A function over the states from ``%first`` up to ``%last``; `selects` writes the records
        of those that it accepts."""
        asm = Asm()
        index = asm.count_up("%first", "%last")
        from_ = self._code.at(asm, self._code.pointer(asm, "states"), index)
        out, flags = self._code.pointer(asm, "out"), self._code.pointer(asm, "flags")
        size = self._code.flags + self._code.on_states + self._code.on_edges
        asm.do(f"call void @llvm.memset.p0.i64(ptr {flags}, i8 0, i64 {size}, i1 false)")
        count = self._code.successors(asm, from_, out, flags)
        selects(asm, from_, self._code.read(asm, from_), out, count)
        asm.start("done")
        asm.do("ret i64 0")
        return asm.text(head)

    def _examine(self) -> str:
        """``@examine(ctx, first, last)``: record the states that set the flag ``goal``, by a
        deadlock, a fault or a monitor. No switch is left from there, whichever thread made the last
        step."""

        code = self._code

        def selects(asm: Asm, from_: str, words: Sequence[str], out: str, count: str) -> None:
            if code.on_states:
                asm.do(f"call void @hit_state(ptr %ctx, {code.listed(words)})")
            if code.on_edges:

                def body(after: Sequence[str]) -> None:
                    asm.do(f"call void @hit_edge(ptr %ctx, {code.listed(words)}, {code.listed(after)})")

                code.each(asm, out, count, body)
            flag = asm.op(f"getelementptr i8, ptr {code.pointer(asm, 'flags')}, i64 {code.get(asm, 'goal')}")
            asm.branch(asm.op(f"icmp ne i8 {asm.load(flag, 'i8')}, 0"), "yes", "head")
            asm.start("yes")
            self._write(asm, words, 0, [-1] * self._masks)
            asm.jump("head")

        return self._scan("define i64 @examine(ptr %ctx, i64 %first, i64 %last)", selects)

    def _rest(self) -> str:
        """``@rest(ctx, needed, first, last)``: record the states with a successor in the table of
        another context, `needed`. The continuation has the fewest switches over all steps, and the
        threads of the steps that have these."""

        def selects(asm: Asm, from_: str, words: Sequence[str], out: str, count: str) -> None:
            best, threads = asm.slot("best"), asm.slot("threads", f"[{self._masks} x i64]")
            asm.store(NOWHERE, best)
            self._each_step(asm, out, lambda thread, place: self._better(asm, best, threads, thread, place))
            fewest = asm.load(best)
            asm.branch(asm.compare("eq", fewest, NOWHERE), "head", "yes")
            asm.start("yes")
            masks = [asm.load(asm.op(f"getelementptr i64, ptr {threads}, i64 {n}")) for n in range(self._masks)]
            self._write(asm, words, fewest, masks)
            asm.jump("head")

        return self._scan("define i64 @rest(ptr %ctx, ptr %needed, i64 %first, i64 %last)", selects)

    def _each_step(self, asm: Asm, out: str, body: Callable[[str, str], None]) -> None:
        """Generate `body` as a loop over the steps of a state: the thread that makes a step, and
        the address of its successor."""
        ends, thread_at, step_at = self._code.pointer(asm, "ends"), asm.slot("thread_at"), asm.slot("step_at")
        asm.store(0, thread_at)
        asm.store(0, step_at)
        asm.jump("thread")
        asm.start("thread")
        thread = asm.load(thread_at)
        asm.branch(asm.op(f"icmp ult i64 {thread}, {self._threads}"), "steps", "all")
        asm.start("steps")
        following = asm.add(thread, 1)
        end = asm.load(asm.op(f"getelementptr i64, ptr {ends}, i64 {following}"))
        asm.jump("step")
        asm.start("step")
        step = asm.load(step_at)
        asm.branch(asm.op(f"icmp ult i64 {step}, {end}"), "one", "next")
        asm.start("one")
        asm.store(asm.add(step, 1), step_at)
        body(thread, self._code.at(asm, out, step))
        asm.jump("step")
        asm.start("next")
        asm.store(following, thread_at)
        asm.jump("thread")
        asm.start("all")

    def _better(self, asm: Asm, best: str, threads: str, thread: str, place: str) -> None:
        """Include a step in the best continuation: one with fewer switches replaces the threads,
        one with as many adds its thread."""
        there = self._named(asm, place, thread)
        switches = self._call_left(asm, "%needed", there, self._code.read(asm, place))
        on, less, join, done = (asm.new_label(hint) for hint in ("on", "less", "join", "seen"))
        asm.branch(asm.compare("slt", switches, 0), done, on)
        asm.start(on)
        fewest = asm.load(best)
        asm.branch(asm.op(f"icmp ult i64 {switches}, {fewest}"), less, join)
        asm.start(less)
        asm.store(switches, best)
        for number in range(self._masks):
            asm.store(0, asm.op(f"getelementptr i64, ptr {threads}, i64 {number}"))
        asm.jump(join)
        asm.start(join)
        least = asm.compare("eq", switches, asm.load(best))
        bit = asm.op(f"shl i64 {asm.widen(least)}, {self._bit(asm, thread)}")
        word = self._word(asm, threads, thread)
        asm.store(asm.bits("or", asm.load(word), bit), word)
        asm.jump(done)
        asm.start(done)
