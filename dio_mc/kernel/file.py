"""A file without a cache: its block map, and the disk blocks that belong to its pages."""

from dio_mc.kernel.words import Block, Data
from dio_mc.lang import Array, Model, Param, atomic, operation


class File(Model, abstract=True):
    """One page is one block of `sectors` sectors, and `disk[i * sectors]` is the first sector of page i's block,
    allocated or not.

    A transfer takes a step per sector; what is read of sectors that differ is TORN, or the previous owner's bytes if
    either has these: who reads them has read too much, whatever is beside them. `seen[i]` is
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

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_read(self, i, block):
        """The device reads what was mapped; without written blocks the processor fills in zeros."""
        data = self.disk[i * self.sectors] if block == Block.MAPPED else self.without_block(block)
        for s in range(1, self.sectors):
            with atomic():
                data = data if block != Block.MAPPED else mixture(data, self.disk[i * self.sectors + s])
        return data

    def without_block(self, block):
        """What a read gives where no data is."""
        return Data.EOF if block == Block.BEYOND else Data.ZERO

    def block_has(self, i):
        """What page i's block reads as (pure)."""
        return self.sectors_of(i) if self.block[i] == Block.MAPPED else Data.ZERO

    def sectors_of(self, i):
        """What its sectors read as together (pure)."""
        return (
            self.disk[i]
            if self.sectors == 1
            else mixture(self.disk[i * self.sectors], self.disk[i * self.sectors + self.sectors - 1])
        )

    def on_disk(self, i):
        """What a read gives when nothing is cached (pure)."""
        return self.block_has(i)

    def will_have(self, i):
        """What is on disk when all that is pending has been written (pure)."""
        return self.on_disk(i)

    def file_has(self, i):
        """What a read gives (pure)."""
        return self.on_disk(i)

    def reported(self):
        """Whether an error is kept for the next fsync, so that nothing is promised of the file (pure)."""
        return False

    @operation(kernel="block/bio.c:bio_endio @3.16-")
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


def joined(data, part):
    """What a read of several pages gives that has `data` of those before, NOTHING at first, and `part` of the next."""
    return (
        part
        if data == Data.NOTHING
        else Data.SHORT
        if part == Data.EOF and data not in (Data.EOF, Data.STALE, Data.SECRET)
        else mixture(data, part)
    )


def mixture(one, other):
    """What two sectors read as."""
    return (
        one
        if one == other
        else Data.STALE
        if Data.STALE in (one, other)
        else Data.SECRET
        if Data.SECRET in (one, other)
        else Data.TORN
    )
