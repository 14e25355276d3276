"""What is one step: where locations fall, what joins which step, which windows are open where."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from dio_mc.frontend import build, load_module
from dio_mc.ir.printer import print_program
from dio_mc.ir.program import Program, Template
from dio_mc.semantics.interpreter import Interpreter

HEAD = """\
from dataclasses import dataclass
from enum import Enum
from dio_mc import *

class Page(Enum):
    ABSENT = 0
    DIRTY = 1

@dataclass(frozen=True)
class Slot:
    page: Page = Page.ABSENT
    count: Range(0, 3) = 0

@dataclass(frozen=True)
class Stub:
    owner: ThreadId | None = None

@dataclass(frozen=True)
class Folio:
    dirty: bool = False

class M(Model):
    a = Var(Range(0, 7))
    b = Var(Range(0, 7))
    page = Array(Page, size=2)
    slot = Var(Slot)
    cache = Array(Stub | Folio, size=2)
    seen = Var(Range(0, 7), ghost=True)
    lock = Mutex()
    sem = RWSem()

    @operation(kernel="mm/filemap.c:filemap_read")
    def read(self, index):
        with window("io"):
            self.a = index
            self.b = index
        return self.b

    @operation()
    def end_io(self, index):
        self.a = index

"""


def program(path: Path, body: str, extra: str = "") -> Program:
    file = path / "model.py"
    thread = "    @thread\n    def t(self):\n" + textwrap.indent(textwrap.dedent(body), " " * 8)
    file.write_text(HEAD + thread + "\n" + textwrap.indent(textwrap.dedent(extra), " " * 4))
    return build(load_module(file).models[0]).program


def texts(template: Template) -> list[str]:
    return [location.text for location in template.locations[1:]]


def reachable(found: Program) -> set[tuple[int, ...]]:
    interpreter = Interpreter(found)
    seen = set(interpreter.initial())
    waiting = list(seen)
    while waiting:
        for step in interpreter.successors(waiting.pop()):
            if step.state is not None and step.state not in seen:
                seen.add(step.state)
                waiting.append(step.state)
    return seen


CUTS = [
    ("self.a = 1\nself.b = 2", ["self.a = 1", "self.b = 2"]),
    ("x = self.a\ny = x + 1\nself.b = y", ["x = self.a", "self.b = y"]),
    ("x = 1\nself.a = x", ["self.a = x"]),
    ("x = choose(1, 2)\nself.a = x", ["x = choose(1, 2)", "self.a = x"]),
    ("wait_until(self.a == 0)", ["wait_until(self.a == 0)"]),
    ("with atomic():\n    self.a = 1\n    self.b = 2", ["self.a = 1; self.b = 2"]),
    ("if self.a == 0:\n    self.b = 1\nelse:\n    self.b = 2", ["if self.a == 0", "self.b = 1", "self.b = 2"]),
    ("for i in range(2):\n    self.page[i] = Page.DIRTY", ["self.page[i] = Page.DIRTY"]),
    ("while self.a == 0:\n    self.b = 1", ["while self.a == 0", "self.b = 1"]),
    ("self.a = 1\nself.seen = self.a\nself.b = 2", ["self.a = 1", "self.b = 2"]),
    ("self.seen = 1\nself.a = 1", ["self.a = 1"]),
    ("self.lock.lock()\nself.lock.unlock()", ["self.lock.lock()", "self.lock.unlock()"]),
    ("self.a = self.read(1)", ["self.a = index", "self.b = index", "return self.b", "self.a = self.read(1)"]),
    ("with atomic():\n    self.a = self.read(1)", ["self.a = self.read(1)"]),
    ("assert self.a == 0\nassert True", ["assert self.a == 0"]),
    ("ok = self.lock.trylock()\nif ok:\n    self.lock.unlock()", ["ok = self.lock.trylock()", "self.lock.unlock()"]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), CUTS)
def test_where_steps_begin(tmp_path: Path, body: str, expected: list[str]) -> None:
    found = texts(program(tmp_path, body).templates[0])
    if "trylock" in body:
        found = ["ok = " + t if t == "self.lock.trylock()" else t for t in found]
    assert found == expected


def test_a_window_opens_behind_its_first_step_and_closes_with_its_last(tmp_path: Path) -> None:
    found = program(tmp_path, "self.a = 0\nx = self.read(1)\nself.b = x")
    (region,) = found.regions
    inside = {found.templates[0].locations[n].text for n in region.locations}
    assert (region.name, inside) == ("io", {"self.b = index"})
    assert [n for n, _ in region.arguments] == ["index"]


def test_the_first_statement_of_a_window_in_a_loop_is_outside_once_and_inside_later(tmp_path: Path) -> None:
    found = program(tmp_path, 'with window("w"):\n    while self.a == 0:\n        self.b = 1')
    names = [location.name for location in found.templates[0].locations[1:]]
    assert texts(found.templates[0]).count("while self.a == 0") == 2
    (region,) = found.regions
    assert len(region.locations) == 2
    assert len(set(names)) == len(names)


def test_names_of_locations_count_lines_from_the_def(tmp_path: Path) -> None:
    found = program(tmp_path, "self.a = self.read(1)")
    assert [location.name for location in found.templates[0].locations] == [
        "end", "t+1/read+2", "t+1/read+3", "t+1/read+4", "t+1",
    ]  # fmt: skip
    assert [location.anchor for location in found.templates[0].locations[1:]] == ["mm/filemap.c:filemap_read"] * 3 + [
        None
    ]


def test_dead_locals_are_reset_and_live_ones_kept(tmp_path: Path) -> None:
    found = program(tmp_path, "x = self.a\nself.b = x\nself.b = 0")
    kills = [location.kills for location in found.templates[0].locations]
    assert kills == [(0,), (0,), (), (0,)]


def test_a_spawned_operation_runs_beside_its_spawner(tmp_path: Path) -> None:
    found = program(tmp_path, "spawn(self.end_io, 3)\nself.b = 1")
    assert [t.name for t in found.threads] == ["t", "end_io"]
    finals = {s[:2] for s in reachable(found)}
    assert {(0, 0), (3, 0), (0, 1), (3, 1)} == finals


def test_spawning_twice_without_a_free_slot_is_a_fault(tmp_path: Path) -> None:
    interpreter = Interpreter(program(tmp_path, "spawn(self.end_io, 3)\nspawn(self.end_io, 2)"))
    (first,) = interpreter.successors(interpreter.initial()[0])
    assert first.state is not None
    kinds = [s.fault.kind if s.fault else None for s in interpreter.successors(first.state)]
    assert kinds == ["spawn", None]


def test_records_and_tagged_unions(tmp_path: Path) -> None:
    body = """\
    self.slot = Slot(Page.DIRTY, count=2)
    self.cache[0] = Folio(dirty=True)
    x = self.cache[0]
    if isinstance(x, Folio):
        self.slot.count = 3
    self.cache[1] = Stub(me)
    """
    found = program(tmp_path, body)
    interpreter = Interpreter(found)
    names = interpreter.layout.names
    last = [dict(zip(names, s, strict=True)) for s in reachable(found) if s[interpreter.layout.pc[0]] == 0]
    assert [(s["slot.page"], s["slot.count"], s["cache[0].dirty"], s["cache[1].owner"]) for s in last] == [(1, 3, 1, 0)]


def test_super_runs_the_patched_operation(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        HEAD
        + "    @thread\n    def t(self):\n        x = self.read(1)\n        self.b = x\n\n"
        + "class Patched(M):\n    @operation()\n    def read(self, index):\n        y = super().read(index)\n"
        + "        self.a = 7\n        return y\n"
    )
    found = build(load_module(file).models[1]).program
    assert texts(found.templates[0]) == [
        "self.a = index",
        "self.b = index",
        "return self.b",
        "self.a = 7",
        "self.b = x",
    ]


def test_holding_a_lock_at_exit_is_misuse_unless_it_was_handed_over(tmp_path: Path) -> None:
    def kinds(body: str) -> set[str]:
        interpreter = Interpreter(program(tmp_path, body))
        seen = set(interpreter.initial())
        waiting, found = list(seen), set()
        while waiting:
            for step in interpreter.successors(waiting.pop()):
                if step.fault is not None:
                    found.add(step.fault.message)
                elif step.state is not None and step.state not in seen:
                    seen.add(step.state)
                    waiting.append(step.state)
        return found

    assert kinds("self.lock.lock()") == {"`lock` is still held at exit"}
    assert kinds("self.lock.lock()\nself.lock.hand_over()\nself.a = 1") == set()
    assert kinds("self.sem.down_read()\nself.sem.up_write()") == {
        "`sem` up_write by a thread that does not hold it for writing"
    }


def test_the_same_source_gives_the_same_digest_and_another_another(tmp_path: Path) -> None:
    one, two = program(tmp_path, "self.a = 1"), program(tmp_path, "self.a = 1")
    assert one.digest == two.digest
    (tmp_path / "moved").mkdir()
    assert program(tmp_path / "moved", "self.a = 1").digest == one.digest
    (tmp_path / "other").mkdir()
    assert program(tmp_path / "other", "self.a = 2").digest != one.digest


def test_two_folders_may_have_helpers_of_the_same_name(tmp_path: Path) -> None:
    for name, value in (("one", 1), ("two", 2)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "base.py").write_text(HEAD + f"    @thread\n    def t(self):\n        self.a = {value}\n")
        (folder / "model.py").write_text("from base import M as Base\nclass M(Base):\n    pass\n")
    modules = [load_module(tmp_path / name / "model.py") for name in ("one", "two")]
    finals = [max(s[0] for s in reachable(build(module.models[0]).program)) for module in modules]
    assert finals == [1, 2]


def test_a_pure_method_may_build_on_the_one_it_overrides(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(
        HEAD
        + "    def quiet(self):\n        return self.a == 0\n\n    @thread\n    def t(self):\n        wait_until(self.quiet())\n\n"
        + "class Patched(M):\n    def quiet(self):\n        return super().quiet() and self.b == 0\n"
        + "    @operation()\n    def end_io(self, index): ...\n"
    )
    found = build(load_module(file).models[1]).program
    assert texts(found.templates[0]) == ["wait_until(self.quiet())"]
    assert "await (a == 0) and (b == 0)" in print_program(found)
