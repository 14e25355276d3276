"""Drafts of bug reports: observations on real kernels that no rule allows, each with a diagram, the
kernels, and instructions to reproduce it.

A draft is unfinished: nobody has checked whether the race is known, and whether the kernel or the
rule is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from dio_mc.machine.observe import Compared, Observations, Seen
from dio_mc.machine.observed import case_in, schedule_text
from dio_mc.machine.reproducer import program
from dio_mc.machine.session import Session
from dio_mc.study.tags import BAD

COLUMN: Final = 34
"""The width of a thread's column in the diagram."""
Found = tuple[Session, Observations, Compared | None]


@dataclass(frozen=True, slots=True)
class _Finding:
    """An observation and the kernels on which it was made; the first of them is shown."""

    on: tuple[Found, ...]
    seen: tuple[Seen, ...]


def drafts(found: Iterable[Found]) -> dict[str, str]:
    """Files by name: a text for each finding and, if some schedule leads to it without a waiting
    thread, that schedule and a C program."""
    files: dict[str, str] = {}
    for number, finding in enumerate(_findings(found), start=1):
        session, observations, _ = finding.on[0]
        name = f"{number:02}-" + re.sub(r"\W+", "-", f"{session.file_system}-{observations.workload}")
        extra = _attached(finding, name)
        files |= {f"{name}.txt": _text(finding, extra), **extra}
    return files


def _findings(found: Iterable[Found]) -> list[_Finding]:
    by: dict[object, _Finding] = {}
    for session, observations, compared in found:
        for one in observations.seen:
            if one not in compared.forbidden if compared is not None else one.tagged.verdict not in BAD:
                continue
            key = (session.file_system, session.mount, observations.workload, observations.layout, one.key)
            before = by.get(key, _Finding((), ()))
            by[key] = _Finding((*before.on, (session, observations, compared)), (*before.seen, one))
    return list(by.values())


def _attached(finding: _Finding, name: str) -> dict[str, str]:
    (session, observations, _), one = finding.on[0], finding.seen[0]
    if one.schedule.together:
        return {}
    schedule = schedule_text(session, observations, one)
    case = case_in(name, schedule)
    files = {f"{name}.json": schedule}
    if case is not None:
        files[f"{name}.c"] = program(f"{observations.workload}: {one.text}", case)
    return files


def _text(finding: _Finding, attached: dict[str, str]) -> str:
    (session, observations, compared), one = finding.on[0], finding.seen[0]
    reason = "; ".join(one.tagged.reasons) or one.tagged.verdict
    kernels = ", ".join(dict.fromkeys(s.kernel.release for s, _, _ in finding.on))
    options = f" -o {session.mount}" if session.mount else ""
    rule = f" The rule {compared.rule} does not allow it." if compared is not None else ""
    lines = [
        f"Subject: {session.file_system}: {observations.workload}: {reason}", "",
        f"On a file of one page ({observations.layout}), {session.file_system}{options}: {one.text}.{rule}", "",
        f"Seen on: {kernels}; {one.times} of {observations.runs} schedules on the first of them."
        + (" In the one below a thread waits." if one.waited else ""), "",
        *_diagram(observations, one), "",
        *_how(session, attached),
        "Before this is sent: is it a known race (docs/history.md, docs/kernels.md)? Is it allowed by what the kernel",
        "documents? Does a kernel without the gates show it (observe --stress)?",
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _how(session: Session, attached: dict[str, str]) -> Sequence[str]:
    schedule = next((name for name in attached if name.endswith(".json")), "")
    if not schedule:
        return []
    lines = [f"    dio-mc confirm {schedule} --kernel {session.kernel.short}", "", "runs it again."]
    if any(name.endswith(".c") for name in attached):
        lines[-1] += f" {schedule.removesuffix('.json')}.c makes the same calls without gates."
    return [*lines, ""]


def _diagram(observations: Observations, one: Seen) -> list[str]:
    """The schedule in the form of commit messages: a column per thread, with time running downwards."""
    if one.schedule.together:
        return ["All threads began at once; there is no schedule."]
    used = sorted({segment.thread for segment in one.schedule.segments})
    column = {thread: at for at, thread in enumerate(used)}
    lines = ["".join(f"{observations.threads[thread]:<{COLUMN}}" for thread in used).rstrip()]
    begun: set[int] = set()
    for segment in one.schedule.segments:
        pad = " " * (COLUMN * column[segment.thread])
        calls = ["..."] if segment.thread in begun else one.schedule.programs[segment.thread].split(",")
        lines += [f"{pad}{call}" for call in calls]
        if segment.until is not None:
            lines.append(f"{pad}  {segment.until}()")
        begun.add(segment.thread)
    results = dict(one.tagged.results)
    outcome = [f"{observations.threads[t]}: {results[observations.threads[t]]}" for t in used
            if observations.threads[t] in results]  # fmt: skip
    return [f"    {line}".rstrip() for line in [*lines, "", *outcome]]
