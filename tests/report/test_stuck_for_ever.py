"""Threads that can never move again beside one that goes on forever."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.checking.driver import check_class
from dio_mc.frontend.load import load_module

MODEL = """\
from dio_mc import *

class Abba(Model):
    a = Mutex()
    b = Mutex()
    tick = Var(bool)
    go = Var(bool)

    @thread
    def one(self):
        FIRST

    @thread
    def two(self):
        self.b.lock()
        self.a.lock()
        self.a.unlock()
        self.b.unlock()

    @thread(daemon=DAEMON)
    def flusher(self):
        while True:
            self.tick = not self.tick
            ROUND
"""
CROSSED = "self.a.lock()\n        self.b.lock()\n        self.b.unlock()\n        self.a.unlock()"


def told(folder: Path, first: str, daemon: str = "True", round_: str = "pass", more: str = "") -> list[str]:
    text = MODEL.replace("FIRST", first).replace("DAEMON", daemon).replace("ROUND", round_)
    (folder / "m.py").write_text(text + more)
    (model,) = load_module(folder / "m.py").models
    report = check_class(model)
    assert report.verdict == "HOLDS"
    return [f.message for f in report.findings if f.code == "DIO327"]


@pytest.mark.parametrize("daemon", ["True", "False"])
def test_two_that_hold_each_others_locks(tmp_path: Path, daemon: str) -> None:
    assert told(tmp_path, CROSSED, daemon) == [
        "after 2 steps `one` and `two` can never move again, whatever other threads do: "
        "`one` waits at `self.b.lock()` (line 12); `two` waits at `self.a.lock()` (line 19)"
    ]


def test_one_that_waits_for_what_nobody_does(tmp_path: Path) -> None:
    (message,) = told(tmp_path, "wait_until(self.go)")
    assert message == (
        "after 0 steps `one` can never move again, whatever other threads do: `one` waits at `wait_until(self.go)` "
        "(line 11)"
    )


def test_one_that_somebody_may_let_go_on(tmp_path: Path) -> None:
    assert told(tmp_path, "wait_until(self.go)", round_="self.go = True") == []
    assert told(tmp_path, "self.a.lock()\n        self.a.unlock()") == []


def test_a_class_that_does_without_deadlocks(tmp_path: Path) -> None:
    assert (
        told(
            tmp_path,
            CROSSED,
            more="\n    deadlock = False\n    @reachable\n    def p(self):\n        return self.tick\n",
        )
        == []
    )
