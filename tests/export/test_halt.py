"""A step that ends all other threads: the interpreter, the naive semantics, machine code and guarded commands agree."""

from __future__ import annotations

import random
from dataclasses import replace

import asking
import pytest
from asking import explore_reference
from guarded import reached
from ir_builder import at, block, cell, equal, load, program, put, straight, template, variable, wait
from naive import Broken, Naive
from random_programs import random_program

from dio_mc.analysis.values.sets import Unsupported
from dio_mc.errors import ModelError
from dio_mc.export.commands import commands_of
from dio_mc.ir.ops import Halt
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Budget


def halting(seed: int) -> Program:
    """A random program, some of whose steps halt all other threads."""
    made, chance = random_program(seed), random.Random(seed)
    first = made.templates[0]
    blocks = tuple(
        replace(one, ops=(Halt(at(90 + n)), *one.ops)) if one.ops and chance.random() < 0.4 else one
        for n, one in enumerate(first.blocks)
    )
    return replace(made, templates=(replace(first, blocks=blocks), *made.templates[1:]))


def test_others_end_and_their_locals_are_dead() -> None:
    other = template(block(put(cell(0), 1), to=1, location=1), block(to=1), name="other")
    crasher = template(block(Halt(at(3)), put(cell(1), load(0)), location=1), name="crasher")
    made = program([variable("a"), variable("b")], [other, crasher])
    interpreter = Interpreter(made)
    (start,) = interpreter.initial()
    (step,) = [s for s in interpreter.successors(start) if s.action.thread == 1]
    assert step.state is not None
    assert [step.state[pc] for pc in interpreter.layout.pc] == [0, 0]


def test_the_running_thread_goes_on() -> None:
    made = program([variable("a")], [straight([Halt(at(1)), put(cell(0), 1)]), straight(wait(equal(load(0), 2)))])
    found = explore_reference(made, [])
    assert (found.states, found.complete) == (2, True)


@pytest.mark.parametrize("group", range(2))
def test_random_programs(group: int) -> None:
    exported = compiled = 0
    for seed in range(group * 12, group * 12 + 12):
        made = halting(seed)
        interpreter, naive = Interpreter(made), Naive(made)
        waiting = list(interpreter.initial())
        assert waiting == naive.initial()
        seen = set(waiting)
        while waiting and len(seen) < 200:
            state = waiting.pop(0)
            found = interpreter.successors(state)
            told = [(s.action, (s.fault.kind, s.fault.span) if s.fault else s.state) for s in found]
            expected = [(a, (r.kind, r.span) if isinstance(r, Broken) else r) for a, r in naive.successors(state)]
            assert told == expected, seed
            fresh = dict.fromkeys(s.state for s in found if s.state and s.state not in seen)
            seen.update(fresh)
            waiting += fresh
        compiled += _machine_code(made)
        exported += _commands(made)
    assert compiled >= 6
    assert exported >= 3


def _machine_code(made: Program) -> bool:
    budget = Budget(max_states=2000)
    whole = explore_reference(made, [], budget)
    if not whole.complete:
        return False
    try:
        found = asking.native(made, [], budget, quick=True)
    except Unsupported:
        return False
    assert (found.states, found.transitions, found.depth) == (whole.states, whole.transitions, whole.depth)
    assert [v.property for v in found.violations] == [v.property for v in whole.violations]
    return True


def _commands(made: Program) -> bool:
    whole = explore_reference(made, [], Budget(max_states=1000))
    if not whole.complete:
        return False
    try:
        states, transitions, _ = reached(commands_of(made), Interpreter(made).initial())
    except ModelError:
        return False
    assert (states, transitions) == (whole.states, whole.transitions)
    return True
