"""Statements of a model as a commit message has them: in C, with values, and with what the step really did."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.api import check
from dio_mc.frontend import load_module
from dio_mc.render.commit import render_commit
from dio_mc.render.expression import c_words, parsed_expression
from dio_mc.render.mermaid import render_mermaid
from dio_mc.render.svg import render_svg
from dio_mc.render.text import render_text
from dio_mc.render.values import UNKNOWN, Known, value_of
from dio_mc.trace.trace import Trace

HEAD = "from dio_mc import *\nfrom dio_mc.kernel import Data\n\n\n"
KNOWN = Known(
    {"slot[0]": "ABSENT", "slot[1]": "MAPPED", "count": "2", "csum": "OLD", "m.owner": "None"},
    {"i": "0", "mapped": "False", "csum": "NEW"},
    "reader",
    params={"pages": 2},
)


@pytest.mark.parametrize(
    ("python", "c"),
    [
        ("self.disk[0] if mapped else Data.ZERO", "mapped ? disk[0] : ZERO"),
        ("not self.a and (self.b or self.c is None)", "!a && (b || c == NULL)"),
        ("self.c is not None", "c != NULL"),
        ("not self.a == 1", "a != 1"),
        ("not (self.a and self.b)", "!a || !b"),
        ("not (self.a == 1 or not self.b)", "a != 1 && b"),
        ("self.c and not (self.a and self.b)", "c && (!a || !b)"),
        ("not (self.a or any(self.b[j] for j in PAGES))", "!(a || any b[j])"),
        ("self.x in (Slot.A, Slot.B)", "x == A || x == B"),
        ("self.x not in (Slot.A, Slot.B) and self.y", "(x != A && x != B) && y"),
        ("self.x in (Slot.A, Slot.B) and self.y", "(x == A || x == B) && y"),
        ("0 <= self.a < 3", "0 <= a && a < 3"),
        ("not any(self.dirty[j] for j in PAGES)", "no dirty[j]"),
        ("all(self.done[j] for j in range(3) if j != i)", "all done[j] with j != i && j in 0..2"),
        ("all(self.done[j] for j in range(pages))", "all done[j]"),
        ("not any(self.dirty[j] for j in range(self.pages))", "!dirty[0] && !dirty[1]"),
        ("self.x or any(self.a[j] == j and self.b for j in range(2))", "x || ((a[0] == 0 && b) || (a[1] == 1 && b))"),
        ("all(self.done[j] for j in range(1))", "done[0]"),
        ("self.disk[i * self.pages]", "disk[0]"),
        ("csum == self.csum", "NEW == csum"),
        ("self.flag == (True or None)", "flag == (true || NULL)"),
        ("self.slot[i + 1] == Slot.MAPPED", "slot[1] == MAPPED"),
        ("self.lock(self.extent, 0, i + 1)", "lock(extent, 0, 1)"),
        ("self.fork[i].lock()", "lock(fork[0])"),
        ("super().add(i)", "add(0)"),
        ("self.owner == me", "owner == current"),
        ("self.a - (self.b - 1)", "a - (b - 1)"),
        ("a b c", "a b c"),
    ],
)
def test_an_expression_in_c(python: str, c: str) -> None:
    assert c_words(python, KNOWN) == c


@pytest.mark.parametrize(
    ("python", "value"),
    [
        ("self.slot[i] == Slot.ABSENT", True),
        ("self.slot[i + 1] in (Slot.ABSENT, Slot.GONE)", False),
        ("self.csum", "OLD"),
        ("csum", "NEW"),
        ("self.missing and mapped", False),
        ("self.missing or mapped", UNKNOWN),
        ("self.m.held_by(me)", False),
        ("self.m.is_locked()", False),
        ("self.n.is_locked()", UNKNOWN),
        ("self.pages + 1", 3),
        ("any(self.slot[j] == Slot.MAPPED for j in range(2))", True),
        ("self.count // 0", UNKNOWN),
        ("1 < self.count < 2", False),
    ],
)
def test_what_an_expression_is_worth(python: str, value: object) -> None:
    node = parsed_expression(python)
    assert node is not None
    assert value_of(node, KNOWN) == value


def traced(tmp_path: Path, text: str) -> Trace:
    path = tmp_path / "model.py"
    path.write_text(HEAD + text)
    (model,) = load_module(str(path)).models
    return check(model).traces[0]


def test_a_call_of_a_lock_or_of_a_part_of_ones_own_is_one_line(tmp_path: Path) -> None:
    text = """
class Two(Part):
    v = Var(Range(-2, 2))

    @atomic()
    def get(self):
        wait_until(self.v >= 0)
        self.v += 1


class M(Model):
    two = Two()
    i_rwsem = RWSem()
    x = Var(bool)

    @operation
    def inner(self, page, unused):
        self.two.get()
        self.x = page == 1

    @thread
    def a(self):
        self.i_rwsem.down_write()
        self.inner(1, 2)
        self.i_rwsem.up_write()

    @invariant
    def p(self):
        return not self.x
"""
    assert render_commit(traced(tmp_path, text)).splitlines()[2:8] == [
        "down_write(i_rwsem)",
        "inner(1, 2)",
        "  get(two)",
        "  /* two.v: 0 -> 1 */",
        "  x = page == 1",
        "  /* x: false -> true */",
    ]


def test_a_local_is_not_the_shared_variable_of_its_name(tmp_path: Path) -> None:
    text = """
class M(Model):
    buffer = Var(Data, init=Data.NEW)
    csum = Var(Data, init=Data.OLD)

    @thread
    def writer(self):
        csum = self.buffer
        self.csum = csum

    @invariant
    def p(self):
        return self.csum == Data.OLD
"""
    assert render_commit(traced(tmp_path, text)).splitlines()[2:4] == [
        "/* reads buffer: NEW */",
        "/* csum: OLD -> NEW */",
    ]


def test_a_try_that_fails_says_so(tmp_path: Path) -> None:
    text = """
class M(Model):
    range_lock = Array(RWSem(), size=2)
    m = Mutex()
    tried = Var(bool)

    @thread
    def writer(self):
        self.range_lock[1].down_write()
        wait_until(self.tried)
        self.range_lock[1].up_write()

    @thread
    def reader(self):
        first = self.m.trylock()
        second = self.range_lock[1].down_read_trylock()
        self.tried = first and not second
        self.m.unlock()

    @invariant
    def p(self):
        return not self.tried
"""
    assert [line.strip() for line in render_commit(traced(tmp_path, text)).splitlines()[2:6]] == [
        "down_write(range_lock[1])",
        "trylock(m)",
        "down_read_trylock(range_lock[1])",
        "/* fails */",
    ]


def test_a_function_named_like_a_try_is_not_one(tmp_path: Path) -> None:
    text = """
class M(Model):
    n = Var(Range(0, 3))
    ok = Var(bool)

    @thread
    def reader(self):
        self.ok = self.page_trylock(2)
        if not self.ok:
            self.n = 3

    def page_trylock(self, i):
        return self.n == i

    @invariant
    def p(self):
        return self.n != 3
"""
    assert [line.strip() for line in render_commit(traced(tmp_path, text)).splitlines()[2:6]] == [
        "ok = page_trylock(2)",
        "/* ok stays false */",
        "/* sees !ok */",
        "/* n: 0 -> 3 */",
    ]


def test_an_assertion_that_holds_is_a_call(tmp_path: Path) -> None:
    text = """
class M(Model):
    i_rwsem = Mutex()
    done = Var(bool)

    @thread
    def writer(self):
        self.i_rwsem.lock()
        assert self.i_rwsem.is_locked() and not self.done, "unlocked, or twice"
        with atomic():
            assert not self.done
            self.done = True
        self.i_rwsem.unlock()

    @invariant
    def p(self):
        return not self.done
"""
    assert [line.strip() for line in render_commit(traced(tmp_path, text)).splitlines()[2:5]] == [
        "lock(i_rwsem)",
        "assert(is_locked(i_rwsem) && !done)",
        "/* done: false -> true */",
    ]


def test_the_side_of_a_branch_that_was_taken_and_what_was_chosen(tmp_path: Path) -> None:
    text = """
class M(Model):
    x = Var(Range(0, 3))
    m = Array(Mutex(), size=2)

    @thread
    def t(self):
        with atomic():
            if self.x == 0 and not self.m[1].held_by(me):
                self.m[1].lock()
            else:
                self.m[0].lock()
        if choose(True, False):
            self.x = 1
        else:
            self.x = choose(2, 3)
        self.m[1].unlock()

    @invariant
    def p(self):
        return self.x != 3
"""
    shown = render_commit(traced(tmp_path, text)).splitlines()[2:]
    assert shown[0] == "lock(m[1])"
    assert "/* chooses false */" in shown
    assert "/* chooses 3 */" in shown
    assert not [line for line in shown if "choice" in line or "m[0]" in line]


def test_what_a_call_was_given_is_told_where_nothing_reads_it_any_more(tmp_path: Path) -> None:
    text = """
class M(Model):
    ready = Array(bool, size=2, init=True)
    seen = Array(Data, size=2)
    x = Var(bool)

    @operation
    def outer(self, i, kind):
        self.inner(i, kind == Data.NEW)

    @operation
    def inner(self, i, is_new):
        if is_new:
            self.x = True

    @operation
    def read(self, i):
        ok = self.ready[i] and not self.x
        if ok:
            self.x = True
        data = Data.OLD if self.ready[i] else Data.NEW
        return data

    @thread
    def t(self):
        self.outer(1, Data.NEW)
        self.x = False
        self.seen[1] = self.read(1)

    @invariant
    def p(self):
        return self.seen[1] != Data.OLD
"""
    assert render_commit(traced(tmp_path, text)).split("\n\n")[1].splitlines() == [
        "outer(1, NEW)",
        "  inner(1, true)",
        "    /* x: false -> true */",
        "/* x: true -> false */",
        "read(1)",
        "  /* sees ready[1] && !x */",
        "  /* x: false -> true */",
        "  data = ready[1] ? OLD : NEW",
        "  /* data = OLD */",
        "/* seen[1]: NOTHING -> OLD */",
    ]


def test_locks_are_asked_and_misused_by_their_names(tmp_path: Path) -> None:
    text = """
class M(Model):
    m = Array(PageLock(), size=2)

    @operation
    def op(self, i):
        if self.m[i].is_locked():
            return
        with atomic():
            if self.m[i].held_by(me):
                self.m[i].unlock()
        self.m[i].unlock()

    @thread
    def t(self):
        self.op(1)
"""
    shown = render_commit(traced(tmp_path, text))
    assert shown.splitlines()[2:] == [
        "op(1)",
        "  /* sees !is_locked(m[1]) */",
        "  /* does not hold m[1] */",
        "  unlock(m[1])",
        "  /* lock_misuse: `m[1]` unlocked by a thread that does not hold it */",
        "",
        "CPU0 goes wrong here (lock_misuse): `m[1]` unlocked by a thread that",
        "does not hold it.",
    ]


def test_a_thread_that_is_kept_waiting_for_ever_has_a_lane(tmp_path: Path) -> None:
    text = """
class M(Model):
    busy = Var(bool, init=True)
    deadlock = False

    @thread(daemon=True)
    def spinner(self):
        while True:
            self.busy = True

    @thread
    def waiter(self):
        wait_until(not self.busy)
        self.busy = False

    @progress
    def ends(self):
        return self.finished(self.waiter)
"""
    shown = render_commit(traced(tmp_path, text))
    assert "CPU1 (waiter)" in shown.splitlines()[0]
    assert "/* waits until !busy, all the time */" in shown
    assert "CPU1 waits until !busy all the time." in shown.replace("\n", " ")


def test_a_deadlock_names_who_could_end_it_and_draws_who_never_ran(tmp_path: Path) -> None:
    text = """
class M(Model):
    i_rwsem = Mutex()
    done = Var(bool)

    @thread
    def truncate(self):
        self.i_rwsem.lock()
        wait_until(self.done)
        self.i_rwsem.unlock()

    @thread
    def completion(self):
        self.i_rwsem.lock()
        self.i_rwsem.unlock()
        self.done = True
"""
    trace = traced(tmp_path, text)
    shown = render_commit(trace)
    assert [line.strip() for line in shown.splitlines()[2:7]] == [
        "lock(i_rwsem)",
        "/* waits until done */",
        "/* only CPU1 can change done */",
        "lock(i_rwsem)",
        "/* waits: held by CPU0 */",
    ]
    assert " ".join(shown.split("\n\n")[-1].split()) == (
        "Nothing can run any more. CPU0 holds i_rwsem and waits until done, and only CPU1 can change done. "
        "CPU1 waits at lock(i_rwsem), held by CPU0. Circular wait: CPU0 -> CPU1 -> CPU0."
    )
    for drawn in (render_text(trace), render_svg(trace), render_mermaid(trace)):
        assert "CPU1 completion" in drawn
