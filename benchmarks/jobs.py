"""The cost of ``--jobs`` on small models and its gain on large ones: ``python benchmarks/jobs.py``.

Two folders are checked with one process and with two, in turns, on the reference engine: 60 models
of a few states each, and 8 of 16,807. The output has medians of processor time (of all processes)
and wall time as ratios to one process of this run; wall time is meaningful only on an idle machine
with two cores or more.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
MODEL = """\
from dio_mc import *

class M(Model):
    n = Array(Range(0, 9), size={size})
    @thread(instances={size})
    def t(self, k):
        while self.n[k] < {steps}:
            with atomic():
                self.n[k] = self.n[k] + 1
    @invariant
    def small(self):
        return self.n[0] < 10
"""
ROUNDS = 3


def seconds(folder: Path, jobs: int) -> tuple[float, float]:
    """Wall and processor time of one command."""
    before, started = os.times(), time.perf_counter()
    command = [sys.executable, "-m", "dio_mc", "check", ".", "--no-artifacts", "--engine=reference", f"--jobs={jobs}"]
    subprocess.run(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - started, used


def main() -> None:
    """Measure both folders and print the ratios."""
    with tempfile.TemporaryDirectory() as place:
        for name, count, size, steps in (("60 small models", 60, 2, 2), ("8 large models", 8, 5, 6)):
            folder = Path(place) / name.replace(" ", "_")
            folder.mkdir()
            for number in range(count):
                (folder / f"m{number:02}.py").write_text(MODEL.format(size=size, steps=steps))
            rounds = [(seconds(folder, 1), seconds(folder, 2)) for _ in range(ROUNDS)]
            wall = median(two[0] / one[0] for one, two in rounds)
            used = median(two[1] / one[1] for one, two in rounds)
            print(f"{name}: --jobs 2 takes {wall:.2f} of the wall time and {used:.2f} of the processor time of one")


if __name__ == "__main__":
    main()
