"""A buffered write uses a mapping that writeback has changed (R46, XFS and iomap).

This is not direct IO, but a race of the same kind. A write of half a page maps its range as unwritten, then looks
the page up. Meanwhile writeback writes the cached page, converts the extent, and reclaim removes the page. The
write inserts a new page and, as its mapping is unwritten, zeroes the other half: valid data is lost. 304a68b9c63b
(2022, XFS; the core, d7b64041164c, id not verified), xfs/559: the mapping carries a cookie that is checked with
the page locked. Mappings are taken without a lock and validated, where older code holds a lock from map to use.
"""

from dio_mc import Array, Kernel, Model, PageLock, Range, Var, atomic, expect, invariant, operation, thread
from dio_mc.kernel import Block, Data, Slot


class TrustsTheMap(Model):
    """Before 304a68b9c63b. The page is dirty, its second half has data."""

    block = Var(Block, init=Block.UNWRITTEN)
    sequence = Var(Range(0, 1))
    slot = Var(Slot, init=Slot.UPTODATE)
    page = Array(Data, size=2, init=[Data.ZERO, Data.OLD])
    disk = Array(Data, size=2, init=Data.STALE)
    page_lock = PageLock()

    @thread
    def writer(self):
        done = False
        while not done:
            with atomic():  # xfs_buffered_write_iomap_begin
                block, cookie = self.block, self.sequence
            self.page_lock.lock()
            done = self.is_valid(cookie)
            if done:
                self.write_half(block)
            self.page_lock.unlock()

    @operation(kernel="fs/iomap/buffered-io.c:iomap_write_begin @5.3-")
    def is_valid(self, cookie):
        return True

    @operation(kernel="fs/iomap/buffered-io.c:__iomap_write_begin @5.10-")
    def write_half(self, block):
        with atomic():
            if self.slot == Slot.ABSENT:
                self.page[1] = Data.ZERO if block == Block.UNWRITTEN else self.disk[1]
            self.slot, self.page[0] = Slot.UPTODATE, Data.NEW

    @thread
    def flusher(self):
        self.page_lock.lock()
        with atomic():
            self.disk[0], self.disk[1] = self.page[0], self.page[1]
        with atomic():  # iomap_finish_ioend: converted, so the mapping has changed
            self.block, self.sequence = Block.MAPPED, 1
        self.slot = Slot.ABSENT  # reclaim
        self.page_lock.unlock()

    @invariant
    def no_lost_write(self):
        return self.slot != Slot.UPTODATE or self.page[1] == Data.OLD


class Validates(TrustsTheMap):
    """The fix, 304a68b9c63b."""

    @operation(kernel="fs/iomap/buffered-io.c:iomap_write_begin @5.3-")
    def is_valid(self, cookie):
        return self.sequence == cookie


expect(
    TrustsTheMap,
    violates={"no_lost_write"},
    kernel=Kernel(
        "xfs",
        layout="dirty",
        threads={"writer": "pwrite_half:NEW", "flusher": "sync_file_range,drop_cache"},
        gates={"writer.*": "grab_cache_page_write_begin"},
        shows={"no_lost_write": {"second half": "zero"}},
        has=("5.10",),
        mended=("6.1", "6.12", "7.3"),
    ),
)
expect(Validates, holds=True, any="all")
