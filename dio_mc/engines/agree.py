"""Verification of reductions: explores a program reduced and in full, and compares the results."""

from __future__ import annotations

from dataclasses import replace

from dio_mc.engines.choose import EngineName, Run, Strategy
from dio_mc.engines.reducers import persistent_sets_of
from dio_mc.errors import InternalError
from dio_mc.ir.program import Program
from dio_mc.semantics.search import (
    NO_REDUCTION,
    PARTIAL_ORDER,
    SYMMETRY,
    Exploration,
    Reductions,
    SearchRequest,
    Violation,
    counted_up_to,
    unheard,
)

ALONE = (Reductions(partial_order=False), Reductions(symmetry=False, partial_order=True))
"""Each reduction by itself."""


def verify_reduction(found: Exploration, request: SearchRequest, strategy: Strategy) -> list[str]:
    """Compare reduced searches of a program with the full one; return sentences on what was and was
    not verified.

    `found` serves as one of the two sides. Symmetry is always verified, partial order if the
    strategy asks for it (None: if it seems to pay), and both together if both apply. Raises
    `InternalError` if a reduced search differs where it must not (`differences`): then the
    reduction is wrong.
    """
    if found.stopped is not None:
        return [f"the reduction was not verified: {found.stopped}"]
    run = Run(replace(request, report=None, first=False, note=unheard, checkpoints=None))
    machine = found.engine == "native" and (strategy.engine == "native" or bool(found.reductions))
    engine: EngineName = "native" if machine else "reference"

    def again(reductions: Reductions) -> Exploration:
        return run.explore(replace(strategy, engine=engine, reductions=reductions), full=0)

    full = again(NO_REDUCTION) if found.reductions else found
    sentences: list[str] = []
    working: list[Reductions] = []
    for alone in ALONE if _ordered(request, strategy.reductions.partial_order) else ALONE[:1]:
        reasons = _refusals(request, alone)
        sentences += reasons
        working += [] if reasons else [alone]
    both = [Reductions(partial_order=True)] if len(working) == len(ALONE) else []
    for reductions in [*working, *both]:
        reduced = found if found.reductions == _names(reductions) else again(reductions)
        sentences.append(_compared(request.program, reduced, full))
    return sentences


def _ordered(request: SearchRequest, partial_order: bool | None) -> bool:
    """Return whether partial order is to be verified."""
    if partial_order is not None:
        return partial_order
    return persistent_sets_of(request, None, always=False) is not None


def _names(reductions: Reductions) -> tuple[str, ...]:
    asked = {SYMMETRY: reductions.symmetry, PARTIAL_ORDER: bool(reductions.partial_order)}
    return tuple(name for name, is_asked in asked.items() if is_asked)


def _refusals(request: SearchRequest, alone: Reductions) -> list[str]:
    """Why a reduction has no effect on this program, in sentences; empty if it has an effect."""
    if alone.partial_order:
        from dio_mc.analysis.partial_order.persistent import Refused, find_persistent_sets

        try:
            find_persistent_sets(request.program, request.evaluators)
        except Refused as reason:
            return [f"no partial order: {reason}"]
        return []
    from dio_mc.analysis.symmetry.plan import make_plan
    from dio_mc.analysis.symmetry.proof import find_symmetry

    symmetry = find_symmetry(request.program)
    if symmetry and make_plan(request.program, symmetry).symmetry:
        return []
    return [f"no reduction: {refusal}" for refusal in symmetry.refusals] or [
        "no reduction: there is nothing to exchange"
    ]


def _compared(program: Program, reduced: Exploration, full: Exploration) -> str:
    stopped = reduced.stopped or full.stopped
    if stopped is not None:
        return f"the reduction was not verified: {stopped}"
    found = differences(reduced, full)
    if found:
        raise InternalError(f"the reduced search of {program.name} contradicts the full one", found)
    counted = f"{reduced.states:,}{counted_up_to(reduced.reductions)}"
    return f"verified: {full.states:,} states, and {counted}, give the same answer"


def differences(reduced: Exploration, full: Exploration) -> list[str]:
    """The differences between a reduced and a full search that a reduction must not cause, one
    sentence each.

    Symmetry changes only the numbers of states and transitions. Partial order also changes the
    depth. A property violated under partial order is searched for again without it; if a limit
    prevents that, the schedules may differ, so only those canonical in both searches are compared.
    """
    pairs: dict[str, tuple[object, object]] = {
        "undecided properties": (reduced.unknown, full.unknown),
        "coverage": (reduced.coverage, full.coverage),
    }
    if PARTIAL_ORDER in reduced.reductions:
        pairs["violated properties"] = _violated(reduced), _violated(full)
        pairs["canonical violations"] = _canonical(reduced, full), _canonical(full, reduced)
    else:
        pairs["violations"] = reduced.violations, full.violations
        pairs["depth"] = reduced.depth, full.depth
    return [f"{name}: {one} reduced, {other} in full" for name, (one, other) in pairs.items() if one != other]


def _violated(found: Exploration) -> list[str]:
    return [violation.property for violation in found.violations]


def _canonical(found: Exploration, other: Exploration) -> list[Violation]:
    """The violations of `found` that are canonical in both searches."""
    there = {violation.property for violation in other.violations if violation.canonical}
    return [violation for violation in found.violations if violation.canonical and violation.property in there]
