"""Searches of a part of the state space: random runs, and schedules with few preemptions.

Each first collects a set of reachable states, without evaluating properties. Then the reference engine searches that
set as it would search the whole state space: every state in it is judged, with every step out of it, and a violation
gets the shortest counterexample inside the set. So a violation is real and has a schedule that replays; everything else
is undetermined, and a sentence describes what was covered. Properties of whole runs (`ir.program.LIVENESS`) are not
evaluated, because a part of the graph does not decide them.

Preemptions: Musuvathi, Qadeer: Iterative context bounding for systematic testing of multithreaded programs, 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from random import Random
from typing import Final, TypeVar, assert_never

from dio_mc.engines.kept import uncertain
from dio_mc.engines.limits import Limits
from dio_mc.engines.reference import engine
from dio_mc.engines.reference.search import POLL_EVERY, Part, Taken
from dio_mc.ir.program import LIVENESS
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.search import (
    Budget,
    Exploration,
    FewPreemptions,
    Progress,
    RandomRuns,
    Report,
    Sampled,
    SearchRequest,
)
from dio_mc.semantics.stop import Stop, StopKind

T = TypeVar("T")

LENGTH: Final = 1_000
"""The length of a random run in steps, unless `Budget.max_depth` is set."""
STARTS: Final = 4_096
"""Random runs begin in one of this many initial states, the first ones."""


def explore_partly(request: SearchRequest, partial: Sampled) -> tuple[Exploration, str]:
    """The exploration of a part of the state space, which is never complete; and a sentence on what was covered.

    The budget and `stop` end the collection of states; those collected until then are judged nevertheless.
    """
    part = _Found(Interpreter(request.program), Limits(request.budget, request.stop), request.report)
    covered = _walked(part, partial)
    asked = [evaluator for evaluator in request.evaluators if evaluator.property.kind not in LIVENESS]
    depth = request.budget.max_depth if isinstance(partial, FewPreemptions) else None
    inside = replace(request, evaluators=asked, budget=Budget(max_depth=depth), stop=None)
    found = engine.explore(inside, Taken(within=Part(part.states, part.starts)))
    stopped = part.stopped or found.stopped or _by_choice(partial)
    if found.open or part.starts is not None:
        found = uncertain(found)
    return replace(found, stopped=stopped), f"covered {covered}; {_outside(found, part)}"


def _by_choice(partial: Sampled) -> Stop:
    match partial:
        case RandomRuns(runs):
            return Stop(StopKind.SIMULATE, runs)
        case FewPreemptions(most):
            return Stop(StopKind.PREEMPTIONS, most)
        case _:
            assert_never(partial)


def _walked(part: _Found, partial: Sampled) -> str:
    """Fill the set; return a description of it."""
    match partial:
        case RandomRuns(runs, seed):
            limit = part.limits.budget.max_depth
            return _run_at_random(part, runs, Random(seed), LENGTH if limit is None else limit)
        case FewPreemptions(most):
            whole = "every schedule" if _preempt(part, most) else "some schedules"
            times = "without preemptions" if most == 0 else f"with at most {most} preemption{'s' if most > 1 else ''}"
            return f"{whole} {times}"
        case _:
            assert_never(partial)


def _outside(found: Exploration, part: _Found) -> str:
    if found.open:
        others = f"{found.open:,} other {'state' if found.open == 1 else 'states'}"
        return f"from there steps lead to {others}; a counterexample is the shortest among what was covered"
    if part.starts is not None:
        return f"begun in the first {part.starts:,} initial states only"
    return "no step leads out of what was covered: these are all states"


class _Found:
    """A growing set of states, until a limit is reached."""

    def __init__(self, interpreter: Interpreter, limits: Limits, report: Report | None) -> None:
        self.interpreter = interpreter
        self.limits = limits
        self.states: set[State] = set()
        self.starts: int | None = None
        self.stopped: Stop | None = None
        self._report = report
        self._looks = 0

    def goes_on(self) -> bool:
        """Whether there is time and room for one more step."""
        most = self.limits.budget.max_states
        if most is not None and len(self.states) >= most:
            self.stopped = Stop(StopKind.MAX_STATES, most)
        elif self._looks % POLL_EVERY == 0:
            if self._report is not None:
                self._report(Progress(0, len(self.states), 0, 0, self.limits.seconds))
            self.stopped = self.limits.exceeded()
        self._looks += 1
        return self.stopped is None


# -- random runs -------------------------------------------------------------------------------------------------------


def _run_at_random(part: _Found, runs: int, random: Random, length: int) -> str:
    starts = list(islice(part.interpreter.starting(), STARTS))
    part.starts = STARTS if len(starts) == STARTS else None
    lengths: list[int] = []
    while starts and len(lengths) < runs and part.goes_on():
        lengths.append(_one_run(part, _any(starts, random), random, length))
    longest = max(lengths, default=0)
    return f"{len(lengths):,} random {'run' if len(lengths) == 1 else 'runs'}, the longest of {longest:,} steps"


def _one_run(part: _Found, state: State, random: Random, length: int) -> int:
    """Take random steps until nothing is enabled, a fault, or `length` steps; return the number of steps."""
    part.states.add(state)
    for taken in range(length):
        steps = part.interpreter.successors(state)
        following = _any(steps, random).state if steps else None
        if following is None or not part.goes_on():
            return taken
        state = following
        part.states.add(state)
    return length


def _any(choices: Sequence[T], random: Random) -> T:
    """A uniformly random element. Only `Random.random` is guaranteed to give the same numbers in every version of
    Python."""
    return choices[int(random.random() * len(choices))]


# -- few preemptions ---------------------------------------------------------------------------------------------------

NOBODY: Final = -1
"""The last thread before the first step."""


def _preempt(part: _Found, most: int) -> bool:
    """Collect all states of schedules with at most `most` preemptions; False if a limit ended it.

    The continuations of a state depend on which thread took the last step, so the search is over pairs (state, last
    thread), those with fewer preemptions first.
    """
    level: list[tuple[State, int]] = []
    for number, state in enumerate(part.interpreter.starting()):
        if not part.goes_on():
            part.starts = number
            break
        part.states.add(state)
        level.append((state, NOBODY))
    seen: set[tuple[State, int]] = set()
    for _ in range(most + 1):
        preempted: list[tuple[State, int]] = []
        while level:
            if (pair := level.pop()) in seen:
                continue
            if not part.goes_on():
                return False
            seen.add(pair)
            part.states.add(pair[0])
            _follow(part.interpreter, pair, level, preempted)
        level = preempted
    return True


def _follow(
    interpreter: Interpreter,
    pair: tuple[State, int],
    free: list[tuple[State, int]],
    preempted: list[tuple[State, int]],
) -> None:
    """The successors of a state and its last thread: without a preemption (`free`), and with one (`preempted`)."""
    state, last = pair
    steps = interpreter.successors(state)
    could_go_on = any(step.action.thread == last for step in steps)
    for step in steps:
        if step.state is not None:
            costs = could_go_on and step.action.thread != last
            (preempted if costs else free).append((step.state, step.action.thread))
