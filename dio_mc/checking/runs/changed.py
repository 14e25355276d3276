"""``--changed-since REV``: the model files that differ from a git revision, or import or read a
file that does. ``--affected``: the same for files that another tool (pre-commit) found to have
changed.

What a file reads is not known without running it, so this over-approximates: each file or folder
that a string in its source names, and, if it opens files at all, everything that is not a Python
file in its folder and below.
"""

from __future__ import annotations

import ast
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from dio_mc.errors import usage_error


def changed_since(revision: str, files: Sequence[tuple[str, bool]], config: Path | None) -> list[tuple[str, bool]]:
    """Those of `files` whose own source or imported neighbours changed; all of them if the
    configuration did."""
    root = Path(_git("rev-parse", "--show-toplevel", why=revision).rstrip("\n"))
    changed = changed_files(revision, root)
    if config is not None and config.resolve() in changed:
        return list(files)
    known: dict[Path, frozenset[Path]] = {}
    return [entry for entry in files if _depends(sources(Path(entry[0]).resolve(), known), changed)]


def _depends(sources: frozenset[Path], changed: frozenset[Path]) -> bool:
    if not changed.isdisjoint(sources):
        return True
    data = [path for path in changed if path.suffix != ".py"]
    for source in sources:
        named, opens = _read_by(source)
        if any(path.is_relative_to(place) for path in changed for place in named):
            return True
        if opens and any(path.is_relative_to(source.parent) for path in data):
            return True
    return False


OPENING = frozenset(
    ["glob", "iglob", "iterdir", "listdir", "open", "read_bytes", "read_text", "rglob", "scandir", "walk"]
)
"""Names of functions and methods that read files."""


def _read_by(source: Path) -> tuple[tuple[Path, ...], bool]:
    """The paths that the strings of a source may name, from its folder or from here; and whether it
    opens files at all."""
    try:
        tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return (), False
    names = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    used |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    here = (source.parent, Path.cwd())
    named = [folder / name for name in names if _is_name(name) for folder in here]
    return tuple(Path(os.path.normpath(place)) for place in named), not used.isdisjoint(OPENING)


def _is_name(text: str) -> bool:
    """Whether it can be the name of a file; the folder itself is not a name."""
    return 0 < len(text) < 256 and text.strip("./") != "" and "\n" not in text and "\0" not in text


def affected(files: Sequence[tuple[str, bool]]) -> list[tuple[str, bool]]:
    """The files, and those beside them that import one of them. Any of them may be a helper without
    a model."""
    changed = frozenset(Path(file).resolve() for file, _ in files)
    beside = {str(p) for file, _ in files for p in Path(file).parent.glob("*.py")}
    known: dict[Path, frozenset[Path]] = {}
    importing = {f for f in beside if _depends(sources(Path(f).resolve(), known), changed)}
    return [(file, False) for file in sorted(importing | {file for file, _ in files})]


def changed_files(revision: str, root: Path) -> frozenset[Path]:
    """The differences between the work tree and where it branched off from a revision, and
    untracked files."""
    if revision.startswith("-"):
        raise usage_error("DIO214", f"{revision} is not a revision")
    base = _git("merge-base", revision, "HEAD", why=revision).strip()
    listed = _git("diff", "--name-only", "-z", "--no-renames", base, "--", str(root), why=revision)
    untracked = _git("-C", str(root), "ls-files", "--others", "--exclude-standard", "-z", why=revision)
    return frozenset((root / name).resolve() for name in (listed + untracked).split("\0") if name)


def _git(*arguments: str, why: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    except OSError as error:
        raise usage_error("DIO214", f"git cannot be run: {error.strerror}") from None
    if done.returncode != 0:
        told = done.stderr.strip().splitlines()
        raise usage_error("DIO214", f"git knows no way from {why} to here: {told[0] if told else 'no common commit'}")
    return done.stdout


def sources(file: Path, known: dict[Path, frozenset[Path]]) -> frozenset[Path]:
    """A file and everything below its root that it imports, also through others; missing files
    included, since a file that was removed is a change."""
    if file in known:
        return known[file]
    seen: set[Path] = set()
    ahead = [file]
    while ahead:
        here = ahead.pop()
        if here not in seen:
            seen.add(here)
            ahead += _imported(here)
    known[file] = frozenset(seen)
    return known[file]


def _imported(file: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    root = _root(file)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _places(root, alias.name)
        elif isinstance(node, ast.ImportFrom):
            start = root if node.level == 0 else Path(os.path.normpath(file.parent / ("../" * (node.level - 1))))
            yield from _places(start, node.module or "")
            for alias in node.names:
                yield from _places(start, ".".join(filter(None, [node.module, alias.name])))
        elif isinstance(node, ast.Call) and _imports(node.func):
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield from _places(root, argument.value)


def _imports(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in ("import_module", "__import__")
        case _:
            return False


def _root(file: Path) -> Path:
    """The folder in which a model's imports are looked up: the nearest without ``__init__.py``."""
    folder = file.parent
    while (folder / "__init__.py").exists() and folder.parent != folder:
        folder = folder.parent
    return folder


def _places(root: Path, name: str) -> Iterator[Path]:
    """The files where a module would be: its file or its package, and the packages around it."""
    parts = [p for p in name.split(".") if p != "*"]
    for length in range(1, len(parts) + 1):
        stem = root.joinpath(*parts[:length])
        yield stem.with_name(stem.name + ".py")
        yield stem / "__init__.py"
