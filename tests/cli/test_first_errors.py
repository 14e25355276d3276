"""What somebody gets wrong in the first hour, word for word: at their own line, once, with the way out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_check import dio_mc

import dio_mc as dio_mc_package

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
    "a constant of C": (
        MODEL + THREAD + "        self.x = true\n",
        """\
m.py:7:18: error DIO104: unknown name `true`
    7 |         self.x = true
      |                  ^^^^
  hint: did you mean `True`?
""",
    ),
    "a method that a lock has not": (
        "class M(Model):\n    m = Array(PageLock, size=2)\n" + THREAD + "        wait_until(not self.m[0].locked())\n",
        """\
m.py:7:24: error DIO104: `self.m[...]` has no attribute `locked`
    7 |         wait_until(not self.m[0].locked())
      |                        ^^^^^^^^^^^^^^^^
  hint: `PageLock` has `held_by`, `is_locked`, `lock`, `trylock`, `lock_killable`, `unlock`, `hand_over`, `unlock_non_owner`
""",
    ),
    "with a lock": (
        "class M(Model):\n    m = Mutex()\n" + THREAD + "        with self.m:\n            pass\n",
        """\
m.py:7:9: error DIO102: `with` takes atomic() or window(name)
    7 |         with self.m:
      |         ^^^^^^^^^^^^
  hint: write `self.m.lock()` before and `self.m.unlock()` after it
""",
    ),
    "spawn of a call": (
        MODEL
        + "    @operation()\n    def op(self, i):\n        self.x = True\n"
        + THREAD
        + "        spawn(self.op(1))\n",
        """\
m.py:10:15: error DIO111: `spawn` takes an operation, not a call of it
   10 |         spawn(self.op(1))
      |               ^^^^^^^^^^
  hint: `spawn` calls it: `spawn(self.op, 1)`
""",
    ),
    "an operation in a property": (
        MODEL
        + "    @operation()\n    def op(self):\n        self.x = True\n"
        + THREAD
        + "        self.op()\n    @invariant\n    def p(self):\n        return self.op()\n",
        """\
m.py:13:16: error DIO110: `op` takes steps, and a property takes none
   13 |         return self.op()
      |                ^^^^^^^^^
  hint: a property reads the data; a method with one return and no decorator may say how
""",
    ),
    "a wrong argument of the vocabulary": (
        "class M(File):\n" + THREAD + "        self.bio_write(0, 1)\n",
        """\
m.py:6:9: error DIO103: Data is needed here, not 1
    6 |         self.bio_write(0, 1)
      |         ^^^^^^^^^^^^^^^^^^^^
  hint: the call runs `self.disk[i * self.sectors + s] = data` (kernel/file.py:LINE)
""",
    ),
    "a wrong answer to the vocabulary": (
        "class M(File):\n    @operation()\n    def get_block(self, i):\n        return Data.NEW\n"
        + THREAD
        + "        self.seen[0] = self.direct_read(0)\n",
        """\
m.py:9:24: error DIO103: Data and Block.MAPPED cannot be compared
    9 |         self.seen[0] = self.direct_read(0)
      |                        ^^^^^^^^^^^^^^^^^^^
  hint: the call runs `data = self.disk[i * self.sectors] if block == Block.MAPPED else self.without_block(block)` \
(kernel/file.py:LINE)
m.py:9:24: error DIO103: Data and Block.MAPPED cannot be compared
    9 |         self.seen[0] = self.direct_read(0)
      |                        ^^^^^^^^^^^^^^^^^^^
  hint: the call runs `data = data if block != Block.MAPPED else mixture(data, self.disk[i * self.sectors + s])` \
(kernel/file.py:LINE)
""",
    ),
    "a parameter that expect misspells": (
        "class M(Model):\n    pages = Param(2)\n    x = Array(bool, size=pages)\n"
        + THREAD
        + "        self.x[0] = True\n\nexpect(M, holds=True, page=3)\n",
        """\
m.py:10:1: error DIO117: M has no parameter `page`
   10 | expect(M, holds=True, page=3)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: did you mean `pages`?
""",
    ),
    "an operation that returns nothing": (
        MODEL
        + "    @operation()\n    def op(self):\n        self.x = False\n"
        + THREAD
        + "        self.x = self.op()\n",
        """\
m.py:10:9: error DIO103: bool is needed here, not None
   10 |         self.x = self.op()
      |         ^^^^^^^^^^^^^^^^^^
  hint: `self.op` returns nothing
""",
    ),
    "an anchor without its name": (
        MODEL + '    @operation("mm/filemap.c:f")\n    def op(self):\n        pass\n' + THREAD + "        self.op()\n",
        """\
m.py:5:6: error DIO101: importing the model raised TypeError: a decorator marks a method, not 'mm/filemap.c:f': its \
options have names, as in kernel=...
    5 |     @operation("mm/filemap.c:f")
      |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^
""",
    ),
    "a word of another module": (
        "from dio_mc import PageCache as Cache\n" + MODEL + THREAD + "        self.x = True\n",
        """\
m.py:3:1: error DIO101: importing the model raised ImportError: cannot import name 'PageCache' from 'dio_mc' (PACKAGE)
    3 | from dio_mc import PageCache as Cache
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  hint: from dio_mc.kernel import PageCache
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
        shown = re.sub(r"(?<=kernel/file\.py:)\d+", "LINE", done.stderr).replace(
            str(dio_mc_package.__file__), "PACKAGE"
        )
        assert shown == message


def test_a_trace_is_not_a_model(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(HEAD + MODEL + THREAD + "        self.x = True\n")
    hint = "  hint: a counterexample is a .json file below counterexamples/, which `dio-mc check` writes\n"
    for command in ("show", "why", "replay"):
        told = dio_mc(command, "m.py", cwd=tmp_path).stderr
        assert told == f"m.py: error DIO205: not JSON: Expecting value at line 1, column 1\n{hint}"
        assert dio_mc(command, ".", cwd=tmp_path).stderr == f".: error DIO205: cannot be read: Is a directory\n{hint}"


def test_any_takes_no_file(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(HEAD + MODEL + THREAD + "        self.x = True\n")
    told = dio_mc("check", "--any", "m.py", cwd=tmp_path).stderr
    assert told.endswith("Error: --any takes threads and parameters, or `all`: --any all m.py\n")


def test_what_was_expected_and_holds_is_not_called_violated(tmp_path: Path) -> None:
    properties = "    @invariant\n    def p(self):\n        return not self.x\n"
    properties += "    @invariant\n    def q(self):\n        return self.x or not self.x\n"
    expected = '\nexpect(M, violates="q")\n\nclass N(M):\n    pass\n'
    (tmp_path / "m.py").write_text(HEAD + MODEL + THREAD + "        self.x = True\n" + properties + expected)
    lines = dio_mc("check", "m.py", cwd=tmp_path).stdout.splitlines()
    assert lines[-4:-1] == ["Unexpected results:", "  VIOLATED  m.py M  p, q (holds)", "  VIOLATED  m.py N  p"]


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
        (
            "lost_write",
            'lost_write: from dio_mc.kernel.families import families; class Judged(families("lost_write"), ...)\n\n',
        ),
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
