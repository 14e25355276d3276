"""Completion in the shells themselves: what they make of words that are typed."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dio_mc.choices import ENGINES, REPORT_FORMATS
from dio_mc.cli.complete import classes_in, operations, rules, workloads
from dio_mc.cli.types import ENGINE, FORMAT
from dio_mc.study.registry import models_folder, open_registry

ROOT = Path(__file__).resolve().parents[2]
RACY = """\
raise SystemExit("completion never runs a model")
class First(Model): ...
class Second(First): ...
class SecondKind(Enum): ...
class SecondHalf(Model, abstract=True): ...
"""
PATIENCE = 60
"""Seconds after which a shell is taken to hang."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the command, what it says for each shell, and files to complete."""
    command = tmp_path / "dio-mc"
    command.write_text(
        f'#!/bin/sh\nif [ -n "$_DIO_MC_COMPLETE$WRITE" ]; then exec {sys.executable} -m dio_mc "$@"; fi\n'
        'echo "$@" >> ran\n'
    )
    command.chmod(0o755)
    (tmp_path / "my_race.py").write_text("")
    (tmp_path / "racy.py").write_text(RACY)
    (tmp_path / "my_traces").mkdir()
    for shell in WAYS:
        (tmp_path / shell).write_text(SAID.get(shell) or said(shell, command))
    return tmp_path


SAID: dict[str, str] = {}
"""What the command has said for each shell."""


def said(shell: str, command: Path) -> str:
    env = environment(command.parent) | {"WRITE": "1"}
    done = subprocess.run([command, "completion", shell], env=env, capture_output=True, text=True, check=True)
    assert "_DIO_MC_COMPLETE" in done.stdout
    SAID[shell] = done.stdout
    return done.stdout


def environment(place: Path) -> dict[str, str]:
    """Where the command is found, and shells that read no files of this user."""
    there = {"PATH": f"{place}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), "HOME": str(place), "TERM": "dumb"}
    return {**os.environ, **there}


def bash(place: Path, words: list[str]) -> str:
    """All words with the last one completed, as the function leaves them for bash; files are bash's own."""
    ask = f"""
source bash; complete -p dio-mc > /dev/null || exit 1
compopt() {{ COMPREPLY=($(compgen -f -- "${{COMP_WORDS[COMP_CWORD]}}")); }}
COMP_WORDS=({" ".join(words)}); COMP_CWORD={len(words) - 1}; _dio_mc_completion dio-mc; echo "${{COMPREPLY[*]}}"
"""
    return _run(["bash", "--norc", "-c", ask], place)


def fish(place: Path, words: list[str]) -> str:
    """The same; fish tells what it would offer, each with a description."""
    offered = _run(["fish", "--no-config", "-c", f'source fish; complete -C "{" ".join(words)}"'], place)
    return " ".join(line.split("\t")[0] for line in offered.splitlines())


def zsh(place: Path, words: list[str]) -> str:
    """The same; a terminal is needed, so the line is typed with a tab at its end, and run."""
    setup = "autoload -Uz compinit; compinit -u -D; source zsh; PS1=; setopt no_beep\r"
    master, slave = pty.openpty()
    shell = subprocess.Popen(
        ["zsh", "-f", "-i"],
        cwd=place,
        env=environment(place),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        os.write(master, f"{setup}{' '.join(words)}\t\rexit\r".encode())
        _drain(master, shell)
    finally:
        shell.kill()
        shell.wait()
        os.close(master)
    ran = (place / "ran").read_text().split()
    return ran[-1] if ran else ""


def _drain(master: int, shell: subprocess.Popen[bytes]) -> None:
    """Read what a terminal would show until the shell ends."""
    limit = time.monotonic() + PATIENCE
    while shell.poll() is None and time.monotonic() < limit:
        if select.select([master], [], [], 0.1)[0]:
            try:
                os.read(master, 4096)
            except OSError:  # the other side is closed
                break
    assert shell.wait(timeout=5) == 0


def _run(command: list[str], place: Path) -> str:
    done = subprocess.run(command, cwd=place, env=environment(place), capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


WAYS: dict[str, Callable[[Path, list[str]], str]] = {"bash": bash, "zsh": zsh, "fish": fish}


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("de", "demo"),
        ("demo --f", "--fixed"),
        ("completion z", "zsh"),
        ("show --format merm", "mermaid"),
        ("check my_r", "my_race.py"),
        ("check --output-format jun", "junit"),
        ("mutate --engine ref", "reference"),
        ("browse my_t", "my_traces"),
        ("check racy.py --model Secon", "Second"),
        ("outcomes seed_r", "seed_race"),
        ("outcomes direct_read,mmap_s", "direct_read,mmap_store"),
        ("matrix --rule ext3_i", "ext3_in_ext4"),
        ("matrix --operation mmap_s", "mmap_store"),
        ("help DIO24", "DIO241"),
    ],
)
@pytest.mark.parametrize("shell", list(WAYS))
def test_the_shell_completes(place: Path, shell: str, typed: str, completed: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed (.ci/run installs it); what it would complete is tested without it")
    if shell == "fish" and "," in completed:
        completed = ""  # click's function for fish cuts what it is given at a comma
    assert WAYS[shell](place, ["dio-mc", *typed.split()]).rstrip("/") == completed


@pytest.mark.parametrize("shell", list(WAYS))
def test_a_word_that_nothing_begins_with_stays(place: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed (.ci/run installs it); what it would complete is tested without it")
    assert WAYS[shell](place, ["dio-mc", "zzz"]) in ("", "zzz")


def test_what_is_completed_is_what_there_is() -> None:
    assert FORMAT.words == REPORT_FORMATS
    assert ENGINE.words == ENGINES


def test_rules_and_workloads_are_those_of_the_registry() -> None:
    registry = open_registry()
    assert sorted(rules(models_folder())) == sorted(registry.rules)
    assert sorted(operations(models_folder())) == sorted(registry.operations)
    assert sorted(workloads(models_folder())) == sorted(registry.workloads)


def test_what_cannot_be_read_completes_nothing(tmp_path: Path) -> None:
    wrong = {
        "broken.py": b"class A(:",
        "zero.py": b"\0",
        "deep.py": b"(" * 9999,
    }
    for name, text in wrong.items():
        (tmp_path / name).write_bytes(text)
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    assert (
        classes_in([str(tmp_path / name) for name in [*wrong, "folder.py", "pipe.py", "absent.py", "other.txt"]]) == []
    )
