"""Models to mutate, and short ways to see what was made of them."""

from __future__ import annotations

from pathlib import Path

from dio_mc.checking.driver import Options, check_class
from dio_mc.checking.results import Report
from dio_mc.frontend.load import load_module
from dio_mc.lang.model import Model
from dio_mc.mutation.mutants import Mutant, mutants_of

HEAD = "from z3 import Implies\nfrom dio_mc import *\n\n"
LOCKED = (
    HEAD
    + """\
class Locked(Model):
    x = Var(Range(0, 2))
    lock = Mutex()

    @thread(instances=2)
    def adder(self):
        self.increment()

    @operation(kernel="mm/filemap.c:increment")
    def increment(self):
        self.lock.lock()
        seen = self.x
        self.x = seen + 1
        self.lock.unlock()

    @invariant
    def nothing_lost(self):
        return Implies(self.at_rest(), self.x == 2)
"""
)


def load(folder: Path, text: str, name: str | None = None) -> type[Model]:
    (folder / "m.py").write_text(text)
    models = load_module(folder / "m.py").models
    return next(m for m in models if name in (None, m.__name__))


def body(statements: str, declarations: str = "", properties: str = "") -> str:
    """A model with one thread that calls one operation with these statements."""
    indented = "".join(f"        {line}\n" for line in statements.splitlines())
    data = "".join(f"    {line}\n" for line in declarations.splitlines())
    return (
        f"{HEAD}class M(Model):\n    x = Var(Range(0, 3))\n    y = Var(Range(0, 3))\n{data}"
        "    @thread(instances=2)\n    def t(self):\n        self.go()\n"
        f"    @operation()\n    def go(self):\n{indented}"
        f"{properties}    @invariant\n    def fine(self):\n        return self.x < 3 or self.y < 3\n"
    )


def listed(model: type[Model], *, inherited: bool = False) -> list[tuple[str, str]]:
    return [(m.kind, m.text) for m in mutants_of(model, inherited=inherited)]


def named(model: type[Model], text: str) -> Mutant:
    return next(m for m in mutants_of(model, inherited=True) if m.text == text)


def check(model: type[Model], mutant: Mutant) -> Report:
    return check_class(mutant.of(model), options=Options())
