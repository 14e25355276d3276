"""The cells of the matrix that hold for any number of the operations that write nothing, beside one
that writes.

They are proved as by `dio-mc check --any`, for each file (`anynumber`): everything that `ok` says
about a cell, except that all threads can continue. For this, an instance with two of each is
explored with the matrix's own properties.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Final

from dio_mc.anynumber.asked import Asked
from dio_mc.anynumber.conditions import Refused
from dio_mc.anynumber.proof import check_views, prepared_views
from dio_mc.anynumber.steps import Uncredited
from dio_mc.anynumber.views import Stopped
from dio_mc.checking.general import POLLED
from dio_mc.errors import Diagnostic, InternalError
from dio_mc.guard import Ended, Guard, Latch
from dio_mc.semantics.search import Budget
from dio_mc.study.matrix import Cell, General, Pairing
from dio_mc.study.outcomes import outcomes
from dio_mc.study.templates import Roles, general_class, roles_of

SEVERAL: Final = 2
"""The number of each operation that writes nothing, in the instance that is explored."""
STATES: Final = 20_000
"""The limit on states of that instance, and on states of the common data in a proof."""


class _Not(Exception):
    """Nothing is proved for any number; the argument says why."""


def with_general(pairing: Pairing, cell: Cell, budget: Budget | None, met: Latch) -> Cell:
    """The cell with its result for any number, if it is ok with one of each."""
    if cell.verdict != "ok":
        return cell
    roles = roles_of(pairing.workload)
    called = dict(zip(pairing.workload.threads, pairing.workload.calls, strict=True))
    many, single = (tuple(dict.fromkeys(called[name] for name in names)) for names in (roles.many, roles.single))
    known = General(many, single)
    try:
        with Guard(met):
            _establish(pairing, roles, _states(budget), met)
    except _Not as reason:
        return replace(cell, general=replace(known, reason=str(reason)))
    except (Ended, MemoryError, Stopped) as ended:
        if isinstance(ended, Stopped) and met() is None:
            return replace(cell, general=replace(known, reason=f"it takes more than {_states(budget):,} states"))
        return replace(cell, general=replace(known, reason="a limit, or an interrupt", stopped=True))
    return replace(cell, general=known)


def _states(budget: Budget | None) -> int:
    most = budget.max_states if budget is not None else None
    return STATES if most is None else min(most, STATES)


def _establish(pairing: Pairing, roles: Roles, states: int, met: Latch) -> None:
    """Prove the cell. Raises `_Not`, and `Stopped` or `Ended` at a limit."""
    if roles.reason:
        raise _Not(roles.reason)
    for layout in pairing.rule.layouts:
        if layout in pairing.workload.layouts:
            _prove(pairing, roles, layout, states, met)
    _explore(pairing, roles, states, met)


def _prove(pairing: Pairing, roles: Roles, layout: str, states: int, met: Latch) -> None:
    model = general_class(pairing.workload, pairing.rule, layout)
    params = {"sectors": pairing.workload.sectors}

    asked = count()

    def enough(seen: int) -> str | None:
        if next(asked) % POLLED == 0 and met() is not None:
            return met.words()
        return f"{states:,} states" if seen > states else None

    try:
        prepared, views = prepared_views(model, Asked(roles.many, ()), params, enough)
        checked = check_views(prepared, views, lambda _: enough(0))
    except Refused as refused:
        raise _Not("; ".join(map(_words, refused.diagnostics))) from None
    except Uncredited:
        raise _Not("a count is ended by another thread than began it") from None
    except Stopped as stopped:
        if met() is not None:
            raise
        raise _Not(f"the proof has more than {stopped}") from None
    if checked.gaps:
        raise InternalError("a set of views is not closed under steps", [checked.gaps[0]])
    if prepared.unfit:
        raise _Not("; ".join(_words(diagnostic) for _, diagnostic in prepared.unfit))
    alarms = sorted({*checked.violated, *checked.faults})
    if alarms:
        raise _Not(f"{layout} file: two threads do not exclude that {', '.join(alarms)} is violated")


def _words(diagnostic: Diagnostic) -> str:
    place = f" ({diagnostic.span})" if diagnostic.span else ""
    return f"{diagnostic.code}: {diagnostic.message}{place}"


def _explore(pairing: Pairing, roles: Roles, states: int, met: Latch) -> None:
    """Explore the instance with `SEVERAL` of each: whether all threads can continue, and again all
    properties of the matrix."""
    numbers = dict.fromkeys(roles.many, SEVERAL)
    found = outcomes(pairing.workload, pairing.rule, Budget(states), witnesses=(), exceeded=met, numbers=numbers)
    if met() is not None:
        raise Stopped(met.words())
    bad = [(one.layout, one.verdict) for one in found if one.verdict not in ("ok", "undetermined")]
    if bad:
        layout, verdict = bad[0]
        raise _Not(f"{layout} file: {verdict} with two of each that writes nothing")
