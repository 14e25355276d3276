"""``fix``: the smallest edits that make a violated model hold."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dio_mc.cli.interrupts import Interrupts
from dio_mc.cli.limits import jobs_of, within
from dio_mc.cli.rules import progress
from dio_mc.cli.types import CLASS, Param

if TYPE_CHECKING:
    from dio_mc.checking.runs.fix import Search
    from dio_mc.checking.runs.plan import Task
    from dio_mc.fix.found import Found


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(fix)


@click.command()
@click.argument("model_file", metavar="MODEL", type=click.Path())
@click.option("--model", "name", type=CLASS, metavar="CLASS", help="The class  [default: the one that is violated]")
@click.option(
    "--property",
    "goals",
    multiple=True,
    metavar="NAME",
    help="The property to fix; may be repeated  [default: all that are violated]",
)
@click.option("--param", "params", multiple=True, type=Param(), help="Bind a parameter of the model.")
@click.option(
    "--pairs", type=click.IntRange(0), default=600, show_default=True, metavar="N", help="Try up to N pairs of edits."
)
@click.option("--most", type=click.IntRange(1), default=5, show_default=True, metavar="N", help="Print up to N fixes.")
@click.option("--write", "target", metavar="FILE", type=click.Path(), help="Write the first fix as a subclass to FILE.")
@click.option("--max-states", type=click.IntRange(1), metavar="N", help="Stop a check after N states.")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop the search after this long.")
@click.option("--max-memory", metavar="SIZE", help="Stop a process at this much resident memory (800M, 4G).")
@click.option("--jobs", type=click.IntRange(1), metavar="N", help="Try in N processes  [default: one per processor]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Print every fix as a subclass, and the schedules of near misses.")
def fix(model_file: str, **options: Any) -> None:
    """Search the smallest edits of a violated model that make it hold.

    An edit puts a lock around statements, moves a statement, adds a wait, a call or a store from the model's
    vocabulary, or replaces a constant; then pairs of edits are tried. Every fix that is reported was written as a
    subclass, loaded and checked: also with larger parameters, with a subset of the threads, and for any number of
    threads if that can be proved.

    Exit codes: 0 a fix, 1 none among the edits that are tried, 2 nothing to fix or a wrong model, 3 the search was
    stopped before its end (fixes found so far are printed).
    """
    try:
        with Interrupts() as stop:
            task, search = _asked(model_file, options, stop)
            found = _search(task, search)
    except KeyboardInterrupt:
        click.echo("dio-mc: ended by a second signal: no fix is reported", err=True)
        sys.exit(3)
    from dio_mc.report.fix import fix_json, fix_text

    code = found.exit_code
    as_json = options["form"] == "json"
    click.echo(fix_json(found).rstrip() if as_json else fix_text(found, everything=options["verbose"]))
    if options["target"] is not None and found.fixes:
        code = max(code, _write(Path(options["target"]), found))
    sys.exit(code)


def _asked(model_file: str, options: dict[str, Any], stop: Callable[[], str | None]) -> tuple[Task, Search]:
    """The class and the search parameters. Raises `ModelError` if they are wrong."""
    from dio_mc.checking.driver import Options
    from dio_mc.checking.runs.fix import Search, the_class
    from dio_mc.checking.runs.plan import Task
    from dio_mc.cli.check import settings
    from dio_mc.engines.limits import Limits
    from dio_mc.guard import OUTER
    from dio_mc.semantics.search import Budget

    if options["target"] is not None:
        _refuse_target(Path(options["target"]), Path(model_file))
    values = settings({name: options[name] for name in ("max_states", "timeout", "max_memory", "jobs")})
    budget = Budget(values["max-states"].value, None, values["timeout"].value, values["max-memory"].value)
    checking = Options(budget, stop=stop)
    params = tuple(sorted(dict(options["params"]).items()))
    read = partial(the_class, model_file, options["name"], params, checking)
    model = within(Limits(budget, stop), read, "the model was read", patience=OUTER)
    jobs = jobs_of(values["jobs"])
    search = Search(checking, options["goals"], options["pairs"], options["most"], jobs, _Line())
    return Task(model_file, model, params, None), search


def _search(task: Task, search: Search) -> Found:
    from dio_mc.checking.runs.fix import find_fixes

    try:
        return find_fixes(task, search)
    finally:
        if isinstance(search.progress, _Line):
            search.progress.finish()


class _Line:
    """What is tried, how many of how many, and how many edits pass."""

    def __init__(self) -> None:
        self._line, self._what = progress(), ""

    def __call__(self, what: str, done: int, total: int, passing: int) -> None:
        if what != self._what:
            self.finish()
            self._line, self._what = progress(what), what
        self._line(done, total, further=f"{passing:,} pass")

    def finish(self) -> None:
        """Erase the line."""
        self._line.finish()


def _refuse_target(target: Path, model_file: Path) -> None:
    """Raise `ModelError` for a target that could not be loaded, or that would overwrite a file."""
    from dio_mc.errors import usage_error

    if target.resolve().parent != model_file.resolve().parent:
        hint = f"write it to {model_file.parent / target.name}"
        message = "a fix imports the model, so it must be in the same folder"
        raise usage_error("DIO296", message, file=str(target), hint=hint)
    if target.suffix != ".py" or not target.stem.isidentifier():
        raise usage_error("DIO296", "a fix is a Python file: NAME.py", file=str(target))
    if target.exists():
        raise usage_error("DIO296", "exists already and is not overwritten", file=str(target))


def _write(target: Path, found: Found) -> int:
    """Write the first fix and check the written file; return the exit code of that check."""
    from dio_mc.checking.runs.fix import recheck
    from dio_mc.files import write_if_changed

    try:
        write_if_changed(target, found.fixes[0].text)
    except OSError as error:
        click.echo(f"dio-mc: error DIO207: {target}: cannot be written: {error.strerror or error}", err=True)
        return 2
    code, text = recheck(target)
    click.echo(text, err=True)
    return code
