"""A device writes into a page of a file that the filesystem believes to be clean (R34, mm and ext4).

The user buffer of a direct read is a mapping of another file. Pinning it causes a write fault (`page_mkwrite`: buffers
attached, page dirty). During the IO writeback cleans the page and reclaim strips its buffers; then the completion
dirties the page again without notice to the filesystem. Described by Jan Kara in 2018. cc5095747edf (Mar 2022) turns
the crash in ext4's writeback into a warning, and the data is lost; 6dcc693bc57f (2016) is an older, related fix. A
full fix respects the pin: d824ec2a1546 (2023, id not verified) keeps reclaim from the private data of such a page.
"""

from dio_mc import Kernel, Model, Var, atomic, expect, invariant, operation, thread, wait_until
from dio_mc.kernel import Data


class Crashes(Model):
    """Before cc5095747edf. `page` is the pinned page, `disk` the contents of its file on disk."""

    page = Var(Data, init=Data.OLD)
    disk = Var(Data, init=Data.OLD)
    dirty = Var(bool)
    buffers = Var(bool)
    pinned = Var(bool)
    complete = Var(bool)

    @thread
    def reader(self):
        with atomic():  # get_user_pages: a write fault, page_mkwrite
            self.buffers, self.dirty, self.pinned = True, True, True
        self.page = Data.NEW  # the device
        self.set_page_dirty()
        with atomic():
            self.pinned, self.complete = False, True

    @operation(kernel="block/bio.c:bio_check_pages_dirty @3.16-")
    def set_page_dirty(self):
        self.dirty = True

    @thread(daemon=True)
    def flusher(self):
        while True:
            self.writepage()
            self.reclaim()

    @operation(kernel="fs/ext4/inode.c:mpage_prepare_extent_to_map @3.16-")
    def writepage(self):
        wait_until(self.dirty)
        with atomic():
            self.without_buffers()
            if self.buffers:
                self.disk = self.page
            self.dirty = False

    def is_prepared(self):
        return self.buffers

    @operation(kernel="fs/ext4/inode.c:ext4_writepage @3.16-6.1")
    def without_buffers(self):
        assert self.is_prepared(), "a dirty page without buffers"

    @operation(kernel="mm/filemap.c:try_to_release_page @2.6.24-5.10")
    def reclaim(self):
        with atomic():
            if not self.dirty:
                self.buffers = False

    @invariant
    def dirtied_with_notice(self):
        """A page is dirty only between `page_mkwrite` and the next cleaning."""
        return not self.dirty or self.buffers

    @invariant
    def no_lost_write(self):
        return not self.complete or self.dirty or self.disk == Data.NEW


class Warns(Crashes):
    """cc5095747edf: the page is skipped and marked clean."""

    @operation(kernel="fs/ext4/inode.c:mpage_prepare_extent_to_map @3.16-")
    def without_buffers(self):
        """WARN_ON, then continue."""


class RespectsPin(Crashes):
    """The full fix: neither writeback nor reclaim touches the buffers of a pinned page."""

    @operation(kernel="mm/filemap.c:try_to_release_page @2.6.24-5.10")
    def reclaim(self):
        with atomic():
            if not self.pinned:
                super().reclaim()


expect(Crashes, violates={"dirtied_with_notice", "assertion"})
expect(
    Warns,
    violates={"dirtied_with_notice", "no_lost_write"},
    kernel=Kernel(
        "ext4",
        layout="written",
        threads={"reader": "pread_direct_other", "flusher": "fsync,drop_cache,reclaim"},
        gates={"reader.set_page_dirty": "submit_bio#2"},
        shows={
            "dirtied_with_notice": {
                "kernel": "ext4_set_page_dirty, ext4_dirty_folio",
                "file": "cache exposed, disk old",
            }
        },
        has=("5.10", "6.1"),
        mended=("6.12", "7.3"),
    ),
)
expect(RespectsPin, holds=True)
