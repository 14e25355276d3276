"""Observing operations on real kernels: ``observe``, and ``matrix --kernel``.

Nothing except click is imported before a command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dio_mc.cli.kernels import mount_option
from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within
from dio_mc.cli.rules import MODELS, MORE, progress
from dio_mc.cli.types import RULE, WORKLOAD

if TYPE_CHECKING:
    from dio_mc.engines.limits import Limits
    from dio_mc.machine.observe import Compared, Observations
    from dio_mc.machine.session import Session
    from dio_mc.study.matrix import Matrix
    from dio_mc.study.registry import Registry, Rule, Workload


@dataclass(frozen=True, slots=True)
class Guests:
    """The options of ``matrix`` for real kernels."""

    kernels: tuple[str, ...] = ()
    file_systems: tuple[str, ...] = ()
    mount: str | None = None
    preemptions: int = 1
    state: Path | None = None


GUESTS = (
    click.option(
        "--kernel", "kernels", multiple=True, metavar="K", help="Observe real kernels instead of rules; with --fs."
    ),
    click.option("--fs", "file_systems", multiple=True, metavar="FS", help="File systems for --kernel."),
    click.option("--mount", metavar="OPTIONS", help="Mount options for --kernel."),
    click.option(
        "--preemptions",
        type=click.IntRange(0, 2),
        default=1,
        metavar="N",
        help="Preemptions with --kernel  [default: 1]",
    ),
    click.option(
        "--state",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Keep finished cells of --kernel in FILE, and continue from there.",
    ),
)


def guests_options(function: Callable[..., None]) -> Callable[..., None]:
    """Adds the options of `Guests` to a command, which gets them as one parameter `guests`."""

    @wraps(function)
    def packed(*args: Any, **given: Any) -> None:
        of_guests = {field.name: given.pop(field.name) for field in fields(Guests)}
        function(*args, guests=Guests(**of_guests), **given)

    for option in reversed(GUESTS):
        packed = option(packed)
    return packed


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to observe and how to print it; `found` collects the results."""

    workloads: Sequence[Workload]
    rule: Rule | None
    preemptions: int
    stress: float
    form: str
    schedules: Path | None
    report: Path | None
    found: list[tuple[Session, list[tuple[Observations, Compared | None]]]] = field(default_factory=list)


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(observe)


@click.command()
@click.argument("workloads", nargs=-1, required=True, type=WORKLOAD, metavar="WORKLOAD...")
@click.option(
    "--kernel", "kernels", multiple=True, metavar="K",
    help="A vmlinuz, a release, or a folder with unpacked packages; may be repeated.",
)  # fmt: skip
@click.option("--host", is_flag=True, help="Use this machine's kernel instead of a guest; as root, with --stress.")
@click.option(
    "--fs", "file_systems", multiple=True, required=True, metavar="FS",
    help="A file system: ext3, ext4, xfs, btrfs; may be repeated.",
)  # fmt: skip
@mount_option
@click.option(
    "--preemptions", type=click.IntRange(0, 2), default=1, show_default=True, metavar="N",
    help="Schedules in which threads are held at most N times.",
)  # fmt: skip
@click.option(
    "--stress", type=click.FloatRange(0), default=0.0, metavar="SECONDS",
    help="Then run all threads at once for this long, without holding any.",
)  # fmt: skip
@click.option(
    "--rule",
    type=RULE,
    metavar="RULE",
    help="Compare with this rule; exit with 1 if an outcome is seen that it does not allow.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--schedules", metavar="DIR", type=click.Path(path_type=Path),
    help="Write a schedule for each outcome to DIR, for `confirm`.",
)  # fmt: skip
@click.option(
    "--report", metavar="DIR", type=click.Path(path_type=Path),
    help="Draft a bug report for each outcome that --rule does not allow; without --rule, for each worse than error.",
)  # fmt: skip
@MODELS
@MORE
@TIMEOUT
@MAX_MEMORY
def observe(
    workloads: tuple[str, ...],
    kernels: tuple[str, ...],
    host: bool,
    file_systems: tuple[str, ...],
    mount: str | None,
    preemptions: int,
    stress: float,
    rule: str | None,
    form: str,
    schedules: Path | None,
    report: Path | None,
    folder: Path | None,
    files: tuple[Path, ...],
    timeout: float | None,
    max_memory: str | None,
) -> None:
    """Run the system calls of a workload on a real kernel, in all schedules with few preemptions.

    WORKLOAD is a name from models/workloads, or two or three operations: direct_read,mmap_store. Prints each outcome
    with a schedule that leads to it. Exit 1 when an outcome is seen that --rule does not allow, or the kernel oopses; 3
    when a guest is lost, or a limit or Ctrl-C ends the command; else 0.
    """
    from dio_mc.study.registry import open_registry, pick

    limits = limits_of(timeout, max_memory)
    registry = within(limits, lambda: open_registry(folder, files), "the rules were read")
    allowing = pick(registry.rules, [rule], "locking rule")[0] if rule is not None else None
    wanted = _Wanted(_workloads(registry, workloads), allowing, preemptions, stress, form, schedules, report)
    sessions = _sessions(kernels, host, file_systems, mount or "", stress)
    stopped = _run(wanted, sessions, limits)
    _report(wanted)
    sys.exit(_exit_code(wanted, stopped))


def _sessions(
    kernels: Sequence[str], host: bool, file_systems: Sequence[str], mount: str, stress: float
) -> list[Session]:
    from dio_mc.errors import usage_error
    from dio_mc.machine.host import HostSession
    from dio_mc.machine.images import find_kernel
    from dio_mc.machine.session import Session

    if host == bool(kernels):
        raise usage_error("DIO204", "observe needs --kernel K or --host", hint="for example --kernel 6.12")
    if host and not stress:
        raise usage_error("DIO287", "threads cannot be held on this kernel: --host needs --stress SECONDS")
    if host:
        return [HostSession(fs, mount, 4) for fs in file_systems]
    return [Session(find_kernel(k), fs, mount, 4) for k in kernels for fs in file_systems]


def _run(wanted: _Wanted, sessions: Sequence[Session], limits: Limits) -> bool:
    """Observe and print; return whether Ctrl-C or a limit ended it. Results finished before that are printed."""
    from dio_mc.cli.interrupts import raised
    from dio_mc.guard import Interrupting
    from dio_mc.machine.observed import as_json

    stopped, limit = False, Interrupting(limits.exceeded)
    try:
        with raised(), limit:
            for session in sessions:
                wanted.found.append((session, []))
                with session:
                    for pair in _pairs(wanted, session):
                        wanted.found[-1][1].append(pair)
                        _tell(wanted, session, *pair)
                        if pair[0].stopped:
                            raise KeyboardInterrupt
    except KeyboardInterrupt:
        stopped = True
        by = f" by {limit.stop}" if limit.stop is not None else ""
        click.echo(f"stopped{by}; what was seen before is shown", err=True)
    finally:
        if wanted.form == "json":
            click.echo(as_json(wanted.found), nl=False)
    return stopped


def _pairs(wanted: _Wanted, session: Session) -> Iterator[tuple[Observations, Compared | None]]:
    """Each workload on files of each layout, compared with the rule."""
    from dio_mc.machine.observe import compare, observe
    from dio_mc.machine.plans import layouts_on
    from dio_mc.study.outcomes import outcomes

    for workload in wanted.workloads:
        allowed = {} if wanted.rule is None else {one.layout: one for one in outcomes(workload, wanted.rule)}
        layouts = [name for name in layouts_on(session.file_system) if name in workload.layouts]
        for layout in layouts if wanted.rule is None else [name for name in layouts if name in allowed]:
            one = observe(session, workload, layout, wanted.preemptions, stress=wanted.stress)
            yield one, compare(one, allowed[layout]) if layout in allowed else None


def _tell(wanted: _Wanted, session: Session, one: Observations, compared: Compared | None) -> None:
    from dio_mc.machine.observed import schedule_files, text

    if wanted.form == "text":
        where = f"{session.kernel.release} {session.file_system} {session.mount}".strip()
        click.echo(text(where, one, compared))
    if wanted.schedules is not None:
        for name, content in schedule_files(session, one).items():
            _write_file(wanted.schedules / name, content)


def _report(wanted: _Wanted) -> None:
    """Write a draft, a schedule and a program for each observation that is a finding."""
    from dio_mc.machine.drafts import drafts

    if wanted.report is None:
        return
    written = drafts([(session, one, compared) for session, pairs in wanted.found for one, compared in pairs])
    for name, content in written.items():
        _write_file(wanted.report / name, content)
    click.echo(f"{wanted.report}: {len(written)} files" if written else "nothing to report", err=True)


def _exit_code(wanted: _Wanted, stopped: bool) -> int:
    pairs = [pair for _, pairs in wanted.found for pair in pairs]
    if any(one.log or (compared is not None and compared.forbidden) for one, compared in pairs):
        return 1
    return 3 if stopped or any(not one.complete for one, _ in pairs) else 0


def _workloads(registry: Registry, names: Sequence[str]) -> list[Workload]:
    from dio_mc.study.registry import pick, together

    found: list[Workload] = []
    for name in names:
        found += [together(registry, name.split(","))] if "," in name else pick(registry.workloads, [name], "workload")
    return found


def _write_file(path: Path, content: str) -> None:
    from dio_mc.cli.show import _write
    from dio_mc.errors import usage_error

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=str(path)) from None
    _write(path, content)


# -- the matrix ------------------------------------------------------------------------------------------------------


def run_matrix(registry: Registry, names: Sequence[str], guests: Guests, limits: Limits) -> tuple[Matrix, bool]:
    """The matrix of real kernels, and whether it is complete: after Ctrl-C or a limit the finished cells are in
    `guests.state`."""
    from dio_mc.cli.interrupts import raised
    from dio_mc.guard import Interrupting
    from dio_mc.machine.images import find_kernel
    from dio_mc.machine.kernel_matrix import Column, kernel_matrix, open_cells
    from dio_mc.machine.session import Session
    from dio_mc.study.matrix import Matrix

    columns = [
        Column(Session(find_kernel(k), fs, guests.mount or "")) for fs in guests.file_systems for k in guests.kernels
    ]
    kept, limit = open_cells(guests.state), Interrupting(limits.exceeded)
    try:
        with raised(), limit:
            return kernel_matrix(registry, columns, names, guests.preemptions, kept, _estimate()), True
    except KeyboardInterrupt:
        state = guests.state
        by = f" by {limit.stop}" if limit.stop is not None else ""
        click.echo(f"stopped{by}" + (f"; run it again to continue from {state}" if state else ""), err=True)
        return Matrix((), (), ()), False
    finally:
        for column in columns:
            column.session.close()


def _estimate() -> Callable[[int, int, int], None]:
    """The progress of a matrix on stderr: cells that are done, of how many, and schedules that were run."""
    line = progress()
    return lambda done, total, runs: line(done, total, further=f"{runs:,} schedules")
