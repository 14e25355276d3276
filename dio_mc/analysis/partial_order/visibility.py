"""Visible steps: steps that write a cell that a property reads, or that change what it reads of a thread's control
state.

What a property reads is given by its evaluator's observations, so this also covers properties that only the solver can
decide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dio_mc.analysis.partial_order.footprints import Footprint, Footprints
from dio_mc.analysis.partial_order.walker import bits, instances
from dio_mc.analysis.values.evaluate import Evaluator
from dio_mc.analysis.values.facts import Config
from dio_mc.ir.expr import AtLocation, Expr, Load, Local, LocalOf, Me, children, walk
from dio_mc.semantics.evaluation import Scope, compile_expr
from dio_mc.semantics.evaluator import Observation

View = Callable[[Config], object]
"""The part of a control state that an observation reads."""


class Visibility:
    """The data that observations read: `cells` of variables (a bit set), and views of the control states of threads."""

    def __init__(self, footprints: Footprints, observations: Iterable[Observation]) -> None:
        self._footprints = footprints
        self._program, self._layout = footprints.program, footprints.layout
        self.cells = 0
        self._views: list[list[View]] = [[] for _ in self._program.threads]
        for observation in observations:
            if observation.cell is not None:
                self._add_cell(observation.cell)
            if observation.proposition is not None:
                self._add_atom(observation.proposition)

    def sees(self, thread: int, config: Config, step: Footprint) -> bool:
        """Whether a step may change what an observation reads."""
        if step.writes & self.cells or any(self._views[one] for one in instances(self._program, step.spawns)):
            return True
        return any(view(config) != view(after) for view in self._views[thread] for after in step.after)

    def _add_cell(self, cell: int) -> None:
        first = self._layout.pc[0] if self._layout.pc else self._layout.size
        if cell < first:
            self.cells |= 1 << cell
            return
        thread = max(t for t, pc in enumerate(self._layout.pc) if pc <= cell)
        place = cell - self._layout.pc[thread]
        known = place == 0 or self._footprints.facts.configs[thread] is not None
        self._views[thread].append((lambda config: config[place]) if known else _anything())

    def _add_atom(self, atom: Expr) -> None:
        evaluator = Evaluator(self._program, self._layout, list(self._footprints.facts.cells))
        for part in walk(atom):
            if isinstance(part, Load):
                self.cells |= bits(evaluator.addresses(part.variable, part.indices, (), -1, total=True))
        for thread, views in enumerate(self._views):
            views += [self._view(thread, part) for part in _of_thread(atom, thread)]

    def _view(self, thread: int, expr: Expr) -> View:
        """The view of an expression that reads nothing except the control state of one thread."""
        exact = self._footprints.facts.configs[thread] is not None
        if not exact and any(isinstance(part, LocalOf) for part in walk(expr)):
            return _anything()
        value = compile_expr(expr, Scope(self._program, self._layout, None))
        pc, size = self._layout.pc[thread], self._layout.size

        def view(config: Config) -> int:
            state = [0] * size
            state[pc : pc + len(config)] = config
            return value(state)

        return view


def _anything() -> View:
    """A view under which no two control states are equal: it reads locals that are not known."""
    return lambda _: object()


def _of_thread(expr: Expr, thread: int) -> Iterator[Expr]:
    """The largest sub-expressions that read the control state of `thread` and nothing else."""
    leaves = [part for part in walk(expr) if not children(part)]
    own = [part for part in leaves if isinstance(part, AtLocation | LocalOf) and part.thread == thread]
    if not own:
        return
    foreign = [part for part in leaves if isinstance(part, AtLocation | LocalOf | Local | Me) and part not in own]
    if not foreign and not any(isinstance(part, Load) for part in walk(expr)):
        yield expr
        return
    for part in children(expr):
        yield from _of_thread(part, thread)
