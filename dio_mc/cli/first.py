"""The commands of the first minute: ``demo``, ``new``, ``completion``."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from dio_mc.checking.results import Report

MODEL = '''\
"""A lost update, prevented by a lock. Once it is broken, `dio-mc check {file}` shows the race."""

from dio_mc import Model, Mutex, Range, Var, invariant, thread


class {name}(Model):
    """Two threads increment a counter."""

    count = Var(Range(0, 2))
    lock = Mutex()

    @thread(instances=2)
    def adder(self):
        self.lock.lock()
        seen = self.count  # break this line: move it above self.lock.lock()
        self.count = seen + 1
        self.lock.unlock()

    @invariant
    def nothing_lost(self):
        return not self.at_rest() or self.count == 2
'''
DEMO = ("ext3_2_6_18.py", "Ext3")
FIXED = ("placeholder.py", "Placeholder")
STORY = "ext3 of Linux 2.6.18: a direct read returns what a deleted file has left on the disk."


def register(group: click.Group) -> None:
    """Add the commands."""
    for command in (demo, new, completion):
        group.add_command(command)


@click.command()
@click.option("--fixed", is_flag=True, help="The same model with the proposed fix.")
def demo(fixed: bool) -> None:
    """Find a real race of the kernel: ext3 of Linux 2.6.18, where a direct read returns another file's data.

    Exit 1 when the race is there, 0 with --fixed.
    """
    from dio_mc.checking.driver import check_class
    from dio_mc.checking.expectations import expectation_for
    from dio_mc.frontend import load_module
    from dio_mc.models import models_folder
    from dio_mc.source import display_path

    file, name = FIXED if fixed else DEMO
    path = models_folder() / "seed" / file
    (model,) = [cls for cls in load_module(str(path)).models if cls.__name__ == name]
    report = check_class(model, {}, None, expectation_for(model, {}))
    lines = _repaired(report) if fixed else _race(report)
    click.echo("\n".join([*lines, *_hints(display_path(str(path)), fixed)]))
    sys.exit(1 if report.verdict == "VIOLATED" else 0)


def _race(report: Report) -> list[str]:
    """The verdict and the counterexample, without the places of its steps."""
    from dio_mc.render.text import render_text
    from dio_mc.report.text import headline

    trace = next(t for t in report.traces if t.property == "no_stale_exposure")
    diagram = [row for row in render_text(trace, places=False).split("\n") if row.strip()]
    return [STORY, headline(report), *diagram]


def _repaired(report: Report) -> list[str]:
    from dio_mc.report.text import report_text

    return [report_text(report, trace=False, folder=None)]


def _hints(path: str, fixed: bool) -> list[str]:
    if fixed:
        return ["A place holder keeps pages out of the range that is read. `dio-mc demo` shows the race without it.",
                f"next    dio-mc check {path}    the mistakes one can make with place holders"]  # fmt: skip
    return [f"next    dio-mc check {path}", "        dio-mc demo --fixed; dio-mc new myrace"]


@click.command()
@click.argument("name")
def new(name: str) -> None:
    """Write a model of twenty lines to NAME.py: it holds, and says which line to break.

    NAME is a file name of letters, digits and underscores; nothing is overwritten.
    """
    from dio_mc.errors import usage_error

    stem = name.removesuffix(".py")
    wrong = re.search(r"[^A-Za-z0-9_]", stem)
    if wrong or not re.match(r"[A-Za-z]", stem):
        place = f" at character {wrong.start() + 1}" if wrong else ""
        what = f"`{wrong.group()}`{place} cannot be part of it" if wrong else "it does not begin with a letter"
        hint = f"`dio-mc new {_nearest(stem)}`"
        raise usage_error("DIO231", f"{name!r} is not a name for a model: {what}", hint=hint)
    path = Path(f"{stem}.py")
    text = MODEL.format(file=path, name="".join(word[:1].upper() + word[1:] for word in stem.split("_") if word))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise usage_error("DIO232", "exists already and is not overwritten", file=str(path)) from None
    except OSError as error:
        raise usage_error("DIO207", f"cannot be written: {error.strerror or error}", file=str(path)) from None
    click.echo(f"{path} written. It holds:  dio-mc check {path}\nThen break the line that says so, and check again.")


def _nearest(stem: str) -> str:
    """A valid name similar to `stem`."""
    kept = re.sub(r"[^A-Za-z0-9_]+", "_", stem).strip("_")
    return kept if re.match(r"[A-Za-z]", kept) else f"model_{kept}".rstrip("_")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands and options of dio-mc.

    \b
    bash   eval "$(dio-mc completion bash)"          in ~/.bashrc
    zsh    eval "$(dio-mc completion zsh)"           in ~/.zshrc
    fish   dio-mc completion fish | source           in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    if found is None:  # click supports all three
        raise click.UsageError(f"no completion for {shell}")
    group = click.get_current_context().find_root().command
    click.echo(found(group, {}, "dio-mc", "_DIO_MC_COMPLETE").source())
