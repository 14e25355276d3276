"""A campaign: programs one after the other, compared; what differs made small and kept as a regression test."""

from __future__ import annotations

import gc
import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .comparing import Outcome, compare
from .configurations import ON_DISK, OPTIMISED, QUICK, REFERENCE, Configuration
from .plain import plain
from .rich import rich
from .shrinking import shrink

PROGRAMS = Path(__file__).parent / "programs"
"""Those that are compared every time: what was found, and a few by hand."""
LARGE = 3_000
"""States that these may have."""
GENERATORS: dict[str, Callable[[int], str]] = {"rich": rich, "plain": plain}
SHRINKING = 20.0
"""Seconds of processor time that making one program small may take."""


@dataclass
class Progress:
    """How far a campaign has come; kept in its file, so that it can go on. `kinds` counts differences by kind, each of
    which is made small once; `seen` what the programs showed."""

    seed: int
    next: int = 0
    programs: int = 0
    refused: int = 0
    too_large: int = 0
    states: int = 0
    compared: int = 0
    seconds: float = 0.0
    kinds: dict[str, int] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def add(self, found: Outcome) -> None:
        """Count one program."""
        self.next += 1
        self.refused += bool(found.refused)
        self.too_large += found.too_large
        self.programs += not (found.refused or found.too_large)
        self.states += found.states
        self.compared += found.compared
        self.seen = dict(Counter(self.seen) + Counter(found.seen))

    def text(self) -> str:
        """The figures in a line."""
        return (
            f"seed {self.seed}: {self.programs:,} programs ({self.refused:,} more refused, {self.too_large:,} too large), "
            f"{self.states:,} states, {self.compared:,} comparisons, {sum(self.kinds.values()):,} differences "
            f"of {len(self.kinds)} kinds, {self.seconds:,.0f} s"
        )


def load(file: Path | None, seed: int) -> Progress:
    """The progress kept in a file, or a new one."""
    if file is not None and file.exists():
        return Progress(**json.loads(file.read_text()))
    return Progress(seed)


def save(progress: Progress, file: Path | None) -> None:
    """Keep the progress."""
    if file is not None:
        file.write_text(json.dumps(asdict(progress), indent=1) + "\n")


def source(progress: Progress) -> tuple[str, str, int]:
    """The next program: the generator's name, its text and its seed."""
    name = list(GENERATORS)[progress.next % len(GENERATORS)]
    seed = progress.seed * 1_000_003 + progress.next
    return name, GENERATORS[name](seed), seed


def configurations(number: int) -> tuple[Configuration, ...]:
    """Which configurations a program is explored by, besides the reference in full: its reductions in turn, for a few
    programs machine code, which takes fifty times as long."""
    symmetry, order, both = REFERENCE
    draw = random.Random(number)
    found = [(symmetry, order), (symmetry,), (order,), (symmetry, order, both)][number // 2 % 4]
    if number % 100 == 0:
        found += QUICK
    if number % 500 == 7:
        found += tuple(draw.sample((*OPTIMISED, *ON_DISK), 4))
    return found


def run(
    progress: Progress, *, seconds: float, programs: int, file: Path | None, out: Path, tell: Callable[[str], None],
    explored_by: Callable[[int], tuple[Configuration, ...]] = configurations,
) -> None:  # fmt: skip
    """Go on until so many seconds have passed or programs were compared."""
    begun, before, counted = time.monotonic(), progress.seconds, progress.programs
    told = begun
    gc.set_threshold(200_000, 50, 50)  # a tenth of the time, where nothing large is made
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        while time.monotonic() - begun < seconds and progress.programs - counted < programs:
            generator, text, seed = source(progress)
            chosen = explored_by(progress.next)
            found = compare(text, folder, chosen)
            progress.add(found)
            for kind in dict.fromkeys(plainly(kind) for kind, _ in found.differences):
                progress.kinds[kind] = progress.kinds.get(kind, 0) + 1
            new = [(kind, said) for kind, said in found.differences if progress.kinds[plainly(kind)] == 1]
            if new:
                tell(f"{generator} {seed}: {new[0][1][:600]}")
                tell(keep(text, folder, chosen, new[0], f"{generator}_{seed}", out))
            progress.seconds = before + time.monotonic() - begun
            if time.monotonic() - told > 60:
                told = time.monotonic()
                save(progress, file)
                tell(progress.text())
    save(progress, file)


def plainly(kind: str) -> str:
    """A kind of difference without the engine that showed it: what was reduced by, and what differs."""
    way, _, what = kind.rpartition(": ")
    return f"{way.rpartition(', ')[2]}: {what}" if way else what


def keep(
    text: str, folder: Path, chosen: tuple[Configuration, ...], difference: tuple[str, str], name: str, out: Path
) -> str:
    """Make a program small and write it where `test_programs` finds it; what to say."""
    kind, said = difference
    needed = tuple(one for one in chosen if kind.startswith(f"{one}: "))

    def shows(smaller: str) -> bool:
        try:
            return any(k == kind for k, _ in compare(smaller, folder, needed).differences)
        except Exception:  # whatever it is, it is another difference
            return False

    small = shrink(text, shows, SHRINKING)
    word = re.sub(r"\W+", "_", kind).strip("_")
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{word}_{name}.py"
    path.write_text(f'"""{said[:400]}\n"""\n\n{small}'.replace("\\", "/"))
    return f"{path}:\n{small}"


def first_difference(
    seed: int, programs: int, explored_by: tuple[Configuration, ...], seconds: float, generators: Sequence[str]
) -> tuple[str, str] | None:
    """The first program that shows a difference, of `PROGRAMS` and then so many of these generators, and its kind; None
    if there is none in so many seconds of processor time."""
    end = time.process_time() + seconds
    with tempfile.TemporaryDirectory() as name:
        for path in sorted(PROGRAMS.glob("*.py")):
            found = compare(path.read_text(), Path(name), explored_by, limit=LARGE)
            if found.differences:
                return path.stem, found.differences[0][0]
        for number in range(programs):
            text = GENERATORS[generators[number % len(generators)]](seed * 1_000_003 + number)
            found = compare(text, Path(name), explored_by)
            if found.differences:
                return f"program {number + 1}", found.differences[0][0]
            if time.process_time() > end:
                break
    return None
