"""Steps of one thread, run by the reference interpreter on the program as one thread lives it (`alone`).

A thread of a kind is a `Lone`: its kind, its row, and the cells that hold its id. The common cells are a tuple in which
the id of a thread of a kind stands for any of that kind. Threads other than the one that steps need not be there: what
is asked of them is answered by the oracles, tried with every answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, NamedTuple

from dio_mc.anynumber.alone import Alone
from dio_mc.anynumber.conditions import refusal
from dio_mc.anynumber.counters import ends
from dio_mc.anynumber.places import Cells, Places
from dio_mc.errors import InternalError
from dio_mc.ir.expr import Load, walk
from dio_mc.ir.ops import Assign, Await, Branch, Check, Choose, Jump, Op, Spawn, StoreTo
from dio_mc.ir.program import Template
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import fault_name

MOST_QUESTIONS: Final = 6
"""Questions to other threads in one step: every answer to each is tried."""

MOST_CREDITS: Final = 4
"""Credits of one thread, and of all fixed threads."""

Common = tuple[int, ...]


class Lone(NamedTuple):
    """A thread of a kind: the position of the kind, its own cells (location first), the id cells that name it, and its
    credits, per counter."""

    kind: int
    row: tuple[int, ...]
    flags: tuple[int, ...] = ()
    credits: tuple[int, ...] = ()


class Outcome(NamedTuple):
    """What a step leads to where no other thread decides the questions `no`, and others decide the questions `yes`.

    Either `fault` is set, or the common cells and the thread (None for a fixed one) afterwards. `started` are threads
    that it started, `taken` the id cells that named another thread and do so no longer.
    """

    no: tuple[int, ...]
    yes: tuple[int, ...]
    fault: str | None
    common: Common = ()
    thread: Lone | None = None
    started: tuple[Lone, ...] = ()
    taken: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Footprint:
    """What a step from a location may touch: the questions it may ask, positions in `common` it may read or write."""

    questions: tuple[int, ...]
    common: tuple[int, ...]


class Uncredited(Exception):
    """A count is not what each thread began and nobody ended: it cannot be kept in parts."""


class Steps:
    """The steps of a program's threads. With `remember`, a step is run once for all states that agree on what it may
    read or write."""

    def __init__(self, places: Places, alone: Alone, *, remember: bool) -> None:
        self.places, self.alone = places, alone
        self.cells = Cells(places, alone.program, {existing.variable for existing in alone.existing})
        self.interpreter = Interpreter(alone.program)
        self._remember = remember
        self._known: dict[tuple[object, ...], list[tuple[Outcome, tuple[tuple[int, int], ...]]]] = {}
        self._position = {cell: n for n, cell in enumerate(self.cells.common)}
        self._ids = tuple(n for n, cell in enumerate(self.cells.common) if cell in self.cells.ids)
        base = self.cells.layout.variable_base
        self._existing = tuple(self._position[base[existing.variable]] for existing in alone.existing)
        self._counters = tuple(base[counter] for counter in alone.counters)
        self._ending = tuple(ends(alone.program, counter) for counter in alone.counters)
        self._decided: dict[tuple[int, Lone], bool] = {}
        self._rest: State = self.interpreter.initial()[0] if self.interpreter.initial() else ()
        self._footprints = {
            (number, location): self._footprint(number, template, location)
            for number, template in enumerate(alone.program.templates)
            for location in range(1, len(template.locations))
        }
        self._refuse_early_questions()
        self.runs = 0

    @property
    def questions(self) -> range:
        """Of oracles, then of existence, then whether others have credits."""
        return range(len(self.alone.oracles) + len(self.alone.existing) + len(self._counters))

    @property
    def questions_of_existence(self) -> range:
        """Those among them."""
        first = len(self.alone.oracles)
        return self.questions[first : first + len(self.alone.existing)]

    @property
    def questions_of_credit(self) -> range:
        """Those among them."""
        return self.questions[len(self.alone.oracles) + len(self.alone.existing) :]

    def decides(self, question: int, thread: Lone) -> bool:
        """Whether a thread decides a question where it is one of the others, or is like what exists."""
        if question in self.questions_of_credit:
            return thread.credits[question - self.questions_of_credit.start] > 0
        known = self._decided.get((question, thread))
        if known is None:
            place = self.places.kinds[thread.kind].members[0]
            state = self.placed(self.common_of(self._rest), [(place, thread)])
            asked = [expr for kind, expr in self.alone.decides(question) if kind == thread.kind]
            known = any(self.interpreter.compiled(expr)[0](state) for expr in asked)
            self._decided[question, thread] = known
        return known

    # -- states --------------------------------------------------------------------------------------------------------

    def starts(self) -> list[tuple[Common, list[Lone]]]:
        """The common cells of every initial state, with the threads that may start there, independently of each
        other."""
        firsts = [kind.members[0] for kind in self.places.kinds]
        together: dict[Common, dict[Lone, None]] = {}
        for state in self.interpreter.initial():
            found = together.setdefault(self.common_of(state), {})
            found.update(dict.fromkeys(self.thread_of(state, thread) for thread in firsts))
        return [
            (started, list(threads))
            for common, threads in together.items()
            for started in self._as_started(common, list(threads))
        ]

    def _as_started(self, common: Common, threads: Sequence[Lone]) -> list[Common]:
        """The common cells with what is kept of existence: true where all threads of a kind are like this, both ways
        where they may be."""
        found = [list(common)]
        for question, n in zip(self.questions_of_existence, self._existing, strict=True):
            like = [t for t in threads if self.decides(question, t)]
            always = any(all(t in like for t in threads if t.kind == one.kind) for one in like)
            values = (1,) if always else (0, 1) if like else (0,)
            found = [[*cells[:n], value, *cells[n + 1 :]] for cells in found for value in values]
        return [tuple(cells) for cells in found]

    def common_of(self, state: Sequence[int]) -> Common:
        """The common cells; ids of threads of a kind are its first member's."""
        kinds, kind_of = self.places.kinds, self.places.kind_of
        common = [state[cell] for cell in self.cells.common]
        for n in self._ids:
            if common[n] in kind_of:
                common[n] = kinds[kind_of[common[n]]].members[0]
        return tuple(common)

    def thread_of(self, state: Sequence[int], thread: int, credits: tuple[int, ...] | None = None) -> Lone:
        """A thread of a kind as it is in a state, with no credits if none are said."""
        flags = tuple(self.cells.common[n] for n in self._ids if state[self.cells.common[n]] == thread)
        row = [state[cell] for cell in self.cells.rows[thread]]
        for n in self.cells.own_numbers[thread]:
            row[n] = 0  # as the kind's first member has it
        kept = (0,) * len(self._counters) if credits is None else credits
        return Lone(self.places.kind_of[thread], tuple(row), flags, kept)

    def placed(self, common: Common, threads: Sequence[tuple[int, Lone]]) -> list[int]:
        """A state with these common cells and threads at these positions; ids of others are those of a kind's last
        member. All other threads are as they were at the start."""
        state = list(self._rest)
        for cell, value in zip(self.cells.common, common, strict=True):
            state[cell] = value
        kinds, kind_of = self.places.kinds, self.places.kind_of
        for n in self._ids:
            if common[n] in kind_of:
                state[self.cells.common[n]] = kinds[kind_of[common[n]]].members[-1]
        for position, thread in threads:
            for cell, value in zip(self.cells.rows[position], thread.row, strict=True):
                state[cell] = value
            for n in self.cells.own_numbers[position]:
                state[self.cells.rows[position][n]] = self.places.program.threads[position].number
            for cell in thread.flags:
                state[cell] = position
            for cell, credit in zip(self._counters, thread.credits, strict=True):
                state[cell] += credit
        return state

    def refuse_reused(self, thread: Lone) -> None:
        """A slot of a spawned operation that has ended must be like one that never began, as it may be used again.
        Raises `Refused` (DIO258)."""
        kind = self.places.kinds[thread.kind]
        if not kind.spawned or thread.row[0]:
            return
        if thread != self.idle(thread.kind):
            span = self.places.program.templates[kind.template].span
            raise refusal("DIO258", f"`{kind.name}` ends with data of its own set, which the next one finds", span)

    def idle(self, kind: int) -> Lone:
        """A slot of a spawned operation that nobody uses."""
        return self.thread_of(self._rest, self.places.kinds[kind].members[0])

    # -- steps ---------------------------------------------------------------------------------------------------------

    def of_thread(self, common: Common, thread: Lone) -> list[Outcome]:
        """The steps of a thread of a kind."""
        return self._of(common, self.places.kinds[thread.kind].members[0], thread)

    def of_fixed(self, common: Common, position: int) -> list[Outcome]:
        """The steps of a fixed thread."""
        return self._of(common, position, None)

    def _of(self, common: Common, position: int, thread: Lone | None) -> list[Outcome]:
        pc = self.cells.layout.pc[position]
        location = thread.row[0] if thread is not None else common[self._position[pc]]
        if location == 0:
            return []
        footprint = self._footprints[self.places.program.threads[position].template, location]
        if not self._remember:
            return self._run(common, position, thread, footprint)
        own = thread if thread is not None else tuple(common[self._position[c]] for c in self._cells_of(position))
        key = (position, own, tuple(common[n] for n in footprint.common))
        known = self._known.get(key)
        if known is None:
            known = [(o, self._change(common, o)) for o in self._run(common, position, thread, footprint)]
            self._known[key] = known
        return [_moved(outcome, common, change) for outcome, change in known]

    def _change(self, common: Common, outcome: Outcome) -> tuple[tuple[int, int], ...]:
        if outcome.fault is not None:
            return ()
        return tuple(
            (n, after) for n, (now, after) in enumerate(zip(common, outcome.common, strict=True)) if now != after
        )

    def _cells_of(self, position: int) -> range:
        base = self.cells.layout.local_base[position]
        return range(self.cells.layout.pc[position], base + len(self.places.program.template_of(position).locals))

    def _run(self, common: Common, position: int, thread: Lone | None, footprint: _Footprint) -> list[Outcome]:
        state = self.placed(common, [] if thread is None else [(position, thread)])
        found: dict[Outcome, list[frozenset[int]]] = {}
        questions = footprint.questions
        for answers in sorted(product((1, 0), repeat=len(questions)), key=lambda a: -sum(a)):
            no = frozenset(q for q, answer in zip(questions, answers, strict=True) if not answer)
            yes = tuple(q for q, answer in zip(questions, answers, strict=True) if answer)
            for outcome in self._outcomes(state, position, thread, yes):
                # who is refused by fewer threads may do it anyway
                found.setdefault(outcome, []).append(no)
        return [
            outcome._replace(
                no=tuple(sorted({*no, *outcome.no})), yes=(*(q for q in questions if q not in no), *outcome.yes)
            )
            for outcome, refused in found.items()
            for no in refused
        ]

    def _outcomes(self, state: list[int], position: int, thread: Lone | None, yes: Sequence[int]) -> Iterator[Outcome]:
        layout = self.cells.layout
        now = list(state)
        for question in yes:
            if question in self.questions_of_credit:
                now[self._counters[question - self.questions_of_credit.start]] += 1
            else:
                now[layout.variable_base[self.alone.oracles[question].variable]] = 1
        before = tuple(now)
        self.runs += 1
        for step in self.interpreter.successors_of(before, position):
            if step.fault is not None:
                if step.fault.kind != "spawn":
                    yield Outcome((), (), fault_name(step.fault.kind, step.fault.span, self.places.program.file))
                continue
            assert step.state is not None
            told = self._told(before, step.state, position, thread)
            yield from self._with_existence(self._with_credits(told, state, before, step.state, thread), thread)

    def _with_credits(
        self, outcome: Outcome, own: Sequence[int], before: State, after: State, thread: Lone | None
    ) -> Outcome:
        """The outcome with what the step did to counts as credits. `own` is the state without those of others. Raises
        `Uncredited` for a thread that ends what it has no credit for."""
        common = list(outcome.common)
        started = list(outcome.started)
        credits = list(thread.credits) if thread is not None else []
        for counter, cell in enumerate(self._counters):
            n, change = self._position[cell], after[cell] - before[cell]
            kept = own[cell] - (credits[counter] if thread is not None else 0)
            common[n] = kept if thread is not None else kept + change
            if thread is not None:
                credits[counter] += change
                for number, one in enumerate(started):
                    if credits[counter] > 0 and self.places.kinds[one.kind].template in self._ending[counter]:
                        credits[counter] -= 1
                        given = tuple(c + (k == counter) for k, c in enumerate(one.credits))
                        started[number] = one._replace(credits=given)
            if common[n] < 0 or any(credit < 0 or credit > MOST_CREDITS for credit in (*credits, common[n])):
                raise Uncredited
        moved = None if outcome.thread is None else outcome.thread._replace(credits=tuple(credits))
        return outcome._replace(common=tuple(common), thread=moved, started=tuple(started))

    def _with_existence(self, outcome: Outcome, before: Lone | None) -> Iterator[Outcome]:
        """The outcome with what is kept of existence; where the thread was the last one known of, the others tell."""
        changed = [] if before is None or outcome.thread is None else [(before, outcome.thread)]
        changed += [(self.idle(thread.kind), thread) for thread in outcome.started]
        found = [outcome]
        for question, n in zip(self.questions_of_existence, self._existing, strict=True):
            if any(self.decides(question, now) for _, now in changed):
                found = [_kept(one, n, 1) for one in found]
            elif any(self.decides(question, was) for was, _ in changed):
                others = [_kept(one, n, 1)._replace(yes=(*one.yes, question)) for one in found]
                found = [*others, *(_kept(one, n, 0)._replace(no=(*one.no, question)) for one in found)]
        yield from found

    def _told(self, before: State, after: State, position: int, thread: Lone | None) -> Outcome:
        """A successor in terms of the common cells and threads."""
        pcs, kind_of = self.cells.layout.pc, self.places.kind_of
        started = [t for t in kind_of if t != position and after[pcs[t]] != before[pcs[t]]]
        mine = {position, *started}
        for other in kind_of.keys() - mine:
            if any(after[cell] != before[cell] for cell in self.cells.rows[other]):
                raise InternalError(f"a step of {self.places.program.threads[position].name} changed another thread")
        taken = tuple(
            cell
            for n in self._ids
            if before[cell := self.cells.common[n]] in kind_of and before[cell] not in (position, after[cell])
        )
        moved = self.thread_of(after, position) if thread is not None else None
        return Outcome(
            (), (), None, self.common_of(after), moved, tuple(self.thread_of(after, t) for t in started), taken
        )

    # -- what a step may touch -----------------------------------------------------------------------------------------

    def _footprint(self, number: int, template: Template, location: int) -> _Footprint:
        variables = _touched(template, template.locations[location].block, self.alone.program.templates)
        questions = [n for n, oracle in enumerate(self.alone.oracles) if oracle.variable in variables]
        counted = zip(self.questions_of_credit, self.alone.counters, strict=True)
        questions += [question for question, counter in counted if counter in variables]
        if len(questions) > MOST_QUESTIONS:
            span = template.locations[location].span
            raise refusal("DIO258", f"a step asks other threads {len(questions)} different questions", span)
        program = self.alone.program
        cells = {c for v in variables for c in self.cells.cells_of(v, program)}
        kept = {self.cells.common[n] for n in self._existing}
        return _Footprint(
            tuple(questions), tuple(n for n, cell in enumerate(self.cells.common) if cell in cells | kept)
        )

    def _refuse_early_questions(self) -> None:
        """What runs before a thread's first step asks nothing of others: they are not there yet."""
        asked = {oracle.variable for oracle in self.alone.oracles}
        for template in self.alone.program.templates:
            entry = template.blocks[template.entry]
            if entry.location is None and asked & _touched(template, template.entry, self.alone.program.templates):
                raise refusal("DIO258", f"`{template.name}` asks other threads before its first step", template.span)


def _kept(outcome: Outcome, n: int, value: int) -> Outcome:
    return outcome._replace(common=(*outcome.common[:n], value, *outcome.common[n + 1 :]))


def _moved(outcome: Outcome, common: Common, change: Sequence[tuple[int, int]]) -> Outcome:
    if outcome.fault is not None:
        return outcome
    after = list(common)
    for n, value in change:
        after[n] = value
    return outcome._replace(common=tuple(after))


def _touched(template: Template, block: int, templates: Sequence[Template]) -> set[int]:
    """Variables that may be read or written from a block on, up to the next location."""
    found: set[int] = set()
    seen = {block}
    waiting = [block]
    while waiting:
        current = template.blocks[waiting.pop()]
        for op in current.ops:
            found |= _touched_by(op, templates)
        following: tuple[int, ...] = ()
        match current.terminator:
            case Jump(target):
                following = (target,)
            case Branch(condition, then, orelse):
                found |= {part.variable for part in walk(condition) if isinstance(part, Load)}
                following = (then, orelse)
            case _:
                pass
        fresh = [b for b in following if template.blocks[b].location is None and b not in seen]
        seen.update(fresh)
        waiting += fresh
    return found


def _touched_by(op: Op, templates: Sequence[Template]) -> set[int]:
    found: set[int] = set()
    match op:
        case Assign(targets, values):
            expressions = [*values, *(i for t in targets if isinstance(t, StoreTo) for i in t.indices)]
            found |= {t.variable for t in targets if isinstance(t, StoreTo)}
        case Await(condition) | Check(condition):
            expressions = [condition]
        case Choose(target, options):
            expressions = [e for o in options for e in (o.value, o.when) if e is not None]
            if isinstance(target, StoreTo):
                expressions += target.indices
                found.add(target.variable)
        case Spawn(number, arguments):
            expressions = list(arguments)
            started = templates[number]
            if started.blocks[started.entry].location is None:
                found |= _touched(started, started.entry, templates)
    return found | {part.variable for e in expressions for part in walk(e) if isinstance(part, Load)}
