"""Blocks that are freed and allocated again by another file."""

from dio_mc.kernel.file import File
from dio_mc.kernel.words import Block, Data, Owner
from dio_mc.lang import Array, Var, atomic, invariant, operation, thread, wait_until


class Reuse(File, abstract=True):
    """`owner[i]` is the owner of block `disk[i]`. The other file takes freed blocks, that of page 0 first."""

    owner = Array(Owner, size=File.pages)
    freed_io = Var(bool, ghost=True)

    @operation(kernel="fs/ext4/mballoc.c:ext4_free_blocks @3.16-")
    def free_block(self, i):
        """Remove the block from the map and return it to the allocator."""
        with atomic():
            if self.block[i] != Block.HOLE:
                self.block[i], self.owner[i] = Block.HOLE, Owner.NOBODY

    @thread(daemon=True)
    def other_file(self):
        """The other file allocates freed blocks and writes its own data to them."""
        for i in range(self.pages):
            with atomic():
                wait_until(self.owner[i] == Owner.NOBODY)
                self.owner[i] = Owner.OTHER_FILE
            self.disk[i] = Data.SECRET

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_read(self, i, block):
        """The device reads the block that was mapped, even if it has another owner by now."""
        with atomic():
            data = self.disk[i] if block == Block.MAPPED else Data.ZERO
            self.freed_io = self.freed_io or (block == Block.MAPPED and self.owner[i] != Owner.FILE)
        return data

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_write(self, i, data):
        """The device writes the block that was mapped, even if it has another owner by now."""
        with atomic():
            self.disk[i] = data
            self.freed_io = self.freed_io or self.owner[i] != Owner.FILE

    @invariant
    def no_freed_io(self):
        """No transfer from or to a block that is not the file's."""
        return not self.freed_io

    @invariant
    def no_stale_exposure(self):
        """The other file's bytes are not read through this one."""
        return all(self.seen[i] != Data.SECRET for i in range(self.pages))

    @invariant
    def no_collateral(self):
        """What the other file has written stays."""
        return not self.finished(self.other_file) or all(
            self.owner[i] != Owner.OTHER_FILE or self.disk[i] == Data.SECRET for i in range(self.pages)
        )
