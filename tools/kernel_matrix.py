"""Merges the columns of models and of real kernels: writes docs/kernels.json and docs/kernels.svg.

    dio-mc matrix --kernel ... --fs ... --format json -o docs/kernels.json
    dio-mc matrix --rule ... --format json -o models.json
    python tools/kernel_matrix.py models.json

The kernels' cells are those of docs/kernels.json; nothing is booted. Without a file of the models'
cells they are taken from there as well. Each rule is placed before the kernels that it describes
(`DESCRIBES`). Differences between a kernel's verdict and the worst that its rule allows are
printed: a worse one is an error of the rule unless the kernel is shown to be wrong; a better one is
a schedule out of reach, or a model that is too coarse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from dio_mc.study.matrix import Cell, Matrix
from dio_mc.study.picture import matrix_svg
from dio_mc.study.tables import matrix_json
from dio_mc.study.tags import RANK

DOCS = Path(__file__).resolve().parents[1] / "docs"
DESCRIBES: Final[dict[str, tuple[str, ...]]] = {
    "ext3_in_ext4": ("ext3 6.1", "ext3 6.12", "ext3 7.3"),
    "ext4_2020": ("ext4 5.10",),
    "ext4_6_1": ("ext4 6.1",),
    "ext4_today": ("ext4 6.12",),
    "ext4_7": ("ext4 7.3",),
    "xfs_today": ("xfs 5.10", "xfs 6.1", "xfs 6.12", "xfs 7.3"),
    "btrfs_nodatasum": ("btrfs 6.1", "btrfs 7.3"),
    "btrfs_today": ("btrfs 6.12",),
}
OLDER: Final = {"ext3_in_ext4": ("ext3 5.10",), "btrfs_nodatasum": ("btrfs 5.10",)}
"""Kernels that come before a rule and that it does not describe."""


def main(models: Path | None) -> None:
    """Write both files, and print where rules and kernels differ."""
    real = columns(DOCS / "kernels.json", models=False)
    model = columns(models or DOCS / "kernels.json", models=True)
    both = beside(model, real)
    (DOCS / "kernels.json").write_text(matrix_json(both))
    (DOCS / "kernels.svg").write_text(matrix_svg(both))
    for line in differences(model, real):
        print(line)


def columns(path: Path, *, models: bool) -> Matrix:
    """The columns of a matrix in JSON that are rules, or those that are kernels."""
    data = json.loads(path.read_text())
    cells = [
        Cell(tuple(c["operations"]), c["rule"], c["verdict"], tuple(c["layouts"].items()), c["outcome"],
             tuple(c["reasons"]), None, c["states"])
        for c in data["cells"] if (c["rule"] in DESCRIBES) is models
    ]  # fmt: skip
    names = tuple(dict.fromkeys(cell.rule for cell in cells))
    groups = tuple(dict.fromkeys(cell.operations for cell in cells))
    return Matrix(names, groups, tuple(cells))


def beside(model: Matrix, real: Matrix) -> Matrix:
    """Each rule before the kernels that it describes, those by release."""
    columns: list[str] = []
    for rule, described in DESCRIBES.items():
        columns += [*OLDER.get(rule, ()), rule, *described]
    cells = {(cell.operations, cell.rule): cell for one in (model, real) for cell in one.cells}
    return Matrix(tuple(columns), real.groups, tuple(cells[g, c] for g in real.groups for c in columns))


def differences(model: Matrix, real: Matrix) -> list[str]:
    """A line for each pair and rule with a difference: the worst verdict of the rule, and those of
    the kernels."""
    lines: list[str] = []
    for group in real.groups:
        for rule, described in DESCRIBES.items():
            allowed = model.cell(rule, *group)
            layouts = dict(allowed.layouts)
            for column in described:
                for layout, shown in real.cell(column, *group).layouts:
                    if layout in layouts and shown != layouts[layout]:
                        how = "WORSE" if RANK.index(shown) < RANK.index(layouts[layout]) else "better"
                        lines.append(f"{how} {' x '.join(group)} {layout}: {column} {shown}, {rule} {layouts[layout]}")
    return lines


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else None)
