"""Missing properties: edits that satisfy all properties, and change more than the order in which
threads wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dio_mc.fix.edit import Edit
from dio_mc.fix.found import Tried
from dio_mc.wording import plural


def missing_properties(tried: Sequence[Tried], edit: Callable[[tuple[int, ...]], Edit]) -> tuple[str, ...]:
    """One sentence for each set of variables that have other values after a passing edit if the
    threads run one after the other; and one for each set that a passing edit stores elsewhere in a
    function, or with another value."""
    ends: dict[tuple[str, ...], list[Tried]] = {}
    orders: dict[tuple[str, ...], list[Tried]] = {}
    for each in (t for t in tried if t.fate == "passes"):
        if each.changed:
            names = sorted({cell.split("[")[0].split(".")[0] for cell in each.cells})
            ends.setdefault(tuple(names), []).append(each)
        elif about := edit(each.parts).about:
            orders.setdefault(about, []).append(each)
    sentences = [_other_end(names, passing, edit) for names, passing in sorted(ends.items())]
    return (*sentences, *(_other_order(names, passing, edit) for names, passing in sorted(orders.items())))


def _smallest(passing: Sequence[Tried], edit: Callable[[tuple[int, ...]], Edit]) -> tuple[Tried, Edit]:
    first = min(passing, key=lambda t: (edit(t.parts).size, t.parts))
    return first, edit(first.parts)


def _other_end(names: tuple[str, ...], passing: Sequence[Tried], edit: Callable[[tuple[int, ...]], Edit]) -> str:
    first, smallest = _smallest(passing, edit)
    missing = f"a property that says how {_listed(names)} may be at rest" if names else "one that says who ends"
    return (
        f"{_satisfy(len(passing))}, but runs without interleaving end with other data "
        f"({first.changed}), as with {smallest.text} in {smallest.function}: {missing} is missing"
    )


def _other_order(names: tuple[str, ...], passing: Sequence[Tried], edit: Callable[[tuple[int, ...]], Edit]) -> str:
    _, smallest = _smallest(passing, edit)
    return (
        f"{_satisfy(len(passing))}, with {_listed(names)} stored elsewhere, or otherwise: "
        f"{smallest.text} in {smallest.function}; if that cannot be meant, a property of the steps that store "
        f"{_listed(names)} is missing"
    )


def _satisfy(count: int) -> str:
    return f"{plural(count, 'edit')} {'satisfies' if count == 1 else 'satisfy'} every property"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(f"`{name}`" for name in names)
