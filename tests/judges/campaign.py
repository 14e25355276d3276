"""All groups of system calls under all rules, in an order drawn from a seed; what is done is kept in a file."""

from __future__ import annotations

import gc
import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import combinations_with_replacement
from pathlib import Path

from dio_mc.study.registry import Registry, together

from .comparing import compare

COLLECTED = 50
"""After so many products what they have left in memory is collected."""


@dataclass
class Progress:
    """How far a campaign over groups of `size` calls has come: the first `products` of its order are done."""

    seed: int
    size: int
    products: int = 0
    states: int = 0
    passed_over: int = 0
    seconds: float = 0.0
    verdicts: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    def text(self, total: int) -> str:
        """The figures in a line."""
        judged = ", ".join(f"{number:,} {word}" for word, number in sorted(self.verdicts.items()))
        return (
            f"seed {self.seed}, groups of {self.size}: {self.products:,} of {total:,} products, {self.states:,} states; "
            f"ends: {judged or 'none'}, {self.passed_over:,} passed over; {len(self.differences):,} differences; "
            f"{self.seconds:,.0f} s"
        )


def load(file: Path | None, seed: int, size: int) -> Progress:
    """The progress kept in a file, or a new one."""
    if file is not None and file.exists():
        return Progress(**json.loads(file.read_text()))
    return Progress(seed, size)


def save(progress: Progress, file: Path | None) -> None:
    """Keep the progress; a file is whole or as it was."""
    if file is not None:
        beside = file.with_name(file.name + ".new")
        beside.write_text(json.dumps(asdict(progress), indent=1) + "\n")
        beside.replace(file)


def products(registry: Registry, size: int, seed: int) -> list[tuple[str, tuple[str, ...]]]:
    """All rules and groups of calls that they support, in this seed's order."""
    groups = list(combinations_with_replacement(registry.operations, size))
    found = [(r.name, group) for r in registry.rules.values() for group in groups if not r.unsupported & set(group)]
    random.Random(seed).shuffle(found)
    return found


def run(
    progress: Progress, registry: Registry, *, seconds: float, file: Path | None, tell: Callable[[str], None]
) -> None:
    """Go on until all is done or so many seconds have passed."""
    gc.disable()  # what a product leaves is collected after some of them; looking for it all the time takes a seventh
    try:
        _run(progress, registry, seconds, file, tell)
    finally:
        gc.enable()
    save(progress, file)


def _run(
    progress: Progress, registry: Registry, seconds: float, file: Path | None, tell: Callable[[str], None]
) -> None:
    begun, before = time.monotonic(), progress.seconds
    told = begun
    waiting = products(registry, progress.size, progress.seed)
    for rule, operations in waiting[progress.products :]:
        if time.monotonic() - begun >= seconds:
            break
        found = compare(together(registry, operations), registry.rules[rule])
        progress.products += 1
        if progress.products % COLLECTED == 0:
            gc.collect()
        progress.states += found.states
        progress.passed_over += found.passed_over
        for word, number in found.verdicts.items():
            progress.verdicts[word] = progress.verdicts.get(word, 0) + number
        progress.differences += found.differences[:3]
        for said in found.differences[:3]:
            tell(said)
        progress.seconds = before + time.monotonic() - begun
        if time.monotonic() - told > 60:
            told = time.monotonic()
            save(progress, file)
            tell(progress.text(len(waiting)))
