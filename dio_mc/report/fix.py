"""The results of a search for fixes, as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dio_mc.fix.found import Checked, EditText, Fix, Found, NearMiss, Open
from dio_mc.wording import plural

SCHEMA = "dio-mc/fix/1"


def fix_text(found: Found, *, everything: bool = False) -> str:
    """The fixes as diffs, the first also as a subclass, and near misses with what they leave open. With `everything`:
    every subclass, and the schedules of near misses."""
    lines = [*_head(found), ""]
    for number, fix in enumerate(found.fixes, start=1):
        lines += [*_fix(number, fix, found, subclass=everything or number == 1), ""]
    if found.near:
        lines += ["not enough:", *(line for near in found.near for line in _near(near, everything=everything)), ""]
    if found.missing:
        lines += ["what no property says:", *(f"  {sentence}" for sentence in found.missing), ""]
    return "\n".join(lines[:-1])


def _head(found: Found) -> Iterator[str]:
    bound = f" ({', '.join(f'{name}={value}' for name, value in found.params.items())})" if found.params else ""
    passing = found.counts.get("passes", 0)
    tried = f"{plural(found.singles, 'edit')} and {plural(found.pairs, 'pair')} tried, {passing:,} passed"
    yield f"{found.file} {found.model}{bound}: {tried}; {plural(len(found.fixes), 'fix')}"
    yield f"  to fix: {', '.join(map(_open, found.goals))}" if found.goals else "  to fix: not known"
    if found.spared:
        yield f"  violated before, and not asked for: {', '.join(found.spared)}"
    if found.stopped:
        yield f"  stopped by {found.stopped}: not everything was tried"
    elif not found.fixes:
        yield "  no edit that is tried is a fix"


def _fix(number: int, fix: Fix, found: Found, *, subclass: bool) -> Iterator[str]:
    alike = f"; {fix.alike} more of this kind, larger or with less concurrency" if fix.alike else ""
    yield f"{number}. {_edit(fix.edit)}"
    yield f"   {plural(fix.edit.size, 'statement')}, {fix.edit.span}{alike}"
    yield f"   checked as written: {'; '.join(map(_checked, fix.checked))}; without it {plural(found.states, 'state')}"
    if fix.any_number:
        holds = fix.any_number.startswith("HOLDS")
        yield f"   {fix.any_number if holds else 'not proved for any number of its threads'}"
    waits = [w for w in fix.waits if w.after > w.before]
    if waits:
        shares = ", ".join(f"{w.thread} {w.after} % (before {w.before} %)" for w in waits)
        yield f"   cannot continue, in so many of the states in which it has not ended: {shares}"
    if fix.changed:
        yield f"   changes what happens without interleaving: {fix.changed}"
    yield ""
    yield from (f"   {line}" if line else "" for line in fix.difference.rstrip("\n").split("\n"))
    if subclass:
        yield ""
        yield from (f"   {line}" if line else "" for line in fix.text.rstrip("\n").split("\n"))


def _near(near: NearMiss, *, everything: bool) -> Iterator[str]:
    yield f"  {_edit(near.edit)}"
    yield f"    leaves open: {', '.join(map(_open, near.open))}"
    if everything:
        yield from (f"      {step}" for step in near.schedule)


def _edit(edit: EditText) -> str:
    return f"{edit.kind} in {edit.function}: {edit.text}"


def _open(left: Open) -> str:
    bound = "".join(f", {name}={value}" for name, value in left.params)
    why = f" {left.why}" if left.why else ""
    steps = f"{plural(left.steps, 'step')}" if left.steps >= 0 else "no schedule gets there"
    if left.why:
        return f"{left.property}{why}{bound}"
    return f"{left.property} ({steps}{bound})"


def _checked(checked: Checked) -> str:
    bound = ", ".join(f"{name}={value}" for name, value in checked.params)
    return f"{checked.verdict}{f' with {bound}' if bound else ''}, {plural(checked.states, 'state')}"


# --- for programs -----------------------------------------------------------------------------------------------------


def fix_json(found: Found) -> str:
    """All results; the schema is ``dio-mc/fix/1``."""
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "exit_code": found.exit_code,
        "model": found.model,
        "file": found.file,
        "params": dict(found.params),
        "goals": [_open_row(o) for o in found.goals],
        "spared": list(found.spared),
        "states": found.states,
        "edits": found.singles,
        "pairs": found.pairs,
        "fates": dict(found.counts),
        "stopped": found.stopped or None,
        "fixes": [_fix_row(fix) for fix in found.fixes],
        "near_misses": [_near_row(near) for near in found.near],
        "missing": list(found.missing),
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _open_row(left: Open) -> Mapping[str, Any]:
    steps = left.steps if left.steps >= 0 else None
    return {"property": left.property, "steps": steps, "params": dict(left.params), "why": left.why}


def _edit_row(edit: EditText) -> Mapping[str, Any]:
    place = {"function": edit.function, "where": str(edit.span)}
    return {"kind": edit.kind, "text": edit.text, **place, "size": edit.size, "edits": list(edit.parts)}


def _fix_row(fix: Fix) -> Mapping[str, Any]:
    checked = [{"params": dict(c.params), "verdict": c.verdict, "states": c.states} for c in fix.checked]
    waits = [{"thread": w.thread, "before": w.before, "after": w.after} for w in fix.waits]
    known = {"any_number": fix.any_number or None, "changed": fix.changed or None, "alike": fix.alike}
    written = {"difference": fix.difference, "subclass": fix.text}
    return {**_edit_row(fix.edit), "checked": checked, "waits": waits, **known, **written}


def _near_row(near: NearMiss) -> Mapping[str, Any]:
    return {**_edit_row(near.edit), "open": [_open_row(o) for o in near.open], "schedule": list(near.schedule)}
