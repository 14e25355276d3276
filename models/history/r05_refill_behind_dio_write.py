"""A reader refills the cache between the invalidation and the device's write (R05, generic code of 2.6.2x).

A direct write invalidates the cached pages of its range, then writes. A buffered read or a readahead in
between brings a page back with the old data, and the page stays. xfstests generic/209, whose comment refers
to LKML of 26 Oct 2007; fixed by "dio: fix cache invalidation after sync writes" in 2.6.24 (id not
verified): invalidate a second time, after the write. This must be the variant that waits for the page lock,
since the page that holds old data may be the one that is still being filled.
"""

from dio_mc import Array, Kernel, atomic, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import CoherentAtRest, Data, File


class InvalidatesBefore(CoherentAtRest):
    """Up to 2.6.23. `later` is what a buffered read returns that starts after the write was acknowledged."""

    acknowledged = Array(bool, size=File.pages)
    later = Array(Data, size=File.pages)

    @thread
    def writer(self):
        for i in range(self.pages):
            self.direct_write(i)

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def direct_write(self, i):
        self.invalidate_inode_pages2_range(i)
        self.submit(i)

    @operation(kernel="fs/direct-io.c:direct_io_worker @-3.1")
    def submit(self, i):
        self.bio_write(i, Data.NEW)
        self.dio_complete(i)

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i):
        self.acknowledged[i] = True

    @thread
    def reader(self):
        for i in range(self.pages):
            self.seen[i] = self.buffered_read(i)

    @thread
    def later_reader(self):
        for i in range(self.pages):
            wait_until(self.acknowledged[i])
            self.later[i] = self.buffered_read(i)

    @invariant
    def read_after_ack(self):
        return all(self.later[i] in (Data.NOTHING, Data.NEW) for i in range(self.pages))


class InvalidatesAfterwards(InvalidatesBefore):
    """2.6.24: invalidated before and after the write."""

    @operation(kernel="mm/filemap.c:generic_file_direct_IO @-2.6.24")
    def dio_complete(self, i):
        self.invalidate_inode_pages2_range(i)
        super().dio_complete(i)


class SkipsLockedPages(InvalidatesAfterwards):
    """The mistake: `invalidate_mapping_pages` skips locked pages, including a page that is being filled."""

    @operation(kernel="mm/truncate.c:invalidate_mapping_pages")
    def invalidate_inode_pages2_range(self, i):
        with atomic():
            if not self.page_lock[i].is_locked():
                self.remove_from_page_cache(i)


expect(
    InvalidatesBefore,
    violates={"coherent_at_rest", "read_after_ack"},
    kernel=Kernel(
        "ext4",
        layout="written",
        threads={"writer": "pwrite_direct:NEW", "reader": "pread", "later_reader": "pread"},
        gates={"writer.submit": "submit_bio", "writer.bio_write": "submit_bio"},
        shows={"coherent_at_rest": {"file": "cache old, disk new"}, "read_after_ack": {"later_reader": "old"}},
        mended=("5.10", "6.12", "6.12 xfs"),
    ),
)
expect(InvalidatesAfterwards, holds=True, any="all")
expect(InvalidatesAfterwards, holds=True, pages=2)
expect(SkipsLockedPages, violates={"coherent_at_rest", "read_after_ack"})
