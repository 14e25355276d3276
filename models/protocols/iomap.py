"""Direct IO by fs/iomap/direct-io.c, three times, with the inode lock that its filesystems have in common (R03, R08).

Direct IO takes `i_rwsem` shared, write(2) and whoever frees blocks exclusive, faults a lock of their own. All blocks
are allocated unwritten; a reservation that direct IO meets is refused with EIO (04197b341f23, v4.10).

- 2017: cached pages are dropped before the IO and behind the conversion, for asynchronous writes too (332391a9935d,
  c771c14baa33). A page that cannot be dropped makes a warning in the log, and no difference.
- 2018 (5a9d929d6e13, v4.16): EIO is recorded on the mapping too, and the next fsync returns it.
- today: such a page before the IO means a write through the cache (60263d5889e6, v5.9), and whoever brings pages into
  the cache takes the faults' lock, `invalidate_lock` (v5.15, 2021, id not verified). Not modelled: completion in the
  style of ioends, which skips the second drop if nothing was cached (R40).
"""

from faultlock import AllocatesUnwritten

from dio_mc import Var, atomic, operation
from dio_mc.kernel import Block


class IomapDio(AllocatesUnwritten, abstract=True):
    """What is the same in all three, without locks."""

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_rw")
    def prepare(self, i, value):
        self.filemap_write_and_wait_range(i)
        gone = self.invalidate_inode_pages2_range(i)
        direct = self.goes_on(gone)
        block = Block.HOLE
        if direct:
            self.inode_dio_begin()
            block = self.map_for_write(i)
            if block == Block.DELALLOC:
                self.inode_dio_end()
        return block

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_actor")
    def map_for_write(self, i):
        with atomic():
            if self.block[i] == Block.HOLE:
                self.block[i] = Block.UNWRITTEN
            return self.block[i] if i < self.i_size else Block.BEYOND

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_complete")
    def dio_complete(self, i, block):
        super().dio_complete(i, block)
        gone = self.invalidate_inode_pages2_range(i)
        self.collision(gone)

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_rw")
    def goes_on(self, gone):
        """Whether the write is direct, if a page cannot be dropped."""
        self.collision(gone)
        return True

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_complete")
    def collision(self, gone):
        """Logged."""


class Reported(IomapDio, abstract=True):
    """5a9d929d6e13."""

    wb_err = Var(bool)

    def reported(self):
        return self.wb_err

    @operation(kernel="fs/direct-io.c:dio_warn_stale_pagecache")
    def collision(self, gone):
        if not gone:
            self.wb_err = True

    @operation(kernel="fs/sync.c:vfs_fsync_range")
    def vfs_fsync_range(self, i):
        self.filemap_write_and_wait_range(i)
        return not self.wb_err


class FallsBack(Reported, abstract=True):
    """60263d5889e6."""

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_rw")
    def goes_on(self, gone):
        return gone

    @operation(kernel="mm/filemap.c:direct_write_fallback")
    def fall_back(self, i, value):
        self.buffered_write(i, value)
        self.filemap_write_and_wait_range(i)
