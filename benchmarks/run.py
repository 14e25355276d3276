"""The same model, many checkers, one machine: ``python benchmarks/run.py [--sizes XS,S,M,L]
[--write RESULTS.md]``.

All checkers of a size are prepared first; then they run one after the other, in rounds, so that
other load on the machine affects all of them; medians are reported. Every number of states is
compared with the known one: a checker that counts something else is an error, not a row. Only the
ratios within one run are meaningful.
"""

from __future__ import annotations

import argparse
import compileall
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contenders import ALL, HERE, SIZES, Command, Contender, Size, tlc
from table_limit import inserts_per_second

ORDER = list(SIZES)


@dataclass(slots=True)
class Entry:
    """A checker at a size: seconds to prepare it, and per run wall seconds, seconds of the search
    as the checker reports them (otherwise all), processor seconds, peak bytes, states."""

    contender: Contender
    size: Size
    folder: Path
    ready: float = 0.0
    wall: list[float] = field(default_factory=list)
    search: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)
    states: int = 0

    @property
    def verdict_seconds(self) -> float:
        """From files to verdict."""
        return self.ready + statistics.median(self.wall)

    @property
    def bytes_per_state(self) -> float:
        """Peak resident memory by states."""
        return statistics.median(self.peak) / self.states

    @property
    def per_second(self) -> float:
        """States per wall second of the search alone."""
        return self.states / statistics.median(self.search)


def measured(command: Command, folder: Path) -> tuple[float, float, int, str]:
    """Wall seconds, processor seconds, peak bytes and output of a command. Raises `RuntimeError` if
    it fails."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent), "XDG_CACHE_HOME": cache}
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: exit {process.returncode}\n{text[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10, text


def make_ready(contender: Contender, size: Size, base: Path) -> Entry:
    """Generate and compile."""
    folder = base / f"{size.name}-{ALL.index(contender) if contender in ALL else 'tlc'}"
    folder.mkdir()
    entry = Entry(contender, size, folder)
    started = time.perf_counter()
    for command in contender.ready(size, folder):
        measured(command, folder)
    entry.ready = time.perf_counter() - started if contender.ready(size, folder) else 0.0
    return entry


def run_once(entry: Entry) -> None:
    """One run, whose number of states is compared with the known one."""
    size, contender = entry.size, entry.contender
    wall, cpu, peak, text = measured(contender.run(size, entry.folder), entry.folder)
    entry.states = contender.read(text)
    known = {size.states} | ({size.orbits} if contender.reduced and size.orbits else set())
    if entry.states not in known and not (contender.reduced and size.orbits is None):
        raise RuntimeError(f"{contender.name} at {size.name}: {entry.states} states, not {size.states}")
    entry.wall.append(wall)
    entry.search.append(contender.searched(text) or wall)
    entry.cpu.append(cpu)
    entry.peak.append(peak)


def contest(size: Size, contenders: Sequence[Contender], rounds: int, base: Path) -> list[Entry]:
    """All contenders at one size."""
    taking = [c for c in contenders if ORDER.index(size.name) <= ORDER.index(c.largest)]
    entries = [make_ready(c, size, base) for c in taking]
    for number in range(rounds):
        for entry in entries:
            print(f"{size.name} {number + 1}/{rounds} {entry.contender.name}", file=sys.stderr, flush=True)
            run_once(entry)
    return entries


HEAD = (
    "| checker | states stored | files to verdict | x dio-mc | of it the search | states/s | of the table limit "
    "| bytes/state |",
    "|---|---:|---:|---:|---:|---:|---:|---:|",
)
LARGE = 1_000_000
"""States of a size from which speed and memory are those of the search, not of the start."""


def table(size: Size, entries: Sequence[Entry], limit: float) -> list[str]:
    """The rows of a size, with ratios against the first."""
    numbers = zip(size.numbers, ("page", "direct reader", "mmap writer", "buffered writer"), strict=True)
    shape = ", ".join(f"{number} {name}{'s' * (number != 1)}" for number, name in numbers)
    rows = [f"### {size.name}: {shape}; {size.states:,} states", "", *HEAD]
    for e in entries:
        speed = ["-", "-", "-"]
        if size.states >= LARGE:
            speed = [f"{e.per_second / 1e6:.2f} M", f"{e.per_second / limit:.1%}", f"{e.bytes_per_state:.0f}"]
        cells = [
            e.contender.name, f"{e.states:,}", f"{e.verdict_seconds:.2f} s",
            f"{e.verdict_seconds / entries[0].verdict_seconds:.1f}", f"{statistics.median(e.search):.2f} s", *speed,
        ]  # fmt: skip
        rows.append(f"| {' | '.join(cells)} |")
    return [*rows, "", f"Table limit at this size: {limit / 1e6:.1f} M inserts/s.", ""]


def machine() -> str:
    """The machine and the versions, in a line."""
    names = [line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [int(line.split()[1]) >> 20 for line in _lines("/proc/meminfo") if line.startswith("MemTotal")]
    versions = []
    for command in (["spin", "-V"], ["rumur", "--version"], ["gcc", "--version"]):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            versions.append((done.stdout or done.stderr).splitlines()[0].strip())
    cpu = names[0] if names else platform.processor()
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory[0] if memory else '?'} GiB; Python {platform.python_version()}; "
        + ("; ".join(versions))
    )


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


LEGEND = (
    'Medians of {rounds} interleaved rounds, one process at a time. "Files to verdict" is everything: generating,',
    "compiling and running; for dio-mc importing (bytecode exists, as after pip), z3, machine code (with an",
    'empty cache) and the search. "Of it the search" is the time that a tool reports, otherwise the run of what was',
    "compiled. The table limit is the rate at which this machine takes random 64-bit keys into a table of that size,",
    "on one core, in huge pages, with prefetch. dio-mc without flags stores one state per orbit of threads and pages",
    "that it proves exchangeable, as Rumur does where the model says so. Bytes are peak resident memory by states",
    "stored.",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--sizes", default="XS,S,M,L", help="which members of the family, of " + ",".join(SIZES))
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contender")
    parser.add_argument("--only", default="", help="only contenders whose names contain this")
    parser.add_argument("--tlc", type=Path, help="a tla2tools.jar")
    parser.add_argument("--write", type=Path, help="write the tables to this file as well")
    options = parser.parse_args(arguments)
    compileall.compile_dir(HERE.parent / "dio_mc", quiet=2)
    wanted = [name for name in options.sizes.split(",") if name]
    if unknown := [name for name in wanted if name not in SIZES]:
        parser.error(f"no size {unknown[0]}: there are {', '.join(SIZES)}")
    contenders = [c for c in (*ALL, *([tlc(options.tlc)] if options.tlc else [])) if options.only in c.name]
    absent = {c.name: c.missing() for c in contenders if c.missing()}
    lines = ["# dio-mc and its peers on the same model", "", machine(), ""]
    lines += [f"Not measured: {name} ({', '.join(programs)} not installed)" for name, programs in absent.items()]
    lines += [*(line.format(rounds=options.rounds) for line in LEGEND), ""]
    with tempfile.TemporaryDirectory() as base:
        for name in wanted:
            size = SIZES[name]
            limit = statistics.median(inserts_per_second(max(size.states, 1 << 20)) for _ in range(options.rounds))
            entries = contest(size, [c for c in contenders if c.name not in absent], options.rounds, Path(base))
            lines += table(size, entries, limit)
    text = "\n".join(lines)
    print(text)
    if options.write:
        options.write.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
