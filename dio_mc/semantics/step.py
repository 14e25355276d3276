"""One scheduling decision and its result: actions, steps, faults."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dio_mc.ir.ops import FaultKind
from dio_mc.semantics.layout import State
from dio_mc.source import Span


@dataclass(frozen=True, slots=True, order=True)
class Action:
    """One scheduling decision: a thread (position), its location, and the option taken at each `Choose` on the way, in
    order. Actions are ordered by these fields."""

    thread: int
    location: int
    choice: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A run-time fault of the model: the offending action has no successor."""

    kind: FaultKind
    message: str
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Step:
    """An action and its result: exactly one of `state` and `fault` is set."""

    action: Action
    state: State | None
    fault: Fault | None = None


def fault_name(kind: str, span: Span | None, file: str) -> str:
    """The property name of a fault: ``assertion@41``, with the file's stem if it is not the model's own `file`."""
    if span is None:
        return kind
    if span.file == file:
        return f"{kind}@{span.line}"
    stem = span.file.replace("\\", "/").rsplit("/", 1)[-1].removesuffix(".py")
    return f"{kind}@{stem}:{span.line}"


def count_switches(schedule: Sequence[Action]) -> int:
    """The number of context switches in a schedule: pairs of consecutive steps of different threads."""
    return sum(a.thread != b.thread for a, b in pairwise(schedule))
