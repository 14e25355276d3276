"""Generates the successor function of a program: packed state in, packed successors out, in the
interpreter's order.

A step is generated once per control state of its thread, so that its locals are constants as far as
possible: a loop over a local counter is unrolled, and an index is a number. Locals that are not
constant are held in variables of the function (`step`).
"""

from __future__ import annotations

from dio_mc.analysis.values.facts import Facts
from dio_mc.engines.native.asm import Asm, Cond
from dio_mc.engines.native.cursor import DEADLOCK
from dio_mc.engines.native.fields import Tables, Words
from dio_mc.engines.native.packing import Packing
from dio_mc.engines.native.step import Slots, StepCode, mark
from dio_mc.ir.program import Program
from dio_mc.semantics.layout import Layout


class Successors:
    """Generates ``@succ(in, out, flags, seen, ends) -> count``.

    `in` is a state, `out` receives its successors. In `flags` and `seen` the bytes of what occurs
    are set. `ends` receives, after a 0, the index after the last successor of each thread. `most`
    bounds the count.
    """

    def __init__(self, program: Program, layout: Layout, facts: Facts, packing: Packing, tables: Tables) -> None:
        self.program, self.layout, self.facts, self.packing = program, layout, facts, packing
        self.asm = Asm()
        words = [self.asm.slot(f"w{n}") for n in range(packing.words)]
        self._count, any_ = self.asm.slot("count"), self.asm.slot("any")
        self._moved, spins = self.asm.slot("moved"), self.asm.slot("spins")
        self.slots = Slots(words, self._count, any_, spins)
        self.steps = StepCode(self.asm, program, layout, facts, packing, tables, self.slots)
        self.names, self.evaluator = self.steps.names, self.steps.evaluator
        self.before = Words(self.asm, packing, tables, [f"%in{n}" for n in range(packing.words)], slots=False)
        self.most = 0

    def write(self) -> str:
        """The text of the function."""
        asm = self.asm
        for number in range(self.packing.words):
            asm.do(f"%p{number} = getelementptr i64, ptr %from, i64 {number}")
            asm.do(f"%in{number} = load i64, ptr %p{number}")
        asm.store(0, self._count)
        asm.store(0, self._moved)
        for thread in range(len(self.program.threads)):
            self._thread(thread)
            asm.store(asm.load(self._count), asm.op(f"getelementptr i64, ptr %ends, i64 {thread + 1}"))
        self._end()
        pointers = ", ".join(f"ptr noalias %{name}" for name in ("from", "out", "flags", "seen", "ends"))
        return asm.text(f"define internal i64 @succ({pointers})")

    def _thread(self, thread: int) -> None:
        """Generate the steps of a thread: a switch on its control state, or on its location if
        control states are not numbered."""
        asm, configs = self.asm, self.packing.configs[thread]
        after = asm.new_label("thread")
        template = self.program.template_of(thread)
        cases: list[tuple[int, int, tuple[int | None, ...]]] = []
        if configs is None:
            number = self.before.location(thread)
            unknown = (None,) * len(template.locals)
            cases = [(n, n, unknown) for n in range(1, len(template.locations))]
        else:
            number = self.before.config(thread)
            cases = [(n, config[0], config[1:]) for n, config in enumerate(configs) if config[0]]
        labels = [asm.new_label("step") for _ in cases]
        listed = " ".join(f"i64 {case[0]}, label %{label}" for case, label in zip(cases, labels, strict=True))
        if isinstance(number, int):
            asm.jump(next((label for case, label in zip(cases, labels, strict=True) if case[0] == number), after))
        else:
            asm.do(f"switch i64 {number}, label %{after} [ {listed} ]")
        most = 0
        for (_, location, known), label in zip(cases, labels, strict=True):
            asm.start(label)
            self._step(thread, location, known, after)
            most = max(most, self.steps.emissions)
        self.most += most
        asm.start(after)

    def _step(self, thread: int, location: int, known: tuple[int | None, ...], after: str) -> None:
        """Generate the step of a thread from one location. `known` has its constant locals; the
        code after the step is at `after`."""
        asm = self.asm
        for number, slot in enumerate(self.slots.words):
            asm.store(f"%in{number}", slot)
        if None in known:
            for index in range(len(known)):
                asm.store(self.before.local(thread, index), self.steps.local(thread, index))
        leave = asm.new_label("leave")
        self.steps.write(thread, location, known, leave)
        asm.start(leave)
        self._leave(self.names.places[self.program.threads[thread].template, location], after)

    def _leave(self, place: int, after: str) -> None:
        """The end of a step: record that it has fired, or that it is blocked."""
        asm = self.asm
        fired, blocked = asm.new_label("fired"), asm.new_label("blocked")
        asm.branch(asm.compare("ne", asm.load(self.slots.any), 0), fired, blocked)
        asm.start(fired)
        asm.store(1, self._moved)
        mark(asm, "%seen", 2 * place)
        asm.jump(after)
        asm.start(blocked)
        mark(asm, "%seen", 2 * place + 1)
        asm.jump(after)

    def _end(self) -> None:
        """Record a deadlock if no step and no fault is enabled and some thread that is not a daemon
        has not ended. Return the count."""
        asm = self.asm
        count = asm.load(self._count)
        if self.program.check_deadlock:
            stuck, dead, done = asm.new_label("stuck"), asm.new_label("dead"), asm.new_label("end")
            asm.branch(asm.compare("eq", asm.load(self._moved), 0), stuck, done)
            asm.start(stuck)
            unfinished: Cond = 0
            for thread in range(len(self.program.threads)):
                if not self.program.template_of(thread).daemon:
                    ended = self.before.at(thread, frozenset((0,)))
                    unfinished = asm.either(unfinished, asm.invert(ended))
            asm.branch(unfinished, dead, done)
            asm.start(dead)
            mark(asm, "%flags", DEADLOCK)
            asm.jump(done)
            asm.start(done)
        asm.do(f"ret i64 {count}")
