"""The common parts of the commands that compare locking rules: options, and how results are printed and written.

Nothing except click is imported before a command runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dio_mc.cli.progress import CountLine
    from dio_mc.study.registry import Registry, Rule
    from dio_mc.trace.trace import Trace

MODELS = click.option(
    "--models", "folder", metavar="DIR", help="A folder with protocols/ and workloads/  [default: the shipped ones]",
    type=click.Path(path_type=Path),
)  # fmt: skip
MORE = click.option(
    "--file", "files", multiple=True, metavar="FILE", help="A file with further rules or workloads.",
    type=click.Path(path_type=Path),
)  # fmt: skip
OUTPUT = click.option("-o", "--output", type=click.Path(), help="Write to this file instead of stdout.")
MAX_STATES = click.option("--max-states", type=click.IntRange(1), metavar="N", help="Stop each search after N states.")
SECTORS = click.option(
    "--sectors", type=click.IntRange(1, 2), metavar="N", help="Sectors per page; with 2 an IO can be torn."
)
PAGES = click.option(
    "--pages", type=click.IntRange(1, 4), metavar="N", help="Pages per call; with 2 a call can be torn."
)
NO_CACHE = click.option(
    "--no-cache", is_flag=True, envvar="DIO_MC_NO_CACHE", help="Compute all cells again, and store none."
)
TRACES = click.option(
    "--traces", metavar="DIR", type=click.Path(path_type=Path), help="Write the runs as .json files to DIR."
)


def budget(max_states: int | None) -> Any:
    """The limits of one search."""
    from dio_mc.semantics.search import Budget

    return Budget(max_states=max_states)


def linted(rules: Sequence[Rule], registry: Registry) -> list[Rule]:
    """Return the rules, after printing findings on stderr: operations that nothing calls, such as a misspelt hook."""
    from dio_mc.checking.findings.declared import uncalled_operations

    threads = [f for w in registry.workloads.values() for f in w.threads.values()]
    threads += [f for cls in registry.operations.values() for f in vars(cls).values() if callable(f)]
    called = {name for function in threads for name in function.__code__.co_names}
    for rule in rules:
        own = [c for c in rule.model.__mro__ if c.__module__ == rule.model.__module__]
        for finding in [f for cls in own for f in uncalled_operations(cls, called)]:
            click.echo(f"finding {finding.code} {finding.span}: {finding.message}", err=True)
    return list(rules)


def note(text: str) -> None:
    """Print a message that does not change a verdict to stderr."""
    click.echo(f"note: {text}", err=True)


def progress(what: str = "cells") -> CountLine:
    """The progress of a command that does so many of these, on stderr."""
    from dio_mc.cli.progress import CountLine

    return CountLine(sys.stderr, what)


def trace_files(folder: Path | None, traces: dict[str, Trace]) -> dict[str, str]:
    """Write traces that `dio-mc show` reads; return their paths by name."""
    if folder is None:
        return {}
    from dio_mc.trace.codec import encode

    written: dict[str, str] = {}
    for name, trace in traces.items():
        path = folder / f"{name}.json"
        write(path, encode(trace))
        written[name] = path.as_posix()
    return written


def emit(text: str, output: str | None) -> None:
    """Write results to a file, or to stdout."""
    if output is None:
        click.echo(text, nl=False)
    else:
        write(Path(output), text)


def write(path: Path, text: str) -> None:
    """Write a file, and create its folders. Raises `ModelError` (DIO207) if that fails."""
    from dio_mc.errors import usage_error
    from dio_mc.files import write_if_changed

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_if_changed(path, text)
    except OSError as error:
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=str(path)) from None
