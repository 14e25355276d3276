"""Code fragments that the generated functions share: access to the context and to arrays of packed
states."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.context import INDEX
from dio_mc.semantics.search import Approximate


class Writer:
    """Generates access to states of `words` words and to the context. `flags` is the number of
    flags, `watches` the number of monitors on states and of those on edges."""

    def __init__(
        self, words: int, flags: int, watches: tuple[int, int], approximate: Approximate | None = None
    ) -> None:
        self.words = words
        self.flags = flags
        self.approximate = approximate
        self.on_states, self.on_edges = watches

    def arguments(self, prefix: str = "a") -> str:
        """The words of a state as a parameter list."""
        return ", ".join(f"i64 %{prefix}{n}" for n in range(self.words))

    @staticmethod
    def get(asm: Asm, name: str) -> str:
        """Load a number from the context."""
        return asm.load(asm.op(f"getelementptr i64, ptr %ctx, i64 {INDEX[name]}"))

    @staticmethod
    def pointer(asm: Asm, name: str) -> str:
        """Load an address from the context."""
        return asm.load(asm.op(f"getelementptr i64, ptr %ctx, i64 {INDEX[name]}"), "ptr")

    @staticmethod
    def put(asm: Asm, name: str, value: Ref) -> None:
        """Store to a field of the context."""
        asm.store(value, asm.op(f"getelementptr i64, ptr %ctx, i64 {INDEX[name]}"))

    def at(self, asm: Asm, base: str, index: Ref) -> str:
        """The address of state number `index` in the array at `base`."""
        return asm.op(f"getelementptr i64, ptr {base}, i64 {asm.mul(index, self.words)}")

    def entry(self, asm: Asm, table: str, index: Ref) -> str:
        """The address of slot number `index` of the table; with approximate storage a slot has one
        word."""
        size = self.words if self.approximate is None else 1
        return asm.op(f"getelementptr i64, ptr {table}, i64 {asm.mul(index, size)}")

    def read(self, asm: Asm, place: str) -> list[str]:
        """Load the words of a state."""
        return [asm.load(asm.op(f"getelementptr i64, ptr {place}, i64 {n}")) for n in range(self.words)]

    def put_words(self, asm: Asm, place: str, words: Sequence[str]) -> None:
        """Store the words of a state."""
        for number, word in enumerate(words):
            asm.store(word, asm.op(f"getelementptr i64, ptr {place}, i64 {number}"))

    @staticmethod
    def listed(words: Sequence[str]) -> str:
        """Words as an argument list."""
        return ", ".join(f"i64 {word}" for word in words)

    def reduce(self, asm: Asm, base: str, count: str) -> None:
        """Replace `count` states by their representatives, if the search is reduced by symmetry."""
        reduced, done = asm.new_label("reduced"), asm.new_label("whole")
        asm.branch(asm.op(f"icmp ne i64 {self.get(asm, 'reduced')}, 0"), reduced, done)
        asm.start(reduced)
        asm.op(f"call i64 @reduce_all(ptr %ctx, ptr {base}, i64 {count})")
        asm.jump(done)
        asm.start(done)

    def successors(self, asm: Asm, from_: str, out: str, flags: str) -> str:
        """Compute the successors of a state; return their number."""
        seen, ends = self.pointer(asm, "seen"), self.pointer(asm, "ends")
        return asm.op(f"call i64 @succ(ptr {from_}, ptr {out}, ptr {flags}, ptr {seen}, ptr {ends})")

    def selected(self, asm: Asm, from_: str, out: str, count: str) -> str:
        """The number of successors to take. With partial order, the selected ones are moved to the
        front of `out`."""
        ordered, done = asm.new_label("ordered"), asm.new_label("taken")
        taken = asm.slot("taken")
        asm.store(count, taken)
        asm.branch(asm.op(f"icmp ne i64 {self.get(asm, 'ordered')}, 0"), ordered, done)
        asm.start(ordered)
        ends = self.pointer(asm, "ends")
        asm.store(asm.op(f"call i64 @select_steps(ptr {from_}, ptr {ends}, ptr {out}, i64 {count})"), taken)
        asm.jump(done)
        asm.start(done)
        return asm.load(taken)

    def each(self, asm: Asm, base: str, count: str, body: Callable[[Sequence[str]], None]) -> None:
        """Generate `body` as a loop over the first `count` states of the array at `base`."""
        head, inner, done = asm.new_label("each"), asm.new_label("one"), asm.new_label("all")
        index = asm.slot(f"index{asm.new_label('')[1:]}")
        asm.store(0, index)
        asm.jump(head)
        asm.start(head)
        at = asm.load(index)
        asm.branch(asm.op(f"icmp ult i64 {at}, {count}"), inner, done)
        asm.start(inner)
        body(self.read(asm, self.at(asm, base, at)))
        asm.store(asm.add(at, 1), index)
        asm.jump(head)
        asm.start(done)
