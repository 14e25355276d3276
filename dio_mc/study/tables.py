"""Matrix, outcomes and differences as text, Markdown and JSON. The same input gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dio_mc.study.diff import Change, Difference
from dio_mc.study.matrix import NOT_THERE, Cell, Matrix, counts
from dio_mc.study.outcomes import Outcome, Outcomes

ANY = "*"
"""The letter of a cell that is ok for any number."""
LETTERS = {
    "ok": ".", "error": "E", "stale": "S", "torn": "T", "lost": "L", "deadlock": "D", "exposed": "X",
    "undetermined": "?", NOT_THERE: "-",
}  # fmt: skip
"""Each verdict as one letter."""
LEGEND = {
    ".": "ok", "E": "an IO is refused, or an error is left for fsync",
    "S": "stale: an old page is read, or stays in the cache",
    "L": "lost: an acknowledged write is not on disk, or another file's block is hit",
    "X": "exposed: data of the block's previous owner is read", "T": "torn: a mixture is read",
    "D": "deadlock", "?": "undetermined: a limit ended the search", "-": "the rule has no such operation",
    ANY: "ok, and proved for any number of what writes nothing, beside one that writes; deadlock: with two of each",
}  # fmt: skip
FEW = 3
"""The largest number of cells named with a reason."""
MATRIX_SCHEMA = "dio-mc/matrix/1"
Links = Mapping[str, str]
"""The files of the cells' traces, by the cell's name."""


def racing(found: Matrix) -> list[tuple[str, ...]]:
    """The groups of operations that are not ok under every rule."""
    return [group for group in found.groups if any(c.verdict not in ("ok", NOT_THERE) for c in found.row(*group))]


def shown(found: Matrix) -> list[tuple[str, ...]]:
    """The groups that have a row: those that race somewhere; all of them, if results for any number
    were requested."""
    return list(found.groups) if any(c.general for c in found.cells) else racing(found)


def letter(cell: Cell) -> str:
    """The letter of a cell."""
    return ANY if cell.general is not None and cell.general.proved else LETTERS[cell.verdict]


def remark(found: Matrix) -> str:
    """Remarks on groups without a row, on pages of several sectors, and on any number."""
    quiet = len(found.groups) - len(racing(found))
    said = [f"{quiet} of {len(found.groups)} {found.noun}s are ok under every rule."] if quiet else []
    said += [f"A page has {found.sectors} sectors."] if found.sectors > 1 else []
    said += [f"A call is about {found.pages} pages."] if found.pages > 1 else []
    known = [c.general for c in found.cells if c.general is not None]
    good = sum(c.verdict == "ok" for c in found.cells)
    said += [f"{sum(g.proved for g in known)} of {good} cells that are ok are proved for any number."] if known else []
    return " ".join(said)


def unproved(found: Matrix) -> list[str]:
    """The reasons why cells that are ok are not proved for any number: one line per reason, the
    most frequent first."""
    cells: dict[str, list[Cell]] = {}
    for cell in found.cells:
        if cell.general is not None and not cell.general.proved:
            cells.setdefault(cell.general.reason, []).append(cell)
    lines = []
    for reason, those in sorted(cells.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        named = [f"{c.rule}: {c.shown}" for c in those[:FEW]]
        more = f", and {len(those) - FEW} more" if len(those) > FEW else ""
        lines.append(f"not for any number: {reason}\n    {', '.join(named)}{more}")
    return lines


def legend_line(found: Matrix) -> list[str]:
    """The letters that occur, explained."""
    used = {letter(c) for c in found.cells}
    return [f"{one}  {words}" for one, words in LEGEND.items() if one in used]


def matrix_text(found: Matrix, links: Links | None = None) -> str:
    """A table of letters, a row per group that races somewhere, a numbered column per rule; then
    the reasons, cell by cell."""
    numbers = [str(n) for n in range(1, len(found.rules) + 1)]
    lines = [f"{number:>3}  {rule}" for number, rule in zip(numbers, found.rules, strict=True)]
    width = max((len(" x ".join(group)) for group in found.groups), default=0)
    lines += ["", " " * width + "".join(f"{n:>4}" for n in numbers)]
    for group in shown(found):
        letters = "".join(f"{letter(c):>4}" for c in found.row(*group))
        lines.append(" x ".join(group).ljust(width) + letters)
    lines += ["", *([remark(found)] if remark(found) else []), *legend_line(found)]
    told = [line for cell in found.cells if cell.trace is not None for line in _why(cell, links or {})]
    told += unproved(found)
    return "\n".join([*lines, *(["", *told] if told else [])]) + "\n"


def _why(cell: Cell, links: Links) -> list[str]:
    layouts = ", ".join(layout for layout, verdict in cell.layouts if verdict == cell.verdict)
    steps = len(cell.trace.steps) if cell.trace is not None else 0
    where = f"    {links[cell.name]}\n" if cell.name in links else ""
    head = f"{cell.rule}: {cell.shown} = {cell.verdict} ({layouts} file, {steps} steps)"
    return [f"{head}\n{where}    {'; '.join(cell.reasons)}"]


def matrix_markdown(found: Matrix, links: Links | None = None) -> str:
    """A table with a word in each cell, linked to the trace if there is one."""
    lines = [f"| {found.noun} | " + " | ".join(f"`{rule}`" for rule in found.rules) + " |"]
    lines.append("| --- |" + " --- |" * len(found.rules))
    for group in shown(found):
        row = [_linked(cell, links or {}) for cell in found.row(*group)]
        lines.append(f"| {' x '.join(group)} | {' | '.join(row)} |")
    if remark(found):
        lines += ["", remark(found)]
    if any(letter(cell) == ANY for cell in found.cells):
        lines += ["", f"any: {LEGEND[ANY]}."]
    return "\n".join(lines) + "\n"


def _linked(cell: Cell, links: Links) -> str:
    word = cell.verdict if cell.verdict != "ok" else "any" if letter(cell) == ANY else ""
    return f"[{word}]({links[cell.name]})" if word and cell.name in links else word


def matrix_json(found: Matrix, links: Links | None = None) -> str:
    """Everything except the runs themselves; `trace` is the file of the run, or null."""
    cells = [
        {
            "rule": c.rule, "operations": list(c.operations), "verdict": c.verdict, "layouts": dict(c.layouts),
            "outcome": c.outcome, "reasons": list(c.reasons), "steps": len(c.trace.steps) if c.trace else None,
            "states": c.states, "trace": (links or {}).get(c.name), "any": _general_json(c),
        }
        for c in found.cells
    ]  # fmt: skip
    head = {"schema": MATRIX_SCHEMA, "rules": list(found.rules), "sectors": found.sectors, "pages": found.pages}
    return _json({**head, "counts": counts(found), "cells": cells})


def _general_json(cell: Cell) -> dict[str, Any] | None:
    """The result for any number; null if it was not requested, or the cell is not ok."""
    known = cell.general
    if known is None:
        return None
    head = {"proved": known.proved, "many": list(known.many), "one": list(known.single)}
    return {**head, "reason": known.reason or None}


def outcomes_text(found: Sequence[Outcomes], links: Links | None = None) -> str:
    """One block per rule and layout, one line per outcome, the worst first."""
    blocks: list[str] = []
    for one in found:
        head = f"{one.workload} under {one.rule}, {one.layout} file: {one.verdict} ({one.states:,} states)"
        width = max((len(o.text) for o in one.outcomes), default=0)
        lines = [_outcome_line(one, number, o, width, links or {}) for number, o in enumerate(one.outcomes, start=1)]
        blocks.append("\n".join([head, *lines]))
    return "\n\n".join(blocks) + "\n"


def _outcome_line(one: Outcomes, number: int, outcome: Outcome, width: int, links: Links) -> str:
    reasons = f"  ({'; '.join(outcome.reasons)})" if outcome.reasons else ""
    name = outcome_name(one, number)
    return f"  {outcome.text:<{width}}  {outcome.verdict}{reasons}" + (f"  {links[name]}" if name in links else "")


def outcome_name(one: Outcomes, number: int) -> str:
    """A name for the file of an outcome's run."""
    return f"{one.rule}-{one.workload.replace(' x ', '-')}-{one.layout}-{number}"


def outcomes_json(found: Sequence[Outcomes], links: Links | None = None) -> str:
    """All outcomes with results by thread."""
    runs = [
        {
            "workload": one.workload, "rule": one.rule, "layout": one.layout, "verdict": one.verdict,
            "complete": one.complete, "states": one.states,
            "outcomes": [
                {**_outcome_json(o), "trace": (links or {}).get(outcome_name(one, number))}
                for number, o in enumerate(one.outcomes, start=1)
            ],
        }
        for one in found
    ]  # fmt: skip
    return _json({"schema": "dio-mc/outcomes/1", "runs": runs})


def _outcome_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "results": dict(outcome.results), "after": outcome.after, "verdict": outcome.verdict,
        "reasons": list(outcome.reasons), "steps": len(outcome.trace.steps) if outcome.trace else None,
    }  # fmt: skip


def named_changes(found: Difference) -> list[tuple[str, Change]]:
    """Each change with a name for the file of its run."""
    return [
        (f"{c.word}-{c.workload.replace(' x ', '-')}-{c.layout}-{number}", c)
        for number, c in enumerate(found.changes, start=1)
    ]


def diff_text(found: Difference, links: Links | None = None) -> str:
    """Opened and repaired outcomes first, then other changes."""
    lines = [f"{found.before} -> {found.after}: {_compared(found)}"]
    named = named_changes(found)
    for word in ("opened", "repaired", "adds", "removes"):
        lines += [_change_line(change, (links or {}).get(name)) for name, change in named if change.word == word]
    tally = [f"{sum(c.word == w for c in found.changes)} {w}" for w in ("opened", "repaired")]
    cut = "" if found.complete else "; a limit ended some searches"
    out = [f"left out, since one of the rules has no such operation: {', '.join(found.left_out)}"] * bool(
        found.left_out
    )
    return "\n".join([*lines, f"{', '.join(tally)}{cut}", *out]) + "\n"


def _compared(found: Difference) -> str:
    counts = [(found.workloads, "workload"), (found.groups, "group")]
    told = " and ".join(f"{n} {what}{'s' * (n != 1)}" for n, what in counts if n) or "nothing"
    of = " of operations side by side" if found.groups else ""
    return f"{told}{of} compared, on {found.compared} files"


def _change_line(change: Change, link: str | None) -> str:
    reasons = f" ({'; '.join(change.outcome.reasons)})" if change.outcome.reasons else ""
    tail = f"{change.outcome.text}: {change.outcome.verdict}{reasons}" + (f"  {link}" if link else "")
    return f"  {change.word:<8}  {change.workload}, {change.layout} file: {tail}"


def diff_json(found: Difference, links: Links | None = None) -> str:
    """All changes."""
    changes = [
        {
            "workload": c.workload, "layout": c.layout, "change": c.word, **_outcome_json(c.outcome),
            "trace": (links or {}).get(name),
        }
        for name, c in named_changes(found)
    ]  # fmt: skip
    head = {"schema": "dio-mc/diff/1", "before": found.before, "after": found.after, "compared": found.compared,
            "workloads": found.workloads, "groups": found.groups, "left_out": list(found.left_out)}  # fmt: skip
    return _json({**head, "complete": found.complete, "changes": changes})


def _json(value: Any) -> str:
    return json.dumps(value, indent=2) + "\n"
