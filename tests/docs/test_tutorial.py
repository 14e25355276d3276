"""The tutorial's files are written and its commands run; what they print stands in it. ``--update-golden`` fills it in."""

from __future__ import annotations

import os
import re
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial.md"
BLOCK = re.compile(r"```(python|console)\n(.*?)```", re.DOTALL)


def run(command: str, folder: Path) -> str:
    arguments = command.removeprefix("dio-mc ").split()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = forked.run(arguments, folder, env)
    assert done.stderr == ""
    return done.stdout


def test_the_tutorial(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = TUTORIAL.read_text()
    commands = 0
    for kind, body in BLOCK.findall(text):
        first, _, rest = body.partition("\n")
        if kind == "python":
            (tmp_path / first.removeprefix("# ").strip()).write_text(rest)
            continue
        commands += 1
        found = run(first.removeprefix("$ "), tmp_path)
        if request.config.getoption("--update-golden"):
            text = text.replace(f"```console\n{body}```", f"```console\n{first}\n{found}```")
        else:
            assert rest == found
    assert commands == 2
    TUTORIAL.write_text(text) if request.config.getoption("--update-golden") else None
