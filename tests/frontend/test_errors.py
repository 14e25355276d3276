"""Every DIO1xx code: the code, the line, the column and the words, for a model that is wrong in just this way."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from dio_mc.catalogue import PAGES
from dio_mc.errors import Diagnostic, ModelError
from dio_mc.frontend import build, load_module

HEAD = """\
from dataclasses import dataclass
from enum import Enum
import z3
from dio_mc import *

class Page(Enum):
    ABSENT = 0
    DIRTY = 1

@dataclass(frozen=True)
class Slot:
    page: Page
    count: Range(0, 3)

def busy(n):
    while n:
        n = n - 1

"""
FIRST = HEAD.count("\n") + 1
"""Line number of the first line of a case's own text."""

MODEL = """\
class M(Model):
    pages = Param(2, min=1, max=4)
    page = Array(Page, size=pages)
    n = Var(Range(0, 3))
    last = Var(Range(0, 3) | None)
    slot = Var(Slot, init=Slot(Page.ABSENT, 0))
    past = Var(Range(0, 3), ghost=True)
    lock = Mutex()

    @operation(kernel="mm/filemap.c:filemap_read")
    def read(self, index):
        self.n = index
        return self.n

    def dirty(self, i):
        return self.page[i] == Page.DIRTY

    @thread
    def t(self):
"""
BODY = FIRST + MODEL.count("\n")
"""Line number of the first line of the thread's body."""

BODIES = [
    # code, the thread's body (first line is line BODY), line in it, column, message
    ("DIO102", "try:\n    pass\nexcept ValueError:\n    pass", 1, 9, "`try` is not supported in a model"),
    ("DIO102", "x = [i for i in range(3)]", 1, 13, "a list comprehension is not supported in an expression"),
    ("DIO102", "x = max(i for i in range(3) if self.n == i)", 1, 13,
     "min and max cannot have a filter that depends on the state"),
    ("DIO102", "x = 1.5", 1, 13, "1.5 is not a value of the modelling language"),
    ("DIO102", "x = self.n / 2", 1, 13, "the operator `/` is not supported"),
    ("DIO102", "busy(3)", 1, 9, "`busy` cannot be called in a model"),
    ("DIO102", "self.page[0:1] = Page.DIRTY", 1, 9, "a slice is not supported"),
    ("DIO102", "with open('x'):\n    pass", 1, 9, "`with` takes atomic() or window(name)"),
    ("DIO102", "self.dirty(0)", 1, 9, "this call has no effect"),
    ("DIO103", "if self.page[0]:\n    pass", 1, 12, "a condition is a bool, not Page"),
    ("DIO103", "self.page[0] = 3", 1, 9, "Page is needed here, not 3"),
    ("DIO103", "self.n = Page.DIRTY", 1, 9, "0..3 is needed here, not Page.DIRTY"),
    ("DIO103", "self.n = self.page[0]", 1, 9, "0..3 is needed here, not Page"),
    ("DIO103", "if self.page[0] == 1:\n    pass", 1, 12, "Page and 1 cannot be compared"),
    ("DIO103", "if self.n is None:\n    pass", 1, 12, "a value of type 0..3 is never None"),
    ("DIO103", "if self.last < 2:\n    pass", 1, 12, "`<` does not order None"),
    ("DIO103", "if (self.n == 0) <= (self.n == 1):\n    pass", 1, 12, "`<=` does not order truth values"),
    ("DIO103", "self.page[self.page[0]] = Page.DIRTY", 1, 19, "an index is a number or a ThreadId, not Page"),
    ("DIO103", "self.page[7] = Page.DIRTY", 1, 19, "index 7 is outside 0..1"),
    ("DIO103", "self.n[0] = 1", 1, 9, "`self.n` cannot be indexed"),
    ("DIO103", "a, b = self.n, 1, 2", 1, 9, "2 targets for 3 values"),
    ("DIO103", "self.pages = 3", 1, 9, "cannot assign to 2"),
    ("DIO103", "self.lock = None", 1, 9, "`lock` is a lock; use its methods"),
    ("DIO103", "spawn(self.dirty, 0)", 1, 15, "`spawn` starts an operation of the model"),
    ("DIO103", "x = self.n % self.n", 1, 13, "the right side of `%` must be a positive constant"),
    ("DIO104", "self.pgae[0] = Page.DIRTY", 1, 9, "M has no attribute `pgae`"),
    ("DIO104", "self.page[0] = Page.DITRY", 1, 24, "enum Page has no member `DITRY`"),
    ("DIO104", "self.slot.cuont = 1", 1, 9, "`self.slot` has no attribute `cuont`"),
    ("DIO104", "x = nothing", 1, 13, "unknown name `nothing`"),
    ("DIO104", "self.lock.lokc()", 1, 9, "`self.lock` has no attribute `lokc`"),
    ("DIO105", "i = 0\nwhile self.n == 0:\n    i = i + 1", 3, 13, "`i` has no bound: it grows with every round"),
    ("DIO105", "i: int = 0", 1, 12, "`int` has no bounds, and every value here must be finite: use Range(low, high)"),
    ("DIO109", "i: Range(3, 1) = 0", 1, 12, "Range(3, 1) is empty"),
    ("DIO110", "x = self.read(0) + 1", 1, 13,
     "`read` takes steps, so its call cannot be part of a larger expression"),
    ("DIO110", "if self.lock.trylock():\n    pass", 1, 12,
     "`trylock` takes steps, so its call cannot be part of a larger expression"),
    ("DIO111", "self.read()", 1, 9, "`read` needs an argument for `index`"),
    ("DIO111", "self.read(0, 1)", 1, 9, "`read` takes one argument, not 2"),
    ("DIO111", "self.read(idnex=0)", 1, 9, "`read` has no free parameter `idnex`"),
    ("DIO111", "self.slot = Slot(Page.DIRTY)", 1, 21, "Slot needs a value for `count`"),
    ("DIO111", "wait_until(True, False)", 1, 9, "`wait_until` takes one condition"),
    ("DIO112", "self.n = self.past", 1, 9, "ghost `past` would influence the program"),
    ("DIO112", "if self.past == 1:\n    self.n = 1", 1, 12, "ghost `past` would influence the program"),
    ("DIO112", "wait_until(self.past == 1)", 1, 20, "ghost `past` would influence the program"),
    ("DIO113", "x = self.at_rest()", 1, 13, "`at_rest` may be asked by properties only"),
    ("DIO114", "x = 1 + choose(0, 1)", 1, 17, "`choose` cannot stand in an expression"),
    ("DIO114", "choose(0, 1)", 1, 9, "the chosen value is not used"),
    ("DIO114", "with atomic():\n    with window('w'):\n        self.n = 1", 2, 13,
     "a window inside an atomic block is never seen open"),
    ("DIO114", "require(True, 'x')", 1, 9, "`require` is for the methods of locks and parts"),
    ("DIO114", "return 1", 1, 9, "a thread returns nothing"),
    ("DIO114", "if z3.Not(True):\n    pass", 1, 12, "z3's `Not` cannot stand in a thread body"),
    ("DIO115", "x = x + 1", 1, 13, "local `x` is read before it is assigned"),
    ("DIO115", "self.n = x\nx = 1", 1, 9, "local `x` is not assigned on every way that leads here"),
    ("DIO115", "if self.n == 0:\n    x = 1\nself.n = x", 3, 9,
     "local `x` is not assigned on every way that leads here"),
    ("DIO116", "x = 1\nx = Page.DIRTY", 2, 9, "`x` is assigned values of different types"),
]  # fmt: skip

CLASSES = [
    # code, text after HEAD, line in it, column, message
    ("DIO100", "class M(Model:\n    pass\n", 1, 14, "invalid syntax"),
    ("DIO101", "raise ValueError('no such disk')\n", 1, 1, "importing the model raised ValueError: no such disk"),
    ("DIO105", "class M(Model):\n    n = Var(int)\n    @thread\n    def t(self): pass\n", 2, 5,
     "`n`: `int` has no bounds, and every value here must be finite: use Range(low, high)"),
    ("DIO106", "class M(Model):\n    n = Var(bool)\n    @operation()\n    def a(self):\n        self.n = True\n"
     "        self.a()\n    @thread\n    def t(self):\n        self.a()\n", 6, 9, "`a` calls itself"),
    ("DIO106", "class M(Model):\n    n = Var(Range(0, 3))\n    def f(self, i):\n        return self.f(i)\n    @thread\n"
     "    def t(self):\n        self.n = self.f(1)\n", 4, 16, "`f` calls itself without end"),
    ("DIO109", "class M(Model):\n    n = Var(bool)\n    @operation(depth=0)\n    def a(self):\n        self.n = True\n"
     "    @thread\n    def t(self):\n        self.a()\n", 4, 5, "operation `a` has depth 0; it is from 1 to 8"),
    ("DIO107", "class M(Model):\n    n = Var(bool)\n", 1, 1, "M has no @thread"),
    ("DIO108", "class M(Model):\n    deadlock = False\n    @thread\n    def t(self): pass\n", 1, 1,
     "M has nothing to check"),
    ("DIO119", "class M(Model):\n    n = Var(bool)\n    @operation(kernel='do_fsync')\n    def a(self): self.n = True\n"
     "    @thread\n    def t(self): self.a()\n", 4, 5,
     "kernel anchor: 'do_fsync' is not of the form file.c:function @versions"),
    ("DIO119", "class M(Model):\n    n = Var(bool)\n    @operation(kernel='fs/a.c:b @6.12-6.1')\n    def a(self): pass\n"
     "    @thread\n    def t(self): self.n = True\n", 4, 5, "kernel anchor: the range '6.12-6.1' ends before it begins"),
    ("DIO119", "class M(Model):\n    n = Var(bool)\n    anchors = {'b': 'fs/a.c:b'}\n    @operation()\n    def a(self): pass\n"
     "    @thread\n    def t(self): self.n = True\n", 3, 5, "`anchors` of M names `b`, which is not an operation"),
    ("DIO119", "class M(Model):\n    n = Var(bool)\n    anchors = {'a': 'fs/a.c'}\n    @operation()\n    def a(self): pass\n"
     "    @thread\n    def t(self): self.n = True\n", 3, 5,
     "kernel anchor: 'fs/a.c' is not of the form file.c:function @versions"),
    ("DIO109", "class M(Model):\n    n = Var(Page, init=3)\n    @thread\n    def t(self): pass\n", 2, 5,
     "`n`: 3 is not a value of Page"),
    ("DIO109", "class M(Model):\n    a = Array(Page, size=2, init=[Page.DIRTY])\n    @thread\n    def t(self): pass\n", 2, 5,
     "`a`: init lists 1 values for an array of 2"),
    ("DIO109", "class M(Model):\n    n = Var(str)\n    @thread\n    def t(self): pass\n", 2, 5,
     "`n`: `str` is not a finite type: use bool, an Enum, Range, ThreadId, or a frozen dataclass"),
    ("DIO109", "class M(Model):\n    n = Var(bool)\n    @thread(instances='two')\n    def t(self): pass\n", 4, 5,
     "thread `t` has 'two' instances; a whole number or a parameter is needed"),
    ("DIO111", "class M(Model):\n    n = Var(bool)\n    @thread\n    def t(self, a, b): pass\n", 4, 5,
     "thread `t` takes 2 parameters"),
    ("DIO111", "class M(Model):\n    n = Var(bool)\n    @thread\n    def t(): pass\n", 4, 5, "`t` does not take `self`"),
    ("DIO113", "class M(Model):\n    n = Var(bool)\n    @thread\n    def t(self): pass\n    @invariant\n"
     "    def p(self):\n        for i in (1, 2):\n            pass\n        return self.n\n", 7, 9,
     "a property is names for expressions and one `return`"),
    ("DIO113", "class M(Model):\n    n = Var(bool)\n    @thread\n    def t(self): pass\n    @invariant\n"
     "    def p(self): return self.n and me == me\n", 6, 36,
     "`me` has no meaning in a property: no thread is running it"),
    ("DIO104", "class M(Model):\n    n = Var(bool)\n    @thread\n    def t(self):\n        with window('io'):\n"
     "            self.n = True\n    @invariant\n    def p(self): return not self.inside('oi')\n", 8, 41,
     'no thread ever enters "oi"'),
    ("DIO117", "class M(Model, abstract=True):\n    pass\nexpect(M, holds=True)\n", 3, 1,
     "M is abstract and is not checked"),
    ("DIO301", "class M(Model):\n    a = Var(bool)\n    b = Var(bool)\n    @thread\n    def t(self):\n"
     "        self.a = self.b\n", 6, 9, "touches `a` and `b` in one step"),
    ("DIO302", "class M(Model):\n    n = Var(Range(0, 3))\n    @thread\n    def t(self):\n        self.n += 1\n", 5, 9,
     "reads and writes `n` in one step"),
]  # fmt: skip


def diagnostics(path: Path, text: str) -> list[Diagnostic]:
    path.write_text(text)
    try:
        built = build(load_module(path).models[0])
    except ModelError as error:
        return list(error.diagnostics)
    return list(built.warnings)


def the_one(found: list[Diagnostic], code: str) -> Diagnostic:
    assert [d.code for d in found] == [code], [d.head for d in found]
    return found[0]


@pytest.mark.parametrize(("code", "body", "line", "column", "message"), BODIES)
def test_body(tmp_path: Path, code: str, body: str, line: int, column: int, message: str) -> None:
    text = HEAD + MODEL + textwrap.indent(body, " " * 8) + "\n"
    found = the_one(diagnostics(tmp_path / "model.py", text), code)
    assert found.span is not None
    assert (found.span.line - BODY + 1, found.span.column, found.message) == (line, column, message)


@pytest.mark.parametrize(("code", "text", "line", "column", "message"), CLASSES)
def test_class(tmp_path: Path, code: str, text: str, line: int, column: int, message: str) -> None:
    found = the_one(diagnostics(tmp_path / "model.py", HEAD + text), code)
    assert found.span is not None
    assert (found.span.line - FIRST + 1, found.span.column, found.message) == (line, column, message)


def test_a_file_without_a_model(tmp_path: Path) -> None:
    found = the_one(diagnostics(tmp_path / "model.py", "x = 1\n"), "DIO107")
    assert found.head.endswith("model.py: error DIO107: no model in this file")


def test_all_errors_at_once_in_order(tmp_path: Path) -> None:
    body = "self.pgae[0] = Page.DIRTY\nx = self.read(0) + 1\nself.page[0] = 3\n"
    found = diagnostics(tmp_path / "model.py", HEAD + MODEL + textwrap.indent(body, " " * 8))
    assert [(d.code, d.span.line - BODY + 1) for d in found if d.span] == [("DIO104", 1), ("DIO110", 2), ("DIO103", 3)]


def test_the_rendering_has_source_caret_and_hint(tmp_path: Path) -> None:
    text = HEAD + MODEL + "        self.pgae[0] = Page.DIRTY\n"
    (found,) = diagnostics(tmp_path / "model.py", text)
    head, source, caret, hint = found.render().splitlines()
    assert head.endswith(f"model.py:{BODY}:9: error DIO104: M has no attribute `pgae`")
    assert source == f"{BODY:5d} |         self.pgae[0] = Page.DIRTY"
    assert caret == "      |         ^^^^^^^^^"
    assert hint == "  hint: did you mean `page`?"


def test_an_import_that_raises_shows_the_users_frames_only(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("def f():\n    return 1 // 0\n")
    (found,) = diagnostics(tmp_path / "model.py", "import helper\nhelper.f()\n")
    assert found.span is not None
    assert (Path(found.span.file).name, found.span.line) == ("helper.py", 2)
    assert found.message == "importing the model raised ZeroDivisionError: integer division or modulo by zero"
    assert found.hint == "imported from model.py:2"


def test_every_model_code_of_the_catalogue_has_a_case_here() -> None:
    cases = {code for code, *_ in [*BODIES, *CLASSES]} | {"DIO107"}
    wanted = {code for code in PAGES if code.startswith("DIO1")} | {"DIO301", "DIO302"}
    assert wanted - cases == {"DIO118"}  # needs a function without source: test_no_source


def test_no_source(tmp_path: Path) -> None:
    text = HEAD + "body = {}\nexec('def t(self): pass', body)\nclass M(Model):\n    t = thread(body['t'])\n"
    found = the_one(diagnostics(tmp_path / "model.py", text), "DIO118")
    assert found.message == "the source of `t` cannot be read"
