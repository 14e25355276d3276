"""The results of mutation testing, as text, JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dio_mc.checking.results import Failure
from dio_mc.mutation.mutants import KINDS
from dio_mc.mutation.score import Fate, Judged, Score
from dio_mc.report.markdown import cell
from dio_mc.wording import plural

SCHEMA = "dio-mc/mutation/1"
Entry = Score | Failure
_LISTED: tuple[Fate, ...] = ("survived", "undetermined", "equivalent")
_REST: tuple[Fate, ...] = ("caught", "invalid")
_UNCOUNTED: tuple[Fate, ...] = ("equivalent", "undetermined", "invalid")


def mutation_text(entry: Score, *, everything: bool = False) -> str:
    """A line for the class, then its surviving mutants by line, then undecided and invalid ones. With `everything` also
    the caught mutants, with what caught each."""
    lines = [_headline(entry)]
    for fate in (*_LISTED, *(_REST if everything else ())):
        lines += [_line(judged) for judged in entry.of(fate)]
    return "\n".join(lines)


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
    return f"{text}\n{'':15}{judged.why}" if judged.why else text


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
    return {
        **head,
        "skipped": score.skipped,
        "percent": score.percent,
        **counts,
        "mutants": [_row(j) for j in score.judged],
    }


def _row(judged: Judged) -> Mapping[str, Any]:
    m = judged.mutant
    place = {"where": str(m.span), "function": m.function}
    return {"number": m.number, "kind": m.kind, **place, "text": m.text, "fate": judged.fate, "why": judged.why}


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
        listed = [j for fate in _LISTED for j in entry.of(fate)] if isinstance(entry, Score) else []
        if listed and isinstance(entry, Score):
            parts += ["", f"### {cell(entry.model)}\n"]
            parts += [
                f"- **{j.fate}** {cell(str(j.mutant.span))} {cell(j.mutant.function)}: {cell(j.mutant.text)}"
                for j in listed
            ]
    return "\n".join(parts) + "\n"


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
