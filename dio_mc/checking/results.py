"""The results of checking: verdicts, findings, the report of a run, and files that could not be
checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from dio_mc.display import drawn
from dio_mc.errors import Diagnostic
from dio_mc.semantics.search import Exploration, Violation
from dio_mc.semantics.stop import Stop
from dio_mc.trace.trace import Place, Trace

Verdict = Literal["HOLDS", "VIOLATED", "UNDETERMINED"]
SEVERITY: dict[Verdict, int] = {"HOLDS": 0, "VIOLATED": 1, "UNDETERMINED": 3}
"""The exit code of a verdict without an expectation."""


@dataclass(frozen=True, slots=True)
class PropertyResult:
    """One property's verdict.

    `vacuous`: it holds, but some premise in it never did. `note` is a remark, `doc` the author's
    description, `where` its line (of a fault: the line at fault). `expected` is whether the verdict
    is the one that the file states for this property, None if it states nothing.
    """

    name: str
    kind: str
    verdict: Verdict
    vacuous: bool = False
    note: str = ""
    doc: str = ""
    where: Place | None = None
    expected: bool | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark on the model's quality, with its code and place (``file:line``)."""

    code: str
    message: str
    where: str


@dataclass(frozen=True, slots=True)
class AnyNumber:
    """The result for any number of these threads (one or more of each) and, if that is the
    parameter `pages`, of pages, with the threads of which there is one for `each` page.

    `proved` are the properties that hold, ``faults`` among them; `violated` those that an instance
    violates; `alarms` those that the views allow to be violated; `unfit` those that views cannot
    decide; `uncovered` those that a proof does not cover. `views` and `steps` are the size of the
    proof that was checked, `of` is the number of threads in its views. `instances` are the numbers
    of each thread that were explored completely. `stopped` says why the search for a proof was
    stopped, `refused` which conditions are not met. `others` are the threads and parameters with
    fixed numbers (``pages=1``).
    """

    threads: tuple[str, ...]
    verdict: Verdict
    proved: tuple[str, ...] = ()
    violated: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    views: int = 0
    steps: int = 0
    instances: tuple[int, ...] = ()
    stopped: str | None = None
    refused: tuple[Diagnostic, ...] = ()
    others: tuple[str, ...] = ()
    pages: str | None = None
    each: tuple[str, ...] = ()
    of: int = 2
    certificate: str = field(default="", compare=False, repr=False)

    def words(self) -> str:
        """``HOLDS for any number of reader, with mapper, pages=1: no_hole_filled, faults; 280
        views, ...``, or ``HOLDS for any number of reader; any pages (mapper, pdflush for each):
        ...``."""
        others = f", with {', '.join(self.others)}" if self.others else ""
        return f"{self.verdict} for {self._whom()}{others}{self._reason()}"

    def _whom(self) -> str:
        threads = f"any number of {', '.join(self.threads)}"
        if self.pages is None:
            return threads
        each = f" ({', '.join(self.each)} for each)" if self.each else ""
        return f"{threads}; any {self.pages}{each}" if self.threads else f"any number of {self.pages}{each}"

    def _reason(self) -> str:
        if self.stopped is not None:
            return f": stopped by {self.stopped}"
        parts = [", ".join(self.violated)] if self.violated else []
        if not self.views:
            return ": " + "; ".join([*parts, "a condition of the proof is not met, see the findings"])
        left = [name for name in self.alarms if name not in self.violated]
        if left:
            most = max(self.instances, default=0)
            tried = f"with up to {most} of each" if most else "that could be explored"
            parts.append(f"the views do not exclude a violation, and no instance {tried} has one: {', '.join(left)}")
        if self.unfit:
            parts.append(f"cannot be judged, see the findings: {', '.join(self.unfit)}")
        if self.proved:
            parts.append(", ".join(self.proved) if self.verdict == "HOLDS" else f"proved: {', '.join(self.proved)}")
        of = " of three threads" if self.of == 3 else ""
        parts.append(f"{self.views:,} views{of}, re-checked in {self.steps:,} steps")
        if self.uncovered:
            parts.append(f"not covered: {', '.join(self.uncovered)}")
        return ": " + "; ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The result of checking one class with one binding of its parameters.

    `found` is the search: its numbers, and the violations whose counterexamples are `traces`, in
    the same order. `seconds` is wall time from build to verdict. `expected` is None if the file
    states nothing, otherwise whether its statement is met; `exit_code` follows from it and the
    verdict. `where` is the class; `notes` are sentences about how it was explored. `any_number` is
    the result for any number of threads, if that was requested (`general`).
    """

    model: str
    file: str
    doc: str
    verdict: Verdict
    found: Exploration
    seconds: float
    params: dict[str, int]
    properties: tuple[PropertyResult, ...]
    traces: tuple[Trace, ...] = ()
    findings: tuple[Finding, ...] = ()
    expected: bool | None
    expectation: str
    threads: int = 0
    growth: tuple[tuple[str, int], ...] = ()
    where: Place | None = None
    notes: tuple[str, ...] = ()
    any_number: AnyNumber | None = None

    @property
    def complete(self) -> bool:
        """Whether every reachable state was expanded and every valuation decided."""
        return self.found.complete

    @property
    def states(self) -> int:
        """The number of distinct reachable states, after `reductions`."""
        return self.found.states

    @property
    def transitions(self) -> int:
        """The number of successors, including duplicates."""
        return self.found.transitions

    @property
    def depth(self) -> int:
        """The last level that has a state."""
        return self.found.depth

    @property
    def open(self) -> int:
        """The number of states that were found and not expanded."""
        return self.found.open

    @property
    def stopped(self) -> Stop | None:
        """Why the search ended early; None if it did not."""
        return self.found.stopped

    @property
    def engine(self) -> str:
        """The engine that explored."""
        return self.found.engine

    @property
    def reductions(self) -> tuple[str, ...]:
        """The reductions used; the numbers are those of the reduced search."""
        return self.found.reductions

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The violations that have a counterexample, in the order of `traces`."""
        return self.found.violations

    @property
    def search_seconds(self) -> float:
        """Wall time of the search alone."""
        return self.found.seconds

    @property
    def exit_code(self) -> int:
        """0 holds or as expected, 1 violated or not as expected, 3 undetermined."""
        if self.expected is None:
            return SEVERITY[self.verdict]
        if self.expected:
            return 0
        return 3 if self.verdict == "UNDETERMINED" else 1

    def __bool__(self) -> bool:
        return self.verdict == "HOLDS"

    def _repr_html_(self) -> str:
        """Verdict, properties and the first counterexample, as a notebook shows them."""
        return drawn("report.html", self)

    def __str__(self) -> str:
        """Verdict, first counterexample and counts, as the command line prints them."""
        return drawn("report.txt", self)


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or class that could not be checked: a model error, or a fault of dio-mc. `text` is all of the message."""

    file: str
    text: str
    exit_code: int
    diagnostics: tuple[Diagnostic, ...] = ()
    model: str = ""
