"""A search divided among workers of Ray on this machine, compared with one in memory: ``python
benchmarks/cluster.py 2``.

Processor time is that of the search, without the start of Ray: of this process in memory, of the
workers' processes on Ray. Memory is the peak of a process, or of the largest worker. Bytes sent are
counted per level.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

from dio_mc.engines.cluster.bridge import RayParts
from dio_mc.engines.cluster.search import ClusterSearch
from dio_mc.engines.limits import Limits
from dio_mc.engines.native.engine import Outcome, prepare, search
from dio_mc.frontend import build, load_module
from dio_mc.semantics.search import Budget, OnRay, SearchRequest
from dio_mc.symbolic.evaluator import property_evaluator
from dio_mc.wording import show_bytes

MODEL = Path(__file__).resolve().parent / "diorace.py"


class Measured(ClusterSearch):
    """A search whose workers' processes and files are measured before and after."""

    folder = Path(tempfile.gettempdir())

    def run(self, deepest: int | None = None) -> None:
        """Search, and print the figures."""
        asked = self._all("process")
        processes = [int(str(one)) for one in self._answers(asked, int)]
        before = [processor(one) for one in processes]
        super().run(deepest)
        took = [processor(one) - first for one, first in zip(processes, before, strict=True)]
        files = sum(path.stat().st_size for path in self.folder.glob("dio-mc-*/part-*"))
        widest = max(sum(end for _, end in level) for level in self.levels)
        print(f"{sum(took):.1f} s of processor: {', '.join(f'{one:.1f}' for one in took)}")
        print(f"peaks: {', '.join(show_bytes(peak(one)) for one in processes)}")
        print(
            f"{files / self.states:.2f} bytes of files a state; {sum(self.sent) / self.states:.1f} bytes sent a state"
        )
        print(f"{max(self.sent):,} bytes sent in the largest level, {widest:,} states in the widest")


def processor(process: int) -> float:
    """Seconds of processor that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(process: int) -> int:
    """The peak resident memory of a process in bytes."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def summary(found: Outcome) -> str:
    """The result in a line."""
    return f"{found.states:,} states, {found.transitions:,} transitions, depth {found.depth}, stopped {found.stopped}"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workers", type=int, nargs="*", default=(1, 2))
    parser.add_argument(
        "--size", nargs=4, type=int, default=(2, 3, 3, 1), metavar=("PAGES", "READERS", "MAPPERS", "WRITERS")
    )
    asked = parser.parse_args()
    size = dict(zip(("pages", "readers", "mappers", "writers"), asked.size, strict=True))
    program = build(load_module(MODEL).models[0], size).program
    request = SearchRequest(program, [property_evaluator(program, one).evaluator for one in program.properties])
    prepared, began = prepare(request), time.process_time()
    found = search(prepared, request, Limits(Budget()))
    took, most = time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    print(f"in memory: {summary(found)}; {took:.1f} s of processor; peak {show_bytes(most)}")
    divided = prepare(request, divided=True)
    for workers in asked.workers:

        def connect(module, by, exceeded, workers=workers):  # type: ignore[no-untyped-def]
            return RayParts(OnRay(None, workers), module, by, Measured.folder, None, exceeded)

        found = search(
            divided, request, Limits(Budget()), begin=lambda *given: Measured(*given, connect=connect)
        )  # fmt: skip
        print(f"{workers} workers: {summary(found)}; {found.seconds:.1f} s")


if __name__ == "__main__":
    main()
