"""The place holder with one thing wrong: every lock, wait or check that is left out is caught, or the docstring of the
model says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.checking.driver import Options
from dio_mc.checking.runs.mutate import Plan, score
from dio_mc.checking.runs.plan import Request, Task, plan
from dio_mc.mutation.score import Judged, Score

FILE = Path(__file__).resolve().parents[2] / "models" / "seed" / "placeholder.py"
GUARDS = frozenset({"lock", "wait", "check", "condition"})
EXPLAINED = {
    ("is_settled", "`not self.dirty[index] and (not self.writeback[index])` without `not self.dirty[index]`"),
    ("lock_page_range", "`if self.slot[index] == Slot.ABSENT` taken as false"),
}


@pytest.fixture(scope="module")
def scored() -> Score:
    tasks = [t for t in plan([(str(FILE), True)], Request(("Placeholder",))) if isinstance(t, Task)]
    assert [dict(t.params) for t in tasks] == [{}, {"pages": 2, "readers": 2}]
    found = score(tasks, Plan(Options(), GUARDS))
    assert isinstance(found, Score)
    return found


def test_what_is_left_out_is_caught_or_explained(scored: Score) -> None:
    assert {(j.mutant.function, j.mutant.text) for j in scored.of("survived")} == EXPLAINED
    text = FILE.read_text().split("class Placeholder")[1].split('"""')[1]
    for function, _ in EXPLAINED:
        assert f"`{function}`" in text
    assert "`not self.dirty[index]`" in text


def test_nothing_is_left_open(scored: Score) -> None:
    assert scored.of("undetermined") == scored.of("equivalent") == scored.of("invalid") == ()
    assert len(scored.of("caught")) == 9


def test_who_catches_what(scored: Score) -> None:
    def caught(text: str) -> str:
        (found,) = [j for j in scored.of("caught") if j.mutant.text == text]
        return _who(found)

    assert caught("without `self.page_lock[index].lock()` and its release") == "pinned_while_reading"
    assert caught("`if settled` taken as true") == "no_stale_exposure"
    assert caught("`if settled` taken as false") == "new_data_can_be_read"
    again = "`not self.dirty[index] and (not self.writeback[index])` without `not self.writeback[index]`"
    assert caught(again) == "no_stale_exposure"


def _who(judged: Judged) -> str:
    return judged.why.split()[0]
