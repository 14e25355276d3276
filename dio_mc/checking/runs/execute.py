"""Tasks -> reports, in the order of the tasks: one after the other in this process, or in several
processes (`pool`)."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from dio_mc.checking.driver import Options, Wanted, check_class, undetermined
from dio_mc.checking.results import Failure, Report
from dio_mc.checking.runs.plan import Task, failure_of
from dio_mc.errors import DioError, failed_io
from dio_mc.memory import resident_bytes
from dio_mc.semantics.search import Progress
from dio_mc.semantics.search import Report as ProgressReport
from dio_mc.semantics.stop import OUT_OF_MEMORY, requested

Outcome = Report | Failure
BETWEEN: Final = 0.05
"""Seconds between two measurements of a run's memory: most searches are over before that."""


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of a task; `memory` is the largest growth of the process during it, in bytes."""

    task: Task
    outcome: Outcome
    memory: int = 0


class _Peak:
    """A listener to progress that records resident memory, and passes everything on."""

    def __init__(self, report: ProgressReport | None) -> None:
        self._report = report
        self._looked = -BETWEEN
        self._before = self._most = resident_bytes()

    def __call__(self, progress: Progress) -> None:
        if abs(progress.seconds - self._looked) >= BETWEEN:  # the clock of each search starts at zero
            self._looked = progress.seconds
            self._most = max(self._most, resident_bytes())
        if self._report is not None:
            self._report(progress)

    def grown(self) -> int:
        return max(self._most, resident_bytes()) - self._before


def run_here(tasks: Iterable[Task], options: Options) -> Iterator[Done]:
    """Run tasks one after the other. Tasks that a stop leaves undone are reported as undetermined,
    never left out."""
    for task in tasks:
        reason = options.stop() if options.stop is not None else None
        if reason is not None:
            yield Done(task, unfinished(task, reason))
        else:
            outcome, memory = checked(task, options)
            yield Done(task, outcome, memory)


def checked(task: Task, options: Options) -> tuple[Outcome, int]:
    """One run, and the memory it took; a fault of dio-mc is an outcome too, so that the other
    models keep their verdicts."""
    peak = _Peak(options.report)
    try:
        outcome = _outcome(task, replace(options, report=peak))
    finally:
        finish = getattr(options.report, "finish", None)
        if finish is not None:
            finish()
    return outcome, peak.grown()


def _outcome(task: Task, options: Options) -> Outcome:
    name = task.model.__name__
    try:
        model = task.recipe.of(task.model) if task.recipe is not None else task.model
        wanted = _wanted(task, options)
        if wanted is None:
            return check_class(model, dict(task.params), options, task.stated)
        from dio_mc.checking.general import check_any_number  # for those who ask

        return check_any_number(model, dict(task.params), wanted, options, task.stated)
    except DioError as error:
        return failure_of(error, task.file, name)
    except MemoryError:
        return unfinished(task, str(OUT_OF_MEMORY))
    except OSError as error:
        return Failure(task.file, failed_io(error, task.file), 2, (), name)
    except Exception as error:
        return fault_of(error, task.file, name)


def _wanted(task: Task, options: Options) -> Wanted | None:
    """The proof for any number that the command requests, otherwise that of the file."""
    if options.any_number is not None:
        return options.any_number
    stated = task.stated
    if stated is None or not stated.any or task.recipe is not None or options.partial is not None:
        return None
    return Wanted(stated.any, instances=False)


def fault_of(error: Exception, file: str, name: str) -> Failure:
    """The failure for an exception that is a fault of dio-mc; with DIO_MC_DEBUG it is raised
    again."""
    if os.environ.get("DIO_MC_DEBUG"):
        raise error
    last = traceback.extract_tb(error.__traceback__)[-1]
    text = (
        f"dio-mc: internal error: {type(error).__name__}: {error} ({last.name}, line {last.lineno})\n"
        "This is a fault of dio-mc; DIO_MC_DEBUG=1 shows where. The model may be fine."
    )
    return Failure(file, text, 4, (), name)


def unfinished(task: Task, reason: str) -> Report:
    """The report of a run without a result."""
    return undetermined(task.model, dict(task.params), task.stated, requested(reason))
