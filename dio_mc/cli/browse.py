"""The command ``browse``: a folder of counterexamples as pages."""

from __future__ import annotations

from pathlib import Path

import click


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(browse)


@click.command()
@click.argument("folder", type=click.Path(), default="counterexamples")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Serve on this port  [default: any free one].")
@click.option("--open/--no-open", "opens", default=True, help="Open the browser, or only say where it is.")
@click.option("--write", "target", type=click.Path(), metavar="DIR", help="Write the pages to DIR; serve nothing.")
def browse(folder: str, port: int, opens: bool, target: str | None) -> None:
    """Show the counterexamples and graphs of a folder in the browser.

    Serves on this machine only (127.0.0.1) until Ctrl-C, and needs neither a network nor Graphviz. Models are shown
    from their source and are not run.
    """
    if target is not None:
        _write(Path(folder), Path(target))
        return
    _serve(Path(folder), port, opens=opens)


def _write(root: Path, target: Path) -> None:
    from dio_mc.errors import usage_error
    from dio_mc.html.pages import INDEX, write_pages

    try:
        count = write_pages(root, target, Path.cwd())
    except OSError as error:
        file = str(error.filename or target)
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=file) from None
    click.echo(f"{count} pages, beginning with {target / INDEX}")


def _serve(root: Path, port: int, *, opens: bool) -> None:
    import webbrowser

    from dio_mc.errors import usage_error
    from dio_mc.html.folder import scan
    from dio_mc.html.serve import Server

    scan(root)  # a wrong folder is said here, not in the browser
    try:
        server = Server(root, Path.cwd(), port)
    except OSError as error:
        hint = "another --port, or none for any that is free"
        raise usage_error("DIO222", f"cannot serve on port {port}: {error.strerror}", hint=hint) from None
    with server:
        click.echo(f"{server.url}  (Ctrl-C ends)")
        if opens:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo()
