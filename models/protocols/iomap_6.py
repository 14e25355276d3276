"""Direct IO by fs/iomap/direct-io.c as it is in 6.1.192, 6.12.117 and 7.3.4, without a filesystem's
locks.

- A read: the size is sampled; flush; `i_dio_count`; map; transfer. A reservation that is met is
  EIO.
- A write: flush and drop the cached page, and if it cannot be dropped go through the cache
  (ENOTBLK); count; map; transfer; end_io, which converts the extent and raises the size; drop
  again, and if the page is dirty record EIO; then the count and the acknowledgement. No write is
  ever refused: a reservation is allocated over.
"""

from page_in import PageIn
from wb_err import RecordsErrors

from dio_mc import atomic, me, operation
from dio_mc.kernel import Block


class Iomap6(RecordsErrors, PageIn, abstract=True):
    """A filesystem defines how it maps (`map_for_write`), its locks, and how it falls back."""

    anchors = {
        "direct_read": "fs/iomap/direct-io.c:iomap_dio_rw @5.3-",
        "aio_read": "fs/iomap/direct-io.c:iomap_dio_rw @5.3-",
        "direct_write": "fs/iomap/direct-io.c:iomap_dio_rw @5.3-",
        "aio_write": "fs/iomap/direct-io.c:iomap_dio_rw @5.3-",
        "refused": "fs/iomap/direct-io.c:iomap_dio_iter @5.14-",
        "read_submitted": "fs/iomap/direct-io.c:iomap_dio_submit_bio @5.3-",
        "submitted": "fs/iomap/direct-io.c:iomap_dio_submit_bio @5.3-",
        "read_complete": "fs/iomap/direct-io.c:iomap_dio_complete @5.3-",
        "read_end_aio": "fs/iomap/direct-io.c:iomap_dio_bio_end_io @5.10-",
        "dio_bio_end_aio": "fs/iomap/direct-io.c:iomap_dio_complete_work @5.10-",
        "complete_aio": "fs/iomap/direct-io.c:iomap_dio_complete_work @5.10-",
        "map_for_read": "fs/iomap/iter.c:iomap_iter @6.1-",
        "aio_complete": "fs/aio.c:aio_complete_rw @4.19-",
    }

    @operation(kernel="fs/iomap/direct-io.c:__iomap_dio_rw @5.10-")
    def prepare_read(self, i):
        self.start_direct_read()
        inside = i < self.i_size  # dio->i_size; a read past it does nothing else
        if inside:
            self.flush(i)
        self.inode_dio_begin()
        block = self.map_for_read(i)
        return block if inside else Block.BEYOND

    @operation(kernel="fs/iomap/direct-io.c:__iomap_dio_rw @5.10-")
    def prepare(self, i, value):
        self.flush(i)
        gone = self.drop(i)
        block = Block.HOLE
        if gone:
            self.inode_dio_begin()
            block = self.map_for_write(i)
            if block == Block.HOLE:
                self.inode_dio_end()
        return block

    @operation(kernel="fs/iomap/direct-io.c:iomap_dio_complete @5.3-")
    def dio_complete(self, i, block):
        super().dio_complete(i, block)
        gone = self.drop(i)
        self.collision(gone)

    @operation(kernel="fs/iomap/direct-io.c:__iomap_dio_rw @5.10-")
    def write_short(self, p, value):
        """Nothing: the caller writes the rest through the cache (`fall_back`)."""

    @operation(kernel="include/linux/fs.h:inode_unlock @4.7-")
    def end_direct_write(self):
        with atomic():
            if self.i_rwsem.writer == me:
                self.i_rwsem.up_write()
            else:
                self.i_rwsem.up_read()

    @operation(kernel="mm/truncate.c:invalidate_mapping_pages")
    def drop_clean(self, i):
        self.invalidate_mapping_pages(i)
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i:
                    self.invalidate_mapping_pages(p)

    @operation(kernel="mm/truncate.c:invalidate_mapping_pages")
    def invalidate_mapping_pages(self, i):
        """Drop a clean page that is not in use; the result is not checked."""
        with atomic():
            if not self.page_lock[i].is_locked() and not self.writeback[i] and not self.dirty[i]:
                self.remove_from_page_cache(i)
