"""One ``check`` command: results are kept whatever fails later. Modules that few runs need are imported where they are
used."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dio_mc.checking.driver import Options, Wanted, budget_of, options_of
from dio_mc.checking.results import Failure, Report
from dio_mc.checking.runs.execute import Done, Outcome, run_here
from dio_mc.checking.runs.plan import Request, Task, find_files, plan
from dio_mc.cli.progress import ProgressLine
from dio_mc.cli.streams import allow_commands
from dio_mc.config import LOCAL, OFF, Value, find_file, memory
from dio_mc.engines.limits import Limits
from dio_mc.errors import usage_error
from dio_mc.guard import Ended, Guard, attempt, stop_of
from dio_mc.report.batch import Batch
from dio_mc.report.formats import rendered, write_report
from dio_mc.report.text import headline, report_text, summary_lines
from dio_mc.report.wording import stem_of, stems_of
from dio_mc.semantics.search import (
    Approximate,
    Checkpoints,
    FewPreemptions,
    OnRay,
    Partial,
    RandomRuns,
)
from dio_mc.source import Span, display_path
from dio_mc.trace.trace import Trace

if TYPE_CHECKING:
    from dio_mc.stepping.ways import Ways

Result = TypeVar("Result")


class Session:
    """One command: prepare, run, finish; then read `exit_code`. Text is printed as it is produced, other formats at the
    end."""

    def __init__(
        self, values: Mapping[str, Value], stop: Callable[[], str | None], *, verbose: bool, quiet: bool
    ) -> None:
        self.values = {name: value.value for name, value in values.items()}
        self.ray = on_ray(values)
        self.stop, self.verbose, self.quiet = stop, verbose, quiet
        self.text = self.values["output-format"] == "text"
        self.folder: str | None = self.values["counterexamples"] if self.values["artifacts"] else None
        self.entries: list[Outcome] = []
        self.codes: list[int] = []
        self.memory: list[tuple[Report, int]] = []
        self.planned: list[Task | Failure] = []
        self.files = 0
        self.stems: dict[str, str] = {}
        self._reported: set[tuple[str, Span | None, str]] = set()
        self.sweep: tuple[str, tuple[int, ...]] | None = None
        self.partial: Partial | None = None
        self.wanted: Wanted | None = None
        self.certificate: str | None = None

    @property
    def batch(self) -> Batch:
        """All results."""
        allowed = self.values["allow-undetermined"]
        return Batch(tuple(self.entries), self.folder, self.values["strict"], allowed, self.stems)

    @property
    def exit_code(self) -> int:
        """The worst of all runs and of files that could not be written."""
        return self.batch.code_with(self.codes)

    def prepare(self, paths: Sequence[str], options: Mapping[str, Any]) -> None:
        """Find the files and load them."""
        if options["sweep"]:
            from dio_mc.checking.runs.sweep import parse_sweep

            self.sweep = parse_sweep(options["sweep"], options["params"])
        self.partial = partial_of(options)
        self.wanted, self.certificate = wanted_of(options), options["certificate"]
        files, failures = find_files(paths)
        revision = options["changed_since"]
        if options["affected"] or revision is not None:
            files = _changed(files, revision, affected=options["affected"])
            if not files and revision is not None:
                click.echo(f"nothing to check: no model changed since {revision}", err=True)
        request = Request(options["names"], dict(options["params"]), self.sweep)
        self.planned = [*failures, *(self._loaded(files, request) if files or not revision else [])]
        self.files = len({e.file for e in self.planned})
        self.stems = stems_of(display_path(str(Path(e.file).resolve())) for e in self.planned if isinstance(e, Task))

    def _loaded(self, files: Sequence[tuple[str, bool]], request: Request) -> list[Task | Failure]:
        """The tasks. Loading a model executes its file, which may take forever."""
        try:
            with Guard(Limits(budget_of(self.values), self.stop).exceeded):
                return plan(files, request)
        except (Ended, MemoryError) as ended:
            return [Failure("", f"dio-mc: stopped by {stop_of(ended)} while models were loaded", 3, (), "")]

    def run(self) -> None:
        """Check everything, in order."""
        tasks = [e for e in self.planned if isinstance(e, Task)]
        jobs = self.values["jobs"] if self.ray is None else 1
        options = replace(
            options_of(self.values),
            first=self.values["first"],
            report=ProgressLine(sys.stderr),
            stop=self.stop,
            partial=self.partial,
            any_number=self.wanted,
            checkpoints=checkpoints_of(self.values),
            disk=folder_of(self.values["disk"]),
            overflow=overflow_of(self.values["disk"]),
            ray=self.ray,
        )
        if self.certificate is not None and (len(tasks) > 1 or not self.planned):
            hint = "choose one with --model and --param"
            raise usage_error("DIO273", f"--certificate keeps one proof, and there are {len(tasks)} runs", hint=hint)
        done = _outcomes(tasks, options, jobs)
        for entry in self.planned:
            if isinstance(entry, Failure):
                self._take(entry)
                continue
            ended = next(done)
            self._take(ended.outcome)
            self.memory += [(ended.outcome, ended.memory)] if isinstance(ended.outcome, Report) else []

    def _is_known(self, failure: Failure) -> bool:
        """Whether all errors of a failure have already been reported for another class or binding, because a class
        inherits the errors of its base classes. Errors are compared by code and place, since the message may name the
        class."""
        found = {(d.code, d.span, d.hint) for d in failure.diagnostics if d.span is not None}
        known = bool(found) and len(found) == len(failure.diagnostics) and found <= self._reported
        self._reported |= found
        return known

    def _take(self, outcome: Outcome) -> None:
        """Write the files of a result, and show it."""
        first = not any(isinstance(e, Report) and e.verdict == "VIOLATED" for e in self.entries)
        if isinstance(outcome, Failure) and self._is_known(outcome):
            return
        self.entries.append(outcome)
        if isinstance(outcome, Failure):
            click.echo(outcome.text, err=True)
            return
        no_problems: list[str] = []
        problems = self._tried("a counterexample file", partial(self._write, outcome), no_problems) + self._keep(
            outcome
        )
        if self.text and not (self.quiet and self.batch.code_of(outcome) == 0):
            full = self.batch.code_of(outcome) == 1 or (self.files == 1 and first)
            show = partial(
                report_text, folder=self.batch.place(outcome), seconds=self.verbose, strict=self.batch.strict
            )
            text = self._tried("the counterexample", partial(show, outcome, trace=full), "")
            self._say(f"{text or headline(outcome)}\n")
        self._problems(problems)

    def _tried(self, what: str, task: Callable[[], Result], default: Result) -> Result:
        """Run a task that shows or writes a verdict, and must not lose it. It may take one second plus a tenth of the
        time that the run took."""
        limits = self._limits_of_showing()
        return attempt(what, task, default, limits.exceeded, lambda text: click.echo(f"dio-mc: {text}", err=True))

    def _limits_of_showing(self) -> Limits:
        timeout = self.values["timeout"]
        return Limits(replace(budget_of(self.values), timeout=None if timeout is None else timeout / 10), self.stop)

    def _write(self, report: Report) -> list[str]:
        if self.folder is None:
            return []
        return [p for t in report.traces for p in self._files(stem_of(report, self.stems), t, report.file)]

    def _keep(self, report: Report) -> list[str]:
        """Write the certificate of a proof."""
        if self.certificate is None or report.any_number is None or not report.any_number.certificate:
            return []
        try:
            Path(self.certificate).write_text(report.any_number.certificate, encoding="utf-8")
        except OSError as error:
            return [f"{self.certificate}: cannot be written: {error.strerror or error}"]
        return []

    def _files(self, stem: str, trace: Trace, file: str) -> list[str]:
        from dio_mc.report.artifacts import write_artifacts

        assert self.folder is not None
        page = self.values["html"]
        ways = self._ways(trace, file) if page else None
        return write_artifacts(Path(self.folder), stem, trace, page=page, ways=ways)

    def _ways(self, trace: Trace, file: str) -> Ways | None:
        """The steps beside a trace, for its page."""
        from dio_mc.cli.exploring import ways_of

        limits = self._limits_of_showing()
        task = partial(ways_of, trace, "", file, limits.exceeded)
        return self._tried("the steps beside the counterexample", task, None)

    def _problems(self, problems: Sequence[str]) -> None:
        for problem in problems:
            click.echo(f"dio-mc: error DIO207: {problem}", err=True)
            self.codes.append(2)

    def _say(self, text: str) -> None:
        """Print to stdout. If the reader has closed the pipe (``| head``), the text is discarded; if the disk is full,
        the text is lost and an error is printed. Neither affects verdicts or report files."""
        try:
            click.echo(text, nl=False)
        except OSError as error:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if not isinstance(error, BrokenPipeError):
                self._problems([f"stdout: cannot be written: {error.strerror or error}"])

    def finish(self, *, plot: bool) -> None:
        """The end of the text, or the report in another format; then report files, and the summary of a GitHub step."""
        form = self.values["output-format"]
        if self.text:
            lines = [] if self.quiet and self.exit_code == 0 else summary_lines(self.batch)
            self._say("".join(f"{line}\n" for line in lines))
        else:
            if form == "github":
                allow_commands()
            self._say(rendered(form, self.batch))
        if self.sweep is not None and self.text:
            from dio_mc.checking.runs.sweep import growth_table

            self._say(growth_table(self.sweep[0], self.memory, measured=self.verbose, plot=plot))
        written = [write_report(form, Path(path), self.batch) for form, path in self.values["report"]]
        self._problems([problem for problem in written if problem])
        if form == "github" or any(form == "github" for form, _ in self.values["report"]):
            self._step_summary()

    def _step_summary(self) -> None:
        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if not path:
            return
        from dio_mc.report.github import append_summary

        try:
            append_summary(Path(path), self.batch)
        except OSError as error:
            self._problems([f"{path}: cannot be written: {error.strerror or error}"])


def _changed(files: Sequence[tuple[str, bool]], revision: str | None, *, affected: bool) -> list[tuple[str, bool]]:
    """The files affected by changes since a revision."""
    from dio_mc.checking.runs import changed

    kept = changed.affected(files) if affected else list(files)
    return changed.changed_since(revision, kept, find_file(Path.cwd())) if revision is not None else kept


def _outcomes(tasks: Sequence[Task], options: Options, jobs: int) -> Iterator[Done]:
    """The outcomes of the tasks, in their order."""
    if jobs == 1 or len(tasks) < 2:
        return run_here(tasks, options)
    from dio_mc.checking.runs.pool import run_in_processes

    return iter(run_in_processes(tasks, options, jobs))


def checkpoints_of(values: Mapping[str, Any]) -> Checkpoints | None:
    """Where long searches are kept, and the command that goes on with them: the same, with ``--resume``."""
    if values["checkpoint"] == OFF:
        return None
    words = ["dio-mc", *(word for word in sys.argv[1:] if word != "--resume"), "--resume"]
    return Checkpoints(values["checkpoint"], values["resume"], say=_say, command=shlex.join(words))


def _say(text: str) -> None:
    """Print a line about checkpoints to stderr: it is not part of the answer."""
    click.echo(f"dio-mc: {text}", err=True)


def partial_of(options: Mapping[str, Any]) -> Partial | None:
    """The part of the state space to cover; None for all of it."""
    if options["simulate"] is not None:
        return RandomRuns(options["simulate"], options["seed"] or 0)
    if options["preemptions"] is not None:
        return FewPreemptions(options["preemptions"])
    return approximate_of(options["approximate"]) if options["approximate"] is not None else None


def wanted_of(options: Mapping[str, Any]) -> Wanted | None:
    """What to prove for any number; None if not requested."""
    if options["any_of"] is None:
        return None
    words = tuple(word.strip() for word in options["any_of"].split(",") if word.strip())
    if not words:
        raise click.UsageError("--any names threads: --any readers,mappers, or --any all.")
    return Wanted(words, certificate=options["certificate"] is not None)


def on_ray(values: Mapping[str, Value]) -> OnRay | None:
    """The Ray cluster to use, or None if none is requested. Raises `ModelError` if Ray is not installed, or if there is
    no answer from the address."""
    address, workers = values["ray"].value, values["workers"]
    if address is None:
        return None
    from dio_mc.engines.cluster.bridge import missing, unreachable

    error = missing() or unreachable(address)
    if error is not None:
        raise error
    return OnRay(None if address == LOCAL else address, None if workers.origin == "default" else workers.value)


def folder_of(text: str | None) -> Path | None:
    """Where states may be written. Raises `click.UsageError` where that is not possible."""
    if text in (None, OFF):
        return None
    from tempfile import TemporaryFile

    try:
        TemporaryFile(dir=text).close()
    except OSError as error:
        raise click.UsageError(f"--disk {text}: {error.strerror or error}.") from None
    return Path(text)


def overflow_of(text: str | None) -> Path | None:
    """Where states are written when memory runs out: below the user's cache folder, if no folder was named."""
    from dio_mc.cache import cache_folder

    try:
        return cache_folder("states") if text is None else None
    except RuntimeError:  # no home folder
        return None


def approximate_of(text: str) -> Approximate:
    """Parse ``hash-compaction``, ``bitstate`` or ``bitstate:4G``. Raises `click.UsageError`."""
    storage, colon, size = text.partition(":")
    if storage == "hash-compaction" and not colon:
        return Approximate("hash-compaction")
    if storage != "bitstate":
        raise click.UsageError(f"--approximate {text}: is neither hash-compaction nor bitstate nor bitstate:SIZE.")
    try:
        return Approximate("bitstate", memory(size)) if colon else Approximate("bitstate")
    except ValueError as error:
        raise click.UsageError(f"--approximate {text}: {size} {error}.") from None
