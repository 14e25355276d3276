"""Two files that share blocks, and copy on write, as in XFS (fs/xfs/xfs_reflink.c).

A block belongs to the data fork of the file, to that of the other file, to both, or to the file's CoW fork;
otherwise it is free. A write to a shared block goes to a new one, which stays in the CoW fork until the IO
has ended; then it replaces the old one in the data fork, in one transaction (`xfs_reflink_end_cow_extent`).

An IO keeps the block that the map gave it (`Iomap`), even if the map changes: between the map and the
transfer other threads may share or free the block. The only lock taken here is that of the map itself
(ILOCK): each lookup and each change is one step.
"""

from __future__ import annotations

from dataclasses import dataclass

from dio_mc.kernel.file import File, mixture
from dio_mc.kernel.pagecache import PageCache
from dio_mc.kernel.words import Block, Data
from dio_mc.lang import Array, Param, Range, Var, atomic, invariant, operation, wait_until


@dataclass(frozen=True)
class Iomap:
    """The mapping for a write: the block that it goes to, and whether that is in the CoW fork (IOMAP_F_SHARED)."""

    addr: Range(0, 3)  # type: ignore[valid-type]  # the language's own annotation
    cow: bool = False


class Reflink(File, abstract=True):
    """A file, and another one that shares some of its blocks; initially all of them.

    For page i of the two files there are `copies` blocks: the contents of block 0 are in `disk`, those of
    the others, from 1 on, in `spare`, which starts with the bytes of previous owners. `data_fork[i]` and
    `cow_fork[i]` are the blocks of the file, `other_fork[i]` that of the other file (None: a hole);
    `block[i]` is the state of the data fork. `kept[i]` is the contents of the other file when it was cloned.

    The other file is cloned and read, but not written. With ``other_fork = Array(..., init=None)`` it starts
    empty; with ``init=1``, and a `spare` that has data, it starts with blocks of its own.
    """

    copies = Param(3, min=2, max=4)

    data_fork = Array(Range(0, copies - 1), size=File.pages)
    cow_fork = Array(Range(0, copies - 1) | None, size=File.pages, init=None)
    other_fork = Array(Range(0, copies - 1) | None, size=File.pages, init=0)
    spare = Array(Data, size=(copies, File.pages * File.sectors), init=Data.STALE)
    kept = Array(Data, size=File.pages, init=Data.OLD, ghost=True)
    shared_io = Var(bool, ghost=True)
    freed_io = Var(bool, ghost=True)

    # -- the map ------------------------------------------------------------------------------------------------------

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_read_iomap_begin @5.5-")
    def get_block(self, i):
        """Look up the data fork; a read never uses the CoW fork. Returns the block, or None if it has no data."""
        with atomic():
            return self.data_fork[i] if self.block[i] == Block.MAPPED else None

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_direct_write_iomap_begin @5.5-")
    def write_iomap_begin(self, i):
        """Map a write: to the CoW fork if that has a block or needs one, otherwise to the data fork."""
        with atomic():
            if self.cow_fork[i] is None and self.is_shared(i):
                self.allocate_cow(i)
            elif self.cow_fork[i] is None and self.block[i] == Block.HOLE:
                self.allocate_unwritten(i)
            addr = self.data_fork[i] if self.cow_fork[i] is None else self.cow_fork[i]
            cow = self.cow_fork[i] is not None
        return Iomap(addr, cow)

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_allocate_cow @4.11-")
    def allocate_cow(self, i):
        """Allocate a block in the CoW fork, after waiting for a free one."""
        with atomic():
            wait_until(self.has_free(i))
            self.cow_fork[i] = self.first_free(i)

    @operation(kernel="fs/xfs/xfs_iomap.c:xfs_iomap_write_direct @2.6.12-")
    def allocate_unwritten(self, i):
        """Allocate an unwritten block in the data fork, after waiting for a free one."""
        with atomic():
            wait_until(self.has_free(i))
            self.data_fork[i], self.block[i] = self.first_free(i), Block.UNWRITTEN

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_end_cow @4.9-")
    def end_cow(self, i):
        """Replace the block of the data fork by that of the CoW fork, if there still is one."""
        with atomic():
            if self.cow_fork[i] is not None:
                self.data_fork[i], self.block[i] = self.cow_fork[i], Block.MAPPED
                self.cow_fork[i] = None

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_cancel_cow_range @4.9-")
    def cancel_cow(self, i):
        """Free the block of the CoW fork: the write failed, or the page was truncated."""
        self.cow_fork[i] = None

    # -- sharing ------------------------------------------------------------------------------------------------------

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_remap_blocks @4.9-")
    def clone_to_other(self, i):
        """Share page i's block with the other file (FICLONERANGE), whose own block is freed."""
        with atomic():
            self.other_fork[i] = self.data_fork[i] if self.block[i] == Block.MAPPED else None
            self.kept[i] = self.file_has(i)

    @operation(kernel="fs/xfs/xfs_reflink.c:xfs_reflink_remap_blocks @4.9-")
    def clone_from_other(self, i):
        """Share the other file's block with this file (FICLONERANGE, FIDEDUPERANGE), whose own block is freed."""
        with atomic():
            if self.other_fork[i] is None:
                self.block[i] = Block.HOLE
            else:
                self.data_fork[i], self.block[i] = self.other_fork[i], Block.MAPPED

    @operation(kernel="fs/remap_range.c:vfs_dedupe_file_range_compare @5.10-")
    def dedupe_compare(self, i):
        """Read this file, then the other one, and return whether the contents are equal (FIDEDUPERANGE)."""
        with atomic():
            data = self.block_has(i)
        with atomic():
            return data == self.other_has(i)

    # -- transfers ----------------------------------------------------------------------------------------------------

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_read(self, i, mapped):
        """The device reads what was mapped (None: no block, so zeros)."""
        data = Data.ZERO
        if mapped is not None:
            data = self.bio_read_from(i, mapped)
        return data

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_read_from(self, i, addr):
        """The device reads the block that was mapped, even if it has another owner by now."""
        data = Data.NOTHING
        for s in range(self.sectors):
            with atomic():
                data = self.stored(i, addr, s) if s == 0 else mixture(data, self.stored(i, addr, s))
                self.freed_io = self.freed_io or self.is_free(i, addr)
        return data

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_write_to(self, i, addr, data):
        """The device writes the block that was mapped, even if it has another owner by now."""
        for s in range(self.sectors):
            with atomic():
                if addr == 0:
                    self.disk[i * self.sectors + s] = data
                else:
                    self.spare[addr][i * self.sectors + s] = data
                self.shared_io = self.shared_io or addr == self.other_fork[i]
                self.freed_io = self.freed_io or self.is_free(i, addr)

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_write(self, i, data):
        """The device writes the block of the data fork, that is, without copy on write."""
        addr = self.data_fork[i]
        self.bio_write_to(i, addr, data)

    @operation(kernel="fs/xfs/xfs_file.c:xfs_file_dio_write @5.11-")
    def direct_write(self, i, data):
        """Map, transfer, then change the map."""
        iomap = self.write_iomap_begin(i)
        self.bio_write_to(i, iomap.addr, data)
        self.dio_write_end_io(i, iomap.cow)

    @operation(kernel="fs/xfs/xfs_file.c:xfs_dio_write_end_io @4.19-")
    def dio_write_end_io(self, i, cow):
        """Update the map: the data has been written."""
        if cow:
            self.end_cow(i)
        else:
            self.convert_unwritten(i)

    # -- questions (all pure) -----------------------------------------------------------------------------------------

    def is_shared(self, i):
        """Whether both files have page i's block (`xfs_reflink_trim_around_shared`; pure)."""
        return self.block[i] == Block.MAPPED and self.other_fork[i] == self.data_fork[i]

    def is_free(self, i, addr):
        """Whether a block is free (pure)."""
        return (
            (self.block[i] == Block.HOLE or self.data_fork[i] != addr)
            and self.cow_fork[i] != addr
            and self.other_fork[i] != addr
        )

    def has_free(self, i):
        """Whether page i has a free block (pure)."""
        return any(self.is_free(i, k) for k in range(self.copies))

    def first_free(self, i):
        """The first free block, so that freed blocks are reused soon (pure)."""
        return min(k if self.is_free(i, k) else self.copies - 1 for k in range(self.copies))

    def stored(self, i, addr, s):
        """The contents of a sector of a block (pure)."""
        return self.disk[i * self.sectors + s] if addr == 0 else self.spare[addr][i * self.sectors + s]

    def block_reads(self, i, addr):
        """The contents that a read of a block returns (pure)."""
        return (
            self.stored(i, addr, 0)
            if self.sectors == 1
            else mixture(self.stored(i, addr, 0), self.stored(i, addr, self.sectors - 1))
        )

    def sectors_of(self, i):
        """The contents that a read of the data fork returns (pure)."""
        return self.block_reads(i, self.data_fork[i])

    def other_has(self, i):
        """The contents that a read of the other file returns (pure)."""
        return Data.ZERO if self.other_fork[i] is None else self.block_reads(i, self.other_fork[i])

    # -- properties ---------------------------------------------------------------------------------------------------

    @invariant
    def other_file_stays(self):
        """The other file keeps the contents it had when it was cloned."""
        return all(self.other_fork[i] is None or self.other_has(i) == self.kept[i] for i in range(self.pages))

    @invariant
    def no_shared_io(self):
        """No transfer writes to a block of the other file."""
        return not self.shared_io

    @invariant
    def no_freed_io(self):
        """No transfer uses a free block."""
        return not self.freed_io

    @invariant
    def one_owner(self):
        """A block of the CoW fork is in no data fork."""
        return all(
            self.cow_fork[i] is None
            or (
                self.cow_fork[i] != self.other_fork[i]
                and (self.block[i] == Block.HOLE or self.cow_fork[i] != self.data_fork[i])
            )
            for i in range(self.pages)
        )


class CowWriteback(Reflink, PageCache, abstract=True):
    """The same through the page cache: writeback goes to the CoW fork, that of page i to block `io_sector[i]`
    (`struct iomap_ioend`). A clone copies the file's contents, so cached data must be on disk first."""

    io_sector = Array(Iomap, size=File.pages, init=Iomap(0))

    @operation(kernel="fs/xfs/xfs_aops.c:xfs_map_blocks @2.6.38-")
    def map_for_writeback(self, i):
        """Map the page, which is locked, for writeback."""
        iomap = self.write_iomap_begin(i)
        self.io_sector[i] = iomap

    @operation(kernel="fs/iomap/buffered-io.c:iomap_submit_ioend @5.5-6.12")
    def submit_page(self, i):
        """The device takes the page as it is."""
        with atomic():
            self.bio_write_to(i, self.io_sector[i].addr, self.page[i])

    @operation(kernel="fs/xfs/xfs_aops.c:xfs_end_ioend @5.2-6.12")
    def end_page_writeback(self, i):
        """Change the map, then end the writeback."""
        cow = self.io_sector[i].cow
        self.dio_write_end_io(i, cow)
        super().end_page_writeback(i)
