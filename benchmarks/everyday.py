"""The time of everyday commands: ``python benchmarks/everyday.py --before DIR`` writes EVERYDAY.md
beside this file.

DIR is a checkout of another commit (``git worktree add --detach DIR COMMIT``), measured by the same
commands in the same run, in turns; without it the table has one column less. "Cold" is with an
empty cache, "warm" with the cache that the cold run has written; bytecode exists in both cases, as
after pip. The whole matrix is computed once per checkout, the rest several times. It takes minutes;
``--only WORD`` measures the rows with that word and prints them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.contenders import ALL, SIZES  # noqa: E402
from benchmarks.run import machine  # noqa: E402

FILES: Final = 2_000
MODEL: Final = """\
from dio_mc import *

class M(Model):
    n = Var(Range(0, 9))
    @thread
    def t(self):
        self.n = 1
    @invariant
    def small(self):
        return self.n < 9
"""
SIDE_BY_SIDE: Final = """\
import sys, time
from concurrent.futures import ThreadPoolExecutor
from dio_mc.engines.limits import Limits
from dio_mc.engines.native.engine import prepare, search
from dio_mc.frontend import build, load_module
from dio_mc.semantics.search import Budget, SearchRequest
from dio_mc.symbolic.evaluator import property_evaluator

program = build(load_module(sys.argv[1]).models[0], {"pages": 2, "readers": 3, "mappers": 2}).program
request = SearchRequest(program, [property_evaluator(program, one).evaluator for one in program.properties])
prepared = prepare(request)

def searched(workers):
    found = search(prepared, request, Limits(Budget()), workers)
    assert found.stopped is None and found.states == 2_110_756
    return found.seconds

searched(2)
with ThreadPoolExecutor(2) as pool:
    for _ in range(int(sys.argv[2])):
        one, two, started = searched(1), searched(2), time.perf_counter()
        list(pool.map(searched, (1, 1)))
        print(one / two, 2 * one / (time.perf_counter() - started))
"""
"""Prints, per round, the speed of two workers relative to one, and the work of two searches side by
side relative to one."""


@dataclass(frozen=True, slots=True)
class Took:
    """Wall seconds, and processor seconds of all processes."""

    wall: float
    processor: float

    def __str__(self) -> str:
        return f"{self.wall:.2f} ({self.processor:.2f})"


Measure = Callable[[Path], str]
"""Measures a cell for a checkout."""


@dataclass(frozen=True, slots=True)
class Row:
    """A command, the target for its time, and how it is measured."""

    what: str
    wanted: str
    measure: Measure


def took(tree: Path, arguments: Sequence[str], cache: Path, codes: Sequence[int] = (0,)) -> Took:
    """One run of the command line of a checkout. Raises `RuntimeError` if its exit code is not in
    `codes`."""
    return ran([sys.executable, "-m", "dio_mc", *arguments], tree, cache, codes)


def ran(command: Sequence[str], tree: Path, cache: Path, codes: Sequence[int] = (0,)) -> Took:
    """One run of any command."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "XDG_CACHE_HOME": str(cache)}
    before, started = os.times(), time.perf_counter()
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    wall, after = time.perf_counter() - started, os.times()
    if done.returncode not in codes:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stderr[-2000:]}")
    return Took(wall, sum(after[2:4]) - sum(before[2:4]))


def middle(found: Sequence[Took]) -> Took:
    """The medians."""
    return Took(median(one.wall for one in found), median(one.processor for one in found))


class Everyday:
    """The rows. The cache of a cold run is used by the warm run of the same checkout."""

    def __init__(self, rounds: int, base: Path) -> None:
        self.rounds = rounds
        self.base = base
        self._caches: dict[tuple[Path, str], Path] = {}

    def rows(self) -> list[Row]:
        """All of them, in the order of the table."""
        matrix = ("matrix", "--format", "json")
        history = ("check", "models/history", "--no-artifacts")
        return [
            Row("`dio-mc matrix`, all rules and pairs, cold", "10 s", self.cold(matrix, (0,), 1)),
            Row("the same, warm", "2 s", self.warm(matrix, (0,))),
            Row("`dio-mc check models/history`, cold", "3 s", self.cold(history, (0, 1), self.rounds)),
            Row("the same, warm", "", self.warm(history, (0, 1))),
            Row("a model of 367 states, file to verdict", "as SPIN", self.tiny),
            Row("SPIN on that model: `spin -a`, `gcc -O0`, `./pan`", "", self.spin),
            Row("`dio-mc --help`", "", self.warm(("--help",), (0,))),
            Row(f"`dio-mc check` of a folder of {FILES:,} files, to the first verdict", "", self.many),
            Row("two workers at M (2,110,756 states): times as fast; two searches side by side: times as much done",
                "the same", self.workers),
        ]  # fmt: skip

    def cold(self, arguments: Sequence[str], codes: Sequence[int], rounds: int) -> Measure:
        """Run with an empty cache each time."""

        def measure(tree: Path) -> str:
            took(tree, ["--help"], self.base)  # bytecode
            found = []
            for _ in range(rounds):
                cache = self._caches[tree, " ".join(arguments)] = Path(tempfile.mkdtemp(dir=self.base))
                found.append(took(tree, arguments, cache, codes))
            return str(middle(found))

        return measure

    def warm(self, arguments: Sequence[str], codes: Sequence[int]) -> Measure:
        """Run with the cache of the last cold run."""

        def measure(tree: Path) -> str:
            cache = self._caches.get((tree, " ".join(arguments)), self.base)
            return str(middle([took(tree, arguments, cache, codes) for _ in range(self.rounds)]))

        return measure

    def tiny(self, tree: Path) -> str:
        """Run alone, with an empty cache."""
        size = SIZES["XS"]
        command = next(one for one in ALL if one.name == "dio-mc").run(size, self.base)
        found = [ran(command, tree, Path(tempfile.mkdtemp(dir=self.base))) for _ in range(self.rounds)]
        return str(middle(found))

    def spin(self, tree: Path) -> str:
        """Generate, compile, run."""
        size, spin = SIZES["XS"], next(one for one in ALL if one.name == "SPIN -O0")
        if spin.missing():
            return "not there"
        found = []
        for _ in range(self.rounds):
            folder = Path(tempfile.mkdtemp(dir=self.base))
            parts = [self._in(folder, command) for command in (*spin.ready(size, folder), spin.run(size, folder))]
            found.append(Took(sum(one.wall for one in parts), sum(one.processor for one in parts)))
        return str(middle(found))

    def _in(self, folder: Path, command: Sequence[str]) -> Took:
        return ran(command, folder, self.base)

    def many(self, tree: Path) -> str:
        """Run until a given line of output appears, then end the command."""
        folder = self.base / "many"
        if not folder.exists():
            folder.mkdir()
            for number in range(FILES):
                (folder / f"m{number:04}.py").write_text(MODEL)
        command = [sys.executable, "-m", "dio_mc", "check", str(folder), "--no-artifacts", "--jobs", "1"]
        environment = {**os.environ, "PYTHONPATH": str(tree), "XDG_CACHE_HOME": str(self.base), "PYTHONUNBUFFERED": "1"}
        started = time.perf_counter()
        with subprocess.Popen(command, cwd=self.base, env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            wall = time.perf_counter() - started
            usage = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            process.kill()
        if not line:
            raise RuntimeError("no verdict")
        ticks = os.sysconf("SC_CLK_TCK")
        return str(Took(wall, (int(usage[11]) + int(usage[12])) / ticks))

    def workers(self, tree: Path) -> str:
        """Two workers and two searches, in one process, in turns."""
        command = [sys.executable, "-c", SIDE_BY_SIDE, str(HERE / "diorace.py"), str(self.rounds)]
        environment = {**os.environ, "PYTHONPATH": str(tree), "XDG_CACHE_HOME": str(self.base)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        rows = [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
        two, both = (median(column) for column in zip(*rows, strict=True))
        return f"{two:.2f}; {both:.2f}"


HEAD = """\
# Everyday commands

<!-- Written by benchmarks/everyday.py. -->

{machine}

Seconds of wall time, in brackets of processor time of all processes; medians of {rounds}, the whole matrix once. The
load of the machine was {load:.1f} before the first run and {end:.1f} after the last: where it is above the number of
cores, wall time is also that of others, and processor time is what can be compared.{before}

"""


def commit_of(tree: Path) -> str:
    """The commit of a checkout."""
    done = subprocess.run(
        ["git", "-C", str(tree), "log", "-1", "--format=%h"], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def table(rows: Sequence[Row], cells: Sequence[Sequence[str]], *, two: bool) -> str:
    """The rows; with `two` checkouts the first of the two columns is the one before."""
    titles = ["command", *(["before"] if two else []), "now", "wanted"]
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * (len(titles) - 1)]
    lines += [f"| {row.what} | {' | '.join(found)} | {row.wanted} |" for row, found in zip(rows, cells, strict=True)]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--before", type=Path, help="another checkout")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="rows with this word; nothing is written")
    asked = parser.parse_args()
    trees = [*([asked.before.resolve()] if asked.before else []), HERE.parent]
    base, load = Path(tempfile.mkdtemp(prefix="everyday-")), os.getloadavg()[0]
    try:
        rows = [row for row in Everyday(asked.rounds, base).rows() if asked.only in row.what]
        cells = []
        for row in rows:
            cells.append([row.measure(tree) for tree in trees])
            print(row.what, *cells[-1], sep=" | ", flush=True)
    finally:
        shutil.rmtree(base)
    if asked.only:
        return
    before = f' "Before" is commit {commit_of(trees[0])}.' if asked.before else ""
    head = HEAD.format(machine=machine(), rounds=asked.rounds, load=load, end=os.getloadavg()[0], before=before)
    (HERE / "EVERYDAY.md").write_text(head + table(rows, cells, two=len(trees) == 2))


if __name__ == "__main__":
    main()
