"""The functions that a rule or a model names and that are not symbols of a kernel.

A kernel is a list of symbols as in `/proc/kallsyms`, `System.map` and the output of `nm`: an
address, a type and a name in each line. A function that was inlined everywhere, or renamed, has no
symbol, so no step can be held there. Functions of headers are usually inline.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dio_mc.errors import usage_error
from dio_mc.ir.anchor import Anchor, Version, parse_anchor, parse_version
from dio_mc.ir.program import Program
from dio_mc.study.registry import Registry, Rule, pair, product

_LINE = re.compile(r"[0-9a-fA-F]{8,16} [A-Za-z] (\S+)")
_CLONE = re.compile(r"\.(?:isra|constprop|llvm)\.\d+")
_RELEASE = re.compile(r"(?<![\d.])\d+\.\d+(?:\.\d+)*")

State = Literal["present", "missing", "inline", "other versions", "unmerged"]


@dataclass(frozen=True, slots=True)
class Symbols:
    """The functions of a kernel. `version` is None if neither the file's name nor an option gives
    it."""

    path: str
    names: frozenset[str]
    version: Version | None


@dataclass(frozen=True, slots=True)
class CheckedAnchor:
    """An anchor and its symbol in a kernel; `operations` are those whose steps have this anchor."""

    anchor: Anchor
    operations: tuple[str, ...]
    state: State


def read_symbols(path: Path, version: str | None = None) -> Symbols:
    """Read a list of symbols. Raises `ModelError` for a file that cannot be read or has none, and
    for an invalid version. A clone (``f.isra.0``) counts as the function; a part that was split off
    (``f.cold``) does not."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not text"
        raise usage_error("DIO201", f"cannot be read: {why}", file=str(path), hint=_HINT) from None
    found = (match[1] for line in text.splitlines() if (match := _LINE.match(line)))
    names = frozenset(_CLONE.sub("", name) for name in found)
    if not names:
        raise usage_error("DIO201", "has no symbols: lines of address, type and name", file=str(path), hint=_HINT)
    return Symbols(str(path), names, _version_of(path, version))


def reported_symbols(where: str, names: Iterable[str], version: str) -> Symbols:
    """The symbols reported by a running kernel of a version (``6.12``)."""
    return Symbols(where, frozenset(_CLONE.sub("", name) for name in names), parse_version(version))


_HINT = "a System.map, the output of nm, or a copy of /proc/kallsyms that root has made"


def _version_of(path: Path, given: str | None) -> Version | None:
    told = given if given is not None else next(iter(_RELEASE.findall(path.name)), None)
    try:
        return None if told is None else parse_version(told)
    except ValueError as error:
        raise usage_error("DIO204", str(error), hint="--version 6.12") from None


def programs_of(registry: Registry, rule: Rule) -> Iterable[Program]:
    """One program per operation that a rule supports: together they take all of its steps."""
    for name in registry.operations:
        if name not in rule.unsupported:
            yield next(iter(product(pair(registry, name, name), rule).values()))


def anchors_of(programs: Iterable[Program]) -> Mapping[str, tuple[str, ...]]:
    """The anchors of all steps, with the operations that have them, by text."""
    found: dict[str, dict[str, None]] = {}
    for location in (x for program in programs for t in program.templates for x in t.locations):
        if location.anchor is not None:
            found.setdefault(location.anchor, {}).update(dict.fromkeys(location.operations[-1:]))
    return {text: tuple(operations) for text, operations in sorted(found.items())}


def compare(anchors: Mapping[str, tuple[str, ...]], symbols: Symbols) -> tuple[CheckedAnchor, ...]:
    """The symbol of each anchor in the kernel."""
    parsed = ((parse_anchor(text), operations) for text, operations in anchors.items())
    return tuple(CheckedAnchor(anchor, operations, _state(anchor, symbols)) for anchor, operations in parsed)


def _state(anchor: Anchor, symbols: Symbols) -> State:
    if anchor.unmerged:
        return "unmerged"
    if symbols.version is not None and not anchor.claims(symbols.version):
        return "other versions"
    if anchor.function in symbols.names:
        return "present"
    return "inline" if anchor.file.endswith(".h") else "missing"
