"""Calls on several pages: a call at page i acts on all pages from i to the last of `pages`.

With one page nothing here adds a step. With more, what the kernel does page by page is done page by page here, in the
order of the file, and another thread can run in between: no call is promised to take effect at once. A read ends at
the end of the file. Its result is one `Data`: TORN if its pages differ, SHORT if the file ended after the first page.
"""

from cached_file import CachedFile

from dio_mc import atomic, me, operation
from dio_mc.kernel import Data
from dio_mc.kernel.file import joined


class Ranges(CachedFile, abstract=True):
    """A rule overrides what concerns one page in cached_file.py, and what concerns a whole call here."""

    @operation(kernel="mm/filemap.c:filemap_write_and_wait_range")
    def flush(self, i):
        self.filemap_write_and_wait_range(i)
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i:
                    self.filemap_write_and_wait_range(p)

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def drop(self, i):
        """Drop all pages; returns whether all are gone."""
        gone = self.invalidate_inode_pages2_range(i)
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i:
                    other = self.invalidate_inode_pages2_range(p)
                    gone = gone and other
        return gone

    @operation(kernel="mm/truncate.c:truncate_inode_pages_range")
    def truncate_pages(self, i):
        self.truncate_inode_pages_range(i)
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i:
                    self.truncate_inode_pages_range(p)

    @operation(kernel="fs/ext4/mballoc.c:ext4_free_blocks @3.16-")
    def free_range(self, i):
        self.free_blocks(i)
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i:
                    self.free_blocks(p)

    @operation(kernel="mm/memory.c:vmtruncate @-2.6.27")
    def vmtruncate(self):
        """Truncate to nothing: first the size, then the pages, then their blocks."""
        with atomic():
            self.i_size, self.i_disksize = 0, 0
        self.truncate_pages(0)
        self.free_range(0)

    @operation(kernel="mm/filemap.c:do_generic_file_read @2.6.27-4.9")
    def read_pages(self, i):
        """Read page after page, to the end of the file."""
        data = self.buffered_read(i)
        if self.pages > 1:
            self.was_given(me, i, data)
            for p in range(1, self.pages):
                if p > i and data not in (Data.EOF, Data.SHORT):
                    part = self.buffered_read(p)
                    self.was_given(me, p, part)
                    data = joined(data, part)
        return data

    @operation(kernel="mm/readahead.c:force_page_cache_readahead @-4.19")
    def force_page_cache_readahead(self, i):
        self.read_ahead(i)
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i:
                    self.read_ahead(p)

    @operation(kernel="mm/readahead.c:force_page_cache_readahead @-4.19")
    def read_ahead(self, i):
        """Read one page in, without the locks of read(2)."""
        CachedFile.buffered_read(self, i)

    @operation(kernel="mm/filemap.c:generic_perform_write @2.6.24-")
    def write_pages(self, i, value):
        """Write page after page; the caller holds the inode lock."""
        CachedFile.buffered_write(self, i, value)
        if self.pages > 1:
            for p in range(1, self.pages):
                if p > i:
                    CachedFile.buffered_write(self, p, value)

    @operation(kernel="fs/sync.c:do_fsync @2.6.24-")
    def vfs_fsync_range(self, i):
        """Flush, and return whether no error was recorded."""
        self.flush(i)
        return True

    @operation()
    def was_given(self, reader, p, data):
        """Record the result of a read of page p."""
