"""Observations as text and JSON, and their schedules as files that `dio-mc confirm` can run again."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from dio_mc.errors import usage_error
from dio_mc.machine.cases import Case, Turn
from dio_mc.machine.observe import Compared, Observations, Seen, spelt
from dio_mc.machine.programs import CALLS
from dio_mc.machine.session import Session
from dio_mc.study.registry import LAYOUTS

SCHEMA: Final = "dio-mc/observe/1"
SCHEDULE_SCHEMA: Final = "dio-mc/schedule/1"


def text(where: str, found: Observations, compared: Compared | None) -> str:
    """A block of text: one line per observation, the worst first, with its frequency and a schedule for it."""
    waits = f", in {found.waits} a thread waited" if found.waits else ""
    head = f"{found.workload} on {where}, {found.layout} file: {found.verdict} ({found.runs} schedules{waits})"
    width = max((len(one.text) for one in found.seen), default=0)
    forbidden = {one.key for one in compared.forbidden} if compared is not None else set()
    lines = [head]
    for one in found.seen:
        said = f"  NOT ALLOWED by {compared.rule}" if compared is not None and one.key in forbidden else ""
        why = f"  ({'; '.join(one.tagged.reasons)})" if one.tagged.reasons else ""
        lines.append(f"  {one.times:>6}  {one.text:<{width}}  {one.tagged.verdict}{why}{said}")
        lines.append(f"          {spelt(one.schedule, found.threads)}{', waiting' if one.waited else ''}")
    if compared is not None:
        lines += [f"   never  {words} (allowed by {compared.rule})" for words in compared.unseen]
        lines.append(
            f"  {compared.rule}: {len(compared.seen)} allowed and seen, {len(compared.unseen)} allowed and never seen, "
            f"{len(compared.forbidden)} seen and not allowed"
        )
    for place, schedule in found.warned:
        lines += [f"  the kernel warns at {place}", f"          {spelt(schedule, found.threads)}"]
    if found.lost:
        lines.append(f"  cut short: {found.lost}")
        lines += [f"    | {line}" for line in found.log.splitlines()]
    return "\n".join(lines) + "\n"


def as_json(kernels: Sequence[tuple[Session, Sequence[tuple[Observations, Compared | None]]]]) -> str:
    """All observations as JSON."""
    runs = [
        {
            "release": session.kernel.release, "file_system": session.file_system, "mount": session.mount,
            "workload": found.workload, "layout": found.layout, "verdict": found.verdict, "schedules": found.runs,
            "waits": found.waits, "complete": found.complete, "lost": found.lost, "log": found.log.splitlines(),
            "warned": {place: spelt(schedule, found.threads) for place, schedule in found.warned},
            "observations": [_seen(one, found) for one in found.seen],
            "rule": None if compared is None else _compared(compared),
        }
        for session, all_found in kernels
        for found, compared in all_found
    ]  # fmt: skip
    return json.dumps({"schema": SCHEMA, "runs": runs}, indent=2) + "\n"


def _seen(one: Seen, found: Observations) -> dict[str, Any]:
    return {
        "results": dict(one.tagged.results), "after": one.tagged.after, "verdict": one.tagged.verdict,
        "reasons": list(one.tagged.reasons), "times": one.times, "waited": one.waited,
        "schedule": spelt(one.schedule, found.threads),
    }  # fmt: skip


def _compared(compared: Compared) -> dict[str, Any]:
    return {
        "name": compared.rule, "allowed_and_seen": [one.text for one in compared.seen],
        "allowed_and_never_seen": list(compared.unseen),
        "seen_and_not_allowed": [one.text for one in compared.forbidden],
    }  # fmt: skip


# -- schedules as files ----------------------------------------------------------------------------------------------


def schedule_files(session: Session, found: Observations) -> dict[str, str]:
    """Files by name: one for each observation that a schedule led to without any thread waiting."""
    stem = re.sub(r"\W+", "-", f"{session.kernel.short}-{session.file_system}-{found.workload}-{found.layout}")
    return {
        f"{stem}-{number}.json": schedule_text(session, found, one)
        for number, one in enumerate(found.seen, start=1)
        if not one.schedule.together and not one.waited
    }


def schedule_text(session: Session, found: Observations, one: Seen) -> str:
    """The file of an observation's schedule."""
    value = {
        "schema": SCHEDULE_SCHEMA, "file_system": session.file_system, "mount": session.mount, "layout": found.layout,
        "threads": dict(zip(found.threads, one.schedule.programs, strict=True)),
        "segments": [
            {"thread": found.threads[s.thread], "until": None if s.until is None else str(s.until)}
            for s in one.schedule.segments
        ],
        "results": dict(one.tagged.results), "after": one.tagged.after, "verdict": one.tagged.verdict,
    }  # fmt: skip
    return json.dumps(value, indent=2) + "\n"


def case_in(path: str, content: str) -> Case | None:
    """The case in a file that `dio-mc observe --schedules` wrote; None for another kind of file. Raises `ModelError`
    DIO205 if the file contains anything other than system calls, layouts and mount options."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("schema") != SCHEDULE_SCHEMA:
        return None
    try:
        return _case(data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise usage_error("DIO205", f"no schedule that dio-mc observe wrote: {error}", file=path) from None


def _case(data: dict[str, Any]) -> Case:
    names, programs = tuple(map(str, data["threads"])), tuple(map(str, data["threads"].values()))
    for program in programs:
        if not all(_is_call(call) for call in program.split(",")):
            raise ValueError(f"{program!r} is not a list of system calls")
    layout, file_system, mount = str(data["layout"]), str(data["file_system"]), str(data["mount"])
    if layout not in LAYOUTS or not re.fullmatch(r"[\w=,.\-]*", mount):
        raise ValueError(f"{layout!r} or {mount!r} is not a layout, or no list of mount options")
    turns = tuple(
        Turn(names.index(s["thread"]), number, s["until"] is not None, str(s["until"] or ""))
        for number, s in enumerate(data["segments"], start=1)
    )
    results = tuple((str(name), str(result)) for name, result in data["results"].items())
    return Case(layout, names, programs, turns, results, data["after"], data["verdict"], file_system, mount)


def _is_call(text: str) -> bool:
    name, _, value = text.partition(":")
    return name in CALLS and value in ("", "NEW", "NEWER")
