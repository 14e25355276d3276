"""What a model does without interleaving, and with some of its threads only: a fix must not change
that.

A fix restricts or reorders what threads do to each other. So a run in which one thread goes after
the other, each to its end and the daemons with it, has to end with data with which such a run of
the original model could end; and a subset of the threads must not get stuck if it did not before
(regression freedom in the sense of Cerny et al., CAV 2014, for these schedules).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Final

from dio_mc.fix.screen import unfinished, without
from dio_mc.ir.program import Program
from dio_mc.ir.types import show_value
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State

MOST_STATES: Final = 20_000
"""The number of states of one order of threads after which it is given up."""
MOST_ORDERED: Final = 3
"""Up to this number of threads all orders are run; of more threads each one alone."""
Outcome = tuple[tuple[str, str], ...]
"""The data at the end: cells and their values in the author's notation."""
Order = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Serial:
    """The results of running threads in each order: the possible data at the end, None if the order
    was not run to its end (a thread got stuck, or there were too many states). `stuck` are sets of
    threads of which one got stuck with no others running."""

    outcomes: dict[Order, frozenset[Outcome] | None]
    stuck: frozenset[Order]


def serial_runs(program: Program, enough: Callable[[], object]) -> Serial:
    """Run the threads one after the other, in every order considered; `enough` is polled."""
    interpreter = Interpreter(program)
    threads = [t for t in range(len(program.threads)) if not _is_beside(program, t)]
    orders = [*((t,) for t in threads), *(permutations(threads) if 1 < len(threads) <= MOST_ORDERED else ())]
    found: dict[Order, frozenset[Outcome] | None] = {}
    for order in orders:
        names = tuple(program.threads[t].name for t in order)
        found[names] = None if enough() is not None else _outcomes(interpreter, order, threads)
    stuck = [group for group in _groups(threads) if enough() is None and _stands_still(interpreter, group, threads)]
    return Serial(found, frozenset(tuple(program.threads[t].name for t in group) for group in stuck))


def _is_beside(program: Program, thread: int) -> bool:
    template = program.template_of(thread)
    return template.daemon or template.spawned


def _groups(threads: list[int]) -> Iterator[tuple[int, ...]]:
    """Subsets of the threads; if there are many threads, each one alone and all but one."""
    sizes = range(1, len(threads)) if len(threads) <= MOST_ORDERED + 1 else (1, len(threads) - 1)
    for size in sizes:
        yield from combinations(threads, size)


def _stands_still(interpreter: Interpreter, group: tuple[int, ...], threads: list[int]) -> bool:
    absent = [t for t in threads if t not in group]
    ahead = [without(interpreter, state, absent) for state in interpreter.initial()]
    seen = set(ahead)
    while ahead and len(seen) <= MOST_STATES:
        state = ahead.pop()
        steps = interpreter.successors(state)
        if not steps and unfinished(interpreter, state):
            return True
        new = {s.state for s in steps if s.state is not None} - seen
        seen |= new
        ahead += sorted(new)
    return False


def _outcomes(interpreter: Interpreter, order: tuple[int, ...], threads: list[int]) -> frozenset[Outcome] | None:
    """The data in the final states of all runs in which these threads run one after the other."""
    absent = [t for t in threads if t not in order]
    ahead = [(0, without(interpreter, state, absent)) for state in interpreter.initial()]
    seen = set(ahead)
    ends: set[State] = set()
    while ahead:
        turn, state = ahead.pop()
        while turn < len(order) and not state[interpreter.layout.pc[order[turn]]]:
            turn += 1
        steps = [s for s in interpreter.successors(state) if s.action.thread not in order[turn + 1 :]]
        if not steps and turn < len(order):
            return None
        if not steps:
            ends.add(state)
        new = {(turn, s.state) for s in steps if s.state is not None} - seen
        if len(seen) > MOST_STATES or any(s.state is None for s in steps):
            return None
        seen |= new
        ahead += sorted(new)
    return frozenset(_data(interpreter, state) for state in ends) or None


def _data(interpreter: Interpreter, state: State) -> Outcome:
    program, layout = interpreter.program, interpreter.layout
    found: list[tuple[str, str]] = []
    for number, variable in enumerate(program.variables):
        if variable.role == "data":
            first = layout.variable_base[number]
            found += [
                (variable.cell_name(cell), show_value(variable.type, state[first + cell]))
                for cell in range(variable.size)
            ]
    return tuple(found)


def stands_still(before: Serial, after: Serial) -> Order | None:
    """The smallest set of threads of which one gets stuck and did not before."""
    return min(after.stuck - before.stuck, key=lambda order: (len(order), order), default=None)


def new_outcome(before: Serial, after: Serial) -> tuple[Order, tuple[str, ...]] | None:
    """An order of threads that ends with data with which it could not end before, and the cells
    concerned with their values; or an order that does not end any more (then without cells)."""
    for order, known in before.outcomes.items():
        found = after.outcomes.get(order)
        if known is None or (found is not None and found <= known):
            continue
        if found is None:
            return order, ()
        return order, _differing(min(found - known), known)
    return None


def _differing(outcome: Outcome, known: frozenset[Outcome]) -> tuple[str, ...]:
    """The cells in which an outcome differs from the nearest known one."""
    near = min(known, key=lambda k: (sum(a != b for a, b in zip(outcome, k, strict=True)), k))
    return tuple(f"{a[0]} = {a[1]}" for a, b in zip(outcome, near, strict=True) if a != b)
