"""The steps of a direct write, each of which a rule may override (directio.py has the whole)."""

from directread import DirectRead

from dio_mc import atomic, operation
from dio_mc.kernel import Block

WRITABLE = (Block.UNWRITTEN, Block.MAPPED, Block.BEYOND)


class DirectWrite(DirectRead, abstract=True):
    """Flush, drop, map; transfer; convert the extent, raise the size."""

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def prepare(self, i, value):
        """The steps up to the map; returns the block to write: BEYOND past the end of the file, HOLE if not direct."""
        self.flush(i)
        gone = self.drop(i)
        self.inode_dio_begin()
        block = self.map_for_write(i)
        if not gone or block == Block.HOLE:
            self.inode_dio_end()
            self.write_through_cache(i, value)
            block = Block.HOLE
        return block

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def map_for_write(self, i):
        """Do not allocate inside the file (create=0); a block past its end is visible to the writer only."""
        with atomic():
            block = self.block[i]
            if i >= self.i_size:
                self.block[i], block = Block.MAPPED, Block.BEYOND
        return block

    @operation(kernel="block/blk-core.c:submit_bio @2.6.27-")
    def transfer(self, i, end, value):
        self.bio_write(i, value)
        if self.pages > 1:
            for p in range(1, self.pages):
                if i < p < end:
                    self.bio_write(p, value)

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def submitted(self, i, value):
        """The submitter's work after the submission; returns the result of the write."""
        return value

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def map_further(self, p):
        """Map a page after the first one; HOLE: from here on the write is not direct."""
        return self.map_for_write(p)

    @operation(kernel="mm/filemap.c:generic_file_buffered_write @-2.6.27")
    def write_short(self, p, value):
        """Write the rest of a short write, from page p on, while the inode is still locked (see also `fall_back`)."""
        self.write_through_cache(p, value)

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i, block):
        """end_io: convert extents, then raise the size (two steps in models/history/r14_isize_before_conversion.py)."""
        if block != Block.MAPPED:
            with atomic():
                self.convert_unwritten(i)
                if self.pages == 1 and block == Block.BEYOND:
                    self.raise_size()
            if self.pages > 1:
                for p in range(1, self.pages):
                    if p > i:
                        with atomic():
                            if self.is_unwritten(p):
                                self.convert_unwritten(p)
                            if p + 1 == self.pages and block == Block.BEYOND:
                                self.raise_size()

    @operation(kernel="fs/direct-io.c:dio_complete")
    def raise_size(self):
        self.i_size, self.i_disksize = self.pages, self.pages

    def is_unwritten(self, p):
        """Whether a direct write has allocated page p and has not marked it as written yet."""
        return self.block[p] == Block.UNWRITTEN


def either(block, more):
    """The work after a transfer to both blocks."""
    return block if more in (Block.HOLE, Block.MAPPED) or block == Block.BEYOND else more
