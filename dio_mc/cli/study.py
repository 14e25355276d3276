"""The commands that compare locking rules by their runs: ``outcomes``, ``diff``.

Nothing except click is imported before a command runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within
from dio_mc.cli.rules import (
    MAX_STATES,
    MODELS,
    MORE,
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
from dio_mc.cli.types import RULE, WORKLOAD

if TYPE_CHECKING:
    from dio_mc.study.outcomes import Outcomes
    from dio_mc.study.registry import Registry, Workload


def register(group: click.Group) -> None:
    """Add the commands."""
    for command in (outcomes, diff):
        group.add_command(command)


@click.command()
@click.argument("workloads", nargs=-1, type=WORKLOAD, metavar="[WORKLOAD...]")
@click.option("--rule", "rules", multiple=True, type=RULE, metavar="RULE", help="Only this rule.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@SECTORS
@PAGES
@TRACES
@MODELS
@MORE
@MAX_STATES
@TIMEOUT
@MAX_MEMORY
@OUTPUT
def outcomes(
    workloads: tuple[str, ...],
    rules: tuple[str, ...],
    form: str,
    sectors: int | None,
    pages: int | None,
    traces: Path | None,
    folder: Path | None,
    files: tuple[Path, ...],
    max_states: int | None,
    timeout: float | None,
    max_memory: str | None,
    output: str | None,
) -> None:
    """List every outcome of a workload under a rule, each with a run that leads to it.

    WORKLOAD is a name from models/workloads, or two or three operations: direct_read,mmap_store; with --pages 2,
    direct_read,mmap_store@1 for a store into the pages from 1 on. Exit 3 when a limit or
    Ctrl-C ended a search (the outcomes found so far are printed); else 0.
    """
    from dio_mc.cli.interrupts import Interrupts
    from dio_mc.guard import Latch
    from dio_mc.study import outcomes as study
    from dio_mc.study.registry import open_registry, pick
    from dio_mc.study.tables import outcomes_json, outcomes_text

    limits = limits_of(timeout, max_memory)
    registry = within(limits, lambda: open_registry(folder, files))
    chosen = linted(pick(registry.rules, rules, "locking rule"), registry)
    named = _workloads(registry, workloads, sectors, pages)
    found: list[Outcomes] = []
    with Interrupts() as limits.stop:
        met = Latch(limits.exceeded)
        for workload in named:
            for rule in chosen:
                if not rule.unsupported & set(workload.calls):
                    found += study.outcomes(workload, rule, budget(max_states), exceeded=met, note=note)
    links = _outcome_files(found, traces)
    emit((outcomes_json if form == "json" else outcomes_text)(found, links), output)
    sys.exit(0 if all(one.complete for one in found) else 3)


@click.command()
@click.argument("before", type=RULE, metavar="RULE_A")
@click.argument("after", type=RULE, metavar="RULE_B")
@click.argument("workloads", nargs=-1, type=WORKLOAD, metavar="[WORKLOAD...]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@SECTORS
@PAGES
@TRACES
@MODELS
@MORE
@MAX_STATES
@TIMEOUT
@MAX_MEMORY
@OUTPUT
def diff(
    before: str,
    after: str,
    workloads: tuple[str, ...],
    form: str,
    sectors: int | None,
    pages: int | None,
    traces: Path | None,
    folder: Path | None,
    files: tuple[Path, ...],
    max_states: int | None,
    timeout: float | None,
    max_memory: str | None,
    output: str | None,
) -> None:
    """Compare two rules: which outcomes RULE_B adds or removes.

    WORKLOAD is a name from models/workloads, or two or three operations: direct_read,mmap_store; with --pages 2,
    direct_read,mmap_store@1 for a store into the pages from 1 on. Without one, all
    workloads and all pairs of operations are compared, as in `dio-mc matrix`.

    Exit 1 when RULE_B adds a bad outcome (stale, torn, lost, exposed, deadlock), 3 when a limit or Ctrl-C ended a
    search (the finished comparisons are printed); else 0.
    """

    from dio_mc.cli.interrupts import Interrupts
    from dio_mc.errors import usage_error
    from dio_mc.study import diff as study
    from dio_mc.study.registry import open_registry, pairs, pick
    from dio_mc.study.tables import diff_json, diff_text, named_changes

    limits = limits_of(timeout, max_memory)
    registry = within(limits, lambda: open_registry(folder, files))
    old, new = linted(pick(registry.rules, [before, after], "locking rule"), registry)
    compared = _workloads(registry, workloads, sectors, pages)
    if not workloads:
        compared += [pair.on(sectors or 1, pages or 1) for pair in pairs(registry)]
    with Interrupts() as limits.stop:
        found = study.diff(
            old, new, compared, budget(max_states), progress("workloads"), exceeded=limits.exceeded
        )  # fmt: skip
    if not found.compared and found.complete:
        raise usage_error("DIO219", f"{old.name} and {new.name} have none of these workloads in common")
    links = trace_files(
        traces, {name: c.outcome.trace for name, c in named_changes(found) if c.outcome.trace is not None}
    )
    emit((diff_json if form == "json" else diff_text)(found, links), output)
    sys.exit(found.exit_code)


# --- helpers ----------------------------------------------------------------------------------------------------------


def _workloads(
    registry: Registry, names: tuple[str, ...], sectors: int | None = None, pages: int | None = None
) -> list[Workload]:
    """The named workloads, including operations side by side; without names all workloads of the folder."""

    from dio_mc.study.registry import pick, together

    found: list[Workload] = [] if names else list(registry.workloads.values())
    for name in names:
        found += (
            [together(registry, name.split(","), sectors or 1, pages or 1)]
            if "," in name
            else pick(registry.workloads, [name], "workload")
        )
    return [one.on(sectors, pages) for one in found]


def _outcome_files(found: list[Outcomes], folder: Path | None) -> dict[str, str]:
    from dio_mc.study.tables import outcome_name

    named = {
        outcome_name(one, number): outcome.trace
        for one in found
        for number, outcome in enumerate(one.outcomes, start=1)
        if outcome.trace is not None
    }
    return trace_files(folder, named)
