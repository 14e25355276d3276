"""``mutate --rule``: mutants of locking rules, under the pairs of operations of the matrix.

Nothing except click is imported before the command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from dio_mc.cli.rules import MODELS, MORE, NO_CACHE, PAGES, SECTORS
from dio_mc.cli.types import OPERATION, RULE

if TYPE_CHECKING:
    from dio_mc.checking.results import Failure
    from dio_mc.checking.runs.mutate_rules import Ground
    from dio_mc.config import Value
    from dio_mc.engines.limits import Limits
    from dio_mc.mutation.score import Score
    from dio_mc.study.matrix import Matrix
    from dio_mc.study.registry import Registry

OF_CLASSES = {"names": "--model", "params": "--param", "against": "--against"}
"""Options that rules do not have."""
OF_RULES = {
    "operations": "--operation", "sectors": "--sectors", "pages": "--pages", "folder": "--models", "files": "--file",
}  # fmt: skip
"""Options that classes do not have."""


def rule_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of ``mutate`` that are about rules."""
    found = [
        click.option("--rule", "rules", multiple=True, type=RULE, metavar="RULE", help="Mutate this locking rule."),
        click.option(
            "--operation", "operations", multiple=True, type=OPERATION, metavar="OPERATION",
            help="With --rule: only pairs of these operations.",
        ),
        SECTORS, PAGES, MODELS, MORE, NO_CACHE,
    ]  # fmt: skip
    for option in reversed(found):
        function = option(function)
    return function


def refuse_mixtures(paths: tuple[str, ...], options: Mapping[str, Any]) -> None:
    """Raise `UsageError` unless there are either files or rules, with options that are about them."""
    rules = options["rules"]
    if not paths and not rules:
        raise click.UsageError("Missing argument 'FILE_FOLDER_OR_GLOB...', or --rule.")
    if paths and rules:
        raise click.UsageError("--rule takes no files: further rules are named with --file.")
    wrong = [name for key, name in (OF_CLASSES if rules else OF_RULES).items() if options[key]]
    if wrong:
        raise click.UsageError(f"{wrong[0]} is for {'classes, not for --rule' if rules else '--rule'}.")


def scores_of_rules(
    options: Mapping[str, Any], values: Mapping[str, Value], stop: Callable[[], str | None]
) -> Iterator[Score | Failure]:
    """Mutate each rule that was named. Raises `ModelError` for an unknown rule or operation."""
    from dio_mc.checking.driver import Options
    from dio_mc.checking.runs.matrix import opened
    from dio_mc.checking.runs.mutate_rules import Ground, RulePlan, score_rule
    from dio_mc.cli.limits import within
    from dio_mc.cli.progress import CountLine
    from dio_mc.cli.rules import linted
    from dio_mc.engines.limits import Limits
    from dio_mc.semantics.search import Budget
    from dio_mc.study.registry import pick

    budget = Budget(values["max-states"].value, None, values["timeout"].value, values["max-memory"].value)
    limits = Limits(Budget(timeout=budget.timeout, max_memory=budget.max_memory), stop)
    folder, files = options["folder"], options["files"]
    registry = within(limits, lambda: opened(folder, files), "the rules were loaded")
    operations = tuple(options["operations"]) or tuple(registry.operations)
    pick(registry.operations, operations, "operation")
    for rule in linted(pick(registry.rules, options["rules"], "locking rule"), registry):
        sizes = options["sectors"] or 1, options["pages"] or 1
        ground = Ground(rule.name, operations, folder, files, *sizes, options["inherited"])
        own = Limits(Budget(timeout=budget.timeout, max_memory=budget.max_memory), stop)
        cells = _cells(registry, ground, own, options).cells
        line = CountLine(sys.stderr, "mutants")
        asked = Options(budget, stop=stop)
        yield score_rule(RulePlan(ground, cells, asked, frozenset(options["kinds"]), values["jobs"].value, line))


def _cells(registry: Registry, ground: Ground, limits: Limits, options: Mapping[str, Any]) -> Matrix:
    """The cells of the rule itself, from the cache where `matrix` would take them from there."""
    from dio_mc.cli.cells import solver
    from dio_mc.cli.rules import budget, progress
    from dio_mc.study import matrix as study

    most = options["max_states"]
    solve = solver(limits, most, options["jobs"], ground.folder, ground.files, no_cache=options["no_cache"])
    return study.matrix(
        registry, [registry.rules[ground.rule]], ground.operations, budget(most), progress(),
        sectors=ground.sectors, pages=ground.pages, exceeded=limits.exceeded, solve=solve,
    )  # fmt: skip
