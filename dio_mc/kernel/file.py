"""A file without a cache: its block map, and the disk blocks that belong to its pages."""

from dio_mc.kernel.words import Block, Data
from dio_mc.lang import Array, Model, Param, operation


class File(Model, abstract=True):
    """One page is one block, and the block that belongs to page i is `disk[i]`, allocated or not.

    `seen[i]` is what the model's reader was given for page i.
    """

    pages = Param(1, min=1, max=4)

    block = Array(Block, size=pages, init=Block.MAPPED)
    disk = Array(Data, size=pages, init=Data.OLD)
    seen = Array(Data, size=pages)

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def get_block(self, i):
        """Ask the map."""
        return self.block[i]

    @operation(kernel="block/bio.c:bio_endio")
    def bio_read(self, i, block):
        """The device reads what was mapped; without written blocks the processor fills in zeros."""
        return self.disk[i] if block == Block.MAPPED else Data.ZERO

    @operation(kernel="block/bio.c:bio_endio")
    def bio_write(self, i, data):
        """The device writes."""
        self.disk[i] = data

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, i):
        """Map, then transfer."""
        block = self.get_block(i)
        return self.bio_read(i, block)

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_iomap_write_unwritten")
    def convert_unwritten(self, i):
        """The extent's data is on disk: say so in the map."""
        self.block[i] = Block.MAPPED
