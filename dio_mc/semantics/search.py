"""What a search is asked and what it answers: budgets, reductions, ways to cover a part; results, violations, coverage.

An engine explores a `Program` and answers with an `Exploration`. It never words a verdict (`checking` does) and never
decides a property itself: it asks a `PropertyEvaluator`, once per distinct valuation of what the property reads.
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
    """Which states are the same but for the names of threads and indices: the orbits of a proved symmetry."""

    def of(self, state: State) -> State:
        """The representative of a state's orbit: one of it, and the same for all of it."""
        ...

    def named(self, state: State) -> tuple[State, Sequence[int]]:
        """The representative, and for each thread the one that it is there."""
        ...


class Selection(Protocol):
    """Which steps of a state a search takes, where some stand for all: partial order."""

    def of(self, state: State, steps: Sequence[Step]) -> Sequence[Step]:
        """The steps to take, of all `steps` of a state, in their order."""
        ...


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits of an exploration; None is no limit. Seconds of wall time, bytes of resident memory."""

    max_states: int | None = None
    max_depth: int | None = None
    timeout: float | None = None
    max_memory: int | None = None


@dataclass(frozen=True, slots=True)
class Reductions:
    """Which reductions may be used where they are proved sound; partial order with None only where it seems to save
    much (`partial_order.persistent.pays`)."""

    symmetry: bool = True
    partial_order: bool | None = None


NO_REDUCTION: Final = Reductions(symmetry=False, partial_order=False)
SYMMETRY: Final = "symmetry"
PARTIAL_ORDER: Final = "partial order"
"""The names of reductions in an `Exploration`."""


@dataclass(frozen=True, slots=True)
class RandomRuns:
    """Cover only the states on so many random runs. The same `seed` gives the same runs."""

    runs: int
    seed: int = 0


@dataclass(frozen=True, slots=True)
class FewPreemptions:
    """Cover only schedules in which a thread that could go on is left at most so many times."""

    most: int


@dataclass(frozen=True, slots=True)
class Approximate:
    """Store less than the states found, so that a new one may be taken for a known one and be left out.

    ``hash-compaction`` keeps 64 bits of each (Wolper, Leroy 1993), ``bitstate`` sets three bits in a table of `memory`
    bytes (Holzmann 1988).
    """

    storage: Literal["hash-compaction", "bitstate"]
    memory: int = 256 << 20


Sampled = RandomRuns | FewPreemptions
Partial = Sampled | Approximate
"""Ways to be content with a part of the state space: what is not violated there is undetermined."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a running exploration is; `open` counts states not yet expanded."""

    depth: int
    states: int
    transitions: int
    open: int
    seconds: float


Report = Callable[[Progress], None]
Note = Callable[[str], None]
"""Is told in words what does not change an answer: another engine had to be used, compiled code cannot be kept."""


def unheard(text: str) -> None:
    """The `Note` of a caller who does not ask."""


Names = Callable[[], Sequence[str]]
"""What a search knows to be violated (witnessed) so far, by name; may be asked at any time."""
Follow = Callable[[Names], None]
"""Is given the `Names` of a search before it begins."""


def unfollowed(names: Names) -> None:
    """The `Follow` of a caller who waits for the report."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What is to be searched: a program with the evaluators of its properties, and what may end the search.

    With `first` it ends with the level of the first violation. `report` is told how far it is, `stop` is polled for a
    reason to end it, `note` is told in words what does not change the answer. `follow` is told how to ask what is
    violated so far: an interrupt may come between a search and its report.
    """

    program: Program
    evaluators: Sequence[PropertyEvaluator]
    budget: Budget = Budget()
    first: bool = False
    report: Report | None = None
    stop: Poll | None = None
    note: Note = unheard
    follow: Follow = unfollowed


@dataclass(frozen=True, slots=True)
class Violation:
    """The canonical counterexample of one property: shortest, then fewest context switches, then first in order.

    `property` is the author's name, ``deadlock``, or ``kind@line`` for a fault; `initial` the position of the initial
    state; `fault` is set when the last action has no successor. For `reachable` properties it is a witness. With `loop`
    the run goes on forever: the actions from this position on lead back to the state before them, and are repeated.
    Where not all states that near were looked at, or in another order, it is a counterexample all the same, but not
    known to be the `canonical` one.
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
    """What an exploration saw: (template, location) pairs that fired, that were blocked at least once, and distinct
    values per state cell when the search was stopped early (for "which variable exploded"), else empty."""

    fired: frozenset[tuple[int, int]]
    blocked: frozenset[tuple[int, int]]
    distinct: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Exploration:
    """What an engine found.

    `states` distinct reachable states; `transitions` all successors, duplicates and self-loops included; `depth` the
    last non-empty level. `stopped` is None when every reachable state was expanded and judged, else the reason. `open`
    counts states found and not expanded. `violations` in the order of properties. `unknown` names properties some
    valuation of which the solver could not decide. `reductions` names what the search
    was reduced by; with ``symmetry``, states are representatives of orbits, and transitions and `open` are theirs; with
    ``partial order``, all numbers are those of the steps that were taken.
    `seconds` is the wall time of the search that gave the answer, without what came before (smaller searches, machine
    code) and after (counterexamples); no part of what was found. `unshown` names what was found violated (or
    reachable) too, but without a schedule: a limit ended the search for that.
    """

    engine: str
    states: int
    transitions: int
    depth: int
    stopped: Stop | None
    open: int
    violations: tuple[Violation, ...]
    unknown: tuple[str, ...]
    coverage: Coverage
    reductions: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False, repr=False)
    unshown: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Every reachable state was expanded and every valuation decided."""
        return self.stopped is None and not self.unknown


def counted_up_to(reductions: Sequence[str]) -> str:
    """What follows a number of states: `` up to symmetry``, `` by partial order``, or nothing."""
    words = {SYMMETRY: " up to symmetry", PARTIAL_ORDER: " by partial order"}
    return "".join(words[name] for name in reductions)
