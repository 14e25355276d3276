"""The search on disk compared with the one in memory, one worker each: ``python
benchmarks/on_disk.py --memory 512M``.

The comparison is of processor time of the searches alone, in one process, in memory first; the size
of the files is read before they are closed. ``--disk-only`` is for state spaces that do not fit in
memory.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from dio_mc.config import memory
from dio_mc.engines.disk.search import Disk, DiskSearch
from dio_mc.engines.disk.sizes import sizes_within
from dio_mc.engines.limits import Limits
from dio_mc.engines.native.engine import Prepared, Search, prepare, search
from dio_mc.engines.native.moment import Clock
from dio_mc.engines.native.search import Work
from dio_mc.frontend import build, load_module
from dio_mc.semantics.search import Budget, Progress, Report, SearchRequest
from dio_mc.symbolic.evaluator import property_evaluator
from dio_mc.wording import show_bytes

MODEL = Path(__file__).resolve().parent / "diorace.py"
EVERY = 30.0
"""Seconds between two lines of progress."""


class Measured(DiskSearch):
    """A search that records the size of its files at the end."""

    size = 0

    def close(self) -> None:
        """Measure, and close."""
        Measured.size = self.bytes_on_disk
        super().close()


def main() -> None:
    """Print both times and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--size", nargs=4, type=int, default=(2, 1, 7, 1), metavar=("PAGES", "READERS", "MAPPERS", "WRITERS")
    )
    parser.add_argument("--memory", type=memory, default=512 << 20, help="of the search on disk")
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--disk-only", action="store_true")
    asked = parser.parse_args()
    size = dict(zip(("pages", "readers", "mappers", "writers"), asked.size, strict=True))
    program = build(load_module(MODEL).models[0], size).program
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    request = SearchRequest(program, evaluators, report=progress_printer())
    prepared = prepare(request)

    def on_disk(prepared: Prepared, request: SearchRequest, clock: Clock, work: Work) -> Search:
        return Measured(prepared, request, clock, work, Disk(Path(asked.folder), sizes_within(asked.memory)))

    times = []
    for begin in (on_disk,) if asked.disk_only else (Search, on_disk):
        started, clock = time.process_time(), Limits(Budget())
        found = search(prepared, request, clock, asked.workers, begin=begin)
        times.append(time.process_time() - started)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
        print(
            f"{'on disk' if begin is on_disk else 'in memory'}: {found.states:,} states, {found.transitions:,} "
            "transitions, "
            f"depth {found.depth}, stopped {found.stopped}; {times[-1]:.1f} s of processor, {found.seconds:.1f} s; "
            f"peak {show_bytes(peak)}"
        )
    print(f"{Measured.size:,} bytes on disk at the end, {Measured.size / found.states:.2f} a state")
    print(f"speed against memory: {times[0] / times[-1]:.2f}")


def progress_printer() -> Report:
    """Prints a line of progress now and then."""
    last = [0.0]

    def report(progress: Progress) -> None:
        if progress.seconds - last[0] >= EVERY:
            last[0] = progress.seconds
            took = f"{progress.seconds:.0f} s, {time.process_time():.0f} of processor"
            print(f"{took}: {progress.states:,} states, depth {progress.depth}", flush=True)

    return report


if __name__ == "__main__":
    main()
