"""The modelling language: everything that a model imports. Only declarations; nothing here explores, solves or
compiles.

Bodies of threads, operations and properties are never run as Python; their source is compiled by `dio_mc.frontend`. The
functions below (`wait_until`, `choose`, ...) exist so that editors and type checkers know the names; calling one raises
`RuntimeError`.
"""

from dio_mc.lang.counters import AtomicInt, FolioRefs, Refcount
from dio_mc.lang.declarations import Array, Kernel, Param, PerThread, Range, ThreadId, Var
from dio_mc.lang.locks import DrainCounter, Mutex, PageLock, RangeLock, RWSem, SpinLock
from dio_mc.lang.model import Model, Part, always_reachable, expect, invariant, operation, progress, reachable, thread
from dio_mc.lang.statements import (
    atomic,
    choose,
    crash,
    me,
    require,
    smp_load_acquire,
    smp_mb,
    smp_rmb,
    smp_store_release,
    smp_wmb,
    spawn,
    threads,
    wait_until,
    window,
)
from dio_mc.lang.two_class import TwoClassLock
from dio_mc.lang.waiting import RCU, SRCU, BoundedQueue, Completion, ExclusiveWaitQueue, SeqCount, WaitQueue

__all__ = [
    "RCU",
    "SRCU",
    "Array",
    "AtomicInt",
    "BoundedQueue",
    "Completion",
    "DrainCounter",
    "ExclusiveWaitQueue",
    "FolioRefs",
    "Kernel",
    "Model",
    "Mutex",
    "PageLock",
    "Param",
    "Part",
    "PerThread",
    "RWSem",
    "Range",
    "RangeLock",
    "Refcount",
    "SeqCount",
    "SpinLock",
    "ThreadId",
    "TwoClassLock",
    "Var",
    "WaitQueue",
    "always_reachable",
    "atomic",
    "choose",
    "crash",
    "expect",
    "invariant",
    "me",
    "operation",
    "progress",
    "reachable",
    "require",
    "smp_load_acquire",
    "smp_mb",
    "smp_rmb",
    "smp_store_release",
    "smp_wmb",
    "spawn",
    "thread",
    "threads",
    "wait_until",
    "window",
]
