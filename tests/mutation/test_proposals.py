"""Properties that are proposed for survivors: what they look like, and that each, pasted into the file, is one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from mutated import HEAD, load
from report_models import BLIND

from dio_mc.checking.driver import Options
from dio_mc.checking.runs import propose
from dio_mc.checking.runs.mutate import Plan, score
from dio_mc.checking.runs.plan import Task
from dio_mc.mutation.proposals import imports_of
from dio_mc.mutation.score import Judged, Score

Binding = tuple[tuple[str, int], ...]


def scored(folder: Path, text: str, *bindings: Binding, options: Options | None = None, propose: bool = True) -> Score:
    model = load(folder, text)
    tasks = [Task(str(folder / "m.py"), model, params, None) for params in bindings or [()]]
    found = score(tasks, Plan(options or Options(), propose=propose))
    assert isinstance(found, Score)
    return found


def proposed(found: Score) -> dict[str, str]:
    """Of each survivor by its text: what is returned by the property that catches it, or why there is none."""
    return {j.mutant.text: _words(j, found) for j in found.of("survived")}


def _words(judged: Judged, found: Score) -> str:
    if not judged.proposal:
        return judged.why
    one = found.proposals[judged.proposal]
    return f"{one.kind}: {one.text}"


ARRAYS = (
    "from enum import Enum\n"
    + HEAD
    + """\
class Color(Enum):
    RED = 0
    GREEN = 1
    BLUE = 2

class M(Model):
    pages = Param(1, min=1, max=3)
    color = Array(Color, size=pages)
    mine = PerThread(Range(0, 2))
    last = Var(Range(0, 2) | None)

    @thread
    def painter(self):
        for i in range(self.pages):
            self.color[i] = Color.GREEN
            self.color[i] = Color.BLUE
        self.mine[me] = 1
        self.last = 2

    @thread
    def other(self):
        self.mine[me] = 2
"""
)
ONE_STEP = (
    HEAD
    + """\
class M(Model):
    x = Var(Range(0, 2))
    y = Var(Range(0, 2))

    @thread
    def t(self):
        self.go()

    @operation()
    def go(self):
        with atomic():
            self.x = 1
            self.y = 1
"""
)


def test_what_was_lost_at_the_end(tmp_path: Path) -> None:
    found = scored(tmp_path, BLIND)
    assert set(proposed(found).values()) == {"invariant: not self.at_rest() or self.x == 2"}
    assert len(proposed(found)) == 3
    assert list(found.proposals) == ["proposed_1"]


def test_arrays_are_spoken_of_as_a_whole(tmp_path: Path) -> None:
    """With two bindings, a property about one page only would not be one with two pages."""
    found = scored(tmp_path, ARRAYS, (), (("pages", 2),))
    assert proposed(found) == {
        "without `self.color[i] = Color.GREEN`": "reachable: any(self.color[i] == Color.GREEN for i in range(self.pages))",
        "without `self.color[i] = Color.BLUE`": "reachable: any(self.color[i] == Color.BLUE for i in range(self.pages))",
        "`self.color[i] = Color.BLUE` before `self.color[i] = Color.GREEN`": (
            "invariant: all(self.color[i] != Color.GREEN or self.last is None for i in range(self.pages))"
        ),
        "without `self.mine[me] = 1`": "reachable: any(self.mine[t] == 1 for t in threads())",
        "`self.last = 2` before `self.mine[me] = 1`": ("invariant: self.mine[0] != 0 or self.last is None"),
        "without `self.last = 2`": "reachable: self.last == 2",
        "without `self.mine[me] = 2`": "reachable: any(self.mine[t] == 2 for t in threads())",
    }


ONE_ELEMENT = (
    HEAD
    + """\
class M(Model):
    a = Array(Range(0, 1), size=2)

    @thread
    def t(self):
        self.a[0] = 1
        self.a[1] = 1
"""
)


def test_all_elements_do_not_stand_for_one(tmp_path: Path) -> None:
    """The mutant still reaches the condition in another element."""
    found = proposed(scored(tmp_path, ONE_ELEMENT))
    assert found["without `self.a[0] = 1`"] == "reachable: self.a[0] == 1"
    assert found["without `self.a[1] = 1`"] == "reachable: self.a[1] == 1"


def test_steps_taken_apart(tmp_path: Path) -> None:
    found = proposed(scored(tmp_path, ONE_STEP))
    assert found["`self.x = 1; self.y = 1` in several steps"] == "invariant: self.x != 1 or self.y == 1"


def test_each_is_one_when_it_is_pasted(tmp_path: Path) -> None:
    """An independent look: the source is written into the class, and the mutants are made again."""
    for number, text in enumerate((BLIND, ARRAYS, ONE_STEP)):
        folder = tmp_path / str(number)
        folder.mkdir()
        before = scored(folder, text)
        caught = {j.mutant.text for j in before.of("survived") if j.proposal}
        assert caught
        sources = [one.source(name) for name, one in before.proposals.items()]
        pasted = "\n".join(f"    {line}" for source in sources for line in source.splitlines())
        after = scored(folder, "\n".join([*imports_of(before.proposals.values()), text, pasted, ""]), propose=False)
        assert after.skipped == ""
        assert caught <= {j.mutant.text for j in after.of("caught")}


FEW_NAMES = """\
from dio_mc import thread
from dio_mc.kernel import PageCache

class M(PageCache):
    @thread
    def reader(self):
        self.seen[0] = self.buffered_read(0)
"""
LOCK_ONLY = (
    HEAD
    + """\
class M(Model):
    lock = Mutex()
    x = Var(bool)

    @thread(instances=2)
    def t(self):
        self.lock.lock()
        self.x = True
        self.lock.unlock()
"""
)
REORDERED = (
    HEAD
    + """\
class M(Model):
    x = Var(Range(0, 1))
    y = Var(Range(0, 1))

    @thread
    def t(self):
        while True:
            self.x = 1
            self.y = 1
            self.x = 0
            self.y = 0

    @thread
    def back(self):
        while True:
            self.y = choose(0, 1)
            self.x = choose(0, 1)
"""
)


def test_only_locks_differ(tmp_path: Path) -> None:
    found = proposed(scored(tmp_path, LOCK_ONLY))
    assert found["without `self.lock.lock()` and its release"] == propose.LOCKS


def test_the_same_states_in_another_order(tmp_path: Path) -> None:
    found = proposed(scored(tmp_path, REORDERED))
    assert found["`self.y = 1` before `self.x = 1`"] == propose.SAME


def test_too_many_states_are_not_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(propose, "MOST", 5)
    assert set(proposed(scored(tmp_path, BLIND)).values()) == {propose.LARGE}


def test_a_limit_ends_the_search_and_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fates stay; what would never end is interrupted."""
    entered: list[int] = []

    def endless(*rest: object) -> None:
        entered.append(1)
        while True:
            time.sleep(0.01)

    monkeypatch.setattr(propose, "tables_of", endless)
    found = scored(tmp_path, BLIND, options=Options(stop=lambda: "Ctrl-C" if entered else None))
    assert {j.why for j in found.of("survived")} == {"no property was found: stopped by Ctrl-C"}
    assert len(found.of("survived")) == 3


def test_without_asking_nothing_is_searched(tmp_path: Path) -> None:
    found = scored(tmp_path, BLIND, propose=False)
    assert (found.proposals, {j.why for j in found.of("survived")}) == ({}, {""})


def test_a_fault_of_dio_mc_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*rest: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(propose, "proposed", broken)
    model = load(tmp_path, BLIND)
    found = score([Task(str(tmp_path / "m.py"), model, (), None)], Plan(Options(), propose=True))
    assert not isinstance(found, Score)
    assert found.exit_code == 4
    assert "internal error: RuntimeError: boom" in found.text


def test_names_that_the_file_lacks_are_imported(tmp_path: Path) -> None:
    found = scored(tmp_path, FEW_NAMES)
    assert imports_of(found.proposals.values()) == [
        "from dio_mc import reachable",
        "from dio_mc.kernel import Data",
    ]
    assert proposed(found) == {
        "without `self.seen[0] = self.buffered_read(0)`": (
            "reachable: any(self.seen[i] == Data.OLD for i in range(self.pages))"
        )
    }
