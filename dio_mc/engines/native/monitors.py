"""Generates the monitors of properties: the detection of valuations that an evaluator has not
decided yet.

An evaluator lists what it reads (its observations). The values of these, in mixed radix, number its
valuations. A table has one byte per valuation: 0 for not seen, 1 for seen, 2 for decided as a
violation or, for a reachable property, as a witness. The search reports the first state of every
valuation (the first edge, for a property of steps), and the evaluator decides it at the end of the
level.

If there are many valuations, the truth values of the evaluator's formulas, which it has proved
equivalent, number them instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from dio_mc.analysis.values.evaluate import Evaluator
from dio_mc.analysis.values.facts import Facts
from dio_mc.analysis.values.sets import Unsupported, high, low
from dio_mc.engines.native.asm import Asm, Ref
from dio_mc.engines.native.context import INDEX
from dio_mc.engines.native.fields import Tables, Words
from dio_mc.engines.native.formulas import Formula, Scope
from dio_mc.engines.native.packing import Packing
from dio_mc.ir.expr import Expr
from dio_mc.semantics.evaluator import Observation, PropertyEvaluator
from dio_mc.source import Span

LARGEST: Final = 1 << 24
"""The largest number of valuations in a table."""
MANY: Final = 1 << 12
"""The number of valuations beyond which formulas number them, if there are any."""
MOST_FORMULAS: Final = 16
"""The largest number of formulas that may number valuations."""


class Monitors:
    """Generates ``watch_state`` and ``watch_edge``, which report new valuations, and ``hit_state``
    and ``hit_edge``, which set a flag at a violation or witness.

    In the order of evaluators, `formulas` has the formulas that number the valuations (empty: the
    observed values do), and `sizes` the sizes of the tables in bytes. Raises `Unsupported` if a
    table would be too large.
    """

    def __init__(
        self, evaluators: Sequence[PropertyEvaluator], values: Evaluator, packing: Packing, tables: Tables, facts: Facts
    ):
        self._evaluators = list(evaluators)
        self._values = values
        self._packing = packing
        self._tables = tables
        self._facts = facts
        self._words = packing.words
        self.formulas = [self._formulas(evaluator) for evaluator in evaluators]
        self.sizes = [
            2 ** len(formulas) if formulas else prod(self._radices(evaluator.observations))
            for evaluator, formulas in zip(evaluators, self.formulas, strict=True)
        ]
        for evaluator, size in zip(evaluators, self.sizes, strict=True):
            if size > LARGEST:
                raise Unsupported(f"{evaluator.property.name} reads so much that it has {size} valuations")

    @property
    def counts(self) -> tuple[int, int]:
        """The numbers of monitors on states and on edges."""
        steps = sum(evaluator.property.kind == "step" for evaluator in self._evaluators)
        return len(self._evaluators) - steps, steps

    def _formulas(self, evaluator: PropertyEvaluator) -> tuple[Expr, ...]:
        """The formulas that number the valuations of an evaluator; empty if the observed values
        do."""
        many = prod(self._radices(evaluator.observations)) > MANY
        return evaluator.formulas if many and len(evaluator.formulas) <= MOST_FORMULAS else ()

    def text(self, flags: int) -> str:
        """The text of the functions. `flags` is the number of the first monitor's flag."""
        on_states, on_edges = self.counts
        parts: list[str] = []
        if on_states:
            parts += [self._function(step=False, flags=None), self._function(step=False, flags=flags)]
        if on_edges:
            parts += [self._function(step=True, flags=None), self._function(step=True, flags=flags)]
        return "\n".join(parts)

    def _range(self, observation: Observation) -> tuple[int, int]:
        if observation.cell is None:
            return 0, 1
        values = self._facts.cells[observation.cell]
        return low(values), high(values)

    def _radices(self, observations: Sequence[Observation]) -> list[int]:
        return [most - least + 1 for least, most in map(self._range, observations)]

    def _function(self, *, step: bool, flags: int | None) -> str:
        """One of the four functions: ``hit_...`` if `flags` is given, otherwise ``watch_...``."""
        asm = Asm()
        names = ("b", "a") if step else ("a",)
        sides = [self._side(asm, name) for name in names]
        for number, evaluator in enumerate(self._evaluators):
            if (evaluator.property.kind == "step") == step:
                place = self._place(asm, number, self._number(asm, number, sides))
                if flags is None:
                    self._report(asm, number, place, step)
                else:
                    self._flag(asm, flags + number, place)
        asm.do("ret void")
        arguments = ", ".join(f"i64 %{name}{n}" for name in names for n in range(self._words))
        kind = f"{'watch' if flags is None else 'hit'}_{'edge' if step else 'state'}"
        return asm.text(f"define internal void @{kind}(ptr %ctx, {arguments})")

    def _side(self, asm: Asm, name: str) -> Words:
        registers = [f"%{name}{n}" for n in range(self._words)]
        return Words(asm, self._packing, self._tables, registers, slots=False)

    def _number(self, asm: Asm, number: int, sides: Sequence[Words]) -> Ref:
        """The number of the valuation of a state or edge."""
        formulas = self.formulas[number]
        if not formulas:
            return self._index(asm, self._evaluators[number].observations, sides)
        formula = Formula(asm, Scope(sides[0], self._values, _no_fault, after=sides[-1]))
        found: Ref = 0
        for part in formulas:
            found = asm.add(asm.mul(found, 2), asm.widen(formula.truth(part)))
        return found

    def _index(self, asm: Asm, observations: Sequence[Observation], sides: Sequence[Words]) -> Ref:
        found: Ref = 0
        for observation in observations:
            least, most = self._range(observation)
            if most > least:
                value = asm.sub(self._read(asm, observation, sides), least)
                found = asm.add(asm.mul(found, most - least + 1), value)
        return found

    def _read(self, asm: Asm, observation: Observation, sides: Sequence[Words]) -> Ref:
        words = sides[-1] if observation.after else sides[0]
        if observation.cell is not None:
            return self._cell(words, observation.cell)
        if observation.proposition is None:
            raise Unsupported(f"observation {observation.name} reads nothing")
        scope = Scope(words, self._values, _no_fault, after=sides[-1])
        return Formula(asm, scope).value(observation.proposition)

    def _cell(self, words: Words, cell: int) -> Ref:
        layout = self._packing.layout
        for thread, pc in enumerate(layout.pc):
            if cell == pc:
                return words.location(thread)
            following = layout.pc[thread + 1] if thread + 1 < len(layout.pc) else layout.size
            if pc < cell < following:
                return words.local(thread, cell - layout.local_base[thread])
        return words.cell(cell)

    @staticmethod
    def _place(asm: Asm, number: int, index: Ref) -> str:
        """The address of the byte of a valuation."""
        tables = asm.load(asm.op(f"getelementptr i64, ptr %ctx, i64 {INDEX['watched']}"), "ptr")
        table = asm.load(asm.op(f"getelementptr ptr, ptr {tables}, i64 {number}"), "ptr")
        return asm.op(f"getelementptr i8, ptr {table}, i64 {index}")

    def _report(self, asm: Asm, number: int, place: str, step: bool) -> None:
        """Append a valuation that has not been seen to ``news``, with the state or edge that has
        it."""
        new, done = asm.new_label("new"), asm.new_label("old")
        asm.branch(asm.op(f"icmp eq i8 {asm.load(place, 'i8')}, 0"), new, done)
        asm.start(new)
        asm.store(1, place, "i8")
        length_at = asm.op(f"getelementptr i64, ptr %ctx, i64 {INDEX['news_length']}")
        length = asm.load(length_at)
        news = asm.load(asm.op(f"getelementptr i64, ptr %ctx, i64 {INDEX['news']}"), "ptr")
        entry = asm.op(f"getelementptr i64, ptr {news}, i64 {asm.mul(length, 1 + 2 * self._words)}")
        sources = [f"%{name}{n}" for name in (("b", "a") if step else ("a",)) for n in range(self._words)]
        entries: list[Ref] = [number, *sources]
        for position, value in enumerate(entries):
            asm.store(value, asm.op(f"getelementptr i64, ptr {entry}, i64 {position}"))
        asm.store(asm.add(length, 1), length_at)
        asm.jump(done)
        asm.start(done)

    @staticmethod
    def _flag(asm: Asm, flag: int, place: str) -> None:
        """Set a flag if the valuation is a violation or witness."""
        hit, done = asm.new_label("hit"), asm.new_label("miss")
        asm.branch(asm.op(f"icmp eq i8 {asm.load(place, 'i8')}, 2"), hit, done)
        asm.start(hit)
        flags = asm.load(asm.op(f"getelementptr i64, ptr %ctx, i64 {INDEX['flags']}"), "ptr")
        asm.store(1, asm.op(f"getelementptr i8, ptr {flags}, i64 {flag}"), "i8")
        asm.jump(done)
        asm.start(done)


def _no_fault(kind: str, span: Span | None) -> str:
    raise Unsupported(f"a property that is not total ({kind})")
