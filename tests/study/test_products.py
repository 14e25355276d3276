"""Runs of a rule with a workload: run again, run forever, three at a time, and compared with what was there before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.study.baseline import Shift
from dio_mc.study.matrix import matrix
from dio_mc.study.outcomes import outcomes
from dio_mc.study.picture import matrix_svg
from dio_mc.study.registry import Registry, open_registry, pair, program_named
from dio_mc.study.tables import matrix_markdown, matrix_text

SPINS = """\
from ext4_2020 import Ext4Of2020

from dio_mc import operation
from dio_mc.kernel import Block


class Spins(Ext4Of2020, abstract=True):
    \"\"\"Looks at the map until somebody has filled the hole.\"\"\"

    rule, since = "spins", 2026

    @operation(kernel="fs/direct-io.c:spin")
    def direct_read(self, i):
        block = self.get_block(i)
        while block == Block.HOLE:
            block = self.get_block(i)
        return super().direct_read(i)
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return open_registry()


@pytest.fixture
def spins(tmp_path: Path) -> Path:
    path = tmp_path / "spins.py"
    path.write_text(SPINS)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


# -- run again ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_runs_of_outcomes_matrix_and_diff_reproduce(tmp_path: Path) -> None:
    run("outcomes", "seed_race", "--rule", "ext3_2_6_18", "--traces", str(tmp_path))
    some = ["--rule", "ext3_2_6_18", "--operation", "direct_read", "--operation", "mmap_store"]
    run("matrix", *some, "--traces", str(tmp_path))
    run("matrix", *some, "--triples", "--traces", str(tmp_path))
    run("diff", "placeholder", "ext3_2_6_18", "seed_race", "--traces", str(tmp_path))
    run("outcomes", "torn_read", "--rule", "ext4_2020", "--traces", str(tmp_path))
    run("matrix", "--rule", "ext4_2020", "--operation", "direct_write", "--sectors", "2", "--traces", str(tmp_path))
    written = sorted(tmp_path.glob("*.json"))
    assert len(written) >= 9
    for path in written:
        again = run("replay", str(path))
        assert (again.exit_code, "reproduces in" in again.output) == (0, True), (path, again.output)


def test_a_changed_rule_is_seen(spins: Path, tmp_path: Path) -> None:
    run("outcomes", "direct_read,mmap_store", "--rule", "spins", "--file", str(spins), "--traces", str(tmp_path))
    path = next(p for p in sorted(tmp_path.glob("*hole*.json")) if "t0_direct_read newer" in p.read_text())
    assert run("replay", str(path), "--file", str(spins)).exit_code == 0
    spins.write_text(SPINS.replace("while block == Block.HOLE", "while block != Block.HOLE"))
    again = run("replay", str(path), "--file", str(spins))
    assert (again.exit_code, "the model has changed since" in again.output) == (1, True), again.output


def test_a_rule_that_is_not_there(spins: Path, tmp_path: Path) -> None:
    run("outcomes", "direct_read,mmap_store", "--rule", "spins", "--file", str(spins), "--traces", str(tmp_path))
    path = sorted(tmp_path.glob("*hole*.json"))[0]
    result = run("replay", str(path))
    assert isinstance(result.exception, ModelError)
    assert "DIO206: no rule and workload make direct_read_x_mmap_store__spins@hole" in str(result.exception)
    assert "name the file that has them with --file" in str(result.exception)


@pytest.mark.parametrize(
    "name",
    [
        "seed_race__ext4_2020@hole",
        "read_x_write_x_fsync__placeholder@written",
        "read_x_write__xfs_own_locking@sectors=2@hole",
    ],
)
def test_programs_by_name(registry: Registry, name: str) -> None:
    found = program_named(registry, name)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    "name",
    [
        "dance__ext4_2020@hole",
        "read_x_dance__ext4_2020@hole",
        "read__ext4_2020@hole",
        "read_x_read__ext4_2020@length=2@hole",
        "M",
    ],
)
def test_names_that_are_none(registry: Registry, name: str) -> None:
    assert program_named(registry, name) is None


# -- forever -----------------------------------------------------------------------------------------------------------


def test_a_call_that_never_ends_has_a_run_that_goes_round(spins: Path, tmp_path: Path) -> None:
    registry = open_registry(files=[spins])
    hole = outcomes(pair(registry, "direct_read", "read"), registry.rules["spins"])[0]
    endless = [o for o in hole.outcomes if o.verdict == "deadlock"]
    assert endless
    trace = endless[0].trace
    assert trace is not None
    assert trace.loop is not None
    assert {step.thread for step in trace.steps[trace.loop - 1 :]} == {"t0_direct_read"}
    assert "can go on for ever, and never end" in trace.doc
    arguments = ["direct_read,read", "--rule", "spins", "--file", str(spins), "--traces", str(tmp_path)]
    assert run("outcomes", *arguments).exit_code == 0
    looped = [path for path in sorted(tmp_path.glob("*.json")) if json.loads(path.read_text()).get("loop")]
    assert looped
    for path in looped:
        assert "reproduces in" in run("replay", str(path), "--file", str(spins)).output


# -- three at a time ----------------------------------------------------------------------------------------------------


def test_triples(registry: Registry) -> None:
    found = matrix(registry, [registry.rules["generic_2005"]], ["direct_write", "read"], size=3)
    assert len(found.groups) == 4
    assert found.cell("generic_2005", "read", "direct_write", "read").verdict == "stale"
    assert found.cell("generic_2005", "read", "read", "read").verdict == "ok"
    text = matrix_text(found)
    assert "direct_write x read x read" in text
    assert "of 4 triples are ok under every rule." in text
    assert matrix_markdown(found).startswith("| triple | `generic_2005` |")
    assert "direct_write x read x read</text>" in matrix_svg(found)


def test_two_writes_of_one_value_are_not_told_apart(registry: Registry) -> None:
    found = matrix(registry, [registry.rules["ext4_2020"]], ["mmap_store"], size=3)
    assert found.cell("ext4_2020", "mmap_store", "mmap_store", "mmap_store").verdict == "ok"


# -- against a baseline -------------------------------------------------------------------------------------------------

SOME = ["--operation", "direct_read", "--operation", "mmap_store"]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("baseline") / "b.json"
    assert run("matrix", "--rule", "ext4_today", *SOME, "--format", "json", "-o", str(path)).exit_code == 0
    return path


def test_nothing_has_changed(baseline: Path) -> None:
    result = run("matrix", "--rule", "ext4_today", *SOME, "--baseline", str(baseline))
    assert result.exit_code == 0
    assert "3 cells compared with the baseline: 0 worse, 0 otherwise changed\n" in result.output


def changed(baseline: Path, folder: Path, old: str, new: str) -> Result:
    path = folder / "b.json"
    path.write_text(baseline.read_text().replace(old, new))
    return run("matrix", "--rule", "ext4_today", *SOME, "--baseline", str(path))


def test_a_worse_cell_is_exit_code_1_and_a_better_one_is_not(baseline: Path, tmp_path: Path) -> None:
    worse = changed(baseline, tmp_path, '"verdict": "error"', '"verdict": "ok"')
    assert worse.exit_code == 1
    assert "worse   ext4_today: direct_read x mmap_store: ok -> error\n" in worse.output
    better = changed(baseline, tmp_path, '"verdict": "error"', '"verdict": "exposed"')
    assert better.exit_code == 0
    assert "better  ext4_today: direct_read x mmap_store: exposed -> error\n" in better.output
    assert "0 worse, 1 otherwise changed" in better.output


def test_what_only_one_side_knows_is_not_compared(baseline: Path, tmp_path: Path) -> None:
    result = changed(baseline, tmp_path, "direct_read", "readahead")
    assert result.exit_code == 0
    assert "1 cells compared with the baseline" in result.output


def test_a_search_cut_short_is_not_worse() -> None:
    cut = Shift("r", ("a", "b"), "ok", "undetermined")
    assert (cut.worse, cut.line) == (False, "open    r: a x b: ok -> undetermined")
    assert Shift("r", ("a", "b"), "undetermined", "stale").worse


BAD = {
    "": "not a matrix that dio-mc wrote",
    "[]": "not a matrix that dio-mc wrote",
    '{"schema": "dio-mc/matrix/9", "cells": []}': "its schema is 'dio-mc/matrix/9', not 'dio-mc/matrix/1'",
    '{"schema": "dio-mc/matrix/1", "cells": [{"rule": "a"}]}': "not a matrix that dio-mc wrote",
    '{"schema": "dio-mc/matrix/1", "cells": [{"rule": "a", "operations": [], "verdict": "fine"}]}':
        "a cell has the unknown verdict 'fine'",
    '{"schema": "dio-mc/matrix/1", "sectors": 2, "cells": []}':
        "it is about pages of 2 sectors, not 1\n  hint: compare matrices with the same --sectors",
}  # fmt: skip


@pytest.mark.parametrize(("text", "told"), BAD.items())
def test_files_that_are_no_baseline(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(text)
    result = run("matrix", "--baseline", str(path))
    assert f"DIO217: {told}" in str(result.exception)
    assert "DIO201" in str(run("matrix", "--baseline", str(tmp_path / "none.json")).exception)
