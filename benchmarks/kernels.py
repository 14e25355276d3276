"""The number of schedules per minute that `dio-mc observe` runs on a guest: ``python
benchmarks/kernels.py KERNEL [FS]``.

All schedules of a direct read beside a store through a mapping with one preemption, on files of
each layout, until a minute has passed. Booting is reported separately. Processor time is that of
QEMU and of this process, and hardly depends on the load of the machine; the rate is by wall time.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from dio_mc.machine.images import find_kernel
from dio_mc.machine.observe import observe
from dio_mc.machine.plans import layouts_on
from dio_mc.machine.session import Session
from dio_mc.study.registry import open_registry, pair

SECONDS = 60.0


def main(kernel: str, file_system: str = "ext3") -> None:
    """Print one line."""
    workload = pair(open_registry(), "direct_read", "mmap_store")
    with Session(find_kernel(kernel), file_system) as session:
        begun = time.monotonic()
        guest = session.runner
        booted = time.monotonic()
        before, runs = _processor(guest._guest._process.pid), 0
        while time.monotonic() - booted < SECONDS:
            runs += sum(observe(session, workload, layout).runs for layout in layouts_on(file_system))
        seconds = time.monotonic() - booted
        used = _processor(guest._guest._process.pid) - before
    print(
        f"{kernel} {file_system}: {runs} schedules in {seconds:.0f} s, {runs / seconds * 60:,.0f} a minute; "
        f"{used / runs * 1000:.0f} ms of processor time each; booted in {booted - begun:.1f} s; "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )


def _processor(process: int) -> float:
    """Seconds of processor time of QEMU and of this process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") + time.process_time()


if __name__ == "__main__":
    main(*sys.argv[1:])
