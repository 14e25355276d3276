"""The views of an instance, found state by state: what a proof for any number must contain."""

from __future__ import annotations

from itertools import combinations, product

from dio_mc.anynumber.asked import Asked, asked_of, numbers_of
from dio_mc.anynumber.nobody import NOBODY
from dio_mc.anynumber.proof import Ground, check_views, prepared_views
from dio_mc.anynumber.states import Lone
from dio_mc.anynumber.tracked import AFTER, ELSEWHERE, END, TRACKED
from dio_mc.anynumber.triples import Triples
from dio_mc.anynumber.views import Views
from dio_mc.frontend.build import build
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import layout_of
from dio_mc.semantics.step import fault_name

Cell = tuple[str, int, object]
"""``("pc", thread, None)``, ``("local", thread, number)`` or ``("data", variable, indices)``."""


def never(_: int) -> None:
    return None


class Proof:
    """A proof for any number of some threads of a class, and of pages."""

    def __init__(
        self, model: type, *words: str, params: dict[str, int] | None = None, asked: Asked | None = None, of: int = 2
    ) -> None:
        self.model, self.params = model, params or {}
        self.asked = asked or asked_of(model, words)
        self.of = of
        found: tuple[Ground, Views | Triples] = prepared_views(model, self.asked, self.params, never, of)
        self.ground, self.views = found
        self.checked = check_views(self.ground, self.views, never)
        self.bad = {*self.checked.faults, *self.checked.violated}
        self.unfit = {name for name, _ in self.ground.unfit}
        steps = self.ground.finding
        self.counters = {steps.cells.common.index(cell) for cell in steps._counters}
        self.cells = dict(_cells(steps.alone.program))
        self.together: dict[tuple[int, ...], set[tuple[Lone, ...]]] = {}
        for common, *threads in self._views():
            together = self.together.setdefault(self.without_credits(common), set())
            together.add(tuple(sorted(one._replace(credits=()) for one in threads)))

    def _views(self):
        if isinstance(self.views, Triples):
            threads = self.views.threads
            return ((common, *(threads[n] for n in three)) for common, *three in self.views.all())
        return self.views.pairs()

    def without_credits(self, common: tuple[int, ...]) -> tuple[int, ...]:
        """An instance has counts, and does not say whose they are."""
        return tuple(0 if n in self.counters else value for n, value in enumerate(common))


def _cells(program):
    """What each cell of a program is."""
    layout = layout_of(program)
    for number, variable in enumerate(program.variables):
        for cell, indices in enumerate(product(*map(range, variable.shape))):
            yield layout.variable_base[number] + cell, ("data", number, indices)
    for thread in range(len(program.threads)):
        yield layout.pc[thread], ("pc", thread, None)
        for local in range(len(program.template_of(thread).locals)):
            yield layout.local_base[thread] + local, ("local", thread, local)


class Instance:
    """An instance with so many of each thread (and pages), explored by the reference interpreter alone."""

    def __init__(self, proof: Proof, number: int, most: int, pages: int | None = None) -> None:
        self.proof, self.most = proof, most
        asked = proof.asked
        bound = {name: value for name, value in proof.params.items() if name not in asked.counted}
        numbers = numbers_of(proof.model, asked, number)
        self.pages = pages or number
        numbers |= {asked.pages: self.pages} if asked.pages else {}
        self.program = build(proof.model, bound, numbers).program
        self.layout = layout_of(self.program)
        self.sights = [_Sight(self, page) for page in (range(self.pages) if asked.pages else (None,))]

    def explore(self) -> None:
        """`states`, `complete`, `bad` (what an instance violates that a proof is about), `missing` views."""
        interpreter = Interpreter(self.program)
        known = dict.fromkeys(interpreter.initial())
        waiting = list(known)
        self.bad: set[str] = {fault_name(f.kind, f.span, self.program.file) for _, f in interpreter.initial_faults}
        self.missing: list[str] = []
        told = [p for p in self.program.properties if p.kind in ("invariant", "step") and p.expr is not None]
        told = [p for p in told if p.name not in self.proof.unfit]
        while waiting and len(known) <= self.most:
            state = waiting.pop()
            for sight in self.sights:
                self.missing += sight.missing(state)
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


class _Sight:
    """How the states of an instance look with one of its pages tracked (or None: with all pages)."""

    def __init__(self, instance: Instance, page: int | None) -> None:
        self.instance, self.page, self.proof = instance, page, instance.proof
        self.ground = instance.proof.ground
        self.steps = self.ground.finding
        self.places = self.steps.places
        theirs = {thread.name: n for n, thread in enumerate(self.places.program.threads)}
        kinds = {kind.name: k for k, kind in enumerate(self.places.kinds)}
        self.kind_of: dict[int, int] = {}  # of the instance's threads
        self.fixed: dict[int, int] = {}  # of the proof's fixed threads: the instance's
        for n, thread in enumerate(instance.program.threads):
            name = instance.program.templates[thread.template].name
            if name in kinds:
                self.kind_of[n] = kinds[name]
            elif f"{name} of another page" in kinds and thread.number != page:
                self.kind_of[n] = kinds[f"{name} of another page"]
            else:
                own = f"{name}[0]" if f"{name} of another page" in kinds else thread.name
                self.fixed[theirs[own]] = n
        self.firsts = [kind.members[0] for kind in self.places.kinds]
        self.nobody = [self.steps.idle(k) for name, k in kinds.items() if name == NOBODY] * 2

    def _id(self, value: int) -> int:
        """The proof's thread for one of the instance's."""
        if value < 0:
            return value
        if value in self.kind_of:
            return self.firsts[self.kind_of[value]]
        return next(theirs for theirs, mine in self.fixed.items() if mine == value)

    def _value(self, state: tuple[int, ...], cell: int, thread: int | None) -> int:
        """What a cell of the proof's program is in a state; `thread` stands for the first of its kind."""
        what, number, more = self.proof.cells[cell]
        layout, program = self.instance.layout, self.instance.program
        if what == "data":
            dimensions = self.places.dimensions[number]
            tracked = self.places.elsewhere.dimensions.get(number)
            indices = []
            for d, index in enumerate(more):
                if d == tracked:
                    index = self.page
                elif dimensions[d] == "threads":
                    index = self.fixed.get(index, thread)
                elif dimensions[d] != "plain":
                    index = program.threads[thread].number
                indices.append(index)
            offset = 0
            for index, extent in zip(indices, program.variables[number].shape, strict=True):
                offset = offset * extent + index
            value = state[layout.variable_base[number] + offset]
            return self._id(value) if self.places.holds_thread[number] else value
        who = self.fixed.get(number, thread)
        if what == "pc":
            return state[layout.pc[who]]
        return self._local(state, who, more)

    def _local(self, state: tuple[int, ...], thread: int, local: int) -> int:
        program, layout, pages = self.instance.program, self.instance.layout, self.ground.pages
        value = state[layout.local_base[thread] + local]
        template = program.threads[thread].template
        if pages is None or (template, local) not in pages.locals:
            return value
        if local in program.templates[template].locations[state[layout.pc[thread]]].kills:
            return TRACKED
        if value == self.page:
            return TRACKED
        if (template, local) not in pages.counters or value < self.page:
            return ELSEWHERE
        return AFTER if value < self.instance.pages else END

    def missing(self, state: tuple[int, ...]) -> list[str]:
        """The views of a state that are not in the proof."""
        cells = self.steps.cells
        existing = {self.steps.cells.common[n] for n in self.steps._existing}
        lone = [self._lone(state, thread) for thread in self.kind_of]
        exists = iter([int(any(self.steps.decides(q, one) for one in lone)) for q in self.steps.questions_of_existence])
        common = tuple(next(exists) if c in existing else self._value(state, c, None) for c in cells.common)
        together = self.proof.together.get(self.proof.without_credits(common), set())
        return [
            f"{common} {threads}"
            for threads in combinations([*lone, *self.nobody], self.proof.of)
            if tuple(sorted(one._replace(credits=()) for one in threads)) not in together
        ]

    def _lone(self, state: tuple[int, ...], thread: int) -> Lone:
        kind = self.kind_of[thread]
        first = self.firsts[kind]
        row = [self._value(state, cell, thread) for cell in self.steps.cells.rows[first]]
        for n in self.steps.cells.own_numbers[first]:
            row[n] = 0
        flags = tuple(c for c in self.steps.cells.common if c in self.steps.cells.ids and self._holds(state, c, thread))
        nothing = (0,) * len(self.proof.counters)  # what is asked of existence is not about credits
        return Lone(kind, tuple(row), flags, nothing)

    def _holds(self, state: tuple[int, ...], cell: int, thread: int) -> bool:
        """Whether an id cell of the common data holds this thread."""
        _, number, indices = self.proof.cells[cell]
        tracked = self.places.elsewhere.dimensions.get(number)
        offset = 0
        for d, (index, extent) in enumerate(zip(indices, self.instance.program.variables[number].shape, strict=True)):
            offset = offset * extent + (self.page if d == tracked else index)
        return state[self.instance.layout.variable_base[number] + offset] == thread
