"""Composing records from scalars during compilation."""

from __future__ import annotations

from collections.abc import Iterator

from dio_mc.frontend.shapes import ArrayTree, RecordTree, ScalarTree, TypeTree
from dio_mc.frontend.values import Items, RecordValue, Scalar, Value


def rebuild(tree: TypeTree, leaves: Iterator[Scalar]) -> Value:
    """The value of type `tree` with the scalars `leaves`, in field order."""
    match tree:
        case ScalarTree():
            return next(leaves)
        case RecordTree(_, fields):
            return RecordValue(tree, tuple((name, rebuild(field, leaves)) for name, field, _ in fields))
        case ArrayTree(size, element):
            return Items(tuple(rebuild(element, leaves) for _ in range(size)))
