"""`@progress` and `@always_reachable` from outside: verdicts, limits, lassos that are shown, stored and run again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_check import dio_mc, model

LOOPS = """\
from dio_mc import *

class M(Model):
    a = Var(Range(0, 2))

    @thread(daemon=True)
    def spinner(self):
        while True:
            self.a = 1
            self.a = 0

    @thread
    def waiter(self):
        wait_until(self.a == 2)

    @progress
    def waiter_ends(self):
        return self.finished(self.waiter)

    @always_reachable
    def can_end(self):
        return self.finished(self.waiter)
"""


@pytest.fixture
def lasso(tmp_path: Path) -> Path:
    done = dio_mc("check", model(tmp_path, LOOPS), cwd=tmp_path)
    assert done.returncode == 1
    assert "VIOLATED waiter_ends, can_end; holds no deadlock" in done.stdout
    return tmp_path / "counterexamples" / "m.M" / "waiter_ends.json"


def test_the_trace_is_a_lasso(lasso: Path) -> None:
    stored = json.loads(lasso.read_text())
    assert (stored["property_kind"], len(stored["steps"]), stored["loop"]) == ("progress", 2, 1)
    lost = json.loads(lasso.with_name("can_end.json").read_text())
    assert (lost["property_kind"], lost["steps"], "loop" in lost) == ("always_reachable", [], False)


CHANGES = [
    ("", "", 0, "M waiter_ends: reproduces in 2 steps\n"),
    ("wait_until(self.a == 2)", "wait_until(self.a == 1)", 0, "reproduces in 2 steps"),
    ("self.a == 2)", "True)", 1, "every step can be taken, but the loop is not fair: waiter could run and never does"),
    ("@progress", '@progress(fairness="strong")', 0, "reproduces in 2 steps"),
    ("self.finished(self.waiter)", "self.a == 1", 1, "every step can be taken, but the goal holds inside the loop"),
    ("            self.a = 0\n", "            self.a = 0\n            self.a = 2\n", 1, "the loop does not lead back"),
    ("def waiter_ends", "def other", 1, "every step can be taken, but the model has no such property"),
]


@pytest.mark.parametrize(("old", "new", "code", "shown"), CHANGES)
def test_a_lasso_on_a_changed_model(lasso: Path, old: str, new: str, code: int, shown: str) -> None:
    folder = lasso.parents[2]
    model(folder, LOOPS.replace(old, new, 1) if old else LOOPS)
    done = dio_mc("replay", str(lasso), cwd=folder)
    assert (done.returncode, shown in done.stdout) == (code, True), done.stdout


def test_strong_fairness_is_kept_apart_on_replay(lasso: Path) -> None:
    folder = lasso.parents[2]
    model(folder, LOOPS.replace("self.a == 2)", "self.a == 1)").replace("@progress", '@progress(fairness="strong")'))
    done = dio_mc("replay", str(lasso), cwd=folder)
    assert "the loop is not fair: waiter could run and never does" in done.stdout


def test_a_state_of_no_return_is_replayed_with_all_that_follows_it(lasso: Path) -> None:
    path, folder = lasso.with_name("can_end.json"), lasso.parents[2]
    assert "M can_end: reproduces in 0 steps" in dio_mc("replay", str(path), cwd=folder).stdout
    model(folder, LOOPS.replace("self.a == 2)", "self.a == 1)"))
    done = dio_mc("replay", str(path), cwd=folder)
    assert (done.returncode, "but a run from there reaches the goal" in done.stdout) == (1, True)


def test_a_limit_leaves_progress_undetermined_but_a_closed_loop_counts(tmp_path: Path) -> None:
    late = LOOPS.replace("wait_until(self.a == 2)", "for i in range(60):\n            self.a = 2")
    done = dio_mc("check", model(tmp_path, late), "--max-states", "3", cwd=tmp_path)
    assert (done.returncode, "UNDETERMINED waiter_ends, can_end" in done.stdout) == (3, True), done.stdout
    done = dio_mc("check", model(tmp_path, LOOPS.replace("class M(", "class M2(")), "--max-states", "2", cwd=tmp_path)
    assert "VIOLATED waiter_ends" in done.stdout


@pytest.mark.parametrize("form", ["text", "commit", "lkml", "svg", "mermaid", "itf", "dot"])
def test_every_format_tells_of_the_loop(lasso: Path, form: str) -> None:
    done = dio_mc("show", str(lasso), "--format", form, cwd=lasso.parents[2])
    assert done.returncode == 0, done.stderr
    marks = {
        "text": "1 to 2 repeat for ever, without: finished(waiter)",
        "commit": "/* again and again: */",
        "lkml": "Livelock: the last 2 steps repeat\nfor ever, and every thread gets the turns it is due.",
        "svg": 'class="p" d="M11 ',
        "mermaid": "loop for ever",
        "itf": '"loop": 1',
        "dot": "s002 -> s000 [label=",
    }
    assert marks[form] in done.stdout, done.stdout


WRONG = [
    ("@progress\n    def waiter_ends(self)", "@progress\n    def waiter_ends(self, after)", "DIO113"),
    ("@progress", '@progress(fairness="some")', "fairness is 'weak' or 'strong', not 'some'"),
    ("self.finished(self.waiter)", "self.finished(self.waiters)", "DIO"),
]


@pytest.mark.parametrize(("old", "new", "shown"), WRONG)
def test_wrong_properties_are_located(tmp_path: Path, old: str, new: str, shown: str) -> None:
    done = dio_mc("check", model(tmp_path, LOOPS.replace(old, new, 1)), cwd=tmp_path)
    assert (done.returncode, shown in done.stderr) == (2, True), done.stderr
    assert "m.py:" in done.stderr
