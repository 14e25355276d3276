"""The parts of a direct write, each of which a rule may do in its own way (directio.py has the whole)."""

from directread import DirectRead

from dio_mc import atomic, operation
from dio_mc.kernel import Block

WRITABLE = (Block.UNWRITTEN, Block.MAPPED, Block.BEYOND)


class DirectWrite(DirectRead, abstract=True):
    """Flush, drop, map; transfer; convert, raise the size."""

    @operation(kernel="mm/filemap.c:generic_file_direct_write")
    def prepare(self, i, value):
        """The block to write to; BEYOND: one past the end of the file; HOLE: not directly."""
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
        """create=0 inside the file; past its end the block is the writer's alone."""
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
        """What the submitter does yet, and returns."""
        return value

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def map_further(self, p):
        """A page after the first one; HOLE: from here on not directly."""
        return self.map_for_write(p)

    @operation(kernel="mm/filemap.c:generic_file_buffered_write @-2.6.27")
    def write_short(self, p, value):
        """What is left of a short write, from page p on; the inode is locked yet (else: `fall_back`)."""
        self.write_through_cache(p, value)

    @operation(kernel="fs/direct-io.c:dio_complete")
    def dio_complete(self, i, block):
        """end_io: the extents, then the size; models/history/r14_isize_before_conversion.py has these as two steps."""
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
        """Whether a direct write has allocated page p, and not said yet that its data is there."""
        return self.block[p] == Block.UNWRITTEN


def either(block, more):
    """What has to be done after a transfer to both."""
    return block if more in (Block.HOLE, Block.MAPPED) or block == Block.BEYOND else more
