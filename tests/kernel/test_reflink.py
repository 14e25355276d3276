"""Shared blocks and copy on write: what holds with every schedule, and each mistake that a property notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.checking.driver import check_class
from dio_mc.checking.results import Report
from dio_mc.frontend.load import load_module

HEAD = """\
from dio_mc import *
from dio_mc.kernel import *
from dio_mc.kernel.families import families
"""
DIRECT = """

class M(Reflink):
    @thread
    def writer(self):
        for i in range(self.pages):
            self.direct_write(i, Data.NEW)

    @thread
    def reader(self):
        self.seen[0] = self.direct_read(0)

    @invariant
    def reads_old_or_new(self):
        return self.seen[0] in (Data.NOTHING, Data.OLD, Data.NEW, Data.TORN)

    @reachable
    def copied(self):
        return self.at_rest() and self.block_has(0) == Data.NEW and self.other_has(0) == Data.OLD

"""
CACHED = """

class M(CoherentAtRest, NoStaleExposure, CowWriteback):
    iolock = RWSem()
    done = Var(bool, ghost=True)

    @thread
    def writer(self):
        self.iolock.down_write()
        self.buffered_write(0, Data.NEW)
        self.done = True
        self.iolock.up_write()

    @thread(daemon=True)
    def flusher(self):
        while True:
            self.writepage(0)

    @thread
    def cloner(self):
        self.iolock.down_write()
        self.remap_prep()
        self.clone_to_other(0)
        self.iolock.up_write()

    @operation(kernel="fs/remap_range.c:generic_remap_file_range_prep @5.10-")
    def remap_prep(self):
        self.filemap_write_and_wait_range(0)

    @thread
    def reader(self):
        self.iolock.down_read()
        self.seen[0] = self.direct_read(0)
        self.iolock.up_read()

    @reachable
    def cloned_old(self):
        return self.at_rest() and self.other_has(0) == Data.OLD and self.will_have(0) == Data.NEW

    @reachable
    def cloned_new(self):
        return self.at_rest() and self.other_has(0) == Data.NEW

"""


def report(folder: Path, text: str, **params: int) -> Report:
    (folder / "reflink.py").write_text(HEAD + text)
    return check_class(load_module(folder / "reflink.py").models[-1], params)


def violated(found: Report) -> set[str]:
    assert found.complete
    return {p.name.split("@")[0] for p in found.properties if p.verdict == "VIOLATED"}


@pytest.mark.parametrize("params", [{}, {"sectors": 2}, {"pages": 2}, {"copies": 2}], ids=str)
def test_a_write_to_shared_blocks_leaves_the_other_file_alone(tmp_path: Path, params: dict[str, int]) -> None:
    assert violated(report(tmp_path, DIRECT, **params)) == set()


def test_two_writers_share_what_is_in_the_cow_fork(tmp_path: Path) -> None:
    text = (
        DIRECT
        + """\
    @thread
    def second(self):
        self.direct_write(0, Data.NEWER)

    @reachable
    def no_third_block(self):
        return self.at_rest() and self.data_fork[0] == 1 and self.block_has(0) == Data.NEWER
"""
    )
    text = text.replace("(Data.NOTHING,", "(Data.NOTHING, Data.NEWER,").replace("== Data.NEW and", "!= Data.OLD and")
    assert violated(report(tmp_path, text)) == set()


def test_a_hole_gets_a_block_that_the_other_file_does_not_have(tmp_path: Path) -> None:
    text = DIRECT.replace("class M(Reflink):", "class M(Reflink):\n    block = Array(Block, size=File.pages)")
    text = (
        text.replace("Data.OLD, Data.NEW, Data.TORN", "Data.ZERO, Data.NEW")
        + """\
    @reachable
    def written_and_apart(self):
        return self.at_rest() and self.data_fork[0] == 1 and self.block[0] == Block.MAPPED
"""
    )
    assert violated(report(tmp_path, text)) == set()


def test_sharing_both_ways_frees_what_was_there(tmp_path: Path) -> None:
    """One file has the other's block, then that has a new one of this file, then the first block is used again."""
    text = """

class M(Reflink):
    copies = Param(2)

    @thread
    def user(self):
        self.direct_write(0, Data.NEW)
        first = self.data_fork[0]
        self.clone_to_other(0)
        self.direct_write(0, Data.NEWER)
        second = self.data_fork[0]
        assert first == 1 and second == 0
        equal = self.dedupe_compare(0)
        assert not equal
        self.clone_from_other(0)
        equal = self.dedupe_compare(0)
        assert equal
        self.seen[0] = self.direct_read(0)
        self.cancel_cow(0)

    @invariant
    def ends_with_the_others(self):
        return not self.at_rest() or self.seen[0] == Data.NEW
"""
    assert violated(report(tmp_path, text)) == set()


MISTAKES = {
    "remaps before the transfer": (
        """\
    @operation()
    def direct_write(self, i, data):
        iomap = self.write_iomap_begin(i)
        self.dio_write_end_io(i, iomap.cow)
        self.bio_write_to(i, iomap.addr, data)
""",
        {"reads_old_or_new"},
    ),
    "does not copy on write": (
        """\
    @operation()
    def write_iomap_begin(self, i):
        addr = self.data_fork[i]
        return Iomap(addr)
""",
        {"other_file_stays", "no_shared_io", "copied"},
    ),
    "does not remap": (
        """\
    @operation()
    def end_cow(self, i):
        self.cow_fork[i] = None
""",
        {"copied"},
    ),
    "takes a block that the other file has": (
        """\
    @operation()
    def allocate_cow(self, i):
        self.cow_fork[i] = 0
""",
        {"other_file_stays", "no_shared_io", "one_owner", "copied"},
    ),
    "cancels what is under way": (
        """\
    @thread
    def truncater(self):
        self.cancel_cow(0)
""",
        {"no_freed_io"},
    ),
    "clones beside a write": (
        """\
    other_fork = Array(Range(0, 2) | None, size=File.pages, init=None)

    @thread
    def cloner(self):
        self.clone_to_other(0)
""",
        {"other_file_stays", "no_shared_io"},
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_noticed(tmp_path: Path, name: str) -> None:
    body, expected = MISTAKES[name]
    assert violated(report(tmp_path, DIRECT + body)) == expected


def test_writeback_copies_on_write(tmp_path: Path) -> None:
    assert violated(report(tmp_path, CACHED)) == set()


CACHED_MISTAKES = {
    "clones without a flush": (
        "    @operation()\n    def remap_prep(self):\n        pass\n",
        {"other_file_stays"},
    ),
    "ends writeback before the remap": (
        """\
    @operation()
    def end_page_writeback(self, i):
        cow = self.io_sector[i].cow
        self.writeback[i] = False
        self.dio_write_end_io(i, cow)
""",
        {"other_file_stays", "coherent_at_rest"},
    ),
}


@pytest.mark.parametrize("name", CACHED_MISTAKES)
def test_mistakes_through_the_cache_are_noticed(tmp_path: Path, name: str) -> None:
    body, expected = CACHED_MISTAKES[name]
    assert violated(report(tmp_path, CACHED + body)) == expected


DEDUPE = """

class M(Reflink):
    copies = Param(2)
    other_fork = Array(Range(0, 1) | None, size=File.pages, init=1)
    spare = Array(Data, size=(copies, File.pages * File.sectors), init=Data.OLD)
    iolock, i_dio_count = RWSem(), DrainCounter(max=1)

    @thread
    def deduplicator(self):
        self.remap_file_range()

    @operation()
    def remap_file_range(self):
        equal = self.dedupe_compare(0)
        if equal:
            self.clone_from_other(0)

    @thread
    def writer(self):
        self.iolock.down_read()
        self.i_dio_count.begin()
        self.submit()
        self.iolock.up_read()

    @operation()
    def submit(self):
        self.end_io()

    @operation()
    def end_io(self):
        self.direct_write(0, Data.NEW)
        self.i_dio_count.end()

    @invariant
    def no_lost_write(self):
        return not self.at_rest() or self.block_has(0) == Data.NEW
"""
LOCKED = """
    @operation()
    def remap_file_range(self):
        self.iolock.down_write()
{drain}        equal = self.dedupe_compare(0)
        if equal:
            self.clone_from_other(0)
        self.iolock.up_write()
"""
DRAINS = LOCKED.format(drain="        self.i_dio_count.wait()\n")
ASYNCHRONOUS = "\n    @operation()\n    def submit(self):\n        spawn(self.end_io)\n"
LOST = {"no_lost_write", "no_freed_io"}


@pytest.mark.parametrize(
    ("more", "expected"),
    [("", LOST), (DRAINS, set()), (DRAINS + ASYNCHRONOUS, set()), (LOCKED.format(drain=""), set()),
     (LOCKED.format(drain="") + ASYNCHRONOUS, LOST)],
    ids=["unlocked", "locked", "locked, asynchronous", "not drained", "not drained, asynchronous"],
)  # fmt: skip
def test_the_verdicts_of_the_model_that_was_written_by_hand(tmp_path: Path, more: str, expected: set[str]) -> None:
    """models/history/r48_dedupe_vs_direct_write.py has the same, and does not see where the lost write goes."""
    assert violated(report(tmp_path, DEDUPE + more)) == expected
