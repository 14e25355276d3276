"""``matrix``: every pair of operations under every rule.

Nothing except click is imported before the command runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within
from dio_mc.cli.observing import Guests, guests_options
from dio_mc.cli.rules import (
    MAX_STATES,
    MODELS,
    MORE,
    NO_CACHE,
    OUTPUT,
    PAGES,
    SECTORS,
    TRACES,
    budget,
    emit,
    linted,
    note,
    progress,
    trace_files,
)
from dio_mc.cli.types import OPERATION, RULE

if TYPE_CHECKING:
    from dio_mc.engines.limits import Limits
    from dio_mc.study.baseline import Verdicts
    from dio_mc.study.matrix import Matrix
    from dio_mc.study.registry import Registry, Rule


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(matrix)


@click.command()
@click.option("--rule", "rules", multiple=True, type=RULE, metavar="RULE", help="Only this rule.")
@click.option(
    "--operation", "operations", multiple=True, type=OPERATION, metavar="OPERATION", help="Only this operation."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json", "svg", "html"]), default="text",
    show_default=True,
)  # fmt: skip
@click.option("--triples", is_flag=True, help="Three operations side by side; choose some with --operation and --rule.")
@click.option(
    "--baseline", metavar="FILE", help="Compare with a matrix in JSON; exit with 1 if a cell is worse.",
    type=click.Path(path_type=Path),
)  # fmt: skip
@click.option(
    "--html", "site", metavar="DIR", type=click.Path(path_type=Path),
    help="Write the matrix as a site: a page of all cells, and a page to step through for each race.",
)  # fmt: skip
@click.option(
    "--any", "general", is_flag=True,
    help="Prove cells that are ok for any number of the operations that write nothing, beside one that writes.",
)  # fmt: skip
@guests_options
@SECTORS
@PAGES
@TRACES
@MODELS
@MORE
@MAX_STATES
@TIMEOUT
@MAX_MEMORY
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Search in N processes  [default: one per processor]")
@NO_CACHE
@OUTPUT
def matrix(
    rules: tuple[str, ...],
    operations: tuple[str, ...],
    form: str,
    triples: bool,
    baseline: Path | None,
    site: Path | None,
    general: bool,
    guests: Guests,
    sectors: int | None,
    pages: int | None,
    traces: Path | None,
    folder: Path | None,
    files: tuple[Path, ...],
    max_states: int | None,
    timeout: float | None,
    max_memory: str | None,
    jobs: int | None,
    no_cache: bool,
    output: str | None,
) -> None:
    """Show which operations race under which rule: one verdict for every pair.

    With --kernel and --fs the columns are real kernels on which the pairs are observed, beside the rules given with
    --rule. Exit 1 when a cell is worse than in the baseline, 3 when a cell is undetermined or a limit ended a proof of
    --any, else 0. Differences from the baseline are printed to stderr. After Ctrl-C or a limit, cells that were not
    decided are undetermined.
    """
    from dio_mc.cli.cells import solver
    from dio_mc.cli.interrupts import Interrupts
    from dio_mc.study import matrix as study
    from dio_mc.study.baseline import read_baseline
    from dio_mc.study.registry import open_registry

    before = read_baseline(baseline, sectors or 1, pages or 1) if baseline is not None else None
    limits = limits_of(timeout, max_memory)
    registry = within(limits, lambda: open_registry(folder, files))
    chosen, names = _asked(registry, rules, operations, pages or 1)
    if guests.kernels:
        sys.exit(_matrix_of_kernels(registry, rules, names, guests, form, output, site, limits, general=general))
    with Interrupts() as limits.stop:
        solve = solver(limits, max_states, jobs, folder, files, general=general, no_cache=no_cache)
        found = study.matrix(
            registry, chosen, names, budget(max_states), progress(), size=3 if triples else 2, sectors=sectors or 1,
            pages=pages or 1, exceeded=limits.exceeded, solve=solve,
        )  # fmt: skip
        if site is not None:
            _site(found, site, registry, limits)
    _print(found, form, traces, output)
    sys.exit(1 if before is not None and _worse(before, found, baseline) else _exit_code(found))


def _print(found: Matrix, form: str, traces: Path | None, output: str | None) -> None:
    """Write the runs of the cells, if requested, and print the matrix."""
    links = trace_files(traces, {c.name: c.trace for c in found.cells if c.trace is not None})
    emit(_drawn(found, form, links), output)


def _asked(
    registry: Registry, rules: tuple[str, ...], operations: tuple[str, ...], pages: int
) -> tuple[list[Rule], list[str]]:
    """The rules and the names of the operations of a matrix; a note for each rule that knows fewer pages."""
    from dio_mc.study.registry import pick
    from dio_mc.wording import plural

    chosen = linted(pick(registry.rules, rules, "locking rule"), registry)
    for rule in chosen:
        if pages > rule.most_pages:
            note(f"{rule.name} has no cells: it knows calls on {plural(rule.most_pages, 'page')}; {rule.fewer}")
    pick(registry.operations, operations, "operation")
    return chosen, list(operations) or list(registry.operations)


def _site(found: Matrix, site: Path, registry: Registry, limits: Limits) -> None:
    from dio_mc.cli.site import write_site
    from dio_mc.errors import usage_error

    try:
        count = write_site(found, site, registry, limits.exceeded, note)
    except OSError as error:
        file = str(error.filename or site)
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=file) from None
    note(f"{count} pages, beginning with {site / 'index.html'}")


def _worse(before: Verdicts, found: Matrix, baseline: Path | None) -> bool:
    """Whether a cell is worse than in the baseline; differences are printed."""
    from dio_mc.errors import usage_error
    from dio_mc.study.baseline import baseline_text, compared, shifts

    click.echo(baseline_text(before, found), err=True, nl=False)
    if not compared(before, found):
        hint = "compare matrices with a rule and operations in common"
        raise usage_error("DIO219", "the baseline has none of these cells", file=str(baseline), hint=hint)
    return any(shift.worse for shift in shifts(before, found))


def _matrix_of_kernels(
    registry: Registry,
    rules: tuple[str, ...],
    names: list[str],
    guests: Guests,
    form: str,
    output: str | None,
    site: Path | None,
    limits: Limits,
    *,
    general: bool,
) -> int:
    """The matrix of real kernels; returns the exit code of the command."""
    from dio_mc.cli.observing import run_matrix
    from dio_mc.errors import usage_error
    from dio_mc.study import matrix as study
    from dio_mc.study.registry import pick

    if general:
        hint = "leave out --kernel, or --any"
        raise usage_error("DIO204", "--any is about rules: a kernel is observed, which proves nothing", hint=hint)
    if not guests.file_systems:
        raise usage_error("DIO204", "--kernel needs --fs", hint="for example --fs ext4 --fs xfs")
    found, whole = run_matrix(registry, names, guests, limits)
    if not whole:
        return 3
    if rules:
        beside = study.matrix(registry, pick(registry.rules, rules, "locking rule"), names)
        cells = [cell for group in found.groups for cell in (*beside.row(*group), *found.row(*group))]
        found = study.Matrix((*beside.rules, *found.rules), found.groups, tuple(cells))
    if site is not None:
        _site(found, site, registry, limits)
    emit(_drawn(found, form, {}), output)
    return _exit_code(found)


def _exit_code(found: Matrix) -> int:
    """3 when a cell is undetermined or a limit ended a proof for any number, else 0."""
    return 3 if any(c.verdict == "undetermined" or (c.general and c.general.stopped) for c in found.cells) else 0


def _drawn(found: Matrix, form: str, links: dict[str, str]) -> str:
    from dio_mc.study import picture, tables

    match form:
        case "markdown":
            return tables.matrix_markdown(found, links)
        case "json":
            return tables.matrix_json(found, links)
        case "svg":
            return picture.matrix_svg(found)
        case "html":
            from dio_mc.cli.site import one_page

            return one_page(found)
        case _:
            return tables.matrix_text(found, links)
