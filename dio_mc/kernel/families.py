"""Property families: the kinds of races by their usual names, ready to be added to a model.

A class inherits the families that it is checked for, or requests them by name::

    class Judged(families("coherence_at_rest", "read_after_ack"), ReadBack, Ext4Of2020):
        ...

A family reads the vocabulary (`page`, `slot`, `disk`, `block`, `seen`), the results that system
calls record in `outcome` and `earlier` (see the rules in models/protocols), or the record that a
`Register` keeps of the calls on one page. A model without these cannot have the family. Reads are
judged when they return, the file when all threads have ended. `dio_mc.study` takes its verdicts
from the same properties.
"""

from __future__ import annotations

import types
from typing import Final

from dio_mc.kernel.file import File
from dio_mc.kernel.pagecache import PageCache
from dio_mc.kernel.properties import CoherentAtRest
from dio_mc.kernel.register import Given
from dio_mc.kernel.words import Data, Slot
from dio_mc.lang import Array, Model, Param, Range, Var, invariant, operation, progress, threads

FOREIGN: Final = (Data.STALE, Data.SECRET)
"""Another owner's bytes."""


class NothingExposed(Model, abstract=True):
    """Stale data exposure: a call returned the bytes of the block's previous owner, or a page has them."""

    @invariant
    def no_stale_exposure(self):
        """No read, no page that can be read, and in the end no block, has another owner's bytes."""
        return (
            all(self.outcome[t] not in FOREIGN and self.earlier[t] not in FOREIGN for t in threads())
            and all(self.page[i] not in FOREIGN for i in range(self.pages))
            and (not self.at_rest() or all(self.will_have(i) not in FOREIGN for i in range(self.pages)))
        )


class NoFreedIO(Model, abstract=True):
    """IO to freed blocks; the model sets `freed_io` at the transfer (`dio_mc.kernel.Reuse` does)."""

    @invariant
    def no_freed_io(self):
        """No transfer from or to a block that is not the file's."""
        return not self.freed_io


class PteCurrent(PageCache, abstract=True):
    """Current ptes. `pte[i]`: some process maps page i. A fault sets it; code that drops the page has to clear
    it first. There is one bit per page, so a pte to a page that was dropped and read again counts as current."""

    pte = Array(bool, size=File.pages)

    @invariant
    def pte_current(self):
        """Nobody maps a page that is no longer in the cache."""
        return all(not self.pte[i] or self.slot[i] == Slot.UPTODATE for i in range(self.pages))


class NoLostWrite(Model, abstract=True):
    """Lost writes: a write was acknowledged, no later one followed, and at the end the file has something else."""

    @invariant
    def no_lost_write(self):
        """At rest, some order of the acknowledged writes leaves what the file has."""
        return not self.at_rest() or self.reported() or not self.overwritten(self.will_have(self.judged_page()))


class NoCollateral(Model, abstract=True):
    """Collateral damage. Writers record in `targeted` which pages they write."""

    targeted = Array(bool, size=File.pages, ghost=True)

    @invariant
    def no_collateral(self, after):
        """A page that no write is about goes on to read as it did."""
        return all(after.targeted[i] or after.file_has(i) == self.file_has(i) for i in range(self.pages))


class ReadAfterAck(Model, abstract=True):
    """Read after acknowledgement."""

    @invariant
    def read_after_ack(self):
        """A read returns what some order of the writes that were acknowledged, or are under way, has put there."""
        return all(self.given[t] != Given.OVERWRITTEN for t in threads())


class MonotonicRead(Model, abstract=True):
    """Monotonic reads: no read, and not the file at the end, is older than an earlier read of any thread."""

    @invariant
    def monotonic_read(self):
        """One order of the writes explains all reads, and what the file has in the end."""
        return all(self.given[t] != Given.BACKWARDS for t in threads()) and (
            not self.at_rest() or self.reported() or not self.backwards(self.will_have(self.judged_page()))
        )


class NoTornRead(File, abstract=True):
    """Torn reads of several pages: the pages of the file were equal, and each write writes all of
    them. Linux does not promise their absence."""

    @invariant
    def no_torn_read(self):
        """A read of all pages has all of a write, or nothing of it."""
        return any(self.seen[i] == Data.NOTHING for i in range(self.pages)) or all(
            self.seen[i] == self.seen[0] for i in range(self.pages)
        )


class SizeOk(Model, abstract=True):
    """File size. The model has `i_size`. Code that acknowledges an extension raises
    `acknowledged_end`; a truncate lowers it and sets `truncating` meanwhile."""

    acknowledged_end = Var(Range(0, 7), ghost=True)
    truncating = Var(bool, ghost=True)

    @invariant
    def size_ok(self):
        """At rest the size is the end of what was acknowledged."""
        return not self.at_rest() or self.i_size == self.acknowledged_end

    @invariant
    def size_never_shrinks(self, after):
        """Without a truncate the size does not move backwards."""
        return after.i_size >= self.i_size or self.truncating or after.truncating


class CompleteOnce(Model, abstract=True):
    """Completion of `iocbs` requests; the model calls `ki_complete` wherever it completes one."""

    iocbs = Param(1, min=1, max=4)
    completions = Array(Range(0, 2), size=iocbs, ghost=True)

    @operation(kernel="fs/aio.c:aio_complete")
    def ki_complete(self, n):
        """Record the completion of request n; part of the step before it."""
        self.completions[n] = min(self.completions[n] + 1, 2)

    @invariant
    def complete_once(self):
        """No request is completed twice, and at rest each has been."""
        return all(
            self.completions[n] <= 1 and (not self.at_rest() or self.completions[n] == 1) for n in range(self.iocbs)
        )


class NoDeadlock(Model, abstract=True):
    """Deadlock: some thread is unfinished and none is enabled. Checked unless a model sets ``deadlock = False``."""

    deadlock = True


class EveryCallEnds(Model, abstract=True):
    """Progress: threads that should end do end, if no waiter is overtaken forever."""

    @progress(fairness="strong")
    def every_call_ends(self):
        """Every thread that is not a daemon comes to its end."""
        return self.at_rest()


FAMILIES: Final[dict[str, type[Model]]] = {
    "stale_exposure": NothingExposed,
    "freed_io": NoFreedIO,
    "coherence_at_rest": CoherentAtRest,
    "pte_currency": PteCurrent,
    "lost_write": NoLostWrite,
    "collateral": NoCollateral,
    "read_after_ack": ReadAfterAck,
    "monotonic_read": MonotonicRead,
    "torn_read": NoTornRead,
    "size": SizeOk,
    "complete_once": CompleteOnce,
    "deadlock": NoDeadlock,
    "progress": EveryCallEnds,
}
"""All families by name."""

JUDGES: Final = tuple(
    FAMILIES[name]
    for name in (
        "stale_exposure", "freed_io", "lost_write", "coherence_at_rest", "read_after_ack", "monotonic_read", "progress",
    )
)  # fmt: skip
"""The families by which `dio_mc.study` judges every rule."""


def families(*names: str) -> type[Model]:
    """A base class with these families. Raises `ValueError` for an unknown name."""
    unknown = [name for name in names if name not in FAMILIES]
    if unknown:
        raise ValueError(f"no property family {unknown[0]!r}; there are: {', '.join(FAMILIES)}")
    bases = tuple(dict.fromkeys(FAMILIES[name] for name in names)) or (Model,)
    return types.new_class("Families", bases, {"abstract": True})
