"""States, steps and places of a program as the text that a trace stores."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from itertools import pairwise

from dio_mc.ir.anchor import function_of
from dio_mc.ir.program import Location, Program
from dio_mc.semantics.layout import Layout, State, show_cell
from dio_mc.semantics.step import Fault, Step
from dio_mc.source import Span, display_path, source_lines
from dio_mc.trace.kept import assigned
from dio_mc.trace.trace import (
    Alternative,
    Cell,
    Change,
    ModelName,
    Place,
    SourceLine,
    ThreadName,
    TraceFault,
    Waiting,
)


def shown_file(file: str) -> str:
    """The path relative to the working directory; for a file elsewhere only its name, so that no trace depends on the
    location of a checkout."""
    shown = display_path(file)
    return shown if not os.path.isabs(shown) else shown.replace("\\", "/").rsplit("/", 1)[-1]


def place_of(span: Span | None) -> Place | None:
    """The file and line of a span."""
    return None if span is None else Place(shown_file(span.file), span.line)


def lines_at(spans: Iterable[Span | None]) -> tuple[SourceLine, ...]:
    """The source lines at these spans, each once, sorted by file and number; lines that cannot be read are omitted."""
    found: dict[tuple[str, int], str] = {}
    for span in spans:
        lines = source_lines(span.file) if span is not None else ()
        if span is not None and 0 < span.line <= len(lines):
            found[shown_file(span.file), span.line] = lines[span.line - 1].rstrip()
    return tuple(SourceLine(file, line, text) for (file, line), text in sorted(found.items()))


def fault_of(fault: Fault | None) -> TraceFault | None:
    """A fault in the form of a trace."""
    return None if fault is None else TraceFault(fault.kind, fault.message, place_of(fault.span))


class Naming:
    """The names of one program's cells, threads and steps."""

    def __init__(self, program: Program, layout: Layout) -> None:
        self._program = program
        self._layout = layout

    def model(self) -> ModelName:
        """The name of the model."""
        program = self._program
        return ModelName(shown_file(program.file) if program.file else "", program.name, program.params, program.digest)

    def threads(self) -> tuple[ThreadName, ...]:
        """The thread instances in their fixed order."""
        templates = self._program.templates
        return tuple(
            ThreadName(t.name, templates[t.template].name, templates[t.template].daemon) for t in self._program.threads
        )

    def cells(self, state: State) -> tuple[Cell, ...]:
        """Every cell with its value."""
        shown = (show_cell(self._program, self._layout, cell, value) for cell, value in enumerate(state))
        return tuple(
            Cell(cell.name, value, cell.role, cell.ghost, cell.free, cell.thread)
            for cell, value in zip(self._kinds, shown, strict=True)
        )

    def changes(self, before: State, after: State) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
        """The changed cells: shared and ghost cells, then locals and locations."""
        shared: list[Change] = []
        own: list[Change] = []
        for cell, (old, new) in enumerate(zip(before, after, strict=True)):
            if old == new:
                continue
            kind = self._kinds[cell]
            shown = [show_cell(self._program, self._layout, cell, value) for value in (old, new)]
            into = shared if kind.thread is None else own
            into.append(Change(kind.name, shown[0], shown[1], kind.role, kind.ghost))
        return tuple(shared), tuple(own)

    def alternatives(self, steps: Iterable[Step], taken: Step) -> tuple[Alternative, ...]:
        """The enabled steps except the one taken."""
        return tuple(self._alternative(step) for step in steps if step.action != taken.action)

    def _alternative(self, step: Step) -> Alternative:
        location = self.location(step.action.thread, step.action.location)
        thread = self._program.threads[step.action.thread].name
        fault = step.fault.kind if step.fault else None
        return Alternative(thread, location.name, step.action.choice, location.text, fault)

    def blocked(
        self, state: State, steps: Iterable[Step], *, last: bool = False, kept: State | None = None
    ) -> tuple[Waiting, ...]:
        """The threads that have not ended and have no enabled step; with `last`, including their enclosing calls."""
        moving = {step.action.thread for step in steps}
        found: list[Waiting] = []
        for number, thread in enumerate(self._program.threads):
            pc = state[self._layout.pc[number]]
            if pc == 0 or number in moving:
                continue
            location, daemon = self.location(number, pc), self._program.template_of(number).daemon
            waiting = Waiting(thread.name, location.name, location.text, daemon, place_of(location.span))
            found.append(self._in_calls(waiting, state, number, pc, kept) if last else waiting)
        return tuple(found)

    def _in_calls(self, waiting: Waiting, state: State, thread: int, number: int, kept: State | None) -> Waiting:
        location = self.location(thread, number)
        return replace(
            waiting,
            code=location.code,
            operations=location.operations,
            calls=self.calls(thread, number),
            arguments=self.arguments(state, thread, number, kept),
        )

    def arguments(
        self, state: State, thread: int, number: int, kept: State | None = None
    ) -> tuple[tuple[str, ...], ...]:
        """The arguments of each operation around a location, as values. A dead argument has its value in `kept`, the
        same state without resets, or if that is not given, its name."""
        here = self.location(thread, number)
        base = self._layout.local_base[thread]

        def shown(slot: int | None, name: str) -> str:
            values = kept if slot in here.kills else state
            if slot is None or values is None:
                return name
            return show_cell(self._program, self._layout, base + slot, values[base + slot])

        found = here.arguments
        return tuple(tuple(shown(*one) for one in call) for call in found) if any(found) else ()

    def results(self, step: Step, kept: State) -> tuple[tuple[str, str], ...]:
        """The locals of the innermost call that the step assigns, with their values in `kept`, the state after it
        without resets."""
        thread = step.action.thread
        template, here = self._program.template_of(thread), self.location(thread, step.action.location)
        inner = here.operations[int(template.spawned) :]
        base, found = self._layout.local_base[thread], list[tuple[str, str]]()
        for slot in sorted(assigned(template, here.block)):
            frame, _, name = template.locals[slot].name.rpartition(".")
            if f".{frame}".endswith(f".{inner[-1]}") if inner else not frame:
                cell = base + slot
                found.append((name, show_cell(self._program, self._layout, cell, kept[cell])))
        return tuple(found)

    def location(self, thread: int, number: int) -> Location:
        """A location of a thread instance."""
        return self._program.template_of(thread).locations[number]

    def calls(self, thread: int, number: int) -> tuple[str, ...]:
        """The displayed name of each operation around a location: the kernel function it models, or else its own
        name. An overridden operation and the one that it overrides have one name."""
        here = self.location(thread, number)
        around = (("", None), *zip(here.operations, here.anchors, strict=True))
        return tuple(
            function_of(anchor) if anchor is not None and (anchor != outer or operation == caller) else operation
            for (caller, outer), (operation, anchor) in pairwise(around)
        )

    @cached_property
    def _kinds(self) -> tuple[Cell, ...]:
        """Every cell, with an empty value."""
        return tuple(_cells_of(self._program, self._layout))


def _cells_of(program: Program, layout: Layout) -> Iterator[Cell]:
    names = iter(layout.names)
    for variable in program.variables:
        for _ in range(variable.size):
            yield Cell(next(names), "", variable.role, variable.ghost, variable.any_init, None)
    for thread in program.threads:
        yield Cell(next(names), "", "location", False, False, thread.name)
        for _ in program.templates[thread.template].locals:
            yield Cell(next(names), "", "local", False, False, thread.name)
