"""A file without a cache: its block map, and the disk blocks that belong to its pages."""

from dio_mc.kernel.words import Block, Data
from dio_mc.lang import Array, Model, Param, atomic, operation


class File(Model, abstract=True):
    """One page is one block of `sectors` sectors, and `disk[i * sectors]` is the first sector of
    page i's block, allocated or not.

    A transfer takes one step per sector. A read of sectors that differ returns TORN, or, if one of
    them has the bytes of the block's previous owner, those bytes, since that is the worse fault.
    `seen[i]` is the result of the model's read of page i.
    """

    pages = Param(1, min=1, max=4)
    sectors = Param(1, min=1, max=2)

    block = Array(Block, size=pages, init=Block.MAPPED)
    disk = Array(Data, size=pages * sectors, init=Data.OLD)
    seen = Array(Data, size=pages)

    @operation(kernel="fs/direct-io.c:get_more_blocks")
    def get_block(self, i):
        """Look up the block map."""
        return self.block[i]

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_read(self, i, block):
        """The device reads the block that was mapped; if there is no written block, the result is zeros."""
        data = self.disk[i * self.sectors] if block == Block.MAPPED else self.without_block(block)
        for s in range(1, self.sectors):
            with atomic():
                data = data if block != Block.MAPPED else mixture(data, self.disk[i * self.sectors + s])
        return data

    def without_block(self, block):
        """The result of a read where there is no written block."""
        return Data.EOF if block == Block.BEYOND else Data.ZERO

    def block_has(self, i):
        """The contents of page i's block as a read returns them (pure)."""
        return self.sectors_of(i) if self.block[i] == Block.MAPPED else Data.ZERO

    def sectors_of(self, i):
        """The contents of the block's sectors, as one read returns them (pure)."""
        return (
            self.disk[i]
            if self.sectors == 1
            else mixture(self.disk[i * self.sectors], self.disk[i * self.sectors + self.sectors - 1])
        )

    def on_disk(self, i):
        """The result of a read when nothing is cached (pure)."""
        return self.block_has(i)

    def will_have(self, i):
        """The contents of the disk after all pending writes (pure)."""
        return self.on_disk(i)

    def file_has(self, i):
        """The result of a read (pure)."""
        return self.on_disk(i)

    def reported(self):
        """Whether an error is recorded for the next fsync, so that nothing is promised about the file (pure)."""
        return False

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_write(self, i, data):
        """The device writes the sectors of page i."""
        for s in range(self.sectors):
            self.disk[i * self.sectors + s] = data

    @operation(kernel="fs/direct-io.c:__blockdev_direct_IO")
    def direct_read(self, i):
        """Map the block, then transfer it."""
        block = self.get_block(i)
        return self.bio_read(i, block)

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_iomap_write_unwritten")
    def convert_unwritten(self, i):
        """The data is on disk: mark the extent as written in the map."""
        self.block[i] = Block.MAPPED


def joined(data, part):
    """The result of a read of several pages: `data` of those so far (NOTHING at first), `part` of the next."""
    return (
        part
        if data == Data.NOTHING
        else Data.SHORT
        if part == Data.EOF and data not in (Data.EOF, Data.STALE, Data.SECRET)
        else mixture(data, part)
    )


def mixture(one, other):
    """The result of a read of two sectors."""
    return (
        one
        if one == other
        else Data.STALE
        if Data.STALE in (one, other)
        else Data.SECRET
        if Data.SECRET in (one, other)
        else Data.TORN
    )
