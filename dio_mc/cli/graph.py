"""The command ``graph``: the state graph of a small model."""

from __future__ import annotations

from pathlib import Path

import click

from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within
from dio_mc.cli.types import CLASS, Param, unknown_class


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(graph)


@click.command()
@click.argument("file", type=click.Path())
@click.option("--model", "name", type=CLASS, metavar="CLASS", help="The class; needed if the file has several.")
@click.option("--param", "params", multiple=True, type=Param(), help="Bind a parameter of the model.")
@click.option("--format", "form", type=click.Choice(["dot", "graphml"]), default="dot", show_default=True)
@click.option("--scc", is_flag=True, help="Draw the strongly connected components instead of the states.")
@click.option(
    "--max-states", type=click.IntRange(1), default=150, show_default=True, metavar="N", help="Refuse larger models."
)
@TIMEOUT
@MAX_MEMORY
@click.option("-o", "--output", type=click.Path(), help="Write to this file instead of stdout.")
def graph(
    file: str, name: str | None, params: tuple[tuple[str, int], ...], form: str, scc: bool, max_states: int,
    timeout: float | None, max_memory: str | None, output: str | None,
) -> None:  # fmt: skip
    """Draw every state and step of a small model, as DOT or GraphML.

    Larger models are refused: Graphviz needs minutes for 500 states. `dio-mc show` draws counterexamples. If a limit or
    Ctrl-C ends the command, nothing is written and the exit code is 3.
    """
    from dio_mc.errors import usage_error
    from dio_mc.files import write_if_changed

    def drawn() -> str:
        return _drawn(file, name, dict(params), form, scc=scc, most=max_states)

    text = within(limits_of(timeout, max_memory), drawn)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        write_if_changed(Path(output), text)
    except OSError as error:
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=output) from None


def _drawn(file: str, name: str | None, params: dict[str, int], form: str, *, scc: bool, most: int) -> str:
    from dio_mc.errors import usage_error
    from dio_mc.frontend import build, load_module
    from dio_mc.study.state_graph import parts, state_graph, written

    known = {cls.__name__: cls for cls in load_module(file).models}
    if name not in known and (name is not None or len(known) != 1):
        if name is None:
            raise usage_error("DIO208", "there are several models: name one with --model", file=file,
                              hint=f"there are: {', '.join(known)}")  # fmt: skip
        raise unknown_class(name, list(known))
    found = state_graph(build(known[name or next(iter(known))], params).program, most)
    return written(parts(found) if scc else found, "graphml" if form == "graphml" else "dot")
