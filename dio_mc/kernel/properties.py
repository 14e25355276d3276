"""Property families by their usual names; a model inherits those that it is checked for."""

from dio_mc.kernel.pagecache import PageCache
from dio_mc.kernel.words import Data, Slot
from dio_mc.lang import invariant


class NoStaleExposure(PageCache, abstract=True):
    """Stale data exposure: a read, or a page that can be read, has the bytes of the block's previous owner."""

    @invariant
    def no_stale_exposure(self):
        """Neither a read nor an uptodate page has stale data."""
        return all(self.seen[i] != Data.STALE and self.page[i] != Data.STALE for i in range(self.pages))


class CoherentAtRest(PageCache, abstract=True):
    """Page cache incoherency: nothing is pending, and the cache differs from the disk."""

    @invariant
    def coherent_at_rest(self):
        """With all done and nothing dirty, an uptodate page is what the block map gives."""
        return (
            not self.at_rest()
            or self.reported()
            or all(
                self.slot[i] != Slot.UPTODATE
                or self.dirty[i]
                or self.writeback[i]
                or self.copy_to_user(i) == self.on_disk(i)
                for i in range(self.pages)
            )
        )
