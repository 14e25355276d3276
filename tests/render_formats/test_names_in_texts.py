"""Whose value a commit text speaks of: a local, shared memory, or a store buffer; and what it leaves out."""

from __future__ import annotations

from pathlib import Path

from dio_mc.api import check
from dio_mc.frontend import load_module
from dio_mc.render.commit import render_commit

FORWARDS = """
class Forwards(Model):
    x = Var(bool, ordering="relaxed")
    y = Var(bool)
    early = Var(bool)

    @thread
    def p(self):
        self.x = True
        if self.x and not self.y:
            self.early = True

    @thread
    def q(self):
        if self.x:
            self.y = True

    @invariant
    def never(self):
        return not self.early
"""


def text(folder: Path, model: str) -> str:
    path = folder / "model.py"
    path.write_text("from dio_mc import *\nfrom dio_mc.kernel import *\n\n\n" + model)
    return render_commit(check(load_module(str(path)).models[-1]).traces[0])


def test_a_thread_sees_its_own_store(tmp_path: Path) -> None:
    said = text(tmp_path, FORWARDS)
    assert "x = true\n/* in the store buffer */\n/* sees x && !y */\n" in said
    assert "/* x: false -> true, stored by p */" in said
    assert "store_buffer." not in said


def test_a_local_with_the_name_of_shared_data(tmp_path: Path) -> None:
    """What is read later is the copy, which is no longer what memory has."""
    model = """
class Copies(Model):
    flag = Var(bool)
    done = Var(Range(0, 2))

    @thread
    def p(self):
        flag = self.flag
        self.flag = True
        if not flag and self.flag:
            self.done = 1

    @invariant
    def never(self):
        return self.done == 0
"""
    said = text(tmp_path, model)
    assert "/* reads flag: false */\n" in said
    assert "/* sees !false && flag */" in said


OVERRIDES = """
class Base(Model, abstract=True):
    n = Var(Range(0, 2))

    @thread
    def t(self):
        self.add(1)

    @operation(kernel="fs/x.c:add")
    def add(self, by):
        self.n += by

    @invariant
    def never(self):
        return self.n == 0


class Adds(Base):
    @operation(kernel="fs/x.c:add")
    def add(self, by):
        super().add(by)
"""


def test_what_is_overridden_is_told_once(tmp_path: Path) -> None:
    assert text(tmp_path, OVERRIDES).count("add(1)\n") == 1
    other = OVERRIDES + '\n\nclass Sums(Adds):\n    m = Var(bool)\n\n    @operation(kernel="fs/x.c:sum")\n'
    other += "    def add(self, by):\n        self.m = True\n        super().add(by)\n"
    assert "sum(1)\n  /* m: false -> true */\n  add(1)\n    /* n: 0 -> 1 */" in text(tmp_path, other)


def test_nobody_unlocks_in_a_crash(tmp_path: Path) -> None:
    model = """
class Cut(Crashes):
    durable = ("written",)
    lock = Mutex()
    written = Var(bool)

    @thread
    def t(self):
        self.lock.lock()
        self.written = True
        self.lock.unlock()

    @operation()
    def recover(self):
        pass

    @reachable
    def survives(self):
        return self.recovered() and self.written
"""
    said = text(tmp_path, model)
    assert "lock(lock)\n" in said
    assert "unlock(lock)" not in said
    assert "crash()" in said


def test_calls_are_indented_as_deep_as_they_are(tmp_path: Path) -> None:
    """Three columns, and room enough for six calls in one another."""
    calls = "".join(f"    @operation()\n    def f{n}(self):\n        self.f{n + 1}()\n\n" for n in range(6))
    model = f"""
class Deep(Model):
    n = Var(Range(0, 3))

    @thread
    def a(self):
        self.f0()

    @thread
    def b(self):
        self.n += 1

    @thread
    def c(self):
        self.n += 1

{calls}    @operation()
    def f6(self):
        self.n += 1

    @invariant
    def never(self):
        return self.n < 3
"""
    said = text(tmp_path, model)
    assert all(f"{' ' * 2 * n}f{n}()\n" in said for n in range(7))


def test_what_is_looked_up_and_not_used_is_not_told(tmp_path: Path) -> None:
    """A read that finds no page copies nothing."""
    model = """
class Reads(Model):
    page = Array(Range(0, 2), size=1)
    filled = Var(bool)
    seen = Var(Range(0, 2))

    @thread
    def t(self):
        self.seen = self.read(0)
        self.seen = self.read(0)

    @operation(kernel="mm/filemap.c:do_generic_file_read")
    def read(self, i):
        with atomic():
            missing = not self.filled
            data = self.copy_to_user(i)
            if missing:
                self.filled = True
        if missing:
            self.page[i] = 1
            data = self.page[i]
        return data

    def copy_to_user(self, i):
        return self.page[i]

    @reachable
    def read_twice(self):
        return self.at_rest() and self.seen == 1
"""
    first, _, second = text(tmp_path, model).rpartition("/* sees !filled */")
    assert "copy_to_user" not in first
    assert second.count("data = copy_to_user(0)\n  /* data = 1 */") == 1
