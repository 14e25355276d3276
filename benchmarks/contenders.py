"""The checkers that are measured: how each is prepared for a size, run, and its output read.

The models in ``peers/`` have the same atomic steps as ``diorace.py``: without reductions every tool
reaches the same number of states.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEERS = HERE / "peers"


@dataclass(frozen=True, slots=True)
class Size:
    """A member of the family: pages, direct readers, mmap writers, buffered writers; and its states."""

    name: str
    pages: int
    readers: int
    mappers: int
    writers: int
    states: int
    orbits: int | None = None
    """The number of states up to the exchange of threads and pages, if another tool has counted
    them."""

    @property
    def numbers(self) -> tuple[int, int, int, int]:
        """The size in the form that the peers' generators take."""
        return self.pages, self.readers, self.mappers, self.writers


SIZES = {
    size.name: size
    for size in (
        Size("XS", 1, 1, 1, 1, 367),
        Size("S", 2, 2, 1, 1, 35_402),
        Size("M", 2, 3, 2, 1, 2_110_756, 249_075),
        Size("L", 2, 3, 3, 1, 11_805_586, 558_336),
        Size("XL", 3, 3, 2, 1, 56_803_883),
    )
}

Command = list[str]


@dataclass(frozen=True, slots=True)
class Contender:
    """One tool with one set of flags. `ready` gives the commands that prepare it, in an empty
    folder; the last command line, `run`, is measured. `read` finds the states in its output,
    `searched` the seconds that the tool reports for its search, None if it reports none. `needs`:
    programs. `reduced`: it counts orbits. `largest`: the largest size worth waiting for."""

    name: str
    needs: tuple[str, ...]
    ready: Callable[[Size, Path], list[Command]]
    run: Callable[[Size, Path], Command]
    read: Callable[[str], int]
    reduced: bool = False
    largest: str = "XL"
    searched: Callable[[str], float | None] = lambda _: None

    def missing(self) -> list[str]:
        """The programs it needs that are not installed."""
        return [program for program in self.needs if shutil.which(program) is None]


def _number(pattern: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        found = re.search(pattern, text)
        if found is None:
            raise ValueError(f"no number of states in:\n{text[-2000:]}")
        return int(found[1].replace(",", ""))

    return read


def _seconds(pattern: str) -> Callable[[str], float | None]:
    def read(text: str) -> float | None:
        found = re.search(pattern, text)
        return float(found[1]) if found is not None and float(found[1]) > 0 else None

    return read


# -- dio-mc ------------------------------------------------------------------------------------------------------------


def _dio_mc(name: str, *flags: str, reduced: bool = False, largest: str = "XL") -> Contender:
    def run(size: Size, folder: Path) -> Command:
        names = ("pages", "readers", "mappers", "writers")
        params = [f"--param={n}={v}" for n, v in zip(names, size.numbers, strict=True)]
        model = str(HERE / "diorace.py")
        always = ["--param=fixed=1", "--no-artifacts", "--verbose"]
        return [sys.executable, "-m", "dio_mc", "check", model, *params, *always, *flags]

    searched = _seconds(r"\(search ([\d.]+) s\)")
    return Contender(name, (), lambda size, folder: [], run, _number(r"([\d,]+) states"), reduced, largest, searched)


# -- SPIN --------------------------------------------------------------------------------------------------------------


def _spin(name: str, *flags: str, optimise: str = "-O2", largest: str = "L") -> Contender:
    def ready(size: Size, folder: Path) -> list[Command]:
        shutil.copy(PEERS / "diorace.pml", folder)
        defined = [f"-D{n}={v}" for n, v in zip("PRWB", size.numbers, strict=True)]
        compiler = ["gcc", optimise, "-w", "-DSAFETY", "-DNOREDUCE", "-DMEMLIM=16000", *flags, "pan.c", "-o", "pan"]
        return [["spin", "-a", *defined, "-DFIX=1", "diorace.pml"], compiler]

    def run(size: Size, folder: Path) -> Command:
        bits = max(size.states.bit_length() + 1, 16)
        return [str(folder / "pan"), "-m5000000", f"-w{bits}"]

    searched = _seconds(r"elapsed time ([\d.]+) seconds")
    states = _number(r"(\d+) states, stored")
    return Contender(name, ("spin", "gcc"), ready, run, states, largest=largest, searched=searched)


# -- Rumur -------------------------------------------------------------------------------------------------------------


def _rumur(name: str, template: str, symmetry: str, *, reduced: bool, largest: str) -> Contender:
    def ready(size: Size, folder: Path) -> list[Command]:
        text = (PEERS / template).read_text()
        for key, value in zip("PRWB", size.numbers, strict=True):
            text = text.replace(f"@{key}@", str(value))
        (folder / "model.m").write_text(text.replace("@FIX@", "1").replace("@LOOP@", "1"))
        written = ["rumur", "model.m", "--output", "model.c", "--threads", "1", "--symmetry-reduction", symmetry]
        return [written, ["gcc", "-O3", "-w", "-mcx16", "-march=native", "model.c", "-o", "model", "-lpthread"]]

    def run(size: Size, folder: Path) -> Command:
        return [str(folder / "model")]

    return Contender(name, ("rumur", "gcc"), ready, run, _number(r"(\d+) states, \d+ rules"), reduced, largest)


# -- the others --------------------------------------------------------------------------------------------------------


def _plain_python() -> Contender:
    def run(size: Size, folder: Path) -> Command:
        return [sys.executable, str(PEERS / "pybfs.py"), *map(str, size.numbers), "1", "1"]

    return Contender("plain Python, breadth first", (), lambda s, f: [], run, _number(r"states=(\d+)"), largest="M")


def tlc(jar: Path) -> Contender:
    """TLC, if its jar is installed."""

    def ready(size: Size, folder: Path) -> list[Command]:
        shutil.copy(PEERS / "DioRace.tla", folder)
        constants = "\n".join(f"{n} = {v}" for n, v in zip("PRWB", size.numbers, strict=True))
        wanted = f"SPECIFICATION Spec\nCONSTANTS {constants}\nFIX = TRUE\nLOOP = TRUE\nINVARIANT NoStale\n"
        (folder / "DioRace.cfg").write_text(wanted)
        return []

    def run(size: Size, folder: Path) -> Command:
        return ["java", "-XX:+UseParallelGC", "-cp", str(jar), "tlc2.TLC", "-workers", "1", "DioRace"]

    return Contender("TLC, one worker", ("java",), ready, run, _number(r"([\d,]+) distinct states found"), largest="M")


ALL = (
    _dio_mc("dio-mc", reduced=True),
    _dio_mc("dio-mc, all states", "--engine=native", "--no-reduction"),
    _dio_mc("dio-mc, all states, 2 workers", "--engine=native", "--no-reduction", "--workers=2"),
    _dio_mc("dio-mc, interpreter", "--engine=reference", "--no-reduction", largest="S"),
    _spin("SPIN -O2, depth first"),
    _spin("SPIN -O2 -DCOLLAPSE", "-DCOLLAPSE"),
    _spin("SPIN -O2 -DBFS", "-DBFS"),
    _spin("SPIN -O0", optimise="-O0", largest="XS"),
    _rumur("Rumur -O3", "diorace.m.in", "off", reduced=False, largest="M"),
    _rumur("Rumur -O3, symmetry", "diorace_sym.m.in", "heuristic", reduced=True, largest="L"),
    _plain_python(),
)
"""All checkers, dio-mc first."""
