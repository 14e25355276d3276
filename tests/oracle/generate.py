"""Random small models as source text, well typed by docs/language.md.

About three threads of a few statements over a random choice of data and locks. The rules that keep a program acceptable:
a local has one type and is assigned before it is read; arithmetic on locals never feeds itself (such a local has no
bound) except where its type is annotated; a literal index lies inside its array. Indexes and numbers that are computed
may well be wrong: those are faults, and to be found.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from generate_deep import recur
from generate_parts import CONDITIONS, PARTS, try_lock, use_part

HEADER = """\
from dataclasses import dataclass
from enum import Enum

from dio_mc import *


class Page(Enum):
    ABSENT = 0
    CLEAN = 1
    DIRTY = 2


@dataclass(frozen=True)
class Rec:
    n: Range(0, 2)
    ok: bool = False

    def full(self):
        return self.ok and self.n > 0


@dataclass(frozen=True)
class Two:
    c: Array(Range(0, 2), size=2)
    p: Page = Page.CLEAN


@dataclass(frozen=True)
class Some:
    n: Range(0, 1)


@dataclass(frozen=True)
class Nothing:
    pass

"""

DATA = {
    "x": "Var(Range(0, 2))",
    "y": "Var(Range(-1, 2), init=1)",
    "z": "Var(Range(0, 1), init=any)",
    "flag": "Var(bool)",
    "page": "Var(Page)",
    "last": "Var(Range(0, 1) | None)",
    "kind": "Var(Page | None, init=Page.CLEAN)",
    "who": "Var(ThreadId | None)",
    "a": "Array(Range(0, 2), size=size, init=[0, 1])",
    "bb": "Array(bool, size=(2, size))",
    "pages": "Array(Page, size=size)",
    "seen": "PerThread(bool)",
    "r": "Var(Rec)",
    "rs": "Array(Rec, size=2, init=Rec(1))",
    "u": "Var(Some | Nothing)",
    "two": "Var(Two)",
    "slot": "Var(Range(1, 2) | None)",
}
GHOSTS = {"past": "Var(Range(0, 3), ghost=True)", "old": "Array(Range(0, 2), size=2, ghost=True)"}
LOCKS = {
    "m": "Mutex()", "pl": "Array(PageLock, size=2)", "s": "RWSem()", "sw": "RWSem(writer_preference=True)",
    "sp": "SpinLock()", "rl": "RangeLock(size=2)", "dc": "DrainCounter(max=2)", "tc": "TwoClassLock()",
}  # fmt: skip
INTS, BOOLS = ("x", "y", "z"), ("flag",)


@dataclass
class Known:
    """A local: its type, whether it may feed anything (`calm`: no arithmetic after it), whether it is annotated."""

    name: str
    type: str
    calm: bool = True
    annotated: bool = False


@dataclass
class Signature:
    """An operation that may be called. `loops`: not from an atomic block, which could choose without end."""

    name: str
    parameters: tuple[str, ...]
    result: str | None
    loops: bool = False


class Body:
    """Writes the body of one thread or operation."""

    def __init__(self, model: Generator, *, operation: bool) -> None:
        self.g = model
        self.r = model.r
        self.operation = operation
        self.known: list[Known] = []
        self.counters: list[str] = []
        self.fresh = 0
        self.depth = 0
        self.in_loop = 0
        self.atomic = False
        self.window = False

    # -- expressions ---------------------------------------------------------------------------------------------------

    def one(self, *options: str | Callable[[], str]) -> str:
        found = self.r.choice(options)
        return found if isinstance(found, str) else found()

    def locals_of(self, type_: str, *, calm: bool = False) -> list[str]:
        return [k.name for k in self.known if k.type == type_ and (k.calm or not calm)]

    def has(self, *names: str) -> list[str]:
        return [n for n in names if n in self.g.data]

    def small(self) -> str:
        """A number without shared state, safe to hand on."""
        known = self.locals_of("int", calm=True)
        return self.one(*known, *known, "0", "1", "2", *["self.size"] * self.g.param)

    def shared_number(self) -> str:
        found: list[str | Callable[[], str]] = [f"self.{n}" for n in self.has(*INTS)]
        if self.has("a"):
            found += [lambda: f"self.a[{self.index()}]"] * 2
            found += ["sum(self.a)", "sum(1 for q in range(size) if self.a[q] == 1)", "max(self.a)"]
            if self.has("x"):
                found.append("self.a[self.x]")
        if self.has("r"):
            found.append("self.r.n")
        if self.has("rs"):
            found.append(lambda: f"self.rs[{self.index()}].n")
        if self.has("u"):
            found.append("(self.u.n if isinstance(self.u, Some) else 2)")
        if self.has("y"):
            found.append("abs(self.y)")
        if self.has("two"):
            found += [lambda: f"self.two.c[{self.index()}]", "min(self.two.c)"]
        if self.has("slot") and self.has("a"):
            found.append("self.a[self.slot]")
        if self.has("bb"):
            found.append("sum(self.bb[q][0] for q in range(2))")
        return self.one(*found) if found else self.small()

    def number(self) -> str:
        """A number; may read shared state; safe to hand on."""
        return self.one(
            self.small, self.shared_number, self.shared_number,
            lambda: f"({self.shared_number()} + {self.small()}) % {self.one('2', '3')}",
            lambda: f"({self.small()} if {self.local_truth()} else {self.shared_number()})",
            lambda: f"({self.small()} * 2 + 1) // 2 % 3",
        )  # fmt: skip

    def grown(self) -> str:
        """A number that may be anything near; not to be handed on to other locals in circles."""
        plain = [*self.locals_of("int"), "0", "1"]
        return self.one(
            lambda: f"{self.one(*plain)} + 1", lambda: f"{self.one(*plain)} - 1", lambda: f"-{self.one(*plain)}",
            lambda: f"{self.number()} + {self.one(*plain)}", lambda: f"min({self.one(*plain)}, {self.number()})",
            lambda: f"{self.number()} * {self.small()}",
        )  # fmt: skip

    def index(self) -> str:
        """An index: a literal inside, or a local that may be outside."""
        return self.one("0", "1", "0", "1", *self.locals_of("int"))

    def member(self) -> str:
        return "Page." + self.one("ABSENT", "CLEAN", "DIRTY")

    def page(self) -> str:
        found: list[str | Callable[[], str]] = [self.member(), *self.locals_of("page")]
        found += ["self.page"] * len(self.has("page"))
        if self.has("pages"):
            found.append(lambda: f"self.pages[{self.index()}]")
        if self.has("page", "flag") == ["page", "flag"]:
            found.append(f"({self.member()} if self.flag else self.page)")
        return self.one(*found)

    def optional(self) -> str:
        return self.one("None", "0", "1", *self.locals_of("opt"), *[f"self.{n}" for n in self.has("last")])

    def record(self) -> str:
        found: list[str | Callable[[], str]] = [
            lambda: f"Rec({self.number()})", lambda: f"Rec({self.small()}, {self.truth()})",
            lambda: f"Rec(n={self.grown()}, ok={self.one('True', 'False')})", *self.locals_of("rec"),
        ]  # fmt: skip
        found += ["self.r"] * len(self.has("r"))
        if self.has("rs"):
            found.append(lambda: f"self.rs[{self.index()}]")
        return self.one(*found)

    def union(self) -> str:
        return self.one("Nothing()", "Some(1)", lambda: f"Some({self.number()})", *[f"self.{n}" for n in self.has("u")])

    def truth(self) -> str:
        """A bool; may read shared state."""
        return self.one(
            "True", "False", *self.locals_of("bool"), self.condition, *[f"self.{n}" for n in self.has("flag")]
        )

    def local_truth(self) -> str:
        """A condition on locals; never one on constants only, which is decided when the model is built."""
        sign = self.one("==", "!=", "<", ">=")
        numbers = [f"{n} {sign} {self.small()}" for n in self.locals_of("int")]
        pages = [f"{n} {'!=' if sign == '!=' else '=='} {self.member()}" for n in self.locals_of("page")]
        found = [*numbers, *pages, *self.locals_of("bool"), *[f"{n}.ok" for n in self.locals_of("rec")]]
        return self.one(*found) if found else self.condition(deep=False)

    def condition(self, *, deep: bool = True) -> str:
        """A condition that reads shared state where there is any."""
        sign = self.one("==", "!=", "<", "<=", ">", ">=")
        equal = self.one("==", "!=")
        found: list[str | Callable[[], str]] = []
        if self.has(*INTS, "a", "r", "rs", "u", "bb"):
            found.append(lambda: f"{self.shared_number()} {sign} {self.small()}")
            found.append(lambda: f"0 <= {self.shared_number()} < {self.small()}")
        if self.has("flag"):
            found += ["self.flag", "not self.flag"]
        if self.has("page"):
            found += [f"self.page {equal} {self.page()}", f"self.page in ({self.member()}, {self.member()})"]
            found.append(f"self.page not in (Page.CLEAN, {self.member()})")
        if self.has("last"):
            found += ["self.last is None", "self.last is not None", f"self.last {equal} {self.optional()}"]
            found.append("self.last == 1")
        if self.has("kind"):
            found += ["self.kind is None", f"self.kind {equal} {self.member()}"]
        if self.has("who"):
            found += ["self.who == me", "self.who is None", f"self.who {equal} me"]
        if self.has("a"):
            found += ["any(v == 1 for v in self.a)", "1 in self.a", "self.idle()"]
            found.append("all(self.a[q] < 2 for q in range(size))")
            found.append(lambda: f"0 <= {(i := self.index())} < len(self.a) and self.a[{i}] > 0")
        if self.has("bb"):
            found += [
                "any(self.bb[q][w] for q in range(2) for w in range(size))",
                lambda: f"self.bb[{self.index()}][1]",
            ]
        if self.has("pages"):
            found += [f"all(p != {self.member()} for p in self.pages)", lambda: f"self.full({self.index()})"]
        if self.has("seen"):
            found += ["self.seen[me]", "any(self.seen)"]
        if self.has("r"):
            found += ["self.r.ok", "self.r.full()", f"self.r {equal} Rec(1, True)", f"self.r {equal} {self.record()}"]
        if self.has("two"):
            found += [
                f"self.two.p {equal} {self.member()}",
                f"self.two {equal} Two((1, 0))",
                "self.two.c[0] == self.two.c[1]",
            ]
        if self.has("slot"):
            found += ["self.slot is None", "self.slot == 2"]
        if self.has("u"):
            found += ["isinstance(self.u, Some)", "self.u == Nothing()", "self.u != Some(1)"]
        for name in self.g.locks:
            found += {"m": ["self.m.is_locked()", "self.m.held_by(me)"], "pl": ["self.pl[0].is_locked()"]}.get(name, [])
        found += [one for name in self.g.parts for one in CONDITIONS[name]]
        if deep:
            found.append(lambda: f"{self.condition(deep=False)} {self.one('and', 'or')} {self.condition(deep=False)}")
            found.append(lambda: f"not ({self.condition(deep=False)})")
        return self.one(*found)

    def of(self, type_: str) -> str:
        """An expression of a type, safe to keep in a local."""
        makers = {
            "int": self.number, "bool": self.truth, "page": self.page, "opt": self.optional, "rec": self.record,
            "tid": lambda: "me",
        }  # fmt: skip
        return makers[type_]()

    # -- statements ----------------------------------------------------------------------------------------------------

    def emit(self, text: str) -> None:
        self.g.lines.append("    " * (2 + self.depth) + text)

    def name(self) -> str:
        self.fresh += 1
        return f"v{self.fresh}"

    def block(self, size: int, *, nested: bool = True) -> None:
        """A block one level deeper; what it assigns first may be unassigned after it."""
        known = list(self.known)
        self.depth += nested
        for _ in range(size):
            self.statement()
        self.depth -= nested
        self.known = known

    def statement(self) -> None:
        deep = self.depth >= 2
        kinds: list[Callable[[], None]] = [self.write] * 5 + [self.read] * 3 + [self.local] * 2
        kinds += [self.wait, self.choice, self.parallel, self.assertion, self.again, self.augmented, self.chained]
        if not deep:
            kinds += [self.branch, self.branch, self.local_branch, self.loop]
            kinds += [self.chosen_branch] if not self.atomic else []
        if not self.atomic and not deep:
            kinds += [self.atomic_block] * 2
        if not self.operation and not self.window and not self.in_loop and not self.atomic:
            kinds += [self.window_block]
        if self.g.ghosts:
            kinds += [self.ghost] * 2
        if self.g.locks and not deep:
            kinds += [self.locked] * 2 + [self.misuse, self.tried]
        if self.g.parts and not deep:
            kinds += [self.part] * 3
        if self.callable() and not deep:
            kinds += [self.call] * 3
        if self.g.spawns and not self.in_loop:
            kinds += [self.spawn] if self.operation else [self.spawn] * 3
        if self.in_loop:
            kinds += [self.leave]
        self.r.choice(kinds)()

    def target(self, *, plain: bool = False) -> tuple[str, str]:
        """A shared variable and a value for it."""
        found: list[Callable[[], tuple[str, str]]] = []
        for n in self.has(*INTS):
            found.append(lambda n=n: (f"self.{n}", self.one(self.number, self.number, self.grown)))
        for n in self.has("flag"):
            found.append(lambda n=n: (f"self.{n}", self.truth()))
        makers: dict[str, Callable[[], tuple[str, str]]] = {
            "page": lambda: ("self.page", self.page()),
            "last": lambda: ("self.last", self.optional()),
            "kind": lambda: ("self.kind", self.one("None", self.page)),
            "who": lambda: ("self.who", self.one("me", "None", "me")),
            "a": lambda: (f"self.a[{self.index()}]", self.one(self.number, self.grown)),
            "bb": lambda: (f"self.bb[{self.index()}][{self.index()}]", self.truth()),
            "pages": lambda: (f"self.pages[{self.index()}]", self.page()),
            "seen": lambda: ("self.seen[me]", self.truth()),
            "r": lambda: self.r.choice(
                [("self.r", self.record()), ("self.r.n", self.number()), ("self.r.ok", self.truth())]
            ),
            "rs": lambda: self.r.choice([(f"self.rs[{self.index()}]", self.record()), ("self.rs[1].ok", self.truth())]),
            "u": lambda: ("self.u", self.union()),
            "two": lambda: self.r.choice(
                [
                    ("self.two", "self.two"),
                    (f"self.two.c[{self.index()}]", self.number()),
                    ("self.two.p", self.page()),
                    ("self.two", f"Two(({self.number()}, {self.small()}), {self.page()})"),
                    ("self.two.c", "(1, 2)"),
                ]
            ),
            "slot": lambda: ("self.slot", self.one("None", "1", "2")),
        }
        found += [m for n, m in makers.items() if n in self.g.data and not (plain and n == "last")]
        return self.r.choice(found)()

    def write(self) -> None:
        where, what = self.target()
        self.emit(f"{where} = {what}")

    def parallel(self) -> None:
        (a, va), (b, vb) = self.target(), self.target()
        if self.has("x", "y") == ["x", "y"] and self.r.random() < 0.5:
            a, b, va, vb = "self.x", "self.y", "self.y", "self.x"
        self.emit(f"{a}, {b} = {va}, {vb}")

    def chained(self) -> None:
        """One value for two targets."""
        targets = [f"self.{n}" for n in self.has(*INTS)] + [f"self.a[{self.index()}]"] * len(self.has("a"))
        name = self.name()
        self.emit(f"{' = '.join([name, *self.r.sample(targets, min(len(targets), 1))])} = {self.number()}")
        self.known.append(Known(name, "int"))

    def augmented(self) -> None:
        numbers = [f"self.{n}" for n in self.has("x", "y")] + [f"self.a[{self.index()}]"] * len(self.has("a"))
        numbers += [k.name for k in self.known if k.annotated and k.type == "int"]
        if not numbers:
            self.write()
            return
        self.emit(f"{self.one(*numbers)} {self.one('+=', '-=', '+=')} {self.one('1', self.small)}")

    def read(self) -> None:
        type_ = self.r.choice(["int", "int", "bool", "page", "rec"])
        what, name = self.of(type_), self.name()
        self.emit(f"{name} = {what}")
        self.known.append(Known(name, type_))

    def local(self) -> None:
        kind = self.r.choice(["range", "range", "opt", "grown", "me", "bool", "rec"])
        name = self.name()
        match kind:
            case "range":
                self.emit(f"{name}: Range(0, 2) = {self.one(self.number, self.grown)}")
                self.known.append(Known(name, "int", True, True))
            case "opt":
                self.emit(f"{name}: Range(0, 1) | None = {self.optional()}")
                self.known.append(Known(name, "opt", True, True))
            case "grown":
                self.emit(f"{name} = {self.grown()}")
                self.known.append(Known(name, "int", False))
            case "me":
                self.emit(f"{name} = me")
                self.known.append(Known(name, "tid"))
            case "bool":
                self.emit(f"{name} = {self.local_truth()}")
                self.known.append(Known(name, "bool"))
            case _:
                self.emit(f"{name} = Rec({self.small()})")
                self.known.append(Known(name, "rec"))

    def again(self) -> None:
        """Assign to a local once more."""
        free = [k for k in self.known if k.name not in self.counters]
        if not free:
            self.read()
            return
        chosen = self.r.choice(free)
        grows = chosen.type == "int" and chosen.annotated
        self.emit(f"{chosen.name} = {self.grown() if grows and self.r.random() < 0.5 else self.of(chosen.type)}")

    def wait(self) -> None:
        self.emit(f"wait_until({self.condition()})")

    def assertion(self) -> None:
        tests: list[str | Callable[[], str]] = [self.condition, self.local_truth]
        if "past" in self.g.ghosts:
            tests += ["self.past < 3", lambda: f"self.past != {self.small()}"]
        self.emit(f"assert {self.one(*tests)}" + self.one("", ', "a message"'))

    def ghost(self) -> None:
        name = self.one(*self.g.ghosts)
        if name == "old":
            self.emit(f"self.old[{self.index()}] = {self.number()}")
            return
        self.one_of(
            lambda: self.emit(f"self.past = {self.number()}"),
            lambda: self.emit("self.past = (self.past + 1) % 4"),
            lambda: self.emit("self.past += 1"),
            lambda: self.lines_of(
                f"if self.past == {self.small()}:", "    self.past = 0", "else:", "    self.past = 1"
            ),
            lambda: self.lines_of(f"if {self.condition()}:", "    self.past = 2"),
        )

    def one_of(self, *options: Callable[[], None]) -> None:
        self.r.choice(options)()

    def lines_of(self, *lines: str) -> None:
        for line in lines:
            self.emit(line)

    def choice(self) -> None:
        name = self.name()
        options = ["0, 1", "range(2)", f"{self.small()}, {self.number()}"]
        if self.has("a"):
            options += ["i for i in range(size) if self.a[i] == 0", "q for q in range(size) if self.a[q] > 0"]
        text = self.one(*options)
        kind = self.r.random()
        if kind < 0.5:
            self.emit(f"{name} = choose({text})")
            self.known.append(Known(name, "int"))
        elif kind < 0.7 and self.has(*INTS):
            self.emit(f"self.{self.one(*self.has(*INTS))} = choose({text})")
        elif kind < 0.85:
            self.emit(f"{name} = choose({self.one('Page', 'Page.CLEAN, Page.DIRTY')})")
            self.known.append(Known(name, "page"))
        else:
            self.emit(f"{name} = choose(True, {self.one('False', self.local_truth)})")
            self.known.append(Known(name, "bool"))

    def branch(self) -> None:
        self.emit(f"if {self.condition()}:")
        self.sides()

    def local_branch(self) -> None:
        self.emit(f"if {self.local_truth()}:")
        self.sides()

    def chosen_branch(self) -> None:
        self.emit(f"if choose({self.one('True, False', 'False, True')}):")
        self.sides()

    def sides(self) -> None:
        self.block(self.r.randint(1, 2))
        if self.r.random() < 0.25:
            self.emit(f"elif {self.one(self.condition, self.local_truth)}:")
            self.block(1)
        if self.r.random() < 0.4:
            self.emit("else:")
            self.block(1)

    def atomic_block(self) -> None:
        self.emit("with atomic():")
        self.atomic = True
        self.block(self.r.randint(1, 3))
        self.atomic = False

    def window_block(self) -> None:
        self.emit('with window("w"):')
        self.window = True
        known = list(self.known)
        self.depth += 1
        self.one_of(self.write, self.wait, self.ghost if self.g.ghosts else self.write)
        for _ in range(self.r.randint(0, 1)):
            self.statement()
        self.depth -= 1
        self.known = known
        self.window = False

    def loop(self) -> None:
        if self.in_loop >= 2 or (self.in_loop and self.depth > 1):
            self.write()
            return
        known = list(self.known)
        kind = self.r.choice(["for", "for", "members", "tuple", "while", "count", "while"][: 4 if self.atomic else 7])
        name = self.name()
        self.in_loop += 1
        counters = list(self.counters)
        match kind:
            case "for":
                bound = self.one("2", "1, 3", "size", self.small, "2, 0, -1", self.shared_number, f"0, {self.small()}")
                if self.r.random() < 0.2:
                    bound = f"{self.number()}, {self.number()}"
                self.emit(f"for {name} in range({bound}):")
                self.known.append(Known(name, "int"))
            case "members":
                self.emit(f"for {name} in Page:")
                self.known.append(Known(name, "page"))
            case "tuple":
                listed = self.one(
                    "(2, 0)", lambda: f"({self.small()}, {self.number()})", *["self.a"] * len(self.has("a"))
                )
                self.emit(f"for {name} in {listed}:")
                self.known.append(Known(name, "int"))
            case "while":
                self.emit(f"while {self.condition()}:")
            case _:
                self.emit(f"{name}: Range(0, 3) = 0")
                self.known.append(Known(name, "int", True, True))
                known = list(self.known)
                self.counters.append(name)
                self.emit(f"while {name} < {self.one('2', self.small)}:")
        self.counters = [*self.counters, name]
        if kind == "count":
            self.depth += 1
            self.emit(f"{name} = {name} + 1")
            self.depth -= 1
        self.block(self.r.randint(1, 2))
        self.in_loop -= 1
        self.counters = counters
        self.known = known
        if self.r.random() < 0.15 and not self.atomic:
            self.emit("else:")
            self.block(1)

    def leave(self) -> None:
        self.emit(f"if {self.one(self.condition, self.local_truth)}:")
        self.depth += 1
        self.emit(self.one("break", "continue"))
        self.depth -= 1

    # -- locks and calls -----------------------------------------------------------------------------------------------

    def lock_pair(self) -> tuple[str, str]:
        name = self.one(*self.g.locks)
        i = self.one("0", "1", "0", *self.locals_of("int"))
        pairs = {
            "m": [("self.m.lock()", "self.m.unlock()")],
            "pl": [(f"self.pl[{i}].lock()", f"self.pl[{i}].unlock()")],
            "s": [("self.s.down_read()", "self.s.up_read()"), ("self.s.down_write()", "self.s.up_write()")],
            "sp": [("self.sp.lock()", "self.sp.unlock()")],
            "rl": [(f"self.rl.lock({a})", f"self.rl.unlock({a})") for a in ("0, 1", "0, 2", f"{self.number()}, 2")],
            "dc": [("self.dc.begin()", "self.dc.end()"), ("self.dc.wait()", "pass")],
            "tc": [(f"self.tc.lock_{w}()", f"self.tc.unlock_{w}()") for w in ("buffered", "direct")],
        }
        pairs["sw"] = [(a.replace(".s.", ".sw."), b.replace(".s.", ".sw.")) for a, b in pairs["s"]]
        return self.r.choice(pairs[name])

    def locked(self) -> None:
        take, release = self.lock_pair()
        self.emit(take)
        for _ in range(self.r.randint(1, 2)):
            self.one_of(self.write, self.write, self.read, self.wait)
        self.emit(release)

    def part(self) -> None:
        use_part(self)

    def tried(self) -> None:
        if not try_lock(self):
            self.misuse()

    def misuse(self) -> None:
        name, r = self.one(*self.g.locks), self.r.random()
        if name == "m" and r < 0.5:
            got = self.name()
            self.emit(f"{got} = self.m.trylock()")
            self.lines_of(f"if {got}:", "    " + self.one("self.m.unlock()", "self.m.hand_over()", "pass"))
        elif name == "s" and r < 0.45:
            got = self.name()
            self.emit(f"{got} = self.s.down_{self.one('read', 'write')}_trylock()")
            self.lines_of(
                f"if {got}:", "    " + self.one("self.s.up_read()", "self.s.up_write()", "self.s.hand_over()")
            )
        elif name == "s" and r < 0.75:
            self.lines_of(
                "self.s.down_write()", "self.s.downgrade_write()", self.one("self.s.up_read()", "self.s.up_write()")
            )
        elif name == "m" and r < 0.75 and self.has("flag"):
            self.emit("self.flag = self.m.trylock()")
        elif r < 0.9:
            self.emit({
                "m": self.one("self.m.unlock()", "self.m.unlock_non_owner()", "self.m.lock()"),
                "pl": self.one("self.pl[1].unlock()", "self.pl[0].hand_over()"),
                "s": self.one("self.s.up_read()", "self.s.up_read_non_owner()", "self.s.up_write_non_owner()"),
                "sw": "self.sw.up_write()", "sp": self.one("self.sp.unlock()", "self.sp.lock()"),
                "rl": self.one("self.rl.unlock(0, 2)", "self.rl.hand_over(0, 1)", "self.rl.unlock_non_owner(0, 1)"),
                "dc": self.one("self.dc.end()", "self.dc.begin()"),
                "tc": "self.tc.unlock_direct()",
            }[name])  # fmt: skip
        else:
            take, release = self.lock_pair()
            self.lines_of(release, take)

    def arguments(self, called: Signature) -> str:
        return ", ".join(self.of(t) for t in called.parameters)

    def callable(self) -> list[Signature]:
        return [c for c in self.g.calls if not (self.atomic and c.loops)]

    def call(self) -> None:
        called = self.r.choice(self.callable())
        text = f"self.{called.name}({self.arguments(called)})"
        stores = [f"self.{n}" for n in self.has(*INTS)] if called.result == "int" else []
        stores += [f"self.a[{self.index()}]"] * len(self.has("a")) if called.result == "int" else []
        stores += [f"self.{n}" for n in self.has("page")] if called.result == "page" else []
        r = self.r.random()
        if called.result is None or r < 0.2:
            self.emit(text)
        elif stores and r < 0.5:
            self.emit(f"{self.one(*stores)} = {text}")
        else:
            name = self.name()
            self.emit(f"{name} = {text}")
            self.known.append(Known(name, called.result))

    def spawn(self) -> None:
        called = self.r.choice(self.g.spawns)
        self.emit(f"spawn(self.{called.name}{''.join(', ' + self.of(t) for t in called.parameters)})")


class Generator:
    """Writes one model. `lines` is what is written so far."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.lines: list[str] = []
        r = self.r
        core = r.sample(["x", "y", "flag", "a", "page"], r.choice([1, 2, 2]))
        others = [n for n in DATA if n not in core]
        self.data = core + r.sample(others, r.choice([1, 1, 2]))
        self.ghosts = r.sample(list(GHOSTS), r.choice([0, 0, 1]))
        self.locks = r.sample(list(LOCKS), r.choice([0, 1, 1, 2]))
        self.parts = [r.choice([*PARTS, "at"])] if r.random() < 0.6 else []  # `at` has most methods
        names = [*self.data, *self.locks, *self.parts]
        self.durable = r.sample(names, r.randint(1, len(names))) if r.random() < 0.12 else []
        if self.durable and "z" in self.data:
            self.durable = sorted({*self.durable, "z", *[n for n in self.data if n != "z"][:1]})
        self.calls: list[Signature] = []
        self.spawns: list[Signature] = []
        self.base = r.random() < 0.15
        self.param = r.random() < 0.2
        self.deep = random.Random(f"recursion {seed}")
        self.shape: tuple[int, ...] = ()

    def model(self) -> str:
        head = [f"    {n} = {DATA[n]}" for n in sorted(self.data)]
        head += [f"    {n} = {GHOSTS[n]}" for n in self.ghosts]
        head += [f"    {n} = {LOCKS[n]}" for n in self.locks]
        head += [f"    {n} = {PARTS[n]}" for n in self.parts]
        if self.durable:
            head.insert(0, f"    durable = ({', '.join(map(repr, self.durable))},)".replace("'", '"'))
        self.lines = []
        if "a" in self.data:
            self.lines += ["", "    def idle(self):", "        return self.a[0] == 0 and not self.a[1] > 1"]
        if "pages" in self.data:
            self.lines += ["", "    def full(self, i):", "        return self.pages[i] != Page.ABSENT"]
        spawning = self.r.random() < 0.2
        for name in ("get", "put")[: self.r.choice([0, 1, 2])]:
            self.operation(name)
        if spawning:
            self.operation("later", spawned=True)
            if self.r.random() < 0.4:
                self.operation("sooner", spawned=True)
        between = ["", "", "class M(Base):"] if self.base else []
        if self.base:
            self.lines += between
            if self.calls and self.r.random() < 0.8:
                self.override(self.calls[0])
        self.threads(spawning)
        if (self.calls or self.spawns) and self.deep.random() < 0.25:
            recur(self, Body(self, operation=True))
        if self.param:
            head = ["    size = Param(2, min=1, max=3)", *head]
        name = "class Base(Model, abstract=True):" if self.base else "class M(Model):"
        return HEADER + "\n".join(["", "size = 2", "", "", name, *head, *self.lines]) + "\n"

    def body(self, *, operation: bool, owner: str, result: str | None) -> Body:
        """A writer for the body of `owner`, which returns `result`."""
        del owner, result
        return Body(self, operation=operation)

    def operation(self, name: str, *, spawned: bool = False) -> None:
        parameters = tuple(
            self.r.choice(["int", "int", "bool", "page", "rec"]) for _ in range(self.r.choice([0, 1, 1, 2]))
        )
        if spawned:
            parameters = tuple("int" if t == "rec" else t for t in parameters[:1])
        names = ["i", "j"][: len(parameters)]
        slots = f"slots={self.r.choice([1, 1, 2])}" if spawned and self.r.random() < 0.6 else ""
        one_step = not spawned and self.r.random() < 0.12
        begin = len(self.lines)
        self.lines += ["", f"    @operation({slots})"]
        if one_step:
            self.lines.append("    @atomic()")
        self.lines.append(f"    def {name}({', '.join(['self', *names])}):")
        result = None if spawned else self.r.choice([None, "int", "int", "page"])
        body = self.body(operation=True, owner=name, result=result)
        body.atomic = one_step
        body.known = [Known(n, t) for n, t in zip(names, parameters, strict=True)]
        body.block(self.r.randint(1, 2), nested=False)
        if result == "int":
            if self.r.random() < 0.3:
                body.emit(f"if {body.one(body.condition, body.local_truth)}:")
                body.depth += 1
                body.emit(f"return {body.number()}")
                body.depth -= 1
            inner = [c for c in self.calls if c.result == "int" and not (one_step and c.loops)]
            if inner and self.r.random() < 0.3 and not one_step:
                body.emit(f"return self.{inner[0].name}({body.arguments(inner[0])})")
            else:
                body.emit(f"return {body.number()}")
        elif result == "page":
            body.emit(f"return {body.page()}")
        written = self.lines[begin:]
        inner = any(c.loops and f"self.{c.name}(" in line for c in self.calls for line in written)
        signature = Signature(name, parameters, result, inner or any(" while " in line for line in written))
        (self.spawns if spawned else self.calls).append(signature)

    def override(self, called: Signature) -> None:
        """A subclass that does a little more."""
        names = ["i", "j"][: len(called.parameters)]
        self.lines += ["", "    @operation()", f"    def {called.name}({', '.join(['self', *names])}):"]
        body = self.body(operation=True, owner=called.name, result=called.result)
        body.known = [Known(n, t) for n, t in zip(names, called.parameters, strict=True)]
        calls, self.calls = self.calls, []
        body.statement()
        self.calls = calls
        text = f"super().{called.name}({', '.join(names)})"
        if called.result is None:
            body.emit(text)
        elif self.r.random() < 0.5:
            body.emit(f"return {text}")
        else:
            body.emit(f"got = {text}")
            body.emit("return got")

    def threads(self, spawning: bool) -> None:
        shape = self.r.choice([(1, 1, 1), (1, 1, 1), (2, 1), (1, 1), (2,)] if not spawning else [(1, 1), (1,), (2,)])
        self.shape = shape
        for number, instances in enumerate(shape):
            daemon = self.r.random() < 0.15
            words = [w for w, on in ((f"instances={instances}", instances > 1), ("daemon=True", daemon)) if on]
            numbered = instances > 1 and self.r.random() < 0.6
            self.lines += ["", f"    @thread({', '.join(words)})" if words else "    @thread"]
            self.lines.append(f"    def t{number}(self{', k' if numbered else ''}):")
            body = self.body(operation=False, owner=f"t{number}", result=None)
            body.known = [Known("k", "int")] if numbered else []
            body.counters = ["k"] if numbered else []
            total = {3: 5, 2: 6, 1: 8}[sum(shape)]
            body.block(self.r.randint(3, total), nested=False)
        if self.durable:
            self.crash()

    def crash(self) -> None:
        """A thread that crashes the others, once, and then does what a recovery might."""
        self.shape = (*self.shape, 1)
        self.lines += ["", "    @thread(daemon=True)", f"    def t{len(self.shape) - 1}(self):"]
        body = self.body(operation=False, owner=f"t{len(self.shape) - 1}", result=None)
        if self.r.random() < 0.3:
            body.wait()
        body.one_of(
            lambda: body.emit("crash()"),
            lambda: body.lines_of("with atomic():", f"    wait_until({body.condition()})", "    crash()"),
        )
        for _ in range(self.r.randint(0, 2)):
            body.one_of(body.write, body.read, body.assertion, body.branch)
        if self.spawns and self.r.random() < 0.5:
            body.spawn()


def program(seed: int) -> str:
    """The model of a seed."""
    return Generator(seed).model()
