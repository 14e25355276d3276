"""Generates canonical representatives: packed state -> packed state of the same orbit, equal for
all states of the orbit.

Follows `symmetry.plan`: each permutation that must be tried is applied, and then the rows of each
sortable block are packed into one number each and sorted (`rows`). The least result is the
representative. It may differ from that of `symmetry.representatives`, but is in the same orbit.
"""

from __future__ import annotations

from collections.abc import Sequence

from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.analysis.values.facts import Facts
from dio_mc.engines.native.asm import Asm, Cond, Ref
from dio_mc.engines.native.fields import Tables, Words
from dio_mc.engines.native.packing import Packing
from dio_mc.engines.native.permute import Permuter
from dio_mc.engines.native.rows import sort_rows
from dio_mc.ir.program import Program

NONE = """\
define i64 @reduce_all(ptr %ctx, ptr %base, i64 %count) { ret i64 0 }
define internal i64 @named(ptr %state, i64 %thread) { ret i64 %thread }
"""
"""The functions for searches without symmetry."""


def write_representative(
    program: Program, representatives: Representatives | None, facts: Facts, packing: Packing, tables: Tables
) -> str:
    """Generate ``@reduce_all(ctx, base, count)``, which replaces states by their representatives,
    and ``@named(state, thread) -> thread``, which replaces one state and returns the number that a
    thread has in the representative.

    Raises `NotPermutable` if machine code cannot express the symmetry.
    """
    if representatives is None:
        return NONE
    permuter = Permuter(program, representatives.action, facts, packing, tables)
    one = [write(permuter, representatives) for write in (_sorted, _representative, _sorted_named, _named)]
    return "\n".join([*one, _all(packing)])


def _all(packing: Packing) -> str:
    asm = Asm()
    index = asm.count_up(0, "%count")
    place = asm.op(f"getelementptr i64, ptr %base, i64 {asm.mul(index, packing.words)}")
    asm.do(f"call void @representative(ptr {place})")
    asm.jump("head")
    asm.start("done")
    asm.do("ret i64 0")
    return asm.text("define i64 @reduce_all(ptr %ctx, ptr %base, i64 %count)")


def _representative(permuter: Permuter, representatives: Representatives) -> str:
    """``@representative(state)``: replace a state by the least of the candidates."""
    asm, size = Asm(), permuter.packing.words
    first, *others = representatives.tried
    assert first == representatives.action.identity
    before = _words(asm, "%state", size)
    asm.do("call void @sort_rows(ptr %state)")
    candidate = asm.slot("candidate", f"[{size} x i64]")
    best: list[Ref] = [*_words(asm, "%state", size)]
    for number, permutation in enumerate(others):
        _store(asm, candidate, permuter.image(asm, before, permutation, f"image{number}."))
        asm.do(f"call void @sort_rows(ptr {candidate})")
        found = _words(asm, candidate, size)
        less = _less(asm, found, best)
        best = [asm.select(less, one, other) for one, other in zip(found, best, strict=True)]
    _store(asm, "%state", best)
    asm.do("ret void")
    return asm.text("define internal void @representative(ptr %state)")


def _sorted(permuter: Permuter, representatives: Representatives) -> str:
    """``@sort_rows(state)``: sort the rows of every block."""
    asm = Asm()
    _sort(asm, permuter, representatives)
    asm.do("ret void")
    return asm.text("define internal void @sort_rows(ptr %state)")


def _sorted_named(permuter: Permuter, representatives: Representatives) -> str:
    """``@sort_named(state, thread) -> thread``: like ``@sort_rows``, with the new number of a
    thread."""
    asm = Asm()
    thread = asm.slot("called")
    asm.store("%thread", thread)
    _sort(asm, permuter, representatives, thread)
    asm.do(f"ret i64 {asm.load(thread)}")
    return asm.text("define internal i64 @sort_named(ptr %state, i64 %thread)")


def _named(permuter: Permuter, representatives: Representatives) -> str:
    """``@named(state, thread) -> thread``: like ``@representative``, with the new number of a
    thread.

    If several permutations lead to the representative, any one will do: they differ by a
    permutation that fixes it.
    """
    asm, size = Asm(), permuter.packing.words
    before = _words(asm, "%state", size)
    there: Ref = asm.op("call i64 @sort_named(ptr %state, i64 %thread)")
    candidate = asm.slot("candidate", f"[{size} x i64]")
    best: list[Ref] = [*_words(asm, "%state", size)]
    threads = range(len(permuter.program.threads))
    for number, permutation in enumerate(representatives.tried[1:]):
        _store(asm, candidate, permuter.image(asm, before, permutation, f"image{number}."))
        moved = permuter.look_up(asm, [permuter.action.thread(permutation, thread) for thread in threads], "%thread")
        name = asm.op(f"call i64 @sort_named(ptr {candidate}, i64 {moved})")
        found = _words(asm, candidate, size)
        less = _less(asm, found, best)
        there = asm.select(less, name, there)
        best = [asm.select(less, one, other) for one, other in zip(found, best, strict=True)]
    _store(asm, "%state", best)
    asm.do(f"ret i64 {there}")
    return asm.text("define internal i64 @named(ptr %state, i64 %thread)")


def _sort(asm: Asm, permuter: Permuter, representatives: Representatives, thread: str | None = None) -> None:
    size = permuter.packing.words
    slots = [asm.slot(f"word{n}") for n in range(size)]
    for slot, word in zip(slots, _words(asm, "%state", size), strict=True):
        asm.store(word, slot)
    words = Words(asm, permuter.packing, permuter.tables, slots, slots=True)
    for sort, block, keys in representatives.plan.blocks:
        sort_rows(permuter, asm, words, sort, block, keys, thread)
    _store(asm, "%state", [asm.load(slot) for slot in slots])


def _words(asm: Asm, pointer: str, size: int) -> list[str]:
    return [asm.load(asm.op(f"getelementptr i64, ptr {pointer}, i64 {n}")) for n in range(size)]


def _store(asm: Asm, pointer: str, words: Sequence[Ref]) -> None:
    for number, word in enumerate(words):
        asm.store(word, asm.op(f"getelementptr i64, ptr {pointer}, i64 {number}"))


def _less(asm: Asm, first: Sequence[Ref], second: Sequence[Ref]) -> Cond:
    """Whether a state precedes another: words are compared as unsigned numbers, the first word
    first."""
    less: Cond = 0
    for one, other in reversed(list(zip(first, second, strict=True))):
        below, same = asm.op(f"icmp ult i64 {one}, {other}"), asm.op(f"icmp eq i64 {one}, {other}")
        less = asm.either(below, asm.both(same, less))
    return less
