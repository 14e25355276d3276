"""Generates the LLVM module of a program and its evaluators, with the tables that describe it to
Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from dio_mc.analysis.partial_order.persistent import PersistentSets
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.analysis.values.facts import Facts, find_facts
from dio_mc.engines.native.cursor import FAULTS, Names
from dio_mc.engines.native.fields import Tables
from dio_mc.engines.native.loops import Loops
from dio_mc.engines.native.monitors import Monitors
from dio_mc.engines.native.packing import Packing, pack
from dio_mc.engines.native.representative import write_representative
from dio_mc.engines.native.selection import write_selection
from dio_mc.engines.native.succ import Successors
from dio_mc.engines.native.survey import write_gather, write_survey
from dio_mc.engines.native.writer import Writer
from dio_mc.ir.expr import Expr
from dio_mc.ir.program import Program
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.layout import Layout, layout_of
from dio_mc.semantics.search import Approximate


@dataclass(frozen=True, slots=True)
class Module:
    """The LLVM IR of a program, and its description.

    `most` bounds the number of successors of a state. `flags` is the number of flags that precede
    those of monitors. `tables` has the size in bytes of each evaluator's table of valuations,
    `formulas` the formulas whose truth values number the valuations of each (empty: the values
    themselves do). With `approximate` the visited set is lossy.
    """

    program: Program
    layout: Layout
    facts: Facts
    packing: Packing
    names: Names
    most: int
    flags: int
    tables: tuple[int, ...]
    formulas: tuple[tuple[Expr, ...], ...]
    text: str
    approximate: Approximate | None

    @property
    def digest(self) -> str:
        """The SHA-256 of the text. Programs with equal texts have the same states in the same
        packed form."""
        return sha256(self.text.encode()).hexdigest()


def write_module(
    program: Program,
    evaluators: Sequence[PropertyEvaluator],
    representatives: Representatives | None = None,
    approximate: Approximate | None = None,
    sets: PersistentSets | None = None,
    *,
    divided: bool = False,
) -> Module:
    """Generate the module of a program; `divided` is for a search whose states are divided among
    processes.

    Raises `Unsupported`, with a reason, for a program that the native engine cannot run, and
    `NotPermutable` for one that it can only run without `representatives`.
    """
    layout = layout_of(program)
    facts = find_facts(program, layout)
    packing = pack(program, layout, facts)
    tables = Tables()
    successors = Successors(program, layout, facts, packing, tables)
    body = successors.write()
    flags = FAULTS + len(successors.names.faults)
    monitors = Monitors(evaluators, successors.evaluator, packing, tables, facts)
    watching = monitors.text(flags)
    code = Writer(packing.words, flags, monitors.counts, approximate)
    loops = Loops(code, len(program.threads), divided=divided).text()
    counting = write_survey(packing, tables)
    gathering = write_gather(packing)
    standing = write_representative(program, representatives, facts, packing, tables)
    selecting = write_selection(sets, packing, tables)
    text = "\n".join([tables.text(), loops, watching, counting, gathering, standing, selecting, body])
    most = max(successors.most, 1)
    return Module(
        program,
        layout,
        facts,
        packing,
        successors.names,
        most,
        flags,
        tuple(monitors.sizes),
        tuple(monitors.formulas),
        text,
        approximate,
    )
