"""Every way to explore: engines, workers, reductions. Thresholds are zero, so that reductions act on small programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from forgetting import forgetting

from dio_mc.engines import choose
from dio_mc.engines.choose import EngineName, Run, Strategy
from dio_mc.ir.program import Program
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.search import NO_REDUCTION, Exploration, Reductions, SearchRequest

SYMMETRY = Reductions(symmetry=True, partial_order=False)
ORDER = Reductions(symmetry=False, partial_order=True)
BOTH = Reductions(symmetry=True, partial_order=True)
WAYS = {"in full": NO_REDUCTION, "symmetry": SYMMETRY, "partial order": ORDER, "both": BOTH}


@dataclass(frozen=True)
class Configuration:
    """One way to explore. `quick`: machine code made quickly, with one worker, as medium searches have it. `disk`: with
    the states in files, and a table that forgets all there is at every occasion."""

    engine: str
    reductions: Reductions
    workers: int = 1
    quick: bool = False
    disk: bool = False

    def __str__(self) -> str:
        way = next(name for name, one in WAYS.items() if one == self.reductions)
        if self.engine == "reference":
            return f"reference, {way}"
        place = ", on disk" if self.disk else ""
        return f"{'quick' if self.quick else 'optimised'} machine code, {self.workers} workers, {way}{place}"

    def explore(self, program: Program, evaluators: Sequence[PropertyEvaluator]) -> Exploration:
        """The answer; that of the reference engine where machine code has none."""
        engine: EngineName = "native" if self.engine == "native" else "reference"
        with threshold(choose.SOON if self.quick else 0), forgetting() as folder:
            strategy = Strategy(engine, self.workers, self.reductions, disk=folder if self.disk else None)
            return Run(SearchRequest(program, evaluators)).explore(strategy, full=0)


@contextmanager
def threshold(soon: int) -> Iterator[None]:
    """Optimised machine code after so many states."""
    before = choose.SOON
    choose.SOON = soon  # type: ignore[misc]  # a constant, but for this
    try:
        yield
    finally:
        choose.SOON = before  # type: ignore[misc]


FULL = Configuration("reference", NO_REDUCTION)
"""What all others are compared with, and which itself is compared with the oracle."""
REFERENCE = tuple(Configuration("reference", way) for way in (SYMMETRY, ORDER, BOTH))
QUICK = tuple(Configuration("native", way, quick=True) for way in WAYS.values())
OPTIMISED = tuple(Configuration("native", way, workers) for workers in (1, 2, 3) for way in WAYS.values())
ON_DISK = tuple(Configuration("native", way, workers, disk=True) for workers in (1, 2) for way in (NO_REDUCTION, BOTH))
