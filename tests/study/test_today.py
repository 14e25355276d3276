"""The rules of today: what was read in the kernels' source, cell by cell."""

from __future__ import annotations

import pytest

from dio_mc import thread
from dio_mc.kernel import Data
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import LAYOUTS, Workload, open_registry, pair

SHELF = open_registry()
TODAY = (
    "ext3_in_ext4", "ext4_nodelalloc", "ext4_today", "ext4_6_1", "ext4_7", "xfs_today", "btrfs_today",
    "btrfs_nodatasum",
)  # fmt: skip
"""The columns below."""
CELLS = {
    ("direct_read", "mmap_store"): "XXE.EE..",
    ("aio_read", "mmap_store"): "XXE.EE..",
    ("direct_write", "mmap_store"): "EEEEEE.E",
    ("aio_write", "mmap_store"): "EEEEEE.E",
    ("write", "aio_write"): ".....E.E",  # ext4's write(2) drains
    ("punch_hole", "mmap_store"): "........",  # btrfs has i_mmap_lock
    ("punch_hole", "aio_read"): "........",
    ("punch_hole", "readahead"): "........",
    ("truncate", "aio_write"): "........",
    ("direct_write", "read"): "........",
}
WORDS = {"exposed": "X", "error": "E", "ok": "."}


@pytest.mark.parametrize(("operations", "row"), CELLS.items(), ids=lambda value: "_x_".join(value))
def test_cells(operations: tuple[str, str], row: str) -> None:
    workload = pair(SHELF, *operations)
    found = []
    for name in TODAY:
        verdicts = {WORDS[one.verdict] for one in outcomes(workload, SHELF.rules[name], witnesses=())}
        found.append(next(letter for letter in "XE." if letter in verdicts))
    assert "".join(found) == row


def results(rule: str, workload: Workload, layout: str) -> set[tuple[str, ...]]:
    """What each thread was given, of every outcome."""
    found = outcomes(workload, SHELF.rules[rule], witnesses=())
    return {tuple(r for _, r in o.results) for one in found if one.layout == layout for o in one.outcomes}


@pytest.mark.parametrize(
    ("rule", "read"),
    [
        ("ext3_in_ext4", {"exposed", "newer", "zero"}),
        ("ext4_nodelalloc", {"exposed", "newer", "zero"}),
        ("ext4_today", {"error", "newer", "zero"}),
        ("ext4_6_1", {"newer", "zero"}),  # a reservation reads as a hole
        ("ext4_2020", {"newer", "zero"}),
        ("xfs_today", {"error", "newer", "zero"}),
        ("btrfs_today", {"newer", "zero"}),
    ],
)
def test_what_a_direct_read_gives_of_a_hole_that_is_stored_into(rule: str, read: set[str]) -> None:
    given = {first for first, _ in results(rule, pair(SHELF, "direct_read", "mmap_store"), "hole")}
    assert given == read


@pytest.mark.parametrize("rule", ["iomap_2017", "iomap_2018", "iomap_today", "xfs_own_locking", "ext4_2020", *TODAY])
def test_a_reservation_refuses_no_direct_write(rule: str) -> None:
    """A direct write allocates over it."""
    assert {first for first, _ in results(rule, pair(SHELF, "direct_write", "mmap_store"), "hole")} == {"new"}


class SyncTwice:
    """A write collides with a store; its program syncs twice, and another one after it."""

    @thread
    def writer(self):
        self.pwrite_direct(0, Data.NEW)
        self.fsync(0)
        self.fsync(0)

    @thread
    def mapper(self):
        self.mmap_store(0, Data.NEWER)


@pytest.mark.parametrize("rule", ["iomap_2018", "ext4_today", "xfs_today"])
def test_an_error_is_told_once_per_open_file(rule: str) -> None:
    """`fsync` leaves the result before it in place where it finds no error."""

    class Second:
        @thread
        def writer(self):
            self.pwrite_direct(0, Data.NEW)
            self.fsync(0)
            self.pread(0)
            self.fsync(0)

    once = Workload("once", {"writer": SyncTwice.writer, "mapper": SyncTwice.mapper}, tuple(LAYOUTS))
    then = Workload("then", {"writer": Second.writer, "mapper": SyncTwice.mapper}, tuple(LAYOUTS))
    assert "error" in {first.split(" then ")[-1] for first, _ in results(rule, once, "written")}
    told = results(rule, then, "written")
    assert ("error then newer", "newer") in told  # refused at the first fsync, nothing at the second


def test_an_extending_asynchronous_write_is_synchronous_on_ext4() -> None:
    class Extends:
        @thread
        def program(self):
            self.truncate()
            self.io_submit_pwrite(0, Data.NEW)
            self.pread_direct(0)
            self.io_getevents()

    workload = Workload("extends", {"program": Extends.program}, ("written",))
    assert {first for (first,) in results("ext4_today", workload, "written")} == {"new then new"}
    assert {first for (first,) in results("xfs_today", workload, "written")} == {"new then new", "eof then new"}
