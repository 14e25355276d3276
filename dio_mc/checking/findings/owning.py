"""Which code is examined with a class: its own, and that of bases and mixins of its file that are
never checked alone."""

from __future__ import annotations

from dio_mc.lang.model import Model


def is_judged(owner: type, model: type[Model]) -> bool:
    """Whether the code of `owner` is examined when `model` is checked."""
    if owner is model:
        return True
    alone = issubclass(owner, Model) and not vars(owner).get("__dio_abstract__")
    return not alone and owner.__module__ == model.__module__
