"""Every occasion of a command: what it answers, and what it leaves, when something goes wrong there."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from dio_mc.engines import choose

from .injecting import Injected, Kind

LONGEST = 60.0
"""Seconds that a command may take with something wrong."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command, its exit code when all is well, and the files that it writes; `first` are the arguments of a command
    that is run before it, with nothing wrong. If it is `large`, its search is made as one of more than 100,000 states."""

    name: str
    arguments: tuple[str, ...]
    code: int
    files: tuple[str, ...] = ()
    first: tuple[str, ...] = ()
    large: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended. `occasions` are those it has gone through."""

    code: int
    out: str
    err: str
    occasions: int
    injected: bool


def run(command: Command, folder: Path, injected: Injected | None) -> Ended:
    """Run a command in a child of this process, in a folder."""
    said = folder / ".said"
    said.mkdir(exist_ok=True)
    pid = os.fork()
    if pid == 0:
        _child(command, folder, injected, said)
    code = _wait(pid)
    out, err, counted = ((said / name).read_text(errors="replace") for name in ("out", "err", "count"))
    count, done = json.loads(counted) if counted else (0, True)
    return Ended(code, out, err, count, done)


def prepare(command: Command, folder: Path) -> None:
    """Run the command that comes before."""
    if command.first:
        run(replace(command, arguments=command.first), folder, None)


def _child(command: Command, folder: Path, injected: Injected | None, said: Path) -> None:
    from dio_mc.cli import main

    code: object = 99
    try:
        if command.large:
            choose.FULL = 0  # type: ignore[misc]  # a constant, but for this
        os.chdir(folder)
        os.environ["XDG_CACHE_HOME"] = str(folder / ".cache")
        for number, name in ((0, os.devnull), (1, str(said / "out")), (2, str(said / "err"))):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644), number)
        counts = os.open(said / "count", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        sys.argv = ["dio-mc", *command.arguments]
        if injected is not None:
            injected.arm()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = 0 if ended.code is None else ended.code
        except BaseException:
            traceback.print_exc()
        sys.setprofile(None)
        if injected is not None:
            injected.number = -1
            os.write(counts, json.dumps([injected.seen, injected.done]).encode())
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code if isinstance(code, int) else 98)


def _wait(pid: int) -> int:
    until = time.monotonic() + LONGEST
    while time.monotonic() < until:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return -99


@contextmanager
def a_folder(files: dict[str, str]) -> Iterator[Path]:
    """A folder with these files, for one run."""
    folder = Path(tempfile.mkdtemp(prefix="faults-"))
    try:
        for name, text in files.items():
            (folder / name).write_text(text)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def wrong(command: Command, whole: dict[str, bytes], ended: Ended, folder: Path) -> list[str]:
    """What is not as it should be: an undocumented end, a traceback, a lost verdict, a torn file."""
    found: list[str] = []
    if ended.code not in (0, 1, 2, 3):
        found.append(f"exit code {ended.code}")
    if ended.code == 0 and command.code != 0:
        found.append(f"exit code 0, where it is {command.code}")
    if "Traceback" in ended.err + ended.out or "internal error" in ended.err:
        found.append("a traceback: " + (ended.err.strip().splitlines() or ["?"])[-1])
    silent = (
        not ended.err.strip() and not ended.out.strip() and not any((folder / name).exists() for name in command.files)
    )
    if silent and ended.code != command.code:
        found.append("nothing is said")
    for name in command.files:
        path = folder / name
        if path.exists() and path.read_bytes() != b"as it was\n" and not _is_whole(path, whole[name]):
            found.append(f"{name} is torn")
    return found


def _is_whole(path: Path, known: bytes) -> bool:
    """Whether a file can be read as what it is, or ends as it does when all is well."""
    data = path.read_bytes()
    try:
        if path.suffix in (".json", ".sarif"):
            return bool(json.loads(data))
        if path.suffix in (".xml", ".svg"):
            return ElementTree.fromstring(data) is not None
    except (ValueError, ElementTree.ParseError):
        return False
    return data.endswith(known[-1:])


@dataclass(slots=True)
class Progress:
    """What a campaign has done: runs, and what was wrong with some."""

    runs: int = 0
    wrong: list[str] | None = None

    def note(self, lines: Sequence[str]) -> None:
        """A run, and what was wrong with it."""
        self.runs += 1
        self.wrong = [*(self.wrong or []), *lines]


def attack(
    command: Command, kind: Kind, files: dict[str, str], progress: Progress, most: int, rng: random.Random
) -> int:
    """Let something go wrong at every occasion of a command, or at `most` of them; how many occasions there are."""
    before = {**files, **dict.fromkeys(command.files, "as it was\n")}
    with a_folder(files) as folder:
        prepare(command, folder)
        plain = run(command, folder, Injected(kind, 0))
        if plain.code != command.code:
            progress.note([f"{command.name}: exit code {plain.code} without any fault: {plain.err[-300:]}"])
            return 0
        whole = {name: (folder / name).read_bytes() for name in command.files}
    numbers = list(range(1, plain.occasions + 1))
    chosen = numbers if len(numbers) <= most else sorted(rng.sample(numbers, most))
    for number in chosen:
        with a_folder(before) as folder:
            prepare(command, folder)
            ended = run(command, folder, Injected(kind, number))
            lines = wrong(command, whole, ended, folder)
        progress.note([f"{command.name}, {kind} {number} of {plain.occasions}: {line}" for line in lines])
    return plain.occasions
