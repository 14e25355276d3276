"""Every path that inserts pages into the cache needs the lock, and new paths omit it (R10, R11, XFS and ext4).

- ea3d7209ca01 (2015): page faults take `i_mmap_sem` against a hole punch (r10_punch_vs_fault.py).
- readahead by fadvise or madvise takes no lock, and inserts a page over a block that is about to be freed.
- XFS, 2019 (id not verified): such readahead takes the iolock shared, as reads do; a hole punch takes it exclusive.
- 2021 (id not verified): `mapping->invalidate_lock`, taken by the generic code that inserts pages, for every caller.

Large folios (2022), the next step, are not modelled: a slot has one page here.
"""

from r10_punch_vs_fault import InvalidateLock

from dio_mc import Kernel, RWSem, atomic, expect, operation, thread
from dio_mc.kernel import Slot


class ReadsAhead(InvalidateLock):
    """ea3d7209ca01, and readahead as a second path that inserts."""

    @thread
    def adviser(self):
        for i in range(self.pages):
            self.readahead(i)

    @operation(kernel="mm/readahead.c:force_page_cache_readahead @-4.19")
    def readahead(self, i):
        self.buffered_read(i)


class XfsReadahead(ReadsAhead):
    """2019: each filesystem takes its own lock."""

    iolock = RWSem()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fadvise @5.10-")
    def readahead(self, i):
        self.iolock.down_read()
        super().readahead(i)
        self.iolock.up_read()

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_fallocate @3.16-")
    def punch_hole(self, i):
        self.iolock.down_write()
        super().punch_hole(i)
        self.iolock.up_write()


class EveryInsertion(ReadsAhead):
    """2021: the lock is taken where the page is inserted."""

    @operation(kernel="mm/readahead.c:page_cache_ra_unbounded @5.8-")
    def readahead(self, i):
        self.invalidate_lock.down_read()
        super().readahead(i)
        self.invalidate_lock.up_read()


class InsertedBeforeTheLock(ReadsAhead):
    """The mistake: the page is inserted, locked, before the lock is taken. A punch with the lock waits for the page."""

    @operation(kernel="mm/readahead.c:page_cache_ra_unbounded @5.8-")
    def readahead(self, i):
        with atomic():
            missing = self.slot[i] == Slot.ABSENT
            if missing:
                self.add_to_page_cache(i)
        if missing:
            self.invalidate_lock.down_read()
            self.read_page(i)
            self.invalidate_lock.up_read()


expect(
    ReadsAhead,
    violates={"no_freed_io", "no_collateral", "no_stale_exposure"},
    kernel=Kernel(
        "ext4",
        layout="written",
        threads={"puncher": "punch_hole", "mapper": "", "flusher": "", "adviser": "readahead", "other_file": ""},
        gates={"puncher.free_block": "ext4_es_remove_extent"},
        shows={"no_stale_exposure": {"file": "cache old, disk zero"}},
        has=("5.10",),
        mended=("6.1", "6.12", "7.3", "5.10 xfs"),
    ),
)
expect(XfsReadahead, holds=True)
expect(EveryInsertion, holds=True)
expect(InsertedBeforeTheLock, violates={"deadlock"})
