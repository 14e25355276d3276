"""dio-mc: a model checker for page-cache and O_DIRECT locking rules.

``from dio_mc import Model, Var, ...`` gives the modelling language; ``dio_mc.check(Model, pages=2)`` a verdict.
Importing the package loads nothing else of it: neither z3 nor networkx, nor the language before it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dio_mc.checking.results import Report
    from dio_mc.lang import *  # noqa: F403  # the language is the package's face

__version__ = "0.1.0"

__all__ = [  # found by __getattr__
    "Array", "DrainCounter", "Model", "Mutex", "PageLock", "Param", "Part", "PerThread", "RWSem", "Range", "RangeLock",
    "SpinLock", "ThreadId", "TwoClassLock", "Var", "always_reachable", "atomic", "check", "choose", "expect",
    "invariant", "me", "operation", "progress", "reachable", "require", "spawn", "thread", "threads", "wait_until",
    "window",
]  # fmt: skip


def check(model: type[Model], **params: int) -> Report:
    """Check one model class with its parameters bound by keyword: ``check(Ext3, pages=2).verdict``.

    The `Report` is true when the model holds. It shows itself in a notebook, and so does each of its `traces`.
    Raises `dio_mc.errors.ModelError` when the model is wrong, `dio_mc.errors.InternalError` when dio-mc is.
    """
    from dio_mc.checking.driver import check_class
    from dio_mc.checking.expectations import expectation_for

    return check_class(model, params, expectation=expectation_for(model, params))


def __getattr__(name: str) -> Any:
    if name in __all__:
        from dio_mc import lang

        return getattr(lang, name)
    raise AttributeError(f"module 'dio_mc' has no attribute {name!r}")
