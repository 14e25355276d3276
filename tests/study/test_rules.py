"""The shipped rules and workloads: what they may do, that nothing in them is broken, and that the pages about them are true."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dio_mc.cli import cli
from dio_mc.kernel.register import Register
from dio_mc.lang.model import ROLE, OperationRole, anchor_of
from dio_mc.semantics.remembering import Memories
from dio_mc.study.matrix import matrix
from dio_mc.study.observe import JUDGED, Observation, Observed, Record
from dio_mc.study.picture import matrix_svg
from dio_mc.study.products import products
from dio_mc.study.registry import SYSTEM_CALLS, Registry, open_registry, pair, product
from dio_mc.study.tags import tag

ROOT = Path(__file__).resolve().parents[2]
PROTOCOLS = sorted((ROOT / "models" / "protocols").glob("*.py"))
WORKLOADS = sorted((ROOT / "models" / "workloads").glob("*.py"))
SHELF = open_registry()


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda p: p.name)
def test_workloads_make_system_calls_and_nothing_else(path: Path) -> None:
    for function in (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)):
        for statement in function.body:
            assert isinstance(statement, ast.Expr)
            assert isinstance(statement.value, ast.Call)
            assert isinstance(statement.value.func, ast.Attribute)
            assert statement.value.func.attr in SYSTEM_CALLS


@pytest.mark.parametrize("path", PROTOCOLS, ids=lambda p: p.name)
def test_rules_are_short_and_say_where_they_are_from(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 120
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("name", SHELF.rules)
def test_every_operation_of_a_rule_has_its_kernel_function(name: str) -> None:
    model = SHELF.rules[name].model
    record = {n for c in model.__mro__ if c.__module__ == "record" for n in vars(c)}
    skipped = SYSTEM_CALLS | set(dir(Register)) | record
    operations = {n: f for n in dir(model) if isinstance(getattr(f := getattr(model, n), ROLE, None), OperationRole)}
    assert [n for n, f in operations.items() if n not in skipped and not anchor_of(model, n, f)] == []


@pytest.mark.parametrize("name", SHELF.rules)
def test_no_workload_breaks_a_rule_itself(name: str) -> None:
    memories = Memories()
    for workload in SHELF.workloads.values():
        for made in products(workload, SHELF.rules[name]):
            seen = Observed(made, memory=memories.of(made.program))
            assert seen.complete
            assert seen.goals, (workload.name, made.layout)
            assert [o for o in seen.goals if o.fault or o.stuck] == []


def test_a_rule_that_waits_for_itself_is_a_deadlock(tmp_path: Path) -> None:
    (tmp_path / "stuck.py").write_text(
        "from ext3_2_6_18 import Ext3\nfrom dio_mc import operation\n\n\nclass Stuck(Ext3, abstract=True):\n"
        '    rule, since = "stuck", 2026\n\n    @operation(kernel="fs/x.c:fsync")\n'
        "    def filemap_write_and_wait_range(self, i):\n        self.i_mutex.lock()\n        self.i_mutex.unlock()\n"
    )
    registry = open_registry(None, [tmp_path / "stuck.py"])
    cell = matrix(registry, [registry.rules["stuck"]], ["direct_read"]).cells[0]
    assert cell.verdict == "deadlock"
    assert cell.trace is not None
    assert cell.trace.property_kind == "deadlock"


def observation(*violated: str, outcome: str = "NEW", earlier: str = "NOTHING", **more: Any) -> Observation:
    record = Record("t", earlier, outcome, more.pop("given", "FINE"))
    return Observation((record,), more.pop("cached", "NEW"), more.pop("media", "NEW"), violated, **more)


@pytest.mark.parametrize(
    ("seen", "verdict", "reason"),
    [
        (observation(), "ok", None),
        (observation("no_stale_exposure", outcome="STALE"), "exposed", "t reads the block's previous owner's data"),
        (
            observation("no_stale_exposure", cached="STALE", media="STALE"),
            "exposed",
            "the file has the block's previous owner's data",
        ),
        (observation("no_freed_io"), "lost", "a write went to a freed block"),
        (
            observation("no_lost_write", cached="OLD", media="OLD"),
            "lost",
            "the disk has old, which no order of the acknowledged writes leaves",
        ),
        (
            observation("read_after_ack", outcome="OLD", given="OVERWRITTEN"),
            "stale",
            "t reads the old page after the write was acknowledged",
        ),
        (
            observation("read_after_ack", outcome="NEWER", given="OVERWRITTEN"),
            "stale",
            "t reads newer, which was not there, or no longer",
        ),
        (
            observation("monotonic_read", earlier="NEW", outcome="OLD", given="BACKWARDS"),
            "stale",
            "t reads new then old, though what had been read came after that",
        ),
        (observation("monotonic_read"), "stale", "the file has new, though what was read came after that"),
        (observation("coherent_at_rest", cached="OLD"), "stale", "the cache keeps old, the disk has new"),
        (observation(outcome="EIO"), "error", "t is refused with EIO"),
        (observation(outcome="TORN"), "torn", "t reads parts of different writes"),
        (observation(media="TORN"), "torn", "the file has parts of different writes"),
        (observation(outcome="UNTOUCHED"), "lost", "what t reads goes to a page that is no longer its buffer"),
        (
            observation(cached="OLD", reported=True),
            "error",
            "EIO is left for the next fsync: the cache keeps old, the disk has new",
        ),
        (observation(reported=True), "error", "EIO is left for the next fsync"),
        (observation(stuck=("t",)), "deadlock", "t can never go on"),
    ],
)
def test_verdicts(seen: Observation, verdict: str, reason: str | None) -> None:
    told = tag(seen, "OLD")
    assert (told.verdict, told.reasons) == (verdict, () if reason is None else (reason,))


def test_the_worst_wins_and_all_is_told() -> None:
    told = tag(observation("no_lost_write", "no_stale_exposure", outcome="STALE", media="OLD", cached="OLD"), "OLD")
    assert (told.verdict, len(told.reasons)) == ("exposed", 2)
    reported = observation("no_stale_exposure", outcome="NEW", media="STALE", cached="STALE", reported=True)
    assert tag(reported, "OLD").verdict == "exposed"


def test_every_judge_of_a_product_has_a_word() -> None:
    (program, *_) = product(pair(SHELF, "read", "write"), SHELF.rules["ext4_2020"]).values()
    assert {p.name for p in program.properties if p.kind == "invariant"} == set(JUDGED)


def test_layouts_differ_in_initial_values_alone() -> None:
    programs = product(pair(SHELF, "read", "write"), SHELF.rules["ext4_2020"])
    assert list(programs) == ["hole", "preallocated", "written"]
    assert len({p.digest for p in programs.values()}) == 3
    assert len({p.templates for p in programs.values()}) == 1


@pytest.fixture(scope="module")
def registry() -> Registry:
    return SHELF


def titles(picture: str) -> set[str]:
    return set(re.findall(r"<title>(\w+: \w+ x \w+: [^<]*)</title>", picture))


@pytest.mark.slow
def test_the_picture_of_the_documents_is_what_the_matrix_says(registry: Registry) -> None:
    shown = titles((ROOT / "docs" / "matrix.svg").read_text())
    some = matrix(registry, list(registry.rules.values()), ["direct_read", "mmap_store", "punch_hole"])
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
