"""The commands that run real kernels: ``confirm``, ``observe``, ``anchors``, and ``matrix --kernel``.

Nothing but click is imported before a command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dio_mc.cli.types import RULE, WORKLOAD

if TYPE_CHECKING:
    from dio_mc.machine.cases import Case
    from dio_mc.machine.images import Kernel
    from dio_mc.machine.session import Session
    from dio_mc.machine.telling import Answered
    from dio_mc.study.matrix import Matrix
    from dio_mc.study.shelf import Shelf, Workload

kernel_option = click.option(
    "--kernel", "kernels", multiple=True, required=True, metavar="K",
    help="A vmlinuz, a release, or a folder with unpacked packages; several are possible.",
)  # fmt: skip
fs_option = click.option(
    "--fs", "file_system", metavar="FS", help="The file system: ext3, ext4, xfs, btrfs; default: what the model says."
)
mount_option = click.option("--mount", metavar="OPTIONS", help="Mount options.")
models_option = click.option(
    "--models", "folder", metavar="DIR", help="A folder with protocols/ and workloads/; default: the shipped ones.",
    type=click.Path(path_type=Path),
)  # fmt: skip
more_option = click.option(
    "--file", "files", multiple=True, metavar="FILE", help="A file with further rules or workloads.",
    type=click.Path(path_type=Path),
)  # fmt: skip


def register(group: click.Group) -> None:
    """Add the commands."""
    for command in (confirm, observe, anchors):
        group.add_command(command)


@click.command()
@click.argument("traces", nargs=-1, required=True, metavar="TRACE...", type=click.Path())
@kernel_option
@fs_option
@mount_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--html", is_flag=True, help="Write the page of each trace beside it, with what the kernels did.")
@click.option("--model-file", type=click.Path(), help="Where the model is now, if it moved.")
@models_option
@more_option
def confirm(
    traces: tuple[str, ...],
    kernels: tuple[str, ...],
    file_system: str | None,
    mount: str | None,
    form: str,
    html: bool,
    model_file: str | None,
    folder: Path | None,
    files: tuple[Path, ...],
) -> None:
    """Run counterexamples on real kernels, held and released at kernel functions.

    TRACE is the .json file of a counterexample: of a model whose file has a kernel=... binding, or of outcomes, matrix
    or diff; or of a schedule that observe has written. Exit 0 when every kernel confirms every one, 1 when one is
    BLOCKED or goes another way (DIVERGED), 3 when a guest is lost or Ctrl-C ends it. Guests are run by QEMU, without
    network; they need no privileges.
    """
    from dio_mc.cli.interrupts import raised
    from dio_mc.machine.images import find_kernel
    from dio_mc.machine.telling import as_json, text

    images = [find_kernel(name) for name in kernels]
    cases = [(trace, case_of(trace, model_file, folder, files)) for trace in traces]
    sessions = _Sessions(max(len(case.threads) for _, case in cases))
    found: list[tuple[str, Case, Sequence[Answered]]] = []
    stopped = False
    try:
        with raised():
            for trace, case in cases:
                answers: list[Answered] = []
                found.append((trace, case, answers))
                for image in images:
                    answers.append(sessions.ask(image, case, file_system, mount))
                if form == "text":
                    click.echo(text(trace, case, answers), nl=False)
                if html:
                    _write_page(trace, model_file, case, answers)
    except KeyboardInterrupt:
        stopped = True
        if form == "text" and found[-1][2]:
            click.echo(text(*found[-1]), nl=False)
        click.echo("stopped; what is shown was finished before", err=True)
    finally:
        sessions.close()
    if form == "json":
        click.echo(as_json(found), nl=False)
    verdicts = {one.verdict for _, _, answers in found for one in answers}
    sys.exit(1 if verdicts & {"BLOCKED", "DIVERGED"} else 3 if stopped or "LOST" in verdicts else 0)


class _Sessions:
    """A guest for each kernel, file system and mount options that is asked for, kept for the next trace."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._open: dict[tuple[str, str, str], Session] = {}

    def ask(self, image: Kernel, case: Case, file_system: str | None, mount: str | None) -> Answered:
        """What a kernel says about a case, on the file system that is asked for, or else the case's own."""
        from dio_mc.machine.confirm import confirm
        from dio_mc.machine.failures import GuestLost
        from dio_mc.machine.session import Session
        from dio_mc.machine.telling import Answered

        on = file_system or case.file_system
        options = case.mount if mount is None and on == case.file_system else mount or ""
        key = (image.release, on, options)
        session = self._open.setdefault(key, Session(image, on, options, self._threads))
        try:
            return Answered(*key, confirm(session, case))
        except GuestLost as lost:
            return Answered(*key, None, str(lost).removeprefix("dio-mc: error "))

    def close(self) -> None:
        """End all guests."""
        for session in self._open.values():
            session.close()


def case_of(path: str, model_file: str | None, folder: Path | None, files: tuple[Path, ...]) -> Case:
    """What a trace means on a real kernel."""
    from dio_mc.cli.show import read
    from dio_mc.errors import usage_error
    from dio_mc.explain.replaying import IS_PRODUCT, model_of
    from dio_mc.machine.cases import of_model, of_product
    from dio_mc.study.shelf import open_shelf, parts_named

    observed = _observed_case(path)
    if observed is not None:
        return observed
    trace = read(path)
    if IS_PRODUCT.search(trace.model.name):
        parts = parts_named(open_shelf(folder, files), trace.model.name)
        if parts is None:
            hint = "name the file that has them with --file, or another folder of models with --models"
            raise usage_error("DIO206", f"no rule and workload make {trace.model.name}", file=path, hint=hint)
        workload, rule, layout = parts
        return of_product(trace, workload, rule.name, layout)
    model = model_of(trace, path, model_file)
    bindings = [e.kernel for cls in model.__mro__ for e in vars(cls).get("__dio_expectations__", ()) if e.kernel]
    if not bindings:
        hint = "say in its file which calls stand for its threads: expect(..., kernel=Kernel(...))"
        raise usage_error("DIO285", f"the model {model.__name__} is not bound to a kernel", file=path, hint=hint)
    return of_model(trace, bindings[0])


def _write_page(path: str, model_file: str | None, case: Case, answers: Sequence[Answered]) -> None:
    from dio_mc.cli.show import _write, read
    from dio_mc.html.source import sources_of
    from dio_mc.html.trace_page import trace_page
    from dio_mc.machine.telling import page_lines

    trace = read(path)
    page = trace_page(trace, sources_of(trace, Path.cwd(), model_file), kernels=page_lines(case, answers))
    _write(Path(path).with_suffix(".html"), page)


def _observed_case(path: str) -> Case | None:
    """The case in a file that `observe` has written; None when it is something else."""
    from dio_mc.machine.observed import case_in

    try:
        return case_in(path, Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


@click.command()
@click.argument("workloads", nargs=-1, required=True, type=WORKLOAD, metavar="WORKLOAD...")
@kernel_option
@click.option(
    "--fs", "file_systems", multiple=True, required=True, metavar="FS",
    help="A file system: ext3, ext4, xfs, btrfs; several are possible.",
)  # fmt: skip
@mount_option
@click.option(
    "--preemptions", type=click.IntRange(0, 2), default=1, show_default=True, metavar="N",
    help="Schedules in which at most N times a thread is left at a gate.",
)  # fmt: skip
@click.option(
    "--stress", type=click.FloatRange(0), default=0.0, metavar="SECONDS",
    help="Then for so long without gates, all threads at once.",
)  # fmt: skip
@click.option(
    "--rule", type=RULE, metavar="RULE", help="Compare with what this rule allows; exit 1 if something else is seen."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--schedules", "schedule_folder", metavar="DIR", type=click.Path(path_type=Path),
    help="Write a schedule for each observation here; confirm runs it again.",
)  # fmt: skip
@models_option
@more_option
def observe(
    workloads: tuple[str, ...],
    kernels: tuple[str, ...],
    file_systems: tuple[str, ...],
    mount: str | None,
    preemptions: int,
    stress: float,
    rule: str | None,
    form: str,
    schedule_folder: Path | None,
    folder: Path | None,
    files: tuple[Path, ...],
) -> None:
    """What the real calls of a workload end with: all schedules with few preemptions, on a real kernel.

    WORKLOAD is a name from models/workloads, or two or three operations: direct_read,mmap_store. Exit 1 when something
    is seen that --rule does not allow, 3 when a guest is lost or Ctrl-C ends it, else 0.
    """
    from dio_mc.cli.interrupts import raised
    from dio_mc.machine import observe as machine
    from dio_mc.machine.images import find_kernel
    from dio_mc.machine.observed import as_json, schedule_files, text
    from dio_mc.machine.plans import layouts_on
    from dio_mc.machine.session import Session
    from dio_mc.study.outcomes import outcomes
    from dio_mc.study.shelf import open_shelf, pick

    shelf = open_shelf(folder, files)
    chosen = _workloads(shelf, workloads)
    allowing = pick(shelf.rules, [rule], "locking rule")[0] if rule is not None else None
    sessions = [Session(find_kernel(k), fs, mount or "", 4) for k in kernels for fs in file_systems]
    found: list[tuple[Session, list[tuple[machine.Observations, machine.Compared | None]]]] = []
    stopped = False
    try:
        with raised():
            for session in sessions:
                found.append((session, []))
                with session:
                    for workload in chosen:
                        allowed = {o.layout: o for o in outcomes(workload, allowing)} if allowing is not None else {}
                        layouts = [n for n in layouts_on(session.file_system) if n in workload.layouts]
                        for layout in layouts if allowing is None else [n for n in layouts if n in allowed]:
                            one = machine.observe(session, workload, layout, preemptions, stress=stress)
                            compared = machine.compare(one, allowed[layout]) if layout in allowed else None
                            found[-1][1].append((one, compared))
                            if form == "text":
                                where = f"{session.kernel.release} {session.file_system} {session.mount}".strip()
                                click.echo(text(where, one, compared))
                            if schedule_folder is not None:
                                for name, content in schedule_files(session, one).items():
                                    _write_file(schedule_folder / name, content)
    except KeyboardInterrupt:
        stopped = True
        click.echo("stopped; what is shown was finished before", err=True)
    if form == "json":
        click.echo(as_json(found), nl=False)
    pairs = [pair for _, all_found in found for pair in all_found]
    if any(compared is not None and compared.forbidden for _, compared in pairs):
        sys.exit(1)
    sys.exit(3 if stopped or any(not one.complete for one, _ in pairs) else 0)


def _workloads(shelf: Shelf, names: Sequence[str]) -> list[Workload]:
    from dio_mc.study.shelf import pick, together

    found: list[Workload] = []
    for name in names:
        found += [together(shelf, name.split(","))] if "," in name else pick(shelf.workloads, [name], "workload")
    return found


def _write_file(path: Path, content: str) -> None:
    from dio_mc.cli.show import _write
    from dio_mc.errors import usage_error

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=str(path)) from None
    _write(path, content)


@click.command()
@click.argument("rules", nargs=-1, type=RULE, metavar="[RULE...]")
@kernel_option
@click.option("--fs", "file_system", default="ext4", show_default=True, metavar="FS", help="Whose module is loaded.")
@models_option
@more_option
def anchors(
    rules: tuple[str, ...], kernels: tuple[str, ...], file_system: str, folder: Path | None, files: tuple[Path, ...]
) -> None:
    """Which kernel functions that rules name a kernel has, by its symbols.

    Exit 1 when a function is missing.
    """
    from dio_mc.machine.anchors import functions_of, lines
    from dio_mc.machine.guest import Guest
    from dio_mc.machine.images import find_kernel
    from dio_mc.machine.runner import Runner
    from dio_mc.study.shelf import open_shelf, pick

    shelf = open_shelf(folder, files)
    chosen = pick(shelf.rules, rules, "locking rule")
    missing = 0
    for name in kernels:
        kernel = find_kernel(name)
        named = {rule.name: functions_of(rule, kernel.version) for rule in chosen}
        wanted = [function for functions in named.values() for function in functions]
        with Guest(kernel, file_system, threads=1) as guest:
            runner = Runner(guest, wanted)
        for rule, functions in named.items():
            told, lacking = lines(rule, functions, runner)
            missing += lacking
            click.echo(f"{kernel.release} {told}", nl=False)
    sys.exit(1 if missing else 0)


def run_matrix(
    shelf: Shelf, names: Sequence[str], kernels: Sequence[str], file_systems: Sequence[str], mount: str | None,
    preemptions: int, state: Path | None,
) -> tuple[Matrix, bool]:  # fmt: skip
    """The matrix of real kernels, and whether it is whole: Ctrl-C leaves the cells that are finished in `state`."""
    from dio_mc.cli.interrupts import raised
    from dio_mc.machine.images import find_kernel
    from dio_mc.machine.kernel_matrix import Column, kernel_matrix, open_kept
    from dio_mc.machine.session import Session
    from dio_mc.study.matrix import Matrix

    columns = [Column(Session(find_kernel(k), fs, mount or "")) for fs in file_systems for k in kernels]
    kept = open_kept(state)
    try:
        with raised():
            return kernel_matrix(shelf, columns, names, preemptions, kept, _estimate()), True
    except KeyboardInterrupt:
        click.echo("stopped" + (f"; run it again to go on from {state}" if state else ""), err=True)
        return Matrix((), (), ()), False
    finally:
        for column in columns:
            column.session.close()


def _estimate() -> Callable[[int, int, int], None] | None:
    """A line on a terminal's stderr: how much is done, how fast, how long it may take."""
    import time

    if not sys.stderr.isatty():
        return None
    begun = time.monotonic()

    def show(done: int, total: int, runs: int) -> None:
        seconds = time.monotonic() - begun
        left = seconds / done * (total - done)
        line = f"{done} of {total} cells, {runs / seconds * 60:,.0f} schedules a minute, {left / 60:.0f} min left"
        click.echo(f"\r\033[K{line}" if done < total else "\r\033[K", err=True, nl=False)

    return show
