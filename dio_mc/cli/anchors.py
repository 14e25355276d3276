"""The command that compares the anchors of rules and models with a kernel's symbols: ``anchors``.

Nothing except click is imported before the command runs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within
from dio_mc.cli.types import RULE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dio_mc.ir.program import Program
    from dio_mc.study.anchors import CheckedAnchor, Symbols


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(anchors)


@click.command()
@click.argument("names", nargs=-1, required=True, type=RULE, metavar="RULE|MODEL...")
@click.option(
    "--kernel", required=True, metavar="K",
    help="A file of symbols (System.map or /proc/kallsyms), or a kernel as for `confirm`.",
)  # fmt: skip
@click.option(
    "--fs", "file_system", metavar="FS", help="Load the module of this file system  [default: from the rule's name]"
)
@click.option("--version", metavar="V", help="The kernel's version  [default: from the file's name]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--file", "files", multiple=True, metavar="FILE", type=click.Path(path_type=Path), help="A file with further rules."
)
@TIMEOUT
@MAX_MEMORY
def anchors(
    names: tuple[str, ...],
    kernel: str,
    file_system: str | None,
    version: str | None,
    form: str,
    files: tuple[Path, ...],
    timeout: float | None,
    max_memory: str | None,
) -> None:
    """List the kernel functions named by a rule or a model that a kernel does not have.

    RULE is a locking rule, MODEL a file of models. Exit 1 when a function is missing that should exist. Functions of
    headers, and those whose anchor names other versions, are only listed. A kernel is booted in QEMU, without
    privileges, to read its symbols. When a limit or Ctrl-C ends the command, nothing is printed, and the exit code is
    3.
    """
    from dio_mc.study.anchors import anchors_of, compare

    def compared() -> tuple[list[tuple[str, tuple[CheckedAnchor, ...]]], dict[str, Symbols]]:
        named = [(name, anchors_of(programs)) for asked in names for name, programs in _programs(asked, files)]
        of = _symbols(kernel, file_system, version, named)
        return [(name, compare(anchors, of[name])) for name, anchors in named], of

    found, of = within(limits_of(timeout, max_memory), compared)
    if form == "json":
        paths = " and ".join(dict.fromkeys(symbols.path for symbols in of.values()))
        click.echo(json.dumps({"schema": "dio-mc/anchors/1", "kernel": paths, "of": _plain(found)}, indent=2))
    else:
        for name, asked in found:
            click.echo("\n".join(_lines(name, asked, of[name])))
    if any(one.state == "missing" for _, asked in found for one in asked):
        raise SystemExit(1)


def _symbols(
    kernel: str, file_system: str | None, version: str | None, named: list[tuple[str, Mapping[str, tuple[str, ...]]]]
) -> dict[str, Symbols]:
    """The symbols for each rule or model: those in a file, for all of them, or those of a kernel with the module of its
    file system."""
    from dio_mc.ir.anchor import parse_anchor
    from dio_mc.machine.cases import file_system_of
    from dio_mc.machine.images import find_kernel, is_image
    from dio_mc.machine.symbols import symbols_of
    from dio_mc.study.anchors import read_symbols

    path = Path(kernel)
    if path.is_file() and not is_image(path):
        return dict.fromkeys((name for name, _ in named), read_symbols(path, version))
    image = find_kernel(kernel)
    functions = [parse_anchor(text).function for _, anchors in named for text in anchors]
    on = {name: file_system or file_system_of(name)[0] for name, _ in named}
    booted = {one: symbols_of(image, one, functions) for one in dict.fromkeys(on.values())}
    return {name: booted[one] for name, one in on.items()}


def _programs(name: str, files: tuple[Path, ...]) -> Iterable[tuple[str, Iterable[Program]]]:
    """A rule's programs, or those of each class in a file."""
    from dio_mc.frontend import build, load_module
    from dio_mc.study.anchors import programs_of
    from dio_mc.study.registry import open_registry, pick

    if name.endswith(".py"):
        for model in load_module(name).models:
            yield model.__name__, (build(model).program,)
        return
    registry = open_registry(None, files)
    (rule,) = pick(registry.rules, (name,), "locking rule")
    yield name, programs_of(registry, rule)


def _lines(name: str, asked: tuple[CheckedAnchor, ...], symbols: Symbols) -> list[str]:
    """A summary line, and one for each function that the kernel does not have."""
    away = [one for one in asked if one.state != "present"]
    lines = [f"{name}: {len(asked) - len(away)} of {len(asked)} functions are in {symbols.path}"]
    width = max((len(one.state) for one in away), default=0)
    return lines + [f"  {one.state:{width}}  {one.anchor}  ({', '.join(one.operations)})" for one in away]


def _plain(found: list[tuple[str, tuple[CheckedAnchor, ...]]]) -> list[dict[str, object]]:
    return [
        {"name": name, "anchor": str(one.anchor), "operations": list(one.operations), "state": one.state}
        for name, asked in found
        for one in asked
    ]
