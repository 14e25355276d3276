"""A trace: one run of a program, written down by name.

Everything a renderer shows is stored here as text (names, values, statements, places, what else could have run), so
that render needs neither the program nor its semantics, and a trace still reads when the model has changed. What makes
a trace go again is its actions (thread, location and choice, by name) and the model's digest; states are commentary.

Nothing here knows where a trace comes from (`replay`) or how it is stored (`codec`).
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dio_mc.display import drawn
from dio_mc.files import write_if_changed
from dio_mc.trace.cause import Why

if TYPE_CHECKING:
    import networkx

SCHEMA = "dio-mc/trace/1"
"""The version of the stored form; it changes when a field does. `Trace.loop` and `Trace.why` are stored where a trace
has them, `Trace.canonical` where it is false."""

CellRole = Literal["data", "lock", "local", "location"]
TraceKind = Literal["violation", "witness"]
PropertyKind = Literal["invariant", "step", "reachable", "always_reachable", "progress", "deadlock", "fault"]


def canonical_label(canonical: bool) -> str:
    """What follows the length of a schedule that is not known to be the canonical one."""
    return "" if canonical else ", not canonical"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a source file, the file as displayed."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class ModelName:
    """The model: its file as displayed, the program's name (``Class`` or ``Class@pages=2``), all parameters, digest.
    `files` are those that a command has to name for a rule or a workload that is not shipped."""

    file: str
    name: str
    params: tuple[tuple[str, int], ...]
    digest: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadName:
    """A thread instance and the template it runs."""

    name: str
    template: str
    daemon: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the initial state and its value.

    `role` ``local`` and ``location`` are a thread's locals and where it stands; `thread` is set for these. `free`: the
    model starts from every value of it (``init=any``), so the value is part of the counterexample.
    """

    name: str
    value: str
    role: CellRole
    ghost: bool
    free: bool
    thread: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A cell that a step changed."""

    cell: str
    before: str
    after: str
    role: CellRole
    ghost: bool


@dataclass(frozen=True, slots=True)
class Alternative:
    """A step that was enabled as well and was not taken; `fault` its kind of fault, if it had one."""

    thread: str
    location: str
    choice: tuple[int, ...]
    text: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thread that has not ended and could not run, and what it waits at.

    At the end of a trace `code`, `operations`, `calls` and `arguments` are as a step has them.
    """

    thread: str
    location: str
    text: str
    daemon: bool
    place: Place | None
    code: str = ""
    operations: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    arguments: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class TraceFault:
    """A run-time fault of the model."""

    kind: str
    message: str
    place: Place | None


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step. `number` counts from 1.

    `thread`, `location` and `choice` are the action by name. `text` is the statement, `anchor` the kernel function
    around it (``mm/filemap.c:filemap_nopage``), `operations` the operations around it, outermost first, and `calls` the
    function each of them is shown as. `changes` are to shared and ghost cells, `local_changes` to locals and
    locations. `alternatives` and `blocked` speak of the state before. With a `fault` there is no state after.
    `code` is the statement with its lines and not cut, where `text` is not all of it. `arguments` are those of each of
    the calls, as they are before the step; of one that is no longer used what was passed, or its name. Empty where no
    call has any. `results` are locals of the innermost call that the step may assign, with the values that they have
    then, also where nothing reads them later.
    """

    number: int
    thread: str
    location: str
    choice: tuple[int, ...]
    text: str
    anchor: str | None
    operations: tuple[str, ...]
    calls: tuple[str, ...]
    place: Place | None
    changes: tuple[Change, ...]
    local_changes: tuple[Change, ...]
    alternatives: tuple[Alternative, ...]
    blocked: tuple[Waiting, ...]
    fault: TraceFault | None
    code: str = ""
    arguments: tuple[tuple[str, ...], ...] = ()
    results: tuple[tuple[str, str], ...] = ()

    @property
    def head(self) -> str:
        """What the step does in one line: ``reader: self.i_mutex.lock()``."""
        return f"{self.thread}: {self.text}"


@dataclass(frozen=True, slots=True)
class Failing:
    """A conjunct that is false at the end (true, in a witness): its source text, and the values that make it so."""

    source: str
    values: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A property along a trace: where it is violated (one of what can or must happen: where it holds), and where only
    the solver could say and did not. Numbers are of states, 0 the initial one, n the one after step n; a ``step``
    property's of steps.
    """

    property: str
    kind: PropertyKind
    doc: str
    at: tuple[int, ...]
    unknown: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the model's source as it was when the trace was taken, without its end."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Trace:
    """A counterexample or a witness.

    `property` is the author's name, ``deadlock``, or ``kind@line`` for a fault; `doc` the author's words (a fault's
    message); `place` where it is stated (where the fault is).
    `initial` has every cell in the order of the state. `fault` is a fault of a thread's start, before any step.
    `blocked` are the threads that cannot run at the end (all of them, in a deadlock). `loop` is the number of the step
    from which on all of them repeat forever: after the last one, all is as it was before that step.
    Older traces and those of other writers have no `standings` (every property along the way) and no `lines` (the
    source at the steps' places). `why` is None where it was not asked, and where no single point shows it.
    A trace that is not `canonical` is right, but need not be the shortest, nor the one with fewest switches.
    """

    schema: str
    kind: TraceKind
    model: ModelName
    property: str
    property_kind: PropertyKind
    doc: str
    place: Place | None
    engine: str
    threads: tuple[ThreadName, ...]
    initial: tuple[Cell, ...]
    steps: tuple[TraceStep, ...]
    failing: tuple[Failing, ...]
    blocked: tuple[Waiting, ...]
    fault: TraceFault | None
    standings: tuple[Standing, ...] = ()
    lines: tuple[SourceLine, ...] = ()
    loop: int | None = None
    why: Why | None = None
    canonical: bool = True

    @builtins.property
    def switches(self) -> int:
        """Neighbouring steps of different threads."""
        return sum(a.thread != b.thread for a, b in zip(self.steps, self.steps[1:], strict=False))

    @builtins.property
    def label(self) -> str:
        """What follows the number of its switches: ``, not canonical``, or nothing."""
        return canonical_label(self.canonical)

    @builtins.property
    def cast(self) -> tuple[ThreadName, ...]:
        """The threads that take a step, in order of appearance; then the `stuck` and `starved` ones that take none."""
        by_name = {thread.name: thread for thread in self.threads}
        waiting = (one.thread for one in (*self.stuck, *self.starved))
        names = [*(step.thread for step in self.steps), *waiting]
        return tuple(by_name[name] for name in dict.fromkeys(names))

    @builtins.property
    def stuck(self) -> tuple[Waiting, ...]:
        """Those that wait forever, in a trace whose end is that nobody can run; daemons may wait."""
        ends = self.property_kind == "deadlock" or (self.property_kind == "progress" and self.loop is None)
        return tuple(waiting for waiting in self.blocked if not waiting.daemon) if ends else ()

    @builtins.property
    def starved(self) -> tuple[Waiting, ...]:
        """Those that wait all the time, in a trace whose end is a loop; daemons may wait."""
        looped = self.steps[self.loop - 1 :] if self.loop is not None else ()
        waiting = [{one.thread for one in step.blocked} - {step.thread for step in looped} for step in looped]
        always = set.intersection(*waiting) if waiting else set[str]()
        return tuple(one for one in self.blocked if one.thread in always and not one.daemon)

    @builtins.property
    def final_fault(self) -> TraceFault | None:
        """The fault that the trace ends in."""
        return self.steps[-1].fault if self.steps else self.fault

    def with_failing(self, failing: Sequence[tuple[str, str]]) -> Trace:
        """The trace with these conjuncts, as (source text, values)."""
        return replace(self, failing=tuple(Failing(source, values) for source, values in failing))

    def states(self) -> Iterator[dict[str, str]]:
        """The values of all cells by name: in the initial state, then after each step that has a state after it."""
        state = {cell.name: cell.value for cell in self.initial}
        yield dict(state)
        for step in self.steps:
            if step.fault is None:
                state.update((change.cell, change.after) for change in step.changes + step.local_changes)
                yield dict(state)

    def state_before(self, number: int) -> dict[str, str]:
        """The state in which step `number` was taken; one past the last step is the final state."""
        for position, state in enumerate(self.states(), start=1):
            if position == number:
                return state
        raise IndexError(f"there is no state before step {number}")

    def _repr_svg_(self) -> str:
        """The picture, as a notebook shows it."""
        return drawn("trace.svg", self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the trace to a file, as the ending of its name says: ``.html`` a page to step through, ``.svg`` a
        picture, ``.txt`` the diagram, ``.json`` for `dio_mc.read_trace`, ``.dot`` a graph.

        A page has the sources below the working directory in it. Raises `ValueError` for another ending, `OSError` when
        the file cannot be written.
        """
        write_if_changed(Path(path), drawn(f"trace{Path(path).suffix}", self))

    def graph(self) -> networkx.DiGraph:
        """The trace as a graph: states ``s000``.. along the path, one node per alternative (``s000a0``..).

        Nodes carry `kind` (``path``, ``alternative`` or ``fault``) and `state`; edges `thread`, `text`, `taken` and, on
        the path, `number`. A loop has an edge ``for ever`` from the last state to the same state before it.
        """
        import networkx

        graph: networkx.DiGraph = networkx.DiGraph(model=self.model.name, property=self.property)
        states = list(self.states())
        for position, state in enumerate(states):
            graph.add_node(f"s{position:03d}", kind="path", state=state)
        for step in self.steps:
            here, there = f"s{step.number - 1:03d}", f"s{step.number:03d}"
            if step.fault is not None:
                graph.add_node(there, kind="fault", state={})
            graph.add_edge(here, there, thread=step.thread, text=step.text, taken=True, number=step.number)
            for position, other in enumerate(step.alternatives):
                graph.add_node(f"{here}a{position}", kind="alternative", state={})
                graph.add_edge(here, f"{here}a{position}", thread=other.thread, text=other.text, taken=False)
        if self.loop is not None:
            last, again = f"s{len(self.steps):03d}", f"s{self.loop - 1:03d}"
            graph.add_edge(last, again, thread="", text="for ever", taken=True)
        return graph
