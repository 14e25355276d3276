"""``benchmarks/EXPORTS.md`` is a run of the programs as they are: who changes a model makes the table again."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
AGAIN = "python benchmarks/exports.py --write benchmarks/EXPORTS.md"


@pytest.fixture(scope="module")
def exports():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import exports

        yield exports
    sys.modules.pop("exports", None)


def rows() -> Counter[tuple[str, ...]]:
    """Where from, program, states, violated."""
    lines = (BENCHMARKS / "EXPORTS.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return Counter((where, name, states, wrong) for where, name, states, _, _, wrong, *_ in cells[1:])


def is_product(row: tuple[str, ...]) -> bool:
    return " x " in row[0]


def told(exports, programs) -> Counter[tuple[str, ...]]:
    seen = ((where, program.name, exports.reference(program)) for where, program in programs)
    return Counter((where, name, str(one.states), exports.shown(one.violated)) for where, name, one in seen)


@pytest.mark.slow
def test_the_table_is_that_of_the_classes(exports) -> None:
    listed = Counter({row: count for row, count in rows().items() if not is_product(row)})
    assert listed == told(exports, exports.classes()), AGAIN


@pytest.mark.slow
def test_the_rows_of_workloads_are_of_the_programs_as_they_are(exports) -> None:
    """The table says how many it does not have; of those that it has every fourth is explored again."""
    listed = sorted(row for row in rows().elements() if is_product(row))
    assert listed
    some = Counter(listed[::4])
    assert some - told(exports, exports.products({row[0] for row in some})) == Counter(), AGAIN
    left_out = exports.count_of_products() - len(listed)
    text = (BENCHMARKS / "EXPORTS.md").read_text(encoding="utf-8")
    assert (f"{left_out} {exports.NOT_RUN}" in text) == bool(left_out)


def test_nothing_in_it_differs() -> None:
    text = (BENCHMARKS / "EXPORTS.md").read_text(encoding="utf-8")
    assert "; 0 differ." in text
    states = sum(int(states) * count for (_, _, states, _), count in rows().items())
    assert f"{rows().total()} programs, {states:,} states in all" in text
