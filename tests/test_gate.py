"""The gate: a repository with two models, one of them broken. pytest, the action and the pre-commit
hook fail, name the property and print the diagram; with the broken model repaired they pass."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from report_models import HOLDS, RACE, ROOT, write
from test_pytest_plugin import run as run_pytest

yaml = pytest.importorskip("yaml", reason="not installed: pip install 'dio-mc[test]'")

REPAIRED = RACE.replace(
    "        seen = self.x\n        self.x = seen + 1\n", "        with atomic():\n            self.x = self.x + 1\n"
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    write(tmp_path / "models", good=HOLDS, race=RACE)
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=x", "-c", "user.email=x@y", "commit", "-q", "-m", "x"],
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def tools(folder: Path) -> dict[str, str]:
    """An environment in which ``dio-mc`` and ``python`` are those of this test."""
    binaries = folder / "binaries"
    binaries.mkdir(exist_ok=True)
    for name, command in (("dio-mc", f"{sys.executable} -m dio_mc"), ("python", sys.executable)):
        (binaries / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (binaries / name).chmod(0o755)
    outer = {n: v for n, v in os.environ.items() if not n.startswith(("DIO_MC_", "GITHUB_", "PYTEST_"))}
    return {**outer, "PATH": f"{binaries}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def action(folder: Path, elsewhere: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The last step of action.yml, with inputs as the runner passes them."""
    described = yaml.safe_load((ROOT / "action.yml").read_text())
    step = described["runs"]["steps"][-1]
    given = {
        name: str(inputs.get(name.replace("-", "_"), entry["default"])) for name, entry in described["inputs"].items()
    }
    env = tools(elsewhere) | {"GITHUB_STEP_SUMMARY": str(elsewhere / "summary.md")}
    for variable, expression in step["env"].items():
        env[variable] = given[expression.removeprefix("${{ inputs.").removesuffix(" }}")]
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def hook(folder: Path, elsewhere: Path) -> subprocess.CompletedProcess[str]:
    """The entry of the hook with the files that pre-commit would pass."""
    (described,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    files = subprocess.run(["git", "ls-files", "models"], cwd=folder, capture_output=True, text=True, check=True).stdout
    command = [*described["entry"].split(), *described.get("args", []), *files.split()]
    return subprocess.run(command, cwd=folder, env=tools(elsewhere), capture_output=True, text=True, timeout=120)


def is_red(done: subprocess.CompletedProcess[Any]) -> bool:
    shown = "VIOLATED nothing_lost" in done.stdout and "CPU0 adder[0]   CPU1 adder[1]" in done.stdout
    assert shown == (done.returncode == 1), done.stdout + done.stderr
    return shown


def test_all_three_go_red_and_green(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for text, red in ((RACE, True), (REPAIRED, False)):
        write(repository / "models", race=text)
        assert is_red(run_pytest(repository, "--dio-mc", "models")) == red
        assert is_red(action(repository, elsewhere, models="models\n")) == red
        assert is_red(hook(repository, elsewhere)) == red
    assert (elsewhere / "summary.md").read_text().count("## dio-mc: ") == 2


def test_the_inputs_of_the_action(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = action(
        repository, elsewhere, models="models", sarif="o.sarif", junit="o.xml", options="--strict\n--max-states=999\n"
    )
    assert done.returncode == 1, done.stderr
    assert (repository / "o.sarif").exists()
    assert (repository / "o.xml").exists()
    assert "::error file=models/race.py,line=" in done.stdout
    done = action(repository, elsewhere, models="models", changed_since="HEAD")
    assert (done.returncode, done.stderr) == (0, "nothing to check: no model changed since HEAD\n")
    (repository / "dio-mc.toml").write_text("models = ['models/good.py']\n")
    assert action(repository, elsewhere).returncode == 0
    hostile = action(
        repository, elsewhere, models="$(touch pwned); touch pwned\n`touch pwned`", options="--model=$(touch pwned)"
    )
    assert hostile.returncode == 2
    assert not (repository / "pwned").exists()


def test_the_hook_takes_helpers_and_checks_who_imports_them(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (described,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    own = HOLDS.replace("from dio_mc import *\n", "from dio_mc import *\nfrom helper import TOP\n").replace(
        "< 3", "< TOP"
    )
    write(repository / "models", helper="TOP = 1\n", own=own)
    command = [*described["entry"].split(), "models/helper.py"]
    done = subprocess.run(command, cwd=repository, env=tools(elsewhere), capture_output=True, text=True)
    assert done.returncode == 1
    assert "models/own.py M: VIOLATED small" in done.stdout
    assert "race" not in done.stdout


def test_the_hook_as_pre_commit_runs_it(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    pytest.importorskip("pre_commit", reason="no pre-commit here; the entry is run above")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (described,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    local = {**described, "language": "system", "entry": f"{elsewhere}/binaries/{described['entry']}"}
    config = {"repos": [{"repo": "local", "hooks": [local]}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    env = tools(elsewhere) | {"PRE_COMMIT_HOME": str(elsewhere / "cache")}
    command = [sys.executable, "-m", "pre_commit", "run", "--all-files", "--color=never"]
    done = subprocess.run(command, cwd=repository, env=env, capture_output=True, text=True, timeout=120)
    assert is_red(done)
    assert "dio-mc check" in done.stdout
