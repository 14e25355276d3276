"""A campaign in small: programs compared without a difference, and what a campaign does with one."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .campaign import Progress, load, run, save, source
from .comparing import compare
from .configurations import OPTIMISED, QUICK, REFERENCE
from .shrinking import shrink

PROGRAMS = 25
GROUPS = 4


@pytest.mark.parametrize("group", range(GROUPS))
def test_programs_without_a_difference(tmp_path: Path, group: int) -> None:
    progress = Progress(seed=group)
    while progress.programs < PROGRAMS:
        _, text, seed = source(progress)
        found = compare(text, tmp_path, REFERENCE)
        assert found.differences == [], f"seed {seed}\n{text}"
        progress.add(found)
    assert progress.refused < PROGRAMS // 4
    assert progress.too_large < PROGRAMS, "most programs are small enough to be compared"
    assert {"invariant shown", "invariant not shown", "reduced by symmetry", "reduced by partial order"} <= set(
        progress.seen
    )


def test_programs_in_machine_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    progress = Progress(seed=11)
    while progress.programs < 12:
        _, text, seed = source(progress)
        chosen = (*QUICK, OPTIMISED[progress.next % len(OPTIMISED)])
        found = compare(text, tmp_path, chosen)
        assert found.differences == [], f"seed {seed}\n{text}"
        progress.add(found)
    assert {str(QUICK[0]), str(QUICK[3])} <= set(progress.seen)


def test_what_programs_show(tmp_path: Path) -> None:
    """Each kind of property is violated in some and not in others; there are faults of each kind, and deadlocks."""
    kinds = ("invariant", "step", "reachable", "always_reachable", "progress", "deadlock")
    wanted = {f"{kind} {how}" for kind in kinds for how in ("shown", "not shown")}
    wanted |= {"assertion", "index", "range", "lock_misuse"}
    progress = Progress(seed=5)
    while wanted and progress.next < 150:
        _, text, _ = source(progress)
        wanted -= compare(text, tmp_path, ()).seen
        progress.next += 1
    assert wanted == set()


BROKEN = """\
from dio_mc import *

class M(Model):
    x = Var(Range(-4, 4))
    y = Var(bool)

    @thread
    def t(self):
        self.y = True
        self.y = False
        if self.x == 0:
            self.x = (self.x - 3) // 2
        self.y = True
"""


@pytest.mark.slow
def test_a_checker_that_rounds_towards_zero_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A campaign with a broken checker finds it, makes it small, and writes a program that shows it again."""
    from dio_mc.semantics import evaluation

    monkeypatch.setitem(evaluation._ARITH, "//", lambda a, b: int(a / b))
    progress, out, told = Progress(seed=1), tmp_path / "found", []
    for _ in range(20):
        run(progress, seconds=30, programs=20, file=None, out=out, tell=told.append, explored_by=lambda _: ())
        if progress.kinds:
            break
    (path, *_) = sorted(out.glob("*.py"))
    assert "//" in (small := path.read_text())
    assert len(small.splitlines()) < 30
    assert compare(small, tmp_path, ()).differences != []
    monkeypatch.undo()
    assert compare(small, tmp_path, ()).differences == []


def test_a_difference_is_made_small(tmp_path: Path) -> None:
    def shows(text: str) -> bool:
        return "- 3) // 2" in text and "@thread" in text

    small = shrink(BROKEN, shows, 20)
    assert "self.y = False" not in small
    assert "- 3) // 2" in small
    ast.parse(small)


def test_a_campaign_goes_on_where_it_stopped(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    first = load(file, 3)
    run(first, seconds=60, programs=4, file=file, out=tmp_path / "found", tell=print)
    second = load(file, 99)
    assert (second.seed, second.next, second.programs) == (3, first.next, 4)
    save(second, file)
    assert load(file, 0) == second
    assert source(second) == source(first)


def test_the_oracle_and_the_checker_share_nothing() -> None:
    """The evaluator imports none of dio_mc."""
    folder = Path(__file__).parent.parent / "oracle"
    for name in ("oracle", "oracle_code", "oracle_words", "oracle_properties"):
        assert "import dio_mc" not in (text := (folder / f"{name}.py").read_text()), name
        assert "from dio_mc" not in text, name
