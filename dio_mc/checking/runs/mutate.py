"""Checking mutants: the model first, then every mutant with every binding of the parameters until
one catches it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dio_mc.checking.driver import Options
from dio_mc.checking.results import Failure, Report
from dio_mc.checking.runs.execute import Outcome, run_here
from dio_mc.checking.runs.plan import Task, failure_of
from dio_mc.checking.runs.pool import run_in_processes, spread
from dio_mc.checking.runs.propose import Proposing, Survivor
from dio_mc.errors import DioError
from dio_mc.frontend.build import build
from dio_mc.frontend.declare import members_of
from dio_mc.lang.model import Model
from dio_mc.mutation.fixed import changed_data, fixed_by, lines_of_fix
from dio_mc.mutation.mutants import Mutant, Recipe, mutants_of
from dio_mc.mutation.proposals import Proposal
from dio_mc.mutation.same import same_behaviour
from dio_mc.mutation.score import Fix, Judged, Score
from dio_mc.source import Span, display_path
from dio_mc.wording import plural

UNKNOWN: Final = "is undetermined"
LARGER: Final = 10
"""A mutant may have this many times the states of the model, if no limit is given,"""
LEAST: Final = 10_000
"""and at least this many."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which mutants: those of `kinds` (all if empty), with or without inherited code; in how many
    processes. `against` names the fixed class, if it is not the one that `fixed_by` finds.
    `propose`: search for properties that catch survivors. `progress` receives the number of runs of
    mutants of a class that are done, and of all; `searching` the same for survivors."""

    options: Options
    kinds: frozenset[str] = frozenset()
    inherited: bool = False
    jobs: int = 1
    progress: Callable[[int, int], None] | None = None
    against: str = ""
    propose: bool = False
    searching: Callable[[int, int], None] | None = None

    def wants(self, mutant: Mutant) -> bool:
        """Whether a mutant is of these kinds; one that undoes a line of a fix is of the kind
        ``undo`` as well."""
        return not self.kinds or mutant.kind in self.kinds or ("undo" in self.kinds and mutant.line is not None)


def score(tasks: Sequence[Task], plan: Plan) -> Score | Failure:
    """Mutate one class: `tasks` are its bindings. Returns a `Failure` if the class itself, or
    dio-mc, is at fault."""
    bases = [done.outcome for done in run_here(tasks, plan.options)]
    for base in bases:
        if isinstance(base, Failure):
            return base
    held = [(t, b) for t, b in zip(tasks, bases, strict=True) if isinstance(b, Report) and b.verdict == "HOLDS"]
    model, file = tasks[0].model, display_path(tasks[0].file)
    if not held:
        return _not_mutated(model.__name__, file, [b for b in bases if isinstance(b, Report)])
    try:
        before = fixed_by(model, plan.against)
    except DioError as error:
        return failure_of(error, file, model.__name__)
    mutants = [m for m in mutants_of(model, inherited=plan.inherited, before=before) if plan.wants(m)]
    fates: dict[int, Judged] = {}
    built: dict[int, list[Task]] = {}
    recipe = Recipe(0, plan.inherited, before.__name__ if before is not None else "")
    for task, base in held:
        left = [m for m in mutants if m.number not in fates or fates[m.number].fate != "caught"]
        for mutant, outcome in zip(left, _run(task, base, left, recipe, plan), strict=True):
            if isinstance(outcome, Failure) and outcome.exit_code == 4:
                return outcome
            _note(fates, mutant, outcome)
            if isinstance(outcome, Report):
                built.setdefault(mutant.number, []).append(task)
    judged = [_fate(m, fates.get(m.number), built.get(m.number, []), len(held), plan) for m in mutants]
    most = max(base.states for _, base in held)
    fix = _fix(model, before, [task for task, _ in held], mutants, plan) if before is not None else None
    found = Score(model.__name__, file, tuple(_binding(b) for _, b in held), most, tuple(judged), fix=fix)
    return _with_proposals(found, built, recipe, plan) if plan.propose else found


def _not_mutated(model: str, file: str, bases: Sequence[Report]) -> Score:
    """The result for a class that does not hold: its mutants could not be distinguished from it."""
    undecided = next((b for b in bases if b.verdict == "UNDETERMINED"), None)
    if undecided is not None:
        why = f"stopped by {undecided.stopped}" if undecided.stopped else "z3 could not decide a property"
        return Score(model, file, (), 0, (), f"it is undetermined as it stands: {why}", undetermined=True)
    names = [p.name for p in bases[0].properties if p.verdict == "VIOLATED" and p.kind != "faults"]
    return Score(model, file, (), 0, (), f"it violates {', '.join(names)} as it stands")


def _fix(
    model: type[Model], before: type[Model], tasks: Sequence[Task], mutants: Sequence[Mutant], plan: Plan
) -> Fix | None:
    """The class that is fixed, if these mutants undo any line of the fix: with all lines undone it
    is `before`, which is checked."""
    if plan.kinds and not any(mutant.line is not None for mutant in mutants):
        return None
    lines = lines_of_fix(model, before)
    known = members_of(before).params
    asked = [tuple((name, value) for name, value in task.params if name in known) for task in tasks]
    first = replace(plan.options, first=True)
    runs = run_here([Task(tasks[0].file, before, params, None) for params in dict.fromkeys(asked)], first)
    outcomes = [done.outcome for done in runs]
    return Fix(before.__name__, _stands(outcomes), tuple(lines), tuple(changed_data(model, before)))


def _stands(outcomes: Sequence[Outcome]) -> str:
    """The verdict on the fixed class, as a verb phrase."""
    reports = [o for o in outcomes if isinstance(o, Report)]
    violated = next((r for r in reports if r.verdict == "VIOLATED"), None)
    if violated is not None:
        return f"violates {_caught_by(violated)}"
    return "holds too" if len(reports) == len(outcomes) and all(r.verdict == "HOLDS" for r in reports) else UNKNOWN


def _with_proposals(score: Score, built: Mapping[int, list[Task]], recipe: Recipe, plan: Plan) -> Score | Failure:
    """The score with a property for each survivor for which one is found; survivors of library code
    are left out."""
    left = [j for j in score.of("survived") if not j.mutant.library]
    survivors = [
        Survivor(tuple(replace(t, recipe=replace(recipe, number=j.mutant.number)) for t in built[j.mutant.number]))
        for j in left
    ]
    names: dict[Proposal, str] = {}
    searched: dict[int, Judged] = {}
    runs = spread(Proposing(), survivors, plan.options, plan.jobs)
    for judged, (_, found) in zip(left, runs, strict=True):
        if found.failure is not None:
            return found.failure
        if plan.searching is not None:
            plan.searching(len(searched) + 1, len(left))
        one = found.proposal
        name = names.setdefault(one, f"proposed_{len(names) + 1}") if one is not None else ""
        searched[judged.mutant.number] = replace(judged, why=found.why, proposal=name)
    every = tuple(searched.get(j.mutant.number, j) for j in score.judged)
    return replace(score, judged=every, proposals={name: one for one, name in names.items()})


def _binding(report: Report) -> str:
    return ", ".join(f"{name}={value}" for name, value in report.params.items())


def _run(task: Task, base: Report, mutants: Sequence[Mutant], recipe: Recipe, plan: Plan) -> Iterator[Outcome]:
    budget = plan.options.budget
    if budget == replace(budget, max_states=None, max_depth=None, timeout=None):
        budget = replace(budget, max_states=max(LEAST, LARGER * base.states))
    options = replace(plan.options, budget=budget, first=True)
    tasks = [replace(task, stated=None, recipe=replace(recipe, number=m.number)) for m in mutants]
    several = plan.jobs > 1 and len(tasks) > 1
    runs = run_in_processes(tasks, options, plan.jobs) if several else run_here(tasks, options)
    for number, done in enumerate(runs, start=1):
        if plan.progress is not None:
            plan.progress(number, len(tasks))
        yield done.outcome


def _note(fates: dict[int, Judged], mutant: Mutant, outcome: Outcome) -> None:
    """Record the result of one run; a mutant that holds with this binding, or is not a model with
    it, is left for the next one."""
    if isinstance(outcome, Failure):
        fates.setdefault(mutant.number, Judged(mutant, "invalid", (outcome.text.splitlines() or [""])[0]))
    elif outcome.verdict == "VIOLATED":
        fates[mutant.number] = Judged(mutant, "caught", _caught_by(outcome))
    elif outcome.verdict == "UNDETERMINED":
        reason = f"stopped by {outcome.stopped}" if outcome.stopped else "z3 could not decide a property"
        if mutant.number not in fates or fates[mutant.number].fate == "invalid":
            fates[mutant.number] = Judged(mutant, "undetermined", reason)


def _caught_by(report: Report) -> str:
    """``no_stale_exposure in 13 steps``, for the properties that failed first."""
    name = next(p.name for p in report.properties if p.verdict == "VIOLATED" and p.kind != "faults")
    steps = next((len(t.steps) for t in report.traces if t.property == name), None)
    return name if steps is None else f"{name} in {plural(steps, 'step')}"


def _fate(mutant: Mutant, noted: Judged | None, built: Sequence[Task], bindings: int, plan: Plan) -> Judged:
    """The final verdict on a mutant. It is invalid only if no binding makes it a model; one that is
    a model with some is judged by these."""
    if noted is not None and (noted.fate != "invalid" or not built):
        return noted
    found = _survivor(mutant, built, plan)
    if found.fate == "equivalent" and len(built) < bindings:
        return replace(found, why=f"{found.why}, where it is a model")
    return found


def _survivor(mutant: Mutant, tasks: Sequence[Task], plan: Plan) -> Judged:
    """The verdict on a mutant that holds with every binding: equivalence is decided here, unless
    there is no time."""
    stopped = plan.options.stop is not None and plan.options.stop() is not None
    if not stopped and all(_is_same(mutant, task, None) for task in tasks):
        return Judged(mutant, "equivalent", "every schedule is the same, with the same data")
    if not stopped and mutant.kind == "wait" and all(_is_same(mutant, task, mutant.span) for task in tasks):
        return Judged(mutant, "equivalent", "it never has to wait")
    return Judged(mutant, "survived")


def _is_same(mutant: Mutant, task: Task, without: Span | None) -> bool:
    params = dict(task.params)
    try:
        model = build(task.model, params).program
        return same_behaviour(model, build(mutant.of(task.model), params).program, without=without)
    except DioError:
        return False
