"""The kernel's locks: who may run beside whom, what is misuse, what may be handed over."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from dio_mc.frontend import build, load_module
from dio_mc.semantics.interpreter import Interpreter

HEAD = """\
from dio_mc import *

class M(Model):
    inside = Var(Range(0, 3))
    most = Var(Range(0, 3))
    done = Var(bool)
    x = Var(bool)
    mutex = Mutex()
    spin = SpinLock()
    sem = RWSem()
    fair = RWSem(writer_preference=True)
    range = RangeLock(size=3)
    count = DrainCounter(max=2)
    classes = TwoClassLock()
    pages = Array(PageLock, size=(2, 2))

    def together(self):
        return self.inside

    @operation()
    def visit(self):
        with atomic():
            self.inside += 1
            self.most = max(self.most, self.inside)
        with atomic():
            self.inside -= 1

"""


class Outcome:
    """What exploring a model of some threads gives."""

    def __init__(self, folder: Path, *bodies: str) -> None:
        text = HEAD
        for number, body in enumerate(bodies):
            text += f"    @thread\n    def t{number}(self):\n{textwrap.indent(textwrap.dedent(body), ' ' * 8)}\n"
        path = folder / "model.py"
        path.write_text(text)
        interpreter = Interpreter(build(load_module(path).models[0]).program)
        names = interpreter.layout.names
        self.faults: set[str] = set()
        self.stuck = False
        self.together = 0
        seen = set(interpreter.initial())
        waiting = list(seen)
        while waiting:
            state = waiting.pop()
            self.together = max(self.together, state[names.index("most")])
            steps = interpreter.successors(state)
            self.stuck |= not steps and any(state[pc] for pc in interpreter.layout.pc)
            for step in steps:
                if step.fault is not None:
                    self.faults.add(step.fault.message)
                elif step.state is not None and step.state not in seen:
                    seen.add(step.state)
                    waiting.append(step.state)


def section(take: str, give: str) -> str:
    return f"self.{take}\nself.visit()\nself.{give}\n"


READ, WRITE = section("sem.down_read()", "sem.up_read()"), section("sem.down_write()", "sem.up_write()")
BUFFERED = section("classes.lock_buffered()", "classes.unlock_buffered()")
DIRECT = section("classes.lock_direct()", "classes.unlock_direct()")
COMPANY = [
    ("no lock", ["self.visit()", "self.visit()"], 2),
    ("mutex", [section("mutex.lock()", "mutex.unlock()")] * 2, 1),
    ("spinlock", [section("spin.lock()", "spin.unlock()")] * 2, 1),
    ("page locks, one page", [section("pages[0][1].lock()", "pages[0][1].unlock()")] * 2, 1),
    ("page locks, two pages", [section(f"pages[{i}][1].lock()", f"pages[{i}][1].unlock()") for i in (0, 1)], 2),
    ("readers", [READ, READ, READ], 3),
    ("a writer among readers", [READ, WRITE], 1),
    ("writers", [WRITE, WRITE], 1),
    ("ranges that overlap", [section("range.lock(0, 2)", "range.unlock(0, 2)"), section("range.lock(1, 3)", "range.unlock(1, 3)")], 1),
    ("a range handed over", ["self.range.lock(0, 2)\nself.range.hand_over(0, 2)\nself.visit()\nself.range.unlock_non_owner(0, 2)",
                             section("range.lock(1, 3)", "range.unlock(1, 3)")], 1),
    ("ranges that do not", [section("range.lock(0, 1)", "range.unlock(0, 1)"), section("range.lock(1, 3)", "range.unlock(1, 3)")], 2),
    ("one class", [BUFFERED, BUFFERED], 2),
    ("two classes", [BUFFERED, DIRECT], 1),
    ("drained", ["self.count.begin()\nself.x = True\nself.visit()\nself.count.end()",
                 "wait_until(self.x)\nself.count.wait()\nself.visit()"], 1),
]  # fmt: skip


@pytest.mark.parametrize(("bodies", "most"), [c[1:] for c in COMPANY], ids=[c[0] for c in COMPANY])
def test_who_runs_beside_whom(tmp_path: Path, bodies: list[str], most: int) -> None:
    found = Outcome(tmp_path, *bodies)
    assert (found.together, found.faults, found.stuck) == (most, set(), False)


MISUSE = [
    ("self.mutex.unlock()", "`mutex` unlocked by a thread that does not hold it"),
    ("self.spin.unlock()", "`spin` unlocked by a thread that does not hold it"),
    ("self.sem.up_read()", "`sem` up_read by a thread that does not hold it for reading"),
    ("self.sem.down_read()\nself.sem.up_write()", "`sem` up_write by a thread that does not hold it for writing"),
    ("self.sem.downgrade_write()", "`sem` downgrade_write by a thread that does not hold it for writing"),
    ("self.range.lock(0, 1)\nself.range.unlock(0, 2)", "`range` unlocked by a thread that does not hold all of the range"),
    ("self.count.end()", "`count` ended more often than begun"),
    ("self.classes.unlock_direct()", "`classes` unlock_direct by a thread that does not hold it"),
    ("self.range.lock(0, 1)\nself.range.hand_over(0, 2)", "`range` handed over by a thread that does not hold all of the range"),
    ("self.range.unlock_non_owner(0, 1)", "`range` released for a holder that did not hand it over"),
    ("self.mutex.unlock_non_owner()", "`mutex` released for a holder that did not hand it over"),
    ("self.sem.up_read_non_owner()", "`sem` up_read_non_owner without a reader that handed it over"),
    ("self.mutex.lock()", "`mutex` is still held at exit"),
    ("self.pages[1][0].lock()", "`pages[1][0]` is still held at exit"),
    ("self.spin.lock()\nself.mutex.lock()\nself.mutex.unlock()\nself.spin.unlock()", "sleeps while holding spinlock `spin`"),
    ("self.spin.lock()\nwait_until(self.x)\nself.spin.unlock()", "sleeps while holding spinlock `spin`"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), MISUSE)
def test_misuse_is_a_fault(tmp_path: Path, body: str, message: str) -> None:
    assert Outcome(tmp_path, body).faults == {message}


def test_more_in_flight_than_the_counter_holds_is_a_fault(tmp_path: Path) -> None:
    assert Outcome(tmp_path, "self.count.begin()\n" * 3).faults == {"value 3 outside 0..2 of self.count.count"}


FINE = [
    "self.mutex.lock()\nself.mutex.hand_over()\nself.mutex.unlock_non_owner()",
    "self.range.lock(0, 2)\nself.range.hand_over(0, 2)\nself.range.unlock_non_owner(0, 2)",
    "self.sem.down_read()\nself.sem.hand_over()\nself.sem.up_read_non_owner()",
    "self.sem.down_write()\nself.sem.hand_over()\nself.sem.up_write_non_owner()",
    "self.sem.down_write()\nself.sem.downgrade_write()\nself.sem.up_read()",
    "ok = self.mutex.trylock()\nif ok:\n    self.mutex.unlock()",
    "ok = self.sem.down_read_trylock()\nif ok:\n    self.sem.up_read()",
    "ok = self.sem.down_write_trylock()\nif ok:\n    self.sem.up_write()",
    "self.spin.lock()\nself.x = True\nself.spin.unlock()",
]


@pytest.mark.parametrize("body", FINE)
def test_what_the_kernel_does_is_no_misuse(tmp_path: Path, body: str) -> None:
    found = Outcome(tmp_path, body, body)
    assert (found.faults, found.stuck) == (set(), False)


def test_a_lock_taken_twice_blocks_for_ever(tmp_path: Path) -> None:
    assert Outcome(tmp_path, "self.mutex.lock()\nself.mutex.lock()").stuck
    assert Outcome(tmp_path, "self.sem.down_write()\nself.sem.down_read()").stuck


def test_a_completion_releases_for_the_submitter(tmp_path: Path) -> None:
    submit = "self.sem.down_read()\nself.sem.hand_over()\nself.x = True"
    complete = "wait_until(self.x)\nself.sem.up_read_non_owner()"
    found = Outcome(tmp_path, submit, complete, "self.sem.down_write()\nself.sem.up_write()")
    assert (found.faults, found.stuck) == (set(), False)


def test_a_waiting_writer_keeps_readers_out_only_with_preference(tmp_path: Path) -> None:
    def bodies(lock: str) -> list[str]:
        outer = f"self.{lock}.down_read()\nwait_until(self.done)\nself.{lock}.up_read()"
        writer = f"self.{lock}.down_write()\nself.{lock}.up_write()"
        inner = f"self.{lock}.down_read()\nself.done = True\nself.{lock}.up_read()"
        return [outer, writer, inner]

    assert Outcome(tmp_path, *bodies("fair")).stuck
    assert not Outcome(tmp_path, bodies("sem")[0], bodies("sem")[2]).stuck
