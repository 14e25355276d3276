"""The kernel's locks with the kernel's rules, written in the modelling language itself.

Each method is one step unless its docstring says otherwise. A broken rule is the fault ``lock_misuse`` at the caller's
line. A lock taken twice by one thread blocks it forever, as in the kernel. ``held_by(t)`` is pure and may be used in
properties; a thread that ends while it holds a lock broke a rule, unless it handed the lock over.

``hand_over`` gives a lock to nobody in particular, for a completion to release (``*_non_owner``): AIO completion
releases `i_alloc_sem` for the submitter in ``fs/direct-io.c:dio_complete``.
"""

from __future__ import annotations

from typing import Any

from dio_mc.lang.declarations import Array, PerThread, Range, ThreadId, Var
from dio_mc.lang.model import Part
from dio_mc.lang.statements import atomic, me, require, wait_until


class Lock(Part):
    """What all locks share: `held_by`, and that a thread does not end while it holds one.

    `sleeps` says that waiting for it may sleep, which is not allowed under a spinlock. Of a lock that is spun for
    (``sleeps = False``), and of one with ``holder_sleeps = False``, the holder must not sleep either.
    """

    sleeps = True
    holder_sleeps = True

    def held_by(self, thread: ThreadId) -> bool:
        """Whether this thread holds it (pure)."""
        return False


class Mutex(Lock):
    """``struct mutex`` (`i_mutex`): one owner, and only the owner releases it (kernel/locking/mutex.c)."""

    owner = Var(ThreadId | None)
    handed = Var(bool)

    def held_by(self, thread: ThreadId) -> bool:
        """Whether this thread holds it (pure)."""
        return self.owner == thread

    def is_locked(self) -> bool:
        """Whether anybody holds it, a completion it was handed to included (pure)."""
        return self.owner is not None or self.handed

    @atomic()
    def lock(self) -> None:
        """Wait until it is free, then hold it."""
        wait_until(self.owner is None and not self.handed)
        self.owner = me

    @atomic()
    def trylock(self) -> bool:
        """Hold it if it is free; says whether it was."""
        if self.owner is None and not self.handed:
            self.owner = me
            return True
        return False

    @atomic()
    def lock_killable(self, killed: bool) -> bool:
        """Wait until it is free, or until `killed` holds (a fatal signal is pending); says whether it is held now."""
        wait_until((self.owner is None and not self.handed) or killed)
        if self.owner is None and not self.handed:
            self.owner = me
            return True
        return False

    @atomic()
    def unlock(self) -> None:
        """Release it; only its holder may."""
        require(self.owner == me, "unlocked by a thread that does not hold it")
        self.owner = None

    @atomic()
    def hand_over(self) -> None:
        """Let a completion release it; the caller holds it no longer."""
        require(self.owner == me, "handed over by a thread that does not hold it")
        self.owner = None
        self.handed = True

    @atomic()
    def unlock_non_owner(self) -> None:
        """Release what another thread handed over."""
        require(self.handed, "released for a holder that did not hand it over")
        self.handed = False


class PageLock(Mutex):
    """The page (folio) lock bit, ``lock_page``/``unlock_page`` (mm/filemap.c). The kernel lets any context unlock a
    page it was handed (end of read IO); say so with ``hand_over``."""


class SpinLock(Lock):
    """``spinlock_t``: as a mutex, but its holder must not sleep (wait, or take a sleeping lock)."""

    sleeps = False
    owner = Var(ThreadId | None)

    def held_by(self, thread: ThreadId) -> bool:
        """Whether this thread holds it (pure)."""
        return self.owner == thread

    def is_locked(self) -> bool:
        """Whether anybody holds it, a completion it was handed to included (pure)."""
        return self.owner is not None

    @atomic()
    def lock(self) -> None:
        """Wait until it is free, then hold it."""
        wait_until(self.owner is None)
        self.owner = me

    @atomic()
    def trylock(self) -> bool:
        """Hold it if it is free; says whether it was."""
        if self.owner is None:
            self.owner = me
            return True
        return False

    @atomic()
    def unlock(self) -> None:
        """Release it; only its holder may."""
        require(self.owner == me, "unlocked by a thread that does not hold it")
        self.owner = None


class RWSem(Lock):
    """``struct rw_semaphore`` (`i_alloc_sem`, `i_rwsem`, `invalidate_lock`; kernel/locking/rwsem.c).

    With ``writer_preference=True`` a waiting writer keeps new readers out, and ``down_write`` takes two steps: it
    queues, then gets the lock.
    """

    writer_preference = False
    writer = Var(ThreadId | None)
    reading = PerThread(bool)
    waiting = PerThread(bool)
    handed_writer = Var(bool)
    handed_readers = Var(Range(0, 7))

    def held_by(self, thread: ThreadId) -> bool:
        """Whether this thread holds it (pure)."""
        return self.writer == thread or self.reading[thread]

    def is_locked(self) -> bool:
        """Whether anybody holds it, a completion it was handed to included (pure)."""
        return self.writer is not None or self.handed_writer or any(self.reading) or self.handed_readers > 0

    def read_blocked(self) -> bool:
        """Whether a reader would have to wait (pure)."""
        return self.writer is not None or self.handed_writer or any(self.waiting)

    def write_blocked(self) -> bool:
        """Whether a writer would have to wait (pure)."""
        return self.writer is not None or self.handed_writer or any(self.reading) or self.handed_readers > 0

    @atomic()
    def down_read(self) -> None:
        """Wait for writers, then hold it for reading; not recursive."""
        wait_until(not self.read_blocked() and not self.reading[me])
        self.reading[me] = True

    @atomic()
    def down_read_trylock(self) -> bool:
        """Hold it for reading if no writer is in the way; says whether it does."""
        if self.read_blocked() or self.reading[me]:
            return False
        self.reading[me] = True
        return True

    @atomic()
    def down_read_killable(self, killed: bool) -> bool:
        """Wait for writers, or until `killed` holds; says whether it is held for reading now."""
        wait_until((not self.read_blocked() and not self.reading[me]) or killed)
        if self.read_blocked() or self.reading[me]:
            return False
        self.reading[me] = True
        return True

    @atomic()
    def up_read(self) -> None:
        """Release it for reading."""
        require(self.reading[me], "up_read by a thread that does not hold it for reading")
        self.reading[me] = False

    def down_write(self) -> None:
        """Wait for everybody, then hold it for writing; two steps with writer preference."""
        if self.writer_preference:
            self.waiting[me] = True
        with atomic():
            wait_until(not self.write_blocked())
            self.writer = me
            if self.writer_preference:
                self.waiting[me] = False

    @atomic()
    def down_write_killable(self, killed: bool) -> bool:
        """Wait for everybody, or until `killed` holds; says whether it is held for writing now. One step: with writer
        preference too, it keeps no reader out while it waits."""
        wait_until(not self.write_blocked() or killed)
        if self.write_blocked():
            return False
        self.writer = me
        return True

    @atomic()
    def down_write_trylock(self) -> bool:
        """Hold it for writing if it is free; says whether it does."""
        if self.write_blocked():
            return False
        self.writer = me
        return True

    @atomic()
    def up_write(self) -> None:
        """Release it for writing."""
        require(self.writer == me, "up_write by a thread that does not hold it for writing")
        self.writer = None

    @atomic()
    def downgrade_write(self) -> None:
        """Go from writing to reading without letting a writer in between."""
        require(self.writer == me, "downgrade_write by a thread that does not hold it for writing")
        self.writer = None
        self.reading[me] = True

    @atomic()
    def hand_over(self) -> None:
        """Let a completion release it; the caller holds it no longer."""
        require(self.writer == me or self.reading[me], "handed over by a thread that does not hold it")
        if self.writer == me:
            self.writer = None
            self.handed_writer = True
        else:
            self.reading[me] = False
            self.handed_readers += 1

    @atomic()
    def up_read_non_owner(self) -> None:
        """Release for reading what another thread handed over."""
        require(self.handed_readers > 0, "up_read_non_owner without a reader that handed it over")
        self.handed_readers -= 1

    @atomic()
    def up_write_non_owner(self) -> None:
        """Release for writing what another thread handed over."""
        require(self.handed_writer, "up_write_non_owner without a writer that handed it over")
        self.handed_writer = False


class RangeLock(Lock):
    """A lock over ``[low, high)`` of a fixed range of indexes (btrfs ``lock_extent``, the placeholder idea)."""

    size: int = 1
    owner: Any
    handed: Any

    def declarations(self) -> dict[str, Any]:
        """One owner per index."""
        return {"owner": Array(ThreadId | None, size=self.size), "handed": Array(bool, size=self.size)}

    def held_by(self, thread: ThreadId) -> bool:
        """Whether this thread holds it (pure)."""
        return any(owner == thread for owner in self.owner)

    def is_locked(self, index: int) -> bool:
        """Whether anybody holds it at an index, a completion it was handed to included (pure)."""
        return self.owner[index] is not None or self.handed[index]

    @atomic()
    def lock(self, low: int, high: int) -> None:
        """Wait until all of the range is free, then hold it."""
        wait_until(all(not self.is_locked(i) or not low <= i < high for i in range(self.size)))
        for i in range(self.size):
            if low <= i < high:
                self.owner[i] = me

    @atomic()
    def trylock(self, low: int, high: int) -> bool:
        """Hold the range if all of it is free; says whether it was."""
        if any(self.is_locked(i) and low <= i < high for i in range(self.size)):
            return False
        for i in range(self.size):
            if low <= i < high:
                self.owner[i] = me
        return True

    @atomic()
    def unlock(self, low: int, high: int) -> None:
        """Release all of the range; its holder only."""
        for i in range(self.size):
            if low <= i < high:
                require(self.owner[i] == me, "unlocked by a thread that does not hold all of the range")
                self.owner[i] = None

    @atomic()
    def hand_over(self, low: int, high: int) -> None:
        """Let a completion release the range; the caller holds it no longer."""
        for i in range(self.size):
            if low <= i < high:
                require(self.owner[i] == me, "handed over by a thread that does not hold all of the range")
                self.owner[i], self.handed[i] = None, True

    @atomic()
    def unlock_non_owner(self, low: int, high: int) -> None:
        """Release what another thread handed over."""
        for i in range(self.size):
            if low <= i < high:
                require(self.handed[i], "released for a holder that did not hand it over")
                self.handed[i] = False


class DrainCounter(Lock):
    """A count of things in flight that others can wait for (`i_dio_count`: ``inode_dio_begin``, ``inode_dio_end``,
    ``inode_dio_wait``). Any thread may end what another began; more than `max` at once is a fault."""

    max: int = 7
    count: int

    def declarations(self) -> dict[str, Any]:
        """The count."""
        return {"count": Var(Range(0, self.max))}

    @atomic()
    def begin(self) -> None:
        """One more in flight (``inode_dio_begin``)."""
        self.count += 1

    @atomic()
    def end(self) -> None:
        """One fewer in flight (``inode_dio_end``)."""
        require(self.count > 0, "ended more often than begun")
        self.count -= 1

    @atomic()
    def wait(self) -> None:
        """Wait until nothing is in flight (``inode_dio_wait``)."""
        wait_until(self.count == 0)
