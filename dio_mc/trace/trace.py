"""A trace: one run of a program, recorded by name.

Everything that renderers show is stored as text (names, values, statements, places, alternatives), so that rendering
needs neither the program nor its semantics, and a trace can still be read when the model has changed. A trace is
replayed from its actions (thread, location and choice, by name) and the model's digest; the states are for display.

This module does not depend on how traces are made (`replay`) or stored (`codec`).
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
"""The version of the stored form; it changes when a field does. `Trace.loop` and `Trace.why` are stored only if they
are set, `Trace.canonical` only if it is false."""

CellRole = Literal["data", "lock", "local", "location"]
TraceKind = Literal["violation", "witness"]
PropertyKind = Literal["invariant", "step", "reachable", "always_reachable", "progress", "deadlock", "fault"]


def canonical_label(canonical: bool) -> str:
    """The suffix of a schedule's length if the schedule is not known to be canonical."""
    return "" if canonical else ", not canonical"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a source file; the file as displayed."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class ModelName:
    """The model: its file as displayed, the program's name (``Class`` or ``Class@pages=2``), all parameters, and the
    digest. `files` must be named on the command line for a rule or a workload that is not shipped."""

    file: str
    name: str
    params: tuple[tuple[str, int], ...]
    digest: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadName:
    """A thread instance and its template."""

    name: str
    template: str
    daemon: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the initial state and its value.

    `role` is ``local`` or ``location`` for a thread's locals and its location; `thread` is set for these. `free`: every
    value of the cell is an initial value (``init=any``), so the value is part of the counterexample.
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
    """A step that was also enabled and was not taken; `fault` is the kind of its fault, if it had one."""

    thread: str
    location: str
    choice: tuple[int, ...]
    text: str
    fault: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thread that has not ended and could not run, and the statement it waits at.

    At the end of a trace `code`, `operations`, `calls` and `arguments` are set, as in a step.
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

    `thread`, `location` and `choice` are the action by name. `text` is the statement, `anchor` the enclosing kernel
    function (``mm/filemap.c:filemap_nopage``), `operations` the enclosing operations, outermost first, and `calls` the
    displayed name of each. `changes` are to shared and ghost cells, `local_changes` to locals and locations.
    `alternatives` and `blocked` are about the state before the step. A step with a `fault` has no state after it.

    `code` is the full statement, with line breaks, if `text` is shortened. `arguments` holds the arguments of each call
    before the step; for a dead argument it is the value that was passed, or the name. Empty if no call has any.
    `results` are the locals of the innermost call that the step may assign, with their values after it, even if they
    are dead then.
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
        """The step in one line: ``reader: self.i_mutex.lock()``."""
        return f"{self.thread}: {self.text}"


@dataclass(frozen=True, slots=True)
class Failing:
    """A conjunct that is false at the end (true, in a witness): its source text, and the values that make it so."""

    source: str
    values: str


@dataclass(frozen=True, slots=True)
class Standing:
    """The status of a property along a trace: `at` lists where it is violated (for a liveness property: where its goal
    holds), `unknown` where it was not decided. The numbers are of states, 0 the initial one and n the one after step n,
    or for a ``step`` property of steps."""

    property: str
    kind: PropertyKind
    doc: str
    at: tuple[int, ...]
    unknown: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the model's source when the trace was taken, without line end."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Trace:
    """A counterexample or a witness.

    `property` is the author's name, ``deadlock``, or ``kind@line`` for a fault; `doc` is its documentation (a fault's
    message); `place` is where it is defined (where the fault is).

    `initial` has every cell in the order of the state. `fault` is a fault of a local prefix, before any step. `blocked`
    are the threads that cannot run at the end (in a deadlock, all that have not ended). `loop` is the number of the
    step from which all steps repeat forever: the state after the last step equals the state before step `loop`.

    Older traces and those of other writers have no `standings` (the status of every property along the way) and no
    `lines` (the source at the steps' places). `why` is None if no explanation was requested or none could be given. A
    trace that is not `canonical` is correct, but may be neither the shortest nor the one with the fewest switches.
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
        """The number of context switches: consecutive steps of different threads."""
        return sum(a.thread != b.thread for a, b in zip(self.steps, self.steps[1:], strict=False))

    @builtins.property
    def label(self) -> str:
        """The suffix of its number of switches: ``, not canonical``, or nothing."""
        return canonical_label(self.canonical)

    @builtins.property
    def cast(self) -> tuple[ThreadName, ...]:
        """The threads that take a step, in order of appearance; then those `stuck` or `starved` that take none."""
        by_name = {thread.name: thread for thread in self.threads}
        waiting = (one.thread for one in (*self.stuck, *self.starved))
        names = [*(step.thread for step in self.steps), *waiting]
        return tuple(by_name[name] for name in dict.fromkeys(names))

    @builtins.property
    def stuck(self) -> tuple[Waiting, ...]:
        """The threads that wait forever at the end of a trace where no thread can run; daemons may wait."""
        ends = self.property_kind == "deadlock" or (self.property_kind == "progress" and self.loop is None)
        return tuple(waiting for waiting in self.blocked if not waiting.daemon) if ends else ()

    @builtins.property
    def starved(self) -> tuple[Waiting, ...]:
        """The threads that wait throughout the loop of a trace; daemons may wait."""
        looped = self.steps[self.loop - 1 :] if self.loop is not None else ()
        waiting = [{one.thread for one in step.blocked} - {step.thread for step in looped} for step in looped]
        always = set.intersection(*waiting) if waiting else set[str]()
        return tuple(one for one in self.blocked if one.thread in always and not one.daemon)

    @builtins.property
    def final_fault(self) -> TraceFault | None:
        """The fault that the trace ends in, or None."""
        return self.steps[-1].fault if self.steps else self.fault

    def with_failing(self, failing: Sequence[tuple[str, str]]) -> Trace:
        """A copy of the trace with these conjuncts, as (source text, values)."""
        return replace(self, failing=tuple(Failing(source, values) for source, values in failing))

    def states(self) -> Iterator[dict[str, str]]:
        """The values of all cells by name: in the initial state, then after each step (except a fault)."""
        state = {cell.name: cell.value for cell in self.initial}
        yield dict(state)
        for step in self.steps:
            if step.fault is None:
                state.update((change.cell, change.after) for change in step.changes + step.local_changes)
                yield dict(state)

    def state_before(self, number: int) -> dict[str, str]:
        """The state in which step `number` was taken; one past the last step gives the final state."""
        for position, state in enumerate(self.states(), start=1):
            if position == number:
                return state
        raise IndexError(f"there is no state before step {number}")

    def _repr_svg_(self) -> str:
        """The picture shown in a notebook."""
        return drawn("trace.svg", self)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the trace to a file; the suffix selects the form: ``.html`` a page to step through, ``.svg`` a picture,
        ``.txt`` the diagram, ``.json`` for `dio_mc.read_trace`, ``.dot`` a graph.

        A page includes the model's sources below the working directory. Raises `ValueError` for any other suffix,
        `OSError` if the file cannot be written.
        """
        write_if_changed(Path(path), drawn(f"trace{Path(path).suffix}", self))

    def graph(self) -> networkx.DiGraph:
        """The trace as a graph: states ``s000``.. along the path, and one node per alternative (``s000a0``..).

        Nodes have `kind` (``path``, ``alternative`` or ``fault``) and `state`; edges have `thread`, `text`, `taken`
        and, on the path, `number`. A loop adds an edge ``for ever`` from the last state to the equal state at the start
        of the loop.
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
