"""The page-cache vocabulary, written in the modelling language: blocks, disk, pages, and what the kernel does to them.

Granularity. Map, transfer and completion of an IO are separate steps (submission has no effect of its own: it is where
a completion is spawned, if there is one). A page that is being filled is in the cache, locked and not uptodate, before
the block map is asked. To find an uptodate page and to copy from it is one step. Taking a page's lock, looking, and
removing the page is one step, which waits for the lock: nobody else can come between. A store through a pte is one
step.
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
