"""Small models for tests of reports, and a way to run the command."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import forked

ROOT = Path(__file__).resolve().parents[1]

HOLDS = """\
from dio_mc import *

class M(Model):
    n = Var(Range(0, 3))
    @thread
    def t(self):
        self.n = 1
    @invariant
    def small(self):
        "Stays <small> & {plain}."
        return self.n < 3
"""
VIOLATED = HOLDS.replace("self.n < 3", "self.n == 0")
DEADLOCK = HOLDS.replace("self.n = 1", "wait_until(self.n == 1)")
FAULT = HOLDS.replace("self.n = 1", "x = self.n\n        self.n = x + 4")
BROKEN = HOLDS.replace("self.n = 1", "self.m = 1")
VACUOUS = "from z3 import Implies\n" + HOLDS + (
    "    @invariant\n    def vacuous(self):\n        return Implies(self.n == 3, self.n == 2)\n"
)  # fmt: skip
RACE = """\
from dio_mc import *

class Race(Model):
    x = Var(Range(0, 2))
    @operation(kernel="mm/filemap.c:increment")
    def increment(self):
        seen = self.x
        self.x = seen + 1
    @thread(instances=2)
    def adder(self):
        self.increment()
    @invariant
    def nothing_lost(self):
        "No increment is lost."
        return not self.at_rest() or self.x == 2
"""
LOCKED = """\
from dio_mc import *

class Locked(Model):
    x = Var(Range(0, 2))
    lock = Mutex()
    @thread(instances=2)
    def adder(self):
        self.lock.lock()
        seen = self.x
        self.x = seen + 1
        self.lock.unlock()
    @invariant
    def nothing_lost(self):
        return not self.at_rest() or self.x == 2
"""
BLIND = LOCKED.replace("Locked", "Blind").replace("nothing_lost", "counted").replace("self.x == 2", "self.x > 0")
"""A model whose property does not show what is lost without the lock."""
BIG = """\
from dio_mc import *

class Big(Model):
    n = Array(Range(0, 15), size=12)
    @thread(instances=12)
    def t(self, k):
        while True:
            with atomic():
                self.n[k] = (self.n[k] + 1) % 10
    @invariant
    def always(self):
        return self.n[0] < 10 or self.n[1] != 3
"""


def dio_mc(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run dio-mc in a process of its own, without settings from outside."""
    outer = {n: v for n, v in os.environ.items() if not n.startswith(("DIO_MC_", "GITHUB_"))}
    env = {**outer, "PYTHONPATH": str(ROOT), **environment}
    return forked.run([*arguments], cwd, env)


def wait_for_work(pid: int, seconds: float) -> None:
    """Wait until a process has used that much processor time, since on a busy machine wall time
    means nothing.

    A process that ends before was not interrupted during its work, so the test would show nothing.
    """
    stat = Path(f"/proc/{pid}/stat")
    while stat.exists():
        fields = stat.read_text().rpartition(")")[2].split()
        assert fields[0] != "Z", f"ended before {seconds} s of work"
        if (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") >= seconds:
            return
        time.sleep(0.05)
    time.sleep(5)


def write(folder: Path, **models: str) -> None:
    """Write model files by name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in models.items():
        (folder / f"{name}.py").write_text(text)
