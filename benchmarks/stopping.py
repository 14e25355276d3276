"""The time that a command takes to end after Ctrl-C: ``python benchmarks/stopping.py [--tries N]
[--seed S]``.

Each command is interrupted at random moments of its work, in a fresh folder with a fresh cache. The
output has the median and the longest time from the signal to the end of the process, its exit
codes, and the number of bytes that it printed.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RACE = str(ROOT / "benchmarks" / "diorace.py")
EXT3 = str(ROOT / "models" / "seed" / "ext3_2_6_18.py")
LARGE = (RACE, "--param=pages=2", "--param=readers=1", "--param=mappers=7", "--no-artifacts")
COMMANDS: dict[str, tuple[float, tuple[str, ...]]] = {
    "check, native": (25, ("check", *LARGE, "--no-reduction")),
    "check, two workers": (25, ("check", *LARGE, "--no-reduction", "--workers=2")),
    "check, reference": (25, ("check", *LARGE, "--engine=reference")),
    "check, on disk": (25, ("check", *LARGE, "--no-reduction", "--disk=.")),
    "check, many models": (5, ("check", str(ROOT / "models" / "history"), "--no-artifacts")),
    "check --any": (4, ("check", EXT3.replace("ext3_2_6_18", "placeholder"), "--any=all")),
    "matrix": (20, ("matrix",)),
    "matrix, one process": (10, ("matrix", "--jobs=1")),
    "diff": (10, ("diff", "generic_2005", "ext4_today")),
    "outcomes": (4, ("outcomes", "read,direct_write,mmap_store", "--rule", "ext4_today")),
    "mutate": (8, ("mutate", str(ROOT / "models" / "history"))),
    "fix": (10, ("fix", EXT3)),
}
"""The commands that are interrupted, and the seconds within which that happens: less than the
command takes."""
SOONEST = 0.3
"""Seconds before which a signal may reach Python before dio-mc."""


def interrupted(arguments: tuple[str, ...], after: float) -> tuple[float, int, int] | None:
    """Seconds from the signal to the end, exit code, bytes of stdout; None if the command ended
    before."""
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        env = {**os.environ, "XDG_CACHE_HOME": folder, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "dio_mc", *arguments]
        with open(Path(folder) / "out", "wb") as out:
            process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, env=env, cwd=folder)
            try:
                process.wait(after)
                return None
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGINT)
            since = time.monotonic()
            code = process.wait()
            took = time.monotonic() - since
        return took, code, (Path(folder) / "out").stat().st_size


def main() -> None:
    """Print a row per command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--only", default="", help="commands whose name has this in it")
    asked = parser.parse_args()
    random.seed(asked.seed)
    print("| command | interrupted after | median | longest | exit codes | bytes printed |\n|--|--|--|--|--|--|")
    for name, (within, arguments) in COMMANDS.items():
        moments = sorted(random.uniform(SOONEST, within) for _ in range(asked.tries))
        if asked.only not in name:
            continue
        done = [found for at in moments if (found := interrupted(arguments, at)) is not None]
        if not done:
            print(f"| {name} | ended before | | | | |", flush=True)
            continue
        took = [one[0] for one in done]
        codes = " ".join(map(str, sorted({one[1] for one in done})))
        sizes = f"{min(one[2] for one in done)} to {max(one[2] for one in done)}"
        print(
            f"| {name} | {moments[0]:.1f} to {moments[-1]:.1f} s | {statistics.median(took):.2f} s |"
            f" {max(took):.2f} s | {codes} | {sizes} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
