"""The results of mutation testing, as text, JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

from dio_mc.checking.results import Failure
from dio_mc.mutation.fixed import ChangedLine
from dio_mc.mutation.mutants import KINDS
from dio_mc.mutation.proposals import imports_of
from dio_mc.mutation.score import Fate, Fix, Judged, Score
from dio_mc.report.markdown import cell
from dio_mc.source import display_path
from dio_mc.wording import plural

SCHEMA = "dio-mc/mutation/1"
Entry = Score | Failure
_LISTED: tuple[Fate, ...] = ("survived", "undetermined", "equivalent")
_REST: tuple[Fate, ...] = ("caught", "invalid")
_UNCOUNTED: tuple[Fate, ...] = ("equivalent", "undetermined", "invalid")


def mutation_text(entry: Score, *, everything: bool = False) -> str:
    """A line for the class; whether each line of the fix is needed, if it is one; then surviving and undecided mutants
    by line. Equivalent mutants and survivors of library code are counted in a line each. With `everything` they are
    listed as well, and so are invalid mutants and the caught ones, with what caught each."""
    lines = [_headline(entry)]
    if entry.fix is not None:
        lines += fix_table(entry, entry.fix)
    in_table = {id(j) for j in entry.judged if j.mutant.line is not None and entry.fix is not None}
    listed = [j for fate in (*_LISTED, *_REST) for j in entry.of(fate) if id(j) not in in_table]
    lines += [_line(judged) for judged in listed if everything or _is_shown(judged)]
    return "\n".join([*lines, *([] if everything else _folded(listed)), *_proposals(entry)])


def _proposals(score: Score) -> list[str]:
    """The properties that catch survivors, as source."""
    if not score.proposals:
        return []
    lines = [f"  properties that {score.model} has and these mutants do not:"]
    lines += [f"    {line}" for line in imports_of(score.proposals.values())]
    for name, one in score.proposals.items():
        lines += ["", *(f"    {line}" for line in one.source(name).splitlines())]
    return lines


def _is_shown(judged: Judged) -> bool:
    return judged.fate == "undetermined" or (judged.fate == "survived" and not judged.mutant.library)


def _folded(listed: Sequence[Judged]) -> list[str]:
    """A line for the equivalent mutants, and one for the survivors of library code."""
    equivalent = [j for j in listed if j.fate == "equivalent"]
    library = [j for j in listed if j.fate == "survived" and j.mutant.library]
    found = []
    if equivalent:
        found.append(f"  equivalent   {plural(len(equivalent), 'mutant')} with the same behaviour; -v lists them")
    if library:
        found.append(f"  library      {plural(len(library), 'mutant')} of library code survived; -v lists them")
    return found


def _headline(score: Score) -> str:
    name = f"{score.file} {score.model}"
    if score.skipped:
        return f"{name}: not mutated, {score.skipped}"
    bound = f" ({'; '.join(b for b in score.bindings if b)})" if any(score.bindings) else ""
    if score.percent is None:
        return f"{name}{bound}: {plural(len(score.judged), 'mutant')}, none that could be caught"
    text = f"{len(score.of('caught'))} of {plural(score.counted, 'mutant')} caught, {_percent(score)}"
    others = [f"{len(score.of(fate))} {fate}" for fate in _UNCOUNTED if score.of(fate)]
    return f"{name}{bound}: {text}" + (f"; {', '.join(others)}" if others else "")


def _percent(score: Score) -> str:
    """The percentage rounded down, so that 100 % means all."""
    assert score.percent is not None
    return f"{int(score.percent)} %"


def _line(judged: Judged) -> str:
    mutant = judged.mutant
    text = f"  {judged.fate:12} {mutant.span} {mutant.function}: {mutant.text}"
    why = f"{judged.proposal} catches it" if judged.proposal else judged.why
    return f"{text}\n{'':15}{why}" if why else text


def fix_table(score: Score, fix: Fix) -> list[str]:
    """Whether each line of a fix is needed: a row for each line, with what happens without it."""
    lines = [f"  fix of {fix.before}, which {fix.stands}; is each line needed?"]
    if not fix.lines:
        lines = [f"  fix of {fix.before}, which {fix.stands}: no statement differs"]
    places = [_place(line, score.file) for line in fix.lines]
    width = max((len(place) for place in places), default=0)
    text = max((len(line.text) for line in fix.lines), default=0)
    for line, place in zip(fix.lines, places, strict=True):
        verdict, why = _needed(line, score)
        row = f"    {verdict:12} {place:>{width}} {line.mark} {line.text:{min(text, 60)}}  {why}"
        lines.append(row.rstrip())
    if fix.data:
        lines.append(f"    declared anew, and not undone: {', '.join(fix.data)}")
    return lines


def _place(line: ChangedLine, file: str) -> str:
    return str(line.span.line) if display_path(line.span.file) == file else str(line.span)


def _needed(line: ChangedLine, score: Score) -> tuple[str, str]:
    """Whether a line of a fix is needed, in a word, and why."""
    if line.partner:
        return "", f"undone with line {line.partner}"
    judged = score.without(line)
    if judged is None:
        return "not undone", line.reason
    match judged.fate:
        case "caught":
            return "needed", judged.why
        case "survived":
            more = f"; {judged.proposal} catches it" if judged.proposal else f"; {judged.why}" * bool(judged.why)
            return "not needed", f"everything holds without it{more}"
        case "equivalent":
            return "not needed", judged.why
        case "invalid":
            return "not alone", judged.why
        case "undetermined":
            return "undetermined", judged.why
        case _:
            assert_never(judged.fate)


def totals(entries: Sequence[Entry]) -> str:
    """One line for several classes."""
    scores = [e for e in entries if isinstance(e, Score)]
    caught, counted = sum(len(s.of("caught")) for s in scores), sum(s.counted for s in scores)
    done = sum(not s.skipped for s in scores)
    share = f", {int(100 * caught / counted)} %" if counted else ""
    return f"{plural(done, 'model')} mutated: {caught} of {plural(counted, 'mutant')} caught{share}"


# --- JSON and Markdown ------------------------------------------------------------------------------------------------


def mutation_json(entries: Sequence[Entry], code: int) -> str:
    """All results; the schema is ``dio-mc/mutation/1``."""
    found: dict[str, Any] = {"schema": SCHEMA, "exit_code": code, "kinds": KINDS}
    found["models"] = [_score(e) if isinstance(e, Score) else _failure(e) for e in entries]
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def _score(score: Score) -> Mapping[str, Any]:
    counts: dict[str, int] = {fate: len(score.of(fate)) for fate in (*_REST, *_LISTED)}
    head = {"model": score.model, "file": score.file, "bindings": list(score.bindings), "states": score.states}
    found = {**head, "skipped": score.skipped, "percent": score.percent, **counts}
    if score.fix is not None:
        found["fix"] = _fix(score, score.fix)
    found["proposals"] = [
        {"name": name, "kind": one.kind, "imports": imports_of([one]), "source": one.source(name)}
        for name, one in score.proposals.items()
    ]
    return {**found, "mutants": [_row(j) for j in score.judged]}


def _fix(score: Score, fix: Fix) -> Mapping[str, Any]:
    rows = []
    for line in fix.lines:
        judged, (verdict, why) = score.without(line), _needed(line, score)
        found = {"where": str(line.span), "function": line.function, "mark": line.mark, "text": line.text}
        number = judged.mutant.number if judged is not None else None
        rows.append({**found, "mutant": number, "verdict": verdict or "undone with another", "why": why})
    return {"before": fix.before, "stands": fix.stands, "data": list(fix.data), "lines": rows}


def _row(judged: Judged) -> Mapping[str, Any]:
    m = judged.mutant
    place = {"where": str(m.span), "function": m.function}
    return {"number": m.number, "kind": m.kind, **place, "text": m.text, "fate": judged.fate, "why": judged.why,
            "proposal": judged.proposal or None}  # fmt: skip


def _failure(failure: Failure) -> Mapping[str, Any]:
    return {"model": failure.model, "file": failure.file, "error": failure.text}


def mutation_markdown(entries: Sequence[Entry]) -> str:
    """A table of classes, then the survivors of each."""
    parts = [
        "## dio-mc: mutants\n",
        "| model | caught | survived | equivalent | undetermined | invalid |",
        "|---|---|---|---|---|---|",
    ]
    parts += [_table_row(e) for e in entries]
    for entry in entries:
        if isinstance(entry, Score) and entry.fix is not None:
            parts += _fix_markdown(entry, entry.fix)
        listed = [j for fate in _LISTED for j in entry.of(fate)] if isinstance(entry, Score) else []
        if listed and isinstance(entry, Score):
            parts += ["", f"### {cell(entry.model)}\n"]
            parts += [
                f"- **{j.fate}** {cell(str(j.mutant.span))} {cell(j.mutant.function)}: {cell(j.mutant.text)}"
                for j in listed
            ]
    return "\n".join(parts) + "\n"


def _fix_markdown(score: Score, fix: Fix) -> list[str]:
    head = ["", f"### {cell(score.model)}, a fix of {cell(fix.before)}, which {cell(fix.stands)}\n"]
    rows = ["| needed? | line | | what happens without it |", "|---|---|---|---|"]
    for line in fix.lines:
        verdict, why = _needed(line, score)
        rows.append(f"| {verdict} | {cell(str(line.span))} | {line.mark} {cell(line.text)} | {cell(why)} |")
    return [*head, *rows]


def _table_row(entry: Entry) -> str:
    name = cell(f"{entry.file} {entry.model}".strip())
    if isinstance(entry, Failure):
        return f"| {name} | ERROR: {cell((entry.text.splitlines() or [''])[0])} | | | | |"
    if entry.skipped:
        return f"| {name} | not mutated: {cell(entry.skipped)} | | | | |"
    share = f" ({_percent(entry)})" if entry.percent is not None else ""
    fates: tuple[Fate, ...] = ("survived", *_UNCOUNTED)
    numbers = " | ".join(str(len(entry.of(fate))) for fate in fates)
    return f"| {name} | {len(entry.of('caught'))} of {entry.counted}{share} | {numbers} |"


WRITERS: dict[str, Callable[[Sequence[Entry], int], str]] = {
    "json": mutation_json,
    "markdown": lambda entries, code: mutation_markdown(entries),
}
"""The formats other than text."""
