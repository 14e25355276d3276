"""The import graph of dio_mc in figures: rooms, arrows between them, floors, cycles.

    python tools/import_graph.py                 the files as they are
    python tools/import_graph.py REVISION ...    the files of these revisions, one line each
    python tools/import_graph.py --arrows        every arrow, with the files that make it

A room is a folder or a file directly in `dio_mc`. An arrow is an import of one room by another,
inside functions too; imports of the package itself (``from dio_mc import __version__``) do not
count. Floors are the rooms on the longest chain of imports, where rooms that import each other
count as one; cycles are pairs of rooms that import each other.
"""

from __future__ import annotations

import argparse
import ast
import io
import subprocess
import tarfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import networkx

ROOT = Path(__file__).resolve().parents[1]

Arrows = Mapping[tuple[str, str], frozenset[str]]
"""(importing room, imported room) -> the files that import."""


def sources(revision: str | None) -> dict[str, str]:
    """Path below `dio_mc` -> text, of a revision or of the files as they are."""
    if revision is None:
        package = ROOT / "dio_mc"
        return {p.relative_to(package).as_posix(): p.read_text(encoding="utf-8") for p in package.rglob("*.py")}
    packed = subprocess.run(["git", "archive", revision, "dio_mc"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = {m.name: archive.extractfile(m) for m in archive.getmembers() if m.name.endswith(".py")}
        return {name.removeprefix("dio_mc/"): f.read().decode() for name, f in files.items() if f is not None}


def imported(text: str) -> Iterator[str]:
    """The rooms that a file imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("dio_mc."))
        elif isinstance(node, ast.ImportFrom) and node.module == "dio_mc":
            yield from (a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("dio_mc."):
            yield node.module.split(".")[1]


def room_of(path: str) -> str:
    """``engines`` of ``engines/native/table.py``, ``memory`` of ``memory.py``."""
    return path.split("/")[0].removesuffix(".py")


def arrows_of(files: Mapping[str, str]) -> Arrows:
    """Every arrow between two rooms."""
    rooms = {room_of(path) for path in files}
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path, text in files.items():
        for other in imported(text):
            if other in rooms and other != room_of(path):
                found[room_of(path), other].add(path)
    return {arrow: frozenset(paths) for arrow, paths in found.items()}


def figures(files: Mapping[str, str]) -> str:
    """One line of figures."""
    rooms = {room_of(path) for path in files}
    graph = networkx.DiGraph(list(arrows_of(files)))
    graph.add_nodes_from(rooms)
    floors = networkx.dag_longest_path_length(networkx.condensation(graph)) + 1
    circles = sorted(f"{a} - {b}" for a, b in graph.edges if a < b and graph.has_edge(b, a))
    return (
        f"{len(files)} files, {len(rooms)} rooms, {graph.number_of_edges()} arrows, {floors} floors, "
        f"{len(circles)} circles{': ' if circles else ''}{', '.join(circles)}"
    )


def main() -> None:
    """Print what was requested."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("revisions", nargs="*", metavar="REVISION")
    parser.add_argument("--arrows", action="store_true", help="also every arrow, with the files that make it")
    asked = parser.parse_args()
    for revision in asked.revisions or [None]:
        files = sources(revision)
        print(f"{revision}: {figures(files)}" if revision else figures(files))
        if asked.arrows:
            for (one, other), paths in sorted(arrows_of(files).items()):
                print(f"  {one} -> {other}: {', '.join(sorted(paths))}")


if __name__ == "__main__":
    main()
