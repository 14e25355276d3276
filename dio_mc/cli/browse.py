"""The command ``browse``: a folder of counterexamples as pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within

if TYPE_CHECKING:
    from dio_mc.engines.limits import Limits
    from dio_mc.html.live import Explorer


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(browse)


@click.command()
@click.argument("folder", type=click.Path(), default="counterexamples")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Serve on this port  [default: any free one].")
@click.option("--open/--no-open", "opens", default=True, help="Open the browser, or only print the address.")
@click.option("--write", "target", type=click.Path(), metavar="DIR", help="Write the pages to DIR; serve nothing.")
@click.option(
    "--explore", "models", multiple=True, metavar="MODEL", type=click.Path(path_type=Path),
    help="Run this model file, or those of a folder, so that other ways can be taken from any step.",
)  # fmt: skip
@TIMEOUT
@MAX_MEMORY
def browse(
    folder: str,
    port: int,
    opens: bool,
    target: str | None,
    models: tuple[Path, ...],
    timeout: float | None,
    max_memory: str | None,
) -> None:
    """Show the counterexamples and graphs of a folder in the browser.

    Serves on this machine only (127.0.0.1) until Ctrl-C, and needs neither a network nor Graphviz. The sources of
    models are shown, but only models named by --explore are run. In their traces, other ways can be taken at any step,
    and expressions evaluated. A limit ends serving as Ctrl-C does. Where one ends --write, or the reading of the
    folder, the exit code is 3; pages that have been written stay.
    """
    from dio_mc.html.pages import INDEX

    explorer, limits = _explorer(models), limits_of(timeout, max_memory)
    if target is not None:
        count = within(limits, lambda: _write(Path(folder), Path(target), explorer), "all pages were written")
        click.echo(f"{count} pages, beginning with {Path(target) / INDEX}")
        return
    _serve(Path(folder), port, explorer, limits, opens=opens)


def _explorer(models: tuple[Path, ...]) -> Explorer | None:
    from dio_mc.errors import usage_error

    for path in models:
        if not path.exists():
            raise usage_error("DIO201", "no such file or folder", file=str(path))
    if not models:
        return None
    from dio_mc.cli.exploring import Models

    return Models(models)


def _write(root: Path, target: Path, explorer: Explorer | None) -> int:
    from dio_mc.errors import usage_error
    from dio_mc.html.pages import write_pages

    try:
        return write_pages(root, target, Path.cwd(), explorer)
    except OSError as error:
        file = str(error.filename or target)
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=file) from None


def _serve(root: Path, port: int, explorer: Explorer | None, limits: Limits, *, opens: bool) -> None:
    import webbrowser

    from dio_mc.errors import usage_error
    from dio_mc.guard import Interrupting
    from dio_mc.html.folder import scan
    from dio_mc.html.serve import Server

    within(limits, lambda: scan(root), "the folder was read")  # report a wrong folder here rather than in the browser
    try:
        server = Server(root, Path.cwd(), port, explorer)
    except OSError as error:
        hint = "another --port, or none for any that is free"
        raise usage_error("DIO222", f"cannot serve on port {port}: {error.strerror}", hint=hint) from None
    with server:
        click.echo(f"{server.url}  (Ctrl-C ends)")
        if opens:
            webbrowser.open(server.url)
        try:
            with Interrupting(limits.exceeded):
                server.serve_forever()
        except KeyboardInterrupt:
            click.echo()
