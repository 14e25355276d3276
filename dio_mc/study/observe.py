"""Every final observation of a program: the result of each thread, and the file afterwards.

One breadth first search over the reference interpreter; an observation is made where nothing is
enabled any more, because everything has ended or the program is stuck. Threads that should end can
also loop forever although no waiter is overtaken (strong fairness). Each distinct observation is
stored with the nearest states that show it, so that `trace` can compute the canonical path to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from dio_mc.engines.limits import Limits
from dio_mc.engines.reference.canonical import End, Goal, Path, canonical_paths
from dio_mc.engines.reference.components import Graph
from dio_mc.engines.reference.liveness import Violated, endless
from dio_mc.engines.reference.sweep import Sweep
from dio_mc.guard import Ended, Guard, Latch
from dio_mc.kernel.families import FOREIGN
from dio_mc.kernel.register import ACKED, SEEN, VALUES, Given, Stage
from dio_mc.kernel.words import Block, Data, Slot
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.remembering import Learned, Memory, Remembering
from dio_mc.semantics.search import Budget, Violation
from dio_mc.semantics.step import Fault, count_switches, fault_name
from dio_mc.study.products import Product
from dio_mc.trace.replay import build_trace
from dio_mc.trace.trace import Trace

ENDS: Final = "every_call_ends"
"""The property of a product (`registry`) that is violated by a run which never ends."""
JUDGED: Final = {
    "no_stale_exposure": "exposed",
    "no_freed_io": "lost",
    "no_lost_write": "lost",
    "read_after_ack": "stale",
    "monotonic_read": "stale",
    "coherent_at_rest": "stale",
}
"""The name of the verdict for each property of the families that is false."""


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """The records that the calls of one thread left: the last result and the one before, as names
    of `Data`; the verdict on its reads, a name of `Given`."""

    thread: str
    earlier: str
    outcome: str
    given: str = Given.FINE.name


@dataclass(frozen=True, slots=True, order=True)
class Observation:
    """The end of a run. `violated` are the properties of the families (`kernel.families.JUDGES`)
    that are false there. `cached` is the result of a read through the cache, `media` that of a read
    after dropping the cache. `stuck` are the threads that have not ended; `endless`: they can
    continue forever, under a scheduler that excludes no thread. `fault` is a failure of the rule
    itself (``BUG``). `reported`: an error is recorded on the mapping for the next fsync."""

    records: tuple[Record, ...]
    cached: str
    media: str
    violated: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    fault: str = ""
    endless: bool = False
    reported: bool = False


def of_file(cells: Mapping[str, str], media: str) -> tuple[str, ...]:
    """The verdict of a register on the file at the end, from the cells of a trace's last state by
    name: the properties that are false if the disk has `media`."""
    names = [value.name for value in VALUES]
    if media not in names:
        return ()
    accounts = {"no_lost_write": ACKED, "monotonic_read": SEEN}
    return tuple(p for p, k in accounts.items() if cells[f"stage[{k}][{names.index(media)}]"] == Stage.GONE.name)


def of_pages(values: Sequence[str]) -> str:
    """The result of a read of pages with these values, names of `Data` (`dio_mc.kernel.joined`)."""
    foreign = [value.name for value in FOREIGN if value.name in values]
    inside = [value for value in values if value != Data.EOF.name]
    if len(set(values)) == 1 or foreign:
        return foreign[0] if foreign else values[0]
    return Data.SHORT.name if len(inside) < len(values) else Data.TORN.name


class Observed:
    """All observations of one program. `complete` is False if a budget, or a reason from `met`,
    ended the search. `memory` caches results for similar programs."""

    def __init__(
        self, product: Product, budget: Budget | None = None, met: Latch | None = None, memory: Memory | None = None
    ) -> None:
        self._product = product
        self.interpreter: Remembering = Remembering(product.program, memory)
        self.goals: dict[Observation, Goal] = {}
        self._read = Reader(self.interpreter, dict(product.threads))
        self._graph = Graph()
        self._endless: Violated | None = None
        self._search = Sweep(self.interpreter, self, Limits(budget or Budget(), met.words if met is not None else None))
        self._search.run()
        self.complete = self._search.stopped is None
        self.states = self._search.states
        if self.complete and self._search.returns:
            self._look_for_endless(met or Latch(lambda: None))

    def trace(self, observation: Observation) -> Trace:
        """The canonical run that ends like this, or loops forever, replayed."""
        program, goal = self._product.named(), self.goals[observation]
        path = canonical_paths(self.interpreter, self._search.levels, [goal])[0]
        name = "deadlock" if observation.stuck else "all_ended"
        if observation.endless:
            assert self._endless is not None
            loop = self._endless.loop(self._graph, self._end_of(path))
            schedule, switches = path.schedule + loop, count_switches(path.schedule + loop)
            lasso = Violation(ENDS, path.initial, schedule, switches, None, len(path.schedule))
            return build_trace(program, lasso, engine="reference")
        if path.fault is not None:
            name = fault_name(path.fault.kind, path.fault.span, program.file)
        found = Violation(name, path.initial, path.schedule, count_switches(path.schedule), path.fault)
        return build_trace(program, found, engine="reference")

    # -- what the search tells --------------------------------------------------------------------

    def ended(self, state: State, depth: int) -> None:
        """Record the end of a run: a state without steps."""
        self._note(self._read.observe(state), depth, End(state))

    def failed(self, state: State, step: Learned, depth: int) -> None:
        """Record a step that fails as an end."""
        self._note(self._read.observe(state, step.fault), depth + 1, End(state, step.action, step.fault))

    def _look_for_endless(self, met: Latch) -> None:
        try:
            with Guard(met):
                self._note_endless()
        except (Ended, MemoryError):
            self.complete = False

    def _note_endless(self) -> None:
        """Record the nearest state from which threads that should end can loop forever, if there is
        one."""
        rounds = self._search.round_and_round()
        self._graph.steps.update((state, self.interpreter.successors(state)) for state in rounds)
        away = {state for state in rounds if self._read.stuck(state)}
        levels = self._search.levels if away else []
        self._endless = endless(self._graph, levels, away, "strong")
        if self._endless is not None:
            goal = self._endless.goal
            for end in goal.ends:
                self._note(self._read.observe(end.state, endless=True), goal.length, end)

    def _end_of(self, path: Path) -> State:
        """The state that a path leads to."""
        state = next(islice(self.interpreter.starting(), path.initial, None))
        for action in path.schedule:
            step = self.interpreter.step(state, action)
            assert step is not None
            assert step.state is not None
            state = step.state
        return state

    def _note(self, observation: Observation, length: int, end: End) -> None:
        goal = self.goals.setdefault(observation, Goal(length, []))
        if goal.length == length:
            goal.ends.append(end)


class Reader:
    """Reads an observation from a state's cells. Threads are named by `names`, otherwise as in the
    program."""

    def __init__(self, interpreter: Interpreter, names: Mapping[str, str] | None = None) -> None:
        program, layout = interpreter.program, interpreter.layout
        judged = [(p.name, p.expr) for p in program.properties if p.name in JUDGED and p.expr is not None]
        self._properties = [(name, interpreter.compiled(expr)[0]) for name, expr in judged]
        self._base = dict(zip((v.name for v in program.variables), layout.variable_base, strict=True))
        self._pcs = layout.pc
        size = {v.name: v.size for v in program.variables}
        self._pages, self._sectors = size["block"], size["disk"] // size["block"]
        templates = [program.template_of(number) for number in range(len(program.threads))]
        self._awaited = [number for number, template in enumerate(templates) if not template.daemon]
        self._users = [number for number in self._awaited if not templates[number].spawned]
        self._names = [(names or {}).get(thread.name, thread.name) for thread in program.threads]

    def observe(self, state: State, fault: Fault | None = None, *, endless: bool = False) -> Observation:
        """The observation recorded in a state."""
        stuck = () if fault else self.stuck(state)
        records = tuple(self._record(state, thread) for thread in self._users)
        violated = tuple(name for name, holds in self._properties if not holds(state))
        if fault is not None or stuck or endless:
            return Observation(records, "", "", violated, stuck, fault.message if fault else "", endless)
        end, size = self._cell(state, "i_disksize"), self._cell(state, "i_size")
        pages = range(self._pages)
        media = of_pages([self._media(state, p) if p < end else Data.EOF.name for p in pages])
        cached = of_pages([self._cached(state, p) if p < size else Data.EOF.name for p in pages])
        reported = "wb_err" in self._base and bool(self._cell(state, "wb_err"))
        return Observation(records, cached, media, violated, reported=reported)

    def _media(self, state: State, page: int) -> str:
        if self._cell(state, "block", page) != list(Block).index(Block.MAPPED):
            return Data.ZERO.name
        sectors = {self.data(state, "disk", page * self._sectors + s) for s in range(self._sectors)}
        foreign = [value.name for value in FOREIGN if value.name in sectors]
        return foreign[0] if foreign else sectors.pop() if len(sectors) == 1 else Data.TORN.name

    def _cached(self, state: State, page: int) -> str:
        uptodate = self._cell(state, "slot", page) == list(Slot).index(Slot.UPTODATE)
        return self.data(state, "page", page) if uptodate else self._media(state, page)

    def stuck(self, state: State) -> tuple[str, ...]:
        """The threads that should have ended and have not."""
        return tuple(self._names[t] for t in self._awaited if state[self._pcs[t]] != 0)

    def _record(self, state: State, thread: int) -> Record:
        earlier, outcome = (self.data(state, name, thread) for name in ("earlier", "outcome"))
        given = list(Given)[self._cell(state, "given", thread)].name
        return Record(self._names[thread], earlier, outcome, given)

    def _cell(self, state: State, name: str, index: int = 0) -> int:
        return state[self._base[name] + index]

    def data(self, state: State, name: str, index: int = 0) -> str:
        """The name of the `Data` in a cell of a variable."""
        return list(Data)[self._cell(state, name, index)].name
