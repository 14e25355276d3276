"""The request and the result of a search: limits, reductions, partial searches; results, violations, coverage.

An engine explores a `Program` and returns an `Exploration`. It does not phrase verdicts (`checking` does) and does not
decide properties: it asks a `PropertyEvaluator`, once per distinct valuation of the values that the property reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Protocol

from dio_mc.ir.program import Program
from dio_mc.semantics.evaluator import PropertyEvaluator
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import Action, Fault, Step
from dio_mc.semantics.stop import Poll, Stop


class Representatives(Protocol):
    """The orbits of a proved symmetry: states that differ only in the names of threads and indices."""

    def of(self, state: State) -> State:
        """The representative of the state's orbit: one state of it, the same for all of them."""
        ...

    def named(self, state: State) -> tuple[State, Sequence[int]]:
        """The representative, and for each thread the position it has there."""
        ...


class Selection(Protocol):
    """Partial-order reduction: the subset of a state's steps that a search takes."""

    def of(self, state: State, steps: Sequence[Step]) -> Sequence[Step]:
        """The steps to take among all `steps` of a state, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of an exploration; None is no limit. `timeout` is wall time in seconds, `max_memory` resident memory in
    bytes."""

    max_states: int | None = None
    max_depth: int | None = None
    timeout: float | None = None
    max_memory: int | None = None


@dataclass(frozen=True, slots=True)
class Reductions:
    """Reductions that may be used if they are proved sound. `partial_order` None: only if it seems to save much
    (`partial_order.persistent.pays`)."""

    symmetry: bool = True
    partial_order: bool | None = None


NO_REDUCTION: Final = Reductions(symmetry=False, partial_order=False)
SYMMETRY: Final = "symmetry"
PARTIAL_ORDER: Final = "partial order"
"""The names of reductions in an `Exploration`."""


@dataclass(frozen=True, slots=True)
class RandomRuns:
    """Cover only the states on a number of random runs. The same `seed` gives the same runs."""

    runs: int
    seed: int = 0


@dataclass(frozen=True, slots=True)
class FewPreemptions:
    """Cover only schedules with at most `most` preemptions (switches away from a thread that could continue)."""

    most: int


@dataclass(frozen=True, slots=True)
class Approximate:
    """Store less than the full states, so that a new state may be mistaken for a known one and left out.

    ``hash-compaction`` keeps 64 bits of each state (Wolper, Leroy 1993), ``bitstate`` sets three bits per state in a
    table of `memory` bytes (Holzmann 1988).
    """

    storage: Literal["hash-compaction", "bitstate"]
    memory: int = 256 << 20


Sampled = RandomRuns | FewPreemptions
Partial = Sampled | Approximate
"""Searches of a part of the state space only: a property that is not violated there is undetermined."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of a running exploration; `open` counts states not yet expanded, `seconds` is wall time."""

    depth: int
    states: int
    transitions: int
    open: int
    seconds: float


Report = Callable[[Progress], None]
Note = Callable[[str], None]
"""Receives a sentence about something that does not change the answer: another engine had to be used, compiled code
cannot be cached."""


def unheard(text: str) -> None:
    """A `Note` that does nothing."""


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """How a long search saves its progress, so that it can be resumed after it was ended.

    Files are written to `folder`, from the first level on; if that is None, to the user's cache, once the search has
    taken `after` seconds. They are written at the end of a level, at most once in `every` seconds. With `resume` the
    search continues from saved files. `say` receives sentences about checkpoints, which are not part of an answer;
    `command` is the command that resumes this search.
    """

    folder: str | None = None
    resume: bool = False
    after: float = 60.0
    every: float = 2.0
    say: Note = unheard
    command: str = ""


@dataclass(frozen=True, slots=True)
class OnRay:
    """Divide the states of a large search among processes of a Ray cluster: the one at `address` (as `ray.init` takes
    it, with which this machine is connected), None for one on this machine. `workers` is the number of processes; None:
    one for each processor of the cluster."""

    address: str | None = None
    workers: int | None = None


Names = Callable[[], Sequence[str]]
"""The names of the properties that a search knows so far to be violated (or reachable); may be called at any time."""
Follow = Callable[[Names], None]
"""Receives the `Names` function of a search before the search begins."""


def unfollowed(names: Names) -> None:
    """A `Follow` that does nothing."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What to search, and the conditions that end the search: a program with the evaluators of its properties.

    With `first` the search ends after the level of the first violation. `report` receives its progress, `stop` is
    polled for a reason to end it, `note` receives sentences that do not change the answer. `follow` receives a function
    that lists the violations so far, because an interrupt may come between the end of a search and its result. With
    `checkpoints`, a long search saves its progress.
    """

    program: Program
    evaluators: Sequence[PropertyEvaluator]
    budget: Budget = Budget()
    first: bool = False
    report: Report | None = None
    stop: Poll | None = None
    note: Note = unheard
    follow: Follow = unfollowed
    checkpoints: Checkpoints | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """The canonical counterexample of one property: the shortest, then fewest context switches, then first in order.

    `property` is the author's name, ``deadlock``, or ``kind@line`` for a fault; `initial` is the position of the
    initial state; `fault` is set if the last action has no successor. For `reachable` properties it is a witness. With
    `loop` the run is infinite: the actions from this position on lead back to the state before them, and repeat.
    `canonical` is False if a shorter or smaller one may exist, because not all states within that depth were visited,
    or in another order; it is a counterexample nevertheless.
    """

    property: str
    initial: int
    schedule: tuple[Action, ...]
    switches: int
    fault: Fault | None = None
    loop: int | None = None
    canonical: bool = True


@dataclass(frozen=True, slots=True)
class Coverage:
    """Coverage of an exploration: the (template, location) pairs that were executed, and those that were blocked at
    least once. `distinct` counts the distinct values of each state cell if the search was stopped early (to show which
    variable grew), otherwise it is empty."""

    fired: frozenset[tuple[int, int]]
    blocked: frozenset[tuple[int, int]]
    distinct: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """How far a search got.

    `states` is the number of distinct reachable states; `transitions` counts all successors, including duplicates and
    self-loops; `depth` is the last non-empty level. `stopped` is None if every reachable state was expanded and judged,
    otherwise the reason. `open` counts states found but not expanded. `unknown` names properties for which the solver
    could not decide some valuation.

    `reductions` names the reductions used. With ``symmetry``, states are representatives of orbits, and `transitions`
    and `open` count theirs; with ``partial order``, all numbers count only the steps taken.

    `seconds` is the wall time of the search that gave the answer, without earlier work (smaller searches, machine code)
    and later work (counterexamples); it is not compared. `unshown` names properties that were also found violated (or
    reachable), but without a schedule, because a limit ended the search for it.
    """

    states: int
    transitions: int
    depth: int
    stopped: Stop | None
    open: int
    unknown: tuple[str, ...]
    coverage: Coverage
    reductions: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False, repr=False)
    unshown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration(SearchResult):
    """The answer of an engine: how far it got, and the `violations` it found, in the order of properties."""

    engine: str
    violations: tuple[Violation, ...]
    resumable: bool = field(default=False, compare=False, repr=False)

    @staticmethod
    def of(found: SearchResult, engine: str, violations: tuple[Violation, ...]) -> Exploration:
        """The answer of a search whose violations are known."""
        return Exploration(
            engine=engine, violations=violations, states=found.states, transitions=found.transitions,
            depth=found.depth, stopped=found.stopped, open=found.open, unknown=found.unknown, coverage=found.coverage,
            reductions=found.reductions, seconds=found.seconds, unshown=found.unshown,
        )  # fmt: skip

    @property
    def complete(self) -> bool:
        """Whether every reachable state was expanded and every valuation decided."""
        return self.stopped is None and not self.unknown


NOTHING: Final = Exploration(
    engine="none", states=0, transitions=0, depth=0, stopped=None, open=0, violations=(), unknown=(),
    coverage=Coverage(frozenset(), frozenset()),
)  # fmt: skip
"""The result before any search."""


def counted_up_to(reductions: Sequence[str]) -> str:
    """The suffix of a number of states: `` up to symmetry``, `` by partial order``, or nothing."""
    words = {SYMMETRY: " up to symmetry", PARTIAL_ORDER: " by partial order"}
    return "".join(words[name] for name in reductions)
