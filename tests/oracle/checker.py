"""What dio-mc reaches on the same source, shown the way the oracle shows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from oracle import Reached, Shown

from dio_mc.frontend import build, load_module
from dio_mc.ir.program import ArrayShape, Program, RecordShape, ScalarShape
from dio_mc.ir.types import show_value
from dio_mc.lang import Part, RangeLock
from dio_mc.semantics.interpreter import Interpreter


def compile_model(text: str, folder: Path, name: str) -> Program:
    """The program of the last class in a text."""
    path = folder / f"{name}.py"
    path.write_text(text)
    return build(load_module(path).models[-1]).program


class Checker:
    """Explores a program with the reference interpreter."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.interpreter = Interpreter(program)
        self.layout = self.interpreter.layout
        self.data = min(self.layout.pc, default=self.layout.size)
        self._values: dict[tuple[int, ...], tuple[str, ...]] = {}

    def explore(self, limit: int) -> Reached | None:
        found = Reached()
        seen: dict[tuple[int, ...], Shown] = {s: self.show(s) for s in self.interpreter.initial()}
        found.initial = set(seen.values())
        waiting = list(seen)
        for _, fault in self.interpreter.initial_faults:
            found.faults.add(self._fault(fault))
        while waiting:
            state = waiting.pop()
            steps = self.interpreter.successors(state)
            for step in steps:
                if step.state is None:
                    found.faults.add(self._fault(step.fault))
                    continue
                if step.state not in seen:
                    seen[step.state] = self.show(step.state)
                    waiting.append(step.state)
                found.edges.add((seen[state], step.action.thread, seen[step.state]))
            if not steps and self._unfinished(state):
                found.deadlocks.add(seen[state])
            if len(seen) > limit:
                return None
        found.states = set(seen.values())
        return found

    def _fault(self, fault: Any) -> tuple[str, int]:
        return fault.kind, -1 if fault.kind == "endless_loop" else fault.span.line

    def _unfinished(self, state: tuple[int, ...]) -> bool:
        return any(state[pc] and not self.program.template_of(t).daemon for t, pc in enumerate(self.layout.pc))

    # -- what is compared ----------------------------------------------------------------------------------------------

    def show(self, state: tuple[int, ...]) -> Shown:
        data = state[: self.data]
        if data not in self._values:
            self._values[data] = tuple(f"{n}={self._show(s, (), data)}" for n, s in self.program.root.fields)
        places = tuple(self._place(t, state[pc]) for t, pc in enumerate(self.layout.pc))
        return self._values[data], places

    def _place(self, thread: int, location: int) -> str:
        return re.sub(r"#\d+$", "", self.program.template_of(thread).locations[location].name)

    def _show(self, shape: Any, indexes: tuple[int, ...], data: tuple[int, ...]) -> str:
        match shape:
            case ScalarShape(number):
                variable = self.program.variables[number]
                return show_value(variable.type, data[self._cell(number, indexes)])
            case ArrayShape(size, element):
                return "[" + ", ".join(self._show(element, (*indexes, i), data) for i in range(size)) + "]"
            case RecordShape(fields, cls, variants):
                if isinstance(cls, type) and issubclass(cls, Part):
                    return self._lock(cls, dict(fields), indexes, data)
                if variants:
                    tag = self._show(dict(fields)["tag"], indexes, data)
                    chosen = next((c, names) for c, names in variants if c.__name__ == tag)
                    cls, fields = chosen[0], [(n, s) for n, s in fields if n in chosen[1]]
                shown = (f"{n}={self._show(s, indexes, data)}" for n, s in fields)
                return f"{cls.__name__}({', '.join(shown)})"
        raise AssertionError(shape)

    def _lock(self, cls: type, fields: dict[str, Any], indexes: tuple[int, ...], data: tuple[int, ...]) -> str:
        """Arrays of bools by thread (a range lock's are by index) are shown as the threads for which they hold."""
        shown = []
        for name, shape in fields.items():
            if isinstance(shape, ArrayShape):
                values = [self._show(shape.element, (*indexes, i), data) for i in range(shape.size)]
                if set(values) <= {"True", "False"} and not issubclass(cls, RangeLock):
                    names = [t.name for t in self.program.threads]
                    values = sorted(n for n, v in zip(names, values, strict=True) if v == "True")
                shown.append(f"{name}={values}")
            else:
                shown.append(f"{name}={self._show(shape, indexes, data)}")
        return " ".join(shown)

    def _cell(self, number: int, indexes: tuple[int, ...]) -> int:
        offset = 0
        for index, extent in zip(indexes, self.program.variables[number].shape, strict=True):
            offset = offset * extent + index
        return self.layout.variable_base[number] + offset
