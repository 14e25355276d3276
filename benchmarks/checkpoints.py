"""The cost of saving: one search with and without ``--checkpoint``, in turn. ``python
benchmarks/checkpoints.py``.

11,805,586 states of one word: 94 MB of checkpoint, or 7 MB with ``--disk``. The processor time is
that of the whole command.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

MODEL = Path(__file__).with_name("diorace.py")
CHECK = (
    "check", str(MODEL), "--param=pages=2", "--param=readers=3", "--param=mappers=3", "--no-reduction", "--no-artifacts"
)  # fmt: skip


def seconds(*options: str) -> float:
    """Processor time of one check."""
    process = subprocess.Popen([sys.executable, "-m", "dio_mc", *CHECK, *options], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the times in pairs, and the ratio of the sums."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").replace("``", ""))
    parser.add_argument("--disk", action="store_true", help="with the states on disk")
    parser.add_argument("--elsewhere", metavar="DIR", help="with the states on disk, on another file system")
    asked = parser.parse_args()
    pairs: list[tuple[float, float]] = []
    for _ in range(3):
        with tempfile.TemporaryDirectory(dir=Path.home() / ".cache") as folder:
            place = asked.elsewhere or folder
            disk = [f"--disk={place}"] if asked.disk or asked.elsewhere else []
            pairs.append((seconds("--checkpoint=off", *disk), seconds(f"--checkpoint={folder}", *disk)))
        print(f"without {pairs[-1][0]:.2f} s, with {pairs[-1][1]:.2f} s", flush=True)
    print(f"ratio {sum(pair[1] for pair in pairs) / sum(pair[0] for pair in pairs):.2f}")


if __name__ == "__main__":
    main()
