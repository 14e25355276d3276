"""DIO333: a relaxed variable that is only used under one lock. What is not certainly so is not told."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.checking.driver import check_class
from dio_mc.frontend.load import load_module

MODEL = """\
from dio_mc import *

class M(Model):
    a, b = Mutex(), RWSem()
    go = Var(bool)
    x = Var(bool, ordering="relaxed")
    got = Var(bool)
    @thread
    def writer(self):
        WRITER
    @thread
    def reader(self):
        READER
    @invariant
    def fine(self):
        return not self.got or self.go
"""
LOCKED = ("self.a.lock()", "self.x = True", "self.a.unlock()")


def told(folder: Path, writer: tuple[str, ...], reader: tuple[str, ...]) -> list[str]:
    lines = MODEL.replace("WRITER", "\n        ".join(writer)).replace("READER", "\n        ".join(reader))
    (folder / "m.py").write_text(lines)
    (model,) = load_module(folder / "m.py").models
    return [f"{f.message} @{f.where.rpartition(':')[2]}" for f in check_class(model).findings if f.code == "DIO333"]


def test_every_access_is_under_one_lock(tmp_path: Path) -> None:
    expected = ["`x` is relaxed to no effect: every access is under the lock `a` @6"]
    assert told(tmp_path, LOCKED, ("self.a.lock()", "seen = self.x", "self.a.unlock()")) == expected
    branching = ("self.a.lock()", "if self.x:", "    self.got = True", "self.a.unlock()")
    assert told(tmp_path, LOCKED, branching) == expected
    exclusive = ("self.b.down_write()", "self.x = True", "self.b.up_write()")
    assert told(tmp_path, exclusive, exclusive) == [expected[0].replace("`a`", "`b`")]


@pytest.mark.parametrize(
    "reader",
    [
        ("seen = self.x",),
        ("self.a.lock()", "self.a.unlock()", "seen = self.x"),
        ("self.b.down_write()", "seen = self.x", "self.b.up_write()"),
        ("self.b.down_read()", "seen = self.x", "self.b.up_read()"),
        ("if self.go:", "    self.a.lock()", "seen = self.x", "if self.a.held_by(me):", "    self.a.unlock()"),
        ("got = self.a.trylock()", "seen = self.x", "if got:", "    self.a.unlock()"),
        ("self.a.lock()", "self.a.hand_over()", "seen = self.x", "self.a.unlock_non_owner()"),
    ],
    ids=["no lock", "after it", "another lock", "shared", "on one path", "perhaps", "handed over"],
)
def test_an_access_may_come_without_it(tmp_path: Path, reader: tuple[str, ...]) -> None:
    assert told(tmp_path, LOCKED, reader) == []


def test_all_holders_of_a_shared_lock_may_run_together(tmp_path: Path) -> None:
    shared = ("self.b.down_read()", "self.x = True", "self.b.up_read()")
    assert told(tmp_path, shared, shared) == []
