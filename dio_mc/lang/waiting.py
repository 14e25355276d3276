"""Waiting for others: ``completion``, wait queues, sequence counters, RCU, bounded queues.

Each method is one step unless its docstring says otherwise. Breaking a rule is a fault at the caller's line.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from enum import Enum
from typing import Any

from dio_mc.lang.declarations import Array, Choice, PerThread, Range, ThreadId, Var
from dio_mc.lang.locks import Lock
from dio_mc.lang.model import Part
from dio_mc.lang.statements import atomic, choose, me, require, threads, wait_until


class Completion(Part):
    """``struct completion`` (kernel/sched/completion.c): each ``complete`` releases one waiter, ``complete_all`` all
    present and future ones. More than `max` completions without a waiter are the fault ``range``."""

    max: int = 3
    count: int

    def declarations(self) -> dict[str, Any]:
        """The number of completions that no waiter has consumed, and whether ``complete_all`` was called."""
        return {"count": Var(Range(0, self.max)), "all_done": Var(bool)}

    def completion_done(self) -> bool:
        """Whether a waiter would not have to wait (pure)."""
        return self.count > 0 or self.all_done

    @atomic()
    def complete(self) -> None:
        """Let one waiter continue."""
        if not self.all_done:
            self.count += 1

    @atomic()
    def complete_all(self) -> None:
        """Let all waiters continue, including later ones."""
        self.count = 0
        self.all_done = True

    @atomic()
    def wait_for_completion(self) -> None:
        """Wait until it is completed."""
        wait_until(self.completion_done())
        if not self.all_done:
            self.count -= 1

    @atomic()
    def wait_for_completion_killable(self, killed: bool) -> bool:
        """Wait until it is completed, or until `killed` holds; returns whether it was completed."""
        wait_until(self.completion_done() or killed)
        return self.try_wait_for_completion()

    @atomic()
    def try_wait_for_completion(self) -> bool:
        """Consume a completion without waiting; returns whether there was one."""
        if not self.completion_done():
            return False
        if not self.all_done:
            self.count -= 1
        return True

    @atomic()
    def reinit_completion(self) -> None:
        """Reset to the initial state; completions that no waiter has consumed are lost."""
        self.count = 0
        self.all_done = False


class WaitQueue(Lock):
    """``wait_queue_head_t`` (kernel/sched/wait.c): call ``prepare_to_wait``, test the condition, call ``schedule``,
    repeat, and finally call ``finish_wait``. Testing the condition before ``prepare_to_wait`` can miss a wake-up
    between the two.

    ``schedule`` returns once ``wake_up`` has been called since ``prepare_to_wait``. A thread that ends while it is on
    the queue leaves an entry on its stack there, which is the fault ``lock_misuse``.
    """

    queued = PerThread(bool)
    asleep = PerThread(bool)

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` is on the queue (pure)."""
        return self.queued[thread]

    def waitqueue_active(self) -> bool:
        """Whether any thread is on the queue (pure)."""
        return any(self.queued)

    @atomic()
    def prepare_to_wait(self) -> None:
        """Enter the queue; the next ``schedule`` sleeps."""
        self.queued[me] = True
        self.asleep[me] = True

    @atomic()
    def schedule(self) -> None:
        """Sleep until the queue is woken; do not sleep if that has happened since ``prepare_to_wait``."""
        wait_until(not self.asleep[me])

    @atomic()
    def schedule_killable(self, killed: bool) -> bool:
        """Sleep until the queue is woken or `killed` holds; returns whether it was woken."""
        wait_until(not self.asleep[me] or killed)
        return not self.asleep[me]

    @atomic()
    def finish_wait(self) -> None:
        """Leave the queue."""
        require(self.queued[me], "finish_wait without prepare_to_wait")
        self.queued[me] = False
        self.asleep[me] = False

    @atomic()
    def wake_up(self) -> None:
        """Wake all threads on the queue."""
        for t in threads():
            self.asleep[t] = False


class SeqCount(Lock):
    """``seqcount_t`` (include/linux/seqlock.h): a reader uses what it read only if no writer was active meanwhile.

    Writers must be serialized by a lock and must not sleep. Instead of a sequence number that readers compare, each
    reader has a flag that writers set (``changed``), so that any number of writes gives few states.
    """

    sleeps = False
    writing = Var(ThreadId | None)
    changed = PerThread(bool)

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` is writing (pure)."""
        return self.writing == thread

    @atomic()
    def write_begin(self) -> None:
        """Begin a write; another writer at the same time is a fault."""
        require(self.writing is None, "write_begin beside another writer")
        self.writing = me
        for t in threads():
            self.changed[t] = True

    @atomic()
    def write_end(self) -> None:
        """End the write."""
        require(self.writing == me, "write_end without write_begin")
        self.writing = None

    @atomic()
    def read_begin(self) -> None:
        """Spin until there is no writer, then begin a read."""
        wait_until(self.writing is None)
        self.changed[me] = False

    @atomic()
    def read_retry(self) -> bool:
        """Whether a writer was active since ``read_begin``."""
        return self.changed[me]


class RCU(Lock):
    """RCU (kernel/rcu): a grace period waits for the readers that are active when it begins, and only for these.

    Readers must not sleep. Read-side sections nest up to `depth`. Model ``call_rcu`` as a spawned operation that begins
    with ``synchronize_rcu``.
    """

    holder_sleeps = False
    depth: int = 2
    readers: Any
    awaited: Any

    def declarations(self) -> dict[str, Any]:
        """The nesting depth of each thread's read-side sections, and for each thread the readers that its grace period
        waits for."""
        return {"readers": PerThread(Range(0, self.depth)), "awaited": PerThread(PerThread(bool))}

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` is in a read-side section (pure)."""
        return self.readers[thread] > 0

    @atomic()
    def rcu_read_lock(self) -> None:
        """Enter a read-side section."""
        self.readers[me] += 1

    @atomic()
    def rcu_read_unlock(self) -> None:
        """Leave a read-side section. After the outermost one, no grace period waits for the thread any more."""
        require(self.readers[me] > 0, "rcu_read_unlock without rcu_read_lock")
        self.readers[me] -= 1
        if self.readers[me] == 0:
            for t in threads():
                self.awaited[t][me] = False

    def synchronize_rcu(self) -> None:
        """Wait for all active readers, in two steps: record which there are, then wait for these."""
        with atomic():
            require(self.readers[me] == 0, "synchronize_rcu inside a read-side section")
            for t in threads():
                self.awaited[me][t] = self.readers[t] > 0
        wait_until(not any(self.awaited[me]))


class SRCU(Lock):
    """``srcu_struct`` (kernel/rcu/srcutree.c): RCU whose readers may sleep. Each is a domain of its
    own: a grace period waits for the readers of this domain that are active when it begins.

    The index that ``srcu_read_lock`` returns is left out: sections nest up to `depth`, and may end
    in any order.
    """

    depth: int = 2
    readers: Any
    awaited: Any

    def declarations(self) -> dict[str, Any]:
        """The nesting depth of each thread's read-side sections, and for each thread the readers
        that its grace period waits for."""
        return {"readers": PerThread(Range(0, self.depth)), "awaited": PerThread(PerThread(bool))}

    def held_by(self, thread: ThreadId) -> bool:
        """Whether `thread` is in a read-side section (pure)."""
        return self.readers[thread] > 0

    @atomic()
    def srcu_read_lock(self) -> None:
        """Enter a read-side section."""
        self.readers[me] += 1

    @atomic()
    def srcu_read_unlock(self) -> None:
        """Leave a read-side section. After the outermost one, no grace period waits for the thread
        any more."""
        require(self.readers[me] > 0, "srcu_read_unlock without srcu_read_lock")
        self.readers[me] -= 1
        if self.readers[me] == 0:
            for t in threads():
                self.awaited[t][me] = False

    def synchronize_srcu(self) -> None:
        """Wait for all active readers, in two steps: record which there are, then wait for
        these."""
        with atomic():
            require(self.readers[me] == 0, "synchronize_srcu inside a read-side section")
            for t in threads():
                self.awaited[me][t] = self.readers[t] > 0
        wait_until(not any(self.awaited[me]))


class ExclusiveWaitQueue(WaitQueue):
    """A wait queue with exclusive waiters: ``wake_up`` wakes all other waiters and one exclusive
    one (in the kernel the one that has waited longest, here any), so that not all of them run for
    what only one can have.

    An exclusive waiter that was woken and leaves without taking it has to wake the next one.
    """

    exclusive = PerThread(bool)

    @atomic()
    def prepare_to_wait(self) -> None:
        """Enter the queue; the next ``schedule`` sleeps."""
        self.queued[me] = True
        self.asleep[me] = True
        self.exclusive[me] = False

    @atomic()
    def prepare_to_wait_exclusive(self) -> None:
        """Enter the queue as an exclusive waiter; the next ``schedule`` sleeps."""
        self.queued[me] = True
        self.asleep[me] = True
        self.exclusive[me] = True

    @atomic()
    def wake_up(self) -> None:
        """Wake all waiters that are not exclusive, and one that is."""
        for t in threads():
            self.asleep[t] = self.asleep[t] and self.exclusive[t]
        if any(self.asleep):
            woken = choose(t for t in threads() if self.asleep[t])
            self.asleep[woken] = False

    @atomic()
    def wake_up_all(self) -> None:
        """Wake all threads on the queue."""
        for t in threads():
            self.asleep[t] = False


class BoundedQueue(Part):
    """A queue of at most `size` elements of the type `of`, first in, first out (``kfifo``, a ring of requests).

    Free places have the value `empty`, by default the initial value of a variable of the type.
    """

    of: Any = bool
    size: int = 1
    empty: Any = None
    count: int
    items: Any

    def __init__(self, *values: Any, **options: Any) -> None:
        super().__init__(*values, **options)
        if "empty" not in options:
            self.empty = _first(self.of)

    def declarations(self) -> dict[str, Any]:
        """The number of elements, and the elements, oldest first."""
        items = Array(self.of, size=self.size, init=self.empty)
        return {"count": Var(Range(0, self.size)), "items": items}

    def is_empty(self) -> bool:
        """Whether there are no elements (pure)."""
        return self.count == 0

    def is_full(self) -> bool:
        """Whether there is no free place (pure)."""
        return self.count == self.size

    @atomic()
    def put(self, item: Any) -> None:
        """Wait for a free place, then append."""
        wait_until(self.count < self.size)
        self.items[self.count] = item
        self.count += 1

    @atomic()
    def try_put(self, item: Any) -> bool:
        """Append if there is a free place; returns whether there was one."""
        if self.count == self.size:
            return False
        self.items[self.count] = item
        self.count += 1
        return True

    @atomic()
    def get(self) -> Any:
        """Wait for an element, then remove and return the oldest."""
        wait_until(self.count > 0)
        item = self.items[0]
        for i in range(self.size - 1):
            self.items[i] = self.items[i + 1]
        self.items[self.size - 1] = self.empty
        self.count -= 1
        return item

    @atomic()
    def take(self) -> Any:
        """Remove and return the oldest element; taking from an empty queue is a fault."""
        require(self.count > 0, "taken from while it is empty")
        item = self.items[0]
        for i in range(self.size - 1):
            self.items[i] = self.items[i + 1]
        self.items[self.size - 1] = self.empty
        self.count -= 1
        return item


def _first(of: Any) -> Any:
    """The initial value of a variable of the type `of`; None where the type alone does not determine it. Raises
    `TypeError` for a dataclass."""
    match of:
        case Range(low, high):
            return low if not (isinstance(low, int) and isinstance(high, int)) else min(max(0, low), high)
        case range():
            return min(max(0, of.start), of.stop - 1)
        case Choice():
            return None
        case type() if of is bool:
            return False
        case type() if issubclass(of, Enum):
            return next(iter(of), None)
        case type() if is_dataclass(of):
            raise TypeError(f"BoundedQueue of {of.__name__}: say what a free place has, empty={of.__name__}(...)")
        case _:
            return None
