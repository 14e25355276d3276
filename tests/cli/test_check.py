"""`dio-mc check` from outside: exit codes, bad input, budgets, interruption, files, determinism."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import forked
import pytest
from report_models import wait_for_work

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "models" / "seed" / "ext3_2_6_18.py"

HOLDS = """\
from dio_mc import *

class M(Model):
    n = Var(Range(0, 3))
    @thread
    def t(self):
        self.n = 1
    @invariant
    def small(self):
        return self.n < 3
"""
VIOLATED = HOLDS.replace("self.n < 3", "self.n == 0")
DEADLOCK = HOLDS.replace("self.n = 1", "wait_until(self.n == 1)")
FAULT = HOLDS.replace("self.n = 1", "x = self.n\n        self.n = x + 4")
BROKEN = HOLDS.replace("self.n = 1", "self.m = 1")
RAISES = "raise RuntimeError('boom')\n"
UNKNOWN = """\
from z3 import And, ForAll, Implies, Int
from dio_mc import *

class M(Model):
    n = Var(Range(0, 3))
    @thread
    def t(self):
        self.n = 1
    @invariant
    def fermat(self):
        x, y, z = Int("x"), Int("y"), Int("z")
        positive = And(x > 0, y > 0, z > 0, self.n >= 0)
        return ForAll([x, y, z], Implies(positive, x * x * x + y * y * y != z * z * z))
"""
BIG = """\
from dio_mc import *

class M(Model):
    n = Array(Range(0, 9), size=12)
    @thread(instances=12)
    def t(self, k):
        while True:
            self.n[k] = (self.n[k] + 1) % 10
    @invariant
    def always(self):
        return self.n[0] < 10 or self.n[1] != 3
"""


def dio_mc(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return forked.run([*arguments], cwd, env)


def model(folder: Path, text: str, name: str = "m.py") -> str:
    (folder / name).write_text(text)
    return name


EXITS = [
    ("holds", HOLDS, [], 0, "HOLDS small, no deadlock"),
    ("violated", VIOLATED, [], 1, "VIOLATED small"),
    ("deadlock", DEADLOCK, [], 1, "VIOLATED deadlock"),
    ("a fault of the model", FAULT, [], 1, "VIOLATED range@8"),
    ("an error in the model", BROKEN, [], 2, ""),
    ("an import that raises", RAISES, [], 2, ""),
    ("a budget", BIG, ["--max-states", "100"], 3, "UNDETERMINED always, deadlock"),
    ("depth", BIG, ["--max-depth", "3"], 3, "UNDETERMINED always, deadlock"),
    ("time", BIG, ["--timeout", "0.2"], 3, "stopped by --timeout"),
    ("memory", BIG, ["--max-memory", "1M"], 3, "stopped by --max-memory"),
    ("unknown", UNKNOWN, [], 3, "UNDETERMINED fermat"),
    ("expected", VIOLATED + "\nexpect(M, violates='small')\n", [], 0, "(as expected)"),
    ("expected to hold", VIOLATED + "\nexpect(M, holds=True)\n", [], 1, "NOT AS EXPECTED"),
    ("expected, a fault by its kind", FAULT + "\nexpect(M, violates='range')\n", [], 0, "(as expected)"),
    ("more than expected", DEADLOCK + "\nexpect(M, violates={'deadlock', 'small'})\n", [], 1, "expected to be violated"),
    ("expected length", VIOLATED + "\nexpect(M, violates='small', steps=1)\n", [], 0, "(as expected)"),
    ("another length", VIOLATED + "\nexpect(M, violates='small', steps=2)\n", [], 1, "expected 2 steps, found 1"),
    ("unknown parameter", HOLDS, ["--param", "pages=2"], 2, ""),
    ("no number", HOLDS, ["--param", "pages=two"], 2, ""),
    ("unknown class", HOLDS, ["--model", "N"], 2, ""),
    ("unknown option", HOLDS, ["--frobnicate"], 2, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "code", "shown"), [e[1:] for e in EXITS], ids=[e[0] for e in EXITS])
def test_exit_codes(tmp_path: Path, text: str, options: list[str], code: int, shown: str) -> None:
    done = dio_mc("check", model(tmp_path, text), *options, cwd=tmp_path)
    assert (done.returncode, shown in done.stdout) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if code == 2:
        assert done.stderr.strip()
        assert not (tmp_path / "counterexamples").exists()


INPUTS = [
    ("nothing.py", None, "nothing.py: error DIO201: no such file"),
    ("empty.py", "", "empty.py: error DIO107: no model in this file"),
    ("abstract.py", "from dio_mc import *\nclass M(Model, abstract=True):\n    pass\n", "error DIO107: no model in this file"),
    ("binary.py", "\0", "error DIO100: source code string cannot contain null bytes"),
    ("syntax.py", "def f(:\n", "syntax.py:1:7: error DIO100: invalid syntax"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "message"), INPUTS)
def test_bad_files(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    done = dio_mc("check", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".py") == []


def test_a_folder_without_python_files(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = dio_mc("check", "empty", cwd=tmp_path)
    hint = "  hint: only files that import dio_mc are models\n"
    assert (done.returncode, done.stderr) == (2, f"empty: error DIO202: a directory without model files\n{hint}")


def test_one_bad_model_does_not_lose_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    model(folder, BROKEN, "a.py")
    model(folder, VIOLATED, "b.py")
    model(folder, HOLDS, "c.py")
    (folder / "helper.py").write_text("X = 1\n")
    done = dio_mc("check", "models", cwd=tmp_path)
    assert done.returncode == 2
    assert "a.py:7:9: error DIO104: M has no attribute `m`" in done.stderr
    assert "b.py M: VIOLATED small" in done.stdout
    assert "c.py M: HOLDS" in done.stdout
    assert (tmp_path / "counterexamples" / "b.M" / "small.json").exists()


def test_a_folder_that_cannot_be_written_leaves_the_verdict_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "counterexamples").write_text("a file is in the way")
    done = dio_mc("check", model(tmp_path, VIOLATED), cwd=tmp_path)
    assert done.returncode == 2
    assert "VIOLATED small" in done.stdout
    assert "error DIO207: " in done.stderr


def test_a_full_disk_leaves_the_verdict_and_exits_2(tmp_path: Path) -> None:
    (tmp_path / "m.M").mkdir()
    for suffix in ("txt", "dot", "json"):
        os.symlink("/dev/full", tmp_path / "m.M" / f"small.{suffix}")
    name = model(tmp_path, VIOLATED)
    limit = "import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)); import signal; "
    limit += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); sys.argv = ['dio-mc', 'check', sys.argv[1]]; "
    limit += "runpy.run_module('dio_mc', run_name='__main__')"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", limit, name], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "VIOLATED small" in done.stdout
    assert "error DIO207: " in done.stderr
    assert list((tmp_path / "counterexamples").rglob("*.*")) == [tmp_path / "counterexamples" / "m.M"]


@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_an_interrupt_gives_a_partial_verdict(tmp_path: Path, number: signal.Signals, word: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "dio_mc", "check", model(tmp_path, BIG)]
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as run:
        wait_for_work(run.pid, 0.8)
        run.send_signal(number)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 3, err
    assert "UNDETERMINED always, deadlock" in out
    assert f"stopped by {word}" in out
    assert "Traceback" not in err


def test_the_seed_race(tmp_path: Path) -> None:
    done = dio_mc("check", str(SEED), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Ext3: VIOLATED no_stale_exposure, no_hole_filled" in done.stdout
    assert len(done.stdout.splitlines()) <= 40
    without = SEED.read_text().split("\nexpect(")[0]
    for helper in ("pagecache",):
        (tmp_path / f"{helper}.py").write_text((SEED.parent / f"{helper}.py").read_text())
    assert dio_mc("check", model(tmp_path, without, "ext3.py"), cwd=tmp_path).returncode == 1


@pytest.mark.slow
def test_reports_are_byte_identical_under_two_hash_seeds(tmp_path: Path) -> None:
    outputs = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        text = dio_mc("check", str(SEED.parent), str(ROOT / "models" / "toys"), cwd=folder, PYTHONHASHSEED=seed).stdout
        found = json.loads(
            dio_mc("check", str(SEED), "--output-format", "json", cwd=folder, PYTHONHASHSEED=seed).stdout
        )
        for entry in found["models"]:
            entry.pop("seconds")
        files = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
        outputs.append((text, found, files))
    assert outputs[0] == outputs[1]
    assert len(outputs[0][2]) > 30


def test_the_json_report(tmp_path: Path) -> None:
    done = dio_mc("check", model(tmp_path, VIOLATED), "--output-format", "json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert (report["schema"], report["exit_code"], done.returncode) == ("dio-mc/report/1", 1, 1)
    (entry,) = report["models"]
    assert entry.pop("seconds") >= 0
    assert entry == {
        "model": "M", "file": "m.py", "verdict": "VIOLATED", "complete": True, "states": 2, "transitions": 1, "depth": 1,
        "params": {}, "engine": "reference",
        "properties": [
            {"name": "small", "kind": "invariant", "verdict": "VIOLATED", "vacuous": False, "note": ""},
            {"name": "deadlock", "kind": "deadlock", "verdict": "HOLDS", "vacuous": False, "note": ""},
            {"name": "faults", "kind": "faults", "verdict": "HOLDS", "vacuous": False, "note": ""},
        ],
        "violations": [{"property": "small", "steps": 1, "switches": 0, "canonical": True, "trace": "counterexamples/m.M/small.json"}],
        "findings": [], "expected": None, "expectation": "", "stopped": None, "open": 0,
        "notes": [], "reductions": [],
    }  # fmt: skip


def test_several_violations_each_with_its_own_shortest_trace(tmp_path: Path) -> None:
    text = HOLDS.replace("self.n = 1", "self.n = 1\n        self.n = 2") + (
        "    @invariant\n    def not_one(self):\n        return self.n != 1\n"
        "    @invariant\n    def not_two(self):\n        return self.n != 2\n"
    )
    done = dio_mc("check", model(tmp_path, text), "--output-format", "json", cwd=tmp_path)
    (entry,) = json.loads(done.stdout)["models"]
    assert [(v["property"], v["steps"]) for v in entry["violations"]] == [("not_one", 1), ("not_two", 2)]


def test_vacuity_and_triviality_are_told(tmp_path: Path) -> None:
    text = "from z3 import Implies\n" + HOLDS + (
        "    @invariant\n    def vacuous(self):\n        return Implies(self.n == 3, self.n == 2)\n"
        "    @invariant\n    def trivial(self):\n        return self.n < 9 or self.n != 2\n"
    )  # fmt: skip
    done = dio_mc("check", model(tmp_path, text), cwd=tmp_path)
    assert done.returncode == 0
    assert "vacuous: vacuous" in done.stdout
    assert (
        "DIO313 m.py:14: the premise of this implication in `vacuous` never held: nothing was checked by it"
        in done.stdout
    )
    assert "DIO310 m.py:16: `trivial` is true in every state, reachable or not" in done.stdout


def test_a_witness_not_found_yet_is_not_called_unreachable(tmp_path: Path) -> None:
    text = BIG + "    @reachable\n    def far(self):\n        return all(self.n[k] == 9 for k in range(12))\n"
    done = dio_mc("check", model(tmp_path, text), "--max-states", "50", cwd=tmp_path)
    assert done.returncode == 3
    assert "undetermined far: no state found so far satisfies it" in done.stdout
    never = HOLDS + "    @reachable\n    def far(self):\n        return self.n == 3\n"
    done = dio_mc("check", model(tmp_path, never), cwd=tmp_path)
    assert done.returncode == 1
    assert "violated far: no reachable state satisfies it" in done.stdout
