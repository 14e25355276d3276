"""The exit codes that docs/ci.md promises: every cause, with every format on stdout, and what `mutate` makes of them.

In this process, so that the whole table takes seconds; tests/cli has the same from outside for some, and the one cause
that is slow: what z3 does not know.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from report_models import BIG, BROKEN, DEADLOCK, FAULT, HOLDS, RACE, VACUOUS, VIOLATED, write

from dio_mc.checking.runs import execute
from dio_mc.choices import REPORT_FORMATS as FORMATS
from dio_mc.cli import cli
from dio_mc.cli.interrupts import Interrupts

Prepare = Callable[[Path, pytest.MonkeyPatch], None]
EXPECTED = "\nexpect(M, violates='small')\n"


def files(**models: str) -> Prepare:
    return lambda folder, patch: write(folder, **models)


def interrupted(reason: str) -> Prepare:
    def prepare(folder: Path, patch: pytest.MonkeyPatch) -> None:
        write(folder, m=HOLDS)
        patch.setattr(Interrupts, "__enter__", lambda self: lambda: reason)
        patch.setattr(Interrupts, "__exit__", lambda self, *_: None)

    return prepare


def failing(error: BaseException) -> Prepare:
    def check(*_: object) -> object:
        raise error

    def prepare(folder: Path, patch: pytest.MonkeyPatch) -> None:
        write(folder, m=HOLDS)
        patch.setattr(execute, "check_class", check)

    return prepare


def in_the_way(name: str) -> Prepare:
    def prepare(folder: Path, patch: pytest.MonkeyPatch) -> None:
        write(folder, m=VIOLATED)
        (folder / name).write_text("a file where a folder is needed")

    return prepare


CAUSES: list[tuple[str, Prepare, list[str], int]] = [
    ("holds", files(m=HOLDS), [], 0),
    ("a violated invariant", files(m=VIOLATED), [], 1),
    ("a race", files(m=RACE), [], 1),
    ("a deadlock", files(m=DEADLOCK), [], 1),
    ("a fault of the model", files(m=FAULT), [], 1),
    ("violated as expected", files(m=VIOLATED + EXPECTED), [], 0),
    ("not violated as expected", files(m=HOLDS + EXPECTED), [], 1),
    ("a finding", files(m=VACUOUS), [], 0),
    ("a finding, strictly", files(m=VACUOUS), ["--strict"], 1),
    ("a model error", files(m=BROKEN), [], 2),
    ("no Python", files(m="def f(:\n"), [], 2),
    ("an import that raises", files(m="raise RuntimeError('boom')\n"), [], 2),
    ("no model", files(m="X = 1\n"), [], 2),
    ("no file", files(), [], 2),
    ("no such class", files(m=HOLDS), ["--model", "N"], 2),
    ("no such parameter", files(m=HOLDS), ["--param", "p=1"], 2),
    ("no such setting", files(m=HOLDS, n=HOLDS), ["--jobs", "0"], 2),
    ("no such format", files(m=HOLDS), ["--report", "xml=o.xml"], 2),
    ("a report that cannot be written", in_the_way("o"), ["--report", "json=o/p.json"], 2),
    ("a counterexample that cannot be written", in_the_way("c"), ["--counterexamples", "c"], 2),
    ("a limit of states", files(m=BIG), ["--max-states", "9"], 3),
    ("a limit of steps", files(m=BIG), ["--max-depth", "2"], 3),
    ("a limit of time", files(m=BIG), ["--timeout", "0"], 3),
    ("a limit of memory", files(m=BIG), ["--max-memory", "1M"], 3),
    ("a limit, allowed", files(m=BIG), ["--max-states", "9", "--allow-undetermined"], 0),
    ("a violation, not allowed by that", files(m=VIOLATED), ["--allow-undetermined"], 1),
    ("Ctrl-C", interrupted("Ctrl-C"), [], 3),
    ("SIGTERM", interrupted("SIGTERM"), [], 3),
    ("a fault of dio-mc", failing(RuntimeError("boom")), [], 4),
    ("violated and undetermined", files(m=VIOLATED, n=BIG), ["--max-states", "9"], 1),
    ("wrong and violated", files(m=VIOLATED, n=BROKEN), [], 2),
    ("wrong and undetermined", files(m=BROKEN, n=BIG), ["--max-states", "9"], 2),
]  # fmt: skip


def run(folder: Path, patch: pytest.MonkeyPatch, *arguments: str) -> Result:
    patch.chdir(folder)
    for name in ("GITHUB_STEP_SUMMARY", "DIO_MC_JOBS"):
        patch.delenv(name, raising=False)
    return CliRunner().invoke(cli, list(arguments))


def code(result: Result) -> int:
    """As `main` would end: an error of ours has its code."""
    return int(getattr(result.exception, "exit_code", result.exit_code))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(("prepare", "options", "expected"), [c[1:] for c in CAUSES], ids=[c[0] for c in CAUSES])
def test_every_cause_in_every_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, prepare: Prepare, options: list[str], expected: int
) -> None:
    prepare(tmp_path, monkeypatch)
    models = sorted(p.name for p in tmp_path.glob("*.py")) or ["m.py"]
    result = run(tmp_path, monkeypatch, "check", *models, "--output-format", form, *options)
    assert code(result) == expected, result.output
    if form == "json" and result.stdout and "written" not in result.stderr:
        assert json.loads(result.stdout)["exit_code"] == expected


def test_the_table_has_every_code() -> None:
    assert {expected for *_, expected in CAUSES} == {0, 1, 2, 3, 4}


MUTATED = [
    ("a model error", files(m=BROKEN), [], 2),
    ("no file", files(), [], 2),
    ("violated", files(m=VIOLATED), [], 2),
    ("a limit of states", files(m=BIG), ["--max-states", "9"], 3),
    ("Ctrl-C", interrupted("Ctrl-C"), [], 3),
    ("a fault of dio-mc", failing(RuntimeError("boom")), [], 4),
]  # fmt: skip


@pytest.mark.parametrize("form", ["text", "json", "markdown"])
@pytest.mark.parametrize(("prepare", "options", "expected"), [c[1:] for c in MUTATED], ids=[c[0] for c in MUTATED])
def test_mutate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, prepare: Prepare, options: list[str], expected: int
) -> None:
    prepare(tmp_path, monkeypatch)
    result = run(tmp_path, monkeypatch, "mutate", "m.py", "--output-format", form, *options)
    assert code(result) == expected, result.output
