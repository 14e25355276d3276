"""The views of an instance, found state by state: what a proof for any number must contain."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

from dio_mc.anynumber.asked import Asked, asked_of, numbers_of
from dio_mc.anynumber.nobody import NOBODY
from dio_mc.anynumber.proof import Ground, check_views, prepared_views
from dio_mc.anynumber.states import Lone
from dio_mc.anynumber.tracked import AFTER, ELSEWHERE, END, TRACKED
from dio_mc.anynumber.triples import Triples
from dio_mc.anynumber.views import Stopped, Views
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
        self,
        model: type,
        *words: str,
        params: dict[str, int] | None = None,
        asked: Asked | None = None,
        of: int = 2,
        enough: Callable[[int], str | None] = never,
        most: int | None = None,
    ) -> None:
        self.model, self.params = model, params or {}
        self.asked = asked or asked_of(model, words)
        self.of = of
        found: tuple[Ground, Views | Triples] = prepared_views(model, self.asked, self.params, enough, of)
        self.ground, self.views = found
        if most is not None and len(self.views) > most:
            raise Stopped(f"{most} views")
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
        idle = (self.steps.idle(k) for name, k in kinds.items() if name == NOBODY)
        self.nobody = [one._replace(credits=()) for one in idle] * 2
        cells = self.steps.cells
        existing = {cells.common[n] for n in self.steps._existing}
        self.common = [None if cell in existing else self._source(cell, None) for cell in cells.common]
        self.ids = [(cell, self._source(cell, None)[0]) for cell in cells.common if cell in cells.ids]
        self.rows = {
            thread: [self._source(cell, thread) for cell in cells.rows[self.firsts[kind]]]
            for thread, kind in self.kind_of.items()
        }

    def _id(self, value: int) -> int:
        """The proof's thread for one of the instance's."""
        if value < 0:
            return value
        if value in self.kind_of:
            return self.firsts[self.kind_of[value]]
        return next(theirs for theirs, mine in self.fixed.items() if mine == value)

    def _source(self, cell: int, thread: int | None) -> tuple[int, bool, tuple[int, int] | None]:
        """Where a cell of the proof's program is in the instance's states, whether it holds a thread's id, and the
        thread and the local if that names a page; `thread` stands for the first of its kind."""
        what, number, more = self.proof.cells[cell]
        layout, program = self.instance.layout, self.instance.program
        if what == "data":
            indices = [
                self._index(index, dimension, d == self.places.elsewhere.dimensions.get(number), thread)
                for d, (index, dimension) in enumerate(zip(more, self.places.dimensions[number], strict=True))
            ]
            place = layout.variable_base[number] + self._offset(number, indices)
            return place, self.places.holds_thread[number], None
        who = self.fixed.get(number, thread)
        if what == "pc":
            return layout.pc[who], False, None
        pages = self.ground.pages
        named = pages is not None and (program.threads[who].template, more) in pages.locals
        return layout.local_base[who] + more, False, (who, more) if named else None

    def _index(self, index: int, dimension, tracked: bool, thread: int | None) -> int:
        if tracked:
            return self.page
        if dimension == "threads":
            return self.fixed.get(index, thread)
        return index if dimension == "plain" else self.instance.program.threads[thread].number

    def _offset(self, variable: int, indices) -> int:
        offset = 0
        for index, extent in zip(indices, self.instance.program.variables[variable].shape, strict=True):
            offset = offset * extent + index
        return offset

    def _read(self, state: tuple[int, ...], source: tuple[int, bool, tuple[int, int] | None]) -> int:
        place, is_id, page = source
        if page is not None:
            return self._page(state, *page)
        return self._id(state[place]) if is_id else state[place]

    def _page(self, state: tuple[int, ...], thread: int, local: int) -> int:
        """What a local that names a page says of the tracked one."""
        program, layout = self.instance.program, self.instance.layout
        value = state[layout.local_base[thread] + local]
        template = program.threads[thread].template
        if local in program.templates[template].locations[state[layout.pc[thread]]].kills:
            return TRACKED
        if value == self.page:
            return TRACKED
        if (template, local) not in self.ground.pages.counters or value < self.page:
            return ELSEWHERE
        return AFTER if value < self.instance.pages else END

    def missing(self, state: tuple[int, ...]) -> list[str]:
        """The views of a state that are not in the proof."""
        lone = [self._lone(state, thread) for thread in self.kind_of]
        exists = iter([int(any(self._decides(q, one) for one in lone)) for q in self.steps.questions_of_existence])
        common = tuple(next(exists) if source is None else self._read(state, source) for source in self.common)
        together = self.proof.together.get(self.proof.without_credits(common), set())
        return [
            f"{common} {threads}"
            for threads in combinations(sorted([*lone, *self.nobody]), self.proof.of)
            if threads not in together
        ]

    def _decides(self, question: int, one: Lone) -> bool:
        return self.steps.decides(question, one._replace(credits=(0,) * len(self.proof.counters)))

    def _lone(self, state: tuple[int, ...], thread: int) -> Lone:
        kind = self.kind_of[thread]
        row = [self._read(state, source) for source in self.rows[thread]]
        for n in self.steps.cells.own_numbers[self.firsts[kind]]:
            row[n] = 0
        flags = tuple(cell for cell, place in self.ids if state[place] == thread)
        return Lone(kind, tuple(row), flags)
