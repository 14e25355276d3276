"""Power failure: a crash at any step, a recovery, and a disk with a cache that a crash empties.

A crash is a step of the thread `power`: all other threads end, and variables that no class names in `durable` are as
they were at first. Ghosts are history, and stay. Whether a crash comes is settled at the start (`crash_comes`), so that
threads that wait for each other are a deadlock still.
"""

from __future__ import annotations

from typing import Final

from dio_mc.kernel.file import File
from dio_mc.kernel.words import Data
from dio_mc.lang import Array, Model, Param, Var, atomic, choose, crash, operation, spawn, thread, wait_until

HARDWARE: Final = frozenset({"power", "power_on", "drive"})
"""Members of the classes below that no change of a file system mends."""


class Crashes(Model, abstract=True):
    """A crash at any step, and up to `crashes` in all: a later one may come during the recovery.

    A model says what is `durable`, what `recover` does, and asks in its properties for `recovered()`. With
    ``crashes=0`` there is none.
    """

    durable = ("crash_comes",)
    crashes = Param(1, min=0, max=3)
    crash_comes = Var(bool, init=any)
    crashed = Var(bool, ghost=True)

    @thread(daemon=True)
    def power(self):
        """Fails at any moment."""
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
        """What the hardware has after the crash, in its step: nothing here."""

    @operation()
    def recover(self):
        """What a mount does after a crash, in steps of its own: nothing here."""

    def recovered(self):
        """Whether there was a crash, and the recovery has ended (pure, for properties)."""
        return self.crashed and self.at_rest()


class CachedDisk(File, Crashes, abstract=True):
    """A disk with a volatile cache: `disk` is what a read gives, `media` what survives.

    The drive writes its cache back in any order, or with ``cache=False`` at once. `bio_flush` is REQ_PREFLUSH, and
    `bio_write_fua` a write with REQ_FUA.
    """

    durable = ("media",)
    cache = Param(True)
    media = Array(Data, size=File.pages * File.sectors, init=Data.OLD)

    @thread(daemon=True)
    def drive(self):
        """Writes back what is in the cache."""
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
        """The device writes past its cache (REQ_FUA)."""
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
        """The cache is empty."""
        super().power_on()
        for s in range(self.pages * self.sectors):
            self.disk[s] = self.media[s]
