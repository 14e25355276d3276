"""The contents of a folder of counterexamples: traces, graphs, and files that are neither, each with the reason.

Names are paths relative to the folder, with ``/``. Nothing outside the folder is read: symbolic links that lead out of
it are listed and not followed. A truncated, foreign or unreadable file never hides the others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dio_mc.errors import usage_error
from dio_mc.trace.codec import TraceFormatError, decode
from dio_mc.trace.trace import Trace

MOST_FILES = 5_000
"""The largest number of files examined; a larger folder is cut off with a note."""
MOST_TRACE_BYTES = 8_000_000
MOST_GRAPH_BYTES = 400_000
_GRAPHS = (".dot", ".gv")
_OURS = (".txt", ".svg", ".html")
"""Files that may accompany a trace without being listed."""


@dataclass(frozen=True, slots=True)
class Found:
    """A trace. `graph` is the name of the DOT file with the same stem, if there is one."""

    name: str
    trace: Trace
    graph: str | None

    @property
    def page(self) -> str:
        """The name of its page."""
        return f"{self.name.removesuffix('.json')}.html"


@dataclass(frozen=True, slots=True)
class Graph:
    """A DOT file's text. `alone`: there is no trace with the same stem."""

    name: str
    text: str
    alone: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is not shown, and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Folder:
    """The contents, each kind sorted by name."""

    title: str
    traces: tuple[Found, ...]
    graphs: tuple[Graph, ...]
    refused: tuple[Refused, ...]


def scan(root: Path) -> Folder:
    """Read a folder. Raises `ModelError` (DIO201, DIO221) if it does not exist or is not a folder."""
    if not root.exists():
        raise usage_error("DIO201", "no such folder", file=str(root), hint="dio-mc check writes counterexamples/")
    if not root.is_dir():
        raise usage_error("DIO221", "a folder is needed here", file=str(root), hint="for one trace: dio-mc show")
    names, refused = _names(root)
    known = set(names)
    traces: list[Found] = []
    graphs: list[Graph] = []
    for name in names:
        outcome = _look(root, name, known)
        match outcome:
            case Found():
                traces.append(outcome)
            case Graph():
                graphs.append(outcome)
            case Refused():
                refused.append(outcome)
            case None:
                pass
    drawn = {graph.name for graph in graphs}
    traces = [f if f.graph is None or f.graph in drawn else Found(f.name, f.trace, None) for f in traces]
    shown = {found.graph for found in traces}
    graphs = [Graph(g.name, g.text, g.name not in shown) for g in graphs]
    refused.sort(key=lambda file: file.name)
    return Folder(root.resolve().name or str(root), tuple(traces), tuple(graphs), tuple(refused))


def _names(root: Path) -> tuple[list[str], list[Refused]]:
    """Every file in the folder tree, sorted by name, and what could not be entered."""
    found: list[str] = []
    refused: list[Refused] = []

    def unreadable(error: OSError) -> None:
        refused.append(Refused(_below(root, Path(error.filename or root)), _words(error)))

    for folder, inner, files in os.walk(root, onerror=unreadable):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        refused += [
            Refused(_below(root, Path(folder, name)), "a link to a folder; not followed")
            for name in inner
            if Path(folder, name).is_symlink()
        ]
        found += [_below(root, Path(folder, name)) for name in sorted(files) if not name.startswith(".")]
        if len(found) > MOST_FILES:
            refused.append(Refused(_below(root, Path(folder)), f"only the first {MOST_FILES} files are shown"))
            break
    return sorted(found[:MOST_FILES]), refused


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix()


def _look(root: Path, name: str, known: set[str]) -> Found | Graph | Refused | None:
    suffix = Path(name).suffix.lower()
    try:
        if suffix == ".json":
            return Found(name, decode(_read(root, name, MOST_TRACE_BYTES)), _beside(name, known))
        if suffix in _GRAPHS:
            return Graph(name, _read(root, name, MOST_GRAPH_BYTES).decode("utf-8"), alone=True)
    except _NotShownError as reason:
        return Refused(name, str(reason))
    except TraceFormatError as error:
        return Refused(name, error.message)
    except UnicodeDecodeError:
        return Refused(name, "not UTF-8 text")
    except OSError as error:
        return Refused(name, _words(error))
    return None if suffix in _OURS else Refused(name, "neither a trace (.json) nor a graph (.dot)")


class _NotShownError(Exception):
    """The file is left out; the message says why."""


def _read(root: Path, name: str, most: int) -> bytes:
    path = root / name
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise _NotShownError("a link that leads out of the folder; not followed")
    if not path.is_file():
        raise _NotShownError("not a regular file")
    if path.stat().st_size > most:
        raise _NotShownError(f"larger than {most // 1000} kB")
    return path.read_bytes()


def _beside(name: str, known: set[str]) -> str | None:
    stem = name.removesuffix(".json")
    return next((stem + suffix for suffix in _GRAPHS if stem + suffix in known), None)


def _words(error: OSError) -> str:
    return f"cannot be read: {error.strerror or error}"


def groups(folder: Folder) -> Iterator[tuple[Trace, list[Found]]]:
    """The traces grouped by model, each group with one of its traces for the model's name. Models with violations come
    first, and violations come first within a group."""
    found: dict[tuple[object, ...], list[Found]] = {}
    for entry in folder.traces:
        model = entry.trace.model
        found.setdefault((model.file, model.name, model.params), []).append(entry)
    for entries in found.values():
        entries.sort(key=lambda entry: (entry.trace.kind == "witness", entry.name))
    for entries in sorted(found.values(), key=lambda entries: entries[0].trace.kind == "witness"):
        yield entries[0].trace, entries
