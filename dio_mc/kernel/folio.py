"""A large folio: one entry of the page cache over several blocks, with an uptodate and a dirty bit for each.

As in fs/iomap/buffered-io.c (`struct iomap_folio_state`): reads and writes of some of the blocks set bits
under the folio's lock; a block whose bit is set is copied from without that lock; IO is done block by block,
and the last IO that ends unlocks the folio, or ends its writeback. The folio's own flags say that all of it
is uptodate, and that some of it is dirty. Stores through a mapping are not modelled.
"""

from __future__ import annotations

from dio_mc.kernel.file import File
from dio_mc.kernel.words import Block, Data
from dio_mc.lang import Array, PageLock, Param, Range, Var, atomic, invariant, operation, spawn, wait_until


class LargeFolio(File, abstract=True):
    """The file's pages are the blocks of one folio. `page[i]` is what the folio's memory has at block i, NOTHING where
    it has not been filled; `uptodate[i]` and `dirty[i]` are the bits of `ifs->state`.

    `reads_pending` and `writes_pending` count blocks (`read_bytes_pending`, `write_bytes_pending`); the latter has one
    more while the blocks are being submitted. Blocks are read, written and invalidated as a whole. Nobody writes back
    here: a model adds a daemon that calls `writepage`.
    """

    pages = Param(2, min=1, max=4)

    present = Var(bool)
    page = Array(Data, size=pages)
    uptodate = Array(bool, size=pages)
    dirty = Array(bool, size=pages)
    folio_uptodate = Var(bool)
    folio_dirty = Var(bool)
    folio_writeback = Var(bool)
    folio_lock = PageLock()
    reads_pending = Var(Range(0, 4))
    writes_pending = Var(Range(0, 5))

    # -- reads --------------------------------------------------------------------------------------------------------

    @operation(kernel="mm/filemap.c:filemap_read @5.12-")
    def buffered_read(self, i):
        """Copy block i from the folio if it is uptodate; otherwise read the missing blocks and try again."""
        data = Data.NOTHING
        found = False
        while not found:
            with atomic():  # filemap_get_pages, filemap_update_page
                wait_until(self.can_copy(i) or not self.folio_lock.is_locked())
                found = self.can_copy(i)
                data = self.page[i]
                if not found:
                    self.folio_lock.lock()
                    self.present = True
            if not found:
                self.read_folio()
        return data

    @operation(kernel="fs/iomap/buffered-io.c:iomap_read_folio @5.19-")
    def read_folio(self):
        """Submit a read of every block that is not uptodate; the last one that ends unlocks the folio."""
        with atomic():
            self.reads_pending = sum(1 if not self.uptodate[i] else 0 for i in range(self.pages))
            if self.reads_pending == 0:
                self.folio_lock.unlock()
            else:
                self.folio_lock.hand_over()
                for i in range(self.pages):
                    if not self.uptodate[i]:
                        spawn(self.read_end_io, i)

    @operation(kernel="fs/iomap/buffered-io.c:iomap_read_end_io @5.3-6.12", slots=pages)
    def read_end_io(self, i):
        """Map the block, transfer it, and report its end."""
        block = self.get_block(i)
        data = self.bio_read(i, block)
        self.page[i] = data
        self.finish_folio_read(i)

    @operation(kernel="fs/iomap/buffered-io.c:iomap_finish_folio_read @5.18-")
    def finish_folio_read(self, i):
        """Set the bit, and with the last read in flight `folio_end_read`."""
        with atomic():
            self.set_range_uptodate(i)
            self.reads_pending = self.reads_pending - 1
            if self.reads_pending == 0:
                self.folio_lock.unlock_non_owner()

    @operation(kernel="fs/iomap/buffered-io.c:ifs_set_range_uptodate @6.6-")
    def set_range_uptodate(self, i):
        """Set the bit of block i, and the folio's flag once all are set."""
        with atomic():
            self.uptodate[i] = True
            if all(self.uptodate[k] for k in range(self.pages)):
                self.folio_uptodate = True

    # -- writes -------------------------------------------------------------------------------------------------------

    @operation(kernel="mm/filemap.c:generic_perform_write @2.6.24-")
    def buffered_write(self, i, data):
        """Overwrite block i in the folio, without reading it first."""
        self.write_begin(i)
        self.page[i] = data
        self.write_end(i)

    @operation(kernel="fs/iomap/buffered-io.c:iomap_write_begin @5.3-")
    def write_begin(self, i):
        """Find the folio and lock it."""
        with atomic():
            self.folio_lock.lock()
            self.present = True

    @operation(kernel="fs/iomap/buffered-io.c:__iomap_write_end @5.3-")
    def write_end(self, i):
        """After the copy: set the bits of the block, mark the folio dirty, and unlock it."""
        with atomic():
            self.set_range_uptodate(i)
            self.dirty[i], self.folio_dirty = True, True
            self.folio_lock.unlock()

    # -- writeback ----------------------------------------------------------------------------------------------------

    @operation(kernel="mm/page-writeback.c:write_cache_pages @2.6.24-6.12")
    def writepage(self):
        """Wait until the folio is dirty, lock it, and write its dirty blocks."""
        with atomic():
            wait_until(self.folio_dirty and not self.folio_writeback)
            self.folio_lock.lock()
        self.writepage_map()

    @operation(kernel="mm/filemap.c:filemap_write_and_wait_range")
    def filemap_write_and_wait(self):
        """Wait until the folio is clean, then until its IO has ended."""
        wait_until(not self.folio_dirty)
        wait_until(not self.folio_writeback)

    @operation(kernel="fs/iomap/buffered-io.c:iomap_writepage_map @5.5-6.12")
    def writepage_map(self):
        """Submit the dirty blocks, clear all dirty bits, unlock the folio; its writeback ends with the last IO."""
        with atomic():  # folio_clear_dirty_for_io, folio_start_writeback
            self.folio_dirty, self.folio_writeback, self.writes_pending = False, True, 1
        for i in range(self.pages):
            self.writepage_block(i)
        self.clear_range_dirty()
        self.folio_lock.unlock()
        self.finish_folio_write()

    @operation(kernel="fs/iomap/buffered-io.c:iomap_add_to_ioend @5.5-6.12")
    def writepage_block(self, i):
        """Submit a block if it is dirty and has not become a hole."""
        dirty = self.dirty[i]
        if dirty:
            self.map_for_writeback(i)
            block = self.get_block(i)
            if block != Block.HOLE:
                with atomic():
                    self.writes_pending = self.writes_pending + 1
                    spawn(self.write_end_io, i)

    @operation(kernel="fs/xfs/xfs_aops.c:xfs_map_blocks @2.6.38-")
    def map_for_writeback(self, i):
        """Allocate a block if it is not mapped; the folio is locked."""

    @operation(kernel="fs/iomap/buffered-io.c:ifs_clear_range_dirty @6.6-")
    def clear_range_dirty(self):
        """Clear the dirty bits of all blocks."""
        with atomic():
            for i in range(self.pages):
                self.dirty[i] = False

    @operation(kernel="fs/iomap/buffered-io.c:iomap_finish_ioend @5.5-6.12", slots=pages)
    def write_end_io(self, i):
        """The device writes the block as it is in the folio, then reports its end."""
        with atomic():
            self.bio_write(i, self.page[i])
        self.end_block_writeback(i)
        self.finish_folio_write()

    @operation(kernel="fs/xfs/xfs_aops.c:xfs_end_ioend @5.2-6.12")
    def end_block_writeback(self, i):
        """What the file system does once a block is on disk: nothing, if it was mapped."""

    @operation(kernel="fs/iomap/buffered-io.c:iomap_finish_folio_write @5.18-")
    def finish_folio_write(self):
        """Count down the pending writes; the last one calls `folio_end_writeback`."""
        with atomic():
            self.writes_pending = self.writes_pending - 1
            if self.writes_pending == 0:
                self.folio_writeback = False

    # -- invalidation -------------------------------------------------------------------------------------------------

    @operation(kernel="mm/truncate.c:truncate_inode_pages_range")
    def truncate_partial_folio(self, i):
        """Zero block i in the folio, under its lock and without writeback; its bits stay as they are."""
        with atomic():
            wait_until(not self.folio_lock.is_locked() and not self.folio_writeback)
            if self.present:
                self.page[i] = Data.ZERO

    @operation(kernel="mm/truncate.c:invalidate_inode_pages2_range")
    def invalidate_folio(self):
        """Wait for the folio's lock and writeback, then drop it unless it is dirty. Returns whether it is gone."""
        with atomic():
            wait_until(not self.folio_lock.is_locked() and not self.folio_writeback)
            gone = not self.folio_dirty
            if gone:
                self.remove_folio()
        return gone

    @operation(kernel="mm/filemap.c:__remove_from_page_cache @-2.6.27")
    def remove_folio(self):
        """Remove the folio with all its bits."""
        with atomic():
            self.present, self.folio_uptodate, self.folio_dirty = False, False, False
            for i in range(self.pages):
                self.page[i], self.uptodate[i], self.dirty[i] = Data.NOTHING, False, False

    # -- questions (all pure) -----------------------------------------------------------------------------------------

    def can_copy(self, i):
        """Whether block i is uptodate, by the folio's flag or by its bit (`filemap_range_uptodate`; pure)."""
        return self.present and (self.folio_uptodate or self.uptodate[i])

    def will_have(self, i):
        """The folio's block, if it is still to be written or is being written (pure)."""
        return self.page[i] if self.can_copy(i) and (self.dirty[i] or self.folio_writeback) else self.on_disk(i)

    def file_has(self, i):
        """The folio's block, if it is uptodate (pure)."""
        return self.page[i] if self.can_copy(i) else self.on_disk(i)

    # -- properties ---------------------------------------------------------------------------------------------------

    @invariant
    def uptodate_has_data(self):
        """A block that counts as uptodate has been filled."""
        return all(not self.can_copy(i) or self.page[i] != Data.NOTHING for i in range(self.pages))

    @invariant
    def uptodate_flag_is_of_all(self):
        """The folio is uptodate only if every block is."""
        return not self.folio_uptodate or all(self.uptodate[i] for i in range(self.pages))

    @invariant
    def no_dirty_block_forgotten(self):
        """A search for dirty folios finds every dirty block, unless it is being submitted."""
        return self.folio_dirty or self.folio_lock.is_locked() or all(not self.dirty[i] for i in range(self.pages))

    @invariant
    def writeback_covers_io(self):
        """The folio is under writeback while a block of it is."""
        return self.folio_writeback or self.writes_pending == 0

    @invariant
    def coherent_at_rest(self):
        """At rest, an uptodate block that is not dirty equals the disk."""
        return (
            not self.at_rest()
            or self.reported()
            or all(
                not self.can_copy(i) or self.dirty[i] or self.folio_writeback or self.page[i] == self.on_disk(i)
                for i in range(self.pages)
            )
        )

    @invariant
    def no_stale_exposure(self):
        """Neither a read nor an uptodate block has the bytes of the block's previous owner."""
        return all(
            self.seen[i] != Data.STALE and (not self.can_copy(i) or self.page[i] != Data.STALE)
            for i in range(self.pages)
        )
