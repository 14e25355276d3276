"""Programs with each kind of violation, for searches that keep their states elsewhere."""

from __future__ import annotations

from dio_mc import Array, Model, Mutex, Range, Var, invariant, progress, reachable, thread
from dio_mc.ir.program import Program
from dio_mc.semantics.search import Budget, SearchRequest
from dio_mc.symbolic.evaluator import property_evaluator

NAMES = {"below", "grows", "full", "deadlock"}
EVERY = NAMES | {"index"}
"""The properties of `Every` that are violated or reached."""


class Every(Model):
    """A model with each kind of violation, some of them late."""

    a = Mutex()
    b = Mutex()
    n = Var(Range(0, 3))
    cells = Array(Range(0, 1), size=3)
    c = Array(Range(0, 2), size=2)

    @thread
    def one(self):
        self.a.lock()
        self.b.lock()
        self.n = 2
        self.b.unlock()
        self.a.unlock()

    @thread
    def two(self):
        self.b.lock()
        self.a.lock()
        self.cells[self.n + 1] = 1
        self.a.unlock()
        self.b.unlock()

    @thread(instances=2)
    def up(self, i):
        while self.c[i] < 2:
            self.c[i] += 1

    @invariant
    def below(self):
        return self.n < 2 or self.c[0] < 2

    @invariant
    def grows(self, after):
        return after.c[1] < 2

    @reachable
    def full(self):
        return self.cells[1] == 1


class Turning(Every):
    """A model in which every step can be undone, so that the candidates of a level are in the
    levels before it."""

    turned = Var(Range(0, 2))

    @thread
    def turn(self):
        while True:
            self.turned = (self.turned + 1) % 3


class Lasting(Every):
    deadlock = False

    @progress
    def ends(self):
        return self.at_rest()


def asked(program: Program, budget: Budget | None = None, **rest: object) -> SearchRequest:
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    return SearchRequest(program, evaluators, budget or Budget(), **rest)
