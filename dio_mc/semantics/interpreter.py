"""The reference interpreter: Program -> initial states and successors. It is the oracle for every other engine.

A step of a thread at location L begins at the block of L and runs until control enters a block that begins a location,
or the thread ends. It is all or nothing:

- an `Await` that is false, or a `Choose` without an open option: this run does not exist;
- a fault (`Check`, index, range, no idle slot, a loop that never reaches a step): the step has no successor;
- a `Choose` forks the step, in the order of its options; the positions taken are the action's `choice`. A fault in an
  option's own guard or value belongs to that option.

The implementation is deliberately plain: expressions are closures (`evaluation`), blocks are lists of closures
(`code`), a run (`machine`) is a list of cells and a position in the code. It reads the program before any other pass of
dio-mc has changed it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dio_mc.errors import InternalError
from dio_mc.ir.expr import Expr, walk
from dio_mc.ir.program import Program
from dio_mc.ir.types import bounds
from dio_mc.semantics.code import Code, compile_thread
from dio_mc.semantics.evaluation import Evaluate, FaultRaised, Scope, compile_expr
from dio_mc.semantics.layout import Layout, State, layout_of
from dio_mc.semantics.machine import Machine, Outcome, Run
from dio_mc.semantics.step import Action, Fault, Step


class Interpreter:
    """The semantics of one program.

    `program` is the program, `layout` the layout of its states. A thread that is not at location 0 and has no step in
    `successors` is blocked. `layout` is another one than `layout_of` gives: one that leaves room.
    """

    def __init__(self, program: Program, layout: Layout | None = None) -> None:
        self.program = program
        self.layout: Layout = layout or layout_of(program)
        self._codes: tuple[Code, ...] = self._compiled()
        self._machine = Machine(program, self.layout, self._codes)
        self._pcs = tuple(enumerate(self.layout.pc))
        self._expressions: dict[Expr, tuple[Evaluate, bool]] = {}
        self._good: list[State] = []
        self._known: set[State] = set()
        self._bad: dict[tuple[State, Fault], None] = {}
        self._products: Iterator[State] = _every(self._initial_values())

    @property
    def codes(self) -> tuple[Code, ...]:
        """The code of each thread instance."""
        return self._codes

    def _compiled(self) -> tuple[Code, ...]:
        return tuple(compile_thread(self.program, self.layout, thread) for thread in range(len(self.program.threads)))

    # -- initial states ---------------------------------------------------------------------------------------------

    def initial(self) -> list[State]:
        """The initial states, each once: every value of every `any_init` cell (the first cell varies slowest), after
        running every thread's local prefix in thread order. A start whose prefix has a fault is not among them."""
        return list(self.starting())

    def starting(self) -> Iterator[State]:
        """The states of `initial`, each as soon as it is found: with `any_init` cells there may be too many to
        enumerate."""
        position = 0
        while position < len(self._good) or self._find_more():
            yield self._good[position]
            position += 1

    @property
    def initial_faults(self) -> list[tuple[int, Fault]]:
        """Faults in local prefixes, as (position in `starts`, fault)."""
        good = len(self.initial())
        return [(good + position, fault) for position, (_, fault) in enumerate(self._bad)]

    @property
    def starts(self) -> list[State]:
        """The list that `Violation.initial` indexes: the initial states, then for each initial fault the cells before
        the prefix that failed (its thread still at location 0). The latter have no successors."""
        return [*self.initial(), *(state for state, _ in self._bad)]

    def _find_more(self) -> bool:
        """Search until at least one more initial state is found; faults on the way are recorded. False if there is
        none."""
        known = len(self._good)
        for cells in self._products:
            for outcome, before in self._run_prefixes(cells):
                if outcome.fault is not None:
                    self._bad[before, outcome.fault] = None
                elif outcome.state is not None and outcome.state not in self._known:
                    self._known.add(outcome.state)
                    self._good.append(outcome.state)
            if len(self._good) > known:
                return True
        return False

    def _initial_values(self) -> list[Sequence[int]]:
        """The possible initial values of each cell."""
        values: list[Sequence[int]] = []
        for variable in self.program.variables:
            low, high = bounds(variable.type)
            for value in variable.init:
                values.append(range(low, high + 1) if variable.any_init else (value,))
        values += [(0,)] * (self.layout.size - len(values))
        for number, thread in enumerate(self.program.threads):
            template = self.program.templates[thread.template]
            numbered = not template.spawned and template.parameters > 0
            for cell, local in enumerate(template.locals, start=self.layout.local_base[number]):
                values[cell] = (local.default,)
            if numbered and template.locals:
                values[self.layout.local_base[number]] = (thread.number,)
        return values

    def _run_prefixes(self, cells: State) -> list[tuple[Outcome, State]]:
        """The outcomes of all runs of all prefixes, each with the cells before its last prefix."""
        found = [(Outcome((), cells, None), cells)]
        for thread, code in enumerate(self._codes):
            if self.program.template_of(thread).spawned:
                continue
            further: list[tuple[Outcome, State]] = []
            for outcome, before in found:
                if outcome.state is None:
                    further.append((outcome, before))
                    continue
                run = Run(list(outcome.state), thread, code.entry, code.entry_span)
                further += [(ended, outcome.state) for ended in self._machine.enter_and_finish(run)]
            found = further
        return found

    # -- steps ------------------------------------------------------------------------------------------------------

    def successors(self, state: State) -> list[Step]:
        """Every step that exists in `state`, ordered by thread and then by choice."""
        steps: list[Step] = []
        for thread, pc in self._pcs:
            if location := state[pc]:
                steps += self._steps_of(state, thread, location)
        return steps

    def successors_of(self, state: State, thread: int) -> list[Step]:
        """Every step of one thread that exists in `state`, ordered by choice."""
        location = state[self.layout.pc[thread]]
        return self._steps_of(state, thread, location) if location else []

    def step(self, state: State, action: Action) -> Step | None:
        """The step of one action; None if it is not enabled in `state`."""
        thread, location = action.thread, action.location
        if not 0 <= thread < len(self._codes) or location == 0 or location != state[self.layout.pc[thread]]:
            return None
        steps = self._steps_of(state, thread, location)
        return next((step for step in steps if step.action == action), None)

    def _steps_of(self, state: State, thread: int, location: int) -> list[Step]:
        return self.steps_on(list(state), thread, location)

    def steps_on(self, cells: list[int], thread: int, location: int) -> list[Step]:
        """Every step of a thread at `location`, executed on `cells` and copies of it. To learn what a step reads, pass
        a list that records its reads."""
        code = self._codes[thread]
        run = Run(cells, thread, code.begin[location], code.spans[location])
        plain = code.actions[location]
        return [
            Step(Action(thread, location, choice) if choice else plain, after, fault)
            for choice, after, fault in self._machine.finish([run])
        ]

    # -- properties -------------------------------------------------------------------------------------------------

    def evaluate(self, expr: Expr, state: State, after: State | None = None) -> int:
        """The value of a property expression on a state, or with `after` on a step.

        Raises `InternalError` for an expression that a property may not contain, for one that reads ``after`` without
        an `after` state, and for a run-time fault (the loads of a property are `total`).
        """
        function, reads_after = self.compiled(expr)
        if reads_after and after is None:
            raise InternalError("a step property was evaluated on a single state")
        try:
            return function(state if after is None else state + after)
        except FaultRaised as raised:
            raise InternalError(f"a property is not total: {raised.fault.message}") from None

    def compiled(self, expr: Expr) -> tuple[Evaluate, bool]:
        """A property expression as a function of ``state`` or ``state + after``, and whether it needs the latter."""
        found = self._expressions.get(expr)
        if found is None:
            reads_after = any(getattr(part, "after", False) for part in walk(expr))
            found = compile_expr(expr, Scope(self.program, self.layout, None)), reads_after
            self._expressions[expr] = found
        return found


def _every(choices: Sequence[Sequence[int]]) -> Iterator[State]:
    """Like `itertools.product`, but lazy in its arguments: that function copies all choices first, and there may be a
    billion."""
    if any(not values for values in choices):
        return
    at = [0] * len(choices)
    cells = [values[0] for values in choices]
    while True:
        yield tuple(cells)
        for place in reversed(range(len(choices))):
            at[place] = (at[place] + 1) % len(choices[place])
            cells[place] = choices[place][at[place]]
            if at[place]:
                break
        else:
            return
