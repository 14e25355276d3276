"""The place holder as it was discussed in October 2006: one for the whole kernel (P3), and one chunk at a time (P6).

- Andrew Morton's reply to the place holder patches: the stub may be one page for all, so that the test for it is a
  comparison of pointers. Chris Mason saw no need for more than one. It has no lock bit and no owner, so one that is met
  is somebody else's (models/seed/global_placeholder.py has the reader that adopts it), and all that wait for any slot
  wait in one queue: a place holder that goes wakes all of them, and each looks again.
- Chris Mason's mail of 20 Oct 2006: lock_page_range must work in chunks instead of pinning down the whole range. With
  two sectors a chunk is one of them, and nothing keeps others out between two chunks of a direct read or write.

Without a commit id: neither was merged.
"""

from placeholder import Placeholder

from dio_mc import Array, atomic, operation, wait_until
from dio_mc.kernel import Block, Data, File


class PlaceholderGlobal(Placeholder, abstract=True):
    """A slot has the stub or not. The queue is separate, and being woken is a step of its own."""

    rule, since = "placeholder_global", 2006
    queued = Array(bool, size=File.pages)

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def lock_page_range(self, i):
        """The slot is tested and prepare_to_wait called in one step: a wakeup between them would be lost (P7)."""
        with atomic():
            occupied = self.stub[i]
            self.queued[i] = occupied
        if occupied:
            wait_until(not self.queued[i])
        super().lock_page_range(i)

    @operation(kernel="mm/filemap.c:remove_placeholder @unmerged")
    def remove_stub(self, i):
        with atomic():
            super().remove_stub(i)
            for k in range(self.pages):
                self.queued[k] = False


class PlaceholderChunked(Placeholder, abstract=True):
    """A chunk is flushed, pinned, mapped, transferred and released before the next one."""

    rule, since = "placeholder_chunked", 2006

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, i):
        data = Data.NOTHING
        for s in range(self.sectors):
            self.pin(i)
            block = self.get_block(i)
            with atomic():
                part = self.disk[i * self.sectors + s] if block == Block.MAPPED else self.without_block(block)
            data = part if s == 0 or part == data else Data.TORN
            self.unlock_page_range(i)
        return data

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def direct_write(self, i, value):
        """An asynchronous write pins the whole range."""
        self.start_direct_write(i)
        for s in range(self.sectors):
            block = self.prepare(i, value)
            if block != Block.HOLE:
                self.disk[i * self.sectors + s] = value
                self.dio_complete(i, block)
                self.inode_dio_end()
        self.end_direct_write()
        return value
