"""`--no-reduction`, `--no-symmetry`, `--verify-reduction`: what is said, and that a wrong reduction is noticed."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import forked
import pytest

from dio_mc.checking.driver import Options, check_class
from dio_mc.engines import choose
from dio_mc.errors import InternalError
from dio_mc.frontend import load_module
from dio_mc.report.text import report_text
from dio_mc.semantics.search import NO_REDUCTION, Budget, Reductions

ROOT = Path(__file__).resolve().parents[2]
LARGE = str(ROOT / "benchmarks" / "diorace.py")
SMALL = str(ROOT / "models" / "toys" / "readers_writers.py")
RUN = ("--model", "ReadersWriters", "--param", "readers=3", "--param", "writers=2")


def dio_mc(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, "XDG_CACHE_HOME": str(cwd.parent), "PYTHONPATH": str(ROOT), **environment}
    return forked.run(["check", *arguments, "--no-artifacts"], cwd, known)


def readers_writers(**options: object):
    model = next(m for m in load_module(Path(SMALL)).models if m.__name__ == "ReadersWriters")
    return check_class(model, {"readers": 3, "writers": 2}, Options(**options))


def test_a_large_search_is_counted_up_to_symmetry(tmp_path: Path) -> None:
    at_m = ("--param", "pages=2", "--param", "readers=3", "--param", "mappers=2")
    reduced, full = dio_mc(LARGE, *at_m, cwd=tmp_path), dio_mc(LARGE, *at_m, "--no-reduction", cwd=tmp_path)
    assert "249,075 states up to symmetry, depth 72, 1,045,036 transitions" in reduced.stdout
    assert "2,110,756 states, depth 72, 8,813,808 transitions" in full.stdout
    assert dio_mc(LARGE, *at_m, "--no-symmetry", cwd=tmp_path).stdout == full.stdout
    assert dio_mc(LARGE, *at_m, cwd=tmp_path, DIO_MC_REDUCTION="false").stdout == full.stdout
    rows = json.loads(dio_mc(LARGE, *at_m, "--output-format", "json", cwd=tmp_path).stdout)["models"]
    assert [row["reductions"] for row in rows] == [["symmetry"]]


def test_a_small_search_keeps_its_full_count(tmp_path: Path) -> None:
    said = dio_mc(SMALL, *RUN, cwd=tmp_path).stdout
    assert "596 states, depth 20" in said
    assert said == dio_mc(SMALL, *RUN, "--no-reduction", cwd=tmp_path).stdout


@pytest.mark.parametrize("engine", ["auto", "reference", "native"])
def test_verified(tmp_path: Path, engine: str) -> None:
    said = dio_mc(SMALL, *RUN, "--verify-reduction", "--engine", engine, cwd=tmp_path)
    assert said.returncode == 0
    assert "  note: verified: 596 states, and 129 up to symmetry, give the same answer\n" in said.stdout


def test_nothing_to_verify_says_why(tmp_path: Path) -> None:
    said = dio_mc(
        str(ROOT / "models" / "toys" / "peterson.py"), "--model", "Peterson", "--verify-reduction", cwd=tmp_path
    )
    assert (
        "  note: no reduction: instances of contender: they are results of arithmetic (peterson.py:25)\n" in said.stdout
    )


def test_a_search_that_was_cut_verifies_nothing() -> None:
    report = readers_writers(verify_reduction=True, budget=Budget(max_states=100))
    assert report.notes == ("the reduction was not verified: --max-states 100",)


def test_a_reduced_search_is_verified_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "FULL", 300)
    report = readers_writers(verify_reduction=True, engine="reference")
    assert (report.states, report.reductions) == (129, ("symmetry",))
    assert report.notes == ("verified: 596 states, and 129 up to symmetry, give the same answer",)
    assert "129 states up to symmetry, depth 20" in report_text(report, trace=False, folder=None)


def test_a_reduction_that_says_something_else_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Representatives that are not states of the orbit: the readers are gone."""
    monkeypatch.setattr(
        "dio_mc.analysis.symmetry.representatives.Representatives.of", lambda self, state: tuple(0 for _ in state)
    )
    with pytest.raises(InternalError) as raised:
        readers_writers(verify_reduction=True)
    assert raised.value.message == "the reduced search of ReadersWriters@readers=3,writers=2 contradicts the full one"
    assert "depth: 0 reduced, 20 in full" in raised.value.details


PAGES = """
from dio_mc import Array, Model, Param, Range, invariant, thread

class Pages(Model):
    page = Array(Range(0, 3), size=3)
    @thread(instances=3)
    def writer(self, k):
        self.page[k] = 1
        self.page[k] = 2
        self.page[k] = 3
    @invariant
    def small(self):
        return self.page[0] <= 3
"""


def test_partial_order_is_verified_when_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "pages.py").write_text(PAGES)
    verified = dio_mc("pages.py", "--verify-reduction", "--partial-order", "--no-symmetry", cwd=tmp_path)
    assert verified.returncode == 0
    assert "  note: verified: 64 states, and 10 by partial order, give the same answer\n" in verified.stdout
    assert "by partial order" in dio_mc("pages.py", "--verify-reduction", cwd=tmp_path).stdout
    off = dio_mc("pages.py", "--verify-reduction", cwd=tmp_path, DIO_MC_PARTIAL_ORDER="false").stdout
    assert "up to symmetry" in off
    assert "by partial order" not in off


def test_partial_order_is_counted_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choose, "FULL", 20)
    (tmp_path / "pages.py").write_text(PAGES)
    model = load_module(tmp_path / "pages.py").models[0]
    ordered = Reductions(symmetry=False, partial_order=True)
    report = check_class(model, {}, Options(engine="reference", reductions=ordered))
    assert (report.verdict, report.complete, report.reductions) == ("HOLDS", True, ("partial order",))
    assert "10 states by partial order, depth 9" in report_text(report, trace=False, folder=None)
    both = check_class(model, {}, Options(engine="reference", reductions=Reductions(partial_order=True)))
    assert "states up to symmetry by partial order" in report_text(both, trace=False, folder=None)


def test_findings_are_those_of_all_states(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waited for whom is seen whichever order is taken."""
    free = readers_writers(engine="reference", reductions=NO_REDUCTION)
    monkeypatch.setattr(choose, "FULL", 20)
    ordered = readers_writers(engine="reference", reductions=Reductions(symmetry=False, partial_order=True))
    assert ordered.reductions == ("partial order",)
    assert ordered.findings == free.findings


def test_switched_off_means_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "FULL", 300)
    full = readers_writers(engine="reference", reductions=Reductions(symmetry=False))
    assert (full.states, full.reductions) == (596, ())
    reduced = readers_writers(engine="reference")
    counted = replace(full.found, states=reduced.states, transitions=reduced.transitions, reductions=reduced.reductions)
    assert replace(reduced, seconds=0.0) == replace(full, found=counted, seconds=0.0)
