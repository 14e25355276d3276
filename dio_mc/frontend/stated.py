"""Checking what a file states about its classes with `expect`: whether each statement can be met."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final, get_args

from dio_mc.errors import Diagnostic, ModelError, did_you_mean
from dio_mc.frontend.declare import members_of
from dio_mc.ir.ops import FaultKind
from dio_mc.lang.declarations import Expectation
from dio_mc.lang.model import Model, effective
from dio_mc.source import Span, source_lines

BUILT_IN: Final = ("deadlock", *get_args(FaultKind))
"""What can be violated besides the properties of the class."""


def check_expectations(models: Iterable[type[Model]], file: Path) -> None:
    """Raise `ModelError` (DIO117) for statements of a file that cannot be met: about an abstract class, about a
    property that the class does not have, or two that contradict each other. All of them are reported."""
    found: list[Diagnostic] = []
    for model in models:
        stated = [e for e in model.__dio_expectations__ if Path(e.file).resolve() == file.resolve()]
        if model.__dio_abstract__:
            found += [_told(e, f"{model.__name__} is abstract and is not checked") for e in stated]
        else:
            found += [one for e in stated for one in _misspelt(model, e)]
            found += _contradictions(model, stated)
    if found:
        raise ModelError(tuple(found))


def _misspelt(model: type[Model], stated: Expectation) -> list[Diagnostic]:
    members = members_of(model)
    known = [*members.properties, *BUILT_IN]
    params = [name for name, _ in stated.params if name not in members.params]
    if params:
        hint = did_you_mean(params[0], members.params) or f"there are: {', '.join(members.params) or 'none'}"
        return [_told(stated, f"{model.__name__} has no parameter `{params[0]}`", hint)]
    wrong = [n for n in sorted(stated.violates) if n not in known and n.split("@")[0] not in BUILT_IN]
    return [
        _told(
            stated,
            f"{model.__name__} has no property `{name}`",
            did_you_mean(name, known) or f"there are: {', '.join(known)}",
        )
        for name in wrong
    ]


def _contradictions(model: type[Model], stated: Sequence[Expectation]) -> list[Diagnostic]:
    """Pairs of statements about one run that cannot both be met. One without parameters yields to one with them."""
    return [
        _told(
            second,
            f"line {first.line} says something else of {model.__name__}{_binding(second)}",
            "say it once; parameters that are not named have their defaults",
        )
        for first, second in combinations(stated, 2)
        if bool(first.params) == bool(second.params)
        and effective(model, dict(first.params)) == effective(model, dict(second.params))
        and not _agree(first, second)
    ]


def _agree(first: Expectation, second: Expectation) -> bool:
    steps = {first.steps, second.steps} - {None}
    return first.violates == second.violates and len(steps) <= 1


def _binding(stated: Expectation) -> str:
    return f" with {', '.join(f'{name}={value}' for name, value in stated.params)}" if stated.params else ""


def _told(stated: Expectation, text: str, hint: str = "") -> Diagnostic:
    lines = source_lines(stated.file)
    line = lines[stated.line - 1] if 0 < stated.line <= len(lines) else ""
    return Diagnostic("DIO117", text, Span(stated.file, stated.line, 1, stated.line, len(line) + 1), hint)
