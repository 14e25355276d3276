"""Trace <-> JSON, schema ``dio-mc/trace/1``.

The text depends on the trace alone: keys in the order of the fields, two spaces, ASCII, a newline at the end; no times,
no host names. Reading checks every field and its type, and that the parts agree. A fault of a file is reported in one
sentence with the path of the field, never as a Python traceback:

    >>> decode('{"schema": "dio-mc/trace/1"}')
    Traceback (most recent call last):
    dio_mc.trace.codec.TraceFormatError: not a dio-mc trace: $: the field 'kind' is missing
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints

from dio_mc.errors import DioError, ModelError, usage_error
from dio_mc.trace.consistency import inconsistencies
from dio_mc.trace.trace import SCHEMA, Trace


@dataclass(eq=False)
class TraceFormatError(DioError):
    """The text is not a trace of this version; the message is one sentence."""

    message: str

    def __str__(self) -> str:
        return self.message


def encode(trace: Trace) -> str:
    """The trace as JSON text."""
    return json.dumps(_plain(trace), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def decode(text: str | bytes) -> Trace:
    """The trace that `encode` wrote. Raises `TraceFormatError`."""
    data = _parse(text)
    _check_schema(data)
    trace = cast(Trace, _value(data, Trace, "$"))
    for problem in inconsistencies(trace):
        raise TraceFormatError(f"not a dio-mc trace: {problem}")
    return trace


def read_trace(path: str | Path) -> Trace:
    """The trace in a file. Raises `TraceFormatError`, which names the file, also if it cannot be read."""
    try:
        return decode(Path(path).read_bytes())
    except OSError as error:
        raise TraceFormatError(f"{path}: cannot be read: {error.strerror or error}") from None
    except TraceFormatError as error:
        raise TraceFormatError(f"{path}: {error.message}") from None


def no_trace(path: str, error: TraceFormatError) -> ModelError:
    """The usage error (DIO205) for a file that holds no trace."""
    given = Path(path)
    hint = "a counterexample is a .json file below counterexamples/, which `dio-mc check` writes"
    meant = hint if given.is_dir() or given.suffix == ".py" else ""
    return usage_error("DIO205", str(error).removeprefix(f"{path}: "), file=path, hint=meant)


def _plain(value: Any) -> Any:
    """Dataclasses as objects, tuples as arrays. Optional fields are omitted if they have their default."""
    if is_dataclass(value):
        said = [(field.name, getattr(value, field.name)) for field in fields(value)]
        usual = {field.name: field.default for field in fields(value) if field.default is not MISSING}
        return {name: _plain(found) for name, found in said if name not in usual or found != usual[name]}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _parse(text: str | bytes) -> Any:
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except UnicodeDecodeError:
        raise TraceFormatError("not a dio-mc trace: it is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        if not error.doc.strip():
            raise TraceFormatError("not a dio-mc trace: it is empty") from None
        cut = " (is the file cut off?)" if not error.doc[error.pos :].strip() or "Unterminated" in error.msg else ""
        where = f"line {error.lineno}, column {error.colno}"
        raise TraceFormatError(f"not JSON: {error.msg.removesuffix(' at')} at {where}{cut}") from None
    except RecursionError:
        raise TraceFormatError("not a dio-mc trace: it is nested too deeply") from None
    except ValueError as error:  # an integer of more digits than Python converts
        raise TraceFormatError(f"not a dio-mc trace: {error}") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise TraceFormatError(f"not a dio-mc trace: the key {twice!r} occurs twice in one object")
    return found


def _constant(word: str) -> Any:
    raise TraceFormatError(f"not a dio-mc trace: {word} is no JSON value")


def _check_schema(data: object) -> None:
    if not isinstance(data, dict):
        raise TraceFormatError(f"not a dio-mc trace: expected an object, found {_name(data)}")
    schema = data.get("schema")
    if not isinstance(schema, str):
        raise TraceFormatError(f'not a dio-mc trace: it has no "schema" (expected {SCHEMA!r})')
    if schema == SCHEMA:
        return
    if schema.startswith("dio-mc/trace/"):
        raise TraceFormatError(f"written in format {schema!r}, this version of dio-mc reads {SCHEMA!r}")
    raise TraceFormatError(f"not a dio-mc trace: its schema is {schema!r} (expected {SCHEMA!r})")


def _wrong(path: str, expected: str, found: object) -> TraceFormatError:
    return TraceFormatError(f"not a dio-mc trace: {path}: expected {expected}, found {_name(found)}")


def _name(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return f"{value!r}" if len(value) < 40 else "a long text"
        case list():
            return "an array"
        case _:
            return "an object"


def _value(data: object, hint: Any, path: str) -> Any:
    """`data` as a value of type `hint`."""
    if hint is str or hint is bool or hint is int:
        return _scalar(data, hint, path)
    if is_dataclass(hint):
        return _record(data, cast(type, hint), path)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        if _scalar(data, str, path) not in arguments:
            raise _wrong(path, f"one of {', '.join(arguments)}", data)
        return data
    if origin is UnionType:
        assert arguments[1] is NoneType
        return None if data is None else _value(data, arguments[0], path)
    assert origin is tuple
    return _array(data, arguments, path)


def _scalar(data: object, hint: type, path: str) -> Any:
    if type(data) is not hint:
        raise _wrong(path, {str: "text", bool: "true or false", int: "a whole number"}[hint], data)
    return data


def _array(data: object, arguments: tuple[Any, ...], path: str) -> tuple[Any, ...]:
    """``tuple[X, ...]`` or a pair ``tuple[X, Y]``."""
    if not isinstance(data, list):
        raise _wrong(path, "an array", data)
    if arguments[-1] is Ellipsis:
        return tuple(_value(item, arguments[0], f"{path}[{position}]") for position, item in enumerate(data))
    if len(data) != len(arguments):
        raise TraceFormatError(f"not a dio-mc trace: {path}: expected {len(arguments)} elements, found {len(data)}")
    pairs = enumerate(zip(data, arguments, strict=True))
    return tuple(_value(item, hint, f"{path}[{position}]") for position, (item, hint) in pairs)


def _record(data: object, kind: type, path: str) -> Any:
    if not isinstance(data, dict):
        raise _wrong(path, "an object", data)
    hints = _hints(kind)
    _check_keys(data, hints, {field.name for field in fields(kind) if field.default is MISSING}, path)
    return kind(**{name: _value(data[name], hint, f"{path}.{name}") for name, hint in hints.items() if name in data})


def _check_keys(data: dict[str, Any], known: Iterable[str], needed: Container[str], path: str) -> None:
    wanted = list(known)
    for name in data:
        if name not in wanted:
            raise TraceFormatError(f"not a dio-mc trace: {path}: unknown field {name!r}")
    for name in wanted:
        if name in needed and name not in data:
            raise TraceFormatError(f"not a dio-mc trace: {path}: the field {name!r} is missing")


@lru_cache(maxsize=32)
def _hints(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}
