"""Bad input of `--any` and `certify`: each is one clear line, and everything that is not met is told at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dio_mc.cli import cli

WORST = """\
from dio_mc import *


class Worst(Model):
    deadlock = False
    readers = Param(2, min=1, max=4)
    turn = Var(Range(0, 4))
    last = Var(ThreadId)

    @thread(instances=readers)
    def reader(self, k):
        with atomic():
            wait_until(self.turn == k)
            self.turn = self.readers - 1 if self.last < me else 0
            self.last = me

    @invariant
    def fine(self):
        return self.turn == 0 or sum(1 for t in threads()) < 9
"""
TWO = """\
from dio_mc import *


class Two(Model):
    readers = Param(2, min=1, max=4)
    size = Param(2)
    x = Var(bool)

    @thread(instances=readers)
    def reader(self):
        self.x = True

    @thread(instances=readers * 2)
    def twice(self):
        wait_until(self.x)

    @invariant
    def fine(self):
        return not self.at_rest() or self.x


class Other(Two):
    pass
"""
HAS = "Two has: reader, twice, readers, all"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worst.py").write_text(WORST)
    (tmp_path / "two.py").write_text(TWO)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_a_model_that_meets_no_condition(folder: Path) -> None:
    result = run("check", "worst.py", "--any", "readers", "--no-artifacts")
    assert result.exit_code == 3
    found = [line.strip() for line in result.output.splitlines() if "finding DIO2" in line]
    assert found == [
        "finding DIO261 worst.py:14: `readers`, the number of threads, is used as a value: keep the data per thread "
        "(PerThread) and quantify with any or all",
        "finding DIO261 worst.py:19: `sum` over threads depends on how many there are: keep the data per thread "
        "(PerThread) and quantify with any or all",
        "finding DIO253 worst.py:14: thread ids are used as numbers: they are compared by size: compare ids for "
        "equality only",
        "finding DIO254 worst.py:11: the number of `reader` is stored, passed on or compared with other data: use "
        "the number only to index arrays with one element per thread, or use PerThread and `me`",
        "finding DIO255 worst.py:8: `last` starts with the id of one of the threads: give all threads the same "
        "initial data, and change shared data in steps only",
    ]


@pytest.mark.parametrize(
    ("word", "message", "hint"),
    [
        ("reader5", "Two has no thread `reader5`, nor a parameter that counts one", "did you mean `reader`?"),
        ("size", "`size` does not count the threads of a template", HAS),
        ("x", "Two has no thread `x`, nor a parameter that counts one", HAS),
        ("2", "Two has no thread `2`, nor a parameter that counts one", HAS),
    ],
)
def test_what_is_no_template(folder: Path, word: str, message: str, hint: str) -> None:
    result = run("check", "two.py", "--model", "Two", "--any", word)
    assert result.stderr == f"dio-mc: error DIO251: {message}\n  hint: {hint}\n"


def test_a_computed_number(folder: Path) -> None:
    result = run("check", "two.py", "--model", "Two", "--any", "twice")
    message = "the number of `twice` is computed: only a parameter, or a plain number, can be any number"
    assert f"two.py:14:5: error DIO252: {message}" in result.stderr


def test_a_certificate_of_another_model_or_version(folder: Path) -> None:
    (folder / "two.py").write_text(TWO.replace("instances=readers * 2", "instances=2"))
    kept = folder / "c.json"
    made = run("check", "two.py", "--model", "Two", "--any", "reader", "--certificate", str(kept), "--no-artifacts")
    assert made.exit_code == 0, made.output
    document = json.loads(kept.read_text())

    def said(**changes: object) -> str:
        kept.write_text(json.dumps(document | changes))
        return str(run("certify", "c.json", "two.py").exception)

    assert said(model="Other") == (
        "c.json: error DIO272: the certificate is of another model than Other\n"
        "  hint: the model has changed since: make a new one with `dio-mc check --any ... --certificate FILE`"
    )
    assert said(version="0.0.0") == (
        "c.json: error DIO271: not a certificate that can be checked: it was written by version '0.0.0', this is 0.1.0"
    )
    assert said(pages="size") == (
        "c.json: error DIO272: the certificate is of another model than Two: `size` is not a parameter that is the "
        "size of arrays of Two"
    )
    assert said(params={"speed": 1}) == (
        "c.json: error DIO272: the certificate is of another model than Two: Two has no parameter `speed`"
    )
