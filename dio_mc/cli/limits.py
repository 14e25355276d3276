"""Time and memory limits for a command as a whole.

Nothing except click is imported before a command runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from dio_mc.cli.interrupts import ENDED

if TYPE_CHECKING:
    from dio_mc.config import Value
    from dio_mc.engines.limits import Limits
    from dio_mc.semantics.stop import Stop

Result = TypeVar("Result")

TIMEOUT = click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop after this long.")
MAX_MEMORY = click.option("--max-memory", metavar="SIZE", help="Stop at this much resident memory (800M, 4G).")


class Undecided(click.ClickException):
    """A limit ended the command before there was anything to write."""

    exit_code = ENDED

    def show(self, file: object = None) -> None:
        """Print the message in one line, in the form of all messages of the command."""
        click.echo(f"dio-mc: {self.message}", err=True)


def limits_of(timeout: float | None, max_memory: str | None) -> Limits:
    """The limits of the whole command; the time starts now."""
    from dio_mc.config import memory
    from dio_mc.engines.limits import Limits
    from dio_mc.semantics.search import Budget

    try:
        size = None if max_memory is None else memory(max_memory)
    except ValueError as error:
        raise click.UsageError(f"--max-memory: {max_memory} {error}.") from None
    return Limits(Budget(timeout=timeout, max_memory=size))


def jobs_of(jobs: Value) -> int:
    """The number of processes: the number of available processors, unless the user set it."""
    import os

    if jobs.origin != "default":
        return int(jobs.value)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def within(
    limits: Limits,
    task: Callable[[], Result],
    before: str = "there was anything to write",
    patience: float = 0.0,
) -> Result:
    """The result of a task that has no partial results.

    Raises `Undecided` if a limit ends it, with `patience` that many seconds later, for a task that polls the limits
    itself. `before` completes the message: what the command did not get to.
    """
    import sys

    from dio_mc.cli.progress import Waiting
    from dio_mc.guard import Ended, Guard, stop_of

    waiting = Waiting(sys.stderr, "at work")

    def exceeded() -> Stop | None:
        waiting()
        return limits.exceeded()

    try:
        with Guard(exceeded, patience=patience):
            return task()
    except (Ended, MemoryError) as ended:
        raise Undecided(f"stopped by {stop_of(ended)}, before {before}") from None
    finally:
        waiting.finish()
