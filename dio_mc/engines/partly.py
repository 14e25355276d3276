"""Searches that cover a part of the states: random runs, few preemptions, lossy storage. They never decide that a
property holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from dio_mc.engines.kept import Established, uncertain
from dio_mc.engines.limits import Limits
from dio_mc.engines.reference.engine import explore as explore_reference
from dio_mc.engines.shaping import exploration_of
from dio_mc.guard import WHY_ENDED, Guard, stop_of
from dio_mc.ir.program import LIVENESS
from dio_mc.semantics.search import NOTHING, Approximate, Exploration, Partial, Sampled, SearchRequest
from dio_mc.semantics.stop import Stop, StopKind
from dio_mc.wording import show_bytes

if TYPE_CHECKING:
    from dio_mc.engines.native.engine import Outcome


def explore_part(request: SearchRequest, part: Partial, limits: Limits) -> Exploration:
    """Explore a part of the states; `request.note` receives a sentence on what was covered."""
    match part:
        case Approximate() as approximate:
            return _followed(request, lambda asked: _approximated(asked, approximate, limits))
        case sampled:
            return _followed(request, lambda asked: _sampled(asked, sampled))


def _followed(request: SearchRequest, search: Callable[[SearchRequest], Exploration]) -> Exploration:
    """The result of one partial search. If an interrupt comes before its report, the violations
    that it knew of are reported."""
    established = Established(request.program, request.evaluators)
    try:
        return search(replace(request, follow=established.follow))
    except WHY_ENDED as ended:
        if not established.interrupted() and isinstance(ended, KeyboardInterrupt):
            raise
        return established.answer(replace(NOTHING, stopped=stop_of(ended)))


def _sampled(request: SearchRequest, sampled: Sampled) -> Exploration:
    from dio_mc.engines.reference.partial import explore_partly

    part, covered = explore_partly(request, sampled)
    request.note(covered)
    return part


def _approximated(request: SearchRequest, approximate: Approximate, limits: Limits) -> Exploration:
    """Explore with machine code and lossy storage; `request.note` receives a sentence on how many
    states may have been missed."""
    from dio_mc.engines.native.engine import Unsupported, prepare, search

    asked = replace(
        request, evaluators=[evaluator for evaluator in request.evaluators if evaluator.property.kind not in LIVENESS]
    )
    try:
        with Guard(limits.exceeded):
            prepared = prepare(asked, approximate=approximate)
    except WHY_ENDED as ended:
        return replace(NOTHING, stopped=stop_of(ended))
    except Unsupported as reason:
        request.note(f"explored by the reference engine, which stores complete states: {reason}")
        return explore_reference(request)
    found = search(prepared, asked, limits)
    request.note(_left_out(approximate, found))
    stopped = found.stopped or Stop(StopKind.APPROXIMATE, approximate.storage)
    return replace(uncertain(exploration_of(found, asked.evaluators, limits)), stopped=stopped)


def _left_out(approximate: Approximate, found: Outcome) -> str:
    """A sentence on how many states may have been missed."""
    if approximate.storage == "hash-compaction":
        missing = f"{found.states * found.taken_for_known / 2:.1e}"
        return f"64 bits of each state were stored: {missing} states are expected to be missing, with their successors"
    known = found.taken_for_known
    share = f"{known:.2%}" if known >= 0.0001 else "fewer than 0.01%"
    return (
        f"each state was stored as three bits in {show_bytes(approximate.memory)}: at the end {share} of new states "
        "were taken for known ones; these, and states reachable only through them, are missing"
    )
