"""The shipped rules and workloads: what they may do, that nothing in them is broken, and that the pages about them are true."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from dio_mc.cli import cli
from dio_mc.lang.model import ROLE, OperationRole
from dio_mc.study.matrix import matrix
from dio_mc.study.observe import Observation, Observed, Record
from dio_mc.study.picture import matrix_svg
from dio_mc.study.shelf import Shelf, open_shelf, pair, product
from dio_mc.study.tags import tag

ROOT = Path(__file__).resolve().parents[2]
PROTOCOLS = sorted((ROOT / "models" / "protocols").glob("*.py"))
WORKLOADS = sorted((ROOT / "models" / "workloads").glob("*.py"))
CALLS = {
    "pread", "pwrite", "pread_direct", "pwrite_direct", "io_submit_pread", "io_submit_pwrite",
    "io_getevents", "mmap_load", "mmap_store",
    "readahead", "fsync", "msync", "sync_file_range", "truncate", "punch_hole", "fork", "store_beside_buffer",
}  # fmt: skip
SHELF = open_shelf()


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda p: p.name)
def test_workloads_make_system_calls_and_nothing_else(path: Path) -> None:
    for function in (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)):
        for statement in function.body:
            assert isinstance(statement, ast.Expr)
            assert isinstance(statement.value, ast.Call)
            assert isinstance(statement.value.func, ast.Attribute)
            assert statement.value.func.attr in CALLS


@pytest.mark.parametrize("path", PROTOCOLS, ids=lambda p: p.name)
def test_rules_are_short_and_say_where_they_are_from(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 120
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("name", SHELF.rules)
def test_every_operation_of_a_rule_has_its_kernel_function(name: str) -> None:
    model = SHELF.rules[name].model
    roles = {n: getattr(getattr(model, n), ROLE, None) for n in dir(model) if n not in CALLS}
    assert [
        n for n, r in roles.items() if isinstance(r, OperationRole) and not re.match(r"\S+\.c:\w+$", r.kernel or "")
    ] == []


@pytest.mark.parametrize("name", SHELF.rules)
def test_no_workload_breaks_a_rule_itself(name: str) -> None:
    for workload in SHELF.workloads.values():
        for layout, program in product(workload, SHELF.rules[name]).items():
            seen = Observed(program)
            assert seen.complete
            assert seen.goals, (workload.name, layout)
            assert [o for o in seen.goals if o.fault or o.stuck] == []


def test_a_rule_that_waits_for_itself_is_a_deadlock(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(
        "from ext3_2_6_18 import Ext3\nfrom dio_mc import operation\n\n\nclass Stuck(Ext3, abstract=True):\n"
        '    rule, since = "stuck", 2026\n\n    @operation(kernel="fs/x.c:fsync")\n'
        "    def filemap_write_and_wait_range(self, i):\n        self.i_mutex.lock()\n        self.i_mutex.unlock()\n"
    )
    shelf = open_shelf(None, [tmp_path / "stuck.py"])
    cell = matrix(shelf, [shelf.rules["stuck"]], ["direct_read"]).cells[0]
    assert cell.verdict == "deadlock"
    assert cell.trace is not None
    assert cell.trace.property_kind == "deadlock"


def record(
    thread: str, outcome: str, wrote: str = "NOTHING", floor: str = "NOTHING", earlier: str = "NOTHING"
) -> Record:
    return Record(thread, earlier, outcome, floor, wrote)


@pytest.mark.parametrize(
    ("records", "cached", "media", "verdict"),
    [
        ([record("w", "NEW", "NEW")], "NEW", "NEW", "ok"),
        ([record("w", "NEW", "NEW")], "NEW", "OLD", "lost"),
        ([record("w", "NEW", "NEW")], "OLD", "NEW", "stale"),
        ([record("w", "NEW", "NEW")], "NEW", "STALE", "exposed"),
        ([record("w", "EIO", "NEW")], "OLD", "OLD", "error"),
        ([record("r", "OLD")], "OLD", "OLD", "ok"),
        ([record("r", "OLD")], "OLD", "ZERO", "lost"),
        ([record("r", "ZERO")], "OLD", "OLD", "stale"),
        ([record("r", "STALE")], "OLD", "OLD", "exposed"),
        ([record("w", "NEW", "NEW"), record("r", "OLD")], "NEW", "NEW", "ok"),
        ([record("w", "NEW", "NEW"), record("r", "OLD", floor="NEW")], "NEW", "NEW", "stale"),
        ([record("w", "NEW", "NEW"), record("r", "OLD", earlier="NEW")], "NEW", "NEW", "stale"),
        ([record("w", "NEW", "NEW"), record("r", "NEW", earlier="OLD")], "NEW", "NEW", "ok"),
        ([record("w", "NEW", "NEW"), record("v", "NEWER", "NEWER")], "NEW", "NEW", "ok"),
        ([record("w", "NEW", "NEW"), record("v", "NEWER", "NEWER", floor="NEW")], "NEW", "NEW", "lost"),
        ([record("p", "ZERO", "ZERO"), record("r", "ZERO")], "ZERO", "ZERO", "ok"),
    ],
)
def test_verdicts(records: list[Record], cached: str, media: str, verdict: str) -> None:
    assert tag(Observation(tuple(records), cached, media, False), "OLD").verdict == verdict


def test_a_write_to_a_freed_block_is_lost_whatever_else() -> None:
    assert tag(Observation((record("w", "NEW", "NEW"),), "NEW", "NEW", True), "OLD").verdict == "lost"


def test_layouts_differ_in_initial_values_alone() -> None:
    programs = product(pair(SHELF, "read", "write"), SHELF.rules["ext4_2020"])
    assert list(programs) == ["hole", "preallocated", "written"]
    assert len({p.digest for p in programs.values()}) == 3
    assert len({p.templates for p in programs.values()}) == 1


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    return SHELF


def titles(picture: str) -> set[str]:
    return set(re.findall(r"<title>(\w+: \w+ x \w+: [^<]*)</title>", picture))


def test_the_picture_of_the_documents_is_what_the_matrix_says(shelf: Shelf) -> None:
    shown = titles((ROOT / "docs" / "matrix.svg").read_text())
    some = matrix(shelf, list(shelf.rules.values()), ["direct_read", "mmap_store"])
    assert titles(matrix_svg(some))
    assert titles(matrix_svg(some)) <= shown


def test_the_rule_and_the_workload_of_the_page(tmp_path: Path) -> None:
    rule, workload, *_ = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "rules.md").read_text(), re.DOTALL)
    (tmp_path / "impatient.py").write_text(rule)
    (tmp_path / "read_back.py").write_text(workload)
    files = ["--file", str(tmp_path / "impatient.py"), "--file", str(tmp_path / "read_back.py")]
    result = CliRunner().invoke(cli, ["diff", "ext4_2020", "impatient", *files, "seed_race", "read_back"])
    assert result.exit_code == 1
    assert "opened    seed_race, hole file: reader exposed" in result.output
