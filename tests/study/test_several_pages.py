"""Calls about several pages: what a rule promises of them, files whose pages are not alike, and what stays as it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.kernel.register import Given
from dio_mc.kernel.words import Data
from dio_mc.study.baseline import read_baseline
from dio_mc.study.matrix import NOT_THERE, Cell, Matrix, matrix
from dio_mc.study.observe import of_pages
from dio_mc.study.outcomes import Outcome, outcomes
from dio_mc.study.products import products
from dio_mc.study.registry import MIXED, Registry, Workload, open_registry, parts_named, together
from dio_mc.study.tables import matrix_json, matrix_text

SIZES = """\
from dio_mc import thread
from dio_mc.kernel import Data


class SecondPage:
    layouts, pages = ("written",), 2

    @thread
    def writer(self):
        self.pwrite_direct(1, Data.NEW)
        self.pread(1)

    @thread
    def other(self):
        self.pread_direct(0)


class Longer:
    layouts, pages = ("written",), 2

    @thread
    def writer(self):
        self.truncate()
        self.pwrite_direct(0, Data.NEW)

    @thread
    def reader(self):
        self.pread(0)
"""


@pytest.fixture(scope="module")
def registry() -> Registry:
    return open_registry()


@pytest.fixture(scope="module")
def more(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    path = tmp_path_factory.mktemp("several") / "sizes.py"
    path.write_text(SIZES)
    return open_registry(None, [path])


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def found(registry: Registry, rule: str, pair: tuple[str, str], layout: str, pages: int = 2) -> list[Outcome]:
    workload = replace(together(registry, pair, pages=pages), layouts=(layout,))
    (one,) = outcomes(workload, registry.rules[rule], witnesses=())
    return list(one.outcomes)


def worst(registry: Registry, rule: str, pair: tuple[str, str], layout: str, pages: int = 2) -> str:
    return found(registry, rule, pair, layout, pages)[0].verdict


# -- what is promised ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "pair", "verdict"),
    [
        ("ext4_today", ("read", "write"), "torn"),  # read(2) has no lock
        ("xfs_today", ("read", "write"), "ok"),  # the iolock, over all of both calls
        ("xfs_today", ("direct_read", "direct_write"), "torn"),  # both have it shared
        ("btrfs_nodatasum", ("direct_read", "direct_write"), "ok"),  # two ranges, held to the end
        ("generic_2005", ("direct_write", "direct_write"), "ok"),  # i_mutex
        ("xfs_today", ("direct_write", "direct_write"), "torn"),
    ],
)
def test_whether_a_call_is_atomic_over_two_pages(
    registry: Registry, rule: str, pair: tuple[str, str], verdict: str
) -> None:
    assert worst(registry, rule, pair, "written") == verdict
    assert worst(registry, rule, pair, "written", 1) == "ok"


def test_a_race_of_one_page_is_one_of_two(registry: Registry) -> None:
    pair = ("direct_read", "mmap_store")
    assert worst(registry, "ext3_2_6_18", pair, "hole") == "exposed"
    assert worst(registry, "ext3_2_6_18", pair, "written_hole") == "exposed"  # the hole is in the second page
    assert worst(registry, "ext3_2_6_18", pair, "written") == "ok"


def test_pages_that_differ_at_first_are_not_torn(registry: Registry) -> None:
    listed = found(registry, "ext4_today", ("direct_read", "direct_write"), "written_hole")
    assert {o.text.partition(",")[0] for o in listed} == {"t0_direct_read mixed", "t0_direct_read newer"}
    assert {o.verdict for o in listed} == {"ok"}


def test_a_read_past_the_end_is_short(registry: Registry) -> None:
    listed = found(registry, "ext4_today", ("direct_read", "fsync"), "written_end")
    assert [o.text for o in listed] == ["t0_direct_read short, t1_fsync done; file short"]


def test_a_write_is_short_where_a_page_cannot_be_direct(registry: Registry) -> None:
    """The rest goes through the cache, and the file has all of it."""
    for layout in ("written_hole", "hole_written"):
        listed = found(registry, "ext3_in_ext4", ("direct_write", "fsync"), layout)
        assert [o.text for o in listed] == ["t0_direct_write new, t1_fsync done; file new"]


def test_a_write_from_within_the_file_past_its_end(registry: Registry) -> None:
    listed = found(registry, "ext4_today", ("direct_write", "read"), "written_end")
    texts = {o.text.partition(", ")[2].partition(";")[0] for o in listed}
    assert texts == {"t1_read short", "t1_read mixed", "t1_read new"}
    assert {o.verdict for o in listed} == {"ok"}


def test_a_call_at_the_second_page_is_about_it_alone(more: Registry) -> None:
    workload = more.workloads["second_page"]
    assert (workload.pages, workload.is_whole) == (2, False)
    (one,) = outcomes(workload, more.rules["ext4_today"], witnesses=())
    assert {o.text for o in one.outcomes} == {
        "writer new then new, other old; file mixed", "writer new then new, other mixed; file mixed",
    }  # fmt: skip
    assert one.verdict == "ok"


def test_what_is_read_while_a_file_is_made_longer(more: Registry) -> None:
    (xfs,) = outcomes(more.workloads["longer"], more.rules["xfs_today"], witnesses=())
    assert xfs.verdict == "ok"
    (ext4,) = outcomes(more.workloads["longer"], more.rules["ext4_today"], witnesses=())
    reasons = {reason for o in ext4.outcomes for reason in o.reasons}
    assert "reader reads a part of what a write or a truncation changes" in reasons


# -- the second page is judged as the first one is -----------------------------------------------------------------------


@pytest.mark.parametrize("page", [0, 1])
def test_a_stale_page_is_found_wherever_it_is(registry: Registry, page: int) -> None:
    """Readers through the cache beside a direct write (R05), with only this page's register kept."""
    from dio_mc.study.observe import Observed

    workload = replace(together(registry, ("direct_write", "read"), pages=2), layouts=("written",), watched=page)
    (made,) = products(workload, registry.rules["generic_2005"])
    program = made.named()
    assert program.name == f"direct_write_x_read__generic_2005@pages=2{',watched=1' if page else ''}@written"
    assert any(o.violated for o in Observed(made).goals)
    again = parts_named(registry, program.name)
    assert again is not None
    assert (again[0].pages, again[0].watched, again[2]) == (2, page, "written")


def test_a_call_that_is_not_about_the_watched_page_is_nothing_to_it(more: Registry) -> None:
    from dio_mc.study.observe import Observed

    workload = more.workloads["second_page"]
    for page in (0, 1):
        (made,) = products(replace(workload, watched=page), more.rules["ext4_today"])
        given = {r.given for o in Observed(made).goals for r in o.records}
        assert given == {Given.FINE.name}


# -- sizes ------------------------------------------------------------------------------------------------------------


def test_a_file_of_one_page_has_no_mixed_layout(registry: Registry) -> None:
    two = together(registry, ("read", "write"), pages=2)
    assert set(MIXED) < set(two.layouts)
    assert set(two.on(pages=1).layouts) & set(MIXED) == set()
    assert two.on(pages=1).on(pages=2) == two
    assert registry.rules["two_class_lock"].has("written_end")
    assert not registry.rules["two_class_lock"].has("written_hole")


def test_what_several_pages_read_as() -> None:
    names = [value.name for value in Data]
    assert of_pages(["OLD", "OLD"]) == "OLD"
    assert of_pages(["OLD", "NEW"]) == of_pages(["ZERO", "OLD"]) == "TORN"
    assert of_pages(["OLD", "EOF"]) == of_pages(["NEW", "OLD", "EOF"]) == "SHORT"
    assert of_pages(["EOF", "EOF"]) == "EOF"
    assert of_pages(["OLD", "STALE"]) == of_pages(["STALE", "EOF"]) == "STALE"
    assert {"TORN", "SHORT"} < set(names)


def test_a_rule_that_knows_one_page_says_so(registry: Registry) -> None:
    workload = together(registry, ("read", "write"), pages=2)
    with pytest.raises(ModelError, match="`placeholder` knows calls on 1 page, not on 2") as raised:
        outcomes(workload, registry.rules["placeholder"])
    assert raised.value.diagnostics[0].hint.startswith("its completion releases page 0 alone")
    cells = matrix(registry, [registry.rules["placeholder"]], ["read"], pages=2).cells
    assert [cell.verdict for cell in cells] == [NOT_THERE]


def test_the_commands_take_pages(tmp_path: Path) -> None:
    path = tmp_path / "sizes.py"
    path.write_text(SIZES.replace(', pages = ("written",), 2', ' = ("written_hole",)'))
    options = ("--file", str(path), "--rule", "ext4_today", "--pages", "2", "--traces", str(tmp_path))
    said = run("outcomes", "second_page", *options)
    assert "second_page under ext4_today, written_hole file: ok" in said.output
    (trace, *_) = sorted(tmp_path.glob("*written_hole-1.json"))
    assert run("replay", str(trace), "--file", str(path)).exit_code == 0
    assert "--pages 2" in run("show", str(trace), "--format", "lkml").output


def test_a_matrix_says_which_rule_knows_fewer_pages() -> None:
    said = run("matrix", "--rule", "placeholder", "--operation", "read", "--pages", "2", "--no-cache", "--jobs", "1")
    assert (
        "note: placeholder has no cells: it knows calls on 1 page; its completion releases page 0 alone" in said.stderr
    )
    assert said.exit_code == 0


def test_matrices_of_other_pages_are_not_compared(tmp_path: Path) -> None:
    found = Matrix(("a",), (("read", "read"),), (Cell(("read", "read"), "a", "torn"),), pages=2)
    assert "A call is about 2 pages." in matrix_text(found)
    base = tmp_path / "base.json"
    base.write_text(matrix_json(found))
    assert read_baseline(base, pages=2) == {("a", ("read", "read")): "torn"}
    with pytest.raises(ModelError, match="it is about calls on 2 pages, not on 1"):
        read_baseline(base)


def test_a_workload_says_whether_its_calls_are_about_everything(registry: Registry) -> None:
    def whole(*names: str) -> bool:
        workload: Workload = together(registry, names, pages=2)
        return workload.is_whole

    assert whole("read", "direct_write")
    assert not whole("read", "mmap_store")
