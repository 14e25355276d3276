"""The cells of a matrix are found in several processes, as they are in one; a process that is lost leaves its cell
undetermined."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dio_mc.checking.driver import Options
from dio_mc.checking.runs.matrix import Cells, _Solving
from dio_mc.study.matrix import Cell, Matrix, Pairing, matrix
from dio_mc.study.registry import open_registry

FURTHER = """
import multiprocessing, os, signal
from pathlib import Path
from generic import Generic2005

class Further(Generic2005, abstract=True):
    # Generic2005 by another name.
    rule, since = "further", 2030

if multiprocessing.parent_process():
    Path(__file__).with_name("there").touch()
    WHAT
"""


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Matrix, set[tuple[str, ...]]]]:
    """The matrix found in two processes, and the cells that were found here. Here nothing is explored before the other
    process has read the rule, and has done what it is told to then."""
    whole = _Solving.here
    here: set[tuple[str, ...]] = set()

    def late(self: _Solving, task: tuple[Pairing, ...], options: Options):
        while not (tmp_path / "there").exists():
            assert options.stop is not None
            options.stop()
            time.sleep(0.01)
        here.update(one.workload.calls for one in task)
        return whole(self, task, options)

    def of(what: str) -> tuple[Matrix, set[tuple[str, ...]]]:
        file = tmp_path / "further.py"
        file.write_text(FURTHER.replace("WHAT", what))
        registry = open_registry(None, (file,))
        monkeypatch.setattr(_Solving, "here", late)
        cells = Cells(None, (file,), Options(), 2, patience=0.0)
        return matrix(registry, [registry.rules["further"]], ("direct_read", "mmap_store"), solve=cells), here

    return of


def steps(cell: Cell) -> list[str]:
    return [step.head for step in cell.trace.steps] if cell.trace is not None else []


def test_two_processes_say_what_one_says(found) -> None:
    several, here = found("pass")
    assert len(here) < len(several.cells) == 3, "some are found elsewhere"
    registry = open_registry()
    alone = matrix(registry, [registry.rules["generic_2005"]], ("direct_read", "mmap_store"))
    assert [c.verdict for c in several.cells] == [c.verdict for c in alone.cells]
    assert [c.layouts for c in several.cells] == [c.layouts for c in alone.cells]
    assert [steps(cell) for cell in several.cells] == [steps(cell) for cell in alone.cells]
    assert any(map(steps, several.cells))


def test_a_process_that_is_lost_leaves_its_cells_undetermined(found) -> None:
    several, here = found("os.kill(os.getpid(), signal.SIGKILL)")
    assert len(here) < 3
    assert {cell.operations for cell in several.cells if cell.verdict != "undetermined"} == here


def test_rules_that_have_changed_leave_cells_undetermined(found) -> None:
    several, here = found("class Further: pass")
    assert len(here) < 3
    assert {cell.operations for cell in several.cells if cell.verdict != "undetermined"} == here


def test_a_stop_leaves_all_that_is_not_done_undetermined() -> None:
    registry = open_registry()
    cells = Cells(None, (), Options(stop=lambda: "Ctrl-C"), 2, patience=0.0)
    several = matrix(registry, [registry.rules["ext4_2020"]], ("direct_read", "mmap_store"), solve=cells)
    assert {cell.verdict for cell in several.cells} == {"undetermined"}
