"""Runs steps of a single thread with the reference interpreter, on the program reduced to single threads (`alone`).

No other thread needs to exist: the answers of other threads are the values of oracles, and all combinations are tried.
Data of pages other than the tracked one has all its possible values in turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Final, NamedTuple

from dio_mc.anynumber.alone import Alone
from dio_mc.anynumber.conditions import refusal
from dio_mc.anynumber.counters import ends
from dio_mc.anynumber.footprints import Footprint, touched
from dio_mc.anynumber.places import Places
from dio_mc.anynumber.states import Common, Lone, States
from dio_mc.errors import InternalError
from dio_mc.ir.program import Template
from dio_mc.semantics.layout import State
from dio_mc.semantics.step import fault_name
from dio_mc.source import Span

MOST_QUESTIONS: Final = 6
"""The maximum number of questions to other threads in one step; all combinations of answers are tried."""

MOST_ELSEWHERE: Final = 4_096
"""The maximum number of combinations of values of other pages that one step may depend on; all are tried."""

MOST_CREDITS: Final = 4
"""The maximum number of credits of one thread, and of all fixed threads together, for each counter."""


class Outcome(NamedTuple):
    """The result of a step, valid if no other thread decides the questions `no`, and some other thread decides each of
    the questions `yes`.

    Either `fault` is set, or the common cells and the thread's state after the step (None for a fixed thread).
    `started` are the states of the threads that the step started; `taken` are the id cells that held the id of another
    thread and no longer do.
    """

    no: tuple[int, ...]
    yes: tuple[int, ...]
    fault: str | None
    common: Common = ()
    thread: Lone | None = None
    started: tuple[Lone, ...] = ()
    taken: tuple[int, ...] = ()


class Uncredited(Exception):
    """A thread decrements a counter without a credit, or has too many credits, so the counter cannot be split."""


class Steps(States):
    """The steps of a program's threads. With `remember`, a step is run once for all states that agree on its footprint.
    The constructor raises `Refused` (DIO258, DIO263) if a step has too many cases, or asks other threads too early.
    `runs` counts calls of the interpreter."""

    def __init__(self, places: Places, alone: Alone, *, remember: bool) -> None:
        super().__init__(places, alone)
        self._remember = remember
        self._known: dict[tuple[object, ...], list[tuple[Outcome, tuple[tuple[int, int], ...]]]] = {}
        self._ending = tuple(ends(alone.program, counter) for counter in alone.counters)
        self._held: dict[tuple[int, int], list[int]] = {}
        self._variable_of = {cell: v for v, cells in self.cells.elsewhere.items() for cell in cells}
        self._footprints = {
            (number, location): self._footprint(number, template, location)
            for number, template in enumerate(alone.program.templates)
            for location in range(1, len(template.locations))
        }
        self._refuse_early_questions()
        self.runs = 0

    # -- steps ---------------------------------------------------------------------------------------------------------

    def of_thread(self, common: Common, thread: Lone) -> list[Outcome]:
        """The outcomes of the steps of a thread of a kind. Raises `Uncredited`."""
        return self._of(common, self.places.kinds[thread.kind].members[0], thread)

    def of_fixed(self, common: Common, position: int) -> list[Outcome]:
        """The outcomes of the steps of the fixed thread at this position. Raises `Uncredited`."""
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

    def _run(self, common: Common, position: int, thread: Lone | None, footprint: Footprint) -> list[Outcome]:
        state = self.placed(common, [] if thread is None else [(position, thread)])
        questions = footprint.questions
        if not questions:  # the outcomes as they are, each once
            every = (
                self._outcomes(now, position, thread, ()) for now in self._with_anything(state, position, footprint)
            )
            return list(dict.fromkeys(outcome for outcomes in every for outcome in outcomes))
        found: dict[Outcome, dict[frozenset[int], None]] = {}
        for answers in sorted(product((1, 0), repeat=len(questions)), key=lambda a: -sum(a)):
            no = frozenset(q for q, answer in zip(questions, answers, strict=True) if not answer)
            yes = tuple(q for q, answer in zip(questions, answers, strict=True) if answer)
            for now in self._with_anything(state, position, footprint):
                for outcome in self._outcomes(now, position, thread, yes):
                    # several combinations of answers may have the same outcome
                    found.setdefault(outcome, {})[no] = None
        return [
            outcome._replace(
                no=tuple(sorted({*no, *outcome.no})), yes=(*(q for q in questions if q not in no), *outcome.yes)
            )
            for outcome, refused in found.items()
            for no in refused
        ]

    def _with_anything(self, state: list[int], position: int, footprint: Footprint) -> Iterator[list[int]]:
        """The state with each combination of values of other pages that the step may read. The same list is modified
        and yielded each time."""
        base = self.cells.layout.local_base[position]
        away = footprint.moves or any(state[base + local] for local in footprint.pages)
        cells = [*footprint.always, *(footprint.elsewhere if away else ())]
        cells = [cell for cell in cells if self.cells.owner(cell) in (None, position)]
        for values in product(*(self._may_hold(cell, position) for cell in cells)):
            for cell, value in zip(cells, values, strict=True):
                state[cell] = value
            yield state

    def _may_hold(self, cell: int, position: int) -> list[int]:
        known = self._held.get((cell, position))
        if known is None:
            known = self._held[cell, position] = self.cells.may_hold(cell, self._variable_of[cell], position)
        return known

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
            outcome = self._told(before, step.state, position, thread)
            yield from self._with_existence(self._with_credits(outcome, state, before, step.state, thread), thread)

    def _with_credits(
        self, outcome: Outcome, own: Sequence[int], before: State, after: State, thread: Lone | None
    ) -> Outcome:
        """The outcome with changes of counters turned into changes of credits. `own` is the state without the credits
        of other threads. Raises `Uncredited` if a number of credits is negative or too large."""
        if not self._counters:
            return outcome
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
        """The outcome with the variables of existence updated. If the thread satisfied the condition before the step
        and no thread that changed does so afterwards, there is one outcome for each answer of the other threads."""
        if not self._existing:
            yield outcome
            return
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
        """A successor state split into common cells and thread states."""
        pcs, kind_of = self.cells.layout.pc, self.places.kind_of
        started = [t for t in kind_of if t != position and after[pcs[t]] != before[pcs[t]]]
        mine = {position, *started}
        for other, row in self._of_thread.items():
            if other not in mine and row(after) != row(before):
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

    # -- footprints ----------------------------------------------------------------------------------------------------

    def _footprint(self, number: int, template: Template, location: int) -> Footprint:
        program, elsewhere = self.alone.program, self.places.elsewhere
        found = touched(template, template.locations[location].block, program.templates, elsewhere)
        questions = [n for n, oracle in enumerate(self.alone.oracles) if oracle.variable in found.variables]
        counted = zip(self.questions_of_credit, self.alone.counters, strict=True)
        questions += [question for question, counter in counted if counter in found.variables]
        span = template.locations[location].span
        if len(questions) > MOST_QUESTIONS:
            raise refusal(
                "DIO258",
                f"a step asks {len(questions)} different questions about other threads; {MOST_QUESTIONS} is the limit",
                span,
            )
        cells = {c for v in found.variables for c in self.cells.cells_of(v, program)}
        kept = {self.cells.common[n] for n in self._existing}
        common = tuple(n for n, cell in enumerate(self.cells.common) if cell in cells | kept)
        away = {v: self.cells.elsewhere.get(v, ()) for v in sorted(found.variables)}
        always = [c for v, cells_ in away.items() if v in elsewhere.anything for c in cells_]
        read = [c for v, cells_ in away.items() if v in found.read for c in cells_]
        self._refuse_many([*always, *read], span)
        pages = tuple(sorted(found.pages))
        return Footprint(tuple(questions), common, tuple(always), tuple(read), pages, found.moves)

    def _refuse_many(self, cells: Sequence[int], span: Span | None) -> None:
        """Raises `Refused` (DIO263) if the cells have more than `MOST_ELSEWHERE` combinations of values."""
        own = [cell for cell in cells if self.cells.owner(cell) is None]
        number = prod(len(self._may_hold(cell, 0)) for cell in own)
        if number > MOST_ELSEWHERE:
            message = f"a step depends on {number:,} possible contents of a page; {MOST_ELSEWHERE:,} is the limit"
            raise refusal("DIO263", message, span)

    def _refuse_early_questions(self) -> None:
        """Raises `Refused` (DIO258) if code before a thread's first step asks other threads, since these need not exist
        yet."""
        asked = {oracle.variable for oracle in self.alone.oracles}
        for template in self.alone.program.templates:
            entry = template.blocks[template.entry]
            if entry.location is not None:
                continue
            if asked & touched(template, template.entry, self.alone.program.templates, self.places.elsewhere).variables:
                raise refusal(
                    "DIO258", f"`{template.name}` reads data of other threads before its first step", template.span
                )


def _kept(outcome: Outcome, n: int, value: int) -> Outcome:
    return outcome._replace(common=(*outcome.common[:n], value, *outcome.common[n + 1 :]))


def _moved(outcome: Outcome, common: Common, change: Sequence[tuple[int, int]]) -> Outcome:
    if outcome.fault is not None:
        return outcome
    after = list(common)
    for n, value in change:
        after[n] = value
    return outcome._replace(common=tuple(after))
