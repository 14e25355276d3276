"""Waiting for others: ``completion``, wait queues, sequence counters, RCU, bounded queues.

Each method is one step unless its docstring says otherwise; a broken rule is a fault at the caller's line.
"""

from __future__ import annotations

from dataclasses import is_dataclass
from enum import Enum
from typing import Any

from dio_mc.lang.declarations import Array, Choice, PerThread, Range, ThreadId, Var
from dio_mc.lang.locks import Lock
from dio_mc.lang.model import Part
from dio_mc.lang.statements import atomic, me, require, threads, wait_until


class Completion(Part):
    """``struct completion`` (kernel/sched/completion.c): each ``complete`` lets one waiter go on, ``complete_all`` all
    of them from then on. More than `max` that nobody has waited for is the fault ``range``."""

    max: int = 3
    count: int

    def declarations(self) -> dict[str, Any]:
        """How often it was completed and not waited for, and whether for all."""
        return {"count": Var(Range(0, self.max)), "all_done": Var(bool)}

    def completion_done(self) -> bool:
        """Whether a waiter would not have to wait (pure)."""
        return self.count > 0 or self.all_done

    @atomic()
    def complete(self) -> None:
        """Let one waiter go on."""
        if not self.all_done:
            self.count += 1

    @atomic()
    def complete_all(self) -> None:
        """Let all waiters go on, those that come later too."""
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
        """Wait until it is completed, or until `killed` holds; says whether it was completed."""
        wait_until(self.completion_done() or killed)
        return self.try_wait_for_completion()

    @atomic()
    def try_wait_for_completion(self) -> bool:
        """Do not wait; says whether it was completed."""
        if not self.completion_done():
            return False
        if not self.all_done:
            self.count -= 1
        return True

    @atomic()
    def reinit_completion(self) -> None:
        """As it was at first; what was completed and not waited for is forgotten."""
        self.count = 0
        self.all_done = False


class WaitQueue(Lock):
    """``wait_queue_head_t`` (kernel/sched/wait.c): ``prepare_to_wait``, look at the condition, ``schedule``, again, and
    in the end ``finish_wait``. Who looks first and prepares then can miss the wake-up between the two.

    ``schedule`` comes back when ``wake_up`` has been called since ``prepare_to_wait``. A thread that ends while it is
    on the queue leaves an entry of its stack there: the fault ``lock_misuse``.
    """

    queued = PerThread(bool)
    asleep = PerThread(bool)

    def held_by(self, thread: ThreadId) -> bool:
        """Whether this thread is on the queue (pure)."""
        return self.queued[thread]

    def waitqueue_active(self) -> bool:
        """Whether anybody is on the queue (pure)."""
        return any(self.queued)

    @atomic()
    def prepare_to_wait(self) -> None:
        """Go on the queue, and to sleep at the next ``schedule``."""
        self.queued[me] = True
        self.asleep[me] = True

    @atomic()
    def schedule(self) -> None:
        """Sleep until somebody wakes the queue, unless that has happened since ``prepare_to_wait``."""
        wait_until(not self.asleep[me])

    @atomic()
    def schedule_killable(self, killed: bool) -> bool:
        """The same, or until `killed` holds; says whether it was woken."""
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
        """Wake all that are on the queue."""
        for t in threads():
            self.asleep[t] = False


class SeqCount(Lock):
    """``seqcount_t`` (include/linux/seqlock.h): readers take what they read for good if no writer was there meanwhile.

    Its writers must be serialized by a lock of theirs, and must not sleep. What a reader compares, two numbers, is
    here a mark that a writer sets (``changed``), so that any number of writes has few states.
    """

    sleeps = False
    writing = Var(ThreadId | None)
    changed = PerThread(bool)

    def held_by(self, thread: ThreadId) -> bool:
        """Whether this thread is writing (pure)."""
        return self.writing == thread

    @atomic()
    def write_begin(self) -> None:
        """Begin to write; one writer at a time."""
        require(self.writing is None, "write_begin beside another writer")
        self.writing = me
        for t in threads():
            self.changed[t] = True

    @atomic()
    def write_end(self) -> None:
        """Written."""
        require(self.writing == me, "write_end without write_begin")
        self.writing = None

    @atomic()
    def read_begin(self) -> None:
        """Spin until nobody writes, then begin to read."""
        wait_until(self.writing is None)
        self.changed[me] = False

    @atomic()
    def read_retry(self) -> bool:
        """Says whether a writer was there since ``read_begin``."""
        return self.changed[me]


class RCU(Lock):
    """RCU (kernel/rcu): a grace period waits for the readers that are there when it begins, and only for these.

    Readers must not sleep; read-side sections nest, to `depth`. ``call_rcu`` is a spawned operation that begins with
    ``synchronize_rcu``.
    """

    holder_sleeps = False
    depth: int = 2
    readers: Any
    awaited: Any

    def declarations(self) -> dict[str, Any]:
        """How deep each thread is in read-side sections; per thread, the readers that its grace period waits for."""
        return {"readers": PerThread(Range(0, self.depth)), "awaited": PerThread(PerThread(bool))}

    def held_by(self, thread: ThreadId) -> bool:
        """Whether this thread is in a read-side section (pure)."""
        return self.readers[thread] > 0

    @atomic()
    def rcu_read_lock(self) -> None:
        """Enter a read-side section."""
        self.readers[me] += 1

    @atomic()
    def rcu_read_unlock(self) -> None:
        """Leave it; no grace period waits for the thread any longer when it has left all."""
        require(self.readers[me] > 0, "rcu_read_unlock without rcu_read_lock")
        self.readers[me] -= 1
        if self.readers[me] == 0:
            for t in threads():
                self.awaited[t][me] = False

    def synchronize_rcu(self) -> None:
        """Wait for all readers that are there; two steps: see who is, then wait for these."""
        with atomic():
            require(self.readers[me] == 0, "synchronize_rcu inside a read-side section")
            for t in threads():
                self.awaited[me][t] = self.readers[t] > 0
        wait_until(not any(self.awaited[me]))


class BoundedQueue(Part):
    """A queue of at most `size` elements of the type `of`, first in, first out (``kfifo``, a ring of requests).

    Free places have the value `empty`: by default what a variable of the type has at first.
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
        """How many there are, and the elements, the oldest first."""
        items = Array(self.of, size=self.size, init=self.empty)
        return {"count": Var(Range(0, self.size)), "items": items}

    def is_empty(self) -> bool:
        """Whether there is no element (pure)."""
        return self.count == 0

    def is_full(self) -> bool:
        """Whether there is no room (pure)."""
        return self.count == self.size

    @atomic()
    def put(self, item: Any) -> None:
        """Wait for room, then append."""
        wait_until(self.count < self.size)
        self.items[self.count] = item
        self.count += 1

    @atomic()
    def try_put(self, item: Any) -> bool:
        """Append if there is room; says whether there was."""
        if self.count == self.size:
            return False
        self.items[self.count] = item
        self.count += 1
        return True

    @atomic()
    def get(self) -> Any:
        """Wait for an element, then take the oldest."""
        wait_until(self.count > 0)
        item = self.items[0]
        for i in range(self.size - 1):
            self.items[i] = self.items[i + 1]
        self.items[self.size - 1] = self.empty
        self.count -= 1
        return item

    @atomic()
    def take(self) -> Any:
        """Take the oldest element, which must be there."""
        require(self.count > 0, "taken from while it is empty")
        item = self.items[0]
        for i in range(self.size - 1):
            self.items[i] = self.items[i + 1]
        self.items[self.size - 1] = self.empty
        self.count -= 1
        return item


def _first(of: Any) -> Any:
    """What a variable of a type has at first, as far as that is one value."""
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
