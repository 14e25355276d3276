"""Random models with relaxed variables: few threads that store, load, and order their stores in some way."""

from __future__ import annotations

import random

RELAXED = {"x": "Range(0, 2)", "y": "Range(0, 2)", "f": "bool"}


def weak(seed: int) -> str:
    """The model of a seed."""
    return Weak(seed).model()


class Weak:
    """Writes one model."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.lines = ["from dio_mc import *", "", "class M(Model):"]
        self.relaxed = self.r.sample(list(RELAXED), self.r.choice([1, 2, 2, 3]))
        self.fresh = 0

    def model(self) -> str:
        if self.r.random() < 0.6:
            self.lines.append('    memory_model = "pso"')
        if self.r.random() < 0.5:
            self.lines.append(f"    store_buffer = {self.r.choice([1, 2, 3])}")
        for name in self.relaxed:
            start = ", init=1" if name != "f" and self.r.random() < 0.3 else ""
            self.lines.append(f'    {name} = Var({RELAXED[name]}{start}, ordering="relaxed")')
        self.lines += ["    z = Var(Range(0, 2))", "    past = Var(bool, ghost=True)", "    m = Mutex()"]
        for number in range(self.r.choice([1, 2, 2, 2])):
            daemon = "(daemon=True)" if self.r.random() < 0.1 else ""
            self.lines += ["", f"    @thread{daemon}", f"    def t{number}(self):"]
            self.known: list[tuple[str, str]] = []
            for _ in range(self.r.randint(2, 4)):
                self.statement("        ")
        return "\n".join(self.lines) + "\n"

    def emit(self, indent: str, text: str) -> None:
        self.lines.append(indent + text)

    def value(self, name: str) -> str:
        kind = RELAXED.get(name, "Range(0, 2)")
        locals_ = [n for n, k in self.known if k == kind]
        if kind == "bool":
            return self.r.choice(["True", "False", *locals_])
        return self.r.choice(["0", "1", "2", *locals_, *[f"{n} + 1" for n in locals_]])

    def condition(self) -> str:
        name = self.r.choice(self.relaxed)
        return f"self.{name}" if name == "f" else f"self.{name} {self.r.choice(['==', '!='])} {self.r.choice('012')}"

    def statement(self, indent: str) -> None:
        r, name = self.r, self.r.choice(self.relaxed)
        kinds = [
            lambda: self.emit(indent, f"self.{name} = {self.value(name)}"),
            lambda: self.emit(indent, f"self.{name} = {self.value(name)}"),
            lambda: self.load(indent, name),
            lambda: self.load(indent, name),
            lambda: self.emit(indent, r.choice(["smp_mb()", "smp_wmb()", "smp_rmb()", "smp_wmb()"])),
            lambda: self.emit(indent, f"smp_store_release(self.{name}, {self.value(name)})"),
            lambda: self.emit(indent, f"wait_until({self.condition()})"),
            lambda: self.emit(indent, f"self.z = {self.value('z')}"),
            lambda: self.emit(indent, "self.z = choose(0, 1)"),
            lambda: self.emit(indent, f"self.past = {r.choice(['True', 'False'])}"),
            lambda: self.emit(indent, f"assert {self.condition()}"),
        ]
        if name != "f":
            kinds.append(lambda: self.emit(indent, f"self.{name} += 1"))
        if len(indent) < 12:
            kinds += [lambda: self.branch(indent), lambda: self.block(indent)]
        r.choice(kinds)()

    def load(self, indent: str, name: str) -> None:
        self.fresh += 1
        source = self.r.choice([f"self.{name}", f"self.{name}", f"smp_load_acquire(self.{name})"])
        self.emit(indent, f"v{self.fresh} = {source}")
        if len(indent) == 8:
            self.known.append((f"v{self.fresh}", RELAXED[name]))

    def branch(self, indent: str) -> None:
        self.emit(indent, f"if {self.condition()}:")
        self.statement(indent + "    ")

    def block(self, indent: str) -> None:
        self.emit(indent, "with atomic():")
        for _ in range(self.r.randint(1, 2)):
            self.statement(indent + "    ")
