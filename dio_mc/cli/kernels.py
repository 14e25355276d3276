"""The commands that run real kernels: ``confirm``.

Nothing but click is imported before a command runs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dio_mc.machine.cases import Case
    from dio_mc.machine.images import Kernel
    from dio_mc.machine.telling import Answered

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
    for command in (confirm,):
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
    or diff. Exit 0 when every kernel confirms every one, 1 when one is BLOCKED or goes another way (DIVERGED), 3 when a
    guest is lost or Ctrl-C ends it. Guests are run by QEMU, without network; they need no privileges.
    """
    from dio_mc.machine.images import find_kernel
    from dio_mc.machine.telling import as_json, text

    images = [find_kernel(name) for name in kernels]
    cases = [(trace, _case(trace, model_file, folder, files)) for trace in traces]
    found: list[tuple[str, Case, Sequence[Answered]]] = []
    stopped = False
    for trace, case in cases:
        answers: list[Answered] = []
        stopped = _confirm_on(images, case, file_system or case.file_system, mount, answers)
        if answers:
            found.append((trace, case, answers))
            if form == "text":
                click.echo(text(trace, case, answers), nl=False)
            if html:
                _write_page(trace, model_file, case, answers)
        if stopped:
            break
    if form == "json":
        click.echo(as_json(found), nl=False)
    if stopped:
        click.echo("stopped; what is shown was finished before", err=True)
    verdicts = {one.verdict for _, _, answers in found for one in answers}
    sys.exit(1 if verdicts & {"BLOCKED", "DIVERGED"} else 3 if stopped or "LOST" in verdicts else 0)


def _confirm_on(
    images: Sequence[Kernel], case: Case, file_system: str, mount: str | None, answers: list[Answered]
) -> bool:
    """Ask each kernel; whether Ctrl-C or SIGTERM has ended it."""
    from dio_mc.cli.interrupts import raised
    from dio_mc.machine.confirm import confirm as confirm_on
    from dio_mc.machine.failures import GuestLost
    from dio_mc.machine.gates import wanted
    from dio_mc.machine.guest import Guest
    from dio_mc.machine.runner import Runner
    from dio_mc.machine.telling import Answered

    options = case.mount if mount is None and file_system == case.file_system else mount or ""
    try:
        with raised():
            for image in images:
                head = (image.release, file_system, options)
                try:
                    with Guest(image, file_system, options, len(case.threads)) as guest:
                        answers.append(Answered(*head, confirm_on(Runner(guest, wanted(file_system)), case)))
                except GuestLost as lost:
                    answers.append(Answered(*head, None, str(lost).removeprefix("dio-mc: error ")))
    except KeyboardInterrupt:
        return True
    return False


def _case(path: str, model_file: str | None, folder: Path | None, files: tuple[Path, ...]) -> Case:
    """What a trace means on a real kernel."""
    from dio_mc.cli.show import read
    from dio_mc.errors import usage_error
    from dio_mc.explain.replaying import IS_PRODUCT, model_of
    from dio_mc.machine.cases import of_model, of_product
    from dio_mc.study.shelf import open_shelf, parts_named

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
