"""The first minute: the guide, demo, new, completion; as a user starts them, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).resolve().parents[2]


def dio_mc(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return forked.run([*words], cwd, env)


def test_the_bare_command_is_a_guide_of_thirteen_lines() -> None:
    done = dio_mc()
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 13
    assert max(map(len, lines)) <= 100
    listed = [line.split()[1] for line in lines if line.startswith("  dio-mc ")]
    known = dio_mc("--help").stdout.split("Commands:")[1]
    assert [name for name in listed if f"\n  {name} " not in known] == []
    assert listed[0] == "demo"


def test_demo_finds_the_race_in_forty_lines() -> None:
    done = dio_mc("demo")
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert len(lines) <= 40
    assert max(len(line) for line in lines if "VIOLATED" not in line) <= 100
    assert done.stdout.isascii()
    assert lines[0] == "ext3 of Linux 2.6.18: a direct read returns what a deleted file has left on the disk."
    for told in (
        "VIOLATED no_stale_exposure",
        "CPU0 reader",
        "CPU1 mapper",
        "set_page_dirty() (7)",
        "Verified: making steps",
    ):
        assert told in done.stdout
    assert done.stderr == ""


def test_demo_works_elsewhere(tmp_path: Path) -> None:
    assert dio_mc("demo", cwd=tmp_path).returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_demo_fixed_holds() -> None:
    done = dio_mc("demo", "--fixed")
    assert done.returncode == 0
    assert done.stdout.startswith("models/seed/placeholder.py Placeholder: HOLDS 5 properties (as expected)")


def test_a_new_model_holds_until_the_line_is_broken_that_says_so(tmp_path: Path) -> None:
    assert dio_mc("new", "my_race", cwd=tmp_path).stdout.startswith("my_race.py written.")
    path = tmp_path / "my_race.py"
    text = path.read_text()
    assert len(text.splitlines()) <= 22
    held = dio_mc("check", "my_race.py", "--strict", "--no-artifacts", cwd=tmp_path)
    assert (held.returncode, "MyRace: HOLDS nothing_lost, no deadlock" in held.stdout) == (0, True)
    (line,) = [line for line in text.splitlines() if "# break this line: move it above self.lock.lock()" in line]
    lock = "        self.lock.lock()\n"
    path.write_text(text.replace(f"{line}\n", "").replace(lock, f"{line}\n{lock}"))
    broken = dio_mc("check", "my_race.py", "--no-artifacts", cwd=tmp_path)
    assert (broken.returncode, "MyRace: VIOLATED nothing_lost" in broken.stdout) == (1, True)


def test_new_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("precious")
    for name in ("mine", "mine.py"):
        done = dio_mc("new", name, cwd=tmp_path)
        assert done.returncode == 2
        assert done.stderr == "mine.py: error DIO232: exists already and is not overwritten\n"
    assert (tmp_path / "mine.py").read_text() == "precious"


@pytest.mark.parametrize(
    ("name", "what", "instead"),
    [
        ("my race", "` ` at character 3 cannot be part of it", "my_race"),
        ("../x", "`.` at character 1 cannot be part of it", "x"),
        ("a/b", "`/` at character 2 cannot be part of it", "a_b"),
        ("9lives", "it does not begin with a letter", "model_9lives"),
        ("rasse\u00df", "`\u00df` at character 6 cannot be part of it", "rasse"),
        ("", "it does not begin with a letter", "model"),
    ],
)
def test_a_bad_name_is_located(tmp_path: Path, name: str, what: str, instead: str) -> None:
    done = dio_mc("new", name, cwd=tmp_path)
    assert done.returncode == 2
    expected = f"dio-mc: error DIO231: {name!r} is not a name for a model: {what}\n  hint: `dio-mc new {instead}`\n"
    assert done.stderr == expected
    assert list(tmp_path.iterdir()) == []
    assert dio_mc("new", instead, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "what", ["['--help']", "['check', '--help']", "['graph', '--help']", "['completion', 'fish']", "[]"]
)
def test_help_and_completion_import_click_alone(what: str) -> None:
    code = f"""
import sys
from dio_mc.cli import cli
try:
    cli.main({what}, prog_name="dio-mc")
except SystemExit:
    pass
print("LOADED", *sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = done.stdout.split("LOADED")[1].split()
    assert "click" in loaded
    assert {"z3", "networkx", "llvmlite"} & set(loaded) == set()
    ours = {name for name in loaded if name.startswith("dio_mc.") and not name.startswith(("dio_mc.cli",))}
    assert ours == {"dio_mc.choices", "dio_mc.display"}
