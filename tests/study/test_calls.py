"""What the rules make of truncate, fork, asynchronous IO, fsync and sectors: outcomes that tell rules apart."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from dio_mc import thread
from dio_mc.cli import cli
from dio_mc.kernel import Data
from dio_mc.study.diff import diff
from dio_mc.study.outcomes import Outcomes, outcomes
from dio_mc.study.registry import Workload, open_registry, pair
from dio_mc.study.tags import worst

SHELF = open_registry()


def run(workload: str, rule: str, layout: str = "written") -> Outcomes:
    """One workload under one rule, on a file of one layout."""
    found = outcomes(SHELF.workloads[workload], SHELF.rules[rule], witnesses=())
    return next(one for one in found if one.layout == layout)


@pytest.mark.parametrize(
    ("workload", "rule", "verdict"),
    [
        ("torn_read", "ext4_2020", "torn"),
        ("torn_read", "xfs_own_locking", "ok"),  # the iolock makes buffered reads and writes atomic to each other
        ("torn_direct_read", "ext3_2_6_18", "torn"),  # i_mutex is dropped when the read is submitted
        ("torn_direct_read", "placeholder", "ok"),
        ("torn_direct_read", "placeholder_chunked", "torn"),  # P6
        ("torn_direct_read", "btrfs_range_lock", "ok"),
        ("torn_by_two", "ext4_2016", "ok"),  # direct writes had the inode lock exclusive
        ("torn_by_two", "ext4_2020", "torn"),  # overwrites share it
    ],
)
def test_with_two_sectors_some_rules_let_reads_be_torn(workload: str, rule: str, verdict: str) -> None:
    assert run(workload, rule).verdict == verdict


@pytest.mark.slow
def test_with_one_sector_nothing_is_torn() -> None:
    arguments = ["outcomes", "torn_read", "torn_direct_read", "torn_by_two", "--sectors", "1"]
    assert "torn  (" not in CliRunner().invoke(cli, arguments).output
    assert "torn  (" in CliRunner().invoke(cli, [*arguments[:-1], "2", "--rule", "ext4_2020"]).output


def test_a_fork_takes_the_buffer_away_from_a_direct_read() -> None:
    verdicts = {rule: run("fork_under_direct_read", rule).verdict for rule in SHELF.rules}
    pinned = {rule for rule in SHELF.rules if SHELF.rules[rule].since >= 2023}  # and 6.1 does not pin yet
    assert {rule for rule, verdict in verdicts.items() if verdict == "ok"} == pinned
    assert set(verdicts.values()) == {"ok", "lost"}


class SubmitOnly:
    """An asynchronous read that has been submitted when its file is overwritten."""

    @thread
    def reader(self):
        self.io_submit_pread(0)
        self.pwrite_direct(0, Data.NEW)
        self.io_getevents()


@pytest.mark.parametrize("rule", SHELF.rules)
def test_an_asynchronous_read_is_under_way_when_submit_returns(rule: str) -> None:
    """Some run reads what its own program has written after the submission; not where the range is locked until then."""
    workload = Workload("submit_only", {"reader": SubmitOnly.reader}, ("written",))
    found = outcomes(workload, SHELF.rules[rule], witnesses=())
    given = {dict(o.results)["reader"] for one in found for o in one.outcomes}
    assert all(o.verdict != "deadlock" for one in found for o in one.outcomes)
    waits = {"placeholder", "placeholder_global", "placeholder_chunked", "btrfs_range_lock", "btrfs_nodatasum"}
    assert given == ({"new then old"} if rule in waits else {"new then old", "new then new"})


def test_an_asynchronous_read_acknowledges_nothing_and_can_lose_its_buffer() -> None:
    for layout in outcomes(pair(SHELF, "aio_read", "direct_read"), SHELF.rules["ext4_2020"], witnesses=()):
        assert [o.verdict for o in layout.outcomes] == ["ok"]
    forks = {
        "reader": vars(SHELF.operations["aio_read"])["first"],
        "forker": SHELF.workloads["fork_under_direct_read"].threads["forker"],
    }
    workload = Workload("fork_under_aio_read", forks, ("written",))
    verdicts = {
        rule: outcomes(workload, SHELF.rules[rule], witnesses=())[0].verdict for rule in ("ext4_2020", "iomap_today")
    }
    assert verdicts == {"ext4_2020": "lost", "iomap_today": "ok"}


@pytest.mark.parametrize("rule", SHELF.rules)
def test_an_asynchronous_write_is_under_way_when_submit_returns(rule: str) -> None:
    """Some run reads after the submission what was there before the transfer; not where the range is locked until then."""
    workload = SHELF.workloads["submit_then_direct_read"]
    found = outcomes(workload, SHELF.rules[rule], witnesses=())
    given = {dict(o.results)["program"] for one in found if one.layout == "written" for o in one.outcomes}
    locked = {"placeholder", "placeholder_global", "placeholder_chunked", "btrfs_range_lock", "btrfs_nodatasum"}
    waits = {*locked, "btrfs_today"}  # by default a write of btrfs goes through the cache, and is flushed
    assert given == ({"new then new"} if rule in waits else {"old then new", "new then new"})


@pytest.mark.parametrize("rule", SHELF.rules)
def test_who_reads_a_truncated_file_sees_nothing_of_the_old_block(rule: str) -> None:
    # btrfs lets write(2) extend the file between a direct read's flush and its map, which finds a hole inside the file
    assert run("truncate_and_extend", rule).verdict == ("stale" if rule == "btrfs_range_lock" else "ok")
    assert run("truncate_and_extend_directly", rule).verdict in ("ok", "stale")


def test_a_size_that_is_raised_before_the_second_drop_shows_a_page_of_zeros() -> None:
    told = {o.reasons for o in run("truncate_and_extend_directly", "iomap_today").outcomes if o.verdict == "stale"}
    assert told == {("reader reads eof then zero, which was not there, or no longer",)}
    assert run("truncate_and_extend_directly", "placeholder").verdict == "ok"
    assert run("truncate_and_extend_directly", "btrfs_range_lock").verdict == "ok"


def test_msync_makes_a_store_visible_to_direct_reads_everywhere() -> None:
    assert {run("sync_what_is_mapped", rule).verdict for rule in SHELF.rules} <= {"ok", "error"}


def test_what_2017_passed_over_2018_reports() -> None:
    workload = pair(SHELF, "direct_write", "mmap_store")
    found = diff(SHELF.rules["iomap_2017"], SHELF.rules["iomap_2018"], [workload])
    added = [c for c in found.changes if c.word == "adds" and c.layout == "written"]
    assert added
    assert {c.outcome.verdict for c in added} == {"error"}
    assert all("EIO is left for the next fsync" in c.outcome.reasons for c in added)
    assert found.exit_code == 0


def test_one_place_holder_for_all_is_as_good_as_one_each() -> None:
    rules = [SHELF.rules[name] for name in ("placeholder", "placeholder_global")]
    found = diff(*rules, [SHELF.workloads[name] for name in ("seed_race", "refill_behind_write", "torn_direct_read")])
    assert found.changes == ()


@pytest.mark.parametrize(
    ("rule", "first", "second", "verdict"),
    [
        ("placeholder_chunked", "direct_read", "mmap_store", "ok"),
        ("placeholder_global", "direct_read", "mmap_store", "ok"),
        ("btrfs_range_lock", "direct_read", "mmap_store", "ok"),
        ("iomap_2017", "direct_read", "mmap_store", "error"),  # R03
        ("btrfs_range_lock", "direct_write", "read", "ok"),
        ("two_class_lock", "direct_write", "read", "ok"),  # R19
        ("two_class_lock", "direct_write", "mmap_load", "stale"),  # faults have no part in it
        ("ext3_2_6_18", "aio_write", "read", "stale"),  # R06
        ("iomap_2018", "readahead", "punch_hole", "exposed"),  # R11
        ("iomap_today", "readahead", "punch_hole", "ok"),
        ("generic_2005", "aio_write", "truncate", "ok"),
        ("placeholder", "aio_write", "truncate", "ok"),  # P8
        ("ext3_2_6_18", "aio_read", "mmap_store", "exposed"),  # R01
        ("btrfs_range_lock", "aio_read", "mmap_store", "ok"),
        ("iomap_2018", "aio_read", "mmap_store", "error"),  # R03
        ("generic_2005", "aio_read", "truncate", "ok"),
        ("placeholder", "aio_read", "truncate", "ok"),  # P8
        ("two_class_lock", "aio_read", "aio_write", "ok"),
    ],
)
def test_more_cells_that_history_knows(rule: str, first: str, second: str, verdict: str) -> None:
    found = outcomes(pair(SHELF, first, second), SHELF.rules[rule], witnesses=())
    assert worst([one.verdict for one in found]) == verdict
