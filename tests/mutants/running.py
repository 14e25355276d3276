"""A copy of dio_mc with one breakage, and whether what should notice it does.

A campaign runs in a child of this process, which has loaded nothing of dio_mc: so each child loads its own copy, and z3
and LLVM are loaded once. Tests run in a process of their own, with the copy first on the path.
"""

from __future__ import annotations

import importlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .texts import Mutant

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = 25
"""Of a campaign; after those of tests/fuzz/programs; most breakages show in the first twenty."""
SEED = 2026
PATIENCE = 600.0
"""Seconds that tests may take."""
PROCESSOR = {"full": 20, "reference": 30, "quick": 120}
"""Seconds of processor time after which a campaign does; a whole copy takes a tenth of it."""
LOADED = ("z3", "networkx", "llvmlite.binding", "llvmlite.ir", "inspect", "ast", "dataclasses", "json", "linecache")


@dataclass(frozen=True)
class Noticed:
    """What noticed a breakage: a campaign after so many programs, or a test; empty if nothing did."""

    by: str
    seconds: float = 0.0


@contextmanager
def copies() -> Iterator[Path]:
    """A folder with a copy of the package, and the rest of the repository beside it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(ROOT / "dio_mc", folder / "dio_mc")  # with its bytecode
        for other in ("tests", "models", "benchmarks"):
            (folder / other).symlink_to(ROOT / other)
        yield folder


@contextmanager
def broken(mutant: Mutant | None, folder: Path) -> Iterator[None]:
    """The copy with a breakage, whole again afterwards."""
    if mutant is None:
        yield
        return
    path = folder / "dio_mc" / mutant.file
    whole, stat = path.read_text(), path.stat()
    assert whole.count(mutant.old) == 1, (
        f"{mutant.name}: its text stands {whole.count(mutant.old)} times in {mutant.file}"
    )
    path.write_text(whole.replace(mutant.old, mutant.new))
    try:
        yield
    finally:
        path.write_text(whole)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def notice(mutant: Mutant | None, folder: Path, by: str | tuple[str, ...], programs: int = PROGRAMS) -> Noticed:
    """Run what should notice; without a breakage nothing may."""
    begun = time.monotonic()
    with broken(mutant, folder):
        found = _campaign(folder, by, programs) if isinstance(by, str) else _tests(folder, by)
    return Noticed(found, time.monotonic() - begun)


def _campaign(folder: Path, by: str, programs: int) -> str:
    """A campaign in a child; what it saw first."""
    for name in LOADED:
        importlib.import_module(name)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _in_child(folder, by, programs, writing)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU:
        return "out of time"
    if status or not said:
        raise RuntimeError("the child of a campaign has told nothing")
    return said


def _in_child(folder: Path, by: str, programs: int, writing: int) -> None:
    """Never returns."""
    try:
        os.nice(1)
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR[by], resource.RLIM_INFINITY))
        warnings.simplefilter("ignore")
        sys.dont_write_bytecode = True
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        sys.path.insert(0, str(folder))
        if any(name.partition(".")[0] == "dio_mc" for name in sys.modules):
            os._exit(1)
        campaign = importlib.import_module("tests.fuzz.campaign")
        ways = importlib.import_module("tests.fuzz.configurations")
        chosen, generators = {
            "full": ((), ("rich", "plain")), "reference": (ways.REFERENCE, ("plain", "rich")), "quick": (ways.QUICK, ("plain", "rich")),
        }[by]  # fmt: skip
        found = campaign.first_difference(SEED, programs, chosen, PROCESSOR[by] / 2, generators)
        said = "-" if found is None else f"{found[0]}: {found[1]}"
    except BaseException:
        said = f"loading: {traceback.format_exc(limit=1).splitlines()[-1]}"
    os.write(writing, said.encode()[:4000])
    os._exit(0)


def _tests(folder: Path, by: tuple[str, ...]) -> str:
    """Tests with the copy first on the path; the first that failed."""
    told = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""}
    command = ["pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *by]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=told, capture_output=True, text=True, check=False, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired:
        return "-"  # tests end; that they have not is for want of processor time
    if done.returncode == 0:
        return "-"
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].split(" - ")[0].split(" ", 1)[1] if failed else f"pytest ended with {done.returncode}"
