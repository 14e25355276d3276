"""Cells of shipped rules are found once; those that a limit has cut short, or that are damaged, are found again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from dio_mc.cache import Cache, cache_folder
from dio_mc.checking.runs import kept_cells
from dio_mc.checking.runs.kept_cells import KIND, KeptCells, is_whole
from dio_mc.cli import cli
from dio_mc.guard import Latch
from dio_mc.study.matrix import Cell, Matrix, Pairing, matrix
from dio_mc.study.registry import Registry, open_registry

OPERATIONS = ("direct_read", "mmap_store")
RULES = ("generic_2005", "ext4_2020")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return open_registry()


@pytest.fixture(scope="module")
def alone(registry: Registry) -> Matrix:
    return matrix(registry, [registry.rules[name] for name in RULES], OPERATIONS)


class Finder:
    """Finds what `alone` has; notes what it is asked for, and changes it as it is told."""

    def __init__(self, alone: Matrix, **change: object) -> None:
        self.alone, self.change = alone, change
        self.asked: list[tuple[str, ...]] = []

    def __call__(self, pairings: Sequence[Pairing]) -> Iterator[Cell]:
        for one in pairings:
            self.asked.append((one.rule.name, *one.workload.calls))
            yield replace(self.alone.cell(one.rule.name, *one.workload.calls), **self.change)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return cache_folder(KIND)


def found(registry: Registry, finder: Finder) -> Matrix:
    kept = KeptCells(finder, Cache(pytest.fail, KIND, "cells are"))
    return matrix(registry, [registry.rules[name] for name in RULES], OPERATIONS, solve=kept)


def test_cells_are_found_once_and_are_the_same(registry: Registry, alone: Matrix, folder: Path) -> None:
    first, second = Finder(alone), Finder(alone)
    assert found(registry, first) == alone
    assert len(first.asked) == 6
    assert found(registry, second) == alone
    assert second.asked == []
    assert len(list(folder.iterdir())) == 2
    assert any(cell.trace is not None for cell in alone.cells)


@pytest.mark.parametrize("change", [{"verdict": "undetermined"}, {"layouts": (("hole", "undetermined"),)}])
def test_what_a_limit_has_cut_short_is_not_kept(registry: Registry, alone: Matrix, folder: Path, change) -> None:
    found(registry, Finder(alone, **change))
    again = Finder(alone)
    assert found(registry, again) == alone
    assert len(again.asked) == 6


def test_a_bad_cell_without_its_run_is_not_whole(alone: Matrix) -> None:
    bad = next(cell for cell in alone.cells if cell.trace is not None)
    assert is_whole(bad)
    assert not is_whole(replace(bad, trace=None))


@pytest.mark.parametrize("harm", [b"", b"dio-mc object\n", "cut"])
def test_damaged_cells_are_found_again(registry: Registry, alone: Matrix, folder: Path, harm: bytes | str) -> None:
    found(registry, Finder(alone))
    for entry in folder.iterdir():
        entry.write_bytes(entry.read_bytes()[:-1] if harm == "cut" else bytes(harm))  # type: ignore[arg-type]
    again = Finder(alone)
    assert found(registry, again) == alone
    assert len(again.asked) == 6


@pytest.mark.parametrize("page", [[], {"direct_read,direct_read": ["ok"]}, {"direct_read,direct_read": 7}])
def test_cells_of_another_form_are_found_again(
    registry: Registry, alone: Matrix, folder: Path, page: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_cells, "_plain", lambda _: page)
    found(registry, Finder(alone))
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder.parents[1]))
    again = Finder(alone)
    assert found(registry, again) == alone
    assert len(again.asked) == 6


def test_another_file_of_dio_mc_is_another_key(
    registry: Registry, alone: Matrix, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found(registry, Finder(alone))
    monkeypatch.setattr(kept_cells, "digest_of_files", lambda: "another")
    again = Finder(alone)
    found(registry, again)
    assert len(again.asked) == 6


def test_the_digest_is_of_code_and_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = kept_cells.digest_of_files.__wrapped__
    monkeypatch.setattr(kept_cells, "models_folder", lambda: tmp_path)
    before = digest()
    (tmp_path / "rule.py").write_text("")
    between = digest()
    (tmp_path / "rule.py").write_text("#")
    assert len({before, between, digest()}) == 3


def test_a_user_asks_for_it_or_not(alone: Matrix, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def alone_again(budget, met: Latch):
        def solve(pairings: Sequence[Pairing]) -> Iterator[Cell]:
            asked.append(len(pairings))
            return Finder(alone)(pairings)

        return solve

    monkeypatch.setattr("dio_mc.cli.cells.one_by_one", alone_again)
    arguments = [
        "matrix",
        "--jobs",
        "1",
        *(f"--rule={name}" for name in RULES),
        *(f"--operation={o}" for o in OPERATIONS),
    ]
    for more, expected in (([], 6), ([], 0), (["--no-cache"], 6), (["--max-states", "100000"], 6)):
        asked.clear()
        done = CliRunner().invoke(cli, [*arguments, *more], env={"DIO_MC_NO_CACHE": None})
        assert done.exit_code == 0, done.output
        assert asked == [expected]
