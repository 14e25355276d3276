"""The command ``models``: list the shipped models, one line each, or copy them."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

import click


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(models)


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--copy", "target", metavar="DIR", type=click.Path(path_type=Path), help="Copy them to DIR.")
def models(names: tuple[str, ...], target: Path | None) -> None:
    """List the shipped models, or copy them.

    NAME is a folder (seed, history, toys, protocols, workloads) or a file of one (seed/placeholder.py). A copied file
    brings the files that it imports; nothing is overwritten.
    """
    from dio_mc.models import models_folder

    folder = models_folder()
    chosen = [path for name in names for path in _named(folder, name)] if names else list(_all(folder))
    if target is None:
        width = max(len(path.relative_to(folder).as_posix()) for path in chosen)
        for path in chosen:
            click.echo(f"{path.relative_to(folder).as_posix():{width}}  {_about(path)}".rstrip())
        return
    _copy(folder, _with_imports(chosen), target)


def _all(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.glob("*/*.py")) if not path.name.startswith("_"))


def _named(folder: Path, name: str) -> list[Path]:
    """The files of a folder, or one file. Raises `ModelError` (DIO208) if there is none of that name."""
    from dio_mc.errors import did_you_mean, usage_error

    known = {path.relative_to(folder).as_posix(): path for path in _all(folder)}
    found = [path for shown, path in known.items() if name.rstrip("/") in (shown, shown.split("/")[0])]
    if not found:
        folders = sorted({shown.split("/")[0] for shown in known})
        hint = did_you_mean(name, [*known, *folders]) or f"there are the folders {', '.join(folders)}"
        raise usage_error("DIO208", f"no shipped model `{name}`", hint=hint)
    return found


def _about(path: Path) -> str:
    """The first sentence of a file, read without executing it."""
    doc = ast.get_docstring(ast.parse(path.read_bytes())) or ""
    first = " ".join(doc.split("\n\n")[0].split())
    return first.split(". ")[0].rstrip(".")


def _with_imports(files: Sequence[Path]) -> list[Path]:
    """The files, and the neighbouring files that they import by name."""
    found = dict.fromkeys(files)
    waiting = list(files)
    while waiting:
        path = waiting.pop()
        for name in _imports(path):
            beside = path.with_name(f"{name}.py")
            if beside.is_file() and beside not in found:
                found[beside] = None
                waiting.append(beside)
    return sorted(found)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def _copy(folder: Path, files: Sequence[Path], target: Path) -> None:
    from dio_mc.errors import usage_error

    places = {path: target / path.relative_to(folder) for path in files}
    for place in places.values():
        if place.exists():
            raise usage_error("DIO232", "exists already and is not overwritten", file=str(place))
    try:
        for path, place in places.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as file:
                file.write(path.read_bytes())
    except OSError as error:
        file_name = str(error.filename or target)
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=file_name) from None
    count = len(places)
    click.echo(f"{count} file{'' if count == 1 else 's'} below {target}  (dio-mc check {target})")
