"""What somebody gets wrong in the first hour, word for word: at their own line, once, with the way out."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_check import dio_mc

HEAD = "from dio_mc import *\nfrom dio_mc.kernel import *\n"
MODEL = "class M(Model):\n    x = Var(bool)\n"
THREAD = "    @thread\n    def t(self):\n"

CASES = {
    "choose in and": (
        MODEL + THREAD + "        if self.x and choose(True, False):\n            self.x = True\n",
        """\
m.py:7:23: error DIO114: `choose` cannot stand in an expression
    7 |         if self.x and choose(True, False):
      |                       ^^^^^^^^^^^^^^^^^^^
  hint: choose in a statement of its own: `got = choose(...)`, or `if choose(True, False):` inside the `if`
""",
    ),
    "override with another signature": (
        "class M(File):\n    @operation()\n    def get_block(self, i, j):\n        return Block.HOLE\n\n"
        + THREAD
        + "        x = self.direct_read(0)\n",
        """\
m.py:5:5: error DIO111: `get_block` takes (self, i, j), and what it overrides takes (self, i)
    5 |     def get_block(self, i, j):
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: it is called at LIBRARY
""",
    ),
    "override without self": (
        "class M(File):\n    @operation()\n    def get_block(i):\n        return Block.HOLE\n\n"
        + THREAD
        + "        x = self.direct_read(0)\n",
        """\
m.py:5:5: error DIO111: `get_block` takes (i), and what it overrides takes (self, i)
    5 |     def get_block(i):
      |     ^^^^^^^^^^^^^^^^^
  hint: it is called at LIBRARY
""",
    ),
    "a thread is called": (
        MODEL + "    @thread\n    def a(self):\n        self.x = True\n\n" + THREAD + "        self.a()\n",
        """\
m.py:11:9: error DIO114: `a` is a thread, and only operations are called
   11 |         self.a()
      |         ^^^^^^^^
  hint: what both threads do goes into an @operation
""",
    ),
    "options of a lock by position": (
        "class M(Model):\n    n = Param(2)\n    d = DrainCounter(n)\n" + THREAD + "        self.d.begin()\n",
        """\
m.py:5:9: error DIO101: importing the model raised TypeError: DrainCounter takes its options by name: max=...
    5 |     d = DrainCounter(n)
      |         ^^^^^^^^^^^^^^^
  hint: imported from m.py:3
""",
    ),
    "the order of bases": (
        "class M(File, PageCache):\n" + THREAD + "        x = self.dirty[0]\n",
        """\
m.py:3:1: error DIO101: importing the model raised TypeError: Cannot create a consistent method resolution order \
(MRO) for bases File, PageCache
    3 | class M(File, PageCache):
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: name a class before the classes that it derives from
""",
    ),
    "a lock without self": (
        "class M(Model):\n    invalidate_lock = RWSem()\n" + THREAD + "        invalidate_lock.down_write()\n",
        """\
m.py:7:9: error DIO104: unknown name `invalidate_lock`
    7 |         invalidate_lock.down_write()
      |         ^^^^^^^^^^^^^^^
  hint: did you mean `self.invalidate_lock`?
""",
    ),
    "a method that is not called": (
        "class M(Model):\n    l = Mutex()\n" + THREAD + "        wait_until(not self.l.is_locked)\n",
        """\
m.py:7:24: error DIO103: a condition is a bool, not the method is_locked
    7 |         wait_until(not self.l.is_locked)
      |                        ^^^^^^^^^^^^^^^^
  hint: call it: `is_locked()`
""",
    ),
    "an operation that is not called": (
        "class M(Model):\n    @operation\n    def op(self):\n        pass\n" + THREAD + "        self.op\n",
        """\
m.py:9:9: error DIO102: an expression without effect is not supported in a model
    9 |         self.op
      |         ^^^^^^^
  hint: call it: `self.op()`
""",
    ),
    "data of a base that something else replaces": (
        "class M(PageCache):\n    dirty = 3\n" + THREAD + "        self.buffered_write(0, Data.NEW)\n",
        """\
m.py:4:5: error DIO109: `dirty` is data of PageCache, and this takes its place
    4 |     dirty = 3
      |     ^^^^^^^^^
  hint: declare it again, as `dirty = Var(...)`, or take another name
""",
    ),
    "a property without its decorator": (
        "class N(Model):\n    x = Var(bool)\n    @invariant\n    def p(self):\n        return not self.x\n"
        + "    @thread\n    def u(self):\n        self.x = True\n\n"
        + "class M(N):\n    def p(self):\n        return True\n"
        + THREAD
        + "        self.x = False\n",
        """\
m.py:13:5: error DIO109: `p` overrides the @invariant of N, and without a decorator it would not be checked
   13 |     def p(self):
      |     ^^^^^^^^^^^^
  hint: write @invariant above it, or take another name
""",
    ),
    "a thread without its decorator": (
        "class N(Model):\n    x = Var(bool)\n    @thread\n    def u(self):\n        self.x = True\n\n"
        + "class M(N):\n    @operation\n    def u(self):\n        self.x = False\n"
        + THREAD
        + "        self.x = False\n",
        """\
m.py:11:5: error DIO109: `u` overrides the @thread of N, and without a decorator it would not run
   11 |     def u(self):
      |     ^^^^^^^^^^^^
  hint: write @thread above it, or take another name
""",
    ),
    "a declaration that is wrong is told once": (
        "class M(Model):\n    seq = Var(Range(0, 2**32))\n"
        + THREAD
        + "        self.seq += 1\n        got = self.seq\n",
        """\
m.py:4:5: error DIO109: `seq`: Range(0, 4294967296) has more than 2^31 values
    4 |     seq = Var(Range(0, 2**32))
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: a model needs the few values that make a difference: Range(0, 3)
""",
    ),
    "what depends on a wrong statement is not told": (
        MODEL + THREAD + "        got = self.y\n        self.x = got\n        self.x = not got\n",
        """\
m.py:7:15: error DIO104: M has no attribute `y`
    7 |         got = self.y
      |               ^^^^^^
""",
    ),
    "an inherited error is told once": (
        MODEL + THREAD + "        self.y = True\n\n\nclass N(M):\n    pass\n\n\nclass O(N):\n    pass\n",
        """\
m.py:7:9: error DIO104: M has no attribute `y`
    7 |         self.y = True
      |         ^^^^^^
""",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_first_hour(tmp_path: Path, name: str) -> None:
    text, message = CASES[name]
    (tmp_path / "m.py").write_text(HEAD + text)
    done = dio_mc("check", "m.py", cwd=tmp_path)
    assert done.returncode == 2
    if "LIBRARY" in message:
        before, after = message.split("LIBRARY")
        assert done.stderr.startswith(before)
        assert done.stderr.endswith(after)
        assert "file.py:" in done.stderr
    else:
        assert done.stderr == message


def test_an_operation_needs_no_brackets(tmp_path: Path) -> None:
    operation = "    @operation\n    def op(self):\n        self.x = True\n\n"
    (tmp_path / "m.py").write_text(HEAD + MODEL + operation + THREAD + "        self.op()\n")
    assert dio_mc("check", "m.py", cwd=tmp_path).returncode == 0


def test_two_models_with_different_errors_are_both_told(tmp_path: Path) -> None:
    other = "\n\nclass N(Model):\n    x = Var(bool)\n" + THREAD + "        self.z = True\n"
    (tmp_path / "m.py").write_text(HEAD + MODEL + THREAD + "        self.y = True\n" + other)
    done = dio_mc("check", "m.py", cwd=tmp_path)
    assert "M has no attribute `y`" in done.stderr
    assert "N has no attribute `z`" in done.stderr


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("PageLock", "PageLock: from dio_mc import PageLock\n\nThe page (folio) lock bit"),
        ("PageCache", "PageCache: from dio_mc.kernel import PageCache\n\n"),
        ("wait_until", "wait_until: from dio_mc import wait_until\n\n"),
    ],
)
def test_help_knows_the_words_of_the_language(tmp_path: Path, word: str, shown: str) -> None:
    done = dio_mc("help", word, cwd=tmp_path)
    assert (done.returncode, done.stdout[: len(shown)]) == (0, shown)


def test_help_for_a_word_that_is_misspelt(tmp_path: Path) -> None:
    done = dio_mc("help", "Mutx", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dio-mc: error DIO203: no such code, word or page: Mutx\n  hint: did you mean `Mutex`?\n"
    done = dio_mc("help", "xxxxxxxx", cwd=tmp_path)
    hint = "  hint: codes and pages are listed by `dio-mc help`, words by `dio-mc help reference`\n"
    assert done.stderr == f"dio-mc: error DIO203: no such code, word or page: xxxxxxxx\n{hint}"
