"""Declarations: arrays of arrays, records in arrays, optional values, any initial value, parameters, threads."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter

MODEL = """\
from dataclasses import dataclass
from enum import Enum
from dio_mc import *

class Data(Enum):
    OLD = 0
    NEW = 1

@dataclass(frozen=True)
class Folio:
    sectors: Array(Data, size=2)
    dirty: bool = False

SECTORS = 2

class M(Model):
    pages = Param(2, min=1, max=3)
    fast = Param(False)
    grid = Array(Range(0, pages * 2), size=(pages, 3))
    cache = Array(Folio, size=pages)
    owner = Var(ThreadId | None)
    mine = PerThread(Range(0, 1))
    listed = Array(Data, size=2, init=[Data.NEW, Data.OLD])
    free = Var(Data, init=any)
    bits = Array(bool, size=2, init=any)

    @thread(instances=pages)
    def t(self, k):
        self.mine[me] = 1
        self.grid[k][SECTORS] = k + 1
        self.cache[k].sectors[1] = Data.NEW
        self.owner = me

class Small(M):
    pages = Param(1, min=1, max=3)
"""


def program(path: Path, name: str = "M", **params: int) -> Program:
    file = path / "model.py"
    file.write_text(MODEL)
    cls = next(c for c in load_module(file).models if c.__name__ == name)
    return build(cls, params).program


def finals(found: Program) -> list[dict[str, int]]:
    interpreter = Interpreter(found)
    seen, waiting = set(interpreter.initial()), interpreter.initial()
    while waiting:
        for step in interpreter.successors(waiting.pop()):
            assert step.state is not None, step.fault
            if step.state not in seen:
                seen.add(step.state)
                waiting.append(step.state)
    names, pcs = interpreter.layout.names, interpreter.layout.pc
    return [dict(zip(names, s, strict=True)) for s in sorted(seen) if not any(s[pc] for pc in pcs)]


def test_every_value_of_any_is_an_initial_state(tmp_path: Path) -> None:
    starts = Interpreter(program(tmp_path)).initial()
    assert len(starts) == 2 * 2 * 2
    assert starts == sorted(starts)


def test_values_end_where_they_belong(tmp_path: Path) -> None:
    for state in finals(program(tmp_path)):
        assert [state[f"grid[{i}][2]"] for i in range(2)] == [1, 2]
        assert [state[f"cache[{i}].sectors[1]"] for i in range(2)] == [1, 1]
        assert [state[f"cache[{i}].sectors[0]"] for i in range(2)] == [0, 0]
        assert [state["mine[0]"], state["mine[1]"]] == [1, 1]
        assert [state["listed[0]"], state["listed[1]"]] == [1, 0]
    assert {state["owner"] for state in finals(program(tmp_path))} == {0, 1}


def test_parameters_resolve_by_name_in_the_final_class(tmp_path: Path) -> None:
    assert [v.shape for v in program(tmp_path).variables if v.name == "grid"] == [(2, 3)]
    assert [v.shape for v in program(tmp_path, "Small").variables if v.name == "grid"] == [(1, 3)]
    found = program(tmp_path, pages=3)
    assert (found.name, found.params) == ("M@pages=3", (("pages", 3), ("fast", 0)))
    assert [t.name for t in found.threads] == ["t[0]", "t[1]", "t[2]"]
    assert [t.name for t in program(tmp_path, "Small").threads] == ["t"]


@pytest.mark.parametrize(("params", "code", "message"), [
    ({"pages": 4}, "DIO204", "parameter pages=4 is outside 1..3"),
    ({"fast": 2}, "DIO204", "parameter fast=2 is outside 0..1"),
    ({"page": 2}, "DIO203", "M has no parameter `page`"),
])  # fmt: skip
def test_wrong_parameters(tmp_path: Path, params: dict[str, int], code: str, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        program(tmp_path, **params)
    (found,) = caught.value.diagnostics
    assert (found.code, found.message) == (code, message)


def test_the_ir_of_the_seed_model(golden: object) -> None:
    from dio_mc.ir.printer import print_program

    seed = Path(__file__).resolve().parents[2] / "models" / "seed" / "ext3_2_6_18.py"
    text = print_program(build(load_module(seed).models[0]).program)
    golden("ir/ext3_2_6_18.txt", text)
