"""The second invalidation goes into the completion of a direct write, 2017 (R06, R07).

- 332391a9935d (Sep 2017): for asynchronous writes as well, but before `end_io` converts unwritten extents.
- the follow-up, "fs: invalidate page cache after end_io() in dio completion" (Oct 2017, id not verified).
"""

from generic import Generic2005

from dio_mc import operation


class Generic2017(Generic2005, abstract=True):
    """The functions as of 2017."""

    anchors = {
        "bio_read": "block/bio.c:bio_endio @3.16-",
        "bio_write": "block/bio.c:bio_endio @3.16-",
        "read_submitted": "fs/direct-io.c:do_blockdev_direct_IO @3.16-5.10",
        "free_blocks": "fs/ext4/mballoc.c:ext4_free_blocks @3.16-",
        "map_for_writeback": "fs/ext4/inode.c:mpage_map_one_extent @3.16-",
        "end_read": "fs/mpage.c:mpage_end_io @3.16-6.1",
        "lock_inode": "include/linux/fs.h:inode_lock @4.9-",
        "unlock_inode": "include/linux/fs.h:inode_unlock @4.9-",
        "buffered_read": "mm/filemap.c:generic_file_buffered_read @4.19-5.10",
        "vmtruncate": "mm/truncate.c:truncate_setsize @3.16-",
        "freeing_begins": "fs/inode.c:inode_dio_wait @3.16-",
        "inode_dio_begin": "include/linux/fs.h:inode_dio_begin @4.9-",
        "inode_dio_end": "include/linux/fs.h:inode_dio_end @4.9-",
    }


class GenericSeptember2017(Generic2017, abstract=True):
    """332391a9935d."""

    rule, since = "generic_2017_before_end_io", 2017

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i, block):
        self.drop(i)
        super().dio_complete(i, block)


class GenericOctober2017(Generic2017, abstract=True):
    """The follow-up commit."""

    rule, since = "generic_2017_after_end_io", 2017
    kernel = "4.19"

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i, block):
        super().dio_complete(i, block)
        self.drop(i)
