"""Settings of `check`: command line > environment > file > default. Each value carries its origin.

The file is the nearest ``dio-mc.toml``, or ``pyproject.toml`` with a table ``[tool.dio-mc]``, in the working directory
or above it, up to the folder that holds ``.git``. Unknown keys and wrong values are errors, because a misspelt limit
must not be ignored silently. Paths in a file are relative to that file.
"""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dio_mc.choices import ENGINES, REPORT_FORMATS
from dio_mc.errors import Diagnostic, ModelError, did_you_mean, usage_error
from dio_mc.source import Span, display_path, source_lines

PREFIX = "DIO_MC_"
NOT_SETTINGS = {"DIO_MC_DEBUG", "DIO_MC_NO_CACHE", "DIO_MC_PROGRESS"}
"""Environment variables with the same prefix that are not settings."""
OFF = "off"
"""As a path: nowhere."""
LOCAL = "local"
"""As the address of a Ray cluster: one of this machine, started for the search."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `parse` converts the raw value and raises `ValueError` for a wrong one; `default` applies if nothing
    is given; `about` is the line in the table of settings; `paths`: the value holds file paths."""

    parse: Callable[[Any], Any]
    default: Any
    about: str
    paths: bool = False

    def words(self) -> str:
        """The default as text."""
        return show(self.default)


@dataclass(frozen=True, slots=True)
class Value:
    """A value and its origin in words."""

    value: Any
    origin: str


# --- parsing values ---------------------------------------------------------------------------------------------------


def count(raw: object) -> int:
    """A whole number of at least 1."""
    return _whole(raw, 1)


def depth(raw: object) -> int:
    """A whole number of at least 0."""
    return _whole(raw, 0)


def _whole(raw: object, least: int) -> int:
    try:
        number = int(raw) if isinstance(raw, str) else raw
    except ValueError:
        number = None
    if isinstance(number, bool) or not isinstance(number, int) or number < least:
        raise ValueError(f"is not a whole number of at least {least}")
    return number


def seconds(raw: Any) -> float:
    """A number of seconds."""
    try:
        number = float(raw) if not isinstance(raw, bool) else -1.0
    except (TypeError, ValueError):
        number = -1.0
    if not 0 <= number < math.inf:
        raise ValueError("is not a number of seconds")
    return number


def memory(raw: object) -> int:
    """``800M``, ``4G``, or a number of bytes."""
    text = str(raw).strip().upper().removesuffix("B").removesuffix("I")
    scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:], 1)
    try:
        size = int(float(text[:-1] if scale > 1 else text) * scale)
    except (ValueError, OverflowError):
        size = -1
    if size < 0 or isinstance(raw, bool):
        raise ValueError("is not an amount of memory, such as 800M or 4G")
    return size


def flag(raw: object) -> bool:
    """``true`` or ``false``; in the environment also 1 and 0."""
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
    if isinstance(raw, bool):
        return raw
    if not isinstance(raw, str) or raw.strip().lower() not in words:
        raise ValueError("is neither true nor false")
    return words[raw.strip().lower()]


def text(raw: object) -> str:
    """A string."""
    if not isinstance(raw, str) or not raw:
        raise ValueError("is not a non-empty string")
    return raw


def output_format(raw: object) -> str:
    """The name of a report format."""
    if raw not in REPORT_FORMATS:
        near = did_you_mean(str(raw), REPORT_FORMATS)
        raise ValueError(f"is not a report format: {near or ', '.join(REPORT_FORMATS)}")
    return str(raw)


def engine(raw: object) -> str:
    """The name of an engine."""
    if raw not in ENGINES:
        raise ValueError(f"is not an engine: {did_you_mean(str(raw), ENGINES) or ', '.join(ENGINES)}")
    return str(raw)


def names(raw: object) -> tuple[str, ...]:
    """A list of strings; in the environment, separated by commas."""
    parts = [p.strip() for p in raw.split(",") if p.strip()] if isinstance(raw, str) else raw
    if not isinstance(parts, list | tuple) or not all(isinstance(p, str) and p for p in parts):
        raise ValueError("is not a list of non-empty strings")
    return tuple(parts)


def reports(raw: object) -> tuple[tuple[str, str], ...]:
    """Pairs of format and path: a list of ``FORMAT=PATH``, or a table from format to path."""
    pairs = list(raw.items()) if isinstance(raw, Mapping) else [tuple(p.partition("=")[::2]) for p in names(raw)]
    for form, path in pairs:
        output_format(form)
        if not path or not isinstance(path, str):
            raise ValueError(f"is not FORMAT=PATH: no path for {form}")
    return tuple((form, path) for form, path in pairs)


def ray_address(raw: object) -> str:
    """Where a Ray cluster is: ``HOST:PORT``, ``auto``, or ``local``."""
    if not isinstance(raw, str) or not is_ray_address(raw):
        raise ValueError("is not HOST:PORT, auto or local")
    return raw


def is_ray_address(text: str) -> bool:
    """Whether a word says where a Ray cluster is."""
    host, colon, port = text.rpartition(":")
    return text in (LOCAL, "auto") or bool(colon and host and port.isdigit() and "/" not in host)


SETTINGS: dict[str, Setting] = {
    "models": Setting(names, (), "files, folders and globs that `check` takes when none is given", paths=True),
    "jobs": Setting(count, 1, "processes that check models at the same time"),
    "engine": Setting(engine, "auto", "what explores: auto, reference or native"),
    "workers": Setting(count, 1, "threads of the native engine"),
    "reduction": Setting(flag, True, "reduce large searches where that is proved sound"),
    "symmetry": Setting(flag, True, "exchange equal threads and indices in a reduced search"),
    "partial-order": Setting(flag, None, "take one order of independent steps in a reduced search; -: if it pays"),
    "verify-reduction": Setting(flag, False, "explore reduced and in full, and compare"),
    "output-format": Setting(output_format, "text", "what goes to stdout"),
    "report": Setting(reports, (), "report files, FORMAT=PATH", paths=True),
    "max-states": Setting(count, None, "stop a run after this number of states"),
    "max-depth": Setting(depth, None, "stop a run at this number of steps from the start"),
    "timeout": Setting(seconds, None, "stop a run after this number of seconds"),
    "max-memory": Setting(memory, None, "stop a run at this much resident memory"),
    "checkpoint": Setting(text, None, "where long searches are saved (-: the cache), or off", paths=True),
    "resume": Setting(flag, False, "continue saved searches"),
    "disk": Setting(text, None, "where large searches keep states (-: cache, when out of memory), or off", paths=True),
    "ray": Setting(ray_address, None, "divide large searches among a Ray cluster: HOST:PORT, auto, or local"),
    "first": Setting(flag, False, "stop after the level of the first violation"),
    "counterexamples": Setting(text, "counterexamples", "where counterexamples are written", paths=True),
    "artifacts": Setting(flag, True, "write counterexample files"),
    "html": Setting(flag, False, "among them a page to step through"),
    "strict": Setting(flag, False, "findings make exit code 1"),
    "allow-undetermined": Setting(flag, False, "exit code 0 instead of 3"),
}


# --- sources of values ------------------------------------------------------------------------------------------------


def effective(
    given: Mapping[str, Any], environment: Mapping[str, str] | None = None, start: Path | None = None
) -> dict[str, Value]:
    """Every setting with its origin. `given` holds the options of the command line (None: not given), `environment`
    defaults to the process's, `start` to the working directory. Raises `ModelError`."""
    values = {name: Value(s.default, "default") for name, s in SETTINGS.items()}
    values |= _from_file(find_file(start or Path.cwd()))
    values |= _from_environment(os.environ if environment is None else environment)
    for name, raw in given.items():
        if raw is not None and raw != ():
            values[name] = Value(_parsed(name, raw, usage_prefix=f"--{name} "), "command line")
    return values


def show(value: object) -> str:
    """A value as `dio-mc config` prints it."""
    if value is None or value == ():
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join("=".join(v) if isinstance(v, tuple) else v for v in value)
    return str(value)


def find_file(start: Path) -> Path | None:
    """The configuration file that applies in folder `start`, or None. Raises `ModelError` (DIO213) if one folder has
    two."""
    for folder in (start, *start.parents):
        own, project = folder / "dio-mc.toml", folder / "pyproject.toml"
        table = project.is_file() and _table(project) is not None
        if own.is_file() and table:
            raise usage_error("DIO213", "there is [tool.dio-mc] in pyproject.toml as well: keep one", file=str(own))
        if own.is_file() or table:
            return own if own.is_file() else project
        if (folder / ".git").exists():
            return None
    return None


def _table(file: Path) -> dict[str, Any] | None:
    """The settings in a file; None for a pyproject.toml without them."""
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise usage_error("DIO213", f"cannot be read: {error}", file=str(file)) from None
    found = document.get("tool", {}).get("dio-mc") if file.name == "pyproject.toml" else document
    if found is not None and not isinstance(found, dict):
        raise usage_error("DIO213", "[tool.dio-mc] is not a table", file=str(file))
    return found


def _from_file(file: Path | None) -> dict[str, Value]:
    table = _table(file) if file is not None else None
    if file is None or table is None:
        return {}
    values: dict[str, Value] = {}
    problems: list[Diagnostic] = []
    for key, raw in table.items():
        span = _span(file, key)
        name = key.replace("_", "-")
        if name not in SETTINGS:
            problems.append(Diagnostic("DIO211", f"unknown setting `{key}`", span, did_you_mean(name, SETTINGS)))
            continue
        try:
            value = _below(file.parent, name, SETTINGS[name].parse(raw))
            values[name] = Value(value, f"{display_path(str(file))}:{span.line}")
        except ValueError as error:
            problems.append(Diagnostic("DIO212", f"{key} = {raw!r} {error}", span))
    if problems:
        raise ModelError(tuple(problems))
    return values


def _below(folder: Path, name: str, value: Any) -> object:
    """The value with its paths made relative to the working directory instead of `folder`."""
    if not SETTINGS[name].paths or folder.resolve() == Path.cwd():
        return value
    if isinstance(value, str):
        return value if value == OFF else display_path(str(folder / value))
    moved = [
        (v[0], display_path(str(folder / v[1]))) if isinstance(v, tuple) else display_path(str(folder / v))
        for v in value
    ]
    return tuple(moved)


def _span(file: Path, key: str) -> Span:
    """The line that sets a key; in a pyproject.toml, after the head of the table."""
    seen = file.name != "pyproject.toml"
    for number, line in enumerate(source_lines(str(file)), start=1):
        seen = seen or line.strip().startswith("[tool.dio-mc")
        found = re.match(rf"\s*(\[tool\.dio-mc\.|\[)?[\"']?{re.escape(key)}[\"']?\s*(=|\.|\])", line)
        if seen and found:
            return Span(str(file), number, 1, number, len(line) + 1)
    return Span(str(file), 1, 1, 1, 1)


def _from_environment(environment: Mapping[str, str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for variable in sorted(v for v in environment if v.startswith(PREFIX) and v not in NOT_SETTINGS):
        name = variable.removeprefix(PREFIX).lower().replace("_", "-")
        if name not in SETTINGS:
            known = [PREFIX + s.upper().replace("-", "_") for s in SETTINGS]
            message = f"unknown setting {variable} in the environment"
            raise usage_error("DIO211", message, hint=did_you_mean(variable, known))
        values[name] = Value(
            _parsed(name, environment[variable], usage_prefix=f"{variable}="), f"environment {variable}"
        )
    return values


def _parsed(name: str, raw: object, usage_prefix: str) -> Any:
    try:
        return SETTINGS[name].parse(raw)
    except ValueError as error:
        shown = ",".join(raw) if isinstance(raw, tuple) else raw
        raise usage_error("DIO212", f"{usage_prefix}{shown} {error}") from None
