"""Expressions and statements of the author's size: nothing recurses into them on its caller's stack, nothing looks at
each part of them once per part above it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

import dio_mc
from dio_mc import deep
from dio_mc.cli import cli
from dio_mc.frontend import load_module

HEAD = '''from dio_mc import Array, Model, Range, Var, invariant, operation, thread


class Large(Model):
    """One tree."""

    a = Var(Range(0, 1000))
    cells = Array(Range(0, 1), size=150)

'''
BODY = """    @thread
    def t(self):
        self.a = 997
        self.cells[3] = 1
"""
CHAIN = "".join(
    f"        {'el' if number else ''}if self.a == {number}:\n            self.cells[0] = 1\n" for number in range(150)
)
CALLS = "".join(f"    @operation\n    def f{n}(self):\n        self.f{n + 1}()\n\n" for n in range(40))


def model(body: str, formula: str) -> str:
    return f"{HEAD}{body}\n    @invariant\n    def p(self):\n        return {formula}\n"


TREES = {
    "a sum over cells": model(BODY, "sum(self.cells[i] for i in range(150)) < 1"),
    "a sum": model(BODY, " + ".join(["self.a"] * 600) + " < 1"),
    "a conjunction": model(BODY, " and ".join(["self.a == 0"] * 600)),
    "nested nots": model(BODY, "not " * 300 + "self.a == 0"),
    "a chain of branches": model(f"    @thread\n    def t(self):\n        self.a = 140\n{CHAIN}", "self.a == 0"),
    "nested calls": model(
        f"    @thread\n    def t(self):\n        self.f0()\n\n{CALLS}    @operation\n    def f40(self):\n"
        "        self.a = 1\n",
        "self.a == 0",
    ),
}


@pytest.fixture(params=TREES)
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "large.py"
    path.write_text(TREES[request.param])
    return path


def test_a_function_of_the_package_needs_no_deep_stack_of_its_caller(file: Path) -> None:
    (large,) = deep.deeply(load_module, file).models
    report = dio_mc.check(large)
    assert report.verdict == "VIOLATED"


@pytest.mark.parametrize("target", ["promela", "murphi", "tla"])
def test_it_is_exported(file: Path, target: str) -> None:
    answer = deep.deeply(CliRunner().invoke, cli, ["export", str(file), "--to", target])
    assert answer.exit_code == 0, answer.output[:500]


def test_it_is_printed(file: Path) -> None:
    answer = deep.deeply(CliRunner().invoke, cli, ["ir", str(file)])
    assert answer.exit_code == 0, answer.output[:500]


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_both_engines_run_it_with_a_search_for_symmetry_before(file: Path, engine: str) -> None:
    line = ["check", str(file), "--engine", engine, "--no-artifacts", "--output-format", "concise"]
    answer = deep.deeply(CliRunner().invoke, cli, line)
    assert answer.exit_code == 1, answer.output[:500]
    assert "VIOLATED p" in answer.output
