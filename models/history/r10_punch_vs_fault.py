"""A page fault brings a page back over blocks that a hole punch is about to free (R10, ext4).

Punching a hole invalidates the cached pages of the range, then frees the blocks. A fault in between inserts a
page again, with buffers that remember the block. Writeback may later write to that block after another file has
allocated it, or the fault itself reads the other file's data. Truncate is safe because a fault checks i_size; a
hole in the middle has no such check. ea3d7209ca01 (Dec 2015, v4.5) adds `i_mmap_sem` (`invalidate_lock` since
2021): exclusive for both halves of the punch, shared for the fault. The commit explains that it ranks above the
start of a transaction, so `i_data_sem` would not do. XFS had its MMAPLOCK from v4.1 (id not verified).
"""

from dio_mc import Array, Kernel, RWSem, atomic, expect, operation, thread
from dio_mc.kernel import Block, Data, File, PageCache, Reuse, Slot


class PunchesBetween(Reuse, PageCache):
    """Up to v4.4. `buffers[i]`: the page at i remembers its block."""

    buffers = Array(bool, size=File.pages)

    @thread
    def puncher(self):
        for i in range(self.pages):
            self.punch_hole(i)

    @operation(kernel="fs/ext4/inode.c:ext4_punch_hole @3.16-")
    def punch_hole(self, i):
        self.truncate_inode_pages_range(i)
        self.free_block(i)

    @thread
    def mapper(self):
        for i in range(self.pages):
            self.fault(i)
            self.store(i)

    @operation(kernel="mm/filemap.c:filemap_fault @2.6.24-")
    def fault(self, i):
        self.seen[i] = self.buffered_read(i)

    @operation(kernel="fs/ext4/inode.c:ext4_get_block @2.6.24-")
    def get_block(self, i):
        with atomic():
            self.buffers[i] = self.block[i] == Block.MAPPED
            return self.block[i]

    @operation(kernel="mm/page-writeback.c:set_page_dirty @-5.10")
    def store(self, i):
        with atomic():  # if the page was unmapped meanwhile, the store faults, which is the same scenario again
            if self.slot[i] == Slot.UPTODATE:
                self.page[i], self.dirty[i] = Data.NEW, True

    @thread(daemon=True)
    def flusher(self):
        while True:
            for i in range(self.pages):
                self.writepage(i)

    @operation(kernel="fs/ext4/inode.c:ext4_writepage @3.16-6.1")
    def submit_page(self, i):
        if self.buffers[i]:
            self.bio_write(i, Data.NEW)


class InvalidateLock(PunchesBetween):
    """The fix, ea3d7209ca01."""

    invalidate_lock = RWSem()

    @operation(kernel="fs/ext4/inode.c:ext4_punch_hole @3.16-")
    def punch_hole(self, i):
        self.invalidate_lock.down_write()
        super().punch_hole(i)
        self.invalidate_lock.up_write()

    @operation(kernel="fs/ext4/inode.c:ext4_filemap_fault @4.9-5.10")
    def fault(self, i):
        self.invalidate_lock.down_read()
        super().fault(i)
        self.invalidate_lock.up_read()


class OnlyTheFree(InvalidateLock):
    """The mistake: the lock covers only the second half of the punch."""

    @operation(kernel="fs/ext4/inode.c:ext4_punch_hole @3.16-")
    def punch_hole(self, i):
        self.truncate_inode_pages_range(i)
        self.invalidate_lock.down_write()
        self.free_block(i)
        self.invalidate_lock.up_write()


expect(
    PunchesBetween,
    violates={"no_freed_io", "no_collateral", "no_stale_exposure"},
    kernel=Kernel(
        "ext4",
        layout="written",
        threads={
            "puncher": "punch_hole",
            "mapper": "mmap_load,mmap_store:NEW",
            "flusher": "writeback",
            "other_file": "",
        },
        gates={"puncher.free_block": "ext4_es_remove_extent"},
        shows={"no_freed_io": {"file": "cache new, disk zero"}},
        mended=("5.10", "6.12", "6.12 xfs", "6.12 btrfs"),
    ),
)
expect(InvalidateLock, holds=True)
expect(OnlyTheFree, violates={"no_freed_io", "no_collateral"})
