"""``mutate``: whether the properties of a model notice small errors in it, and the verdicts of a rule in that."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click

from dio_mc.cli.interrupts import Interrupts
from dio_mc.cli.limits import within
from dio_mc.cli.mutate_rules import refuse_mixtures, rule_options, scores_of_rules
from dio_mc.cli.types import CLASS, ENGINE, Param

if TYPE_CHECKING:
    from dio_mc.checking.results import Failure
    from dio_mc.checking.runs.mutate import Plan
    from dio_mc.checking.runs.plan import Task
    from dio_mc.config import Value
    from dio_mc.mutation.score import Score

KINDS = ("undo", "lock", "wait", "call", "store", "check", "condition", "swap", "shrink", "atomic")


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(mutate)


@click.command()
@click.argument("paths", nargs=-1, metavar="[FILE_FOLDER_OR_GLOB]...", type=click.Path())
@rule_options
@click.option("--model", "names", multiple=True, type=CLASS, metavar="CLASS", help="Mutate only these classes.")
@click.option("--param", "params", multiple=True, type=Param(), help="Bind a parameter of the models.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only mutants of this kind.")
@click.option(
    "--against",
    type=CLASS,
    metavar="CLASS",
    help="The class that is fixed  [default: the nearest base class that `expect` says is violated]",
)
@click.option(
    "--propose/--no-propose", default=True, show_default=True, help="Search a property that catches each survivor."
)
@click.option("--inherited", is_flag=True, help="Also mutate code inherited from other files.")
@click.option(
    "--min-score",
    type=click.FloatRange(0, 100),
    default=100,
    metavar="PERCENT",
    show_default=True,
    help="Exit with 0 if this percentage is caught.",
)
@click.option(
    "--max-states",
    type=click.IntRange(1),
    metavar="N",
    help="Stop a run after N states  [default for a mutant: ten times the states of the model, at least 10000]",
)
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop a run after this long.")
@click.option("--max-memory", metavar="SIZE", help="Stop a run at this much resident memory (800M, 4G).")
@click.option("--engine", type=ENGINE, metavar="NAME", help="Search engine: auto (default), reference, native.")
@click.option("--workers", type=click.IntRange(1), metavar="N", help="Threads of the native engine.")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Check in N processes.")
@click.option("--output-format", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="List all mutants: also caught and equivalent ones, and those of library code.",
)
def mutate(paths: tuple[str, ...], **options: Any) -> None:
    """Break models on purpose, one small change at a time, and see which properties notice.

    If a class is a fix of another one, the first mutants undo its lines, and a table says for each line whether it is
    needed. A mutant omits a lock and its release, a wait, a call or a check, swaps two statements, or makes a critical
    section smaller. It is caught when a property is violated, or a deadlock or a fault occurs. Surviving mutants
    are listed with their line: either nothing depends on that line, or a property is missing. For each survivor a
    property that would catch it is printed as source, after a check that the class has it. Classes that do not hold
    as they are, and abstract classes, are not mutated.

    With --rule, a locking rule is mutated under the pairs of operations of `matrix`. A mutant is caught when the
    verdict of a pair changes.

    Exit codes: 0 all caught (or --min-score), 1 survivors, 2 nothing to mutate or a wrong model, 3 undetermined.
    """
    from dio_mc.cli.check import settings

    refuse_mixtures(paths, options)
    names_of_settings = ("jobs", "engine", "workers", "max_states", "timeout", "max_memory")
    values = settings({name: options[name] for name in names_of_settings})
    try:
        with Interrupts() as stop:
            session = _Session(_plan(values, options, stop), options)
            if options["rules"]:
                for entry in scores_of_rules(options, values, stop):
                    session.take(entry)
            else:
                session.run(_loaded(paths, options, values, stop))
            session.finish()
    except KeyboardInterrupt:
        click.echo("dio-mc: ended by a second signal: not all mutants", err=True)
        sys.exit(3)
    sys.exit(session.exit_code)


def _loaded(
    paths: tuple[str, ...], options: Mapping[str, Any], values: Mapping[str, Value], stop: Callable[[], str | None]
) -> list[Task | Failure]:
    from dio_mc.checking.runs.plan import Request, find_files, plan
    from dio_mc.engines.limits import Limits
    from dio_mc.semantics.search import Budget

    files, failures = find_files(paths)
    request = Request(options["names"], dict(options["params"]))
    limits = Limits(Budget(timeout=values["timeout"].value, max_memory=values["max-memory"].value), stop)
    return [*failures, *within(limits, lambda: plan(files, request), "the models were loaded")]


def _plan(values: Mapping[str, Value], options: Mapping[str, Any], stop: Callable[[], str | None]) -> Plan:
    from dio_mc.checking.driver import Options
    from dio_mc.checking.runs.mutate import Plan
    from dio_mc.cli.progress import CountLine
    from dio_mc.semantics.search import Budget

    budget = Budget(*(values[name].value for name in ("max-states", "max-depth", "timeout", "max-memory")))
    engine, workers = values["engine"].value, values["workers"].value
    checking = Options(budget, False, None, stop, engine=engine, workers=workers)
    return Plan(
        checking, frozenset(options["kinds"]), options["inherited"], values["jobs"].value,
        CountLine(sys.stderr, "mutants"), options["against"] or "", options["propose"],
        CountLine(sys.stderr, "survivors searched"),
    )  # fmt: skip


class _Session:
    """Mutates one class after another; text is printed as it is produced."""

    def __init__(self, plan: Plan, options: Mapping[str, Any]) -> None:
        self.plan, self.options = plan, options
        self.entries: list[Score | Failure] = []
        self.text = options["output_format"] == "text"

    @property
    def exit_code(self) -> int:
        """The worst of all classes; 2 if no class had a mutant that could be caught."""
        from dio_mc.mutation.score import Score, exit_code
        from dio_mc.report.batch import WORST

        scores = tuple(e for e in self.entries if isinstance(e, Score))
        codes = {exit_code(scores, self.options["min_score"])}
        codes |= {e.exit_code for e in self.entries if not isinstance(e, Score)}
        if codes == {0} and not any(s.judged for s in scores):
            codes = {2}
        return next(code for code in WORST if code in codes)

    def run(self, entries: list[Task | Failure]) -> None:
        """Mutate each class with all its bindings."""
        from dio_mc.checking.results import Failure
        from dio_mc.checking.runs.mutate import score

        groups: dict[Any, list[Task]] = {}
        for entry in entries:
            if isinstance(entry, Failure):
                self.take(entry)
            else:
                groups.setdefault(entry.model, []).append(entry)
        for tasks in groups.values():
            self.take(score(tasks, self.plan))

    def take(self, entry: Score | Failure) -> None:
        """Keep a result; text is printed at once."""
        from dio_mc.checking.results import Failure
        from dio_mc.report.mutation import mutation_text

        self.entries.append(entry)
        if isinstance(entry, Failure):
            click.echo(entry.text, err=True)
        elif self.text:
            click.echo(mutation_text(entry, everything=self.options["verbose"]))

    def finish(self) -> None:
        """Print the totals, or all results in another format."""
        from dio_mc.report.mutation import WRITERS, totals

        if not self.text:
            click.echo(WRITERS[self.options["output_format"]](self.entries, self.exit_code), nl=False)
        elif len(self.entries) > 1:
            click.echo(totals(self.entries))
        if self.exit_code == 2 and not any(getattr(e, "exit_code", 0) for e in self.entries):
            click.echo(
                "dio-mc: error DIO216: nothing to mutate: no class that holds has a mutant of this kind", err=True
            )
