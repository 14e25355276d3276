"""``not P or Q``, in every form: a premise that never held is told, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dio_mc.cli import cli

MODEL = """\
from dio_mc import *

class M(Model):
    x = Var(Range(0, 3))
    a = Array(Range(0, 3), size=2)
    @thread
    def t(self):
        self.x = 1
        self.a[0] = 1
    @invariant
    def p(self):
        return FORMULA
"""
EMPTY = [
    "not self.x == 2 or self.a[0] == 0",
    "self.x != 2 or self.a[0] == 0",
    "not self.x == 2 or not self.a[0] == 1",
    "not (self.x == 1 and self.a[1] == 3) or self.a[0] == 3",
    "all(not self.a[i] == 2 or self.x == 0 for i in range(2))",
    "self.x < 3 and (not self.x == 2 or self.a[0] == 0)",
    "(not self.x == 2 or self.a[0] == 0) if self.a[1] == 0 else self.x == 1",
    "not self.x == 1 or not self.a[1] == 1 or self.a[0] == 3",
    "self.a[0] == 3 if self.x == 2 else True",
    "True if self.x != 2 else self.a[0] == 3",
    "(self.x == 2) == False or self.a[0] == 3",
]
REACHED = [
    "self.a[1] == 0 if self.x == 1 else True",
    "True if self.x == 0 else self.a[1] == 0",
    "(self.x == 1) == False or self.a[1] == 0",
    "self.x == 1 if self.a[0] == 1 else self.x < 2",
    "not self.x == 1 or self.a[1] == 0",
    "self.x != 1 or self.a[1] == 0",
    "all(not self.a[i] == 1 or self.x == 1 for i in range(2))",
    "self.x < 2 or self.a[0] == 3",
    "not (self.x == 2 or self.a[0] == 3)",
    "not self.at_rest() or self.x == 1",
    "not self.at_rest() or self.x == 3 or self.a[1] != 3",
    "not self.at_rest() or self.x == 3 or not self.a[1] == 3",
]


def findings(folder: Path, formula: str, *arguments: str) -> list[str]:
    path = folder / "m.py"
    path.write_text(MODEL.replace("FORMULA", formula))
    output = CliRunner().invoke(cli, ["check", str(path), "--no-artifacts", *arguments]).output
    return [line for line in output.splitlines() if "DIO313" in line]


@pytest.mark.parametrize("formula", EMPTY)
def test_a_premise_that_never_held_is_told(tmp_path: Path, formula: str) -> None:
    (line,) = findings(tmp_path, formula)
    assert "the premise of each `not ... or ...` in `p` never held: nothing was checked by it" in line


@pytest.mark.parametrize("formula", REACHED)
def test_one_that_did_is_not(tmp_path: Path, formula: str) -> None:
    assert findings(tmp_path, formula) == []


@pytest.mark.parametrize("engine", ["reference", "native"])
def test_every_engine_tells_the_same(tmp_path: Path, engine: str) -> None:
    assert len(findings(tmp_path, EMPTY[0], "--engine", engine)) == 1
    assert findings(tmp_path, REACHED[0], "--engine", engine) == []
