"""The property families of the catalogue of races, under the field's own names, ready to attach to a model.

A class inherits those that it is judged by, or asks for them by name::

    class Judged(families("coherence_at_rest", "read_after_ack"), ReadBack, Ext4Of2020):
        ...

A family reads the vocabulary (`page`, `slot`, `disk`, `block`, `seen`) or what system calls leave on record (`outcome`,
`earlier`, `floor`, `wrote`, as the rules in models/protocols keep it); a model without these has no such family. What
is on record are the last call of each thread and the result of the one before, of calls on page 0, and it is read where
all threads have ended: a call whose record has been overwritten is not judged, nor is a run that ends in a deadlock.
"""

from __future__ import annotations

import types
from typing import Final

from dio_mc.kernel.file import File
from dio_mc.kernel.pagecache import PageCache
from dio_mc.kernel.properties import CoherentAtRest
from dio_mc.kernel.words import Block, Data, Slot
from dio_mc.lang import Array, Model, Param, Range, Var, invariant, operation, progress, threads


class NothingExposed(Model, abstract=True):
    """Stale data exposure: a call returned the bytes of the block's previous owner, or a page has them."""

    @invariant
    def no_stale_exposure(self):
        """No read, and no page that can be read, has another owner's bytes."""
        return all(
            self.outcome[t] not in (Data.STALE, Data.SECRET) and self.earlier[t] not in (Data.STALE, Data.SECRET)
            for t in threads()
        ) and all(self.page[i] not in (Data.STALE, Data.SECRET) for i in range(self.pages))


class NoFreedIO(Model, abstract=True):
    """IO to freed blocks; a model says so in `freed_io` at the transfer (`dio_mc.kernel.Reuse` does)."""

    @invariant
    def no_freed_io(self):
        """No transfer from or to a block that is not the file's."""
        return not self.freed_io


class PteCurrent(PageCache, abstract=True):
    """Pte currency. `pte[i]`: some process maps page i. A fault sets it, whoever drops the page has to clear it first;
    one bit per page, so that a pte to a page that was dropped and read again counts as current."""

    pte = Array(bool, size=File.pages)

    @invariant
    def pte_current(self):
        """Nobody maps a page that is no longer in the cache."""
        return all(not self.pte[i] or self.slot[i] == Slot.UPTODATE for i in range(self.pages))


class Readable(Model, abstract=True):
    """What a buffered read would return, for the families that ask."""

    def on_disk(self, i):
        """Without the cache (pure)."""
        return self.disk[i] if self.block[i] == Block.MAPPED else Data.ZERO

    def file_has(self, i):
        """With the cache (pure)."""
        return self.page[i] if self.slot[i] == Slot.UPTODATE else self.on_disk(i)


class NoLostWrite(Readable, abstract=True):
    """Lost writes: one was acknowledged, nothing came after it, and a read would not return it."""

    @invariant
    def no_lost_write(self):
        """At rest the file has what some write meant it to have, if one was acknowledged."""
        done = any(self.wrote[t] != Data.NOTHING and self.outcome[t] != Data.EIO for t in threads())
        return not self.at_rest() or not done or any(self.wrote[t] == self.file_has(0) for t in threads())


class NoCollateral(Readable, abstract=True):
    """Collateral damage. Writers say which pages they are about in `targeted`."""

    targeted = Array(bool, size=File.pages, ghost=True)

    @invariant
    def no_collateral(self, after):
        """A page that no write is about goes on to read as it did."""
        return all(after.targeted[i] or after.file_has(i) == self.file_has(i) for i in range(self.pages))


class ReadAfterAck(Model, abstract=True):
    """Read after acknowledgement: `floor` is the write that had been acknowledged when a call began."""

    @invariant
    def read_after_ack(self):
        """A read returns the write that had been acknowledged when it began, or a later or concurrent one."""
        return not self.at_rest() or all(
            self.wrote[t] == self.outcome[t]
            or self.floor[t] == Data.NOTHING
            or self.outcome[t] in (Data.NOTHING, Data.EIO, self.floor[t])
            or (
                any(self.wrote[u] == self.outcome[t] and self.floor[t] != self.outcome[t] for u in threads())
                and not any(self.wrote[u] == self.floor[t] and self.floor[u] == self.outcome[t] for u in threads())
            )
            for t in threads()
        )


class MonotonicRead(Model, abstract=True):
    """Monotonic reads, of a thread's last two calls; the result of a write is what it wrote."""

    @invariant
    def monotonic_read(self):
        """Once a read has returned what was written, the next one does not return what was there before."""
        return not self.at_rest() or all(
            self.wrote[t] == self.outcome[t]
            or self.outcome[t] in (Data.NOTHING, Data.EIO)
            or not any(self.wrote[u] == self.earlier[t] and self.earlier[t] != Data.NOTHING for u in threads())
            or any(self.wrote[u] == self.outcome[t] for u in threads())
            for t in threads()
        )


class NoTornRead(File, abstract=True):
    """Torn reads of several pages, of a file whose pages were equal, against writes of all of them. Linux does not
    promise it."""

    @invariant
    def no_torn_read(self):
        """A read of all pages has all of a write, or nothing of it."""
        return any(self.seen[i] == Data.NOTHING for i in range(self.pages)) or all(
            self.seen[i] == self.seen[0] for i in range(self.pages)
        )


class SizeOk(Model, abstract=True):
    """Size. The model has `i_size`; whoever acknowledges an extension raises `acknowledged_end`, a truncate lowers it
    and sets `truncating` while it does."""

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
    """Completion of `iocbs` requests; the model calls `ki_complete` where one is completed."""

    iocbs = Param(1, min=1, max=4)
    completions = Array(Range(0, 2), size=iocbs, ghost=True)

    @operation(kernel="fs/aio.c:aio_complete")
    def ki_complete(self, n):
        """Request n is completed; part of the step before it."""
        self.completions[n] = min(self.completions[n] + 1, 2)

    @invariant
    def complete_once(self):
        """No request is completed twice, and at rest each has been."""
        return all(
            self.completions[n] <= 1 and (not self.at_rest() or self.completions[n] == 1) for n in range(self.iocbs)
        )


class NoDeadlock(Model, abstract=True):
    """Deadlock: some thread is unfinished and nothing is enabled. Checked unless a model says ``deadlock = False``."""

    deadlock = True


class EveryCallEnds(Model, abstract=True):
    """Progress: threads that should end do, if waiters are served in turn."""

    @progress(fairness="strong")
    def every_call_ends(self):
        """Every thread that is no daemon comes to its end."""
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


def families(*names: str) -> type[Model]:
    """A class to inherit from that has these families. Raises `ValueError` for a name that is none."""
    unknown = [name for name in names if name not in FAMILIES]
    if unknown:
        raise ValueError(f"no property family {unknown[0]!r}; there are: {', '.join(FAMILIES)}")
    bases = tuple(dict.fromkeys(FAMILIES[name] for name in names)) or (Model,)
    return types.new_class("Families", bases, {"abstract": True})
