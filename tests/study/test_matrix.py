"""The known cells of the matrix, and what the commands print."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dio_mc.cli import cli
from dio_mc.cli.site import one_page, write_site
from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import requested
from dio_mc.study import outcomes as study_outcomes
from dio_mc.study.diff import diff
from dio_mc.study.matrix import NOT_THERE, Matrix, matrix
from dio_mc.study.outcomes import outcomes
from dio_mc.study.picture import matrix_svg
from dio_mc.study.registry import Registry, Rule, Workload, open_registry, pair
from dio_mc.study.tables import matrix_json, matrix_markdown, matrix_text
from dio_mc.trace.codec import decode, encode

RULES = ("ext3_2_6_18", "placeholder", "ext4_2020")
OPERATIONS = ("direct_read", "direct_write", "mmap_store", "punch_hole")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return open_registry()


@pytest.fixture(scope="module")
def small(registry: Registry) -> Matrix:
    return matrix(registry, [registry.rules[name] for name in RULES], OPERATIONS)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_the_race_of_the_mail_and_what_became_of_it(small: Matrix) -> None:
    assert small.cell("ext3_2_6_18", "direct_read", "mmap_store").verdict == "exposed"
    assert small.cell("placeholder", "direct_read", "mmap_store").verdict == "ok"
    assert small.cell("ext4_2020", "direct_read", "mmap_store").verdict == "ok"


def test_a_racing_cell_has_a_run_that_ends_with_what_it_says(small: Matrix) -> None:
    cell = small.cell("ext3_2_6_18", "direct_read", "mmap_store")
    assert cell.layouts == (("hole", "exposed"), ("written", "ok"))
    assert cell.outcome == "t0_direct_read exposed, t1_mmap_store newer; file newer"
    assert cell.trace is not None
    assert any(c.cell == "disk[0]" and c.after == "NEWER" for s in cell.trace.steps for c in s.changes)
    assert decode(encode(cell.trace)) == cell.trace


def test_a_rule_may_lack_an_operation(small: Matrix) -> None:
    assert small.cell("placeholder", "direct_read", "punch_hole").verdict == NOT_THERE
    assert small.cell("ext4_2020", "direct_read", "punch_hole").verdict == "ok"


@pytest.mark.parametrize("rule", ["xfs_own_locking", "iomap_today", "ext4_today", "ext4_7", "xfs_today"])
def test_today_the_collision_is_reported_and_nothing_exposed(registry: Registry, rule: str) -> None:
    found = outcomes(pair(registry, "direct_read", "mmap_store"), registry.rules[rule])
    verdicts = {o.verdict for one in found for o in one.outcomes}
    assert verdicts == {"ok", "error"}


@pytest.mark.parametrize(
    ("rule", "first", "second", "verdict"),
    [
        ("generic_2005", "direct_write", "read", "stale"),  # R05
        ("generic_late_invalidate", "direct_write", "read", "ok"),
        ("generic_late_invalidate", "aio_write", "read", "stale"),  # R06
        ("generic_2017_before_end_io", "direct_write", "read", "stale"),  # R07
        ("generic_2017_after_end_io", "direct_write", "read", "ok"),
        ("generic_2017_after_end_io", "aio_write", "read", "ok"),
        ("ext4_2016", "direct_read", "mmap_store", "exposed"),  # R02
        ("generic_2005", "mmap_load", "punch_hole", "exposed"),  # R10
        ("ext4_2016", "mmap_load", "punch_hole", "ok"),
        ("ext4_2020", "readahead", "punch_hole", "exposed"),  # R11
        ("invalidate_lock", "readahead", "punch_hole", "ok"),
        ("xfs_own_locking", "readahead", "punch_hole", "ok"),
    ],
)
def test_cells_that_history_knows(registry: Registry, rule: str, first: str, second: str, verdict: str) -> None:
    found = matrix(registry, [registry.rules[rule]], [first, second])
    assert found.cell(rule, first, second).verdict == verdict


def test_a_limit_makes_a_cell_undetermined(registry: Registry) -> None:
    found = matrix(registry, [registry.rules["placeholder"]], ["fsync"], Budget(max_states=3))
    assert found.cell("placeholder", "fsync", "fsync").verdict == "undetermined"


def test_nothing_is_built_for_cells_after_a_stop(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []
    usual = study_outcomes.products

    def products(workload: Workload, rule: Rule, *rest: Any) -> Any:
        built.append(rule.name)
        return usual(workload, rule, *rest)

    monkeypatch.setattr(study_outcomes, "products", products)
    stop = requested("Ctrl-C")
    rules = [registry.rules[name] for name in RULES]
    found = matrix(registry, rules, OPERATIONS, exceeded=lambda: stop if len(built) > 1 else None)
    assert set(built) == {RULES[0]}
    assert {cell.verdict for cell in found.cells if cell.rule != RULES[0]} == {"undetermined", NOT_THERE}


def test_the_repair_of_september_2017_and_its_own_repair(registry: Registry) -> None:
    names = ("generic_late_invalidate", "generic_2017_before_end_io", "generic_2017_after_end_io")
    workloads = [registry.workloads[name] for name in ("refill_behind_write", "refill_behind_aio")]
    first, second = (diff(registry.rules[a], registry.rules[b], workloads) for a, b in pairwise(names))
    told = {(c.word, c.workload, c.layout) for c in first.changes}
    assert ("repaired", "refill_behind_aio", "written") in told
    assert ("opened", "refill_behind_write", "preallocated") in told
    assert first.exit_code == 1
    assert {c.word for c in second.changes} == {"repaired"}
    assert second.exit_code == 0


def test_forms_are_the_same_each_time(registry: Registry, small: Matrix) -> None:
    again = matrix(open_registry(), [registry.rules[name] for name in RULES], OPERATIONS)
    for form in (matrix_text, matrix_markdown, matrix_json, matrix_svg, one_page):
        assert form(small) == form(again)


def test_the_page_leads_from_each_racing_cell_to_its_run(small: Matrix) -> None:
    page = one_page(small)
    assert 'href="#ext3_2_6_18-direct_read-mmap_store"' in page
    assert 'id="ext3_2_6_18-direct_read-mmap_store"' in page
    assert "http://" not in page
    assert "https://" not in page


def test_the_site_has_a_page_for_each_racing_cell(tmp_path: Path) -> None:
    arguments = [
        "--rule",
        "ext3_2_6_18",
        "--rule",
        "placeholder",
        "--operation",
        "direct_read",
        "--operation",
        "mmap_store",
    ]
    result = run("matrix", *arguments, "--html", str(tmp_path / "site"))
    assert result.exit_code == 0
    names = {path.relative_to(tmp_path / "site").as_posix() for path in (tmp_path / "site").rglob("*.*")}
    racing = {c["trace"] for c in json.loads((tmp_path / "site/matrix.json").read_text())["cells"] if c["trace"]}
    assert racing
    assert names == {"index.html", "matrix.json", "matrix.svg", *racing, *(t.replace(".json", ".html") for t in racing)}
    index = (tmp_path / "site/index.html").read_text()
    assert set(re.findall(r'href="(cells/[^"]+)"', index)) == {t.replace(".json", ".html") for t in racing}
    page = (tmp_path / "site/cells/ext3_2_6_18-direct_read-mmap_store.html").read_text().replace("\n", "")
    assert '<span class="badge bad">exposed</span> direct_read x mmap_store under ext3_2_6_18' in page
    assert 'href="../index.html"' in page
    assert '"ways":{' in page


def test_a_site_of_a_search_that_a_limit_ends_says_so(small: Matrix, registry: Registry, tmp_path: Path) -> None:
    cut = replace(
        small,
        cells=tuple(
            replace(c, verdict="undetermined", trace=None) if c.rule == "placeholder" else c for c in small.cells
        ),
    )
    told: list[str] = []
    count = write_site(cut, tmp_path, registry, lambda: requested("interrupted"), told.append)
    assert count == 1 + sum(c.trace is not None for c in cut.cells)
    assert told == ["the steps beside the runs are left out: interrupted"]
    undecided = sum(c.verdict == "undetermined" for c in cut.cells)
    assert (
        f"{undecided} cells undetermined: a limit or an interrupt ended the search."
        in (tmp_path / "index.html").read_text()
    )
    assert all('"ways":null' in path.read_text() for path in (tmp_path / "cells").glob("*.html"))


def test_matrix_command(tmp_path: Path) -> None:
    arguments = ["--rule", "ext3_2_6_18", "--operation", "direct_read", "--operation", "mmap_store"]
    result = run("matrix", *arguments, "--format", "json", "--traces", str(tmp_path / "runs"))
    assert result.exit_code == 0
    cells = {tuple(c["operations"]): c for c in json.loads(result.output)["cells"]}
    racing = cells["direct_read", "mmap_store"]
    assert racing["verdict"] == "exposed"
    assert run("show", racing["trace"]).exit_code == 0
    assert re.search(r"direct_read x mmap_store +X\n", run("matrix", *arguments).output)


def test_with_two_sectors_cells_are_torn(registry: Registry) -> None:
    rules = [registry.rules[name] for name in ("ext4_2016", "ext4_2020", "btrfs_range_lock")]
    verdicts = {}
    for sectors in (1, 2):
        found = matrix(registry, rules, ["direct_write"], sectors=sectors)
        verdicts[sectors] = [c.verdict for c in found.cells]
        assert ("A page has 2 sectors." in matrix_text(found)) == (sectors == 2)
        assert json.loads(matrix_json(found))["sectors"] == sectors
    assert verdicts == {1: ["ok", "ok", "ok"], 2: ["ok", "torn", "ok"]}


def test_a_change_of_rules_opens_torn_writes() -> None:
    arguments = ["diff", "ext4_2016", "ext4_2020", "direct_write,direct_write"]
    assert run(*arguments).exit_code == 0
    torn = run(*arguments, "--sectors", "2")
    assert torn.exit_code == 1
    assert "opened    direct_write x direct_write, written file" in torn.output
    assert "torn (the file has parts of different writes)" in torn.output


def test_outcomes_command() -> None:
    result = run("outcomes", "seed_race", "--rule", "ext4_today")
    assert result.exit_code == 0
    assert result.output == (
        "seed_race under ext4_today, hole file: error (217 states)\n"
        "  reader error, mapper new; file new  error  (reader is refused with EIO)\n"
        "  reader new, mapper new; file new    ok\n"
        "  reader zero, mapper new; file new   ok\n"
    )
    assert run("outcomes", "direct_read,mmap_store", "--rule", "placeholder", "--max-states", "5").exit_code == 3


def test_diff_command() -> None:
    result = run("diff", "ext3_2_6_18", "placeholder", "seed_race")
    assert result.exit_code == 0
    assert "repaired  seed_race, hole file: reader exposed, mapper new; file new" in result.output
    assert run("diff", "placeholder", "ext3_2_6_18", "seed_race").exit_code == 1


def test_unknown_names_are_usage_errors() -> None:
    for arguments in (["diff", "ext3", "placeholder"], ["matrix", "--rule", "ext5"], ["outcomes", "read,dance"]):
        result = run(*arguments)
        assert result.exit_code != 0
        assert "DIO208" in str(result.exception)


def test_three_operations_side_by_side() -> None:
    result = run("outcomes", "direct_write,read,readahead", "--rule", "generic_2005", "--format", "json")
    runs = json.loads(result.output)["runs"]
    assert [(one["layout"], one["verdict"]) for one in runs] == [
        ("hole", "ok"),
        ("preallocated", "stale"),
        ("written", "stale"),
    ]
    assert {tuple(o["results"]) for o in runs[0]["outcomes"]} == {("t0_direct_write", "t1_read", "t2_readahead")}


def test_a_change_leads_to_its_run(tmp_path: Path) -> None:
    arguments = ["placeholder", "ext3_2_6_18", "seed_race", "--format", "json", "--traces", str(tmp_path)]
    (opened,) = [c for c in json.loads(run("diff", *arguments).output)["changes"] if c["change"] == "opened"]
    shown = run("show", opened["trace"])
    assert shown.exit_code == 0
    assert "reader exposed, mapper new; file new: exposed" in shown.output
