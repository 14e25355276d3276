"""The second invalidation goes into the completion of a direct write, 2017 (R06, R07).

- 332391a9935d (Sep 2017): for asynchronous writes as well, but before `end_io` converts unwritten extents.
- the follow-up, "fs: invalidate page cache after end_io() in dio completion" (Oct 2017, id not verified).
"""

from generic import Generic2005

from dio_mc import operation


class GenericSeptember2017(Generic2005, abstract=True):
    """332391a9935d."""

    rule, since = "generic_2017_before_end_io", 2017

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i, block):
        self.invalidate_inode_pages2_range(i)
        super().dio_complete(i, block)


class GenericOctober2017(Generic2005, abstract=True):
    """The follow-up."""

    rule, since = "generic_2017_after_end_io", 2017

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i, block):
        super().dio_complete(i, block)
        self.invalidate_inode_pages2_range(i)
