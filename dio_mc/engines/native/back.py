"""After the search, in LLVM IR: which states of a level are an end, which have a successor that is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dio_mc.engines.native.asm import Asm
from dio_mc.engines.native.table import TableWriter

Judge = Callable[[Asm, Sequence[str], str, str], None]
"""Writes a test of a state: its words, its successors, their number. Goes to ``yes`` or to ``head``."""


class BackWriter(TableWriter):
    """Writes ``examine``, ``prune`` and ``fill``."""

    def back_text(self) -> str:
        """The functions."""
        return "\n".join([self._examine(), self._prune(), self._fill()])

    def _scan(self, head: str, judge: Judge) -> str:
        """Over the states from ``%first`` to ``%last``: the numbers of those that `judge` says yes to go to found."""
        asm = Asm()
        at = asm.slot("at")
        asm.store("%first", at)
        asm.jump("head")
        asm.start("head")
        index = asm.load(at)
        asm.branch(asm.op(f"icmp ult i64 {index}, %last"), "body", "done")
        asm.start("body")
        asm.store(asm.add(index, 1), at)
        from_ = self.at(asm, self.pointer(asm, "states"), index)
        out, flags = self.pointer(asm, "out"), self.pointer(asm, "flags")
        size = self.flags + self.on_states + self.on_edges
        asm.do(f"call void @llvm.memset.p0.i64(ptr {flags}, i8 0, i64 {size}, i1 false)")
        count = self.successors(asm, from_, out, flags)
        judge(asm, self.read(asm, from_), out, count)
        asm.start("yes")
        length = self.get(asm, "found_length")
        found = asm.op(f"getelementptr i64, ptr {self.pointer(asm, 'found')}, i64 {length}")
        asm.store(index, found)
        self.put(asm, "found_length", asm.add(length, 1))
        asm.jump("head")
        asm.start("done")
        asm.do("ret i64 0")
        return asm.text(head)

    def _examine(self) -> str:
        """Which states have the flag ``goal``: a deadlock, a fault, or after them a monitor's violation."""

        def judge(asm: Asm, words: Sequence[str], out: str, count: str) -> None:
            if self.on_states:
                asm.do(f"call void @hit_state(ptr %ctx, {self.listed(words)})")
            if self.on_edges:

                def body(after: Sequence[str]) -> None:
                    asm.do(f"call void @hit_edge(ptr %ctx, {self.listed(words)}, {self.listed(after)})")

                self.each(asm, out, count, body)
            flag = asm.op(f"getelementptr i8, ptr {self.pointer(asm, 'flags')}, i64 {self.get(asm, 'goal')}")
            asm.branch(asm.op(f"icmp ne i8 {asm.load(flag, 'i8')}, 0"), "yes", "head")

        return self._scan("define i64 @examine(ptr %ctx, i64 %first, i64 %last)", judge)

    def _prune(self) -> str:
        """Which states have a successor in the table of ``%needed``, another context."""

        def judge(asm: Asm, words: Sequence[str], out: str, count: str) -> None:
            self.reduce(asm, out, count)

            def body(after: Sequence[str]) -> None:
                hashed = asm.op(f"call i64 @hash({self.listed(after)})")
                home = asm.op(f"call i64 @home(ptr %needed, i64 {hashed})")
                on = asm.new_label("on")
                inside = asm.op(f"call i1 @find(ptr %needed, i64 {home}, {self.listed(after)})")
                asm.branch(inside, "yes", on)
                asm.start(on)

            self.each(asm, out, count, body)
            asm.jump("head")

        return self._scan("define i64 @prune(ptr %ctx, ptr %needed, i64 %first, i64 %last)", judge)

    def _fill(self) -> str:
        """Put the states with the numbers in found into the table of ``%needed``; 1 when that failed."""
        asm = Asm()
        at = asm.slot("at")
        asm.store(0, at)
        states, numbers = self.pointer(asm, "states"), self.pointer(asm, "found")
        total = self.get(asm, "found_length")
        asm.jump("head")
        asm.start("head")
        index = asm.load(at)
        asm.branch(asm.op(f"icmp ult i64 {index}, {total}"), "body", "done")
        asm.start("body")
        asm.store(asm.add(index, 1), at)
        number = asm.load(asm.op(f"getelementptr i64, ptr {numbers}, i64 {index}"))
        words = self.read(asm, self.at(asm, states, number))
        settled = asm.op(f"call i1 @settle(ptr %needed, {self.listed(words)})")
        asm.branch(settled, "head", "failed")
        asm.start("failed")
        asm.do("ret i64 1")
        asm.start("done")
        asm.do("ret i64 0")
        return asm.text("define i64 @fill(ptr %ctx, ptr %needed)")
