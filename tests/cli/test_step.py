"""`dio-mc step` from outside."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import forked
import pytest
from test_check import ROOT, dio_mc, model

CHOOSES = """
from dio_mc import Model, Range, Var, choose, invariant, reachable, thread

class M(Model):
    x = Var(Range(0, 4), init=any)
    y = Var(Range(0, 9))

    @thread
    def t(self):
        got = choose(range(3))
        self.y = got + 1
        self.y = self.y + self.x

    @thread
    def u(self):
        self.y = 0

    @invariant
    def small(self):
        return self.y < 6

    @reachable
    def five(self):
        return self.y == 5
"""
SEED = "models/seed/ext3_2_6_18.py"


def talk(folder: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return forked.run(["step", "m.py"], folder, env, "".join(f"{line}\n" for line in lines))


def test_the_race_of_2006_is_ahead(tmp_path: Path) -> None:
    done = dio_mc("step", str(ROOT / SEED), "reader 1-4; mapper *; pdflush 2", cwd=tmp_path)
    assert done.returncode == 1
    assert "no_hole_filled VIOLATED at step 9" in done.stdout
    assert "no_stale_exposure VIOLATED in 3 more steps" in done.stdout
    assert done.stdout.endswith("schedule  reader 1-4; mapper 5-7; pdflush 8-9\n")


def test_a_schedule_after_which_nothing_is_violated(tmp_path: Path) -> None:
    done = dio_mc("step", str(ROOT / SEED), "reader *", cwd=tmp_path)
    assert (done.returncode, "no_stale_exposure holds" in done.stdout) == (0, True)


def test_what_is_not_possible_is_said_where(tmp_path: Path) -> None:
    done = dio_mc("step", str(ROOT / SEED), "reader 1-2; pdflush", cwd=tmp_path)
    assert done.returncode == 2
    assert "   2  reader   " in done.stdout
    waits = "it waits at wait_until(dirty[index]); page_lock[index].lock()"
    assert done.stderr == f"dio-mc: error DIO218: this schedule is not possible: step 3: pdflush cannot run: {waits}\n"


def test_a_segment_that_says_nothing(tmp_path: Path) -> None:
    done = dio_mc("step", str(ROOT / SEED), "reader; 7", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("dio-mc: error DIO218: line 1: `7`: expected THREAD, ")


def test_a_counterexample_is_a_schedule(tmp_path: Path) -> None:
    trace = ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"
    done = dio_mc("step", SEED, "--schedule", str(trace), "--write", str(tmp_path / "t.json"), cwd=ROOT)
    assert done.returncode == 1
    assert "no_stale_exposure VIOLATED at step 12" in done.stdout
    assert len(json.loads((tmp_path / "t.json").read_text())["steps"]) == 12
    assert dio_mc("replay", str(tmp_path / "t.json"), cwd=ROOT).stdout.startswith("Ext3 schedule: reproduces in 12")
    for form in ("text", "commit", "html", "svg", "dot"):
        assert dio_mc("show", str(tmp_path / "t.json"), "--format", form, cwd=ROOT).returncode == 0


def test_a_search_that_is_stopped(tmp_path: Path) -> None:
    done = dio_mc("step", str(ROOT / SEED), "reader", "--max-states", "2", cwd=tmp_path)
    assert (done.returncode, "stopped by --max-states 2" in done.stdout) == (3, True)
    assert dio_mc("step", str(ROOT / SEED), "reader", "--no-rest", cwd=tmp_path).returncode == 0


def test_choices_are_listed_and_named(tmp_path: Path) -> None:
    model(tmp_path, CHOOSES)
    done = dio_mc("step", "m.py", "t", cwd=tmp_path)
    assert done.returncode == 2
    assert "step 1: t has 3 alternatives: choose t:1 or t:2 or t:3" in done.stderr
    done = dio_mc("step", "m.py", "start 5; t:3; t; t", cwd=tmp_path)
    assert done.returncode == 1
    assert "small VIOLATED at step 3" in done.stdout
    assert done.stdout.endswith("schedule  start 5; t:3; t 2-3\n")


def test_a_conversation(tmp_path: Path) -> None:
    model(tmp_path, CHOOSES)
    done = talk(tmp_path, "1", "undo", "t:2", "rest", "schedule", "state", "write t.json", "quit")
    assert (done.returncode, done.stderr) == (0, "")
    assert "schedule  t:2\n" in done.stdout
    assert (tmp_path / "t.json").exists()


@pytest.mark.parametrize("line", ["frobnicate", "undo", "17", "write /nowhere/t.json"])
def test_a_script_stops_at_what_is_wrong(tmp_path: Path, line: str) -> None:
    model(tmp_path, CHOOSES)
    done = talk(tmp_path, line, "u")
    assert done.returncode == 2
    assert " error DIO2" in done.stderr
    assert "Traceback" not in done.stderr
    assert "y: 0 -> " not in done.stdout


def test_a_class_has_to_be_named_where_there_are_several(tmp_path: Path) -> None:
    done = dio_mc("step", str(ROOT / "models/seed/placeholder.py"), "reader", cwd=tmp_path)
    assert (done.returncode, "name one with --model" in done.stderr) == (2, True)


def test_expressions_have_their_value_at_each_step(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(CHOOSES)
    done = talk(
        tmp_path,
        "value y < 6 and not finished(u)",
        "t:2",
        "value y",
        "t",
        "value self.y + x",
        "undo",
        "value y",
        "value z",
    )
    told = [line for line in done.stdout.splitlines() if line.startswith("value")]
    assert told == ["value     True", "value     0", "value     2", "value     0"]
    assert done.returncode == 2
    assert done.stderr == "dio-mc: error DIO218: `z`: M has no attribute `z`\n"
