"""A file without a cache: its block map, and the disk blocks that belong to its pages."""

from dio_mc.kernel.words import Block, Data
from dio_mc.lang import Array, Model, Param, atomic, operation


class File(Model, abstract=True):
    """One page is one block of `sectors` sectors, and `disk[i * sectors]` is the first sector of page i's block,
    allocated or not.

    A transfer takes a step per sector; what is read of sectors that differ is TORN, whatever the mixture. `seen[i]` is
    what the model's reader was given for page i.
    """

    pages = Param(1, min=1, max=4)
    sectors = Param(1, min=1, max=2)

    block = Array(Block, size=pages, init=Block.MAPPED)
    disk = Array(Data, size=pages * sectors, init=Data.OLD)
    seen = Array(Data, size=pages)

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def get_block(self, i):
        """Ask the map."""
        return self.block[i]

    @operation(kernel="block/bio.c:bio_endio")
    def bio_read(self, i, block):
        """The device reads what was mapped; without written blocks the processor fills in zeros."""
        data = self.disk[i * self.sectors] if block == Block.MAPPED else self.without_block(block)
        for s in range(1, self.sectors):
            with atomic():
                data = data if block != Block.MAPPED or self.disk[i * self.sectors + s] == data else Data.TORN
        return data

    def without_block(self, block):
        """What a read gives where no data is."""
        return Data.EOF if block == Block.BEYOND else Data.ZERO

    @operation(kernel="block/bio.c:bio_endio")
    def bio_write(self, i, data):
        """The device writes."""
        for s in range(self.sectors):
            self.disk[i * self.sectors + s] = data

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, i):
        """Map, then transfer."""
        block = self.get_block(i)
        return self.bio_read(i, block)

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_iomap_write_unwritten")
    def convert_unwritten(self, i):
        """The extent's data is on disk: say so in the map."""
        self.block[i] = Block.MAPPED
