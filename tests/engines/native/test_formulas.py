"""Properties that read so much that nobody can look at every valuation: their proved formulas stand for them."""

from dataclasses import replace
from pathlib import Path

import asking
import pytest
from asking import explore_reference as explore

from dio_mc.analysis.values.sets import Unsupported
from dio_mc.engines.native.module import write_module
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import LIVENESS, Program
from dio_mc.symbolic.evaluator import EvaluatorReport, property_evaluator

ROOT = Path(__file__).parents[3]
FILES = sorted(p for folder in ("seed", "history", "toys") for p in (ROOT / "models" / folder).glob("*.py"))
WIDE = '''
from z3 import Implies

from dio_mc import Array, Model, Range, choose, invariant, reachable, thread

class Wide(Model):
    """Thirty cells of four values; any of them may change."""
    cells = Array(Range(0, 3), size=30)

    @thread
    def up(self):
        i = choose(range(30))
        self.cells[i] = choose(1, 2, 3)
        self.cells[i] = 2

    @thread
    def down(self):
        self.cells[29] = 3

    @invariant
    def small(self):
        return all(c < 3 for c in self.cells)

    @invariant
    def premises(self):
        return all(Implies(self.cells[i] == 1, self.cells[29] == 0) for i in range(30)) and Implies(
            self.cells[5] == 3, all(c == 0 for c in self.cells)
        )

    @reachable
    def two_and_three(self):
        return self.cells[7] == 2 and self.cells[29] == 3 and all(self.cells[i] == 0 for i in range(7))

    @invariant
    def never_two_after_one(self, after):
        return all(Implies(self.cells[i] == 1, after.cells[i] != 2) for i in range(30))
'''


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path.parent))


def judged(program: Program) -> list[EvaluatorReport]:
    return [property_evaluator(program, p) for p in program.properties if p.kind not in LIVENESS]


def same(program: Program) -> None:
    """Numbers, schedules, and what the evaluators learnt of premises."""
    ours, theirs = judged(program), judged(program)
    expected = explore(program, [r.evaluator for r in theirs])
    found = asking.native(program, [r.evaluator for r in ours], quick=True)
    assert replace(found, engine="reference") == expected
    assert [r.evaluator.premises() for r in ours] == [r.evaluator.premises() for r in theirs]


def test_thirty_cells_of_four_values(tmp_path: Path) -> None:
    (tmp_path / "wide.py").write_text(WIDE)
    program = build(load_module(tmp_path / "wide.py").models[0]).program
    assert {p.kind for p in program.properties} == {"invariant", "reachable", "step"}
    module = write_module(program, [r.evaluator for r in judged(program)])
    assert all(module.formulas)
    assert max(module.tables) <= 2**3
    same(program)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_on_every_model_formulas_say_what_valuations_say(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dio_mc.engines.native.monitors.MANY", 0)
    for model in load_module(path, allow_empty=True).models:
        same(build(model, {}).program)


def test_what_only_the_solver_can_say_needs_valuations(tmp_path: Path) -> None:
    (tmp_path / "wide.py").write_text(WIDE)
    program = build(load_module(tmp_path / "wide.py").models[0]).program
    evaluators = [r.evaluator for r in judged(program)]
    for evaluator in evaluators:
        evaluator.formulas = ()
    with pytest.raises(Unsupported, match=r"small reads so much that it has \d+ valuations"):
        write_module(program, evaluators)
