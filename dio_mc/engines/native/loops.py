"""Generates the search loop in LLVM IR. Successors wait in a ring buffer while their slots in the
table are prefetched; new states are appended to the frontier in the order of discovery.

If the states are `divided` among processes, successors that belong to others go into boxes
(`boxes`), and ``receive`` inserts what others have sent.
"""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.engines.native.asm import Asm, Cond
from dio_mc.engines.native.back import BackCode
from dio_mc.engines.native.boxes import BoxCode
from dio_mc.engines.native.chunks import ChunkCode
from dio_mc.engines.native.context import DONE, GROW, HALTED, NEWS, SENT, recent_states
from dio_mc.engines.native.table import TableCode, states
from dio_mc.engines.native.writer import Writer

DECLARATIONS = """\
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
"""


class Loops:
    """Generates the functions around ``@succ``, for a program with this number of `threads`."""

    def __init__(self, code: Writer, threads: int, *, divided: bool = False) -> None:
        probing = states(code)
        self._code = code
        self._boxes = BoxCode(code) if divided else None
        self._chunks = ChunkCode(code)
        self._table = TableCode(code, probing)
        self._back = BackCode(code, probing, threads)

    def text(self) -> str:
        """The text of all functions."""
        loops = [self._flush(), self._expand(), self._insert_all()]
        loops += [] if self._boxes is None else [self._receive()]
        return "\n".join([DECLARATIONS, self._table.text(), self._chunks.text(), *loops, self._back.text()])

    # -- the ring ------------------------------------------------------------------------------------------------------

    def _flush(self) -> str:
        """``@flush(ctx, first, last, lag)``: insert states from the ring until at most `lag`
        remain; the result is the index of the first of these. Once the search is full, ``@insert``
        drops them."""
        asm = Asm()
        ring, mask = self._code.pointer(asm, "ring"), self._code.get(asm, "ring_mask")
        asm.jump("head")
        asm.start("head")
        at = asm.op("phi i64 [ %first, %entry ], [ %following, %body ]")
        waiting = asm.op(f"sub i64 %last, {at}")
        asm.branch(asm.op(f"icmp ugt i64 {waiting}, %lag"), "body", "done")
        asm.start("body")
        words = self._code.read(asm, self._code.at(asm, ring, asm.op(f"and i64 {at}, {mask}")))
        hashed = asm.op(f"call i64 @hash({self._code.listed(words)})")
        home = asm.op(f"call i64 @home(ptr %ctx, i64 {hashed})")
        asm.do(f"call void @insert(ptr %ctx, i64 {home}, {self._code.listed(words)})")
        asm.do(f"%following = add i64 {at}, 1")
        asm.jump("head")
        asm.start("done")
        asm.do(f"ret i64 {at}")
        return asm.text("define internal i64 @flush(ptr %ctx, i64 %first, i64 %last, i64 %lag)")

    def _flush_if_long(self, asm: Asm, first: str, last: str) -> None:
        """Flush the ring down to ``lag`` when half as many again wait, so that most states cause no
        call."""
        long, short = asm.new_label("long"), asm.new_label("short")
        lag, begin, end = self._code.get(asm, "lag"), asm.load(first), asm.load(last)
        most = asm.op(f"add i64 {lag}, {asm.shift_right(lag, 1)}")
        asm.branch(asm.op(f"icmp ugt i64 {asm.op(f'sub i64 {end}, {begin}')}, {most}"), long, short)
        asm.start(long)
        asm.store(asm.op(f"call i64 @flush(ptr %ctx, i64 {begin}, i64 {end}, i64 {lag})"), first)
        asm.jump(short)
        asm.start(short)

    def _push(self, asm: Asm, words: Sequence[str], last: str) -> None:
        """Append a state to the ring and prefetch its slot, unless it was found recently."""
        ring, mask = self._code.pointer(asm, "ring"), self._code.get(asm, "ring_mask")
        hashed = asm.op(f"call i64 @hash({self._code.listed(words)})")
        recent = self._recent(asm, words, hashed)
        home = asm.op(f"call i64 @home(ptr %ctx, i64 {hashed})")
        place = self._code.entry(asm, self._code.pointer(asm, "table"), home)
        at = asm.load(last)
        waits = self._code.at(asm, ring, asm.op(f"and i64 {at}, {mask}"))
        self._code.put_words(asm, waits, words)
        # without a branch: a recent state is written to the ring as well, but is overwritten by the next
        wanted = asm.op(f"select i1 {recent}, ptr {waits}, ptr {place}")
        asm.do(f"call void @llvm.prefetch.p0(ptr {wanted}, i32 1, i32 3, i32 1)")
        asm.store(asm.add(at, asm.widen(asm.invert(recent))), last)

    def _push_or_send(self, asm: Asm, boxes: BoxCode, words: Sequence[str], last: str) -> None:
        """Append a state of this part to the ring, and a state of another part to its box."""
        own, other, done = asm.new_label("own"), asm.new_label("other"), asm.new_label("pushed")
        hashed = asm.op(f"call i64 @hash({self._code.listed(words)})")
        part = boxes.part(asm, hashed)
        asm.branch(asm.compare("eq", part, self._code.get(asm, "own")), own, other)
        asm.start(own)
        self._push(asm, words, last)
        asm.jump(done)
        asm.start(other)
        boxes.put(asm, part, words, unless=self._recent(asm, words, hashed))
        asm.jump(done)
        asm.start(done)

    def _recent(self, asm: Asm, words: Sequence[str], hashed: str) -> Cond:
        """Whether a state is in the cache of recent states, which it then enters.

        The cache is direct-mapped. Most states that are found again are found again soon: steps of
        two threads that access different data lead to the same state in either order.
        """
        number = asm.op(f"and i64 {asm.shift_right(hashed, 20)}, {recent_states(self._code.words) - 1}")
        place = self._code.at(asm, self._code.pointer(asm, "recent"), number)
        same: Cond = 1
        for one, other in zip(self._code.read(asm, place), words, strict=True):
            same = asm.both(same, asm.compare("eq", one, other))
        self._code.put_words(asm, place, words)
        return same

    # -- expanding -----------------------------------------------------------------------------------------------------

    def _expand(self) -> str:
        """``@expand(ctx)``: expand states while there is a chunk to take; the result is the reason
        for returning. A worker that returns early makes the others return as well."""
        asm, code = Asm(), self._code
        first, last, why = asm.slot("first"), asm.slot("last"), asm.slot("why")
        asm.store(0, first)
        asm.store(0, last)
        asm.store(DONE, why)
        asm.jump("head")
        asm.start("head")
        halted = self._chunks.halted(asm)
        self._leave_if(asm, halted, why, HALTED)
        self._leave_if_full(asm, why)
        if self._boxes is not None:
            sent = asm.op(f"icmp uge i64 {code.get(asm, 'fullest')}, {code.get(asm, 'box_most')}")
            self._leave_if(asm, sent, why, SENT)
        asm.branch(asm.op(f"icmp ult i64 {code.get(asm, 'next')}, {code.get(asm, 'stop')}"), "expand", "chunk")
        asm.start("chunk")
        asm.branch(asm.op("call i1 @take_chunk(ptr %ctx)"), "expand", "finish")
        asm.start("expand")
        at = code.get(asm, "next")
        from_ = code.at(asm, code.pointer(asm, "source"), at)
        out = code.pointer(asm, "out")
        count = code.selected(asm, from_, out, code.successors(asm, from_, out, code.pointer(asm, "flags")))
        code.put(asm, "transitions", asm.add(code.get(asm, "transitions"), count))
        if code.on_edges:
            before = code.read(asm, from_)
            code.each(asm, out, count, lambda words: self._watch_edge(asm, before, words))
        code.reduce(asm, out, count)
        self._each_pushed(asm, out, count, last)
        self._go_on(asm, at, (first, last, why))
        return asm.text("define i64 @expand(ptr %ctx)")

    def _receive(self) -> str:
        """``@receive(ctx)``: insert the states of ``source`` from ``next`` up to ``stop``, which
        belong to this part; the result is the reason for returning."""
        asm, code = Asm(), self._code
        first, last, why = asm.slot("first"), asm.slot("last"), asm.slot("why")
        asm.store(0, first)
        asm.store(0, last)
        asm.store(DONE, why)
        asm.jump("head")
        asm.start("head")
        self._leave_if_full(asm, why)
        at = code.get(asm, "next")
        asm.branch(asm.op(f"icmp ult i64 {at}, {code.get(asm, 'stop')}"), "one", "finish")
        asm.start("one")
        self._push(asm, code.read(asm, code.at(asm, code.pointer(asm, "source"), at)), last)
        self._go_on(asm, at, (first, last, why))
        return asm.text("define i64 @receive(ptr %ctx)")

    def _leave_if_full(self, asm: Asm, why: str) -> None:
        """Leave the loop if the table must grow, or new valuations must be taken."""
        code = self._code
        self._leave_if(asm, asm.op(f"icmp uge i64 {code.get(asm, 'count')}, {code.get(asm, 'most')}"), why, GROW)
        news = asm.op(f"icmp uge i64 {code.get(asm, 'news_length')}, {code.get(asm, 'news_most')}")
        self._leave_if(asm, news, why, NEWS)

    def _go_on(self, asm: Asm, at: str, slots: tuple[str, str, str]) -> None:
        """The end of a loop's body and the code after it: continue with the state after number
        `at`, or flush the ring and return."""
        code, (first, last, why) = self._code, slots
        self._flush_if_long(asm, first, last)
        full = code.get(asm, "full")
        asm.branch(asm.op(f"icmp ne i64 {full}, 0"), "stopped", "further")
        asm.start("stopped")
        self._chunks.halt(asm)
        asm.do(f"ret i64 {full}")
        asm.start("further")
        # only now does the state count as expanded; near a limit on states ``lag`` is 0 (`Search._set_lag`)
        code.put(asm, "next", asm.add(at, 1))
        asm.jump("head")
        asm.start("leave")
        self._chunks.halt(asm)
        asm.jump("finish")
        asm.start("finish")
        asm.op(f"call i64 @flush(ptr %ctx, i64 {asm.load(first)}, i64 {asm.load(last)}, i64 0)")
        lost = code.get(asm, "full")
        asm.do(f"ret i64 {asm.select(asm.compare('ne', lost, 0), lost, asm.load(why))}")

    def _leave_if(self, asm: Asm, condition: str, why: str, reason: int) -> None:
        """Branch to ``leave`` with a reason, if a condition holds."""
        yes, no = asm.new_label("leave"), asm.new_label("stay")
        asm.branch(condition, yes, no)
        asm.start(yes)
        asm.store(reason, why)
        asm.jump("leave")
        asm.start(no)

    def _each_pushed(self, asm: Asm, base: str, count: str, last: str) -> None:
        def body(words: Sequence[str]) -> None:
            if self._boxes is None:
                self._push(asm, words, last)
            else:
                self._push_or_send(asm, self._boxes, words, last)

        self._code.each(asm, base, count, body)

    def _watch_edge(self, asm: Asm, before: Sequence[str], after: Sequence[str]) -> None:
        asm.do(f"call void @watch_edge(ptr %ctx, {self._code.listed(before)}, {self._code.listed(after)})")

    def _insert_all(self) -> str:
        """``@insert_all(ctx, source, count)``: insert `count` states in order; the result is
        ``full``."""
        asm = Asm()
        first, last = asm.slot("first"), asm.slot("last")
        asm.store(0, first)
        asm.store(0, last)

        def body(words: Sequence[str]) -> None:
            self._push(asm, words, last)
            self._flush_if_long(asm, first, last)

        self._code.each(asm, "%source", "%count", body)
        asm.op(f"call i64 @flush(ptr %ctx, i64 {asm.load(first)}, i64 {asm.load(last)}, i64 0)")
        asm.do(f"ret i64 {self._code.get(asm, 'full')}")
        return asm.text("define i64 @insert_all(ptr %ctx, ptr %source, i64 %count)")
