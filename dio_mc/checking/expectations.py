"""What a file states about its models, and whether the results agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dio_mc.checking.results import PropertyResult
from dio_mc.lang.declarations import Expectation
from dio_mc.lang.model import Model, effective
from dio_mc.trace.trace import Trace


def expectation_for(model: type[Model], params: Mapping[str, int]) -> Expectation | None:
    """The expectation of a class's file for a binding: the one whose parameters give the same run,
    otherwise the one without parameters."""
    stated = model.__dio_expectations__
    run = effective(model, params)
    exact = [e for e in stated if e.params and effective(model, dict(e.params)) == run]
    general = [e for e in stated if not e.params]
    chosen = exact or general
    return chosen[-1] if chosen else None


def bindings_of(model: type[Model], params: Mapping[str, int]) -> list[tuple[dict[str, int], Expectation | None]]:
    """The runs that a check of a class makes: with the given parameters, or one per binding in its
    file's expectations."""
    if params or not model.__dio_expectations__:
        return [(dict(params), expectation_for(model, params))]
    runs: dict[frozenset[tuple[str, int]], dict[str, int]] = {}
    for stated in model.__dio_expectations__:
        runs.setdefault(frozenset(effective(model, dict(stated.params)).items()), dict(stated.params))
    return [(binding, expectation_for(model, binding)) for binding in runs.values()]


def stated(stated: Expectation | None, properties: Sequence[PropertyResult]) -> tuple[PropertyResult, ...]:
    """Each property, marked with whether its verdict is the one that the file states."""
    if stated is None:
        return tuple(properties)
    named = {p: p.name in stated.violates or p.name.split("@")[0] in stated.violates for p in properties}
    return tuple(
        p if p.kind == "faults" else replace(p, expected=p.verdict == ("VIOLATED" if named[p] else "HOLDS"))
        for p in properties
    )


def expected(
    stated: Expectation | None, properties: Sequence[PropertyResult], traces: Sequence[Trace]
) -> tuple[bool | None, str]:
    """Whether the exact set of violated properties is the stated one, and the difference in
    words."""
    if stated is None:
        return None, ""
    violated = [p.name for p in properties if p.verdict == "VIOLATED" and p.kind != "faults"]
    extra = [n for n in violated if n not in stated.violates and n.split("@")[0] not in stated.violates]
    missing = [s for s in sorted(stated.violates) if not any(s in (n, n.split("@")[0]) for n in violated)]
    undecided = [p.name for p in properties if p.verdict == "UNDETERMINED"]
    parts = [f"not expected to be violated: {', '.join(extra)}"] if extra else []
    parts += [f"expected to be violated: {', '.join(missing)}"] if missing else []
    parts += [f"undetermined: {', '.join(undecided)}"] if undecided else []
    lengths = [len(t.steps) for t in traces if t.property in stated.violates]
    if stated.steps is not None and not parts and lengths != [stated.steps]:
        parts.append(f"expected {stated.steps} steps, found {', '.join(map(str, lengths))}")
    return not parts, "; ".join(parts)
