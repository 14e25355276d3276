"""Writes the generated pages of ``docs/``: ``reference.md`` from the docstrings of the language, ``errors.md`` from the
catalogue, ``vocabulary.md`` from the page-cache vocabulary. A test fails if they are not up to date.
"""

from __future__ import annotations

import enum
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dio_mc import kernel, lang  # noqa: E402  # the checkout's own package, wherever this is run
from dio_mc.catalogue import PAGES  # noqa: E402  # as above
from dio_mc.lang.declarations import VarDeclaration  # noqa: E402  # as above
from dio_mc.lang.model import ROLE, Part, PropertyRole  # noqa: E402  # as above
from tools.vocabulary import vocabulary_page  # noqa: E402  # as above

NOTE = "<!-- Written by tools/pages.py. -->"

CHAPTERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "Models": ("What a file declares.", ("Model", "Part", "expect", "Kernel")),
    "Data": ("Class attributes of a model.", ("Var", "Array", "PerThread", "Param", "Range", "ThreadId")),
    "Methods": (
        "Decorators that give a method its role. A method without one that consists of one `return` is a pure "
        "expression; any other is an operation without a kernel function.",
        ("thread", "operation", "invariant", "reachable", "always_reachable", "progress"),
    ),
    "Statements": (
        "Functions for the bodies of methods. They are compiled; calling one from ordinary Python raises an exception.",
        (
            "wait_until",
            "choose",
            "atomic",
            "window",
            "spawn",
            "crash",
            "require",
            "smp_mb",
            "smp_wmb",
            "smp_rmb",
            "smp_store_release",
            "smp_load_acquire",
            "me",
            "threads",
        ),
    ),
    "Locks": (
        "Class attributes as well. The locks are written in the modelling language. Releasing a lock that the thread "
        "does not hold is the fault `lock_misuse`, and so is ending while holding one.",
        ("Mutex", "PageLock", "SpinLock", "RWSem", "RangeLock", "DrainCounter", "TwoClassLock"),
    ),
    "Primitives": (
        "Other means of synchronization in the kernel, also written in the modelling language; see "
        "[primitives](primitives.md).",
        (
            "AtomicInt",
            "Refcount",
            "FolioRefs",
            "Completion",
            "WaitQueue",
            "ExclusiveWaitQueue",
            "SeqCount",
            "RCU",
            "SRCU",
            "BoundedQueue",
        ),
    ),
}
"""Every public name of `dio_mc.lang`, by chapter."""
RANGES = {
    "DIO1": ("Models", "The model cannot be built, or not as it stands. Exit code 2; nothing was explored."),
    "DIO2": ("Usage, files, settings", "The command, a file or a setting is wrong. Exit code 2."),
    "DIO3": ("Findings", "A finding does not change the verdict, but says that the check may cover less than it seems "
             "to. Only with `--strict` does it change the exit code, to 1."),
    "DIO9": ("Internal", "Exit code 4."),
}  # fmt: skip


def errors_page() -> str:
    """The catalogue, a section per code."""
    parts = [
        "# Errors and findings\n",
        f"{NOTE}\n",
        "`dio-mc help DIO104` prints one of these; `dio-mc help` lists them.\n",
    ]
    for prefix, (title, about) in RANGES.items():
        parts += [f"## {title}\n", f"{about}\n"]
        for code, page in PAGES.items():
            if code.startswith(prefix):
                parts += [f"### {code}: {page.title}\n", f"{_escaped(page.text)}\n"]
                parts += [f"    {line}" for line in page.example.splitlines()]
                parts += [""] if page.example else []
    return "\n".join(parts)


def _escaped(text: str) -> str:
    """The text with ``<`` and ``*`` escaped outside of code, where escapes would be shown."""
    parts = text.split("`")
    parts[::2] = [part.replace("<", "&lt;").replace("*", "\\*") for part in parts[::2]]
    return "`".join(parts)


def reference_page() -> str:
    """Every name of the language with its signature and docstring; every class of the page-cache vocabulary."""
    parts = [
        "# Reference\n",
        f"{NOTE}\n",
        "Generated from the docstrings. [The language on two pages](language.md) has the rules.\n",
    ]
    for title, (about, names) in CHAPTERS.items():
        parts += [f"## {title}\n", f"{about}\n"]
        for name in names:
            parts += _word(name)
    parts += ["## The page cache (`dio_mc.kernel`)\n", f"{_prose(kernel)}\n"]
    for name in kernel.__all__:
        parts += _vocabulary(name)
    return "\n".join(parts)


def _word(name: str) -> Iterator[str]:
    value = getattr(lang, name)
    yield f"### `{name}`\n"
    if inspect.isfunction(value):
        mark = "@" if name in CHAPTERS["Methods"][1] else ""
        yield f"```text\n{mark}{name}{_signature(value)}\n```\n"
    yield f"{_prose(value)}\n"
    if isinstance(value, type) and issubclass(value, Part):
        yield from _methods(value)
    elif isinstance(value, type):
        own = [(n, f) for n, f in vars(value).items() if inspect.isfunction(f) and not n.startswith("_")]
        for method, function in own:
            yield f"- `{method}{_signature(function, skip=1)}`: {_flat(function)}"
        yield ""


def _methods(part: type[Part]) -> Iterator[str]:
    """The methods of a lock, inherited ones included, without `declarations`."""
    found: dict[str, Callable[..., Any]] = {}
    for cls in reversed(part.__mro__):
        if issubclass(cls, Part) and cls is not Part:
            found |= {n: f for n, f in vars(cls).items() if inspect.isfunction(f) and not n.startswith("_")}
    found.pop("declarations", None)
    for name, function in found.items():
        kind = (
            "one step"
            if getattr(function, "__dio_atomic__", False)
            else "pure"
            if "(pure)" in (function.__doc__ or "")
            else ""
        )
        text = _flat(function).replace(" (pure).", ".")
        yield f"- `{name}{_signature(function, skip=1)}`{f' ({kind})' if kind else ''}: {text}"
    yield ""


def _vocabulary(name: str) -> Iterator[str]:
    cls = getattr(kernel, name)
    yield f"### `{name}`\n"
    if issubclass(cls, enum.Enum):
        yield ", ".join(f"`{member.name}`" for member in cls) + ".\n"
        return
    yield f"{_prose(cls)}\n"
    data = [n for n, v in vars(cls).items() if isinstance(v, VarDeclaration | Part)]
    if data:
        yield "Data: " + ", ".join(f"`{n}`" for n in data) + ".\n"
    for method, function in vars(cls).items():
        role = getattr(function, ROLE, None)
        if not inspect.isfunction(function) or method.startswith("_"):
            continue
        anchor = getattr(role, "kernel", None)
        where = f" ({anchor})" if anchor else " (property)" if isinstance(role, PropertyRole) else ""
        yield f"- `{method}{_signature(function, skip=1)}`{where}: {_flat(function)}".removesuffix(": ")
    yield ""


def _signature(function: Callable[..., Any], skip: int = 0) -> str:
    """The parameters as in the source, without types."""
    shown = []
    star = False
    for parameter in list(inspect.signature(function).parameters.values())[skip:]:
        if parameter.name == "function":  # what a decorator is put on
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            shown.append("*")
        prefix = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        given = parameter.default is not parameter.empty and parameter.default is not lang.declarations.MISSING
        default = f"={parameter.default!r}" if given else "=..." if parameter.default is not parameter.empty else ""
        shown.append(f"{prefix}{parameter.name}{default}")
    return (
        f"({', '.join(shown)})".removesuffix("()")
        if "function" in inspect.signature(function).parameters
        else f"({', '.join(shown)})"
    )


def _prose(value: Any) -> str:
    """A docstring as Markdown."""
    return re.sub(r"``(.+?)``", r"`\1`", inspect.getdoc(value) or "", flags=re.DOTALL)


def _flat(value: Any) -> str:
    return " ".join(_prose(value).split()) if getattr(value, "__doc__", None) else ""


def vocabulary() -> str:
    """The vocabulary, class by class."""
    return vocabulary_page(NOTE)


PAGES_WRITTEN = {"errors.md": errors_page, "reference.md": reference_page, "vocabulary.md": vocabulary}

if __name__ == "__main__":
    for name, write in PAGES_WRITTEN.items():
        (ROOT / "docs" / name).write_text(write(), encoding="utf-8")
