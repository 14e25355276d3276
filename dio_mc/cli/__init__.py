"""The command line. Results go to stdout; progress and hints to stderr. Only click is imported before a command runs.

Exit codes: 0 holds or as expected, 1 violated, 2 the model, the usage or a file is wrong, 3 undetermined, 4 a fault of
dio-mc. For several models the worst, in the order 4, 2, 1, 3, 0. This package has one file per group of commands.
"""

from __future__ import annotations

import os
import sys

import click

from dio_mc import __version__
from dio_mc.cli import (
    anchors,
    browse,
    check,
    export,
    first,
    fix,
    graph,
    inspect,
    kernels,
    matrix,
    mutate,
    observing,
    shipped,
    show,
    step,
    study,
)
from dio_mc.cli.interrupts import ENDED, SIGNALS
from dio_mc.cli.streams import flush_streams, guard_streams, open_streams

GUIDE = """\
dio-mc explores every schedule of a locking rule and shows each race as a picture.
  dio-mc demo                    find a real race of the kernel, in a second
  dio-mc new NAME                write a model of twenty lines that runs as it is
  dio-mc check FILE_OR_FOLDER    check the models in it
  dio-mc show TRACE.json         show a counterexample: --format commit, svg, html, ...
  dio-mc why TRACE.json          which steps matter, and what must not run between them
  dio-mc browse                  counterexamples/ in the browser, step by step
  dio-mc matrix                  which operations race under which locking rule
  dio-mc confirm TRACE --kernel K  run a counterexample on a real kernel
  dio-mc fix FILE                the smallest edits after which it holds; `mutate` breaks it
  dio-mc help DIO104             what an error code means; `help tutorial` begins the documentation
All commands: dio-mc --help. Options: dio-mc COMMAND --help. Codes and pages: dio-mc help.
Exit codes: 0 holds, 1 violated, 2 error in model or usage, 3 undetermined, 4 internal error.
"""


BROKEN_PIPE = 141
"""The exit code that a shell reports for a program ended by SIGPIPE."""


class _Group(click.Group):
    """Makes ``dio-mc`` without a command print a guide instead of an error."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(GUIDE + "\n")

    def invoke(self, ctx: click.Context) -> object:
        """Handle a reader that closed the pipe: click would return 1, which means a violation."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            return BROKEN_PIPE


@click.group(cls=_Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dio-mc")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Explore every schedule of a locking rule and show each race as a picture."""
    if ctx.invoked_subcommand is None:
        click.echo(GUIDE, nl=False)


first.register(cli)
shipped.register(cli)
check.register(cli)
inspect.register(cli)
show.register(cli)
study.register(cli)
matrix.register(cli)
kernels.register(cli)
observing.register(cli)
anchors.register(cli)
browse.register(cli)
mutate.register(cli)
fix.register(cli)
graph.register(cli)
step.register(cli)
export.register(cli)


def main() -> None:
    """Entry point. Errors are printed as text, never as a Python traceback (except with DIO_MC_DEBUG=1)."""
    SIGNALS.take()
    if not os.environ.get("DIO_MC_DEBUG"):
        sys.unraisablehook = lambda _: None  # `Ended` may be raised inside a destructor, where it is ignored
    try:
        open_streams()
        guard_streams()
        from dio_mc.deep import deeply
        from dio_mc.memory import collect_seldom

        collect_seldom()
        code = deeply(_run, waiting=SIGNALS.wait)
    except KeyboardInterrupt:  # a signal that arrived before this thread waited for the command
        click.echo("dio-mc: interrupted", err=True)
        code = ENDED
    flush_streams()
    sys.exit(code)


def _run() -> int:
    """Run the command; return its exit code. Messages are printed here."""
    try:
        code = cli.main(prog_name="dio-mc", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except SystemExit as ended:
        if ended.code is None or isinstance(ended.code, int):
            return ended.code or 0
        click.echo(str(ended.code), err=True)
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("dio-mc: interrupted", err=True)
        return ENDED
    except Exception as error:
        if os.environ.get("DIO_MC_DEBUG"):
            raise
        return _failed(error)


def _failed(error: Exception) -> int:
    from dio_mc.errors import DioError, failed_io

    if isinstance(error, DioError):
        click.echo(str(error), err=True)
        return error.exit_code
    if isinstance(error, MemoryError):
        click.echo("dio-mc: out of memory", err=True)
        return ENDED
    if isinstance(error, OSError):
        click.echo(failed_io(error), err=True)
        return 2
    click.echo(f"dio-mc: internal error: {type(error).__name__}: {error}", err=True)
    click.echo("This is a fault of dio-mc; DIO_MC_DEBUG=1 shows where. The model may be fine.", err=True)
    return 4
