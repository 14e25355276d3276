"""Direct IO by fs/iomap/direct-io.c, three times, with the inode lock that its filesystems have in common (R03, R08).

Direct IO takes `i_rwsem` shared, write(2) and whoever frees blocks exclusive, faults a lock of their own. All blocks
are allocated unwritten, by a direct write over a reservation too; a direct read that meets one is refused with EIO
(04197b341f23, v4.10). iomap_6.py has what ext4, XFS and btrfs share today.

- 2017: cached pages are dropped before the IO and after the conversion, for asynchronous writes too (332391a9935d,
  c771c14baa33). A page that cannot be dropped makes a warning in the log, and no difference.
- 2018 (5a9d929d6e13, v4.16): EIO is recorded on the mapping too (wb_err.py).
- today: such a page before the IO means a write through the cache (60263d5889e6, v5.9), and whoever brings pages into
  the cache takes the faults' lock, `invalidate_lock` (v5.15, 2021, id not verified). Not modelled: completion in the
  style of ioends, which skips the second drop if nothing was cached (R40).
"""

from faultlock import AllocatesUnwritten
from wb_err import RecordsErrors

from dio_mc import atomic, operation
from dio_mc.kernel import Block


class IomapDio(AllocatesUnwritten, abstract=True):
    """The steps that all three versions share, without locks."""

    anchors = {
        "direct_read": "fs/iomap.c:iomap_dio_rw @4.19-4.19",
        "aio_read": "fs/iomap.c:iomap_dio_rw @4.19-4.19",
        "direct_write": "fs/iomap.c:iomap_dio_rw @4.19-4.19",
        "aio_write": "fs/iomap.c:iomap_dio_rw @4.19-4.19",
        "prepare_read": "fs/iomap.c:iomap_dio_rw @4.19-4.19",
        "read_end_aio": "fs/iomap.c:iomap_dio_bio_end_io @4.19-4.19",
        "dio_bio_end_aio": "fs/iomap.c:iomap_dio_complete_work @4.19-4.19",
        "complete_aio": "fs/iomap.c:iomap_dio_complete_work @4.19-4.19",
        "refused": "fs/iomap.c:iomap_dio_actor @4.19-4.19",
        "get_block": "fs/xfs/xfs_iomap.c:xfs_file_iomap_begin @4.9-4.19",
        "end_read": "fs/iomap.c:iomap_read_end_io @4.19-4.19",
        "vmtruncate": "mm/truncate.c:truncate_setsize @3.16-",
        "buffered_read": "mm/filemap.c:generic_file_buffered_read @4.19-5.10",
        "reserve": "fs/iomap.c:iomap_page_mkwrite @4.9-4.19",
        "map_for_writeback": "fs/xfs/xfs_aops.c:xfs_writepage_map @4.9-4.19",
        "end_page_writeback": "fs/xfs/xfs_aops.c:xfs_destroy_ioend @3.16-4.19",
        "write_begin": "fs/iomap.c:iomap_write_begin @4.9-4.19",
    }

    @operation(kernel="fs/iomap.c:iomap_dio_rw @4.10-5.2")
    def prepare(self, i, value):
        self.flush(i)
        gone = self.drop(i)
        direct = self.goes_on(gone)
        block = Block.HOLE
        if direct:
            self.inode_dio_begin()
            block = self.map_for_write(i)
        return block

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_iomap_write_direct")
    def map_for_write(self, i):
        """A hole or a reservation becomes an unwritten extent."""
        with atomic():
            if self.block[i] in (Block.HOLE, Block.DELALLOC):
                self.block[i] = Block.UNWRITTEN
            return self.block[i] if i < self.i_size else Block.BEYOND

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_complete @5.3-")
    def dio_complete(self, i, block):
        super().dio_complete(i, block)
        gone = self.drop(i)
        self.collision(gone)

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_rw @5.3-")
    def goes_on(self, gone):
        """Whether the write stays direct although a page could not be dropped."""
        self.collision(gone)
        return True

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_complete @5.3-")
    def collision(self, gone):
        """Record that a page could not be dropped: here it is only logged."""


class Reported(RecordsErrors, IomapDio, abstract=True):
    """5a9d929d6e13: collisions are recorded on the mapping."""


class FallsBack(Reported, abstract=True):
    """60263d5889e6: a write that cannot drop a page falls back to the cache."""

    anchors = {
        "direct_read": "fs/iomap/direct-io.c:iomap_dio_rw @5.10-",
        "aio_read": "fs/iomap/direct-io.c:iomap_dio_rw @5.10-",
        "direct_write": "fs/iomap/direct-io.c:iomap_dio_rw @5.10-",
        "aio_write": "fs/iomap/direct-io.c:iomap_dio_rw @5.10-",
        "get_block": "fs/xfs/xfs_iomap.c:xfs_read_iomap_begin @5.10-",
        "prepare_read": "fs/iomap/direct-io.c:__iomap_dio_rw @5.10-",
        "prepare": "fs/iomap/direct-io.c:__iomap_dio_rw @5.10-",
        "dio_complete": "fs/iomap/direct-io.c:iomap_dio_complete @5.10-",
        "read_end_aio": "fs/iomap/direct-io.c:iomap_dio_bio_end_io @5.10-",
        "dio_bio_end_aio": "fs/iomap/direct-io.c:iomap_dio_complete_work @5.10-",
        "complete_aio": "fs/iomap/direct-io.c:iomap_dio_complete_work @5.10-",
        "refused": "fs/iomap/direct-io.c:iomap_dio_iter @6.1-",
        "end_read": "fs/iomap/buffered-io.c:iomap_read_end_io @5.10-6.12",
        "reserve": "fs/iomap/buffered-io.c:iomap_page_mkwrite @5.10-",
        "write_begin": "fs/iomap/buffered-io.c:iomap_write_begin @5.10-",
        "map_for_writeback": "fs/iomap/buffered-io.c:iomap_writepage_map @5.10-6.12",
        "end_page_writeback": "fs/iomap/buffered-io.c:iomap_finish_ioend @5.10-6.12",
    }

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_rw @5.3-")
    def goes_on(self, gone):
        return gone

    @operation(kernel="fs/libfs.c:direct_write_fallback @6.1-")
    def fall_back(self, i, value):
        self.buffered_write(i, value)
        self.flush(i)
