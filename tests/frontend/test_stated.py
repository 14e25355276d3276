"""What a file states of its classes: statements that cannot be meant are told, and each is held against its own run."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dio_mc.checking.expectations import bindings_of
from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.frontend.load import load_module

MODEL = """\
from dio_mc import Model, Param, Var, expect, invariant, thread

class M(Model):
    p = Param(False)
    q = Param(False)
    n = Param(1, min=1, max=3)
    x = Var(bool)
    @thread
    def a(self):
        if self.p:
            self.x = True
        if self.q:
            self.x = True
    @invariant
    def ok(self):
        return not self.x

"""


def told(folder: Path, *stated: str) -> list[str]:
    path = folder / "m.py"
    path.write_text(MODEL + "\n".join(stated) + "\n")
    try:
        load_module(path)
    except ModelError as error:
        return [f"{d.code} {d.span.line if d.span else 0}: {d.message}; {d.hint}" for d in error.diagnostics]
    return []


def test_a_misspelt_expectation_does_not_hide_the_errors_of_classes(tmp_path: Path) -> None:
    wrong = "class N(M):\n    @thread\n    def c(self):\n        self.y = 1", "class O(N):\n    pass"
    assert told(tmp_path, *wrong, 'expect(M, violates="okay")', 'expect(O, violates="okay")') == [
        "DIO117 24: M has no property `okay`; did you mean `ok`?",
        "DIO117 25: O has no property `okay`; did you mean `ok`?",
        "DIO104 21: N has no attribute `y`; ",
    ]


@pytest.mark.parametrize(
    "pair",
    [
        ("expect(M, holds=True)", 'expect(M, violates="ok")'),
        ('expect(M, violates="ok", p=True)', "expect(M, holds=True, p=True)"),
        ('expect(M, violates="ok", p=True)', "expect(M, holds=True, p=True, q=False)"),
        ('expect(M, violates="ok", steps=1)', 'expect(M, violates="ok", steps=2)'),
    ],
)
def test_statements_that_contradict_each_other(tmp_path: Path, pair: tuple[str, str]) -> None:
    (one,) = told(tmp_path, *pair)
    assert one.startswith("DIO117 19: line 18 says something else of M")
    assert one.endswith("say it once; parameters that are not named have their defaults")


@pytest.mark.parametrize(
    "pair",
    [
        ("expect(M, holds=True)", 'expect(M, violates="ok", p=True)'),
        ("expect(M, holds=True)", 'expect(M, violates="ok", p=False)'),
        ('expect(M, violates="ok", p=True)', 'expect(M, violates="ok", p=True, q=False, steps=2)'),
        ('expect(M, violates="ok", p=True)', 'expect(M, violates={"ok", "assertion"}, q=True)'),
    ],
)
def test_statements_that_do_not(tmp_path: Path, pair: tuple[str, str]) -> None:
    assert told(tmp_path, *pair) == []


def test_a_property_that_is_not_there(tmp_path: Path) -> None:
    wrong = told(tmp_path, 'expect(M, violates={"okay", "deadlock"})', 'expect(M, violates="nothing_alike", p=True)')
    assert wrong[0] == "DIO117 18: M has no property `okay`; did you mean `ok`?"
    assert wrong[1].startswith("DIO117 19: M has no property `nothing_alike`; there are: ok, deadlock, assertion, ")
    assert told(tmp_path, 'expect(M, violates={"assertion@12", "lock_misuse"})') == []


def test_a_statement_is_held_against_the_run_that_it_is_about(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(MODEL + 'expect(M, violates="ok", p=True, q=False)\nexpect(M, holds=True, p=False, n=1)\n')
    for arguments in ([], ["--param", "p=True"], ["--param", "q=False"], ["--param", "p=True", "--param", "n=1"]):
        result = CliRunner().invoke(cli, ["check", str(path), *arguments, "--no-artifacts"])
        assert (result.exit_code, "(as expected)" in result.output) == (0, True), (arguments, result.output)
    assert CliRunner().invoke(cli, ["check", str(path), "--param", "q=True", "--no-artifacts"]).exit_code == 1


def test_a_run_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    path.write_text(MODEL + "expect(M, holds=True)\nexpect(M, holds=True, p=False)\nexpect(M, holds=True, n=1)\n")
    (model,) = load_module(path).models
    assert [binding for binding, _ in bindings_of(model, {})] == [{}]


GHOSTS = {
    "spawn(self.op, self.g)": "spawn(self.op, self.g)",
    "x = choose(i for i in range(3) if self.g == i)": "choose",
}


@pytest.mark.parametrize("statement", GHOSTS)
def test_a_ghost_decides_nothing_of_what_is_started_or_chosen(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "g.py"
    path.write_text(
        "from dio_mc import *\n\nclass A(Model):\n    x = Var(Range(0, 3))\n    g = Var(Range(0, 3), ghost=True)\n"
        "    @operation()\n    def op(self, v):\n        self.x = v\n"
        f"    @thread\n    def t(self):\n        self.g = 1\n        {statement}\n        spawn(self.op, 2)\n"
        "    @reachable\n    def leaks(self):\n        return self.x == 1\n"
    )
    result = CliRunner().invoke(cli, ["check", str(path), "--no-artifacts"])
    assert "DIO112" in str(result.exception) + result.output
    assert "ghost `g` would influence the program" in str(result.exception) + result.output
