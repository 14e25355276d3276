"""After the search, in LLVM IR: which states of a level are an end, and what is left to do from those before them.

A record is a state (its words), the fewest switches of a way on from it, and the threads that need no switch more for
that: `engines.reference.canonical.Rest`, with a word of bits for every 64 threads. Records of one level are put in a
table of their own, for the level before; what stands beside each state there has the same number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.probing import Probing
from dio_mc.engines.native.writer import Writer

Selects = Callable[[Asm, str, Sequence[str], str, str], None]
"""Writes a test of a state: its address, its words, its successors, their number. Goes to ``yes`` or to ``head``."""

NOWHERE: Final = (1 << 62) - 1
"""More switches than there are."""


def rest_words(threads: int) -> int:
    """How many words say what is left from a state: the switches, and the threads."""
    return 1 + -(-threads // 64)


class BackCode:
    """Writes ``examine``, ``rest``, ``keep`` and ``left_from`` for so many `threads`."""

    def __init__(self, code: Writer, probing: Probing, threads: int) -> None:
        self._code, self._probing, self._threads = code, probing, threads

    def text(self) -> str:
        """The functions."""
        return "\n".join([self._left(), self._left_from(), self._examine(), self._rest(), self._keep()])

    @property
    def _masks(self) -> int:
        return rest_words(self._threads) - 1

    @property
    def _size(self) -> int:
        return self._code.words + rest_words(self._threads)

    # -- records -------------------------------------------------------------------------------------------------------

    def _write(self, asm: Asm, words: Sequence[str], switches: Ref, masks: Sequence[Ref]) -> None:
        """The next record that is found."""
        length = self._code.get(asm, "found_length")
        place = asm.op(f"getelementptr i64, ptr {self._code.pointer(asm, 'found')}, i64 {asm.mul(length, self._size)}")
        for number, word in enumerate([*words, switches, *masks]):
            asm.store(word, asm.op(f"getelementptr i64, ptr {place}, i64 {number}"))
        self._code.put(asm, "found_length", asm.add(length, 1))

    def _beside(self, asm: Asm, index: str) -> str:
        """What is left from the state at a place of the table."""
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
        """Switches to come where ``%thread`` has made the step to a state; -1 where none of the paths leads on."""
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
        """The same for a state from elsewhere, which becomes its representative if ``reduced``."""
        asm = Asm()
        thread = self._named(asm, "%state", "%thread")
        asm.do(f"ret i64 {self._call_left(asm, '%ctx', thread, self._code.read(asm, '%state'))}")
        return asm.text("define i64 @left_from(ptr %ctx, ptr %state, i64 %thread)")

    def _call_left(self, asm: Asm, table: str, thread: str, words: Sequence[str]) -> str:
        return asm.op(f"call i64 @left(ptr {table}, i64 {thread}, {self._code.listed(words)})")

    def _named(self, asm: Asm, place: str, thread: str) -> str:
        """Exchange a state for its representative, if the search is a reduced one; what the thread is called there."""
        reduced, done, before = asm.new_label("reduced"), asm.new_label("whole"), asm.label
        asm.branch(asm.op(f"icmp ne i64 {self._code.get(asm, 'reduced')}, 0"), reduced, done)
        asm.start(reduced)
        there = asm.op(f"call i64 @named(ptr {place}, i64 {thread})")
        asm.jump(done)
        asm.start(done)
        return asm.op(f"phi i64 [ {thread}, %{before} ], [ {there}, %{reduced} ]")

    def _keep(self) -> str:
        """Put ``%count`` records into the table of a context; 1 when that failed."""
        asm = Asm()
        number = asm.count_up(0, "%count")
        record = asm.op(f"getelementptr i64, ptr %records, i64 {asm.mul(number, self._size)}")
        for number_, word in enumerate(self._code.read(asm, record)):
            asm.do(f"%a{number_} = add i64 {word}, 0")
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
        """Over the states from ``%first`` to ``%last``: `selects` writes the records of those that it says yes to."""
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
        """Which states have the flag ``goal``: a deadlock, a fault, or after them a monitor's violation. Nothing is
        left to do there, whoever made the last step."""

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
        """What is left from each state with a successor in the table of ``%needed``, another context: over all its
        steps the fewest switches to come, and the threads of those steps."""

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
        """Do something with each step: the thread that makes it, and the address of the state that it leads to."""
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
        """Take in a step: with fewer switches to come it begins the threads anew, with as many it joins them."""
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
