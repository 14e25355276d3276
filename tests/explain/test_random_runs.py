"""Causes of random programs: windows against brute force, ways out against a search of their own, words that fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
from explained import Case, cases_of
from ir_builder import at, equal, load, number
from random_rounds import SMALL, random_rounds
from windows_by_force import brute_force

from dio_mc.explain.window import candidates, try_window
from dio_mc.ir.program import Fairness, Program, Property, PropertyKind
from dio_mc.render.commit import render_commit
from dio_mc.render.lkml import render_lkml
from dio_mc.render.svg import render_svg
from dio_mc.render.why import why_sentences
from dio_mc.trace.codec import decode, encode

MOST_STATES = 40


def asked(seed: int) -> Program:
    """Two threads or three that go round, with goals that they may never meet."""
    goals = [(kind, fairness, value) for kind, fairness in KINDS for value in (1, 2)]
    properties = [_property(*goal, which=seed % 2) for goal in goals]
    return replace(random_rounds(seed), properties=tuple(properties))


KINDS: tuple[tuple[PropertyKind, Fairness], ...] = (
    ("progress", "weak"),
    ("progress", "strong"),
    ("always_reachable", "weak"),
)


def _property(kind: PropertyKind, fairness: Fairness, value: int, which: int) -> Property:
    expr = equal(load(which, type_=SMALL), number(value))
    return Property(f"{kind}_{fairness}_{value}", kind, expr, "", at(1), lambda: None, None, fairness=fairness)


def small(seed: int) -> list[Case]:
    found = cases_of(asked(seed))
    return [case for case in found if len(_reachable(case)) <= MOST_STATES]


def _reachable(case: Case) -> set[tuple[int, ...]]:
    found, todo = set[tuple[int, ...]](), list(case.interpreter.starting())
    while todo and len(found) <= MOST_STATES:
        state = todo.pop()
        if state not in found:
            found.add(state)
            todo += [step.state for step in case.interpreter.successors(state) if step.state is not None]
    return found


@pytest.mark.parametrize("group", range(2))
def test_every_window_is_as_brute_force_says(group: int) -> None:
    verdicts = []
    for seed in range(250 * group, 250 * group + 250):
        for case in small(seed):
            for pair in candidates(case.schedule)[:3]:
                tried = try_window(case.interpreter, case.schedule, pair, case.trace.property, case.property, 1000)
                assert tried.gone == brute_force(case, pair), (seed, case.name, pair)
                verdicts.append((case.trace.loop is not None, tried.gone))
    for looped in (False, True):
        assert verdicts.count((looped, True)) > 3
        assert verdicts.count((looped, False)) > 3


@pytest.mark.slow
def test_what_is_said_fits_and_is_kept() -> None:
    told = 0
    for seed in range(150):
        for case in small(seed):
            trace = case.trace
            assert decode(encode(trace)) == trace
            assert len(why_sentences(trace)) <= 5
            assert max(map(len, render_lkml(trace).split("\n"))) <= 72
            assert render_commit(trace).isascii()
            assert render_svg(trace).startswith("<svg ")
            told += bool(trace.why and (trace.why.waits or trace.why.escape))
    assert told > 20
