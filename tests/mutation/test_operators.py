"""Which mutants there are: one table row per form of statement, as the author reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from mutated import LOCKED, body, check, listed, load, named

from dio_mc import lang
from dio_mc.checking.driver import check_class
from dio_mc.errors import ModelError
from dio_mc.frontend.calls import is_pure
from dio_mc.lang.locks import Lock
from dio_mc.mutation.locks import KNOWN
from dio_mc.mutation.mutants import KINDS, mutants_of

LOCK = "lock = Mutex()"
ROWS = [
    ("a wait", "wait_until(self.y == 0)\nreturn", "", [("wait", "without `wait_until(self.y == 0)`")]),
    ("waiting for IO in flight", "self.dio.wait()", "dio = DrainCounter()",
     [("lock", "without `dio`"), ("wait", "without `self.dio.wait()`")]),
    ("a store", "self.x = 1", "", [("store", "without `self.x = 1`")]),
    ("no store: a local", "seen = self.x", "", []),
    ("one part of a wait", "wait_until(self.x == 0 or self.y == 1)", "", [
        ("wait", "without `wait_until(self.x == 0 or self.y == 1)`"),
        ("condition", "`self.x == 0 or self.y == 1` without `self.x == 0`"),
        ("condition", "`self.x == 0 or self.y == 1` without `self.y == 1`"),
    ]),
    ("a check", "if self.x == 0:\n    return\nwait_until(True)", "", [
        ("check", "`if self.x == 0` taken as false"),
        ("check", "`if self.x == 0` taken as true"),
        ("wait", "without `wait_until(True)`"),
    ]),
    ("no check: a parameter", "if self.p > 1:\n    pass", "p = Param(1, min=1, max=2)", []),
    ("a loop that looks again", "again = True\nwhile again:\n    again = self.x == 0", "",
     [("check", "`while again` does not test again")]),
    ("no such loop: it is left from inside", "while self.x == 0:\n    break", "", []),
    ("neighbours", "self.x = 1\nself.y = 1", "", [
        ("store", "without `self.x = 1`"),
        ("store", "without `self.y = 1`"),
        ("swap", "`self.y = 1` before `self.x = 1`"),
    ]),
    ("no neighbours: one step", "with atomic():\n    self.x = 1\n    self.y = 1", "", [
        ("atomic", "`self.x = 1; self.y = 1` in several steps"),
        ("store", "without `self.x = 1`"),
        ("store", "without `self.y = 1`"),
    ]),
    ("no neighbours: the second needs the first", "seen = self.x\nself.y = seen", "", [("store", "without `self.y = seen`")]),
    ("no atomic block: one statement", "with atomic():\n    self.x = 1", "", [("store", "without `self.x = 1`")]),
    ("a critical section", "self.lock.lock()\nself.x = 1\nself.y = 1\nself.lock.unlock()", LOCK, [
        ("lock", "without `self.lock.lock()` and its release"),
        ("store", "without `self.x = 1`"),
        ("shrink", "`self.x = 1` before `self.lock.lock()`"),
        ("store", "without `self.y = 1`"),
        ("swap", "`self.y = 1` before `self.x = 1`"),
        ("shrink", "`self.lock.unlock()` before `self.y = 1`"),
    ]),
    ("a larger section is not a mutant", "self.x = 1\nself.lock.lock()\nself.lock.unlock()\nself.y = 1", LOCK, [
        ("store", "without `self.x = 1`"),
        ("lock", "without `self.lock.lock()` and its release"),
        ("store", "without `self.y = 1`"),
    ]),
    ("two locks in the other order", "self.a.lock()\nself.b.lock()\nself.b.unlock()\nself.a.unlock()", "a = Mutex()\nb = Mutex()", [
        ("lock", "without `self.a.lock()` and its release"),
        ("lock", "without `self.b.lock()` and its release"),
        ("swap", "`self.b.lock()` before `self.a.lock()`"),
    ]),
    ("a lock that is tried", "got = self.lock.trylock()\nif got:\n    self.lock.unlock()", LOCK, [
        ("lock", "`self.lock.trylock()` succeeds and locks nothing"),
        ("check", "`if got` taken as false"),
        ("check", "`if got` taken as true"),
    ]),
    ("a lock that changes hands goes as a whole", "self.lock.lock()\nself.lock.hand_over()\nself.lock.unlock_non_owner()", LOCK,
     [("lock", "without `lock`")]),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "data", "expected"), [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_the_mutants_of(tmp_path: Path, statements: str, data: str, expected: list[tuple[str, str]]) -> None:
    assert listed(load(tmp_path, body(statements, data))) == expected


CALLS = """\
    @operation()
    def invalidate(self, i):
        gone = self.x == i
        return gone
    @operation()
    def count(self):
        return self.x
    @operation()
    def touch(self):
        pass
"""


def test_calls(tmp_path: Path) -> None:
    """What says whether something is so is taken to be so; a number is not guessed; a thread's calls are its work."""
    text = body("gone = self.invalidate(0)\nn = self.count()\nself.touch()", properties=CALLS)
    assert [row for row in listed(load(tmp_path, text)) if row[0] == "call"] == [
        ("call", "`gone = True` instead of `self.invalidate(0)`"), ("call", "without `self.touch()`"),
    ]  # fmt: skip


def test_every_kind_is_made_and_every_mutant_has_one(tmp_path: Path) -> None:
    found = {kind for _, statements, data, _ in ROWS for kind, _ in listed(load(tmp_path, body(statements, data)))}
    assert found | {"call", "undo"} == set(KINDS)  # `undo`: test_fixed.py


def test_conditions_with_a_name(tmp_path: Path) -> None:
    named_condition = "    def ready(self):\n        return self.x == 0 and self.y == 0\n"
    text = body("wait_until(self.ready())", properties=named_condition)
    assert listed(load(tmp_path, text))[1:] == [
        ("condition", "`self.x == 0 and self.y == 0` without `self.x == 0`"),
        ("condition", "`self.x == 0 and self.y == 0` without `self.y == 0`"),
    ]
    asked = text.replace("return self.x < 3", "return self.ready() or self.x < 3")
    assert listed(load(tmp_path, asked)) == [("wait", "without `wait_until(self.ready())`")]


def test_only_what_runs_is_mutated(tmp_path: Path) -> None:
    text = body("pass", properties="    @operation()\n    def idle(self):\n        self.x = 1\n")
    patched = text + "\nclass P(M):\n    @operation()\n    def go(self):\n        self.y = 1\n"
    assert listed(load(tmp_path, text)) == []
    assert listed(load(tmp_path, patched, "P")) == [("store", "without `self.y = 1`")]
    both = (
        text.replace("def go(self):\n        pass", "def go(self):\n        self.x = 2")
        + patched.split(")\n", 1)[1][:0]
    )
    both += "\nclass P(M):\n    @operation()\n    def go(self):\n        super().go()\n"
    assert listed(load(tmp_path, both, "P")) == [("store", "without `self.x = 2`"), ("call", "without `super().go()`")]


def test_the_lines_and_the_order(tmp_path: Path) -> None:
    model = load(tmp_path, LOCKED)
    found = mutants_of(model)
    assert [m.number for m in found] == list(range(len(found)))
    lines = [m.span.line for m in found]
    assert lines == sorted(lines)
    assert LOCKED.splitlines()[found[0].span.line - 1].strip() == "self.lock.lock()"
    assert {m.function for m in found} == {"increment"}
    assert found == mutants_of(load(tmp_path, LOCKED))


# --- what they do -----------------------------------------------------------------------------------------------------


def test_a_dropped_lock_loses_an_increment(tmp_path: Path) -> None:
    model = load(tmp_path, LOCKED)
    assert check_class(model).verdict == "HOLDS"
    for text in (
        "without `self.lock.lock()` and its release",
        "`seen = self.x` before `self.lock.lock()`",
        "`self.lock.unlock()` before `self.x = seen + 1`",
    ):
        report = check(model, named(model, text))
        assert [v.property for v in report.violations] == ["nothing_lost"], text
    assert check_class(model).verdict == "HOLDS"


def test_a_release_elsewhere_is_skipped_by_who_does_not_hold_it(tmp_path: Path) -> None:
    """One function locks, another unlocks, for two kinds of threads; only one kind's lock is dropped."""
    text = LOCKED.replace("        self.lock.lock()\n", "        self.take()\n").replace(
        "        self.lock.unlock()\n", "        self.give()\n"
    ).replace("    @invariant", """\
    @operation()
    def take(self):
        self.lock.lock()
    @operation()
    def give(self):
        self.lock.unlock()
    @thread
    def other(self):
        self.lock.lock()
        self.give()
    @invariant""")  # fmt: skip
    model = load(tmp_path, text)
    first, second = [m for m in mutants_of(model) if m.kind == "lock"]
    assert [v.property for v in check(model, first).violations] == ["nothing_lost"]
    assert check(model, second).verdict == "HOLDS"


def test_a_lock_that_is_tried(tmp_path: Path) -> None:
    text = LOCKED.replace(
        "        self.lock.lock()\n",
        "        got = False\n        while not got:\n            got = self.lock.trylock()\n",
    )
    model = load(tmp_path, text)
    assert check_class(model).verdict == "HOLDS"
    report = check(model, named(model, "`self.lock.trylock()` succeeds and locks nothing"))
    assert [v.property for v in report.violations] == ["nothing_lost"]


def test_readers_and_writers(tmp_path: Path) -> None:
    text = LOCKED.replace("Mutex()", "RWSem()").replace("self.lock.lock()", "self.lock.down_write()").replace(
        "self.lock.unlock()", "self.lock.up_write()"
    )  # fmt: skip
    model = load(tmp_path, text)
    report = check(model, named(model, "without `self.lock.down_write()` and its release"))
    assert [v.property for v in report.violations] == ["nothing_lost"]


def test_what_is_no_model_is_an_error_of_that_mutant(tmp_path: Path) -> None:
    text = body("if self.x == 0:\n    with window('w'):\n        self.y = 1").replace(
        "return self.x < 3 or self.y < 3", "return not self.inside('w') or self.x < 3"
    )
    model = load(tmp_path, text)
    with pytest.raises(ModelError, match='no thread ever enters "w"'):
        check(model, named(model, "`if self.x == 0` taken as false"))


LOCKS = [c for name in lang.__all__ if isinstance(c := getattr(lang, name), type) and issubclass(c, Lock)]
HOLDS_NOTHING = {
    "synchronize_rcu", "synchronize_srcu", "wait", "downgrade_write", "read_begin", "read_retry", "prepare_to_wait",
    "prepare_to_wait_exclusive", "schedule", "schedule_killable", "finish_wait", "wake_up", "wake_up_all",
}  # fmt: skip


@pytest.mark.parametrize("lock", LOCKS)
def test_every_method_of_a_lock_takes_it_or_gives_it_or_neither(lock: type) -> None:
    methods = {name: v for cls in lock.__mro__ if issubclass(cls, Lock) for name, v in vars(cls).items() if callable(v)}
    steps = {name for name, method in methods.items() if not name.startswith("_") and not is_pure(method)}
    assert steps - {"declarations"} - KNOWN - HOLDS_NOTHING == set()
