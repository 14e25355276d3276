"""The commands that compare locking rules: ``outcomes``, ``matrix``, ``diff``.

Nothing but click is imported before a command runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within
from dio_mc.cli.observing import Guests, guests_options
from dio_mc.cli.types import OPERATION, RULE, WORKLOAD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dio_mc.engines.limits import Limits
    from dio_mc.study.baseline import Verdicts
    from dio_mc.study.matrix import Matrix
    from dio_mc.study.outcomes import Outcomes
    from dio_mc.study.registry import Registry, Rule, Workload
    from dio_mc.trace.trace import Trace

_models = click.option(
    "--models", "folder", metavar="DIR", help="A folder with protocols/ and workloads/; default: the shipped ones.",
    type=click.Path(path_type=Path),
)  # fmt: skip
_more = click.option(
    "--file", "files", multiple=True, metavar="FILE", help="A file with further rules or workloads.",
    type=click.Path(path_type=Path),
)  # fmt: skip
_output = click.option("-o", "--output", type=click.Path(), help="Write to this file instead of stdout.")
_max_states = click.option("--max-states", type=click.IntRange(1), metavar="N", help="Stop each search after N states.")
_sectors = click.option(
    "--sectors", type=click.IntRange(1, 2), metavar="N", help="Sectors per page; with 2 an IO can be torn."
)
_traces = click.option("--traces", metavar="DIR", type=click.Path(path_type=Path), help="Write the runs as .json here.")


def register(group: click.Group) -> None:
    """Add the commands."""
    for command in (outcomes, matrix, diff):
        group.add_command(command)


@click.command()
@click.argument("workloads", nargs=-1, type=WORKLOAD, metavar="[WORKLOAD...]")
@click.option("--rule", "rules", multiple=True, type=RULE, metavar="RULE", help="Only this rule.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_sectors
@_traces
@_models
@_more
@_max_states
@TIMEOUT
@MAX_MEMORY
@_output
def outcomes(
    workloads: tuple[str, ...],
    rules: tuple[str, ...],
    form: str,
    sectors: int | None,
    traces: Path | None,
    folder: Path | None,
    files: tuple[Path, ...],
    max_states: int | None,
    timeout: float | None,
    max_memory: str | None,
    output: str | None,
) -> None:
    """Every outcome of a workload under a rule, each with a run that shows it.

    WORKLOAD is a name from models/workloads, or two or three operations: direct_read,mmap_store. Exit 3 when a limit or
    Ctrl-C ended a search, and what was found is written; else 0.
    """
    from dio_mc.cli.interrupts import Interrupts
    from dio_mc.guard import Latch
    from dio_mc.study import outcomes as study
    from dio_mc.study.registry import open_registry, pick
    from dio_mc.study.tables import outcomes_json, outcomes_text

    limits = limits_of(timeout, max_memory)
    registry = within(limits, lambda: open_registry(folder, files))
    chosen = told(pick(registry.rules, rules, "locking rule"), registry)
    named = _workloads(registry, workloads, sectors)
    found: list[Outcomes] = []
    with Interrupts() as limits.stop:
        met = Latch(limits.exceeded)
        for workload in named:
            for rule in chosen:
                if not rule.unsupported & set(workload.calls):
                    found += study.outcomes(workload, rule, _budget(max_states), exceeded=met, note=_note)
    links = _outcome_files(found, traces)
    _emit((outcomes_json if form == "json" else outcomes_text)(found, links), output)
    sys.exit(0 if all(one.complete for one in found) else 3)


@click.command()
@click.option("--rule", "rules", multiple=True, type=RULE, metavar="RULE", help="Only this rule.")
@click.option(
    "--operation", "operations", multiple=True, type=OPERATION, metavar="OPERATION", help="Only this operation."
)
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json", "svg", "html"]), default="text",
    show_default=True,
)  # fmt: skip
@click.option("--triples", is_flag=True, help="Three operations side by side; best with some --operation and --rule.")
@click.option(
    "--baseline", metavar="FILE", help="Compare with a matrix in JSON; exit 1 when a cell is worse.",
    type=click.Path(path_type=Path),
)  # fmt: skip
@click.option(
    "--html", "site", metavar="DIR", type=click.Path(path_type=Path),
    help="Write the matrix as a site: a page of all cells, and for each that races one to step through.",
)  # fmt: skip
@guests_options
@_sectors
@_traces
@_models
@_more
@_max_states
@TIMEOUT
@MAX_MEMORY
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Search in N processes  [default: one per processor]")
@click.option(
    "--no-cache", is_flag=True, envvar="DIO_MC_NO_CACHE", help="Find the cells of shipped rules anew, and keep none."
)
@_output
def matrix(
    rules: tuple[str, ...],
    operations: tuple[str, ...],
    form: str,
    triples: bool,
    baseline: Path | None,
    site: Path | None,
    guests: Guests,
    sectors: int | None,
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
    """Which operations race under which rule: every pair of them, one verdict each.

    With --kernel and --fs the columns are real kernels, on which the pairs are observed, beside the rules that --rule
    names. Exit 1 when a cell is worse than in the baseline, 3 when a cell is undetermined, else 0. What has changed
    since the baseline is told on stderr. Ctrl-C and limits leave the cells that are not decided undetermined.
    """
    from dio_mc.cli.cells import kept, solver
    from dio_mc.cli.interrupts import Interrupts
    from dio_mc.study import matrix as study
    from dio_mc.study.baseline import read_baseline
    from dio_mc.study.registry import open_registry, pick

    before = read_baseline(baseline, sectors or 1) if baseline is not None else None
    limits = limits_of(timeout, max_memory)
    registry = within(limits, lambda: open_registry(folder, files))
    chosen = told(pick(registry.rules, rules, "locking rule"), registry)
    pick(registry.operations, operations, "operation")
    names = list(operations) or list(registry.operations)
    if guests.kernels:
        sys.exit(_matrix_of_kernels(registry, rules, names, guests, form, output, site, limits))
    with Interrupts() as limits.stop:
        solve = solver(limits, max_states, jobs, folder, files)
        if not (no_cache or max_states or folder or files):
            solve = kept(solve, _note)
        found = study.matrix(
            registry, chosen, names, _budget(max_states), _progress(), size=3 if triples else 2, sectors=sectors or 1,
            exceeded=limits.exceeded, solve=solve,
        )  # fmt: skip
        if site is not None:
            _site(found, site, registry, limits)
    links = _files(traces, {c.name: c.trace for c in found.cells if c.trace is not None})
    _emit(_drawn(found, form, links), output)
    if before is not None and _worse(before, found, baseline):
        sys.exit(1)
    sys.exit(3 if any(c.verdict == "undetermined" for c in found.cells) else 0)


def _site(found: Matrix, site: Path, registry: Registry, limits: Limits) -> None:
    from dio_mc.cli.site import write_site
    from dio_mc.errors import usage_error

    try:
        count = write_site(found, site, registry, limits.exceeded, _note)
    except OSError as error:
        file = str(error.filename or site)
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=file) from None
    _note(f"{count} pages, beginning with {site / 'index.html'}")


def _worse(before: Verdicts, found: Matrix, baseline: Path | None) -> bool:
    """Whether a cell is worse than in the baseline, which is told."""
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
) -> int:
    """The exit code of the command."""
    from dio_mc.cli.observing import run_matrix
    from dio_mc.errors import usage_error
    from dio_mc.study import matrix as study
    from dio_mc.study.registry import pick

    if not guests.file_systems:
        raise usage_error("DIO204", "--kernel wants --fs", hint="for example --fs ext4 --fs xfs")
    found, whole = run_matrix(registry, names, guests)
    if not whole:
        return 3
    if rules:
        beside = study.matrix(registry, pick(registry.rules, rules, "locking rule"), names)
        cells = [cell for group in found.groups for cell in (*beside.row(*group), *found.row(*group))]
        found = study.Matrix((*beside.rules, *found.rules), found.groups, tuple(cells))
    if site is not None:
        _site(found, site, registry, limits)
    _emit(_drawn(found, form, {}), output)
    return 3 if any(c.verdict == "undetermined" for c in found.cells) else 0


@click.command()
@click.argument("before", type=RULE, metavar="RULE_A")
@click.argument("after", type=RULE, metavar="RULE_B")
@click.argument("workloads", nargs=-1, type=WORKLOAD, metavar="[WORKLOAD...]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_sectors
@_traces
@_models
@_more
@_max_states
@TIMEOUT
@MAX_MEMORY
@_output
def diff(
    before: str,
    after: str,
    workloads: tuple[str, ...],
    form: str,
    sectors: int | None,
    traces: Path | None,
    folder: Path | None,
    files: tuple[Path, ...],
    max_states: int | None,
    timeout: float | None,
    max_memory: str | None,
    output: str | None,
) -> None:
    """What RULE_B adds and removes, compared with RULE_A.

    WORKLOAD is a name from models/workloads, or two or three operations: direct_read,mmap_store. Without one, all
    workloads and all pairs of operations are compared, as in `dio-mc matrix`.

    Exit 1 when it adds something bad (stale, torn, lost, exposed, deadlock), 3 when a limit or Ctrl-C ended a search,
    and what was compared is written; else 0.
    """
    from dataclasses import replace

    from dio_mc.cli.interrupts import Interrupts
    from dio_mc.errors import usage_error
    from dio_mc.study import diff as study
    from dio_mc.study.registry import open_registry, pairs, pick
    from dio_mc.study.tables import diff_json, diff_text, named_changes

    limits = limits_of(timeout, max_memory)
    registry = within(limits, lambda: open_registry(folder, files))
    old, new = told(pick(registry.rules, [before, after], "locking rule"), registry)
    compared = _workloads(registry, workloads, sectors)
    if not workloads:
        compared += [replace(pair, sectors=sectors or 1) for pair in pairs(registry)]
    with Interrupts() as limits.stop:
        found = study.diff(
            old, new, compared, _budget(max_states), _progress("workloads"), exceeded=limits.exceeded
        )  # fmt: skip
    if not found.compared and found.complete:
        raise usage_error("DIO219", f"{old.name} and {new.name} have none of these workloads in common")
    links = _files(traces, {name: c.outcome.trace for name, c in named_changes(found) if c.outcome.trace is not None})
    _emit((diff_json if form == "json" else diff_text)(found, links), output)
    sys.exit(found.exit_code)


# --- helpers ----------------------------------------------------------------------------------------------------------


def _workloads(registry: Registry, names: tuple[str, ...], sectors: int | None = None) -> list[Workload]:
    """Those named, operations side by side included; without names all workloads of the folder."""
    from dataclasses import replace

    from dio_mc.study.registry import pick, together

    found: list[Workload] = [] if names else list(registry.workloads.values())
    for name in names:
        found += [together(registry, name.split(","))] if "," in name else pick(registry.workloads, [name], "workload")
    return [replace(one, sectors=sectors) for one in found] if sectors is not None else found


def _budget(max_states: int | None) -> Any:
    from dio_mc.semantics.search import Budget

    return Budget(max_states=max_states)


def told(rules: Sequence[Rule], registry: Registry) -> list[Rule]:
    """The rules; operations of theirs that nothing calls, such as a hook that is misspelt, are told on stderr."""
    from dio_mc.checking.findings.declared import uncalled_operations

    threads = [f for w in registry.workloads.values() for f in w.threads.values()]
    threads += [f for cls in registry.operations.values() for f in vars(cls).values() if callable(f)]
    called = {name for function in threads for name in function.__code__.co_names}
    for rule in rules:
        own = [c for c in rule.model.__mro__ if c.__module__ == rule.model.__module__]
        for finding in [f for cls in own for f in uncalled_operations(cls, called)]:
            click.echo(f"finding {finding.code} {finding.span}: {finding.message}", err=True)
    return list(rules)


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)


def _progress(what: str = "cells") -> Any:
    """A line on a terminal's stderr, wiped at the end."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        click.echo(f"\r{done} of {total} {what}" if done < total else "\r\033[K", err=True, nl=False)

    return show


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


def _outcome_files(found: list[Outcomes], folder: Path | None) -> dict[str, str]:
    from dio_mc.study.tables import outcome_name

    named = {
        outcome_name(one, number): outcome.trace
        for one in found
        for number, outcome in enumerate(one.outcomes, start=1)
        if outcome.trace is not None
    }
    return _files(folder, named)


def _files(folder: Path | None, traces: dict[str, Trace]) -> dict[str, str]:
    """Write traces that `dio-mc show` reads; where each one is, by name."""
    if folder is None:
        return {}
    from dio_mc.trace.codec import encode

    written: dict[str, str] = {}
    for name, trace in traces.items():
        path = folder / f"{name}.json"
        _write(path, encode(trace))
        written[name] = path.as_posix()
    return written


def _emit(text: str, output: str | None) -> None:
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(Path(output), text)


def _write(path: Path, text: str) -> None:
    from dio_mc.errors import usage_error
    from dio_mc.files import write_if_changed

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_if_changed(path, text)
    except OSError as error:
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=str(path)) from None
