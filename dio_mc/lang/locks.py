"""The kernel's locks with the kernel's rules, written in the modelling language.

Each method is one step unless its docstring says otherwise. Breaking a rule is the fault ``lock_misuse`` at the
caller's line. A thread that takes a lock twice blocks forever, as in the kernel. ``held_by(t)`` is pure and may be used
in properties. A thread must not end while it holds a lock, unless it handed the lock over.

``hand_over`` leaves a lock without an owner, to be released by a completion (``*_non_owner``): AIO completion releases
`i_alloc_sem` for the submitter in ``fs/direct-io.c:dio_complete``.
"""

from __future__ import annotations

from typing import Any

from dio_mc.lang.declarations import Array, PerThread, Range, ThreadId, Var
from dio_mc.lang.model import Part
from dio_mc.lang.statements import atomic, me, require, wait_until


class Lock(Part):
    """Base class of all locks: `held_by`, and the rule that a thread does not end while it holds one.

    `sleeps` is true if waiting for the lock may sleep, which is not allowed while holding a spinlock. While holding a
    spinning lock (``sleeps = False``), or one with ``holder_sleeps = False``, a thread must not sleep.
    """

    sleeps = True
    holder_sleeps = True

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` holds the lock (pure)."""
        return False


class Mutex(Lock):
    """``struct mutex`` (`i_mutex`): one owner, and only the owner releases it (kernel/locking/mutex.c)."""

    owner = Var(ThreadId | None)
    handed = Var(bool)

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` holds the lock (pure)."""
        return self.owner == thread

    def is_locked(self) -> bool:
        """Whether the lock is held, by a thread or by a completion that it was handed to (pure)."""
        return self.owner is not None or self.handed

    @atomic()
    def lock(self) -> None:
        """Wait until the lock is free, then take it."""
        wait_until(self.owner is None and not self.handed)
        self.owner = me

    @atomic()
    def trylock(self) -> bool:
        """Take the lock if it is free; returns whether it was taken."""
        if self.owner is None and not self.handed:
            self.owner = me
            return True
        return False

    @atomic()
    def lock_killable(self, killed: bool) -> bool:
        """Wait until the lock is free, or until `killed` holds (a fatal signal is pending); returns whether the lock
        was taken."""
        wait_until((self.owner is None and not self.handed) or killed)
        if self.owner is None and not self.handed:
            self.owner = me
            return True
        return False

    @atomic()
    def unlock(self) -> None:
        """Release the lock; the caller must hold it."""
        require(self.owner == me, "unlocked by a thread that does not hold it")
        self.owner = None

    @atomic()
    def hand_over(self) -> None:
        """Leave the lock to a completion, which releases it; the caller does not hold it any more."""
        require(self.owner == me, "handed over by a thread that does not hold it")
        self.owner = None
        self.handed = True

    @atomic()
    def unlock_non_owner(self) -> None:
        """Release the lock for a thread that handed it over."""
        require(self.handed, "released for a holder that did not hand it over")
        self.handed = False


class PageLock(Mutex):
    """The page (folio) lock bit, ``lock_page``/``unlock_page`` (mm/filemap.c). In the kernel, the end of a read unlocks
    the page for the thread that submitted it; use ``hand_over`` for this."""


class SpinLock(Lock):
    """``spinlock_t``: like a mutex, but its holder must not sleep (wait, or take a sleeping lock)."""

    sleeps = False
    owner = Var(ThreadId | None)

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` holds the lock (pure)."""
        return self.owner == thread

    def is_locked(self) -> bool:
        """Whether the lock is held (pure)."""
        return self.owner is not None

    @atomic()
    def lock(self) -> None:
        """Wait until the lock is free, then take it."""
        wait_until(self.owner is None)
        self.owner = me

    @atomic()
    def trylock(self) -> bool:
        """Take the lock if it is free; returns whether it was taken."""
        if self.owner is None:
            self.owner = me
            return True
        return False

    @atomic()
    def unlock(self) -> None:
        """Release the lock; the caller must hold it."""
        require(self.owner == me, "unlocked by a thread that does not hold it")
        self.owner = None


class RWSem(Lock):
    """``struct rw_semaphore`` (`i_alloc_sem`, `i_rwsem`, `invalidate_lock`; kernel/locking/rwsem.c).

    With ``writer_preference=True`` a waiting writer blocks new readers, and ``down_write`` takes two steps: it queues,
    then takes the lock.
    """

    writer_preference = False
    writer = Var(ThreadId | None)
    reading = PerThread(bool)
    waiting = PerThread(bool)
    handed_writer = Var(bool)
    handed_readers = Var(Range(0, 7))

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` holds the lock, for reading or writing (pure)."""
        return self.writer == thread or self.reading[thread]

    def is_locked(self) -> bool:
        """Whether the lock is held, by a thread or by a completion that it was handed to (pure)."""
        return self.writer is not None or self.handed_writer or any(self.reading) or self.handed_readers > 0

    def read_blocked(self) -> bool:
        """Whether a reader would have to wait (pure)."""
        return self.writer is not None or self.handed_writer or any(self.waiting)

    def write_blocked(self) -> bool:
        """Whether a writer would have to wait (pure)."""
        return self.writer is not None or self.handed_writer or any(self.reading) or self.handed_readers > 0

    @atomic()
    def down_read(self) -> None:
        """Wait for writers, then take the lock for reading. Not recursive: a thread that already reads blocks
        forever."""
        wait_until(not self.read_blocked() and not self.reading[me])
        self.reading[me] = True

    @atomic()
    def down_read_trylock(self) -> bool:
        """Take the lock for reading if no writer holds it or, with writer preference, waits for it; returns whether it
        was taken."""
        if self.read_blocked() or self.reading[me]:
            return False
        self.reading[me] = True
        return True

    @atomic()
    def down_read_killable(self, killed: bool) -> bool:
        """Wait for writers, or until `killed` holds; returns whether the lock was taken for reading."""
        wait_until((not self.read_blocked() and not self.reading[me]) or killed)
        if self.read_blocked() or self.reading[me]:
            return False
        self.reading[me] = True
        return True

    @atomic()
    def up_read(self) -> None:
        """Release the lock, held for reading."""
        require(self.reading[me], "up_read by a thread that does not hold it for reading")
        self.reading[me] = False

    def down_write(self) -> None:
        """Wait for readers and writers, then take the lock for writing. Two steps with writer preference."""
        if self.writer_preference:
            self.waiting[me] = True
        with atomic():
            wait_until(not self.write_blocked())
            self.writer = me
            if self.writer_preference:
                self.waiting[me] = False

    @atomic()
    def down_write_killable(self, killed: bool) -> bool:
        """Wait for readers and writers, or until `killed` holds; returns whether the lock was taken for writing. One
        step: even with writer preference it does not block new readers while it waits."""
        wait_until(not self.write_blocked() or killed)
        if self.write_blocked():
            return False
        self.writer = me
        return True

    @atomic()
    def down_write_trylock(self) -> bool:
        """Take the lock for writing if it is free; returns whether it was taken."""
        if self.write_blocked():
            return False
        self.writer = me
        return True

    @atomic()
    def up_write(self) -> None:
        """Release the lock, held for writing."""
        require(self.writer == me, "up_write by a thread that does not hold it for writing")
        self.writer = None

    @atomic()
    def downgrade_write(self) -> None:
        """Change from writing to reading without releasing the lock in between."""
        require(self.writer == me, "downgrade_write by a thread that does not hold it for writing")
        self.writer = None
        self.reading[me] = True

    @atomic()
    def hand_over(self) -> None:
        """Leave the lock to a completion, which releases it; the caller does not hold it any more."""
        require(self.writer == me or self.reading[me], "handed over by a thread that does not hold it")
        if self.writer == me:
            self.writer = None
            self.handed_writer = True
        else:
            self.reading[me] = False
            self.handed_readers += 1

    @atomic()
    def up_read_non_owner(self) -> None:
        """Release the lock for a reader that handed it over."""
        require(self.handed_readers > 0, "up_read_non_owner without a reader that handed it over")
        self.handed_readers -= 1

    @atomic()
    def up_write_non_owner(self) -> None:
        """Release the lock for a writer that handed it over."""
        require(self.handed_writer, "up_write_non_owner without a writer that handed it over")
        self.handed_writer = False


class RangeLock(Lock):
    """A lock of ranges ``[low, high)`` of the indexes ``0..size - 1`` (btrfs ``lock_extent``, the placeholder idea)."""

    size: int = 1
    owner: Any
    handed: Any

    def declarations(self) -> dict[str, Any]:
        """The owner of each index, and whether the index was handed over."""
        return {"owner": Array(ThreadId | None, size=self.size), "handed": Array(bool, size=self.size)}

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` holds any index (pure)."""
        return any(owner == thread for owner in self.owner)

    def is_locked(self, index: int) -> bool:
        """Whether an index is held, by a thread or by a completion that it was handed to (pure)."""
        return self.owner[index] is not None or self.handed[index]

    @atomic()
    def lock(self, low: int, high: int) -> None:
        """Wait until the whole range is free, then take it."""
        wait_until(all(not self.is_locked(i) or not low <= i < high for i in range(self.size)))
        for i in range(self.size):
            if low <= i < high:
                self.owner[i] = me

    @atomic()
    def trylock(self, low: int, high: int) -> bool:
        """Take the range if all of it is free; returns whether it was taken."""
        if any(self.is_locked(i) and low <= i < high for i in range(self.size)):
            return False
        for i in range(self.size):
            if low <= i < high:
                self.owner[i] = me
        return True

    @atomic()
    def unlock(self, low: int, high: int) -> None:
        """Release the range; the caller must hold all of it."""
        for i in range(self.size):
            if low <= i < high:
                require(self.owner[i] == me, "unlocked by a thread that does not hold all of the range")
                self.owner[i] = None

    @atomic()
    def hand_over(self, low: int, high: int) -> None:
        """Leave the range to a completion, which releases it; the caller does not hold it any more."""
        for i in range(self.size):
            if low <= i < high:
                require(self.owner[i] == me, "handed over by a thread that does not hold all of the range")
                self.owner[i], self.handed[i] = None, True

    @atomic()
    def unlock_non_owner(self, low: int, high: int) -> None:
        """Release the range for a thread that handed it over."""
        for i in range(self.size):
            if low <= i < high:
                require(self.handed[i], "released for a holder that did not hand it over")
                self.handed[i] = False


class DrainCounter(Lock):
    """A count of requests in flight that can be waited for (`i_dio_count`: ``inode_dio_begin``, ``inode_dio_end``,
    ``inode_dio_wait``). Any thread may end what another began. More than `max` at once are a fault."""

    max: int = 7
    count: int

    def declarations(self) -> dict[str, Any]:
        """The count."""
        return {"count": Var(Range(0, self.max))}

    @atomic()
    def begin(self) -> None:
        """Count one more in flight (``inode_dio_begin``)."""
        self.count += 1

    @atomic()
    def end(self) -> None:
        """Count one fewer in flight (``inode_dio_end``)."""
        require(self.count > 0, "ended more often than begun")
        self.count -= 1

    @atomic()
    def wait(self) -> None:
        """Wait until nothing is in flight (``inode_dio_wait``)."""
        wait_until(self.count == 0)
