"""The commands ``check`` and ``config``. The defaults of options that are also settings are in `dio_mc.config`, not
here."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dio_mc.choices import REPORT_FORMATS
from dio_mc.cli.interrupts import Interrupts
from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within
from dio_mc.cli.types import CLASS, ENGINE, FORMAT, Param

if TYPE_CHECKING:
    from dio_mc.config import Value


def register(group: click.Group) -> None:
    """Add the commands."""
    group.add_command(check)
    group.add_command(config)
    group.add_command(certify)


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE_FOLDER_OR_GLOB]...", type=click.Path())
@click.option("--param", "params", multiple=True, type=Param(), help="Bind a parameter of the model.")
@click.option("--model", "names", multiple=True, type=CLASS, metavar="CLASS", help="Check only these classes.")
@click.option("--max-states", type=click.IntRange(1), metavar="N", help="Stop after N states.")
@click.option("--max-depth", type=click.IntRange(0), metavar="N", help="Stop after N steps from the start.")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop a run after this long.")
@click.option("--max-memory", metavar="SIZE", help="Stop a run at this much resident memory (800M, 4G).")
@click.option(
    "--checkpoint",
    metavar="DIR",
    type=click.Path(),
    help="Save long searches here, to be resumed, or off  [default: the cache, after 60 s]",
)
@click.option("--resume", is_flag=True, default=None, help="Continue saved searches.")
@click.option("--first/--no-first", default=None, help="Stop after the level of the first violation.")
@click.option(
    "--output-format",
    type=FORMAT,
    metavar="FORMAT",
    help=f"What goes to stdout: text (default), {', '.join(REPORT_FORMATS[1:])}.",
)
@click.option("--report", multiple=True, metavar="FORMAT=FILE", help="Write a report as well; may be repeated.")
@click.option(
    "--counterexamples",
    metavar="DIR",
    type=click.Path(),
    help="Where counterexamples are written  [default: counterexamples]",
)
@click.option("--artifacts/--no-artifacts", default=None, help="Write counterexample files.")
@click.option("--html/--no-html", default=None, help="Also write an HTML page for each, to step through offline.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Check in N processes.")
@click.option("--engine", type=ENGINE, metavar="NAME", help="Search engine: auto (default), reference, native.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Threads of the native engine.")
@click.option("--reduction/--no-reduction", default=None, help="Reduce large searches if that is proved sound.")
@click.option("--symmetry/--no-symmetry", default=None, help="Use symmetry of threads and indices in a reduced search.")
@click.option(
    "--partial-order/--no-partial-order",
    default=None,
    help="Use one order of independent steps in a reduced search  [default: if it saves states]",
)
@click.option("--verify-reduction", is_flag=True, default=None, help="Explore reduced and in full, and compare.")
@click.option("--simulate", type=click.IntRange(1), metavar="N", help="Cover only N random runs; never HOLDS.")
@click.option("--seed", type=int, metavar="S", help="With --simulate: the seed of the random runs (default 0).")
@click.option(
    "--preemptions", type=click.IntRange(0), metavar="K", help="Cover only schedules with K preemptions; never HOLDS."
)
@click.option("--approximate", metavar="STORAGE", help="hash-compaction, bitstate or bitstate:SIZE; never HOLDS.")
@click.option(
    "--disk",
    metavar="DIR",
    type=click.Path(),
    help="Keep the states of large searches in files in this folder  [default: the cache, when out of memory]; or off.",
)
@click.option(
    "--ray",
    metavar="[ADDRESS]",
    is_flag=False,
    flag_value="local",
    help="Divide the states of large searches among the workers of a Ray cluster, for memory  [default: local]",
)
@click.option(
    "--any",
    "any_of",
    metavar="THREADS",
    help="Prove the properties for any number of these: threads, parameters that count threads or pages, or all.",
)
@click.option(
    "--certificate", metavar="FILE", type=click.Path(), help="With --any: write the proof, for `dio-mc certify`."
)
@click.option("--strict/--no-strict", default=None, help="Exit with 1 if there are findings.")
@click.option("--allow-undetermined/--no-allow-undetermined", default=None, help="Exit with 0 instead of 3.")
@click.option("--sweep", metavar="NAME=LOW..HIGH", help="Check with each value of a parameter; show the growth.")
@click.option("--plot", is_flag=True, help="With --sweep: draw the growth.")
@click.option(
    "--changed-since",
    metavar="REV",
    help="Check only models that changed since a git revision, or that import or read a changed file.",
)
@click.option(
    "--affected",
    is_flag=True,
    help="Treat the paths as changed files: check them and the models in their folders that import them.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show wall time.")
@click.option("-q", "--quiet", is_flag=True, help="Print only runs with an unexpected result.")
def check(paths: tuple[str, ...], verbose: bool, quiet: bool, plot: bool, **options: Any) -> None:
    """Explore every schedule of the models and decide every property.

    A folder is searched for model files. `expect(...)` lines in a model file define what counts as success. Without a
    path, the setting `models` is used; `dio-mc config` shows all settings.
    """
    paths = with_path_of(options, paths)
    values = settings(options)
    chosen = paths or values["models"].value
    if not chosen:
        check_taken(options)
        raise click.UsageError("Missing argument 'FILE_FOLDER_OR_GLOB', and no setting `models`.")
    check_partial(options)
    check_any(options)
    from dio_mc.cli.session import Session

    try:
        with Interrupts() as stop:
            session = Session(values, stop, verbose=verbose, quiet=quiet)
            session.prepare(chosen, options)
            session.run()
            session.finish(plot=plot)
    except KeyboardInterrupt:
        click.echo("dio-mc: ended by a second signal: not all verdicts, and no reports", err=True)
        sys.exit(3)
    sys.exit(session.exit_code)


def with_path_of(options: dict[str, Any], paths: tuple[str, ...]) -> tuple[str, ...]:
    """The paths, with the one that ``--ray`` has taken for an address: ``--ray models`` is ``--ray local models``."""
    from dio_mc.config import LOCAL, is_ray_address

    word = options["ray"]
    if word is None or is_ray_address(word) or not Path(word).exists():
        return paths
    options["ray"] = LOCAL
    return (word, *paths)


def check_partial(options: dict[str, Any]) -> None:
    """Raise `click.UsageError` for incompatible options of partial searches."""
    from dio_mc.config import OFF

    chosen = [name for name in ("simulate", "preemptions", "approximate") if options[name] is not None]
    if len(chosen) > 1:
        raise click.UsageError(f"--{chosen[0]} and --{chosen[1]}: one or the other.")
    if options["seed"] is not None and options["simulate"] is None:
        raise click.UsageError("--seed says which random runs: it needs --simulate.")
    for name in ("checkpoint", "resume"):
        if chosen and options[name]:
            raise click.UsageError(f"--{name} is for searches of all states: not with --{chosen[0]}.")
    if chosen and options["verify_reduction"]:
        raise click.UsageError(f"--verify-reduction explores everything: not with --{chosen[0]}.")
    if chosen and options["disk"] not in (None, OFF):
        raise click.UsageError(f"--disk keeps all states: not with --{chosen[0]}.")
    if chosen and options["ray"] is not None:
        raise click.UsageError(f"--ray finds all states: not with --{chosen[0]}.")
    if options["ray"] is not None and options["resume"]:
        raise click.UsageError("--resume continues a search on one machine: not with --ray.")


def check_taken(options: dict[str, Any]) -> None:
    """Raises `click.UsageError` where an option has taken the file that was meant to be checked for its value."""
    if options["any_of"] is not None and Path(options["any_of"]).exists():
        raise click.UsageError(f"--any takes threads and parameters, or `all`: --any all {options['any_of']}")


def check_any(options: dict[str, Any]) -> None:
    """Raise `click.UsageError` for incompatible options of proofs for any number."""
    if options["certificate"] is not None and options["any_of"] is None:
        raise click.UsageError("--certificate keeps a proof for any number: it needs --any.")
    for name in ("simulate", "preemptions", "approximate", "sweep"):
        if options["any_of"] is not None and options[name] is not None:
            raise click.UsageError(f"--any proves it for every number: not with --{name}.")


def settings(options: dict[str, Any]) -> dict[str, Value]:
    """Every setting, including those given on the command line (None: not given)."""
    from dio_mc.config import SETTINGS, effective

    given = {name.replace("_", "-"): value for name, value in options.items()}
    return effective({name: value for name, value in given.items() if name in SETTINGS})


@click.command()
@click.argument("certificate", type=click.Path())
@click.argument("model_file", metavar="MODEL", type=click.Path())
@TIMEOUT
@MAX_MEMORY
def certify(certificate: str, model_file: str, timeout: float | None, max_memory: str | None) -> None:
    """Check a proof for any number of threads, written by `dio-mc check --any ... --certificate FILE`.

    Every step of every view is run again by the reference interpreter, on the current model. Exit 0 when the
    certificate proves what it states, 2 when it belongs to another model or is damaged, 3 when it proves less.
    """
    from dio_mc.cli.certify import certified
    from dio_mc.guard import OUTER

    limits = limits_of(timeout, max_memory)
    with Interrupts() as limits.stop:
        code, text = within(limits, lambda: certified(certificate, model_file, limits), "the answer", patience=OUTER)
    click.echo(text)
    sys.exit(code)


@click.command()
def config() -> None:
    """Show each setting of `check` and where its value comes from.

    The command line goes before the environment (DIO_MC_JOBS=2), that before the file (dio-mc.toml, or
    [tool.dio-mc] in pyproject.toml), that before the default.
    """
    from dio_mc.config import SETTINGS, effective, show

    values = effective({})
    rows = [(name, show(value.value), value.origin) for name, value in values.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, value, origin in rows:
        line = f"{name:{widths[0]}}  {value:{widths[1]}}  {origin:{widths[2]}}  {SETTINGS[name].about}"
        click.echo(line.rstrip())
