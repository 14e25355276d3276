"""dio-mc: a model checker for page-cache and O_DIRECT locking rules.

``from dio_mc import Model, Var, ...`` gives the modelling language; ``dio_mc.check(Model, {"pages": 2})`` a verdict.
Importing the package loads nothing else of it: neither z3 nor networkx, nor the language before it is asked for.

Public are this module, `dio_mc.kernel` and `dio_mc.errors`; all other modules may change with any version.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dio_mc.display import hand_in

if TYPE_CHECKING:
    from dio_mc.api import check, explore, matrix, read_trace, replay
    from dio_mc.checking.driver import Options as Options
    from dio_mc.checking.results import Report as Report
    from dio_mc.errors import ModelError as ModelError
    from dio_mc.lang import *  # noqa: F403  # the language is the package's face
    from dio_mc.semantics.search import Budget as Budget
    from dio_mc.semantics.search import Checkpoints as Checkpoints
    from dio_mc.semantics.search import Reductions as Reductions
    from dio_mc.trace.trace import Trace as Trace

__version__ = "0.1.0"

__all__ = [  # found by __getattr__
    "RCU", "SRCU", "Array", "AtomicInt", "BoundedQueue", "Completion", "DrainCounter", "ExclusiveWaitQueue",
    "FolioRefs", "Kernel", "Model", "Mutex", "PageLock", "Param", "Part", "PerThread", "RWSem", "Range", "RangeLock",
    "Refcount", "SeqCount", "SpinLock", "ThreadId", "TwoClassLock", "Var", "WaitQueue", "always_reachable", "atomic",
    "check", "choose", "crash", "expect", "explore", "invariant", "matrix", "me", "operation", "progress",
    "reachable", "read_trace", "replay", "require", "smp_load_acquire", "smp_mb", "smp_rmb", "smp_store_release",
    "smp_wmb", "spawn", "thread", "threads", "wait_until", "window",
]  # fmt: skip

_FUNCTIONS = ("check", "explore", "matrix", "read_trace", "replay")
_TYPES = {
    "Budget": "semantics.search",
    "Checkpoints": "semantics.search",
    "ModelError": "errors",
    "Options": "checking.driver",
    "Reductions": "semantics.search",
    "Report": "checking.results",
    "Trace": "trace.trace",
}
"""Public too, but not part of ``from dio_mc import *``: a model needs none of them, and they take time to load."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _FUNCTIONS:
        return getattr(import_module("dio_mc.api"), name)
    if name in _TYPES:
        return getattr(import_module(f"dio_mc.{_TYPES[name]}"), name)
    if name in __all__:
        return getattr(import_module("dio_mc.lang"), name)
    raise AttributeError(f"module 'dio_mc' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_TYPES})


def _drawn(form: str, shown: object) -> str:
    from dio_mc.api import drawn

    return drawn(form, shown)


hand_in(_drawn)
