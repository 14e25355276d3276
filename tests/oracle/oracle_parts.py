"""The oracle's own counts, completions, wait queues, sequence counters, RCU and queues.

Written from docs/primitives.md, sharing no code with dio_mc. As with the locks of `oracle_words`, a value is frozen, and
a method takes the running thread and gives the value afterwards and a result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from oracle_words import Done, Fault, Lock, kind_of, resolve, rule, wait


def kept(condition: bool) -> None:
    """A rule of something that is not a lock."""
    if not condition:
        raise Fault("misuse")


def within(low: Any, number: int, high: Any) -> int:
    """A number inside its bounds."""
    if not resolve(low) <= number <= resolve(high):
        raise Fault("range")
    return number


@dataclass(frozen=True)
class AtomicInt(Lock):
    low: Any = 0
    high: Any = 7
    init: Any = 0
    value: int = 0
    steps = ("set", "add", "inc", "dec", "inc_return", "dec_and_test", "inc_not_zero", "xchg", "cmpxchg")

    def fresh(self, threads: int) -> Lock:
        return replace(self, value=resolve(self.init))

    def read(self) -> int:
        return self.value

    def set(self, me: int, value: int) -> Done:
        return replace(self, value=within(self.low, value, self.high)), None

    def add(self, me: int, amount: int) -> Done:
        return self.set(me, self.value + amount)

    def inc(self, me: int) -> Done:
        return self.add(me, 1)

    def dec(self, me: int) -> Done:
        return self.add(me, -1)

    def inc_return(self, me: int) -> Done:
        after, _ = self.inc(me)
        return after, after.value

    def dec_and_test(self, me: int) -> Done:
        after, _ = self.dec(me)
        return after, after.value == 0

    def inc_not_zero(self, me: int) -> Done:
        return (self, False) if self.value == 0 else (self.inc(me)[0], True)

    def xchg(self, me: int, value: int) -> Done:
        return self.set(me, value)[0], self.value

    def cmpxchg(self, me: int, old: int, new: int) -> Done:
        return (self.set(me, new)[0] if self.value == old else self), self.value

    def show_with(self, names: tuple[str, ...]) -> str:
        return f"value={self.value}"


@dataclass(frozen=True)
class Refcount(Lock):
    init: Any = 1
    max: Any = 7
    count: int = 0
    steps = ("set", "inc", "inc_not_zero", "dec", "dec_and_test")

    def fresh(self, threads: int) -> Lock:
        return replace(self, count=resolve(self.init))

    def read(self) -> int:
        return self.count

    def set(self, me: int, count: int) -> Done:
        return replace(self, count=within(0, count, self.max)), None

    def inc(self, me: int) -> Done:
        kept(0 < self.count < resolve(self.max))
        return replace(self, count=self.count + 1), None

    def inc_not_zero(self, me: int) -> Done:
        return (self.inc(me)[0], True) if self.count else (self, False)

    def dec(self, me: int) -> Done:
        kept(self.count > 1)
        return replace(self, count=self.count - 1), None

    def dec_and_test(self, me: int) -> Done:
        kept(self.count > 0)
        return replace(self, count=self.count - 1), self.count == 1

    def show_with(self, names: tuple[str, ...]) -> str:
        return f"count={self.count}"


@dataclass(frozen=True)
class FolioRefs(Refcount):
    pins: int = 0
    steps = (*Refcount.steps, "pin", "unpin", "freeze", "unfreeze")

    def maybe_dma_pinned(self) -> bool:
        return self.pins != 0

    def pin(self, me: int) -> Done:
        after, _ = self.inc(me)
        return replace(after, pins=within(0, self.pins + 1, self.max)), None

    def unpin(self, me: int) -> Done:
        kept(self.pins > 0)
        return replace(self, pins=self.pins - 1, count=within(0, self.count - 1, self.max)), self.count == 1

    def freeze(self, me: int, expected: int) -> Done:
        return (replace(self, count=0), True) if self.count == expected else (self, False)

    def unfreeze(self, me: int, count: int) -> Done:
        kept(self.count == 0)
        return self.set(me, count)

    def show_with(self, names: tuple[str, ...]) -> str:
        return f"count={self.count} pins={self.pins}"


@dataclass(frozen=True)
class Completion(Lock):
    max: Any = 3
    count: int = 0
    all_done: bool = False
    steps = (
        "complete", "complete_all", "wait_for_completion", "wait_for_completion_killable", "try_wait_for_completion",
        "reinit_completion",
    )  # fmt: skip
    sleeping = ("wait_for_completion", "wait_for_completion_killable")

    def completion_done(self) -> bool:
        return self.all_done or self.count > 0

    def complete(self, me: int) -> Done:
        return (self if self.all_done else replace(self, count=within(0, self.count + 1, self.max))), None

    def complete_all(self, me: int) -> Done:
        return replace(self, count=0, all_done=True), None

    def reinit_completion(self, me: int) -> Done:
        return replace(self, count=0, all_done=False), None

    def try_wait_for_completion(self, me: int) -> Done:
        if self.all_done:
            return self, True
        return (replace(self, count=self.count - 1), True) if self.count else (self, False)

    def wait_for_completion(self, me: int) -> Done:
        wait(self.completion_done())
        return self.try_wait_for_completion(me)[0], None

    def wait_for_completion_killable(self, me: int, killed: bool) -> Done:
        wait(killed or self.completion_done())
        return self.try_wait_for_completion(me)

    def show_with(self, names: tuple[str, ...]) -> str:
        return f"count={self.count} all_done={self.all_done}"


@dataclass(frozen=True)
class WaitQueue(Lock):
    queued: frozenset[int] = frozenset()
    asleep: frozenset[int] = frozenset()
    steps = ("prepare_to_wait", "schedule", "schedule_killable", "finish_wait", "wake_up")
    sleeping = ("schedule", "schedule_killable")

    def held_by(self, thread: int) -> bool:
        return thread in self.queued

    def waitqueue_active(self) -> bool:
        return bool(self.queued)

    def prepare_to_wait(self, me: int) -> Done:
        return replace(self, queued=self.queued | {me}, asleep=self.asleep | {me}), None

    def schedule(self, me: int) -> Done:
        wait(me not in self.asleep)
        return self, None

    def schedule_killable(self, me: int, killed: bool) -> Done:
        wait(killed or me not in self.asleep)
        return self, me not in self.asleep

    def finish_wait(self, me: int) -> Done:
        rule(me in self.queued)
        return replace(self, queued=self.queued - {me}, asleep=self.asleep - {me}), None

    def wake_up(self, me: int) -> Done:
        return replace(self, asleep=frozenset()), None

    def show_with(self, names: tuple[str, ...]) -> str:
        return " ".join(f"{n}={sorted(names[t] for t in getattr(self, n))}" for n in ("queued", "asleep"))


@dataclass(frozen=True)
class ExclusiveWaitQueue(WaitQueue):
    exclusive: frozenset[int] = frozenset()
    steps = (*WaitQueue.steps, "prepare_to_wait_exclusive", "wake_up_all")

    def prepare_to_wait(self, me: int) -> Done:
        return replace(super().prepare_to_wait(me)[0], exclusive=self.exclusive - {me}), None

    def prepare_to_wait_exclusive(self, me: int) -> Done:
        return replace(super().prepare_to_wait(me)[0], exclusive=self.exclusive | {me}), None

    def wake_up(self, me: int) -> Done:
        left = sorted(self.asleep & self.exclusive)
        return [replace(self, asleep=frozenset(left) - {woken}) for woken in left] or replace(
            self, asleep=frozenset()
        ), None

    def wake_up_all(self, me: int) -> Done:
        return super().wake_up(me)

    def show_with(self, names: tuple[str, ...]) -> str:
        return f"{super().show_with(names)} exclusive={sorted(names[t] for t in self.exclusive)}"


@dataclass(frozen=True)
class SeqCount(Lock):
    threads: int = 0
    writing: Any = None
    changed: frozenset[int] = frozenset()
    steps = ("write_begin", "write_end", "read_begin", "read_retry")
    quiet = True

    def fresh(self, threads: int) -> Lock:
        return replace(self, threads=threads)

    def held_by(self, thread: int) -> bool:
        return bool(self.writing == thread)

    def write_begin(self, me: int) -> Done:
        rule(self.writing is None)
        return replace(self, writing=me, changed=frozenset(range(self.threads))), None

    def write_end(self, me: int) -> Done:
        rule(self.writing == me)
        return replace(self, writing=None), None

    def read_begin(self, me: int) -> Done:
        wait(self.writing is None)
        return replace(self, changed=self.changed - {me}), None

    def read_retry(self, me: int) -> Done:
        return self, me in self.changed

    def show_with(self, names: tuple[str, ...]) -> str:
        writing = "None" if self.writing is None else names[self.writing]
        return f"writing={writing} changed={sorted(names[t] for t in self.changed)}"


@dataclass(frozen=True)
class RCU(Lock):
    """`awaited` are pairs: who waits, for which reader."""

    depth: Any = 2
    readers: tuple[int, ...] = ()
    awaited: frozenset[tuple[int, int]] = frozenset()
    steps = ("rcu_read_lock", "rcu_read_unlock", "synchronize_rcu")
    sleeping = ("synchronize_rcu",)
    quiet = True

    def before(self, method: str) -> str | None:
        return "look" if method == "synchronize_rcu" else None

    def fresh(self, threads: int) -> Lock:
        return replace(self, readers=(0,) * threads)

    def held_by(self, thread: int) -> bool:
        return self.readers[thread] != 0

    def _deep(self, me: int, depth: int) -> tuple[int, ...]:
        return (*self.readers[:me], depth, *self.readers[me + 1 :])

    def rcu_read_lock(self, me: int) -> Done:
        return replace(self, readers=self._deep(me, within(0, self.readers[me] + 1, self.depth))), None

    def rcu_read_unlock(self, me: int) -> Done:
        rule(self.held_by(me))
        awaited = self.awaited
        if self.readers[me] == 1:
            awaited = frozenset(pair for pair in awaited if pair[1] != me)
        return replace(self, readers=self._deep(me, self.readers[me] - 1), awaited=awaited), None

    def look(self, me: int) -> Done:
        rule(not self.held_by(me))
        others = frozenset(pair for pair in self.awaited if pair[0] != me)
        return replace(self, awaited=others | {(me, t) for t, depth in enumerate(self.readers) if depth}), None

    def synchronize_rcu(self, me: int) -> Done:
        wait(all(pair[0] != me for pair in self.awaited))
        return self, None

    def show_with(self, names: tuple[str, ...]) -> str:
        every = range(len(self.readers))
        rows = ["[" + ", ".join(str((t, u) in self.awaited) for u in every) + "]" for t in every]
        return f"readers={[str(depth) for depth in self.readers]} awaited={rows}"


@dataclass(frozen=True)
class SRCU(RCU):
    """The same with readers that may sleep."""

    steps = ("srcu_read_lock", "srcu_read_unlock", "synchronize_srcu")
    sleeping = ("synchronize_srcu",)
    quiet = False

    def before(self, method: str) -> str | None:
        return "look" if method == "synchronize_srcu" else None

    def srcu_read_lock(self, me: int) -> Done:
        return self.rcu_read_lock(me)

    def srcu_read_unlock(self, me: int) -> Done:
        return self.rcu_read_unlock(me)

    def synchronize_srcu(self, me: int) -> Done:
        return self.synchronize_rcu(me)


@dataclass(frozen=True)
class BoundedQueue(Lock):
    of: Any = bool
    size: Any = 1
    items: tuple[Any, ...] = ()
    steps = ("put", "try_put", "get", "take")
    sleeping = ("put", "get")

    def is_empty(self) -> bool:
        return not self.items

    def is_full(self) -> bool:
        return len(self.items) == resolve(self.size)

    def try_put(self, me: int, item: Any) -> Done:
        if self.is_full():
            return self, False
        kind_of(self.of, ()).check(item)
        return replace(self, items=(*self.items, item)), True

    def put(self, me: int, item: Any) -> Done:
        wait(not self.is_full())
        return self.try_put(me, item)[0], None

    def take(self, me: int) -> Done:
        kept(bool(self.items))
        return replace(self, items=self.items[1:]), self.items[0]

    def get(self, me: int) -> Done:
        wait(bool(self.items))
        return self.take(me)

    def show_with(self, names: tuple[str, ...]) -> str:
        free = kind_of(self.of, ())
        room = [free.default()] * (resolve(self.size) - len(self.items))
        return f"count={len(self.items)} items={[free.show(item) for item in (*self.items, *room)]}"


PARTS: dict[str, Any] = {
    cls.__name__: cls
    for cls in (
        AtomicInt,
        Refcount,
        FolioRefs,
        Completion,
        WaitQueue,
        ExclusiveWaitQueue,
        SeqCount,
        RCU,
        SRCU,
        BoundedQueue,
    )
}
