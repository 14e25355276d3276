"""Loading a folder of models takes as much for each file, however many there are. Calls are counted, not time."""

import sys
from pathlib import Path

from dio_mc.checking.runs.plan import Request, find_files, plan

MODEL = """
from dio_mc import Model, Var, invariant, thread

class M{n}(Model):
    x = Var(bool)

    @thread
    def t(self):
        self.x = True

    @invariant
    def fine(self):
        return True
"""


def calls_to_load(folder: Path, count: int) -> int:
    """Python and C functions that are called until all models of a folder are planned."""
    folder.mkdir()
    for n in range(count):
        (folder / f"many_{folder.name}_{n}.py").write_text(MODEL.format(n=n))
    calls = 0

    def count_one(frame, event, argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count_one)
    try:
        files, failures = find_files([str(folder)])
        found = plan(files, Request((), {}))
    finally:
        sys.setprofile(None)
    assert not failures
    assert len(found) == count
    return calls


def test_start_up_is_linear_in_files(tmp_path: Path) -> None:
    calls_to_load(tmp_path / "warm", 3)
    few, many = calls_to_load(tmp_path / "few", 12), calls_to_load(tmp_path / "many", 48)
    assert many < 4.4 * few
