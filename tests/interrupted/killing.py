"""A chain of ``kill -9``: one check, killed at random moments and resumed each time, to its end."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MAIN = """import signal
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
import runpy
runpy.run_module("dio_mc", run_name="__main__", alter_sys=True)
"""
"""The command, with its signals as a shell in the foreground leaves them, whatever the tests were started with."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command gave; `code` is None where it was killed, `seconds` are those of its processor time."""

    code: int | None
    out: str
    err: str
    seconds: float


def run(
    arguments: Sequence[str], folder: Path, after: float | None = None, by: int = signal.SIGKILL, at: str = ""
) -> Ended:
    """Run ``dio-mc`` in a folder; send it a signal after so many seconds, or when there is a file like `at`, if it is
    still there."""
    out, err = folder / ".out", folder / ".err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", MAIN, *arguments], cwd=folder, stdout=stdout, stderr=stderr,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
    until = None if after is None else time.monotonic() + after
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if (until is not None and time.monotonic() >= until) or (at and any(folder.glob(at))):
            process.send_signal(by)
            until, at = None, ""
        time.sleep(0.005)
    process.returncode = code = os.waitstatus_to_exitcode(status)
    text = out.read_text(errors="replace"), err.read_text(errors="replace")
    return Ended(None if code == -signal.SIGKILL else code, *text, used.ru_utime + used.ru_stime)


def answer_of(ended: Ended) -> str:
    """The output without times."""
    return re.sub(r'"[a-z_]*seconds": [0-9.e-]+', '"seconds": 0', ended.out)


@dataclass(frozen=True, slots=True)
class Chain:
    """What checks gave that were killed and resumed: the answer of each that came to its end, the processor time of
    all, and how many bytes were saved at each of the kills."""

    kills: int
    ends: tuple[Ended, ...]
    seconds: float
    saved: tuple[int, ...]


def chain(arguments: Sequence[str], folder: Path, kills: int, rng: random.Random, span: tuple[float, float]) -> Chain:
    """Kill a check `kills` times and resume it each time, then let it end. Each time it is killed after a random number
    of seconds, from the least of `span` to what grows up to the most. Where it ends before that, another one begins."""
    saved = [*arguments, "--checkpoint", "saved", "--resume"]
    done, seconds, sizes, ends = 0, 0.0, list[int](), list[Ended]()
    while done < kills:
        least, most = span
        ended = run(saved, folder, rng.uniform(least, max(most * (done + 1) / kills, 2 * least)))
        seconds += ended.seconds
        if ended.code is None:
            done += 1
            sizes.append(sum(path.stat().st_size for path in folder.glob("saved/*/search*")))
        else:
            ends.append(ended)
    ended = run(saved, folder)
    return Chain(done, (*ends, ended), seconds + ended.seconds, tuple(sizes))
