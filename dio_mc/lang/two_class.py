"""The lock of NFS and ceph: two classes of users, only one of which can hold it at a time."""

from __future__ import annotations

from dio_mc.lang.declarations import PerThread, Range, ThreadId, Var
from dio_mc.lang.locks import Lock
from dio_mc.lang.statements import atomic, me, require, wait_until


class TwoClassLock(Lock):
    """Buffered and direct users exclude each other; users of one class do not (fs/nfs/io.c, fs/ceph/io.c).

    bcachefs has the same lock with two states (``bch2_pagecache_add``, ``bch2_pagecache_block``).
    """

    buffered = PerThread(bool)
    direct = PerThread(bool)
    handed_buffered = Var(Range(0, 7))
    handed_direct = Var(Range(0, 7))

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` holds the lock, in either class (pure)."""
        return self.buffered[thread] or self.direct[thread]

    def buffered_blocked(self) -> bool:
        """Whether a buffered user would have to wait (pure)."""
        return any(self.direct) or self.handed_direct > 0 or self.buffered[me]

    def direct_blocked(self) -> bool:
        """Whether a direct user would have to wait (pure)."""
        return any(self.buffered) or self.handed_buffered > 0 or self.direct[me]

    @atomic()
    def lock_buffered(self) -> None:
        """Wait for direct users, then take the lock as a buffered user."""
        wait_until(not self.buffered_blocked())
        self.buffered[me] = True

    @atomic()
    def trylock_buffered(self) -> bool:
        """Take the lock as a buffered user if there is no direct user; returns whether it was taken."""
        if self.buffered_blocked():
            return False
        self.buffered[me] = True
        return True

    @atomic()
    def unlock_buffered(self) -> None:
        """Release the lock of a buffered user."""
        require(self.buffered[me], "unlock_buffered by a thread that does not hold it")
        self.buffered[me] = False

    @atomic()
    def lock_direct(self) -> None:
        """Wait for buffered users, then take the lock as a direct user."""
        wait_until(not self.direct_blocked())
        self.direct[me] = True

    @atomic()
    def trylock_direct(self) -> bool:
        """Take the lock as a direct user if there is no buffered user; returns whether it was taken."""
        if self.direct_blocked():
            return False
        self.direct[me] = True
        return True

    @atomic()
    def unlock_direct(self) -> None:
        """Release the lock of a direct user."""
        require(self.direct[me], "unlock_direct by a thread that does not hold it")
        self.direct[me] = False

    @atomic()
    def hand_over(self) -> None:
        """Leave the lock to a completion, which releases it; the caller does not hold it any more."""
        require(self.held_by(me), "handed over by a thread that does not hold it")
        if self.direct[me]:
            self.direct[me] = False
            self.handed_direct += 1
        else:
            self.buffered[me] = False
            self.handed_buffered += 1

    @atomic()
    def unlock_buffered_non_owner(self) -> None:
        """Release the lock for a buffered user that handed it over."""
        require(self.handed_buffered > 0, "unlock_buffered_non_owner without a user that handed it over")
        self.handed_buffered -= 1

    @atomic()
    def unlock_direct_non_owner(self) -> None:
        """Release the lock for a direct user that handed it over."""
        require(self.handed_direct > 0, "unlock_direct_non_owner without a user that handed it over")
        self.handed_direct -= 1
