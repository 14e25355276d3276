"""Two programs in lockstep: what is called the same cannot be told apart, and what can be told apart is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutated import LOCKED, body, load, named

from dio_mc.frontend.build import build
from dio_mc.mutation.same import same_behaviour

PAIRS = [
    ("a store of what is there", "self.x = 0", "", "without `self.x = 0`", False),
    ("code that never runs", "if self.x == 3:\n    self.y = 1\nself.x = 1", "", "without `self.y = 1`", True),
    ("a condition that is always so", "if self.x < 3:\n    self.x = 1", "", "`if self.x < 3` taken as true", False),
    ("a wait for what is so, within a step", "with atomic():\n    wait_until(self.y == 0)\n    self.x = 1", "",
     "without `wait_until(self.y == 0)`", True),
    ("a wait that waits", "with atomic():\n    wait_until(self.x == 0)\n    self.x = 1", "",
     "without `wait_until(self.x == 0)`", False),
    ("a part that is implied", "with atomic():\n    wait_until(self.x < 1 and self.x < 3)\n    self.x += 1", "",
     "`self.x < 1 and self.x < 3` without `self.x < 3`", True),
    ("a part that is not", "with atomic():\n    wait_until(self.x < 1 and self.x < 3)\n    self.x += 1", "",
     "`self.x < 1 and self.x < 3` without `self.x < 1`", False),
    ("a mutant that waits where the model goes on", "with atomic():\n    if self.x == 1:\n        wait_until(self.y == 3)\n    self.x = 1",
     "", "`if self.x == 1` taken as true", False),
    ("another order", "self.x = 1\nself.y = 1", "", "`self.y = 1` before `self.x = 1`", False),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "data", "text", "same"), [p[1:] for p in PAIRS], ids=[p[0] for p in PAIRS])
def test_pairs(tmp_path: Path, statements: str, data: str, text: str, same: bool) -> None:
    model = load(tmp_path, body(statements, data))
    mutant = named(model, text).of(model)
    assert same_behaviour(build(model).program, build(mutant).program) == same


def test_the_same_program(tmp_path: Path) -> None:
    program = build(load(tmp_path, LOCKED)).program
    assert same_behaviour(program, program)


def test_what_a_property_asks_about_control_counts(tmp_path: Path) -> None:
    """The data is the same at each step; only where the window is open differs."""
    text = body("with window('w'):\n    self.y = 1\n    self.x = 1\nself.x = 2").replace(
        "return self.x < 3", "return not self.inside('w') or self.x < 3"
    )
    other = text.replace("    self.x = 1\n        self.x = 2", "    self.x = 1\n            self.x = 2")
    assert text != other
    programs = [build(load(tmp_path, t)).program for t in (text, other)]
    assert not same_behaviour(*programs)
    plain = [t.replace("not self.inside('w') or", "") for t in (text, other)]
    assert same_behaviour(*[build(load(tmp_path, t)).program for t in plain])


def test_too_much_to_look_at_is_not_called_the_same(tmp_path: Path) -> None:
    model = load(tmp_path, body("if self.x == 3:\n    self.y = 1\nself.x = 1"))
    pair = build(model).program, build(named(model, "without `self.y = 1`").of(model)).program
    assert same_behaviour(*pair, most=100)
    assert not same_behaviour(*pair, most=2)


def test_other_data_is_another_model(tmp_path: Path) -> None:
    one = build(load(tmp_path, body("self.x = 1"))).program
    other = build(load(tmp_path, body("self.x = 1", "z = Var(bool)"))).program
    assert not same_behaviour(one, other)
