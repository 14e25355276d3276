"""What is told as a fix is one: written, loaded and checked again here; and every filter is needed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from fix_models import FLUSH, LOST, fixes_of, told

from dio_mc.checking.driver import Options, check_class
from dio_mc.checking.runs import bench, fix
from dio_mc.checking.runs.plan import Task
from dio_mc.fix import serial, surroundings
from dio_mc.fix.found import Open
from dio_mc.fix.operators import edits_of
from dio_mc.frontend.load import load_module


@pytest.mark.parametrize("text", [FLUSH, LOST], ids=["flush", "lost"])
def test_every_fix_holds_as_it_is_written(tmp_path: Path, text: str) -> None:
    found = fixes_of(tmp_path, text, pairs=30)
    assert found.fixes
    for number, each in enumerate(found.fixes):
        file = tmp_path / f"written_{number}.py"
        file.write_text(each.text)
        (model,) = load_module(file).models
        assert check_class(model).verdict == "HOLDS", each.text
        assert [e.violates for e in model.__dio_expectations__] == [frozenset()] * len(each.checked)


def test_the_difference_is_one_of_the_file(tmp_path: Path) -> None:
    """Applied by hand it gives a file whose class holds."""
    found = fixes_of(tmp_path, FLUSH, pairs=0)
    added = [line[1:] for line in found.fixes[0].difference.splitlines() if line.startswith("+ ")]
    assert added == ["        wait_until(not self.dirty)"]
    after = FLUSH.replace("        self.disk = Data.NEW  #", f"{added[0]}\n        self.disk = Data.NEW  #")
    (tmp_path / "patched.py").write_text(after)
    assert check_class(load_module(tmp_path / "patched.py").models[0]).verdict == "HOLDS"


def test_the_smallest_comes_first_and_keeps_most_states(tmp_path: Path) -> None:
    found = fixes_of(tmp_path, FLUSH)
    assert told(found)[0] == "wait direct_write: `wait_until(not self.dirty)` before `self.disk = Data.NEW`"
    plain = [f for f in found.fixes if not f.changed]
    assert [f.edit.size for f in plain] == sorted(f.edit.size for f in plain)
    assert "# the device writes" in found.fixes[0].text  # the author's own lines
    assert found.goals == (Open("no_lost_write", 5),)
    assert found.exit_code == 0


def test_a_lock_of_the_model_goes_before_a_new_one(tmp_path: Path) -> None:
    found = fixes_of(tmp_path, LOST, pairs=0)
    assert told(found)[:2] == [
        "section increment: `self.lock.lock()` around `seen = self.count` .. `self.count = seen + 1`",
        "section increment: `self.new_mutex.lock()` around `seen = self.count` .. `self.count = seen + 1`",
    ]
    assert "    new_mutex = Mutex()\n" in found.fixes[1].text


def test_near_misses_say_what_they_leave_open(tmp_path: Path) -> None:
    near = fixes_of(tmp_path, FLUSH).near
    assert near
    for miss in near:
        first = miss.open[0]
        assert first.property in ("no_lost_write", "deadlock", "lock_misuse")
        assert len(miss.schedule) == first.steps


def test_the_same_with_any_number_of_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = fixes_of(tmp_path, FLUSH, pairs=20)
    monkeypatch.setattr("dio_mc.checking.runs.pool.PATIENCE", 0.0)
    assert fixes_of(tmp_path, FLUSH, pairs=20, jobs=2) == one


# --- the filters: without each of them something wrong is told --------------------------------------------------------


def test_an_operation_stores_only_where_it_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The direct write never stored to `dirty`, writeback did."""
    (tmp_path / "flush.py").write_text(FLUSH)
    (model,) = load_module(tmp_path / "flush.py").models
    stores = {(e.function, e.about) for e in edits_of(surroundings.Surroundings(model)) if e.kind == "store"}
    assert ("writeback", ("dirty",)) in stores
    assert ("direct_write", ("dirty",)) not in stores
    monkeypatch.setattr(surroundings.Surroundings, "may_store", lambda around, body: frozenset(around.data))
    stores = {(e.function, e.about) for e in edits_of(surroundings.Surroundings(model)) if e.kind == "store"}
    assert ("direct_write", ("dirty",)) in stores


def test_runs_without_interleaving_end_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writeback that waits until the page is clean never writes it: told last, with what it changes."""
    found = fixes_of(tmp_path, FLUSH, most=50, pairs=0)
    changed = [bool(f.changed) for f in found.fixes]
    assert changed == sorted(changed)
    assert any(changed)
    assert any("`dirty` may be at rest is missing" in sentence for sentence in found.missing)
    monkeypatch.setattr(bench, "new_outcome", lambda before, after: None)
    fix._loaded.cache_clear()
    assert not any(f.changed for f in fixes_of(tmp_path, FLUSH, most=50, pairs=0).fixes)


NEEDS = """\
from dio_mc import Model, Var, invariant, operation, thread, wait_until


class Needs(Model):
    a, b = Var(bool), Var(bool)
    seen = Var(bool)

    @operation
    def first(self):
        self.a = True
        self.a = False

    @operation
    def second(self):
        self.seen = self.a

    @thread
    def one(self):
        self.first()
        self.b = True

    @thread
    def two(self):
        self.second()

    @invariant
    def never_seen(self):
        return not self.seen
"""
"""To wait for `b` before looking is a fix as long as the other thread is there."""


def test_a_thread_alone_still_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = "wait second: `wait_until(self.b)`"
    needs = NEEDS.replace("self.b = True", "self.b = self.b or True")
    needs = needs.replace("        self.second()\n", "        self.second()\n        if self.b:\n            pass\n")
    assert not [t for t in told(fixes_of(tmp_path, needs, most=50, pairs=0)) if t.startswith(waits)]
    monkeypatch.setattr(serial, "_stands_still", lambda *_: False)
    fix._loaded.cache_clear()
    assert [t for t in told(fixes_of(tmp_path, needs, most=50, pairs=0)) if t.startswith(waits)]


WITNESS = FLUSH.replace(
    "    @invariant\n",
    "    @reachable\n    def overtakes(self):\n        return self.disk == Data.NEW and self.dirty\n\n    @invariant\n",
).replace("invariant, operation,", "invariant, operation, reachable,")


def test_what_is_reachable_stays_so(tmp_path: Path) -> None:
    """A wait until the page is clean keeps the direct write from overtaking it."""
    found = fixes_of(tmp_path, WITNESS, pairs=0, most=50)
    wait = "`wait_until(not self.dirty)` before `self.disk = Data.NEW`"
    assert not [f for f in found.fixes if f.edit.text == wait and f.edit.function == "direct_write"]
    (miss, *_) = [n for n in found.near if Open("overtakes", -1) in n.open]
    assert len(miss.open) == 1


LARGER = """\
from dio_mc import Model, Mutex, Param, Range, Var, invariant, operation, thread


class Larger(Model):
    copies = Param(1, min=1, max=2)
    count = Var(Range(0, 4))
    lock = Mutex()

    @operation
    def write(self):
        self.bump()
        if self.copies == 2:
            self.bump()

    @operation
    def bump(self):
        seen = self.count
        self.count = seen + 1

    @thread(instances=2)
    def writer(self):
        self.write()

    @invariant
    def counted(self):
        return not self.at_rest() or self.count == 2 * self.copies
"""


def test_a_fix_holds_with_larger_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock around the first of two writes does not fix the second."""
    first = "section write: `self.lock.lock()` around `self.bump()`"
    found = fixes_of(tmp_path, LARGER, most=50, pairs=0)
    assert found.fixes
    assert first not in told(found)
    assert all((("copies", 2),) in [c.params for c in f.checked] for f in found.fixes)
    assert [o for near in found.near for o in near.open if o.params == (("copies", 2),)]
    monkeypatch.setattr(bench.Bench, "_bindings", lambda self: [self.params])
    fix._loaded.cache_clear()
    assert first in told(fixes_of(tmp_path, LARGER, most=50, pairs=0))


def test_a_fix_that_does_not_hold_as_written_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the sieve says: the file is checked."""
    monkeypatch.setattr(bench, "screened", lambda program, *_: bench_passes())
    found = fixes_of(tmp_path, FLUSH, pairs=0, most=100)
    assert 0 < len(found.fixes) < found.counts["passes"]
    for each in found.fixes:
        assert all(c.verdict == "HOLDS" for c in each.checked)


def bench_passes() -> object:
    from dio_mc.fix.screen import Screened

    return Screened("passes", (), 1)


def test_a_stop_keeps_what_was_found(tmp_path: Path) -> None:
    """It comes with the first edit that passes; that is written and checked all the same."""
    passed: list[int] = []
    file = tmp_path / "subject.py"
    file.write_text(FLUSH)
    (model,) = load_module(file).models
    options = Options(stop=lambda: "Ctrl-C" if passed else None)
    progress = lambda what, done, total, passing: passed.extend([passing] if passing else [])  # noqa: E731
    found = fix.find_fixes(Task(str(file), model, (), None), fix.Search(options, progress=progress))
    assert found.stopped == "Ctrl-C"
    assert found.exit_code == 3
    assert found.counts["undecided"] > 0
    assert [[c.verdict for c in each.checked] for each in found.fixes] == [["HOLDS"]] * len(found.fixes)
    assert found.fixes
    assert not any(each.any_number or each.waits for each in found.fixes), "that takes longer than who stops it waits"


def test_texts_are_python(tmp_path: Path) -> None:
    for each in fixes_of(tmp_path, FLUSH, most=50, pairs=0).fixes:
        ast.parse(each.text)
        assert each.text.endswith("\n")
        assert not [line for line in each.text.splitlines() if line != line.rstrip()]


ENDLESS = """\
from dio_mc import Model, Var, operation, progress, thread, wait_until


class Endless(Model):
    busy, waiting = Var(bool), Var(bool)

    @operation
    def read(self):
        self.busy = True
        self.busy = False

    @thread(instances=2, daemon=True)
    def reader(self):
        while True:
            self.read()

    @thread
    def truncater(self):
        self.waiting = True
        wait_until(not self.busy)
        self.waiting = False

    @progress
    def ends(self):
        return self.finished(self.truncater)
"""


def test_what_the_sieve_cannot_judge_is_checked_before_it_counts(tmp_path: Path) -> None:
    """Whether a thread comes to its end is not a property of single states."""
    found = fixes_of(tmp_path, ENDLESS, pairs=0, most=3)
    assert told(found)[0] == "wait read: `wait_until(not self.waiting)` before `self.busy = True`"
    assert found.counts["passes"] < found.counts["open"]
    assert [o.property for o in found.goals] == ["ends"]


def test_two_waits_at_one_place_are_tried_in_both_orders(tmp_path: Path) -> None:
    """First until it is clean, then until what was on its way has arrived."""
    text = FLUSH.replace("    disk = Var(Data)\n", "    disk = Var(Data)\n    writeback_ = Var(bool)\n").replace(
        "            self.disk = Data.OLD\n            self.dirty = False\n",
        "            self.writeback_ = True\n            self.dirty = False\n            self.disk = Data.OLD\n            self.writeback_ = False\n",
    )
    text = text.replace("or self.dirty or", "or self.dirty or self.writeback_ or")
    found = fixes_of(tmp_path, text, most=50, pairs=150)
    (pair,) = [f for f in found.fixes if f.edit.function == "direct_write" and f.edit.kind == "pair"][:1]
    lines = [line.strip() for line in pair.text.splitlines()]
    at = lines.index("self.disk = Data.NEW  # the device writes")
    assert lines[at - 2 : at] == ["wait_until(not self.dirty)", "wait_until(not self.writeback_)"]
