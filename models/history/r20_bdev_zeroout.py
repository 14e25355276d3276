"""Discard, zero-out or zone reset against a buffered read of the block device (R20).

A reader brings a page back between the invalidation of the cache and the zeroing by the device. e5113505904e
(Mar 2021) invalidates before and after a zone reset: the cache is correct in the end, but meanwhile a
program can see zeros (with a direct read) and after that the old data (from the cache). 7607c44c157d,
35e4c6c1a2fc, 86399ea07109 (Nov 2021) hold `invalidate_lock`, which every insertion into the cache takes
shared; blktests block/009. There are two properties, since the first fix satisfies only one of them.
"""

from dio_mc import Array, Kernel, RWSem, expect, invariant, operation, thread
from dio_mc.kernel import CoherentAtRest, Data, File


class DropsBefore(CoherentAtRest):
    """Before the fixes. `first` and `second` are what one program reads, directly and then through the cache."""

    first = Array(Data, size=File.pages)
    second = Array(Data, size=File.pages)

    @thread
    def discarder(self):
        for i in range(self.pages):
            self.zeroout(i)

    @operation(kernel="block/ioctl.c:blk_ioctl_zeroout @3.16-")
    def zeroout(self, i):
        self.truncate_inode_pages_range(i)
        self.bio_write(i, Data.ZERO)

    @thread
    def reader(self):
        for i in range(self.pages):
            self.seen[i] = self.buffered_read(i)

    @thread
    def observer(self):
        for i in range(self.pages):
            self.first[i] = self.direct_read(i)
            self.second[i] = self.buffered_read(i)

    @invariant
    def monotonic_read(self):
        return all(self.first[i] != Data.ZERO or self.second[i] in (Data.NOTHING, Data.ZERO) for i in range(self.pages))


class DropsBeforeAndBehind(DropsBefore):
    """As of e5113505904e: the cache is invalidated before and after the zeroing."""

    @operation(kernel="fs/block_dev.c:truncate_bdev_range @5.10-5.10")
    def zeroout(self, i):
        super().zeroout(i)
        self.truncate_inode_pages_range(i)


class InvalidateLock(DropsBefore):
    """86399ea07109: no page is inserted while the device zeroes; a page already cached may still be read."""

    invalidate_lock = RWSem()

    @operation(kernel="block/ioctl.c:blk_ioctl_zeroout @3.16-")
    def zeroout(self, i):
        self.invalidate_lock.down_write()
        super().zeroout(i)
        self.invalidate_lock.up_write()

    @operation(kernel="mm/filemap.c:filemap_create_folio @5.16-")
    def add_to_page_cache(self, i):
        self.invalidate_lock.down_read()
        super().add_to_page_cache(i)

    @operation(kernel="mm/filemap.c:filemap_create_folio @5.16-")
    def read_page(self, i):
        data = super().read_page(i)
        self.invalidate_lock.up_read()
        return data


expect(
    DropsBefore,
    violates={"coherent_at_rest", "monotonic_read"},
    kernel=Kernel(
        "ext4",
        layout="block device",
        threads={"discarder": "zeroout", "reader": "pread", "observer": "pread_direct,pread"},
        gates={"discarder.bio_write": "submit_bio"},
        shows={"coherent_at_rest": {"file": "cache old, disk zero"}},
        has=("5.10",),
        mended=("6.1", "6.12", "7.3"),
    ),
)
expect(DropsBeforeAndBehind, violates={"monotonic_read"})
expect(InvalidateLock, holds=True)
