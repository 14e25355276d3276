"""The command that runs a counterexample on real kernels: ``confirm``.

Nothing except click is imported before a command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dio_mc.cli.limits import MAX_MEMORY, TIMEOUT, limits_of, within
from dio_mc.cli.rules import MODELS, MORE

if TYPE_CHECKING:
    from dio_mc.guard import Interrupting
    from dio_mc.machine.cases import Case
    from dio_mc.machine.confirmations import Answered
    from dio_mc.machine.images import Kernel
    from dio_mc.machine.session import Session

    Found = tuple[str, Case, Sequence[Answered]]
    """A trace, its case, and the answers of the kernels."""

kernel_option = click.option(
    "--kernel", "kernels", multiple=True, required=True, metavar="K",
    help="A vmlinuz, a release, or a folder with unpacked packages; may be repeated.",
)  # fmt: skip
fs_option = click.option(
    "--fs", "file_system", metavar="FS", help="The file system: ext3, ext4, xfs, btrfs  [default: from the model]"
)
mount_option = click.option("--mount", metavar="OPTIONS", help="Mount options.")


def register(group: click.Group) -> None:
    """Add the commands."""
    group.add_command(confirm)


@click.command()
@click.argument("traces", nargs=-1, required=True, metavar="TRACE...", type=click.Path())
@kernel_option
@fs_option
@mount_option
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--html", is_flag=True, help="Write an HTML page beside each trace, with the results of the kernels.")
@click.option("--model-file", type=click.Path(), help="The file of the model, if it has moved.")
@MODELS
@MORE
@TIMEOUT
@MAX_MEMORY
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
    timeout: float | None,
    max_memory: str | None,
) -> None:
    """Run counterexamples on real kernels, held and released at kernel functions.

    TRACE is a .json file: a counterexample of a model with a kernel=... binding, a run written by `outcomes`, `matrix`
    or `diff`, or a schedule written by `observe`. Exit 0 when every kernel confirms every trace, 1 when one is
    BLOCKED or DIVERGED, 3 when a guest is lost, or a limit or Ctrl-C ends the command. Guests run in QEMU, without
    network and without privileges.
    """
    from dio_mc.guard import Interrupting
    from dio_mc.machine.confirmations import as_json, text
    from dio_mc.machine.images import find_kernel

    limits = limits_of(timeout, max_memory)
    cases = within(
        limits, lambda: [(trace, case_of(trace, model_file, folder, files)) for trace in traces], "the traces were read"
    )
    images = [find_kernel(name) for name in kernels]
    limit = Interrupting(limits.exceeded)

    def finished(trace: str, case: Case, answers: Sequence[Answered]) -> None:
        if form == "text":
            click.echo(text(trace, case, answers), nl=False)
        if html:
            _write_page(trace, model_file, case, answers)

    sessions = _Sessions(max(len(case.threads) for _, case in cases))
    try:
        found, stopped = _answers(
            cases, lambda case: (sessions.ask(image, case, file_system, mount) for image in images), limit, finished
        )
    finally:
        sessions.close()
    if stopped:
        _tell_stop(found[-1:] if form == "text" else [], limit)
    if form == "json":
        click.echo(as_json(found), nl=False)
    sys.exit(_exit_code(found, stopped=stopped))


def _tell_stop(unfinished: Sequence[Found], limit: Interrupting) -> None:
    """Print the answers of a trace that lacks some, if there are any, and what ended the command."""
    from dio_mc.machine.confirmations import text

    for trace, case, answers in unfinished:
        if answers:
            click.echo(text(trace, case, answers), nl=False)
    by = f" by {limit.stop}" if limit.stop is not None else ""
    click.echo(f"stopped{by}; what is shown was finished before", err=True)


def _exit_code(found: Sequence[Found], *, stopped: bool) -> int:
    verdicts = {one.verdict for _, _, answers in found for one in answers}
    return 1 if verdicts & {"BLOCKED", "DIVERGED"} else 3 if stopped or "LOST" in verdicts else 0


def _answers(
    cases: Sequence[tuple[str, Case]],
    ask: Callable[[Case], Iterable[Answered]],
    limit: Interrupting,
    finished: Callable[[str, Case, Sequence[Answered]], None],
) -> tuple[list[Found], bool]:
    """The answers for each trace, the last of which may lack some, and whether Ctrl-C or the limit ended the command.
    `finished` is called with each trace that has all its answers."""
    from dio_mc.cli.interrupts import raised

    found: list[Found] = []
    try:
        with raised(), limit:
            for trace, case in cases:
                answers: list[Answered] = []
                found.append((trace, case, answers))
                answers.extend(ask(case))  # one by one, so that an interrupt leaves those that were given
                finished(*found[-1])
    except KeyboardInterrupt:
        return found, True
    return found, False


class _Sessions:
    """A guest for each requested kernel, file system and mount options, reused for the following traces."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._open: dict[tuple[str, str, str], Session] = {}

    def ask(self, image: Kernel, case: Case, file_system: str | None, mount: str | None) -> Answered:
        """The answer of a kernel for a case, on the given file system, or else on the case's own."""
        from dio_mc.machine.confirm import confirm
        from dio_mc.machine.confirmations import Answered
        from dio_mc.machine.failures import GuestLost
        from dio_mc.machine.session import Session

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
    """The case for real kernels of a trace."""
    from dio_mc.cli.show import read
    from dio_mc.errors import usage_error
    from dio_mc.explain.replaying import IS_PRODUCT, model_of
    from dio_mc.machine.cases import of_model, of_product
    from dio_mc.study.registry import open_registry, parts_named

    observed = _observed_case(path)
    if observed is not None:
        return observed
    trace = read(path)
    if IS_PRODUCT.search(trace.model.name):
        parts = parts_named(open_registry(folder, files), trace.model.name)
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
    from dio_mc.machine.confirmations import page_lines

    trace = read(path)
    page = trace_page(trace, sources_of(trace, Path.cwd(), model_file), kernels=page_lines(case, answers))
    _write(Path(path).with_suffix(".html"), page)


def _observed_case(path: str) -> Case | None:
    """The case in a file that `observe` has written; None for another kind of file."""
    from dio_mc.machine.observed import case_in

    try:
        return case_in(path, Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
