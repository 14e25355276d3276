"""The pytest plugin, run in a pytest of its own: what it collects, what it reports, and that it
costs nothing unused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from report_models import BIG, BROKEN, FAULT, HOLDS, RACE, ROOT, VACUOUS, VIOLATED, write

INSTALLED = any(e.value == "dio_mc.pytest_plugin" for e in entry_points(group="pytest11"))
"""If false, the tests run from a checkout, and pytest needs the plugin's name."""


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    plugin = [] if INSTALLED else ["-p", "dio_mc.pytest_plugin"]
    outer = {n: v for n, v in os.environ.items() if not n.startswith(("PYTEST_", "DIO_MC_"))}
    env = {**outer, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", "-q", "-W", "error", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def collected(folder: Path, *arguments: str) -> list[str]:
    return [line for line in run(folder, "--collect-only", *arguments).stdout.splitlines() if "::" in line]


def counts(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    *_, last = done.stdout.strip().splitlines()
    return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path / "models", race=RACE, good=HOLDS + "\nexpect(M, holds=True)\n", helper="X = 1\n")
    write(tmp_path / "tests", test_x="def test_x():\n    pass\n")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


def test_models_are_left_alone_unless_asked_for(project: Path) -> None:
    assert collected(project, "tests", "models") == ["tests/test_x.py::test_x"]


def test_an_item_per_property_and_binding(project: Path) -> None:
    race = [f"models/race.py::Race::{n}" for n in ("nothing_lost", "deadlock", "faults")]
    good = [f"models/good.py::M::{n}" for n in ("small", "deadlock", "faults", "expectation")]
    assert collected(project, "--dio-mc") == [*good, *race, "tests/test_x.py::test_x"]
    assert collected(project, "--dio-mc", "-m", "dio_mc") == [*good, *race]
    swept = (
        HOLDS.replace("n = Var", "p = Param(1)\n    n = Var") + "expect(M, holds=True)\nexpect(M, p=2, holds=True)\n"
    )
    write(project / "models", good=swept)
    names = ("M::small", "M@p=2::small")
    assert [c for c in collected(project, "--dio-mc") if "small" in c] == [f"models/good.py::{n}" for n in names]


def test_a_large_model_needs_no_deep_stack_of_pytest(tmp_path: Path) -> None:
    sums = " + ".join(["self.n"] * 1500)
    write(tmp_path, large=HOLDS + f"\n    @invariant\n    def sums(self):\n        return {sums} >= 0\n")
    done = run(tmp_path, "--dio-mc")
    assert counts(done) == {"passed": 4}, done.stdout


def test_globs_in_the_configuration(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\ndio_mc_models = models/r*.py\n")
    assert {c.partition("::")[0] for c in collected(project)} == {"models/race.py", "tests/test_x.py"}
    (project / "pytest.ini").write_text("[pytest]\ndio_mc_models = model/*.py\n")
    done = run(project)
    assert done.returncode == 4
    assert "dio_mc_models: no Python file matches model/*.py" in done.stderr


def test_a_failure_is_the_diagram_at_the_line_of_the_property(project: Path) -> None:
    done = run(project, "--dio-mc", "-v")
    assert done.returncode == 1
    assert counts(done) == {"failed": 1, "passed": 7}
    line = RACE[: RACE.index("def nothing_lost")].count("\n") + 1
    assert f"models/race.py:{line}: VIOLATED nothing_lost (Race): violated in 4 steps, 2 switches" in done.stdout
    assert "CPU0 adder[0]" in done.stdout
    assert "Traceback" not in done.stdout
    assert "FAILED models/race.py::Race::nothing_lost" in done.stdout


@pytest.mark.parametrize(
    ("text", "failed", "said"),
    [
        (VIOLATED, ["small"], "VIOLATED small"),
        (FAULT, ["faults"], "VIOLATED range@8 (M): violated in"),
        (BROKEN, ["small", "deadlock", "faults"], "error DIO104: M has no attribute `m`"),
        (HOLDS + "expect(M, violates='range')\n", ["expectation"], "expected to be violated: range"),
        (HOLDS + "expect(M, violates='small')\n", ["small"], "which the file does not expect"),
        (VIOLATED + "expect(M, violates='small', steps=2)\n", ["expectation"], "expected 2 steps, found 1"),
        (VIOLATED + "expect(M, violates='small', steps=1)\n", [], ""),
    ],
)
def test_what_fails(tmp_path: Path, text: str, failed: list[str], said: str) -> None:
    write(tmp_path, m=text)
    done = run(tmp_path, "--dio-mc", "m.py")
    assert re.findall(r"^FAILED m.py::M::(\S+)", done.stdout, re.MULTILINE) == failed
    assert said in done.stdout
    assert done.returncode == bool(failed)


def test_undetermined_is_a_failure(tmp_path: Path) -> None:
    write(tmp_path, m=BIG)
    done = run(tmp_path, "--dio-mc", "m.py", DIO_MC_MAX_STATES="100")
    assert counts(done) == {"failed": 3}
    assert "UNDETERMINED always (Big): undetermined: stopped by --max-states 100" in done.stdout


def test_the_settings_of_the_project_hold(tmp_path: Path) -> None:
    write(tmp_path, m=VACUOUS)
    (tmp_path / "dio-mc.toml").write_text("strict = true\n")
    done = run(tmp_path, "--dio-mc", "m.py")
    assert re.findall(r"^FAILED (\S+)", done.stdout, re.MULTILINE) == ["m.py::M::findings"]
    assert "DIO313" in done.stdout
    (tmp_path / "dio-mc.toml").write_text("strikt = true\n")
    done = run(tmp_path, "--dio-mc", "m.py")
    assert done.returncode == 2
    assert "dio-mc.toml:1:1: error DIO211: unknown setting `strikt`" in done.stdout


def test_a_file_that_cannot_be_imported_is_an_error_of_collection(tmp_path: Path) -> None:
    write(tmp_path, m=HOLDS + "\nraise RuntimeError('boom')\n")
    done = run(tmp_path, "--dio-mc", "m.py")
    assert (done.returncode, counts(done)) == (2, {"error": 1})
    assert "error DIO101: importing the model raised RuntimeError: boom" in done.stdout


def test_a_class_is_explored_once(tmp_path: Path) -> None:
    write(tmp_path, m=HOLDS)
    (tmp_path / "conftest.py").write_text(
        "import dio_mc.checking.driver as d\nreal = d.check_class\n"
        "def check_class(*a, **k):\n    print('explored')\n    return real(*a, **k)\nd.check_class = check_class\n"
    )
    done = run(tmp_path, "--dio-mc", "-s", "m.py")
    assert counts(done) == {"passed": 3}
    assert done.stdout.count("explored") == 1


def test_in_several_processes(project: Path) -> None:
    pytest.importorskip("xdist", reason="not installed: pip install 'dio-mc[test]'")
    for distribution in ("load", "loadgroup"):
        done = run(project, "--dio-mc", "-n", "2", "--dist", distribution)
        assert counts(done) == {"failed": 1, "passed": 7}
        assert "CPU0 adder[0]" in done.stdout


def test_unused_it_loads_nothing() -> None:
    script = "import sys, pytest\nbefore = set(sys.modules)\nimport dio_mc.pytest_plugin\nprint(*sorted({*sys.modules} - before))"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["dio_mc", "dio_mc.display", "dio_mc.pytest_plugin"]
