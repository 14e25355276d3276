"""Models of few words, shaped for what is under test: symmetric instances, threads that mind their own business, wide
states, long numbers, threads that go round forever. See `SHAPES`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from .claims import Claims, Facts

OPTIONAL = ("ThreadId | None", "Optional[ThreadId]")
HEADER = """\
from typing import Optional

from dio_mc import *
from z3 import And, If, Implies, Not, Or, Xor
"""


@dataclass(frozen=True)
class Shape:
    """How a model is made. `alike`: threads do not tell each other apart. `apart`: most statements touch a thread's own
    data. `rounds`: the share of threads that go round forever. `wide`: numbers up to so many bits."""

    instances: tuple[int, ...]
    steps: tuple[int, int]
    alike: bool = False
    apart: bool = False
    rounds: float = 0.0
    wide: int = 0
    live: float = 0.2


SHAPES = {
    "symmetric": Shape((2, 2, 3), (1, 3), alike=True, live=0.35),
    "two groups": Shape((2,), (1, 2), alike=True, live=0.2),
    "independent": Shape((1,), (1, 4), apart=True, live=0.0),
    "wide": Shape((1, 2), (1, 3), wide=30, live=0.1),
    "rounds": Shape((1, 2), (1, 2), rounds=0.8, live=1.0),
}
GROUPS = {"symmetric": 1, "two groups": 2, "independent": 3, "wide": 2, "rounds": 2}


class Plain:
    """Writes one model of a shape."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.name = self.r.choice(list(SHAPES))
        self.shape = SHAPES[self.name]
        self.groups = [self.r.choice(self.shape.instances) for _ in range(GROUPS[self.name])]
        self.total = sum(self.groups)
        self.top = 2 if not self.shape.wide else (1 << self.r.choice([7, 20, self.shape.wide])) - 1
        self.low = self.r.choice([0, 0, -1]) if not self.shape.wide else self.r.choice([0, -1, -(1 << 30)])
        self.lock = self.r.choice([None, None, "Mutex()", "RWSem()", "TwoClassLock()", "DrainCounter(max=2)"])
        self.own = str(self.total)
        if self.groups[0] > 1 and self.r.random() < 0.5:
            self.own = (
                f"n + {self.total - self.groups[0]}"
                if self.r.random() < 0.7
                else f"n * 2 + {self.total - 2 * self.groups[0]}"
            )
        self.lines: list[str] = []
        self.depth = 2
        self.owned = self.far = 0
        self.looping = False

    def model(self) -> str:
        number = f"Range({self.low}, {self.top})"
        ends = (
            ["", f", init={self.top}", f", init={self.low}"] if self.shape.wide else ["", "", ", init=any", ", init=1"]
        )
        end = self.r.choice([e for e in ends if self.name != "independent" or "any" not in e])
        if number == "Range(0, 2)" and self.r.random() < 0.3:
            number = "range(3)"
        self.lines = [
            "", "", "class M(Model):", f"    n = Param({self.groups[0]}, min=1, max=4)",
            f"    x = Var({number}{end})", "    go = Var(bool)",
            f"    own = Array({number}, size={self.own})", f"    last = Var({self.r.choice(OPTIONAL)})",
            f"    by = PerThread({self.r.choice(['bool', 'Range(0, 2)'])})",
        ]  # fmt: skip
        self.flags = "bool" in self.lines[-1]
        if self.shape.wide:
            self.far = self.r.choice([1, 2, 3, 5, 5])
            self.lines.append(f"    far = Array({number}, size={self.far}{end if 'any' not in end else ''})")
        if self.lock:
            self.lines.append(f"    m = {self.lock}")
        self.operation()
        for group, instances in enumerate(self.groups):
            self.thread(group, instances)
        self.lines += Claims(self.r, self.facts()).properties(
            self.r.choice([1, 2, 3]), live=self.r.random() < self.shape.live
        )
        return HEADER + "\n".join(self.lines) + "\n"

    def operation(self) -> None:
        """Two or three steps that threads may share, named after a function of the kernel."""
        self.shared = self.r.random() < 0.3
        if self.shared:
            self.lines += ["", '    @operation(kernel="mm/filemap.c:filemap_read")', "    def op(self, i):"]
            self.emit(f"self.own[i] = {self.r.choice(['self.own[i]', '1', '+self.own[i]', 'i % 2'])}")
            self.emit(f"self.go = {self.r.choice(['True', 'not self.go', 'self.own[i] > 0'])}")

    def call(self) -> None:
        whole = self.mine()
        self.emit(f"self.op({whole[len('self.own[') : -1]})")

    def thread(self, group: int, instances: int) -> None:
        self.owned = sum(self.groups[:group])
        self.numbered = instances > 1 or self.r.random() < 0.2
        options = [f"instances={'n' if group == 0 else instances}"] if instances > 1 else []
        daemon = self.r.random() < (0.4 if self.shape.rounds else 0.1)
        options += ["daemon=True"] if daemon else []
        self.lines += ["", f"    @thread({', '.join(options)})" if options else "    @thread"]
        self.lines.append(f"    def t{group}(self{', k' if self.numbered else ''}):")
        self.depth = 2
        steps = self.r.randint(*self.shape.steps)
        if self.r.random() < self.shape.rounds:
            self.emit("while True:")
            self.depth += 1
            self.looping = True
            self.write()
        for _ in range(steps):
            self.statement()
        if self.shape.apart and self.r.random() < 0.4:
            self.emit(f"wait_until({self.condition()})")
        self.looping = False

    # -- expressions ---------------------------------------------------------------------------------------------------

    def mine(self) -> str:
        """The cell of `own` that a thread keeps to itself."""
        return f"self.own[{self.owned} + k]" if self.numbered and self.owned else (
            "self.own[k]" if self.numbered else f"self.own[{self.owned}]"
        )  # fmt: skip

    def place(self) -> str:
        """A number that can be read and written."""
        if self.shape.apart and self.r.random() < 0.8:
            return self.mine()
        found = ["self.x", self.mine()]
        if not self.shape.alike or self.r.random() < 0.15:
            found += [f"self.own[{self.r.randrange(self.total)}]"]
        if self.shape.wide:
            found += ["self.far[0]"] * 2
        return self.r.choice(found)

    def number(self) -> str:
        r = self.r.random()
        if r < 0.4:
            return self.place()
        if r < 0.6:
            return str(self.r.randint(self.low if self.low > -5 else -2, min(self.top, 2)))
        if self.shape.wide:
            return self.r.choice([
                f"{self.place()} // {self.r.choice([2, 3, 7])}", f"({self.place()} + {self.r.randint(1, 9)}) % {self.top}",
                f"{self.place()} - {self.r.randint(0, 3)}", str(self.top), str(self.low),
                f"({self.place()} * {self.r.choice([3, 5, 17])}) % {self.top}", f"abs({self.place()}) % {self.top}",
            ])  # fmt: skip
        return f"({self.place()} + {self.r.randint(1, 2)}) % {self.r.randint(2, 3)}"

    def condition(self) -> str:
        found: list[Callable[[], str]] = [
            lambda: "self.go", lambda: "not self.go",
            lambda: f"{self.place()} {self.r.choice(['==', '!=', '<', '>='])} {self.number()}",
            lambda: self.r.choice(["self.last is None", "self.last == me", "self.last != me"]),
            lambda: "self.by[me]" if self.flags else "self.by[me] > 0",
        ]  # fmt: skip
        if self.shape.apart:
            found = [*found[:2], found[2], found[2]]
        if self.shape.alike:
            every = f"range({self.total})"
            found += [lambda: f"all(self.own[i] {self.r.choice(['== 0', '< 2', '!= 1'])} for i in {every})"]
            found += [lambda: f"sum(1 for t in threads() if self.by[t]{'' if self.flags else ' > 1'}) < 2"]
        return self.r.choice(found)()

    # -- statements ----------------------------------------------------------------------------------------------------

    def emit(self, text: str) -> None:
        self.lines.append("    " * self.depth + text)

    def write(self) -> None:
        found = [
            lambda: f"{self.place()} = {self.number()}", lambda: f"self.go = {self.r.choice(['True', 'False', 'not self.go'])}",
            lambda: f"self.last = {self.r.choice(['me', 'me', 'None'])}",
            lambda: f"self.by[me] = {'True' if self.flags else self.r.choice(['1', '2'])}",
            lambda: f"{self.place()} = {self.number()}",
        ]  # fmt: skip
        self.emit(self.r.choice([found[0], found[0], found[1]] if self.shape.apart else found)())

    def statement(self) -> None:
        kinds: list[Callable[[], None]] = [self.write] * 4 + [self.wait, self.choice, self.branch, self.atomic]
        if self.lock:
            kinds += [self.locked] * 2
        if self.shape.alike:
            kinds += [self.compare_and_set, self.check]
        if self.shared:
            kinds += [self.call] * 2
        if self.shape.wide:
            kinds += [self.widen] * 3
        self.r.choice(kinds)()

    def widen(self) -> None:
        """All of the far numbers at once: a wide state of few predecessors."""
        self.emit("with atomic():")
        times, other = self.r.choice(["", " * 3"]), self.place() if self.r.random() < 0.5 else "i"
        self.emit(f"    for i in range({self.far}):")
        self.emit(f"        self.far[i] = (self.far[i]{times} + {other} + 1) % {self.top}")

    def wait(self) -> None:
        self.emit(f"wait_until({self.condition()})")

    def check(self) -> None:
        self.emit(f"assert {self.condition()}")

    def choice(self) -> None:
        top = f"choose({self.r.choice(['0, 1', 'range(3)' if self.top >= 2 else 'range(2)', 'range(2)'])})"
        if self.shape.alike and self.r.random() < 0.5:
            self.emit("v = choose(i for i in range(" + str(self.total) + ") if self.own[i] == 0)")
            self.emit(f"self.own[v] = {self.r.choice(['1', '2'])}")
        else:
            self.emit(f"{self.place()} = {top}")

    def branch(self) -> None:
        self.emit(f"if {self.condition()}:")
        self.depth += 1
        self.write()
        if self.looping and self.r.random() < 0.5:
            self.emit(self.r.choice(["break", "continue"]))
        self.depth -= 1
        if self.r.random() < 0.3:
            self.emit("else:")
            self.depth += 1
            self.write()
            self.depth -= 1

    def atomic(self) -> None:
        self.emit("with atomic():")
        self.depth += 1
        if self.r.random() < 0.4:
            self.wait()
        self.write()
        self.write()
        self.depth -= 1

    def compare_and_set(self) -> None:
        self.emit("with atomic():")
        self.depth += 1
        self.emit("wait_until(self.last is None)")
        self.emit("self.last = me")
        self.depth -= 1

    def locked(self) -> None:
        assert self.lock is not None
        take, release = {
            "M": ("lock", "unlock"), "R": self.r.choice([("down_read", "up_read"), ("down_write", "up_write")]),
            "T": self.r.choice([("lock_direct", "unlock_direct"), ("lock_buffered", "unlock_buffered")]),
            "D": self.r.choice([("begin", "end"), ("begin", "end"), ("wait", "")]),
        }[self.lock[0]]  # fmt: skip
        self.emit(f"self.m.{take}()")
        self.write()
        if release and self.r.random() < 0.9:
            self.emit(f"self.m.{release}()")

    # -- properties ----------------------------------------------------------------------------------------------------

    def facts(self) -> Facts:
        by = "$.by[{}]" if self.flags else "$.by[{}] > 0"
        over = f"range({self.total})"
        numbers = ["$.x", "$.x"] if self.shape.alike else ["$.x", "$.own[0]", f"$.own[{self.total - 1}]"]
        numbers += [f"sum($.own[i] for i in {over})"] if not self.shape.wide else ["$.far[0]"]
        found = Facts(
            numbers, ["$.go", "$.last is None"], [f"t{n}" for n in range(len(self.groups))], limit=min(self.top, 2)
        )
        if self.shape.wide:
            found.limit = self.r.choice([2, self.top, self.top // 3])
        found.families = [
            (over, "$.own[i] > 0"), (over, "$.own[i] == $.x"), ("threads()", by.format("i")), ("threads()", "$.last == i"),
            ("threads(self.t0)", by.format("i")),
        ]  # fmt: skip
        if self.shape.alike and self.r.random() < 0.2:
            found.numbers = [*numbers, "$.own[0]"]
        if self.lock and self.lock[0] != "D":
            found.locks = ["m"]
        if any("self.op(" in line for line in self.lines):
            found.windows = [("self.op", (("i", "own"),))]
            found.values = {"own": ["0"] if not self.shape.alike else []}
        return found


def plain(seed: int) -> str:
    """The model of a seed."""
    return Plain(seed).model()
