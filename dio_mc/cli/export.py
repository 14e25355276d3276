"""The command ``export``."""

from __future__ import annotations

from pathlib import Path

import click

from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within
from dio_mc.cli.types import CLASS, Param, unknown_class

TARGETS = ("promela", "murphi", "tla")


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(export)


@click.command()
@click.argument("file", type=click.Path())
@click.option("--to", "target", type=click.Choice(TARGETS), required=True, help="For SPIN, Rumur or TLC.")
@click.option("--param", "params", multiple=True, type=Param(), help="Bind a parameter of the model.")
@click.option("--model", "name", type=CLASS, metavar="CLASS", help="The class; needed if the file has several.")
@TIMEOUT
@MAX_MEMORY
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to this file instead of stdout."
)
def export(
    file: str,
    target: str,
    params: tuple[tuple[str, int], ...],
    name: str | None,
    timeout: float | None,
    max_memory: str | None,
    output: Path | None,
) -> None:
    """Write a model for another checker: Promela, Murphi or TLA+.

    Each step becomes one atomic action, so SPIN (with -DNOREDUCE) and Rumur reach exactly as many states. If a limit or
    Ctrl-C ends the command, nothing is written and the exit code is 3.
    """
    from dio_mc.errors import usage_error
    from dio_mc.files import write_if_changed

    text = within(limits_of(timeout, max_memory), lambda: _exported(file, target, dict(params), name))
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        write_if_changed(output, text)
    except OSError as error:
        raise usage_error("DIO207", f"{output}: cannot be written: {error.strerror or error}") from None


def _exported(file: str, target: str, params: dict[str, int], name: str | None) -> str:
    from dio_mc.errors import usage_error
    from dio_mc.export.murphi import murphi
    from dio_mc.export.promela import promela
    from dio_mc.export.tla import tla
    from dio_mc.frontend import build, load_module

    models = load_module(file).models
    names = [cls.__name__ for cls in models]
    if name is not None and name not in names:
        raise unknown_class(name, names)
    if name is None and len(models) > 1:
        raise usage_error("DIO208", f"which class of {file}?", hint=f"--model {' | '.join(names)}")
    chosen = next(cls for cls in models if name in (None, cls.__name__))
    return {"promela": promela, "murphi": murphi, "tla": tla}[target](build(chosen, params).program)
