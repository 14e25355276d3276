"""The commands that inspect models and traces: ``replay``, ``why``, ``ir``, ``help``."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dio_mc.cli.interrupts import ENDED
from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, Undecided, limits_of, within
from dio_mc.cli.types import CLASS, TOPIC, Param, unknown_class

if TYPE_CHECKING:
    from dio_mc.engines.limits import Limits
    from dio_mc.explain.replaying import Outcome, Products
    from dio_mc.ir.program import Program


MODELS = click.option(
    "--models", "folder", metavar="DIR", help="For a run of a rule: the folder with protocols/ and workloads/.",
    type=click.Path(path_type=Path),
)  # fmt: skip
FILES = click.option(
    "--file", "files", multiple=True, metavar="FILE", help="For a run of a rule: a file with further rules.",
    type=click.Path(path_type=Path),
)  # fmt: skip


def register(group: click.Group) -> None:
    """Add the commands."""
    for command in (replay, why, ir, help_):
        group.add_command(command)


@click.command()
@click.argument("trace", type=click.Path())
@click.option("--model-file", type=click.Path(), help="The file of the model, if it has moved.")
@MODELS
@FILES
@TIMEOUT
@MAX_MEMORY
def replay(
    trace: str, model_file: str | None, folder: Path | None, files: tuple[Path, ...], timeout: float | None,
    max_memory: str | None,
) -> None:  # fmt: skip
    """Run a counterexample again on the current model.

    A run written by `outcomes`, `matrix` or `diff` is replayed on its current workload and rule.

    Exit 0 when it reproduces, 1 when the model has changed so that it does not, 2 when the file is not a trace, 3 when
    a limit ended the replay.
    """
    from dio_mc.explain.replaying import replay_file

    def run() -> Outcome:
        return replay_file(trace, model_file, lambda name: _product(name, folder, files))

    outcome = within(limits_of(timeout, max_memory), run, "it was known whether it reproduces")
    click.echo(outcome.text)
    sys.exit(0 if outcome.reproduces else 1)


def _product(name: str, folder: Path | None, files: tuple[Path, ...]) -> Program | None:
    from dio_mc.study.registry import open_registry, program_named

    return program_named(open_registry(folder, files), name)


@click.command()
@click.argument("traces", metavar="TRACE...", nargs=-1, required=True, type=click.Path())
@click.option("--model-file", type=click.Path(), help="The file of the model, if it has moved.")
@click.option(
    "--max-states", type=click.IntRange(1), default=500_000, show_default=True, metavar="N",
    help="Stop the search for the decisive steps after N states.",
)  # fmt: skip
@MODELS
@FILES
@TIMEOUT
@MAX_MEMORY
def why(
    traces: tuple[str, ...], model_file: str | None, max_states: int, folder: Path | None, files: tuple[Path, ...],
    timeout: float | None, max_memory: str | None,
) -> None:  # fmt: skip
    """Explain a counterexample: why it fails, and which steps matter.

    Prints what fails and which step wrote it, which steps matter, and between which two steps no other thread must
    run (verified: the current model is searched again with these two made atomic). For a deadlock also who waits
    for whom, for an endless run the way out that it never takes. `check` does the same within 5,000 states.

    If a limit ends the search, the part that needs only the trace is printed, and the exit code is 3.
    """
    limits = limits_of(timeout, max_memory)

    def product(name: str) -> Program | None:
        return _product(name, folder, files)

    codes = [_say_why(trace, model_file, max_states, product, limits) for trace in traces]
    sys.exit(max(codes))


def _say_why(path: str, model_file: str | None, max_states: int, products: Products, limits: Limits) -> int:
    """Explain one trace; return the exit code."""
    from dio_mc.explain.replaying import explained, trace_in
    from dio_mc.guard import attempt
    from dio_mc.render.why import why_sentences

    code, found = 0, within(limits, lambda: trace_in(path), "the trace was read")
    try:
        found = within(limits, lambda: explained(path, model_file, max_states, products), "the answer")
    except Undecided as ended:
        code = ENDED
        click.echo(f"dio-mc: {path}: {ended.message}: this is what the trace itself says", err=True)
    default: list[str] = []
    sentences = attempt("what the trace says", lambda: why_sentences(found), default, limits.exceeded, _note)
    lines = sentences or ["Nothing more is known than what `dio-mc show` says."]
    click.echo("\n".join([f"{found.model.name} {found.property}:", *(f"  {line}" for line in lines)]))
    return code


def _note(text: str) -> None:
    click.echo(f"dio-mc: {text}", err=True)


@click.command()
@click.argument("file", type=click.Path())
@click.option("--param", "params", multiple=True, type=Param(), help="Bind a parameter of the model.")
@click.option("--model", "names", multiple=True, type=CLASS, metavar="CLASS", help="Show only these classes.")
@TIMEOUT
@MAX_MEMORY
def ir(
    file: str, params: tuple[tuple[str, int], ...], names: tuple[str, ...], timeout: float | None,
    max_memory: str | None,
) -> None:  # fmt: skip
    """Show the program that a model was compiled to."""
    limits, bound = limits_of(timeout, max_memory), dict(params)
    for number, cls in enumerate(within(limits, lambda: _chosen(file, names))):
        text, warnings = within(limits, partial(_printed, cls, bound))
        click.echo(("\n" if number else "") + text, nl=False)
        for warning in warnings:
            click.echo(warning, err=True)


def _chosen(file: str, names: tuple[str, ...]) -> list[type]:
    from dio_mc.frontend import load_module

    models = load_module(file).models
    chosen = [cls for cls in models if not names or cls.__name__ in names]
    if not chosen:
        raise unknown_class(names[0], [cls.__name__ for cls in models])
    return chosen


def _printed(model: type, params: dict[str, int]) -> tuple[str, list[str]]:
    from dio_mc.frontend import build
    from dio_mc.ir.printer import print_program

    built = build(model, params)
    return print_program(built.program), [warning.render() for warning in built.warnings]


def _word(name: str) -> str | None:
    """A word of the language or of the page-cache vocabulary, with its description; None if there is none."""
    import inspect

    from dio_mc import kernel, lang
    from dio_mc.kernel.families import FAMILIES

    found = next((getattr(room, name) for room in (lang, kernel) if name in room.__all__), FAMILIES.get(name))
    if found is None:
        return None
    doc = inspect.getdoc(found) or "It has no description."
    if name in FAMILIES:
        return f'{name}: from dio_mc.kernel.families import families; class Judged(families("{name}"), ...)\n\n{doc}'
    import_from = "dio_mc" if name in lang.__all__ else "dio_mc.kernel"
    return f"{name}: from {import_from} import {name}\n\n{doc}"


@click.command("help")
@click.argument("name", metavar="[CODE_WORD_OR_PAGE]", required=False, type=TOPIC)
def help_(name: str | None) -> None:
    """What a diagnostic code or a word of the language means, or a page of the documentation (`dio-mc help tutorial`).

    Without a name, the list of codes and pages.
    """
    from dio_mc.catalogue import PAGES
    from dio_mc.cli.pages import page, titles

    if name is None:
        listed = {code: about.title for code, about in PAGES.items()} | titles()
        width = max(map(len, listed))
        for one, title in listed.items():
            click.echo(f"{one:{width}}  {title}")
        return
    text = _code(name) or _word(name) or page(name)
    if text is None:
        raise _unknown(name)
    click.echo(text.rstrip("\n"))
    if name in titles() and not text.startswith("#"):
        click.echo(f"\nThere is a page with this name, too: dio-mc help {name}.md")


def _code(name: str) -> str | None:
    """A diagnostic code with its meaning and an example."""
    from dio_mc.catalogue import PAGES

    found = PAGES.get(name.upper())
    if found is None:
        return None
    example = "".join(f"\n    {line}" for line in found.example.splitlines())
    return f"{name.upper()}: {found.title}\n\n{found.text}" + (f"\n{example}" if example else "")


def _unknown(name: str) -> Exception:
    from dio_mc import kernel, lang
    from dio_mc.catalogue import PAGES
    from dio_mc.cli.pages import titles
    from dio_mc.errors import did_you_mean, usage_error
    from dio_mc.kernel.families import FAMILIES

    words = [*lang.__all__, *kernel.__all__, *FAMILIES, *titles()]
    near = did_you_mean(name.upper(), PAGES) or did_you_mean(name, words)
    hint = near or "codes and pages are listed by `dio-mc help`, words by `dio-mc help reference`"
    return usage_error("DIO203", f"no such code, word or page: {name}", hint=hint)
