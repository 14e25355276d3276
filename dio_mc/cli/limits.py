"""Time and memory for a command as a whole.

Nothing but click is imported before a command runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from dio_mc.cli.interrupts import ENDED

if TYPE_CHECKING:
    from dio_mc.config import Value
    from dio_mc.engines.limits import Limits

Result = TypeVar("Result")

TIMEOUT = click.option("--timeout", type=click.FloatRange(0), metavar="SECONDS", help="Stop after this long.")
MAX_MEMORY = click.option("--max-memory", metavar="SIZE", help="Stop at this much resident memory (800M, 4G).")


class Undecided(click.ClickException):
    """A limit ended the command before there was anything to write."""

    exit_code = ENDED

    def show(self, file: object = None) -> None:
        """In one line, as all messages of the command."""
        click.echo(f"dio-mc: {self.message}", err=True)


def limits_of(timeout: float | None, max_memory: str | None) -> Limits:
    """Those of the whole command; its clock runs from now on."""
    from dio_mc.config import memory
    from dio_mc.engines.limits import Limits
    from dio_mc.semantics.search import Budget

    try:
        size = None if max_memory is None else memory(max_memory)
    except ValueError as error:
        raise click.UsageError(f"--max-memory: {max_memory} {error}.") from None
    return Limits(Budget(timeout=timeout, max_memory=size))


def jobs_of(jobs: Value) -> int:
    """How many processes: as many as there are processors, where the user has not said it."""
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
    """What a task gives, of which no part is worth anything.

    Raises `Undecided` when a limit ends it; with `patience` so many seconds later, for a task that looks at the limits
    itself. `before` says what is not there then.
    """
    from dio_mc.guard import Ended, Guard, stop_of

    try:
        with Guard(limits.exceeded, patience=patience):
            return task()
    except (Ended, MemoryError) as ended:
        raise Undecided(f"stopped by {stop_of(ended)}, before {before}") from None
