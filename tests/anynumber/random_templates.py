"""Random models of threads any number of which is meant, as source: locks, counters, flags per thread, completions."""

from __future__ import annotations

import random
from pathlib import Path

from random_writing import properties, written

HEAD = """\
from z3 import Implies

from dio_mc import *

class Random(Model):
    a = Var(Range(0, 2))
    b = Var(bool)
    page = Array(Range(0, 1), size=2)
    busy = PerThread(bool)
    seen = PerThread(Range(0, 2))
    lock = Mutex()
    sem = RWSem({options})
    flight = DrainCounter()
"""

SIMPLE = (
    "self.a = {value}",
    "self.b = {truth}",
    "self.busy[me] = {truth}",
    "self.seen[me] = self.a",
    "self.page[self.a % 2] = {bit}",
    "x = self.a",
    "self.a = x",
    "wait_until({condition})",
    "x = choose(0, 1, 2)",
    "assert {condition}",
    "self.flight.wait()",
)
PAIRS = (
    ("self.lock.lock()", "self.lock.unlock()"),
    ("self.sem.down_read()", "self.sem.up_read()"),
    ("self.sem.down_write()", "self.sem.up_write()"),
    ("self.flight.begin()", "self.flight.end()"),
    ("self.flight.begin()", "spawn(self.completion, 0)"),
)
CONDITIONS = (
    "self.b", "not self.b", "self.a == 0", "self.a != 2", "x == self.a", "not any(self.busy)", "all(self.busy)",
    "not any(self.busy[t] for t in threads() if t != me)", "any(self.seen[t] == 1 for t in threads(self.{thread}))",
    "self.lock.owner != me", "self.page[x % 2] == 0", "not self.sem.is_locked()", "self.busy[me]",
)  # fmt: skip
INVARIANTS = (
    "self.a != 2 or self.b",
    "all(self.seen[t] != 2 for t in threads())",
    "not (self.b and self.a == 1)",
    "all(not self.busy[t] or self.a != 2 for t in threads(self.{thread}))",
    "not self.at_rest() or self.a != 1",
    "self.finished(self.{thread}) or self.page[0] == 0",
    "not any(self.busy[t] and self.seen[t] == 1 for t in threads())",
    "self.lock.owner is not None or not self.inside('window')",
    "all(not self.lock.held_by(t) or self.busy[t] for t in threads(self.{thread}))",
)
STEPS = (
    "after.a != 0 or self.a != 2",
    "Implies(self.b, after.b or self.a == after.a)",
    "all(Implies(self.busy[t], after.busy[t] or after.a == 0) for t in threads())",
    "not self.inside('window') or after.a == self.a",
)


class Writer:
    """One model."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.kinds = ["one", "two"][: self.random.choice((1, 2, 2))]
        self.spawns = self.random.random() < 0.3

    def fill(self, text: str) -> str:
        pick = self.random.choice
        return text.format(
            value=pick("012"), truth=pick(("True", "False")), bit=pick("01"), thread=pick(self.kinds),
            condition=pick(CONDITIONS).format(thread=pick(self.kinds)),
        )  # fmt: skip

    def block(self, deep: int, indent: str) -> list[str]:
        lines: list[str] = []
        for _ in range(self.random.randint(1, 3)):
            roll = self.random.random()
            if roll < 0.5 or deep == 0:
                lines.append(indent + self.fill(self.random.choice(SIMPLE)))
            elif roll < 0.65:
                before, after = self.random.choice(PAIRS if self.spawns else PAIRS[:4])
                lines += [indent + before, *self.block(deep - 1, indent)]
                lines += [indent + after] if self.random.random() < 0.9 else []
            elif roll < 0.8:
                lines += [self.fill(f"{indent}if {{condition}}:"), *self.block(deep - 1, indent + "    ")]
            elif roll < 0.9:
                inner = [indent + "    " + self.fill(self.random.choice(SIMPLE[:7])) for _ in range(2)]
                lines += [f"{indent}with atomic():", self.fill(f"{indent}    wait_until({{condition}})"), *inner]
            elif self.spawns:
                lines.append(f"{indent}spawn(self.completion, x)")
            else:
                lines += [f"{indent}with window('window'):", *self.block(deep - 1, indent + "    ")]
        return lines

    def model(self) -> str:
        lines = [HEAD.format(options=self.random.choice(("", "writer_preference=True")))]
        for kind in self.kinds:
            daemon = self.random.choice(("", "", "(daemon=True)"))
            lines += [f"    @thread{daemon}", f"    def {kind}(self):", "        x = 0"]
            if self.random.random() < 0.5:
                lines += ["        while True:", *self.block(2, "            ")]
            else:
                lines += self.block(2, "        ")
            lines += ["        with window('window'):", self.fill("            self.a = {value}")]
        if self.spawns:
            lines += ["    @operation()", "    def completion(self, x):"]
            lines += [self.fill(f"        {self.random.choice(SIMPLE[:2])}") for _ in range(2)]
            lines += ["        self.flight.end()"] if self.random.random() < 0.7 else []
        if self.random.random() < 0.4:  # somebody of whom there is one
            lines += ["    @thread(daemon=True)", "    def single(self):", "        x = 0", *self.block(1, "        ")]
        return "\n".join([*lines, *properties(self.random, INVARIANTS, STEPS, self.fill)]) + "\n"


def random_model(seed: int, folder: Path) -> type | None:
    """A model class, or None where the dice fell on one that is none."""
    return written(folder / f"random_{seed}.py", Writer(seed).model())
