"""dio-mc: a model checker for page-cache and O_DIRECT locking rules.

``from dio_mc import Model, Var, ...`` gives the modelling language; ``dio_mc.check(Model, pages=2)`` a verdict. Importing
the package loads neither z3 nor networkx.
"""

from typing import Any

from dio_mc.lang import *  # noqa: F403
from dio_mc.lang import __all__ as _words

__version__ = "0.1.0"

__all__ = [*_words, "check"]  # noqa: PLE0604


def check(model: Any, **params: int) -> Any:
    """Check one model class with parameters bound by keyword; see `dio_mc.driver.check_class`."""
    from dio_mc.driver import check_class

    return check_class(model, params)
