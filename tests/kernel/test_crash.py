"""A crash at any step: what is lost, what stays, what recovers; and a disk whose cache a crash empties."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from asking import explore

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.semantics.interpreter import Interpreter

HEAD = "from dio_mc import *\nfrom dio_mc.kernel import *\n\n"


def program(folder: Path, text: str, **params: int):
    (folder / "model.py").write_text(HEAD + textwrap.dedent(text))
    return build(load_module(folder / "model.py").models[-1], params).program


def states(found) -> list[dict[str, int]]:
    """All states, cells by name."""
    interpreter = Interpreter(found)
    names = interpreter.layout.names
    seen = dict.fromkeys(interpreter.initial())
    for state in (waiting := list(seen)):
        for step in interpreter.successors(state):
            if step.state is not None and step.state not in seen:
                seen[step.state] = None
                waiting.append(step.state)
    return [dict(zip(names, state, strict=True)) for state in seen]


COUNTS = """
class M(Crashes):
    durable = ("kept",)
    kept = Var(Range(0, 2))
    lost = Var(Range(0, 2), init=1)
    past = Var(Range(0, 2), ghost=True)
    lock = Mutex()

    @thread
    def t(self):
        self.lock.lock()
        self.kept = 2
        self.lost = 2
        self.past = 2
        self.lock.unlock()
"""


def test_what_is_durable_and_history_stay_and_all_else_is_as_at_first(tmp_path: Path) -> None:
    after = [s for s in states(program(tmp_path, COUNTS)) if s["crashed"]]
    assert {(s["kept"], s["lost"], s["past"]) for s in after} == {(0, 1, 0), (2, 1, 0), (2, 1, 2)}
    assert {s["lock.owner"] for s in after} == {max(s["lock.owner"] for s in after)}  # nobody


def test_a_class_below_adds_to_what_is_durable(tmp_path: Path) -> None:
    text = COUNTS + '\n\nclass N(M):\n    durable = ("lost",)\n'
    after = [s for s in states(program(tmp_path, text)) if s["crashed"]]
    assert {(s["kept"], s["lost"]) for s in after} == {(0, 1), (2, 1), (2, 2)}


@pytest.mark.parametrize("crashes", [0, 1, 2, 3])
def test_a_crash_may_come_during_the_recovery(tmp_path: Path, crashes: int) -> None:
    text = """
    class M(Crashes):
        durable = ("mounts",)
        mounts = Var(Range(0, 3))
        @thread
        def t(self):
            wait_until(False)
        @operation()
        def recover(self):
            with atomic():
                self.mounts += 1
            with atomic():
                wait_until(self.mounts == 3)
    """
    found = states(program(tmp_path, text, crashes=crashes))
    assert max(s["mounts"] for s in found) == crashes


def test_threads_that_wait_for_each_other_are_a_deadlock_still(tmp_path: Path) -> None:
    text = """
    class M(Crashes):
        durable = ("x",)
        x = Var(bool)
        a, b = Mutex(), Mutex()
        @thread
        def one(self):
            self.a.lock()
            self.b.lock()
            self.b.unlock()
            self.a.unlock()
        @thread
        def two(self):
            self.b.lock()
            self.a.lock()
            self.a.unlock()
            self.b.unlock()
    """
    found = explore(program(tmp_path, text), ())
    assert [v.property for v in found.violations] == ["deadlock"]


def test_a_recovery_that_does_not_end_is_a_deadlock(tmp_path: Path) -> None:
    text = """
    class M(Crashes):
        durable = ("x",)
        x = Var(bool)
        @thread
        def one(self):
            self.x = True
        @operation()
        def recover(self):
            wait_until(self.x)
    """
    found = explore(program(tmp_path, text), ())
    assert [(v.property, len(v.schedule)) for v in found.violations] == [("deadlock", 1)]


DISK = """
class M(CachedDisk):
    pages = Param(2)
    @thread
    def t(self):
        self.bio_write(0, Data.NEW)
        {between}
        self.{write}(1, Data.NEW)
        {after}
"""


@pytest.mark.parametrize(
    ("write", "between", "after", "cache", "survive"),
    [
        ("bio_write", "", "", 1, {(0, 0), (0, 1), (1, 0), (1, 1)}),
        ("bio_write", "self.bio_flush()", "", 1, {(0, 0), (1, 0), (1, 1)}),
        ("bio_write_fua", "", "", 1, {(0, 0), (0, 1), (1, 0), (1, 1)}),
        ("bio_write_fua", "self.bio_flush()", "", 1, {(0, 0), (1, 0), (1, 1)}),
        ("bio_write", "", "", 0, {(0, 0), (1, 0), (1, 1)}),
    ],
)
def test_what_is_on_disk_after_a_crash(
    tmp_path: Path, write: str, between: str, after: str, cache: int, survive: set[tuple[int, int]]
) -> None:
    text = DISK.format(write=write, between=between or "pass", after=after or "pass")
    found = [s for s in states(program(tmp_path, text, cache=cache)) if s["crashed"]]
    old = 3
    assert {(int(s["disk[0]"] != old), int(s["disk[1]"] != old)) for s in found} == survive
    assert all(s["disk[0]"] == s["media[0]"] and s["disk[1]"] == s["media[1]"] for s in found)


def test_after_fua_the_block_survives(tmp_path: Path) -> None:
    text = (
        DISK.format(write="bio_write_fua", between="pass", after="self.seen[0] = Data.NEW")
        + "    durable = ('seen',)\n"
    )
    found = [s for s in states(program(tmp_path, text)) if s["crashed"] and s["seen[0]"]]
    assert {int(s["disk[1]"] != 3) for s in found} == {1}
    assert {int(s["disk[0]"] != 3) for s in found} == {0, 1}


WRONG = [
    ("durable = ()", "crash()", "DIO114", "nothing survives a crash: no variable is durable", 'name what survives: `durable = ("disk",)`'),
    ('durable = ("y",)', "crash()", "DIO109", "`durable` names 'y', which M does not have", ""),
    ('durable = ("x",)', "crash(self.x)", "DIO111", "`crash` takes nothing", "say what survives: `durable = (...)`"),
    ('durable = ("x",)\n    z = Var(bool, init=any)', "crash()", "DIO114", "`z` starts from any value: it has none after a crash",
     "make it durable, or give it one initial value"),
    ('durable = ("x",)', "self.op()", "DIO114", "`crash()` is for the body of a thread",
     "a thread of its own crashes; `dio_mc.kernel.Crashes` has one"),
]  # fmt: skip


@pytest.mark.parametrize(("durable", "body", "code", "message", "hint"), WRONG)
def test_misuse_is_an_error(tmp_path: Path, durable: str, body: str, code: str, message: str, hint: str) -> None:
    text = f"""
class M(Model):
    {durable}
    x = Var(bool)

    @operation()
    def op(self):
        crash()

    @thread
    def t(self):
        self.x = True

    @thread(daemon=True)
    def c(self):
        {body}
"""
    with pytest.raises(ModelError) as error:
        program(tmp_path, text)
    (found,) = error.value.diagnostics
    assert (found.code, found.message, found.hint) == (code, message, hint)
    assert found.span is not None
