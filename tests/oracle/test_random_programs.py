"""500 random programs and more: dio-mc reaches what the independent evaluator reaches; states, steps, faults, deadlocks."""

from __future__ import annotations

from pathlib import Path

import pytest
from compare import difference, explained
from generate import program
from oracle import Oracle

GROUPS = 10
PER_GROUP = 55
COMPARED = 50
"""Of each group at least so many are compared: 500 in all, and fewer than one in ten is skipped."""


def seeds(group: int) -> range:
    return range(group * PER_GROUP, (group + 1) * PER_GROUP)


@pytest.mark.parametrize("group", range(GROUPS))
@pytest.mark.slow
def test_random_programs(tmp_path: Path, group: int) -> None:
    """Programs that are too large are skipped, the same ones every time."""
    compared = 0
    for seed in seeds(group):
        text = program(seed)
        found = difference(text, tmp_path, f"p{seed}")
        if found:
            pytest.fail(f"seed {seed}: {explained(text, tmp_path, f's{seed}', found)}")
        compared += found is not None
    assert compared >= COMPARED


def test_what_the_programs_contain() -> None:
    """The generator still writes every kind of statement."""
    texts = [program(seed) for group in range(GROUPS) for seed in seeds(group)]
    words = (
        "with atomic()", "with window(", "choose(range(", "choose(Page", "choose(i for", "if choose(", "wait_until(",
        "while ", "for ", "else:", "elif ", "break", "continue", "spawn(self.", "daemon=True", "instances=2", "super()",
        "return self.get(", "self.x, self.y = self.y, self.x", "+=", "assert ", "self.past", "ghost=True", "init=any",
        "isinstance(", "Rec(", "ThreadId", "| None", "self.seen[me]", "in self.a", "all(", "sum(", "min(", "@atomic()",
        "trylock()", "hand_over()", "downgrade_write", "RangeLock", "DrainCounter", "TwoClassLock", "SpinLock", "RWSem",
        "writer_preference", "PageLock", "Param(", " = self.a[0] = ", "self.slot",
    )  # fmt: skip
    missing = [w for w in words if sum(w in t for t in texts) < 2]
    assert missing == []


def test_how_the_programs_end() -> None:
    """Faults of every kind that the language has, deadlocks, and programs without either."""
    faults: dict[str, int] = {}
    deadlocks = clean = 0
    for seed in range(100):
        found = Oracle(program(seed)).explore(1000)
        if found is None:
            continue
        for kind, _ in found.faults:
            faults[kind] = faults.get(kind, 0) + 1
        deadlocks += bool(found.deadlocks)
        clean += not found.faults and not found.deadlocks
    assert {"assertion", "range", "lock_misuse", "index", "spawn"} <= set(faults)
    assert deadlocks > 10
    assert clean > 10
