"""Power failure: a crash at any step, a recovery, and a disk with a cache that is lost in a crash.

A crash is a step of the thread `power`: all other threads end, and variables that no class lists in
`durable` return to their initial values. Ghosts record history, so they stay. Whether a crash comes is
chosen in the initial state (`crash_comes`), so that threads that wait for each other are still a deadlock.
"""

from __future__ import annotations

from typing import Final

from dio_mc.kernel.file import File
from dio_mc.kernel.words import Data
from dio_mc.lang import Array, Model, Param, Var, atomic, choose, crash, operation, spawn, thread, wait_until

HARDWARE: Final = frozenset({"power", "power_on", "drive"})
"""Members of the classes below that belong to the hardware, which no fix of a file system can change."""


class Crashes(Model, abstract=True):
    """A crash at any step, up to `crashes` in all; a later one may happen during a recovery.

    A model lists what is `durable`, defines `recover`, and uses `recovered()` in its properties.
    With ``crashes=0`` there are none.
    """

    durable = ("crash_comes",)
    crashes = Param(1, min=0, max=3)
    crash_comes = Var(bool, init=any)
    crashed = Var(bool, ghost=True)

    @thread(daemon=True)
    def power(self):
        """Power fails at any step."""
        for i in range(self.crashes):
            with atomic():
                wait_until(self.crash_comes)
                crash()
                self.crashed = True
                if i + 1 < self.crashes:
                    self.crash_comes = choose(True, False)
                self.power_on()
                spawn(self.recover)
        return

    @operation()
    def power_on(self):
        """Set the hardware's state after power-on, in the step of the crash: nothing by default."""

    @operation()
    def recover(self):
        """What a mount does after a crash, in steps of its own: nothing by default."""

    def recovered(self):
        """Whether there was a crash and its recovery has ended (pure, for properties)."""
        return self.crashed and self.at_rest()


class CachedDisk(File, Crashes, abstract=True):
    """A disk with a volatile cache: `disk` is what a read returns, `media` what survives a crash.

    The drive writes its cache back in any order; with ``cache=False`` at once. `bio_flush` is
    REQ_PREFLUSH, and `bio_write_fua` is a write with REQ_FUA.
    """

    durable = ("media",)
    cache = Param(True)
    media = Array(Data, size=File.pages * File.sectors, init=Data.OLD)

    @thread(daemon=True)
    def drive(self):
        """The drive writes cached sectors back, in any order."""
        while True:
            with atomic():
                wait_until(self.cache)
                s = choose(range(self.pages * self.sectors))
                wait_until(self.media[s] != self.disk[s])
                self.media[s] = self.disk[s]

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_write(self, i, data):
        """The device writes, into its cache if it has one."""
        for s in range(self.sectors):
            with atomic():
                self.disk[i * self.sectors + s] = data
                if not self.cache:
                    self.media[i * self.sectors + s] = data

    @operation(kernel="block/bio.c:bio_endio @3.16-")
    def bio_write_fua(self, i, data):
        """The device writes through its cache (REQ_FUA)."""
        for s in range(self.sectors):
            with atomic():
                self.disk[i * self.sectors + s] = data
                self.media[i * self.sectors + s] = data

    @operation()
    def bio_flush(self):
        """The device writes its cache back (REQ_PREFLUSH)."""
        with atomic():
            for s in range(self.pages * self.sectors):
                self.media[s] = self.disk[s]

    @operation()
    def power_on(self):
        """The cache is empty after power-on."""
        super().power_on()
        for s in range(self.pages * self.sectors):
            self.disk[s] = self.media[s]
