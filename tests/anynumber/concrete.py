"""The views of an instance, found state by state: what a proof for any number must contain."""

from __future__ import annotations

from itertools import combinations

from dio_mc.anynumber.asked import Asked, asked_of, numbers_of
from dio_mc.anynumber.places import Cells, Places
from dio_mc.anynumber.proof import Ground, check_views, prepared_views
from dio_mc.anynumber.steps import Lone
from dio_mc.anynumber.unchanging import with_constants
from dio_mc.anynumber.views import Views
from dio_mc.frontend.build import build
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.step import fault_name


def never(_: int) -> None:
    return None


class Proof:
    """A proof for any number of some threads of a class."""

    def __init__(self, model: type, *words: str, params: dict[str, int] | None = None) -> None:
        self.model, self.params = model, params or {}
        self.asked: Asked = asked_of(model, words)
        found: tuple[Ground, Views] = prepared_views(model, self.asked, self.params, never)
        self.ground, self.views = found
        self.checked = check_views(self.ground, self.views, never)
        self.bad = {*self.checked.faults, *self.checked.violated}
        steps = self.ground.finding
        self.counters = {steps.cells.common.index(cell) for cell in steps._counters}
        self.pairs: dict[tuple[int, ...], set[tuple[Lone, Lone]]] = {}
        for common, one, other in self.views.pairs():
            pairs = self.pairs.setdefault(self.without_credits(common), set())
            bare = one._replace(credits=()), other._replace(credits=())
            pairs |= {bare, bare[::-1]}

    def without_credits(self, common: tuple[int, ...]) -> tuple[int, ...]:
        """An instance has counts, and does not say whose they are."""
        return tuple(0 if n in self.counters else value for n, value in enumerate(common))


class Instance:
    """An instance with so many of each thread, explored by the reference interpreter alone."""

    def __init__(self, proof: Proof, number: int, most: int) -> None:
        self.proof, self.most = proof, most
        bound = {name: value for name, value in proof.params.items() if name not in proof.asked.numbers}
        self.program = build(proof.model, bound, numbers_of(proof.model, proof.asked, number)).program
        self.places = Places(with_constants(self.program), proof.asked.threads)
        self.cells = Cells(self.places, self.program)
        theirs = {thread.name: n for n, thread in enumerate(proof.ground.program.threads)}
        self._renamed = {t: theirs[self.program.threads[t].name] for t in self.places.fixed}
        for mine, kind in zip(self.places.kinds, proof.ground.places.kinds, strict=True):
            self._renamed |= dict.fromkeys(mine.members, kind.members[0])
        self._their = proof.ground.finding.cells.common

    def explore(self) -> None:
        """`states`, `complete`, `bad` (what an instance violates that a proof is about), `missing` views."""
        interpreter = Interpreter(self.program)
        known = dict.fromkeys(interpreter.initial())
        waiting = list(known)
        self.bad: set[str] = {fault_name(f.kind, f.span, self.program.file) for _, f in interpreter.initial_faults}
        self.missing: list[str] = []
        told = [p for p in self.program.properties if p.kind in ("invariant", "step") and p.expr is not None]
        while waiting and len(known) <= self.most:
            state = waiting.pop()
            self._look(state)
            self.bad |= {p.name for p in told if p.kind == "invariant" and not interpreter.evaluate(p.expr, state)}
            for step in interpreter.successors(state):
                if step.fault is not None:
                    if step.fault.kind != "spawn":
                        self.bad.add(fault_name(step.fault.kind, step.fault.span, self.program.file))
                    continue
                assert step.state is not None
                self.bad |= {
                    p.name for p in told if p.kind == "step" and not interpreter.evaluate(p.expr, state, step.state)
                }
                if step.state not in known:
                    known[step.state] = None
                    waiting.append(step.state)
        self.states, self.complete = len(known), not waiting

    def _look(self, state: tuple[int, ...]) -> None:
        """Whether the views of a state are in the proof."""
        ids = self.cells.ids
        lone = [self._lone(state, thread) for thread in self.places.kind_of]
        steps = self.proof.ground.finding
        existing = steps.questions_of_existence
        own = [self._renamed.get(state[c], state[c]) if c in ids else state[c] for c in self.cells.common]
        exists = [int(any(steps.decides(question, thread) for thread in lone)) for question in existing]
        data = sum(cell < self.cells.layout.pc[0] for cell in self.cells.common)
        common = (*own[:data], *exists, *own[data:])
        pairs = self.proof.pairs.get(self.proof.without_credits(common), set())
        for one, other in combinations(lone, 2):
            if (one._replace(credits=()), other._replace(credits=())) not in pairs:
                self.missing.append(f"{common} {one} {other}")

    def _lone(self, state: tuple[int, ...], thread: int) -> Lone:
        row = [state[cell] for cell in self.cells.rows[thread]]
        for n in self.cells.own_numbers[thread]:
            row[n] = 0
        pairs = zip(self.cells.common, self._their, strict=False)
        flags = tuple(theirs for mine, theirs in pairs if mine in self.cells.ids and state[mine] == thread)
        nothing = (0,) * len(self.proof.counters)  # what is asked of existence is not about credits
        return Lone(self.places.kind_of[thread], tuple(row), flags, nothing)
