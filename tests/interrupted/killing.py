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


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command gave; `code` is None where it was killed, `seconds` are those of its processor time."""

    code: int | None
    out: str
    err: str
    seconds: float


def run(arguments: Sequence[str], folder: Path, killed_after: float | None = None) -> Ended:
    """Run ``dio-mc`` in a folder; kill it after so many seconds, if it is still there."""
    out, err = folder / ".out", folder / ".err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "dio_mc", *arguments], cwd=folder, stdout=stdout, stderr=stderr,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
    until = None if killed_after is None else time.monotonic() + killed_after
    while True:
        pid, status, used = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if until is not None and time.monotonic() >= until:
            process.send_signal(signal.SIGKILL)
            until = None
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
    all, and how many files the largest checkpoint had."""

    kills: int
    ends: tuple[Ended, ...]
    seconds: float
    files: int


def chain(arguments: Sequence[str], folder: Path, kills: int, rng: random.Random, span: tuple[float, float]) -> Chain:
    """Kill a check `kills` times and resume it each time, then let it end. Each time it is killed after a random number
    of seconds, from the least of `span` to what grows up to the most. Where it ends before that, another one begins."""
    saved = [*arguments, "--checkpoint", "saved", "--resume"]
    done, seconds, files, ends = 0, 0.0, 0, list[Ended]()
    while done < kills:
        least, most = span
        ended = run(saved, folder, rng.uniform(least, max(most * (done + 1) / kills, 2 * least)))
        seconds += ended.seconds
        files = max(files, sum(1 for _ in folder.glob("saved/*/search.0*")))
        done += ended.code is None
        ends += [ended] if ended.code is not None else []
    ended = run(saved, folder)
    return Chain(done, (*ends, ended), seconds + ended.seconds, files)
