"""SPIN and Rumur run what is exported: exactly as many states, and the same verdicts (`benchmarks/exports.py`).

A few programs that use all of the language between them, or with ``DIO_MC_EXPORT_ALL=1`` every class of `models/` and
every workload under every rule, which takes a C compiler some twenty minutes.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import assert_never, get_args

import pytest

from dio_mc.checking.expectations import bindings_of
from dio_mc.frontend import build, load_module
from dio_mc.ir.expr import Expr, walk
from dio_mc.ir.ops import Assign, Await, Branch, Check, Choose, Halt, LocalTo, Op, Spawn
from dio_mc.study.registry import open_registry, program_named

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "benchmarks" / "EXPORTS.md"
ALL = bool(os.environ.get("DIO_MC_EXPORT_ALL"))
FEW = (
    ("seed/ext3_2_6_18.py", "Ext3"), ("seed/placeholder.py", "Placeholder"), ("seed/xfs_own_locking.py", "XfsAsserts"),
    ("toys/peterson.py", "Peterson"), ("toys/crash.py", "InPlace"), ("toys/philosophers.py", "Philosophers@n=2"),
    ("toys/readers_writers.py", "WriterIgnoresReaders"), ("toys/bounded_buffer.py", "TestThenTake"),
    ("history/p4_eexist.py", "LooksAgain@own=1"), ("history/r06_aio_no_late_invalidate.py", "CompletionInvalidates"),
    ("history/r29_double_complete.py", "FailsAfterwards"), ("history/r22_isize_lost_update.py", "Unlocked"),
    ("history/r41_endless_truncate.py", "ReadersTakeNoLock"), ("history/r38_setattr_vs_endio.py", "CompletionLocks"),
)  # fmt: skip
PRODUCTS = ("torn_read__iomap_today@written",)
LANGUAGE = '''\
from enum import Enum

from dio_mc import *

class Kind(Enum):
    A = 0
    B = 1
    C = 2

class Language(Model):
    """What the shipped models do not use."""
    first = Var(Range(-1, 1), init=any)
    kind = Array(Kind, size=2)
    count = Var(Range(0, 5))
    lock = Mutex()

    @thread
    def one(self):
        pick = choose(0, 1)
        with atomic():
            self.kind[pick] = Kind.B if self.first < 0 else Kind.C
            self.count = (self.first - 1) % 4 + (self.count + 3) // 2

    @thread
    def two(self):
        self.lock.lock()
        self.count = self.count - 1
        self.lock.unlock()

    @invariant
    def never_both(self):
        return not (self.kind[0] == Kind.B and self.count == 2)
'''


NO_DEADLOCK = '''
from dio_mc import Model, Var, invariant, thread, wait_until

class OnlyDaemons(Model):
    """Who may wait for ever is never stuck."""
    x = Var(bool)

    @thread(daemon=True)
    def t(self):
        self.x = True

    @invariant
    def p(self):
        return not self.x

class NotAsked(Model):
    """A deadlock that is not an error here."""
    deadlock = False
    x = Var(bool)

    @thread
    def t(self):
        self.x = True
        wait_until(not self.x)

    @invariant
    def p(self):
        return self.x or not self.x
'''


@pytest.fixture(scope="module")
def exports():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import exports as module

        yield module
    sys.modules.pop("exports", None)


def shipped_class(file: str, name: str):
    for model in load_module(ROOT / "models" / file).models:
        for params, _ in bindings_of(model, {}):
            made = build(model, params).program
            if made.name == name:
                return made
    raise AssertionError(f"no {name} in {file}")


def language(folder: Path):
    (folder / "language.py").write_text(LANGUAGE)
    return build(load_module(folder / "language.py").models[0], {}).program


def few(folder: Path):
    registry = open_registry(ROOT / "models")
    programs = [shipped_class(*one) for one in FEW] + [program_named(registry, name) for name in PRODUCTS]
    return [*programs, language(folder)]


@pytest.mark.skipif(None in map(shutil.which, ("spin", "rumur", "gcc")), reason="needs spin, rumur, gcc (.ci/run)")
@pytest.mark.parametrize(("file", "name"), FEW)
def test_a_class(exports, file: str, name: str) -> None:
    assert exports.row(file, shipped_class(file, name)).differences == []


@pytest.mark.skipif(None in map(shutil.which, ("spin", "rumur", "gcc")), reason="needs spin, rumur, gcc (.ci/run)")
@pytest.mark.parametrize("name", PRODUCTS)
@pytest.mark.slow
def test_a_workload_under_a_rule(exports, name: str) -> None:
    assert exports.row(name, program_named(open_registry(ROOT / "models"), name)).differences == []


@pytest.mark.skipif(None in map(shutil.which, ("spin", "rumur", "gcc")), reason="needs spin, rumur, gcc (.ci/run)")
def test_the_rest_of_the_language(exports, tmp_path: Path) -> None:
    found = exports.row("language", language(tmp_path))
    assert found.differences == []
    assert found.reference.violated >= {"never_both"}


@pytest.mark.skipif(None in map(shutil.which, ("spin", "rumur", "gcc")), reason="needs spin, rumur, gcc (.ci/run)")
@pytest.mark.parametrize("number", [0, 1], ids=["only daemons", "not asked"])
def test_where_nobody_can_be_stuck(exports, number: int, tmp_path: Path) -> None:
    """SPIN refuses a loop that is always there."""
    (tmp_path / "free.py").write_text(NO_DEADLOCK)
    found = exports.row("free", build(load_module(tmp_path / "free.py").models[number], {}).program)
    assert found.differences == []
    assert found.reference.violated == ({"p"} if number == 0 else set())


@pytest.mark.skipif(None in map(shutil.which, ("spin", "rumur", "gcc")), reason="needs spin, rumur, gcc (.ci/run)")
@pytest.mark.skipif(not ALL, reason="DIO_MC_EXPORT_ALL is not set: it takes a C compiler some twenty minutes")
def test_every_shipped_model(exports) -> None:
    assert [(r.program, r.differences) for r in (exports.row(*one) for one in exports.shipped()) if r.differences] == []


@pytest.mark.skipif(None in map(shutil.which, ("spin", "rumur", "gcc")), reason="needs spin, rumur, gcc (.ci/run)")
@pytest.mark.parametrize(
    ("target", "lost", "told"), [("promela", "dirty_0 = 1;", "SPIN"), ("murphi", "dirty_0 := 1;", "Rumur")]
)
def test_a_wrong_export_is_noticed(exports, target, lost, told, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(exports, target)
    monkeypatch.setattr(
        exports, target, lambda program: right(program).replace(lost, "skip;" if told == "SPIN" else "")
    )
    (difference, *_) = exports.row("seed", shipped_class(*FEW[0])).differences
    assert difference.startswith(f"{told}: ")


def test_every_kind_of_difference_is_told(exports) -> None:
    right, none = exports.Answer(7, frozenset({"a", "b"})), exports.Answer(7, frozenset())
    first = exports.Answer(7, frozenset({"a"}))
    row = exports.Row("file", "Model", right, right, right, first)
    assert row.differences == [], "Rumur stops at its first error"
    assert replace(row, spin=exports.Answer(8, right.violated)).differences == ["SPIN: 8 states, a, b"]
    assert replace(row, reduced=none).differences == ["SPIN, reduced: -"]
    assert replace(row, rumur=none).differences == ["Rumur: -"]
    assert replace(row, rumur=exports.Answer(6, frozenset({"c"}))).differences == ["Rumur: 6 states", "Rumur: c"]


def test_the_committed_table_has_no_difference() -> None:
    text = TABLE.read_text()
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][1:]
    assert rows
    assert f"\n{len(rows)} programs, " in text
    for file, name, states, spin, rumur, violated, reduced, first in rows:
        assert states == spin == rumur, (file, name)
        assert reduced == "same"
        assert {first} <= {*violated.split(", ")}


def test_the_few_use_all_of_the_language(tmp_path: Path) -> None:
    ops, exprs, kinds = set(), set(), set()
    for program in few(tmp_path):
        kinds |= {one.kind for one in program.properties}
        found = [one.expr for one in program.properties if one.expr is not None]
        for block in (b for template in program.templates for b in template.blocks):
            ops |= {type(op) for op in block.ops}
            found += [e for op in block.ops for e in expressions(op)]
            found += [block.terminator.condition] if isinstance(block.terminator, Branch) else []
        exprs |= {type(part) for expr in found for part in walk(expr)}
    assert {c.__name__ for c in get_args(Op)} - {c.__name__ for c in ops} == set()
    assert {c.__name__ for c in get_args(Expr)} - {c.__name__ for c in exprs} == set()
    assert kinds == {"invariant", "step", "reachable", "progress", "always_reachable"}


def expressions(op):
    match op:
        case Await(condition) | Check(condition):
            return [condition]
        case Assign(targets, values):
            return [*values, *(i for t in targets if not isinstance(t, LocalTo) for i in t.indices)]
        case Choose(_, options):
            return [e for option in options for e in (option.when, option.value) if e is not None]
        case Spawn(_, arguments):
            return list(arguments)
        case Halt():
            return []
        case _:
            assert_never(op)
