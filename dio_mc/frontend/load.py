"""A file -> the model classes in it. Importing a model runs its top level, like importing any Python file."""

from __future__ import annotations

import os
import re
import stat
import traceback
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Final

from dio_mc.errors import Diagnostic, ModelError, did_you_mean, usage_error
from dio_mc.frontend.importing import forget_file, imported, run_file
from dio_mc.frontend.stated import check_expectations
from dio_mc.guard import Ended
from dio_mc.lang.declarations import Expectation
from dio_mc.lang.model import Model
from dio_mc.source import Span, forget_source, source_lines


@dataclass(frozen=True, slots=True)
class LoadedModule:
    """A model file: its path as displayed, the classes to check, in order of definition, and all classes that it
    defines."""

    path: str
    models: tuple[type[Model], ...]
    classes: tuple[type, ...] = ()

    def expectations(self, model: type[Model]) -> tuple[Expectation, ...]:
        """The expectations that the file states for a class."""
        return model.__dio_expectations__


def load_module(path: str | os.PathLike[str], *, allow_empty: bool = False) -> LoadedModule:
    """Import a model file. Raises `ModelError` for a missing file, a directory, a syntax error, an import that raises,
    or a file without a model."""
    file = Path(path)
    _check_file(file)
    _check_syntax(file)
    module = _import(file)
    found = [v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Model) and v is not Model]
    own = [cls for cls in dict.fromkeys(found) if cls.__module__ == module.__name__ and not cls.__dio_abstract__]
    try:
        check_expectations(found, file)
    except ModelError as error:
        raise ModelError((*error.diagnostics, *_errors_of(own))) from None
    if not own and not allow_empty:
        raise usage_error(
            "DIO107", "no model in this file", file=str(file), hint="define a class that derives from dio_mc.Model"
        )
    return LoadedModule(str(path), tuple(own), _classes_of(module))


def _errors_of(models: Iterable[type[Model]]) -> list[Diagnostic]:
    """What is wrong in the classes themselves, so that a misspelt expectation does not hide it. An error in a common
    base class is reported once."""
    from dio_mc.frontend.build import build

    found: dict[tuple[str, Span | None], Diagnostic] = {}
    for model in models:
        try:
            build(model)
        except ModelError as error:
            for diagnostic in error.diagnostics:
                found.setdefault((diagnostic.code, diagnostic.span), diagnostic)
    return list(found.values())


def _classes_of(module: ModuleType) -> tuple[type, ...]:
    return tuple(v for v in vars(module).values() if isinstance(v, type) and v.__module__ == module.__name__)


def load_together(files: Iterable[Path]) -> tuple[type, ...]:
    """Import files that may import one another, each only once, so that a class has one identity in all of them. They
    need not define models. Returns all their classes. Raises as `load_module` does."""
    files = [file.resolve() for file in files]
    for file in files:
        forget_source(str(file))
        forget_file(file)
    found: list[type] = []
    for file in files:
        if imported(file) is None:
            load_module(file, allow_empty=True)
        module = imported(file)
        assert module is not None
        found += _classes_of(module)
    return tuple(found)


def _check_file(file: Path) -> None:
    if file.is_dir():
        raise usage_error("DIO202", "is a directory, a file is needed here", file=str(file))
    if not file.exists():
        raise usage_error("DIO201", "no such file", file=str(file))
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # reading a pipe would block, a device has no end
            raise usage_error("DIO202", "is not a regular file", file=str(file))
        file.read_text(encoding="utf-8")
    except OSError as error:
        raise usage_error("DIO201", f"cannot be read: {error.strerror}", file=str(file)) from None
    except UnicodeDecodeError:
        raise usage_error("DIO201", "is not UTF-8 text", file=str(file)) from None


def _check_syntax(file: Path) -> None:
    text = file.read_text(encoding="utf-8-sig")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # Python warns when it imports the file
            compile(text, str(file), "exec", dont_inherit=True)
    except SyntaxError as error:
        line, column = error.lineno or 1, error.offset or 1
        end = error.end_offset if error.end_lineno == error.lineno and error.end_offset else column + 1
        span = Span(str(file.resolve()), line, max(1, column), line, max(column + 1, end))
        raise ModelError((Diagnostic("DIO100", error.msg, span),)) from None
    except ValueError as error:  # null bytes
        raise usage_error("DIO100", str(error), file=str(file)) from None


def _import(file: Path) -> ModuleType:
    file = file.resolve()
    forget_source(str(file))
    try:
        return run_file(file)
    except (KeyboardInterrupt, Ended):
        raise
    except BaseException as error:
        raise _import_failure(error, file) from None


def _import_failure(error: BaseException, file: Path) -> ModelError:
    """An exception of a model's top level as an error at the line of the model that raised it, without our frames."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_users(f.filename)]
    text = _raised(error)
    if not frames:
        return usage_error("DIO101", f"importing it raised {text}", file=str(file))
    last = frames[-1]
    line = last.lineno or 1
    column = (last.colno or 0) + 1
    end = (last.end_colno or 0) + 1 if last.end_lineno == last.lineno else len(_line(last.filename, line)) + 1
    span = Span(last.filename, line, column, line, max(end, column + 1))
    above = [f for f in reversed(frames[:-1]) if f.filename != last.filename]
    chain = " <- ".join(f"{Path(f.filename).name}:{f.lineno}" for f in above)
    hint = f"imported from {chain}" if chain else _where(error)
    if "method resolution order" in text:
        hint = "name a class before the classes that it derives from"
    return ModelError((Diagnostic("DIO101", f"importing the model raised {text}", span, hint),))


_ROOMS: Final = ("dio_mc", "dio_mc.kernel")
"""The modules that a model imports from. Imported by name, for a hint: nothing here depends on the vocabulary."""


def _where(error: BaseException) -> str:
    """A hint if a name of the language or of the vocabulary was imported from the wrong module, or not imported."""
    if not isinstance(error, ImportError | NameError):
        return ""
    found = re.search(r"cannot import name '(\w+)' from '(dio_mc[\w.]*)'|name '(\w+)' is not defined", str(error))
    if found is None:
        return ""
    name = found[1] or found[3]
    rooms = {room: sorted(import_module(room).__all__) for room in _ROOMS}
    module = next((module for module, names in rooms.items() if name in names), None)
    return f"from {module} import {name}" if module else did_you_mean(name, rooms.get(found[2], ()))


def _raised(error: BaseException) -> str:
    """The exception as one line."""
    lines = [line.strip() for line in "".join(traceback.format_exception_only(error)).strip().splitlines()]
    return lines[-1] if isinstance(error, SyntaxError) else " ".join(lines)


def _is_users(filename: str) -> bool:
    package = str(Path(__file__).resolve().parent.parent)
    return not filename.startswith("<frozen") and not filename.startswith(package)


def _line(file: str, line: int) -> str:
    lines = source_lines(file)
    return lines[line - 1] if 0 < line <= len(lines) else ""
