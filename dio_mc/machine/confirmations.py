"""Confirmations as text, as sentences for a page, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dio_mc.machine.cases import Case
from dio_mc.machine.confirm import Confirmation

SCHEMA: Final = "dio-mc/confirm/1"
LOST: Final = "LOST"


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer of one kernel for one counterexample. `answer` is None if the guest was lost; `lost` then gives the
    reason."""

    release: str
    file_system: str
    mount: str
    answer: Confirmation | None
    lost: str = ""

    @property
    def verdict(self) -> str:
        """CONFIRMED, BLOCKED, DIVERGED or LOST."""
        return self.answer.verdict if self.answer is not None else LOST

    @property
    def where(self) -> str:
        """``6.12.117+deb12-cloud-amd64 ext4 -o nodelalloc``."""
        return f"{self.release} {self.file_system}" + (f" -o {self.mount}" if self.mount else "")


def text(name: str, case: Case, answers: Sequence[Answered]) -> str:
    """A block of text: what is expected, then what each kernel did."""
    lines = [f"{name}: {case.expected}"]
    width = max(len(one.where) for one in answers)
    for one in answers:
        first, *rest = _lines(one)
        lines.append(f"  {one.where:<{width}}  {one.verdict:<9}  {first}".rstrip())
        lines += [f"      {line}" for line in rest]
    return "\n".join(lines) + "\n"


def _lines(one: Answered) -> list[str]:
    if one.answer is None:
        return one.lost.splitlines() or [""]
    held = "; ".join(f"{h.thread} held at {h.gate}, from step {h.step} on" for h in one.answer.holds)
    schedules = "" if one.answer.tried == 1 else f"{one.answer.tried} schedules tried"
    own = "" if one.answer.exact or not held else "not at the trace's own functions"
    about = [line for line in (held, own, schedules) if line]
    if one.answer.waits is not None:
        waits = one.answer.waits
        step = f"at step {waits.step} " if waits.step else ""
        return [f"{step}{waits.thread} waits in {' < '.join(waits.stack[:6])}", *about]
    return [_seen(one.answer), *about]


def _seen(answer: Confirmation) -> str:
    given = ", ".join(f"{name} {result}" for name, result in answer.seen.results)
    file = () if answer.seen.after == "-" else (f"file {answer.seen.after}",)
    return "; ".join([given, *file, *answer.besides])


def page_lines(case: Case, answers: Sequence[Answered]) -> list[str]:
    """One sentence per kernel."""
    return [f"{one.verdict} on {one.where}: {_lines(one)[0]}" for one in answers]


def as_json(found: Sequence[tuple[str, Case, Sequence[Answered]]]) -> str:
    """All confirmations, without the kernels' logs."""
    traces = [
        {"trace": name, "expected": case.expected, "kernels": [_one(a) for a in answers]}
        for name, case, answers in found
    ]
    return json.dumps({"schema": SCHEMA, "traces": traces}, indent=2) + "\n"


def _one(answered: Answered) -> dict[str, Any]:
    answer = answered.answer
    head = {"release": answered.release, "file_system": answered.file_system, "mount": answered.mount}
    if answer is None:
        return {**head, "verdict": LOST, "message": answered.lost}
    waits = answer.waits
    return {
        **head,
        "verdict": answer.verdict,
        "seen": {"results": dict(answer.seen.results), "after": answer.seen.after, "verdict": answer.seen.verdict},
        "holds": [{"thread": h.thread, "step": h.step, "gate": str(h.gate)} for h in answer.holds],
        "own_gates": answer.exact,
        "waits": None if waits is None else {"thread": waits.thread, "step": waits.step, "stack": list(waits.stack)},
        "schedules": answer.tried,
        "besides": list(answer.besides),
    }
