"""Random models of threads that go through pages, any number of which is meant: locks and flags per page, loops over
all pages, threads that there is one of for each page, questions to all pages, completions."""

from __future__ import annotations

import random
from pathlib import Path

from random_writing import properties, written

HEAD = """\
from z3 import Implies

from dio_mc import *

class Random(Model):
    pages = Param(1)
    a = Var(Range(0, 2))
    b = Var(bool)
    state = Array(Range(0, 2), size=pages)
    dirty = Array(bool, size=pages)
    page_lock = Array(Mutex, size=pages)
    busy = PerThread(bool)
    lock = Mutex()
    flight = DrainCounter()
"""

SIMPLE = (
    "self.a = {value}", "self.b = {truth}", "self.busy[me] = {truth}", "self.state[i] = {value}",
    "self.dirty[i] = {truth}", "x = self.state[i]", "self.state[i] = x", "self.a = x", "wait_until({condition})",
    "assert {condition}", "self.b = self.dirty[i]", "self.touch(i)", "self.state[i] = self.a",
)  # fmt: skip
PAIRS = (
    ("self.lock.lock()", "self.lock.unlock()"),
    ("self.page_lock[i].lock()", "self.page_lock[i].unlock()"),
    ("self.page_lock[i].lock()", "self.page_lock[i].unlock()"),
    ("self.flight.begin()", "self.flight.end()"),
)
CONDITIONS = (
    "self.b", "not self.b", "self.a == 0", "self.state[i] != 2", "x == self.a", "not self.dirty[i]",
    "not any(self.busy)", "all(self.dirty)", "any(self.dirty)", "not any(self.state[j] == 1 for j in range(self.pages))",
    "self.page_lock[i].owner is None", "not self.page_lock[i].held_by(me)", "self.dirty[i] and self.state[i] == 0",
)  # fmt: skip
INVARIANTS = (
    "all(self.state[i] != 2 for i in range(self.pages))",
    "all(not self.dirty[i] or self.state[i] != 1 for i in range(self.pages))",
    "self.a != 2 or any(self.dirty[i] for i in range(self.pages))",
    "all(Implies(self.inside('window', i=i), self.dirty[i] or self.page_lock[i].owner is not None)"
    " for i in range(self.pages))",
    "not self.at_rest() or all(self.state[i] != 1 for i in range(self.pages))",
    "all(not self.page_lock[i].is_locked() or any(self.page_lock[i].held_by(t) for t in threads())"
    " for i in range(self.pages))",
    "not self.b or self.a != 1",
    "not any(self.busy[t] for t in threads()) or all(not self.dirty[i] for i in range(self.pages))",
)
STEPS = (
    "all(Implies(self.inside('window', i=i) and self.dirty[i], after.dirty[i]) for i in range(self.pages))",
    "all(after.state[i] != 0 or self.state[i] != 2 for i in range(self.pages))",
    "after.a != 0 or self.a != 2",
)


class Writer:
    """One model."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.kinds = ["one", "two"][: self.random.choice((1, 1, 2))]
        self.each = self.random.random() < 0.5
        self.spawns = self.random.random() < 0.25

    def fill(self, text: str) -> str:
        pick = self.random.choice
        return text.format(
            value=pick("012"), truth=pick(("True", "False")), condition=pick(CONDITIONS)
        )  # fmt: skip

    def block(self, deep: int, indent: str) -> list[str]:
        lines: list[str] = []
        for _ in range(self.random.randint(1, 3)):
            roll = self.random.random()
            if roll < 0.5 or deep == 0:
                lines.append(indent + self.fill(self.random.choice(SIMPLE)))
            elif roll < 0.7:
                before, after = self.random.choice(PAIRS)
                lines += [indent + before, *self.block(deep - 1, indent)]
                lines += [indent + after] if self.random.random() < 0.9 else []
            elif roll < 0.8:
                lines += [self.fill(f"{indent}if {{condition}}:"), *self.block(deep - 1, indent + "    ")]
            elif roll < 0.9:
                inner = [indent + "    " + self.fill(self.random.choice(SIMPLE[:8])) for _ in range(2)]
                lines += [f"{indent}with atomic():", self.fill(f"{indent}    wait_until({{condition}})"), *inner]
            elif self.spawns:
                lines.append(f"{indent}spawn(self.completion, i)")
            else:
                lines += [f"{indent}with window('window'):", *self.block(deep - 1, indent + "    ")]
        return lines

    def body(self, indent: str) -> list[str]:
        roll = self.random.random()
        if roll < 0.55:
            return [f"{indent}for i in range(self.pages):", f"{indent}    self.work_{{kind}}(i)"]
        if roll < 0.8:
            return [f"{indent}i = choose(range(self.pages))", f"{indent}self.work_{{kind}}(i)"]
        return [
            f"{indent}for i in range(self.pages):", f"{indent}    self.work_{{kind}}(i)",
            f"{indent}self.a = {self.random.choice('012')}",
        ]  # fmt: skip

    def work(self, kind: str) -> list[str]:
        return [
            "    @operation()",
            f"    def work_{kind}(self, i):",
            "        x = 0",
            *self.block(2, "        "),
            "        with window('window'):",
            self.fill("            self.a = {value}"),
        ]

    def model(self) -> str:
        lines = [HEAD]
        for kind in self.kinds:
            daemon = self.random.choice(("", "", "(daemon=True)"))
            lines += [f"    @thread{daemon}", f"    def {kind}(self):"]
            loops = self.random.random() < 0.3
            lines += ["        while True:"] if loops else []
            lines += [line.format(kind=kind) for line in self.body("            " if loops else "        ")]
            lines += [*self.work(kind)]
        if self.each:
            lines += ["    @thread(instances=pages, daemon=True)", "    def each(self, i):"]
            lines += ["        self.work_each(i)", *self.work("each")]
        lines += ["    @operation()", "    def touch(self, i):", self.fill("        self.state[i] = {value}")]
        if self.spawns:
            lines += ["    @operation()", "    def completion(self, i):", "        x = 0", *self.block(1, "        ")]
        return "\n".join([*lines, *properties(self.random, INVARIANTS, STEPS)]) + "\n"


def random_model(seed: int, folder: Path) -> type | None:
    """A model class, or None where the dice fell on one that is none."""
    return written(folder / f"pages_{seed}.py", Writer(seed).model())
