"""The page-cache vocabulary, written in the modelling language: blocks, disk, pages, and the
kernel's operations on them.

Granularity. Mapping, transfer and completion of an IO are separate steps. Submission has no effect
of its own; if there is a completion, it is spawned there. A page that is being filled is in the
cache, locked and not uptodate, before the block map is looked up. Finding an uptodate page and
copying from it is one step. Locking a page, testing it and removing it is one step, which waits for
the lock, so that no other thread can come between. A store through a pte is one step.
"""

from dio_mc.kernel.crash import CachedDisk, Crashes
from dio_mc.kernel.file import File
from dio_mc.kernel.folio import LargeFolio
from dio_mc.kernel.mapped import MappedFile
from dio_mc.kernel.pagecache import PageCache
from dio_mc.kernel.properties import CoherentAtRest, NoStaleExposure
from dio_mc.kernel.reflink import CowWriteback, Iomap, Reflink
from dio_mc.kernel.reuse import Reuse
from dio_mc.kernel.words import Block, Data, Owner, Slot

__all__ = [
    "Block", "CachedDisk", "CoherentAtRest", "CowWriteback", "Crashes", "Data", "File", "Iomap", "LargeFolio",
    "MappedFile", "NoStaleExposure", "Owner", "PageCache", "Reflink", "Reuse", "Slot",
]  # fmt: skip
