"""The command ``show``: a counterexample in many formats.

Nothing except click is imported before a command runs.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dio_mc.choices import TRACE_FORMATS
from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within

if TYPE_CHECKING:
    from dio_mc.trace.trace import Trace


REPRODUCERS = ("c", "xfstests")
"""Formats for traces whose threads are system calls on a real kernel."""


def register(group: click.Group) -> None:
    """Add the commands."""
    for command in (show,):
        group.add_command(command)


@click.command()
@click.argument("trace", type=click.Path())
@click.option(
    "--format",
    "form",
    type=click.Choice((*TRACE_FORMATS, *REPRODUCERS)),
    default="text",
    show_default=True,
    help="The format to write.",
)
@click.option("-o", "--output", type=click.Path(), help="Write to this file instead of stdout.")
@click.option(
    "--model-file", type=click.Path(), help="The file of the model, if it has moved (lkml, html, c, xfstests)."
)
@click.option("--explore", is_flag=True, help="Run the model, so that other ways can be taken on an html page.")
@TIMEOUT
@MAX_MEMORY
def show(
    trace: str, form: str, output: str | None, model_file: str | None, explore: bool, timeout: float | None,
    max_memory: str | None,
) -> None:  # fmt: skip
    """Show a counterexample as a diagram, as text for a commit message, as a picture, as a page, or for other tools.

    TRACE is the .json file of a counterexample. The formats c and xfstests need threads that make system
    calls: a run of a rule and a workload, or a model with a kernel=... binding. If a limit or Ctrl-C ends the command,
    nothing is written and the exit code is 3.
    """
    if explore and form != "html":
        raise click.UsageError("--explore is for --format html.")
    text = within(limits_of(timeout, max_memory), lambda: _shown(trace, form, model_file, explore=explore))
    if output is None:
        click.echo(text, nl=False)
        return
    _write(Path(output), text)


def _shown(path: str, form: str, model_file: str | None, *, explore: bool) -> str:
    if form in REPRODUCERS:
        return _reproducer(path, form, model_file)
    if explore:
        return _explored(path, model_file)
    return rendered(read(path), form, path, model_file)


def _reproducer(path: str, form: str, model_file: str | None) -> str:
    from dio_mc.cli.kernels import case_of
    from dio_mc.machine.reproducer import c_program, xfstests

    trace = read(path)
    return (c_program if form == "c" else xfstests)(trace, case_of(path, model_file, None, ()))


def _explored(path: str, model_file: str | None) -> str:
    """The page with the steps beside the trace. Raises `ModelError` if the model diverges from the trace."""
    from dio_mc.cli.exploring import ways_of
    from dio_mc.errors import usage_error
    from dio_mc.html.source import sources_of
    from dio_mc.html.trace_page import trace_page
    from dio_mc.stepping.walk import Refused

    trace = read(path)
    try:
        ways = ways_of(trace, path, model_file)
    except Refused as refused:
        raise usage_error("DIO206", f"the model has changed: {refused}", file=path) from None
    return trace_page(trace, sources_of(trace, Path.cwd(), model_file), ways=ways)


def read(path: str) -> Trace:
    """The trace in a file. Raises a usage error for a file that is not a trace."""
    from dio_mc.trace.codec import TraceFormatError, no_trace, read_trace

    try:
        return read_trace(path)
    except TraceFormatError as error:
        raise no_trace(path, error) from None


def rendered(trace: Trace, form: str, path: str, model_file: str | None) -> str:
    """The trace in a format, with a newline at the end."""
    match form:
        case "commit":
            from dio_mc.render.commit import render_commit

            return render_commit(trace) + "\n"
        case "lkml":
            from dio_mc.render.lkml import render_lkml

            return render_lkml(trace, path=path) + "\n"
        case "mermaid":
            from dio_mc.render.mermaid import render_mermaid

            return render_mermaid(trace)
        case "itf":
            from dio_mc.render.itf import render_itf

            return render_itf(trace)
        case "svg":
            from dio_mc.render.svg import render_svg

            return render_svg(trace)
        case "html":
            from dio_mc.html.source import sources_of
            from dio_mc.html.trace_page import trace_page

            return trace_page(trace, sources_of(trace, Path.cwd(), model_file))
        case _:
            return _older(trace, form)


def _older(trace: Trace, form: str) -> str:
    """The formats that `check` writes as well."""
    if form == "dot":
        from dio_mc.render.dot import render_dot

        return render_dot(trace)
    if form == "json":
        from dio_mc.trace.codec import encode

        return encode(trace)
    from dio_mc.render.text import render_text

    return render_text(trace, model=True) + "\n"


def _write(path: Path, text: str) -> None:
    from dio_mc.errors import usage_error
    from dio_mc.files import write_if_changed

    try:
        write_if_changed(path, text)
    except OSError as error:
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=str(path)) from None
