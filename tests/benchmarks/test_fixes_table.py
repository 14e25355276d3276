"""``benchmarks/FIX.md`` is a run of the program as it is: a row for each case, and the quickest one made again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
QUICK = "r22_isize_lost_update"


@pytest.fixture(scope="module")
def table():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import fix

        yield fix
    sys.modules.pop("fix", None)


def rows() -> list[list[str]]:
    lines = (BENCHMARKS / "FIX.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]


def test_every_case_has_its_row(table) -> None:
    names = [f"{case.file.split('/')[1]} {case.model}" for case in table.CASES]
    assert [" ".join(row[0].split()[:2]) for row in rows()] == names
    assert [row[1] for row in rows()] == [case.upstream for case in table.CASES]


def test_ten_of_history_are_among_the_first_five(table) -> None:
    """The same as upstream's, or one as small; of every other the last column says why."""
    for row, case in zip(rows(), table.CASES, strict=True):
        assert row[3] != "none" or row[-1], case
    assert sum(row[3] != "none" for row, case in zip(rows(), table.CASES, strict=True) if "history" in case.file) >= 10


def test_a_row_is_what_is_found_now(table) -> None:
    """Seconds aside."""
    (number,) = [n for n, case in enumerate(table.CASES) if QUICK in case.file]
    found, *_ = table.searched(table.CASES[number])
    now = [cell.strip() for cell in table.row(table.CASES[number], found, "-").strip("|").split("|")]
    assert [*now[:6], *now[7:]] == [*rows()[number][:6], *rows()[number][7:]]
