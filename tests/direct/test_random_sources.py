"""500 random models: what dio-mc reaches is what running their Python source reaches."""

from __future__ import annotations

from pathlib import Path

import pytest
from direct_execution import Direct, Result, parse
from source_programs import source_program

from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.ir.types import show_value
from dio_mc.semantics.interpreter import Interpreter

GROUPS = 20
PER_GROUP = 25
LIMIT = 500
"""States beyond which a program is skipped: every state of the direct execution is a run from the start."""


def reached(program: Program, limit: int) -> Result | None:
    """The same as `Direct.explore`, by the interpreter."""
    interpreter = Interpreter(program)
    result = Result()
    seen = set(interpreter.initial())
    waiting = list(seen)
    for _, fault in interpreter.initial_faults:
        result.faults.add((fault.kind, fault.span.line if fault.span else 0))
    while waiting:
        state = waiting.pop()
        shown = shown_state(program, interpreter, state)
        result.states.add(shown)
        steps = interpreter.successors(state)
        for step in steps:
            if step.fault is not None:
                result.faults.add((step.fault.kind, step.fault.span.line if step.fault.span else 0))
            elif step.state is not None and step.state not in seen:
                seen.add(step.state)
                waiting.append(step.state)
        pcs = interpreter.layout.pc
        if not steps and any(state[pc] and not program.template_of(t).daemon for t, pc in enumerate(pcs)):
            result.deadlocks.add(shown)
        if len(seen) > limit:
            return None
    return result


def shown_state(
    program: Program, interpreter: Interpreter, state: tuple[int, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    base = interpreter.layout.variable_base
    cells: dict[str, list[str]] = {}
    locks: dict[str, dict[str, list[int]]] = {}
    for number, variable in enumerate(program.variables):
        values = state[base[number] : base[number] + variable.size]
        name = str(variable.path[0])
        if variable.role == "lock":
            locks.setdefault(name, {})[variable.name] = list(values)
            cells.setdefault(name, [])
        else:
            cells[name] = [show_value(variable.type, v) for v in values]
    shown = []
    for name, values_ in cells.items():
        if name in locks:
            shown.append(shown_lock(name, locks[name]))
        else:
            array = any(v.path[0] == name and v.shape for v in program.variables)
            shown.append("[" + ", ".join(values_) + "]" if array else values_[0])
    places = []
    for thread, pc in enumerate(interpreter.layout.pc):
        places.append(program.template_of(thread).locations[state[pc]].name.split("#")[0])
    return tuple(shown), tuple(places)


def shown_lock(name: str, parts: dict[str, list[int]]) -> str:
    def owner(value: int) -> int | None:
        return None if value < 0 else value

    if f"{name}.owner" in parts:
        return f"owner={owner(parts[f'{name}.owner'][0])}"
    readers = [t for t, held in enumerate(parts[f"{name}.reading"]) if held]
    return f"writer={owner(parts[f'{name}.writer'][0])} readers={readers}"


def compare(seed: int, folder: Path) -> bool:
    """Compare one program; False when it is too large."""
    text = source_program(seed)
    expected = Direct(parse(text)).explore(LIMIT)
    path = folder / f"p{seed}.py"
    path.write_text(text)
    found = reached(build(load_module(path).models[0]).program, LIMIT)
    if expected is None or found is None:
        return False
    assert sorted(found.faults) == sorted(expected.faults), text
    assert sorted(found.states - expected.states)[:3] == [], text
    assert sorted(expected.states - found.states)[:3] == [], text
    assert found.deadlocks == expected.deadlocks, text
    return True


@pytest.mark.parametrize("group", range(GROUPS))
def test_random_sources(tmp_path: Path, group: int) -> None:
    compared, seed = 0, group * 1000
    while compared < PER_GROUP:
        compared += compare(seed, tmp_path)
        seed += 1
    assert compared / (seed - group * 1000) > 0.3, "too many programs are too large"


def test_direct_execution_of_a_program_worked_out_by_hand() -> None:
    """Two increments that are not atomic: (0), one of them has read, ... twelve states of shared data and places."""
    text = """\
class M(Model):
    n = Var(Range(0, 2))

    @thread(instances=2)
    def t(self):
        v = self.n
        self.n = v + 1
"""
    found = Direct(parse(text)).explore(100)
    assert found is not None
    assert found.deadlocks == set()
    assert found.faults == set()
    finals = {values for values, places in found.states if places == ("end", "end")}
    assert finals == {("1",), ("2",)}
    assert (("1",), ("t+2", "t+1")) not in found.states
    assert (("0",), ("t+2", "t+2")) in found.states
