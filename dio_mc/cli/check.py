"""The command ``check``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dio_mc.cli.interrupts import Interrupts
from dio_mc.cli.types import Memory, Param, unknown_class

if TYPE_CHECKING:
    from dio_mc.driver import Options, Report

WORST = (4, 2, 1, 3, 0)


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(check)


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE_OR_FOLDER...")
@click.option("--param", "params", multiple=True, type=Param(), help="Bind a parameter of the model.")
@click.option("--model", "names", multiple=True, metavar="CLASS", help="Check only these classes.")
@click.option("--max-states", type=click.IntRange(1), metavar="N", help="Stop after N states.")
@click.option("--max-depth", type=click.IntRange(0), metavar="N", help="Stop after N steps from the start.")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop a run after this long.")
@click.option("--max-memory", type=Memory(), help="Stop a run at this much resident memory (800M, 4G).")
@click.option("--first", is_flag=True, help="Stop after the level of the first violation.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--counterexamples", "folder", default="counterexamples", show_default=True, metavar="DIR", type=click.Path(),
    help="Where counterexamples are written.",
)  # fmt: skip
@click.option("--no-artifacts", is_flag=True, help="Write no counterexample files.")
@click.option("-v", "--verbose", is_flag=True, help="Show wall time.")
def check(
    paths: tuple[str, ...],
    params: tuple[tuple[str, int], ...],
    names: tuple[str, ...],
    max_states: int | None,
    max_depth: int | None,
    timeout: float | None,
    max_memory: int | None,
    first: bool,
    output_format: str,
    folder: str,
    no_artifacts: bool,
    verbose: bool,
) -> None:
    """Explore every schedule of the models and decide every property.

    A folder is searched for model files. `expect(...)` lines in a model file decide what counts as success.
    """
    from dio_mc.semantics.contract import Budget

    budget = Budget(max_states, max_depth, timeout, max_memory)
    with Interrupts() as stop:
        session = _Session(dict(params), names, _options(budget, first, stop), None if no_artifacts else folder)
        session.run(paths, stop, _text_printer(session, verbose) if output_format == "text" else _silent)
    if output_format == "json":
        from dio_mc.report.json import report_json

        click.echo(report_json(session.reports, folder=session.folder, exit_code=session.exit_code), nl=False)
    elif len(session.reports) > 1:
        from dio_mc.report.text import summary_text

        click.echo(summary_text(session.reports))
    sys.exit(session.exit_code)


def _options(budget: Any, first: bool, stop: Callable[[], str | None]) -> Options:
    from dio_mc.driver import Options
    from dio_mc.explore.progress import ProgressLine

    return Options(budget, first, ProgressLine(sys.stderr), stop)


class _Session:
    """One ``check`` command: what was found so far, whatever fails later."""

    def __init__(self, params: dict[str, int], names: Sequence[str], options: Options, folder: str | None) -> None:
        self.params, self.names, self.options, self.folder = params, names, options, folder
        self.reports: list[Report] = []
        self.codes: list[int] = []
        self.found_names: set[str] = set()

    @property
    def exit_code(self) -> int:
        """The worst of all runs."""
        codes = [*self.codes, *(r.exit_code for r in self.reports)]
        return next((c for c in WORST if c in codes), 0)

    def run(self, paths: Iterable[str], stop: Callable[[], str | None], show: Callable[[Report, int], None]) -> None:
        from dio_mc.errors import DioError

        modules = self._load(paths)
        runs = [(m, cls) for m in modules for cls in m.models if not self.names or cls.__name__ in self.names]
        for name in self.names:
            if not any(cls.__name__ == name for _, cls in runs):
                self._fail(unknown_class(name, [cls.__name__ for m in modules for cls in m.models]))
        files = len({m.path for m, _ in runs})
        for _, cls in runs:
            if stop() is not None and self.reports:
                self.codes.append(3)
                break
            try:
                self._check(cls, show, files)
            except DioError as error:
                self._fail(error)

    def _load(self, paths: Iterable[str]) -> list[Any]:
        from dio_mc.errors import DioError
        from dio_mc.frontend.load import load_module

        modules = []
        for path in paths:
            try:
                for file, required in _files(path):
                    try:
                        modules.append(load_module(file, allow_empty=not required))
                    except DioError as error:
                        self._fail(error)
            except DioError as error:
                self._fail(error)
        return modules

    def _check(self, cls: Any, show: Callable[[Report, int], None], files: int) -> None:
        from dio_mc.driver import bindings_of, check_class

        for params, stated in bindings_of(cls, self.params):
            report = self._explore(check_class, cls, params, stated)
            self.reports.append(report)
            problems = self._write(report)
            show(report, files)
            for problem in problems:
                click.echo(f"dio-mc: error DIO207: {problem}", err=True)
                self.codes.append(2)

    def _explore(self, check_class: Any, cls: Any, params: dict[str, int], stated: Any) -> Report:
        """One run, with the progress line wiped behind it."""
        try:
            report: Report = check_class(cls, params, self.options, stated)
        finally:
            finish = getattr(self.options.report, "finish", None)
            if finish is not None:
                finish()
        return report

    def _write(self, report: Report) -> list[str]:
        if self.folder is None:
            return []
        from dio_mc.report.artifacts import write_artifacts
        from dio_mc.report.words import stem_of

        return [p for t in report.traces for p in write_artifacts(Path(self.folder), stem_of(report), t)]

    def _fail(self, error: Exception) -> None:
        click.echo(str(error), err=True)
        self.codes.append(int(getattr(error, "exit_code", 4)))


def _text_printer(session: _Session, verbose: bool) -> Callable[[Report, int], None]:
    """Shows a counterexample in full when it is the point: the first of a single file, or one not expected."""
    from dio_mc.report.text import report_text

    def show(report: Report, files: int) -> None:
        first = files == 1 and not any(r.verdict == "VIOLATED" for r in session.reports[:-1])
        full = first or report.exit_code == 1
        click.echo(report_text(report, trace=full, folder=session.folder, seconds=verbose))

    return show


def _silent(report: Report, files: int) -> None:
    """Formats that are written whole at the end."""


def _files(path: str) -> list[tuple[str, bool]]:
    """The model files that a path stands for; a file must hold a model, a file of a folder may be a helper."""
    from dio_mc.errors import usage_error

    if not Path(path).is_dir():
        return [(path, True)]
    found = sorted(p for p in Path(path).rglob("*.py") if not any(part.startswith((".", "__")) for part in p.parts))
    if not found:
        raise usage_error("DIO202", "a directory without Python files", file=path)
    return [(str(p), False) for p in found]
