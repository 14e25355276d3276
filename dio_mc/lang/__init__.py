"""What a model author imports. Pure declarations: nothing here explores, solves or compiles.

Bodies of threads, operations and properties are never run as Python; their source is compiled by `dio_mc.frontend`.
The functions below (`wait_until`, `choose`, ...) exist so that editors and type checkers know the words; calling one
raises.
"""

from dio_mc.lang.declarations import Array, Kernel, Param, PerThread, Range, ThreadId, Var
from dio_mc.lang.locks import DrainCounter, Mutex, PageLock, RangeLock, RWSem, SpinLock, TwoClassLock
from dio_mc.lang.model import Model, Part, always_reachable, expect, invariant, operation, progress, reachable, thread
from dio_mc.lang.statements import atomic, choose, me, require, spawn, threads, wait_until, window

__all__ = [
    "Array",
    "DrainCounter",
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
    "SpinLock",
    "ThreadId",
    "TwoClassLock",
    "Var",
    "always_reachable",
    "atomic",
    "choose",
    "expect",
    "invariant",
    "me",
    "operation",
    "progress",
    "reachable",
    "require",
    "spawn",
    "thread",
    "threads",
    "wait_until",
    "window",
]
