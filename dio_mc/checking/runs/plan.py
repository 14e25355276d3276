"""Paths -> tasks: the model files, their classes, the bindings of each."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dio_mc.checking.expectations import bindings_of, expectation_for
from dio_mc.checking.results import Failure
from dio_mc.errors import DioError, ModelError, did_you_mean, usage_error
from dio_mc.frontend.load import load_module
from dio_mc.frontend.recognise import imports_dio_mc
from dio_mc.lang.declarations import Expectation
from dio_mc.lang.model import Model

if TYPE_CHECKING:
    from dio_mc.mutation.mutants import Recipe


@dataclass(frozen=True, slots=True)
class Task:
    """One run: a class of a file with its parameters bound, and the file's expectation; with a
    recipe, that mutant of the class."""

    file: str
    model: type[Model]
    params: tuple[tuple[str, int], ...]
    stated: Expectation | None
    recipe: Recipe | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The request of a command. `names` are classes, `params` are bound for all of them, `sweep`
    has the values of one parameter."""

    names: tuple[str, ...] = ()
    params: Mapping[str, int] = field(default_factory=dict)
    sweep: tuple[str, tuple[int, ...]] | None = None


def plan(files: Sequence[tuple[str, bool]], request: Request) -> list[Task | Failure]:
    """The tasks of the files in order; a file that cannot be loaded is a `Failure` in its place. A
    file of a folder may be a helper without a model."""
    entries: list[Task | Failure] = []
    known: list[str] = []
    for file, required in files:
        try:
            models = load_module(file, allow_empty=not required).models
        except DioError as error:
            entries.append(failure_of(error, file))
            continue
        known += [m.__name__ for m in models]
        chosen = [m for m in models if not request.names or m.__name__ in request.names]
        entries += [task for model in chosen for task in _tasks(file, model, request)]
    missing = [_unknown(name, known) for name in request.names if name not in known]
    return [*(failure_of(error) for error in missing), *entries]


def _tasks(file: str, model: type[Model], request: Request) -> list[Task]:
    if request.sweep is None:
        return [Task(file, model, tuple(p.items()), stated) for p, stated in bindings_of(model, dict(request.params))]
    name, values = request.sweep
    bindings = [{**request.params, name: value} for value in values]
    return [Task(file, model, tuple(p.items()), expectation_for(model, p)) for p in bindings]


def _unknown(name: str, known: Sequence[str]) -> ModelError:
    hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
    return usage_error("DIO208", f"no model class `{name}`", hint=hint)


def failure_of(error: DioError, file: str = "", model: str = "") -> Failure:
    """An error as an entry of a batch."""
    diagnostics = error.diagnostics if isinstance(error, ModelError) else ()
    return Failure(file, str(error), error.exit_code, diagnostics, model)


def find_files(paths: Iterable[str]) -> tuple[list[tuple[str, bool]], list[Failure]]:
    """The model files that paths and globs denote, each once, and whether it must contain a model;
    and the errors in the paths."""
    found: dict[str, bool] = {}
    failures: list[Failure] = []
    for path in paths:
        try:
            for file, required in _expanded(path):
                found[file] = found.get(file, False) or required
        except DioError as error:
            failures.append(failure_of(error, path))
    return list(found.items()), failures


def _expanded(path: str) -> list[tuple[str, bool]]:
    if any(c in path for c in "*?[") and not Path(path).exists():
        matches = sorted(p for p in glob.glob(path, recursive=True) if Path(p).is_dir() or p.endswith(".py"))
        if not matches:
            raise usage_error("DIO201", "no Python file matches", file=path)
        return [(file, False) for match in matches for file, _ in _expanded(match)]
    if not Path(path).is_dir():
        return [(path, True)]
    known: dict[Path, bool] = {}
    files = [file for file in _python_files(Path(path)) if imports_dio_mc(file, known)]
    if not files:
        hint = "only files that import dio_mc are models"
        raise usage_error("DIO202", "a directory without model files", file=path, hint=hint)
    return [(str(p), False) for p in files]


def _python_files(folder: Path) -> list[Path]:
    """The Python files below a folder in the order of their paths, without hidden, private and
    installed ones."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if not _left_out(here / name)]
        found += [here / name for name in files if name.endswith(".py") and not _hidden(name)]
    return sorted(found)


def _left_out(folder: Path) -> bool:
    installed = folder.name in ("site-packages", "node_modules") or (folder / "pyvenv.cfg").exists()
    return installed or _hidden(folder.name)


def _hidden(part: str) -> bool:
    return part.startswith((".", "__"))
