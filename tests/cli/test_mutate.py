"""`dio-mc mutate` from outside: exit codes, formats, budgets, several processes, an interrupt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from report_models import BLIND, BROKEN, DEADLOCK, HOLDS, LOCKED, ROOT, VIOLATED, dio_mc, wait_for_work, write

LARGER = LOCKED.replace("instances=2", "instances=4").replace("Range(0, 2)", "Range(0, 4)").replace("x == 2", "x == 4")

EXITS = [
    ("all caught", LOCKED, [], 0, "m.py Locked: 4 of 4 mutants caught, 100 %\n"),
    ("survivors", BLIND, [], 1, "m.py Blind: 1 of 4 mutants caught, 25 %\n  survived     m.py:8 adder: without `self.lock.lock()` and its release\n"),
    ("enough are caught", BLIND, ["--min-score", "25"], 0, "1 of 4 mutants caught, 25 %"),
    ("not enough", BLIND, ["--min-score", "25.1"], 1, "1 of 4 mutants caught, 25 %"),
    ("violated as it stands", VIOLATED, [], 2, "m.py M: not mutated, it violates small as it stands\n"),
    ("a deadlock", DEADLOCK, [], 2, "not mutated, it violates deadlock as it stands"),
    ("a model error", BROKEN, [], 2, ""),
    ("out of budget", LARGER, ["--max-states", "60"], 3, "m.py Locked: not mutated, it is undetermined as it stands: stopped by --max-states 60\n"),
    ("a mutant out of budget", LARGER, ["--max-states", "150"], 3, "undetermined m.py:8 adder: without `self.lock.lock()` and its release\n               stopped by --max-states 150\n"),
    ("nothing of that kind", LOCKED, ["--kind", "wait"], 2, "m.py Locked: 0 mutants, none that could be caught\n"),
    ("one kind", BLIND, ["--kind", "store"], 0, "m.py Blind: 1 of 1 mutant caught, 100 %\n"),
    ("no such kind", LOCKED, ["--kind", "locks"], 2, ""),
    ("no such class", LOCKED, ["--model", "Lock"], 2, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "code", "shown"), [e[1:] for e in EXITS], ids=[e[0] for e in EXITS])
def test_exit_codes(tmp_path: Path, text: str, options: list[str], code: int, shown: str) -> None:
    write(tmp_path, m=text)
    done = dio_mc("mutate", "m.py", *options, cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert shown in done.stdout
    assert "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["m.py"]


def test_nothing_to_mutate_says_so(tmp_path: Path) -> None:
    write(tmp_path, m=VIOLATED)
    done = dio_mc("mutate", "m.py", cwd=tmp_path)
    assert done.stderr == (
        "dio-mc: error DIO216: nothing to mutate: no class that holds has a mutant of this kind\n"
    )  # fmt: skip


def test_a_survivor_must_survive_every_binding(tmp_path: Path) -> None:
    """With one thread no lock is needed; `expect` speaks of two threads as well."""
    text = LOCKED.replace("x = Var(Range(0, 2))", "n = Param(1, min=1, max=2)\n    x = Var(Range(0, 2))")
    text = text.replace("instances=2", "instances=n").replace("self.x == 2", "self.x == self.n")
    write(tmp_path, m=text)
    assert dio_mc("mutate", "m.py", "--kind=lock", cwd=tmp_path).returncode == 1
    write(tmp_path, m=text + "\nexpect(Locked, holds=True)\nexpect(Locked, holds=True, n=2)\n")
    done = dio_mc("mutate", "m.py", "--kind=lock", "-v", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (
        0,
        "m.py Locked (n=1; n=2): 1 of 1 mutant caught, 100 %\n"
        "  caught       m.py:9 adder: without `self.lock.lock()` and its release\n"
        "               nothing_lost in 6 steps\n",
    )


def test_the_json_report(tmp_path: Path) -> None:
    write(tmp_path, a=BLIND, b=VIOLATED, c=BROKEN)
    done = dio_mc("mutate", ".", "--output-format", "json", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert (found["schema"], found["exit_code"], done.returncode) == ("dio-mc/mutation/1", 2, 2)
    blind, violated, broken = found["models"]
    assert broken["error"].startswith("c.py:7:9: error DIO104: ")
    assert (violated["skipped"], violated["percent"]) == ("it violates small as it stands", None)
    assert [blind[k] for k in ("caught", "survived", "equivalent", "undetermined", "invalid", "percent")] == [
        1,
        3,
        0,
        0,
        0,
        25,
    ]
    assert blind["mutants"][0] == {
        "number": 0, "kind": "lock", "where": "a.py:8", "function": "adder",
        "text": "without `self.lock.lock()` and its release", "fate": "survived", "why": "",
        "proposal": "proposed_1",
    }  # fmt: skip


def test_the_markdown_report(tmp_path: Path) -> None:
    write(tmp_path, a=BLIND, b=VIOLATED)
    lines = dio_mc("mutate", ".", "--output-format", "markdown", cwd=tmp_path).stdout.splitlines()
    assert lines[2:6] == [
        "| model | caught | survived | equivalent | undetermined | invalid |",
        "|---|---|---|---|---|---|",
        "| a.py Blind | 1 of 4 (25 %) | 3 | 0 | 0 | 0 |",
        "| b.py M | not mutated: it violates small as it stands | | | | |",
    ]
    assert "- **survived** a.py:8 adder: without \\`self.lock.lock()\\` and its release" in lines


def test_the_same_bytes_from_several_processes_and_hash_seeds(tmp_path: Path) -> None:
    write(tmp_path, m=LARGER, n=BLIND)
    runs = [
        dio_mc("mutate", ".", "-v", *options, cwd=tmp_path, PYTHONHASHSEED=seed).stdout
        for options, seed in ((["--jobs=1"], "1"), (["--jobs=3"], "2"))
    ]
    assert runs[0] == runs[1]
    assert runs[0].splitlines()[-1] == "2 models mutated: 5 of 8 mutants caught, 62 %"


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_every_engine_catches_the_same(tmp_path: Path, engine: str) -> None:
    write(tmp_path, m=LARGER, n=BLIND)
    asked = dio_mc("mutate", ".", "-v", "--engine", engine, cwd=tmp_path)
    assert (asked.stdout, asked.returncode) == (dio_mc("mutate", ".", "-v", cwd=tmp_path).stdout, 1)


def test_an_interrupt_keeps_what_is_known(tmp_path: Path) -> None:
    """The first class is done; the second is so large that its first mutant would run for minutes."""
    many = "    @thread(instances=24)\n    def spin(self, k):\n        while True:\n            self.n[k] = (self.n[k] + 1) % 10\n"
    slow = LOCKED + "    n = Array(Range(0, 9), size=24)\n" + many
    write(tmp_path, a=LOCKED, b=slow)
    command = [sys.executable, "-m", "dio_mc", "mutate", "a.py", "b.py", "--kind=lock", "--max-states=100000000"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=pipe, stderr=pipe, text=True) as run:
        assert run.stdout is not None
        first = run.stdout.readline()
        wait_for_work(run.pid, 3)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert first == "a.py Locked: 1 of 1 mutant caught, 100 %\n"
    assert run.returncode == 3, out + err
    assert "stopped by Ctrl-C" in out
    assert "Traceback" not in err


def test_a_fault_of_dio_mc_is_no_fate(tmp_path: Path) -> None:
    write(tmp_path, m=HOLDS)
    script = (
        "import sys, dio_mc.checking.driver, dio_mc.checking.runs.execute as e; real = e.check_class\n"
        "def broken(model, *rest):\n"
        "    if rest[1].first: raise RuntimeError('boom')\n"
        "    return real(model, *rest)\n"
        "e.check_class = broken; sys.argv = ['dio-mc', 'mutate', 'm.py']\n"
        "from dio_mc.cli import main; main()\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 4
    assert "internal error: RuntimeError: boom" in done.stderr
