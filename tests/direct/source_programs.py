"""Small random models as Python source: three threads of about six statements, arrays, locks, choices, operations."""

from __future__ import annotations

import random

HEADER = """\
from enum import Enum
from dio_mc import *


class Page(Enum):
    ABSENT = 0
    CLEAN = 1
    DIRTY = 2


class M(Model):
    x = Var(Range(0, 2))
    y = Var(Range(0, 3), init=1)
    flag = Var(bool)
    page = Var(Page)
    last = Var(Range(0, 1) | None)
    a = Array(Range(0, 2), size=2)
    pages = Array(Page, size=2)
    past = Var(Range(0, 3), ghost=True)
    m = Mutex()
    s = RWSem()
"""


class Writer:
    """Writes one model. Locals are assigned before they are read; loops are bounded or blocked."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.lines: list[str] = []
        self.locals: list[str] = []
        self.flags: list[str] = []
        self.loop_depth = 0
        self.fresh = 0
        self.stepped = False
        self.used_operation = False

    def model(self) -> str:
        """The source of one module."""
        self.operation("get", "return " + self.r.choice(["self.x", "self.a[i]", "i", "self.y"]))
        self.operation("put", None)
        for number in range(3):
            self.thread(number)
        return HEADER + "\n".join(self.lines) + "\n"

    def operation(self, name: str, last: str | None) -> None:
        self.lines += ["", '    @operation(kernel="mm/filemap.c:f")', f"    def {name}(self, i):"]
        self.begin(["i"])
        self.block(2, self.r.randint(1, 2), operations=False)
        if last:
            self.emit(2, last)

    def thread(self, number: int) -> None:
        instances = self.r.random() < 0.25 and number == 0
        daemon = self.r.random() < 0.2
        words = [w for w, on in (("instances=2", instances), ("daemon=True", daemon)) if on]
        self.lines += ["", f"    @thread({', '.join(words)})" if words else "    @thread"]
        self.lines.append(f"    def t{number}(self{', k' if instances else ''}):")
        self.begin(["k"] if instances else [])
        self.block(2, self.r.randint(2, 3 if instances else 4), operations=True)

    def begin(self, numbers: list[str]) -> None:
        self.locals, self.flags, self.loop_depth, self.stepped = list(numbers), [], 0, False

    def emit(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)

    def block(self, depth: int, size: int, *, operations: bool) -> None:
        for _ in range(size):
            self.statement(depth, operations)

    def scoped(self, depth: int, size: int, *, operations: bool) -> None:
        """A nested block: what it assigns may be unassigned behind it."""
        locals_, flags, stepped = list(self.locals), list(self.flags), self.stepped
        self.block(depth, size, operations=operations)
        self.locals, self.flags, self.stepped = locals_, flags, stepped

    def name(self) -> str:
        self.fresh += 1
        return f"v{self.fresh}"

    def small(self) -> str:
        """A number without shared state."""
        return self.r.choice([*self.locals, *self.locals, "0", "1", "2"])

    def number(self) -> str:
        """A number that may read shared state once."""
        shared = ["self.x", "self.y", f"self.a[{self.index()}]"]
        return self.r.choice([*shared, self.small(), f"{self.small()} + {self.small()}", f"({self.small()} + 1) % 2"])

    def index(self) -> str:
        return self.r.choice(["0", "1", "0", "1", *self.locals])

    def condition(self) -> str:
        """A condition that reads shared state."""
        return self.r.choice([
            f"self.x {self.sign()} {self.small()}", f"self.y {self.sign()} {self.small()}", "self.flag", "not self.flag",
            f"self.page == Page.{self.member()}", f"self.page in (Page.ABSENT, Page.{self.member()})",
            "self.last is None", f"self.last == {self.r.choice('01')}", f"self.a[{self.index()}] {self.sign()} 1",
            f"self.pages[{self.index()}] != Page.{self.member()}", "any(self.a[i] == 1 for i in range(2))",
            f"0 < self.x <= {self.small()}",
        ])  # fmt: skip

    def sign(self) -> str:
        return self.r.choice(["==", "!=", "<", ">="])

    def member(self) -> str:
        return self.r.choice(["ABSENT", "CLEAN", "DIRTY"])

    def write(self) -> str:
        """An assignment to shared state."""
        return self.r.choice([
            f"self.x = {self.small()}", f"self.y = {self.small()}", f"self.x = {self.number()}", f"self.flag = {self.truth()}",
            f"self.page = Page.{self.member()}", f"self.a[{self.index()}] = {self.small()}",
            f"self.pages[{self.index()}] = Page.{self.member()}", f"self.last = {self.r.choice(['None', '0', '1'])}",
            f"self.x, self.y = {self.small()}, {self.small()}", "self.x += 1", f"self.pages[{self.index()}] = self.page",
        ])  # fmt: skip

    def truth(self) -> str:
        return self.r.choice(["True", "False", *self.flags])

    def statement(self, depth: int, operations: bool) -> None:
        kinds = [
            self.plain,
            self.plain,
            self.plain,
            self.read,
            self.read,
            self.wait,
            self.choice,
            self.atomic,
            self.branch,
        ]
        kinds += [self.locked, self.misused, self.loop, self.local, self.assertion, self.shared_lock, self.local_branch]
        if operations:
            kinds += [self.call, self.call]
        if self.stepped:
            kinds.append(self.ghost)
        self.r.choice(kinds)(depth)

    def plain(self, depth: int) -> None:
        self.emit(depth, self.write())
        self.stepped = True

    def ghost(self, depth: int) -> None:
        self.emit(depth, f"self.past = {self.small()}")

    def read(self, depth: int) -> None:
        value, name = self.number(), self.name()
        self.emit(depth, f"{name} = {value}")
        self.locals.append(name)

    def local(self, depth: int) -> None:
        value, name = f"{self.small()} {self.sign()} {self.small()}", self.name()
        self.emit(depth, f"{name} = {value}")
        self.flags.append(name)

    def wait(self, depth: int) -> None:
        self.emit(depth, f"wait_until({self.condition()})")
        self.stepped = True

    def choice(self, depth: int) -> None:
        name = self.name()
        options = self.r.choice(["0, 1", "range(2)", f"{self.small()}, 1", "i for i in range(2) if self.a[i] == 0"])
        if self.r.random() < 0.25:
            self.emit(depth, f"if choose({self.r.choice(['True, False', 'False, True'])}):")
            self.scoped(depth + 1, 1, operations=False)
            return
        self.emit(depth, f"{name} = choose({options})")
        self.locals.append(name)

    def atomic(self, depth: int) -> None:
        self.emit(depth, "with atomic():")
        body = [self.write(), f"wait_until({self.condition()})", self.write()]
        if self.r.random() < 0.4:
            name = self.name()
            body.insert(0, f"{name} = choose(0, 1)")
            body.append(f"self.a[{name}] = {self.r.choice('01')}")
        if self.r.random() < 0.3:
            body += [f"if {self.condition()}:", f"    {self.write()}", "else:", f"    wait_until({self.condition()})"]
        if self.r.random() < 0.2:
            body += ["self.m.lock()", self.write(), "self.m.unlock()"]
        for line in body[self.r.randint(0, 1) if "choose" not in body[0] else 0 :]:
            self.emit(depth + 1, line)
        self.stepped = True

    def branch(self, depth: int) -> None:
        self.emit(depth, f"if {self.condition()}:")
        self.scoped(depth + 1, self.r.randint(1, 2), operations=False)
        if self.r.random() < 0.3:
            self.emit(depth, f"elif {self.condition()}:")
            self.scoped(depth + 1, 1, operations=False)
        if self.r.random() < 0.5:
            self.emit(depth, "else:")
            self.scoped(depth + 1, 1, operations=False)

    def local_branch(self, depth: int) -> None:
        self.emit(depth, f"if {self.small()} {self.sign()} {self.small()}:")
        self.scoped(depth + 1, 1, operations=False)

    def locked(self, depth: int) -> None:
        self.emit(depth, "self.m.lock()")
        self.plain(depth)
        self.emit(depth, "self.m.unlock()")

    def shared_lock(self, depth: int) -> None:
        kind = self.r.choice(["read", "write"])
        self.emit(depth, f"self.s.down_{kind}()")
        self.plain(depth)
        self.emit(depth, f"self.s.up_{kind}()")

    def misused(self, depth: int) -> None:
        if self.r.random() > 0.3:
            self.plain(depth)
        elif self.r.random() < 0.5:
            name = self.name()
            self.emit(depth, f"{name} = self.m.trylock()")
            self.emit(depth, f"if {name}:")
            self.emit(depth + 1, self.r.choice(["self.m.unlock()", "self.x = 0"]))
        else:
            self.emit(depth, self.r.choice(["self.m.unlock()", "self.s.up_read()", "self.m.lock()"]))

    def loop(self, depth: int) -> None:
        if self.loop_depth:
            self.plain(depth)
            return
        self.loop_depth += 1
        if self.r.random() < 0.5:
            name = self.name()
            self.emit(depth, f"for {name} in range({self.r.choice(['2', '1, 3', self.small()])}):")
            saved = list(self.locals)
            self.locals.append(name)
            self.loop_body(depth)
            self.locals = saved
        else:
            self.emit(depth, f"while {self.condition()}:")
            self.loop_body(depth)
        self.loop_depth -= 1

    def loop_body(self, depth: int) -> None:
        locals_, flags, stepped = list(self.locals), list(self.flags), self.stepped
        self.plain(depth + 1)
        if self.r.random() < 0.3:
            self.emit(depth + 1, f"if {self.condition()}:")
            self.emit(depth + 2, self.r.choice(["break", "continue"]))
            self.plain(depth + 1)
        self.locals, self.flags, self.stepped = locals_, flags, stepped

    def assertion(self, depth: int) -> None:
        if self.r.random() < 0.5:
            self.emit(depth, f"assert {self.condition()}")
        else:
            self.plain(depth)

    def call(self, depth: int) -> None:
        name = self.name()
        argument = self.r.choice(["0", "1", *self.locals])
        text = self.r.choice(
            [f"{name} = self.get({argument})", f"self.put({argument})", f"self.x = self.get({argument})"]
        )
        self.emit(depth, text)
        if text.startswith(name):
            self.locals.append(name)


def source_program(seed: int) -> str:
    """The model of a seed."""
    return Writer(seed).model()
