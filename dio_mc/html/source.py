"""The model's source beside a trace: whole files if they are available, otherwise the lines stored in the trace.

A trace may come from anybody, and a page is passed on. So only Python files that the trace names, below the working
directory (or named by the user), are included in a page, and files of models that this process has loaded; anything
else is left out, with the reason.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dio_mc.html.markup import text
from dio_mc.source import sources_read
from dio_mc.trace.naming import shown_file
from dio_mc.trace.trace import Place, Trace

_MOST_BYTES = 400_000


@dataclass(frozen=True, slots=True)
class Source:
    """A file of the model: its lines by number (all of them, or those stored in the trace), and a note about it."""

    file: str
    lines: tuple[tuple[int, str], ...]
    note: str


def sources_of(trace: Trace, folder: Path, model_file: str | None = None) -> tuple[Source, ...]:
    """The model's file and all other files with steps of the trace, relative to `folder`; `model_file` is the current
    place of the model's file. Reads files, executes nothing."""
    named = [trace.model.file, *(p.file for p in _places(trace))]
    return tuple(_source(trace, name, folder, model_file) for name in dict.fromkeys(filter(None, named)))


def _places(trace: Trace) -> list[Place]:
    faults = [trace.final_fault.place if trace.final_fault else None]
    return [p for p in [*(step.place for step in trace.steps), trace.place, *faults] if p is not None]


def _source(trace: Trace, name: str, folder: Path, model_file: str | None) -> Source:
    kept = {line.line: line.text for line in trace.lines if line.file == name}
    given = model_file is not None and name == trace.model.file
    try:
        lines = _read(Path(model_file) if given and model_file else _below(folder, name))
    except _NotAtHandError as reason:
        if not (loaded := _loaded_as(name, kept)):
            return Source(name, tuple(sorted(kept.items())), f"{reason}{_only(kept)}")
        lines = loaded
    if not _agree(lines, kept):
        return Source(name, tuple(sorted(kept.items())), f"the file has changed since the trace was taken{_only(kept)}")
    unsure = "" if kept else "as the file is now; the trace does not say how it was"
    return Source(name, tuple(enumerate(lines, start=1)), unsure)


def _loaded_as(name: str, kept: Mapping[int, str]) -> Sequence[str]:
    """The lines of a loaded file outside the working directory, of which a trace has only the name; empty if no file
    has the lines that the trace keeps. Without such lines it is not known which file is meant."""
    if not kept or "/" in name:
        return []
    found = [lines for file, lines in sources_read().items() if shown_file(file) == name]
    expanded = ([line.expandtabs() for line in lines] for lines in found)
    return next((lines for lines in expanded if _agree(lines, kept)), [])


def _agree(lines: Sequence[str], kept: Mapping[int, str]) -> bool:
    """Whether the lines that a trace keeps are those of the file."""
    return all(
        0 < number <= len(lines) and lines[number - 1].rstrip() == line.expandtabs() for number, line in kept.items()
    )


def _only(kept: Mapping[int, str]) -> str:
    return "; these are the lines that the trace keeps" if kept else ""


class _NotAtHandError(Exception):
    """The file cannot be shown; the message gives the reason."""


def _below(folder: Path, name: str) -> Path:
    path = folder / name
    try:
        inside = path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        inside = False
    if not inside or not name.endswith(".py"):
        raise _NotAtHandError("not a Python file below the working directory, so it is not read")
    return path


def _read(path: Path) -> Sequence[str]:
    try:
        if not path.is_file():
            raise _NotAtHandError("the file is not at hand")
        if path.stat().st_size > _MOST_BYTES:
            raise _NotAtHandError(f"the file is larger than {_MOST_BYTES // 1000} kB")
        return [line.expandtabs() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not UTF-8 text"
        raise _NotAtHandError(f"the file cannot be read: {reason}") from None


# -- colours ------------------------------------------------------------------------------------------


def coloured(source: Source) -> dict[int, str]:
    """The markup of each line, with keywords, strings, comments and defined names in ``span`` elements."""
    spans = _spans(source)
    return {number: _line(line, spans.get(number, [])) for number, line in source.lines}


def _line(line: str, spans: list[tuple[int, int, str]]) -> str:
    parts, done = [], 0
    for start, end, kind in spans:
        if start < done:
            continue
        parts.append(f'{text(line[done:start])}<span class="{kind}">{text(line[start:end])}</span>')
        done = end
    return "".join(parts) + text(line[done:])


def _spans(source: Source) -> dict[int, list[tuple[int, int, str]]]:
    """(start, end, class) of tokens per line, as far as the lines are Python; stored lines are tokenized one by one."""
    numbers = [number for number, _ in source.lines]
    found: dict[int, list[tuple[int, int, str]]] = {}
    if numbers == list(range(1, len(numbers) + 1)):
        _tokenize("\n".join(line for _, line in source.lines), found)
        return found
    for number, line in source.lines:
        lead = len(line) - len(line.lstrip())
        alone: dict[int, list[tuple[int, int, str]]] = {}
        _tokenize(line[lead:], alone)
        found[number] = [(start + lead, end + lead, kind) for start, end, kind in alone.get(1, [])]
    return found


def _tokenize(code: str, found: dict[int, list[tuple[int, int, str]]]) -> None:
    defined = False
    rows = code.split("\n")
    try:
        for token in tokenize.generate_tokens(io.StringIO(code + "\n").readline):
            kind = _kind(token, defined)
            defined = token.type == tokenize.NAME and token.string in ("def", "class")
            (first, start), (last, end) = token.start, token.end
            for row in range(first, last + 1) if kind else ():
                left, right = start if row == first else 0, end if row == last else len(rows[row - 1])
                found.setdefault(row, []).append((left, right, kind))
    except (tokenize.TokenError, SyntaxError):
        return


def _kind(token: tokenize.TokenInfo, defined: bool) -> str:
    match token.type:
        case tokenize.COMMENT:
            return "pc"
        case tokenize.STRING:
            return "ps"
        case tokenize.NAME if keyword.iskeyword(token.string):
            return "pk"
        case tokenize.NAME if defined:
            return "pd"
        case tokenize.OP if token.string == "@":
            return "pk"
        case _:
            return ""
