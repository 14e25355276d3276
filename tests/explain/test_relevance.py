"""The definition of the steps that matter, by replay: on the repository's counterexamples and on random programs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from explained import Case, cases, cases_of
from ir_builder import at, equal, load, number
from random_programs import random_program
from random_rounds import SMALL

from dio_mc.explain import relevance
from dio_mc.explain.relevance import late
from dio_mc.explain.run import Run
from dio_mc.explain.shown import shows_again
from dio_mc.ir.program import Property
from dio_mc.semantics.step import Action


def shown(case: Case, actions: list[Action]) -> bool:
    """Whether a schedule of the program runs and violates what the case violates: by the interpreter alone."""
    stem = len(case.actions) if case.trace.loop is None else case.trace.loop - 1
    shows = shows_again(Run(case.interpreter, case.states, case.actions), case.trace, case.property, stem)
    states, fault = [case.states[0]], None
    taken = [*actions, *case.actions[stem:]]
    for action in taken:
        step = case.interpreter.step(states[-1], action)
        if step is None:
            return False
        fault = step.fault
        if step.state is None:
            break
        states.append(step.state)
    return shows(relevance.Ran(tuple(states), tuple(a.thread for a in taken), fault))


def stem_of(case: Case) -> list[Action]:
    loop = case.trace.loop
    return list(case.actions if loop is None else case.actions[: loop - 1])


def check(case: Case) -> None:
    assert case.trace.why is not None
    stem = stem_of(case)
    matter = {n for n in case.trace.why.steps if n <= len(stem)}
    assert shown(case, stem)
    assert shown(case, late(stem, matter)), "the steps that matter, all else late or left out"
    for one in set(range(1, len(stem) + 1)) - matter:
        own = [n for n in range(one, len(stem)) if stem[n].thread == stem[one - 1].thread]
        until = own[0] if own else len(stem)
        moved = [stem[one - 1]] if own else []
        rest = stem[: one - 1] + stem[one:until] + moved + stem[until:]
        assert shown(case, rest), f"step {one} as late as it can go, or left out"


@pytest.mark.parametrize("case", [c for c in cases() if c.trace.why and c.trace.why.steps], ids=lambda c: c.name)
def test_every_counterexample_of_the_models(case: Case) -> None:
    check(case)


def test_every_shipped_counterexample_says_which_steps_matter() -> None:
    assert [c.name for c in cases() if c.trace.steps and not (c.trace.why and c.trace.why.steps)] == []


def asked(seed: int) -> list[Case]:
    program = random_program(seed)
    exprs = [equal(load(which, type_=SMALL), number(value)) for which in (0, 1) for value in (1, 2)]
    if len(program.variables) < 2 or any(v.size != 1 for v in program.variables[:2]):
        exprs = []
    properties = tuple(
        Property(f"never_{n}", "reachable", expr, "", at(1), lambda: None, None) for n, expr in enumerate(exprs)
    )
    return cases_of(replace(program, properties=properties), 400)


@pytest.mark.parametrize("group", range(4))
@pytest.mark.slow
def test_random_programs(group: int) -> None:
    checked = 0
    for seed in range(250 * group, 250 * group + 250):
        for case in asked(seed):
            if case.trace.steps and case.trace.why is not None and case.trace.why.steps:
                check(case)
                checked += 1
    assert checked > 50


def test_a_wrong_answer_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving one step out of those that matter loses the violation somewhere."""
    lost = 0
    for case in cases():
        if case.trace.why is None or case.trace.loop is not None:
            continue
        for left_out in case.trace.why.steps:
            lost += not shown(case, late(stem_of(case), set(case.trace.why.steps) - {left_out}))
    assert lost > 100


def test_too_many_trials_are_no_answer() -> None:
    case = next(c for c in cases() if c.name == "Ext3-no_stale_exposure")
    shows = shows_again(Run(case.interpreter, case.states, case.actions), case.trace, case.property, 12)
    nothing = (frozenset[int](),) * 12
    few = relevance.Trials(case.interpreter, case.states, case.actions, (), shows, frozenset(), nothing, 40)
    assert relevance.relevant_steps(few) is None
    assert few.ran == 41
