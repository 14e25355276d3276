"""The independent evaluator against programs worked out by hand."""

from __future__ import annotations

import pytest
from oracle import Oracle, Reached

HEADER = """\
from dataclasses import dataclass
from enum import Enum

from dio_mc import *


class Page(Enum):
    ABSENT = 0
    DIRTY = 1


@dataclass(frozen=True)
class Rec:
    n: Range(0, 2)
    ok: bool = False


class M(Model):
    x = Var(Range(0, 2))
    y = Var(Range(0, 2))
    a = Array(Range(0, 2), size=2)
    flag = Var(bool)
    g = Var(Range(0, 3), ghost=True)
    m = Mutex()

"""
BEGIN = HEADER.count("\n")


def explore(body: str) -> Reached:
    """`body` is written without the four columns that class members stand in."""
    text = HEADER + "".join(f"    {line}\n" if line else "\n" for line in body.strip("\n").split("\n"))
    found = Oracle(text).explore(10_000)
    assert found is not None
    return found


def finals(found: Reached, *names: str) -> set[tuple[str, ...]]:
    """Values of some variables when all threads have ended."""
    ended = [dict(v.split("=", 1) for v in values) for values, places in found.states if set(places) == {"end"}]
    return {tuple(one[n] for n in names) for one in ended}


def places(found: Reached) -> set[tuple[str, ...]]:
    return {p for _, p in found.states}


def test_two_increments_that_are_not_atomic() -> None:
    found = explore("""
@thread(instances=2)
def t(self):
    v = self.x
    self.x = v + 1
""")
    assert finals(found, "x") == {("1",), ("2",)}
    assert len(found.states) == 10
    assert len(found.edges) == 14  # with one of the two increments done, the other may have read 0 or 1
    assert found.faults == set()
    assert found.deadlocks == set()
    assert found.initial == {s for s in found.states if s[1] == ("t+1", "t+1")}


def test_an_atomic_increment() -> None:
    found = explore("""
@thread(instances=2)
def t(self):
    with atomic():
        v = self.x
        self.x = v + 1
""")
    assert finals(found, "x") == {("2",)}
    assert len(found.states) == 4


def test_local_statements_join_the_step_before_them() -> None:
    found = explore("""
@thread
def t(self):
    v = 1
    self.x = v
    w = v + 1
    if w == 2:
        w = 0
    self.y = w
""")
    assert places(found) == {("t+2",), ("t+6",), ("end",)}


def test_history_joins_the_step_before_it_and_at_an_entry_the_first() -> None:
    found = explore("""
@thread
def t(self):
    self.g = 1
    self.x = 1
    self.g = self.x + 1
    self.y = 1
""")
    assert sorted(places(found)) == [("end",), ("t+2",), ("t+4",)]
    assert {(v[4], p[0]) for v, p in found.states} == {("g=0", "t+2"), ("g=2", "t+4"), ("g=2", "end")}


def test_a_window_begins_with_a_step_of_its_own() -> None:
    found = explore("""
@thread
def t(self):
    self.x = 1
    with window("w"):
        v = self.x
        self.y = v
    self.flag = True
""")
    assert places(found) == {("t+1",), ("t+3",), ("t+4",), ("t+5",), ("end",)}


def test_an_atomic_block_happens_to_its_end_or_not_at_all() -> None:
    found = explore("""
@thread
def t(self):
    with atomic():
        v = choose(0, 1)
        self.x = 1
        wait_until(v == 1)
        self.y = v
@thread
def u(self):
    with atomic():
        self.a[0] = 1
        wait_until(self.flag)
""")
    assert finals(found, "x", "y") == set()
    assert {(v[0], v[1]) for v, _ in found.states} == {("x=0", "y=0"), ("x=1", "y=1")}
    assert {p for _, p in found.deadlocks} == {("end", "u+1")}


def test_a_choice_is_a_step_with_a_run_per_open_option() -> None:
    found = explore("""
@thread
def t(self):
    v = choose(0, 1, 2)
    self.x = v
    self.y = choose(i for i in range(2) if i != self.x)
    p = choose(Page)
    if choose(True, False):
        self.flag = p == Page.DIRTY
""")
    assert finals(found, "x", "y") == {("0", "1"), ("1", "0"), ("2", "0"), ("2", "1")}
    assert places(found) == {("t+1",), ("t+2",), ("t+3",), ("t+4",), ("t+5",), ("t+6",), ("end",)}


def test_no_open_option_blocks() -> None:
    found = explore("""
@thread
def t(self):
    v = choose(i for i in range(2) if self.a[i] == 1)
    self.x = v
@thread(daemon=True)
def u(self):
    wait_until(False)
""")
    assert len(found.states) == 1
    assert found.deadlocks == found.states


def test_a_daemon_may_wait_for_ever() -> None:
    found = explore("""
@thread(daemon=True)
def t(self):
    wait_until(self.x == 1)
""")
    assert found.deadlocks == set()


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("assert v == 1, 'no'", "assertion"),
        ("self.x = v + 3", "range"),
        ("w: Range(1, 2) = v", "range"),
        ("self.x = self.a[v + 2]", "index"),
        ("self.a[v - 1] = 1", "index"),
        ("self.m.unlock()", "lock_misuse"),
        ("spawn(self.op); spawn(self.op)", "spawn"),
        ("self.x, self.y = 1, 3", "range"),
        ("r = Rec(v + 3)", "range"),
    ],
)
def test_faults(statement: str, kind: str) -> None:
    lines = "\n".join(f"    {one}" for one in statement.split("; "))
    body = f"@operation(slots=1)\ndef op(self):\n    self.flag = True\n@thread\ndef t(self):\n    v = self.y\n{lines}"
    found = explore(body)
    assert found.faults == {(kind, BEGIN + body.count("\n") + 1)}


def test_a_lock_that_is_held_at_the_end() -> None:
    found = explore("""
@thread
def t(self):
    self.m.lock()
@thread
def u(self):
    self.m.lock()
    self.m.hand_over()
""")
    assert found.faults == {("lock_misuse", BEGIN + 2)}
    assert finals(found, "x") == set()


def test_an_endless_loop_of_local_statements() -> None:
    found = explore("""
@thread
def t(self):
    v = self.x
    while v == 0:
        pass
""")
    assert {kind for kind, _ in found.faults} == {"endless_loop"}


def test_a_mutex_excludes_and_deadlocks_when_taken_twice() -> None:
    found = explore("""
@thread(instances=2)
def t(self):
    self.m.lock()
    self.x = 1
    self.m.lock()
""")
    assert ("t+2", "t+2") not in places(found)
    assert places(found) >= {("t+3", "t+1"), ("t+1", "t+3")}
    assert {p for _, p in found.deadlocks} == {("t+3", "t+1"), ("t+1", "t+3")}


def test_operations_are_inlined_and_positions_name_the_calls() -> None:
    found = explore("""
@operation()
def inner(self, i):
    self.x = i
    return self.y
@operation()
def outer(self, i):
    return self.inner(i + 1)
@thread
def t(self):
    v = self.outer(0)
    self.y = self.outer(v)
""")
    assert places(found) == {
        ("t+1/outer+1/inner+1",), ("t+1/outer+1/inner+2",), ("t+2/outer+1/inner+1",), ("t+2/outer+1/inner+2",),
        ("t+2",), ("end",),
    }  # fmt: skip


def test_operations_that_call_themselves_have_locals_of_their_own() -> None:
    text = """
@operation(depth=2)
def down(self, i):
    self.x = i
    if i > 0:
        below = self.down(i - 1)
        self.y = below
    return i
@thread
def t(self):
    self.a[0] = self.down({})
"""
    found = explore(text.format(1))
    assert places(found) == {
        ("t+1/down+1",), ("t+1/down+3/down+1",), ("t+1/down+4",), ("t+1",), ("end",),
    }  # fmt: skip
    assert (finals(found, "x", "y", "a"), found.faults) == ({("0", "0", "[1, 0]")}, set())
    deeper = explore(text.format(2))
    assert (finals(deeper, "x"), deeper.faults) == (set(), {("recursion", BEGIN + 5)})


def test_arguments_are_values() -> None:
    found = explore("""
r = Var(Rec)
@operation()
def op(self, rec):
    self.x = 1
    self.y = rec.n
@thread
def t(self):
    self.op(self.r)
@thread
def u(self):
    self.r = Rec(2)
""")
    assert ("t+1", "u+1") in places(found)
    assert finals(found, "y") == {("0",), ("2",)}
    assert not any("y=2" in v for v, p in found.states if p[0] == "t+1/op+1")


def test_spawned_operations() -> None:
    found = explore("""
@operation()
def op(self, i):
    if i == 0:
        return
    self.x = i
@thread
def t(self):
    spawn(self.op, 0)
    spawn(self.op, 1)
    spawn(self.op, 2)
""")
    assert places(found) == {
        ("t+1", "end"), ("t+2", "end"), ("t+3", "op+3"), ("t+3", "end"), ("end", "op+3"), ("end", "end"),
    }  # fmt: skip
    assert finals(found, "x") == {("2",)}
    assert {kind for kind, _ in found.faults} == {"spawn"}


def test_loops() -> None:
    found = explore("""
@thread
def t(self):
    for i in range(3):
        if i == 1:
            continue
        self.x = i
    else:
        self.y = 1
    while True:
        self.flag = not self.flag
        if self.flag:
            break
    for p in Page:
        self.a[0] = 1 if p == Page.DIRTY else 2
    for i in range(2, 0, -1):
        self.a[1] = i
""")
    assert finals(found, "x", "y", "flag", "a") == {("2", "1", "True", "[1, 1]")}
    assert len(found.states) == 9  # the first round of the first loop changes nothing that is seen


def test_sleeping_under_a_spinlock() -> None:
    found = explore("""
sp = SpinLock()
@thread
def t(self):
    self.sp.lock()
    self.m.lock()
@thread
def u(self):
    self.sp.lock()
    wait_until(True)
""")
    assert found.faults == {("lock_misuse", BEGIN + 5), ("lock_misuse", BEGIN + 9)}


def test_every_initial_value() -> None:
    found = explore("""
z = Var(Range(0, 1), init=any)
b = Array(bool, size=2, init=any)
@thread
def t(self):
    v = 1
    assert v == 1
    self.x = v
""")
    assert len(found.initial) == 8


def test_writer_preference() -> None:
    found = explore("""
s = RWSem(writer_preference=True)
@thread
def r(self):
    self.s.down_read()
    self.s.up_read()
@thread
def w(self):
    self.s.down_write()
    self.s.up_write()
""")
    assert len([s for s in found.states if s[1] == ("r+1", "w+1")]) == 2
    assert found.deadlocks == set()
    queued = {s for s in found.states if "waiting=['w']" in s[0][-1]}
    assert {p for _, p in queued} == {("r+1", "w+1"), ("r+2", "w+1"), ("end", "w+1")}
