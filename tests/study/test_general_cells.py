"""`matrix --any`: which cells hold for any number of what writes nothing, and which are never said to."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dio_mc.cache import Cache
from dio_mc.checking.driver import Options
from dio_mc.checking.runs.general_cells import with_general
from dio_mc.checking.runs.kept_cells import KIND, KeptCells, is_whole
from dio_mc.checking.runs.matrix import Cells, general_one_by_one
from dio_mc.cli import cli
from dio_mc.cli.site import one_page
from dio_mc.guard import Latch
from dio_mc.semantics.stop import requested
from dio_mc.study.matrix import Cell, General, Matrix, Pairing, matrix
from dio_mc.study.picture import matrix_svg
from dio_mc.study.registry import Registry, open_registry, together
from dio_mc.study.tables import matrix_json, matrix_markdown, matrix_text

RULES = """
from generic import GenericLateInvalidate

from dio_mc import Range, Var, operation


class Plain(GenericLateInvalidate, abstract=True):
    # On files that have their blocks.
    rule, since = "plain", 2028
    layouts = ("written",)


class OneReader(GenericLateInvalidate, abstract=True):
    # Wrong with two readers beside each other.
    rule, since = "one_reader", 2030
    layouts = ("written",)
    busy = Var(bool)

    @operation()
    def buffered_read(self, i):
        self.busy = True
        data = super().buffered_read(i)
        assert self.busy
        self.busy = False
        return data


class TwoPins(GenericLateInvalidate, abstract=True):
    # Wrong with three.
    rule, since = "two_pins", 2031
    layouts = ("written",)
    pins = Var(Range(0, 2))

    @operation()
    def buffered_read(self, i):
        self.pins += 1
        data = super().buffered_read(i)
        self.pins -= 1
        return data


class Waits(GenericLateInvalidate, abstract=True):
    # Two readers wait for each other, a writer beside one does not.
    rule, since = "waits", 2032
    layouts = ("written",)
    turn = Var(Range(0, 2))

    @operation()
    def buffered_read(self, i):
        with atomic():
            self.turn = self.turn + 1 if self.turn < 2 else 2
        wait_until(self.turn < 2)
        return super().buffered_read(i)
""".replace("import Range, Var, operation", "import Range, Var, atomic, operation, wait_until")
OPERATIONS = ("read", "direct_write")
NEVER = Latch(lambda: None)
SEVERAL_WRITE = "more than one operation writes: which of several writes is the last is not followed"


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("rules") / "further_rules.py"
    found.write_text(RULES)
    return found


@pytest.fixture(scope="module")
def registry(file: Path) -> Registry:
    return open_registry(None, (file,))


def cell(registry: Registry, rule: str, *operations: str, known: str = "ok") -> Cell:
    """What is found for any number where the cell is known to be this."""
    pairing = Pairing(together(registry, operations), registry.rules[rule])
    return with_general(pairing, Cell(operations, rule, known), None, NEVER)


def reason(registry: Registry, rule: str, *operations: str) -> str:
    found = cell(registry, rule, *operations).general
    assert found is not None
    return found.reason


@pytest.fixture(scope="module")
def small(registry: Registry) -> Matrix:
    return matrix(registry, [registry.rules["plain"]], OPERATIONS, solve=general_one_by_one(None, NEVER))


def test_any_number_of_reads_beside_one_write(registry: Registry) -> None:
    found = cell(registry, "plain", "read", "direct_write").general
    assert found == General(("read",), ("direct_write",))
    assert found.words == "any number of read and one direct_write"
    assert cell(registry, "plain", "read", "readahead").general == General(("read", "readahead"), ())


def test_what_two_threads_do_not_show_and_three_do_is_never_said_to_hold(registry: Registry) -> None:
    beside = ("read", "direct_write")
    assert matrix(registry, [registry.rules["one_reader"]], beside).cell("one_reader", *beside).verdict == "ok"
    assert "assertion" in reason(registry, "one_reader", *beside)
    assert "range@" in reason(registry, "two_pins", *beside)


def test_threads_that_cannot_go_on_are_looked_for_with_two_of_each(registry: Registry) -> None:
    beside = ("read", "direct_write")
    assert matrix(registry, [registry.rules["waits"]], beside).cell("waits", *beside).verdict == "ok"
    assert reason(registry, "waits", *beside) == "written file: deadlock with two of each that writes nothing"


def test_what_is_said_to_hold_is_so_with_three(small: Matrix, registry: Registry) -> None:
    proved = [c for c in small.cells if c.general is not None and c.general.proved]
    assert {c.operations for c in proved} == {("read", "read"), ("read", "direct_write")}
    for one in proved[1:]:
        assert one.general is not None
        for further in one.general.many:
            workload = together(registry, tuple(sorted((further, *one.operations))))
            found = matrix(registry, [registry.rules[one.rule]], workload.calls, size=3)
            assert found.row(*workload.calls)[0].verdict == "ok", (one.rule, workload.calls)


def test_why_a_cell_is_not_proved(registry: Registry) -> None:
    assert reason(registry, "ext4_today", "write", "direct_write") == SEVERAL_WRITE
    given_away = "an asynchronous call hands its thread's id to its completion"
    assert reason(registry, "ext4_today", "aio_read", "read") == given_away
    assert cell(registry, "ext4_2016", "read", "mmap_store", known="exposed").general is None


def test_a_limit_says_so_and_is_not_kept(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pairing = Pairing(together(registry, ("read", "direct_write")), registry.rules["ext4_today"])
    met = Latch(lambda: requested("interrupted"))
    found = with_general(pairing, Cell(pairing.workload.calls, "ext4_today", "ok"), None, met)
    assert found.general == General(("read",), ("direct_write",), "a limit, or an interrupt", stopped=True)
    assert not is_whole(found)
    assert is_whole(replace(found, general=None))


def test_the_cells_are_kept_apart_from_those_without(
    registry: Registry, small: Matrix, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = Cache(pytest.fail, KIND, "cells are")
    first = KeptCells(lambda pairings: (small.cell(p.rule.name, *p.workload.calls) for p in pairings), cache, True)
    rules = [registry.rules["plain"]]
    assert matrix(registry, rules, OPERATIONS, solve=first) == small
    again = KeptCells(lambda pairings: iter(() if not pairings else [pytest.fail("asked")]), cache, True)
    assert matrix(registry, rules, OPERATIONS, solve=again) == small
    asked: list[Pairing] = []
    without = KeptCells(lambda pairings: asked.extend(pairings) or iter(small.cells), cache)
    matrix(registry, rules, OPERATIONS, solve=without)
    assert len(asked) == len(small.cells)


def test_two_processes_say_what_one_says(file: Path, registry: Registry, small: Matrix) -> None:
    cells = Cells(None, (file,), Options(), 2, patience=0.0, general=True)
    assert matrix(registry, [registry.rules["plain"]], OPERATIONS, solve=cells) == small


def test_every_form_says_the_same(small: Matrix) -> None:
    text = matrix_text(small)
    assert re.search(r"read x direct_write +\*\n", text)
    assert re.search(r"direct_write x direct_write +\.\n", text)
    assert "2 of 3 cells that are ok are proved for any number." in text
    told = f"not for any number: {SEVERAL_WRITE}\n    plain: direct_write x direct_write\n"
    assert told in text
    assert "| read x direct_write | any |" in matrix_markdown(small)
    data = {tuple(c["operations"]): c["any"] for c in json.loads(matrix_json(small))["cells"]}
    assert data["read", "direct_write"] == {
        "proved": True, "many": ["read"], "one": ["direct_write"], "reason": None,
    }  # fmt: skip
    assert data["direct_write", "direct_write"]["reason"] == SEVERAL_WRITE
    title = "plain: read x direct_write: ok, any number of read and one direct_write"
    assert title in matrix_svg(small)
    page = one_page(small)
    assert "plain: read x direct_write: ok: any number of read and one direct_write" in page
    assert all("proved for any number of what writes nothing" in form for form in (text, matrix_svg(small), page))


def test_a_matrix_that_is_not_asked_says_nothing(small: Matrix) -> None:
    plain = replace(small, cells=tuple(replace(c, general=None) for c in small.cells))
    assert "any number" not in matrix_text(plain)
    assert {c["any"] for c in json.loads(matrix_json(plain))["cells"]} == {None}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_the_command() -> None:
    asked = ["matrix", "--any", "--rule", "ext3_2_6_18", "--operation", "fsync", "--jobs", "1", "--no-cache"]
    result = run(*asked)
    assert result.exit_code == 0
    assert re.search(r"fsync x fsync +\*\n", result.output)


def test_kernels_prove_nothing() -> None:
    result = run("matrix", "--any", "--kernel", "6.12", "--fs", "ext4")
    assert str(result.exception) == (
        "dio-mc: error DIO204: --any is about rules: a kernel is observed, which proves nothing\n"
        "  hint: leave out --kernel, or --any"
    )
