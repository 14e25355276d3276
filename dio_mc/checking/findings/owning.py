"""Whose code is judged with a class: its own, and that of bases and mixins of its file never checked alone."""

from __future__ import annotations

from dio_mc.lang.model import Model


def is_judged(owner: type, model: type[Model]) -> bool:
    """Whether what `owner` says is judged where `model` is checked."""
    if owner is model:
        return True
    alone = issubclass(owner, Model) and not vars(owner).get("__dio_abstract__")
    return not alone and owner.__module__ == model.__module__
