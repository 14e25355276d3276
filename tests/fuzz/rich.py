"""Models over all types and words of the language: the generator of tests/oracle, with windows anywhere and left early,
operations of classes further up, negative division, indexes that change in their own statement, and properties."""

from __future__ import annotations

from generate import HEADER, INTS, LOCKS, Body, Generator, Known, Signature

from .claims import Claims, Facts

Z3 = "from z3 import And, If, Implies, Not, Or, Xor\n"
HELD = [n for n in (*LOCKS, "wq", "sq", "ru") if n not in ("dc", "pl")]


class RichBody(Body):
    """Writes the body of a thread or an operation. `result`: what it returns; None where that is not known yet."""

    owner = ""
    result: str | None = None
    may_return = False

    def statement(self) -> None:
        more = [self.negative, self.own_index, self.nested_window]
        if (self.in_loop or self.operation) and not self.atomic:
            more += [self.nested_window] * 3
        if "s" in self.g.locks and not self.atomic and self.depth < 2:
            more += [self.handed_reader]
        if self.may_return and self.depth and not self.atomic:
            more += [self.early_return]
        if self.r.random() < 0.25:
            self.r.choice(more)()
        else:
            super().statement()

    def negative(self) -> None:
        """Division and remainder of a number below zero round down."""
        number = f"({self.one('0 - ', '-')}{self.number()} - {self.one('1', '2', '3', '4')})"
        what = f"{number} {self.one('//', '%')} {self.one('2', '3', '5')}"
        stores = [f"self.{n}" for n in self.has("x", "y")] + [f"self.a[{self.index()}]"] * len(self.has("a"))
        if stores and self.r.random() < 0.6:
            self.emit(f"{self.one(*stores)} = {what} % 3" if "//" in what else f"{self.one(*stores)} = {what}")
        else:
            name = self.name()
            self.emit(f"{name} = {what}")
            self.known.append(Known(name, "int", False))

    def own_index(self) -> None:
        """An index that the same statement changes: the place is that of the old value."""
        counters = [k.name for k in self.known if k.annotated and k.type == "int" and k.name not in self.counters]
        if not counters and self.r.random() < 0.4:
            counters = [self.name()]
            self.emit(f"{counters[0]}: Range(0, 2) = {self.one('0', '1')}")
            self.known.append(Known(counters[0], "int", True, True))
        indexes = [f"self.{n}" for n in self.has("x", "z")] + counters
        arrays = [f"self.{n}[%s]" for n in self.has("a")] + ["self.rs[%s].n"] * len(self.has("rs"))
        if not indexes or not arrays:
            self.parallel()
            return
        index, place = self.one(*indexes), self.one(*arrays)
        pair = [(index, self.one("0", "1", f"({index} + 1) % 2")), (place % index, self.number())]
        self.r.shuffle(pair)
        self.emit(f"{pair[0][0]}, {pair[1][0]} = {pair[0][1]}, {pair[1][1]}")

    def nested_window(self) -> None:
        """A window in an operation, in a loop, in another window; not in an atomic block."""
        if self.atomic or self.depth > 2:
            self.write()
            return
        own = f'"{self.owner[0]}"'  # of an operation, whose arguments can then be asked for
        name = self.one('"w"', '"v"', *[own] * 4 * self.operation)
        self.g.windows.append((name, self.owner))  # type: ignore[attr-defined]
        self.emit(f"with window({name}):")
        known = list(self.known)
        self.depth += 1
        self.one_of(self.write, self.read, self.wait)
        self.write()
        for _ in range(self.r.randint(0, 1)):
            self.statement()
        if self.in_loop and self.r.random() < 0.7:
            self.leave()
        if self.may_return and self.r.random() < 0.4:
            self.early_return()
        self.depth -= 1
        self.known = known

    def handed_reader(self) -> None:
        """A semaphore that one takes, hands over, and that somebody else (here often the same thread) releases."""
        take, release = self.r.choice([("down_read", "up_read_non_owner"), ("down_write", "up_write_non_owner")])
        self.lines_of(f"self.s.{take}()", "self.s.hand_over()")
        self.write()
        self.emit(f"self.s.{release}()")

    def window_block(self) -> None:
        self.nested_window()

    def early_return(self) -> None:
        self.emit(f"if {self.one(self.condition, self.local_truth)}:")
        value = {"int": self.number, "page": self.page}.get(self.result or "")
        self.emit("    return" if value is None else f"    return {value()}")


class RichGenerator(Generator):
    """Writes one model with properties."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.windows: list[tuple[str, str]] = []
        self.base = self.base or self.r.random() < 0.12
        self.middle = self.base and self.r.random() < 0.6

    def model(self) -> str:
        text = super().model().replace("from dio_mc import *\n", "from dio_mc import *\n" + Z3, 1)
        live = self.r.random() < 0.45
        claims = Claims(self.r, self.facts()).properties(self.r.choice([1, 1, 2, 3]), live=live)
        quiet = ["    deadlock = False"] if self.r.random() < 0.07 else []
        return text.rstrip("\n") + "\n" + "\n".join(["", *quiet, *claims]) + "\n"

    def facts(self) -> Facts:
        found = Facts(values={"int": ["0", "1"], "bool": ["True", "False"], "page": ["Page.CLEAN", "Page.DIRTY"]})
        numbers = {"x": "$.x", "y": "$.y", "z": "$.z", "r": "$.r.n", "a": "$.a[0]", "two": "$.two.c[1]"}
        found.numbers = [numbers[n] for n in self.data if n in numbers]
        found.numbers += ["$.a[$.x]"] if {"a", "x"} <= set(self.data) else []
        found.numbers += ["sum($.a)", "max($.a)"] if "a" in self.data else []
        found.numbers += ["$.past"] if "past" in self.ghosts else []
        truths = {
            "flag": ["$.flag"], "page": ["$.page == Page.DIRTY", "$.page in (Page.CLEAN, Page.ABSENT)"],
            "last": ["$.last is None", "$.last == 1"], "kind": ["$.kind is None", "$.kind == Page.DIRTY"],
            "who": ["$.who is None", "any($.who == t for t in threads())"], "bb": ["$.bb[0][1]", "$.bb[1][0]"],
            "pages": ["any(p == Page.CLEAN for p in $.pages)", "$.pages[0] != $.pages[1]"], "seen": ["any($.seen)"],
            "r": ["$.r.ok", "$.r.full()", "$.r == Rec(1, True)"], "u": ["isinstance($.u, Some)", "$.u == Nothing()"],
            "rs": ["$.rs[0] == $.rs[1]", "$.rs[1].ok"], "two": ["$.two.p == Page.CLEAN"], "slot": ["$.slot is None"],
        }  # fmt: skip
        found.truths = [t for n in self.data for t in truths.get(n, ())]
        found.threads = [f"t{n}" for n in range(len(self.shape))]
        found.locks = [n for n in (*self.locks, *self.parts) if n in HELD]
        found.families = [("range(2)", "$.a[i] < 2"), ("range(2)", "$.a[i] != $.a[1 - i]")] if "a" in self.data else []
        found.families += [("threads()", "$.seen[i]")] if "seen" in self.data else []
        called = {c.name: c for c in self.calls}
        text = "\n".join(self.lines)
        bodies = text[text.find("def t0") :]
        used = [n for n in called if f"self.{n}(" in bodies]
        found.windows = [(f"self.{n}", tuple(zip("ij", called[n].parameters, strict=False))) for n in used]
        spawned = [s.name for s in self.spawns if f"spawn(self.{s.name}" in bodies]
        parameters = {c.name: set(zip("ij", c.parameters, strict=False)) for c in [*self.calls, *self.spawns]}
        for name in sorted({n for n, _ in self.windows}):
            owners = [o for n, o in self.windows if n == name and (o.startswith("t") or o in [*used, *spawned])]
            if owners:
                shared = set.intersection(*(parameters.get(o, set()) for o in owners))
                found.windows = [*found.windows, *[(name, tuple(sorted(shared)))] * (4 if shared else 1)]
        return found

    def body(self, *, operation: bool, owner: str, result: str | None) -> Body:
        made = RichBody(self, operation=operation)
        made.owner, made.result, made.may_return = owner, result, True
        return made

    def override(self, called: Signature) -> None:
        """A subclass that does a little more; sometimes one below it goes back to the operation of the first."""
        super().override(called)
        if not self.middle:
            return
        names = ["i", "j"][: len(called.parameters)]
        self.lines += ["", "", "class M(Fix):", "    @operation()"]
        self.lines.append(f"    def {called.name}({', '.join(['self', *names])}):")
        body = self.body(operation=True, owner=called.name, result=called.result)
        body.known = [Known(n, t) for n, t in zip(names, called.parameters, strict=True)]
        calls, self.calls = self.calls, []
        body.statement()
        self.calls = calls
        text = f"Base.{called.name}({', '.join(['self', *names])})"
        body.emit(text if called.result is None else f"return {text}")
        position = self.lines.index("class M(Base):")
        self.lines[position] = "class Fix(Base, abstract=True):"


def rich(seed: int) -> str:
    """The model of a seed."""
    return RichGenerator(seed).model()


__all__ = ["HEADER", "INTS", "rich"]
