"""A folio of several blocks: what holds with every schedule, and each mistake that a property notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.checking.driver import check_class
from dio_mc.checking.results import Report
from dio_mc.frontend.load import load_module

HEAD = """\
from dio_mc import *
from dio_mc.kernel import *


class M(LargeFolio):
    @thread
    def reader(self):
        self.seen[0] = self.buffered_read(0)

    @thread
    def writer(self):
        self.buffered_write(self.pages - 1, Data.NEW)

    @thread(daemon=True)
    def flusher(self):
        while True:
            self.writepage()

    @invariant
    def no_lost_write(self):
        return not self.at_rest() or self.will_have(self.pages - 1) == Data.NEW

    @reachable
    def written_back(self):
        return self.at_rest() and self.disk[self.pages - 1] == Data.NEW and not self.folio_dirty

"""
PARTLY = """\
    @reachable
    def one_bit_of_two(self):
        return self.uptodate[1] and self.dirty[1] and not self.folio_uptodate and not self.dirty[0]

    @reachable
    def only_what_is_dirty_is_written(self):
        return self.disk[1] == Data.NEW and not self.folio_writeback and self.present and not self.uptodate[0]

    @reachable
    def filled_in_around_what_was_written(self):
        return self.folio_uptodate and self.page[0] == Data.OLD and self.page[1] == Data.NEW and self.dirty[1]
"""
BOTH = """\
    @thread
    def second_writer(self):
        self.buffered_write(0, Data.NEW)
"""
AGAIN = """\
    @thread
    def writer(self):
        self.buffered_write(1, Data.OLD)
        self.buffered_write(1, Data.NEW)
"""


def report(folder: Path, body: str, **params: int) -> Report:
    (folder / "folio.py").write_text(HEAD + body)
    return check_class(load_module(folder / "folio.py").models[-1], params)


def violated(found: Report) -> set[str]:
    assert found.complete
    return {p.name.split("@")[0] for p in found.properties if p.verdict == "VIOLATED"}


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_read_and_a_write_of_parts(tmp_path: Path, pages: int) -> None:
    assert violated(report(tmp_path, PARTLY if pages == 2 else "", pages=pages)) == set()


@pytest.mark.parametrize("more", [BOTH, AGAIN], ids=["two writers", "two writes"])
def test_more_writes(tmp_path: Path, more: str) -> None:
    """Whose read may find the folio uptodate without any IO."""
    assert violated(report(tmp_path, more)) == set()


def test_a_folio_is_dropped_as_a_whole_and_stays_while_a_block_is_dirty(tmp_path: Path) -> None:
    body = """\
    @thread
    def dropper(self):
        self.invalidate_folio()

    @reachable
    def dropped(self):
        return self.at_rest() and not self.present and self.disk[1] == Data.NEW
"""
    assert violated(report(tmp_path, body)) == set()


PUNCH = """\
    @thread
    def puncher(self):
        self.punch(0)

    @operation()
    def punch(self, i):
        self.truncate_partial_folio(i)
        self.block[i] = Block.HOLE
"""
READS_ZEROS = """\
    @invariant
    def punched(self):
        return not self.at_rest() or self.will_have(0) == Data.ZERO
"""


def test_a_punch_of_one_block_leaves_the_others(tmp_path: Path) -> None:
    """Without a reader beside it: a read that has mapped the block brings back what was there."""
    body = PUNCH + READS_ZEROS + "    @thread(instances=0)\n    def reader(self):\n        pass\n"
    assert violated(report(tmp_path, body)) == set()
    assert "coherent_at_rest" in violated(report(tmp_path, PUNCH))


MISTAKES = {
    "the folio is uptodate with its first block": (
        """\
    @operation()
    def set_range_uptodate(self, i):
        with atomic():
            self.uptodate[i], self.folio_uptodate = True, True
""",
        {"uptodate_flag_is_of_all", "uptodate_has_data", "coherent_at_rest"},
    ),
    "a read fills in blocks that are uptodate": (
        """\
    @operation()
    def read_folio(self):
        with atomic():
            self.reads_pending = self.pages
            self.folio_lock.hand_over()
            for i in range(self.pages):
                spawn(self.read_end_io, i)
""",
        {"no_lost_write", "coherent_at_rest"},
    ),
    "a write does not set the dirty bit": (
        """\
    @operation()
    def write_end(self, i):
        with atomic():
            self.set_range_uptodate(i)
            self.folio_dirty = True
            self.folio_lock.unlock()
""",
        {"no_lost_write", "coherent_at_rest", "written_back"},
    ),
    "a write does not dirty the folio": (
        """\
    @operation()
    def write_end(self, i):
        with atomic():
            self.set_range_uptodate(i)
            self.dirty[i] = True
            self.folio_lock.unlock()
""",
        {"no_dirty_block_forgotten", "written_back"},
    ),
    "the dirty bits are cleared before the blocks are looked for": (
        """\
    @operation()
    def writepage_map(self):
        self.clear_range_dirty()
        super().writepage_map()
""",
        {"no_lost_write", "coherent_at_rest", "written_back"},
    ),
    "the dirty bits are cleared when the folio is unlocked": (
        AGAIN
        + """\
    @operation()
    def writepage_map(self):
        with atomic():
            self.folio_dirty, self.folio_writeback, self.writes_pending = False, True, 1
        for i in range(self.pages):
            self.writepage_block(i)
        self.folio_lock.unlock()
        self.clear_range_dirty()
        self.finish_folio_write()
""",
        {"no_lost_write", "coherent_at_rest", "no_dirty_block_forgotten"},
    ),
    "writeback ends with the first block": (
        BOTH
        + """\
    @operation()
    def writepage_map(self):
        with atomic():
            self.folio_dirty, self.folio_writeback = False, True
        for i in range(self.pages):
            self.writepage_block(i)
        self.clear_range_dirty()
        with atomic():
            if self.writes_pending == 0:
                self.folio_writeback = False
            self.folio_lock.unlock()
""",
        {"writeback_covers_io"},
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_noticed(tmp_path: Path, name: str) -> None:
    body, expected = MISTAKES[name]
    assert violated(report(tmp_path, body)) == expected
