"""The search loop in LLVM IR: successors, their places prefetched in batches, a frontier in the order of discovery."""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.engines.native.asm import Asm, Cond
from dio_mc.engines.native.back import BackWriter
from dio_mc.engines.native.context import DONE, GROW, HALTED, NEWS, recent_states
from dio_mc.semantics.search import Approximate

DECLARATIONS = """\
declare void @llvm.prefetch.p0(ptr, i32, i32, i32)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
declare void @llvm.memmove.p0.p0.i64(ptr, ptr, i64, i1)
"""


class Loops(BackWriter):
    """Writes the functions around ``@succ``, for so many `threads`."""

    def __init__(
        self,
        words: int,
        flags: int,
        watches: tuple[int, int],
        approximate: Approximate | None = None,
        *,
        threads: int = 1,
    ) -> None:
        super().__init__(words, flags, watches, approximate)
        self.threads = threads

    def text(self) -> str:
        """All functions."""
        loops = [self._flush(), self._expand(), self._insert_all()]
        return "\n".join([DECLARATIONS, self.table_text(), self.turn_text(), *loops, self.back_text()])

    # -- the ring ------------------------------------------------------------------------------------------------------

    def _flush(self) -> str:
        """Insert from the ring until at most ``%lag`` wait; nothing once the search is full."""
        asm = Asm()
        ring, mask = self.pointer(asm, "ring"), self.get(asm, "ring_mask")
        asm.jump("head")
        asm.start("head")
        at = asm.op("phi i64 [ %first, %entry ], [ %following, %body ]")
        waiting = asm.op(f"sub i64 %last, {at}")
        asm.branch(asm.op(f"icmp ugt i64 {waiting}, %lag"), "body", "done")
        asm.start("body")
        words = self.read(asm, self.at(asm, ring, asm.op(f"and i64 {at}, {mask}")))
        hashed = asm.op(f"call i64 @hash({self.listed(words)})")
        home = asm.op(f"call i64 @home(ptr %ctx, i64 {hashed})")
        asm.do(f"call void @insert(ptr %ctx, i64 {home}, {self.listed(words)})")
        asm.do(f"%following = add i64 {at}, 1")
        asm.jump("head")
        asm.start("done")
        asm.do(f"ret i64 {at}")
        return asm.text("define internal i64 @flush(ptr %ctx, i64 %first, i64 %last, i64 %lag)")

    def _flush_if_long(self, asm: Asm, first: str, last: str) -> None:
        """Down to ``lag`` when half as many again wait, so not for each state."""
        long, short = asm.new_label("long"), asm.new_label("short")
        lag, begin, end = self.get(asm, "lag"), asm.load(first), asm.load(last)
        most = asm.op(f"add i64 {lag}, {asm.shift_right(lag, 1)}")
        asm.branch(asm.op(f"icmp ugt i64 {asm.op(f'sub i64 {end}, {begin}')}, {most}"), long, short)
        asm.start(long)
        asm.store(asm.op(f"call i64 @flush(ptr %ctx, i64 {begin}, i64 {end}, i64 {lag})"), first)
        asm.jump(short)
        asm.start(short)

    def _push(self, asm: Asm, words: Sequence[str], last: str) -> None:
        """Put a state on the ring and have its place fetched, unless it was found a short time ago."""
        ring, mask = self.pointer(asm, "ring"), self.get(asm, "ring_mask")
        hashed = asm.op(f"call i64 @hash({self.listed(words)})")
        recent = self._recent(asm, words, hashed)
        home = asm.op(f"call i64 @home(ptr %ctx, i64 {hashed})")
        place = self.entry(asm, self.pointer(asm, "table"), home)
        at = asm.load(last)
        waits = self.at(asm, ring, asm.op(f"and i64 {at}, {mask}"))
        self.put_words(asm, waits, words)
        wanted = asm.op(f"select i1 {recent}, ptr {waits}, ptr {place}")
        asm.do(f"call void @llvm.prefetch.p0(ptr {wanted}, i32 1, i32 3, i32 1)")
        asm.store(asm.add(at, asm.widen(asm.invert(recent))), last)

    def _recent(self, asm: Asm, words: Sequence[str], hashed: str) -> Cond:
        """Whether a state was found a short time ago, as most of those were that are found again: two threads that do
        not touch each other's data meet in a state whichever goes first. Now it was."""
        number = asm.op(f"and i64 {asm.shift_right(hashed, 20)}, {recent_states(self.words) - 1}")
        place = self.at(asm, self.pointer(asm, "recent"), number)
        same: Cond = 1
        for one, other in zip(self.read(asm, place), words, strict=True):
            same = asm.both(same, asm.compare("eq", one, other))
        self.put_words(asm, place, words)
        return same

    # -- expanding -----------------------------------------------------------------------------------------------------

    def _expand(self) -> str:
        """Expand states as long as there is a turn to take; why it came back. Who comes back before that has all do
        so."""
        asm = Asm()
        first, last, why = asm.slot("first"), asm.slot("last"), asm.slot("why")
        asm.store(0, first)
        asm.store(0, last)
        asm.store(DONE, why)
        asm.jump("head")
        asm.start("head")
        halted = self.halted(asm)
        self._leave_if(asm, halted, why, HALTED)
        self._leave_if(asm, asm.op(f"icmp uge i64 {self.get(asm, 'count')}, {self.get(asm, 'most')}"), why, GROW)
        news = asm.op(f"icmp uge i64 {self.get(asm, 'news_length')}, {self.get(asm, 'news_most')}")
        self._leave_if(asm, news, why, NEWS)
        asm.branch(asm.op(f"icmp ult i64 {self.get(asm, 'next')}, {self.get(asm, 'stop')}"), "expand", "turn")
        asm.start("turn")
        asm.branch(asm.op("call i1 @turn(ptr %ctx)"), "expand", "finish")
        asm.start("expand")
        at = self.get(asm, "next")
        from_ = self.at(asm, self.pointer(asm, "source"), at)
        out = self.pointer(asm, "out")
        count = self.selected(asm, from_, out, self.successors(asm, from_, out, self.pointer(asm, "flags")))
        self.put(asm, "transitions", asm.add(self.get(asm, "transitions"), count))
        if self.on_edges:
            before = self.read(asm, from_)
            self.each(asm, out, count, lambda words: self._watch_edge(asm, before, words))
        self.reduce(asm, out, count)
        self._each_pushed(asm, out, count, last)
        self._flush_if_long(asm, first, last)
        full = self.get(asm, "full")
        asm.branch(asm.op(f"icmp ne i64 {full}, 0"), "stopped", "further")
        asm.start("stopped")
        self.halt(asm)
        asm.do(f"ret i64 {full}")
        asm.start("further")
        self.put(asm, "next", asm.add(at, 1))
        asm.jump("head")
        asm.start("leave")
        self.halt(asm)
        asm.jump("finish")
        asm.start("finish")
        asm.op(f"call i64 @flush(ptr %ctx, i64 {asm.load(first)}, i64 {asm.load(last)}, i64 0)")
        lost = self.get(asm, "full")
        asm.do(f"ret i64 {asm.select(asm.compare('ne', lost, 0), lost, asm.load(why))}")
        return asm.text("define i64 @expand(ptr %ctx)")

    def _leave_if(self, asm: Asm, condition: str, why: str, reason: int) -> None:
        yes, no = asm.new_label("leave"), asm.new_label("stay")
        asm.branch(condition, yes, no)
        asm.start(yes)
        asm.store(reason, why)
        asm.jump("leave")
        asm.start(no)

    def _each_pushed(self, asm: Asm, base: str, count: str, last: str) -> None:
        def body(words: Sequence[str]) -> None:
            self._push(asm, words, last)

        self.each(asm, base, count, body)

    def _watch_edge(self, asm: Asm, before: Sequence[str], after: Sequence[str]) -> None:
        asm.do(f"call void @watch_edge(ptr %ctx, {self.listed(before)}, {self.listed(after)})")

    def _insert_all(self) -> str:
        """Take in ``%count`` states from ``%source``, in order."""
        asm = Asm()
        first, last = asm.slot("first"), asm.slot("last")
        asm.store(0, first)
        asm.store(0, last)

        def body(words: Sequence[str]) -> None:
            self._push(asm, words, last)
            self._flush_if_long(asm, first, last)

        self.each(asm, "%source", "%count", body)
        asm.op(f"call i64 @flush(ptr %ctx, i64 {asm.load(first)}, i64 {asm.load(last)}, i64 0)")
        asm.do(f"ret i64 {self.get(asm, 'full')}")
        return asm.text("define i64 @insert_all(ptr %ctx, ptr %source, i64 %count)")
