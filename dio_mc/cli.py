"""The command line. Results go to stdout; progress and hints to stderr. Only click is imported before a command runs.

Exit codes: 0 holds or as expected, 1 violated, 2 the model, the usage or a file is wrong, 3 undetermined, 4 a fault of
dio-mc. For several models the worst, in the order 4, 2, 1, 3, 0.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dio_mc import __version__, cli_show

if TYPE_CHECKING:
    from dio_mc.driver import Options, Report

WORST = (4, 2, 1, 3, 0)
GUIDE = """\
dio-mc explores every schedule of a locking rule and shows each race as a picture.

  dio-mc check FILE_OR_FOLDER    check the models in it
  dio-mc show TRACE.json         show a counterexample: --format commit, svg, ...
  dio-mc replay TRACE.json       run a counterexample again, on the model as it is now
  dio-mc ir FILE                 show what a model was compiled to
  dio-mc help DIO104             what an error code means

A model is a Python class: see docs/language.md. `dio-mc COMMAND --help` lists options.
Exit codes: 0 holds, 1 violated, 2 error in model or usage, 3 undetermined, 4 internal error.
"""


class _Group(click.Group):
    """Bare ``dio-mc`` is a guide, not an error."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(GUIDE + "\n")


@click.group(cls=_Group, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dio-mc")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Explore every schedule of a locking rule and show each race as a picture."""
    if ctx.invoked_subcommand is None:
        click.echo(GUIDE, nl=False)


# --- check ------------------------------------------------------------------------------------------------------------


class _Param(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs only
    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        name, _, number = str(value).partition("=")
        words = {"true": "1", "false": "0"}
        try:
            return name, int(words.get(number.lower(), number))
        except ValueError:
            self.fail(f"{value!r} is not NAME=VALUE with a whole number (DIO204)", param, ctx)


class _Memory(click.ParamType):  # type: ignore[type-arg]  # generic in click's stubs only
    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        text = str(value).strip().upper().removesuffix("B").removesuffix("I")
        scale = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:], 1)
        try:
            return int(float(text[:-1] if scale > 1 else text) * scale)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no amount of memory, such as 800M or 4G", param, ctx)


@cli.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE_OR_FOLDER...")
@click.option("--param", "params", multiple=True, type=_Param(), help="Bind a parameter of the model.")
@click.option("--model", "names", multiple=True, metavar="CLASS", help="Check only these classes.")
@click.option("--max-states", type=click.IntRange(1), metavar="N", help="Stop after N states.")
@click.option("--max-depth", type=click.IntRange(0), metavar="N", help="Stop after N steps from the start.")
@click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop a run after this long.")
@click.option("--max-memory", type=_Memory(), help="Stop a run at this much resident memory (800M, 4G).")
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
    with _Interrupts() as stop:
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
                self._fail(_unknown_class(name, [cls.__name__ for m in modules for cls in m.models]))
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


def _unknown_class(name: str, known: list[str]) -> Exception:
    from dio_mc.errors import did_you_mean, usage_error

    hint = did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}"
    return usage_error("DIO208", f"no model class `{name}`", hint=hint)


class _Interrupts:
    """The first Ctrl-C or SIGTERM asks the search to stop and give a partial verdict, the second ends it."""

    def __init__(self) -> None:
        self.reason: str | None = None

    def __enter__(self) -> Callable[[], str | None]:
        import signal

        self.previous = {s: signal.signal(s, self._note) for s in (signal.SIGINT, signal.SIGTERM)}
        return lambda: self.reason

    def __exit__(self, *_: object) -> None:
        import signal

        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: object) -> None:
        import signal

        if self.reason is not None:
            raise KeyboardInterrupt
        self.reason = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"


# --- replay, ir, help -------------------------------------------------------------------------------------------------


@cli.command()
@click.argument("trace", type=click.Path())
@click.option("--model-file", type=click.Path(), help="Where the model is now, if it moved.")
def replay(trace: str, model_file: str | None) -> None:
    """Run a counterexample again on the model as it is now.

    Exit 0 when it reproduces, 1 when the model has changed so that it does not, 2 when the file is no trace.
    """
    from dio_mc.replaying import replay_file

    outcome = replay_file(trace, model_file)
    click.echo(outcome.text)
    sys.exit(0 if outcome.reproduces else 1)


@cli.command()
@click.argument("file", type=click.Path())
@click.option("--param", "params", multiple=True, type=_Param(), help="Bind a parameter of the model.")
@click.option("--model", "names", multiple=True, metavar="CLASS", help="Show only these classes.")
def ir(file: str, params: tuple[tuple[str, int], ...], names: tuple[str, ...]) -> None:
    """Show the program that a model was compiled to."""
    from dio_mc.frontend import build, load_module
    from dio_mc.ir.printer import print_program

    module = load_module(file)
    chosen = [cls for cls in module.models if not names or cls.__name__ in names]
    if not chosen:
        raise _unknown_class(names[0], [cls.__name__ for cls in module.models])
    for number, cls in enumerate(chosen):
        built = build(cls, dict(params))
        click.echo(("\n" if number else "") + print_program(built.program), nl=False)
        for warning in built.warnings:
            click.echo(warning.render(), err=True)


@cli.command("help")
@click.argument("code", required=False)
def help_(code: str | None) -> None:
    """What a diagnostic code means; without a code, the list of them."""
    from dio_mc.catalogue import PAGES
    from dio_mc.errors import did_you_mean, usage_error

    if code is None:
        for name, page in PAGES.items():
            click.echo(f"{name}  {page.title}")
        return
    found = PAGES.get(code.upper())
    if found is None:
        raise usage_error("DIO203", f"no such code: {code}", hint=did_you_mean(code.upper(), PAGES))
    click.echo(f"{code.upper()}: {found.title}\n\n{found.text}")
    if found.example:
        click.echo("\n" + "\n".join(f"    {line}" for line in found.example.splitlines()))


cli_show.register(cli)


def main() -> None:
    """Entry point: errors as text, never a traceback of ours (set DIO_MC_DEBUG=1 to see one)."""
    try:
        cli.main(prog_name="dio-mc", standalone_mode=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except Exception as error:
        if os.environ.get("DIO_MC_DEBUG"):
            raise
        from dio_mc.errors import DioError

        if isinstance(error, DioError):
            click.echo(str(error), err=True)
            sys.exit(error.exit_code)
        click.echo(f"dio-mc: internal error: {type(error).__name__}: {error}", err=True)
        click.echo("This is a fault of dio-mc; DIO_MC_DEBUG=1 shows where. The model may be fine.", err=True)
        sys.exit(4)
