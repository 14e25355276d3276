"""An interpreter that runs no step twice gives what the interpreter gives, in every state that can be reached."""

from dataclasses import replace

import pytest
from ir_builder import END, block, branch, cell, equal, jump, load, number, plus, program, put, template, variable
from random_programs import random_program

from dio_mc.ir.ops import Choose, Halt, Option
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.machine import Machine
from dio_mc.semantics.remembering import Remembering, _Watched

MOST = 400
"""States that are compared of each program."""


def compared(made: Program, like: Remembering | None = None) -> Remembering:
    plain, quick = Interpreter(made), Remembering(made, like)
    assert quick.initial() == plain.initial()
    seen = dict.fromkeys(plain.initial())
    waiting = list(seen)
    while waiting and len(seen) < MOST:
        state = waiting.pop()
        steps = plain.successors(state)
        assert quick.successors(state) == steps
        assert quick.successors(state) == steps, "remembered"
        fresh = dict.fromkeys(step.state for step in steps if step.state is not None and step.state not in seen)
        seen |= fresh
        waiting += fresh
    return quick


def begun_otherwise(made: Program) -> Program:
    """The same program, the other way round at first."""
    variables = tuple(replace(v, init=tuple(1 - n if n in (0, 1) else n for n in v.init)) for v in made.variables)
    return replace(made, variables=variables, name="otherwise")


@pytest.mark.parametrize("seeds", [range(n, n + 25) for n in range(0, 100, 25)], ids=lambda r: f"{r.start}")
def test_random_programs_step_as_the_interpreter_says(seeds):
    for seed in seeds:
        made = random_program(seed)
        learned = compared(made)
        compared(begun_otherwise(made), learned)


def straight_on(*ops, variables):
    body = template(block(to=1), block(*ops, to=END, location=1))
    return program(variables, [body])


def test_what_is_written_is_written_where_it_was_there_already():
    two = [variable("a"), variable("b")]
    made = straight_on(put(cell(0), 1), variables=two)
    quick = Remembering(made)
    (start,) = quick.initial()
    assert quick.successors((1, *start[1:]))[0].state[0] == 1
    assert quick.successors((0, *start[1:]))[0].state[0] == 1


def test_what_one_alternative_writes_another_one_reads():
    options = tuple(Option(number(n)) for n in (0, 1))
    other = put(cell(1), plus(load(0), load(1)))
    body = template(
        block(to=1),
        block(Choose(cell(2), options), to=jump(2), location=1),
        block(put(cell(0), 0), other, to=END),
    )
    compared(program([variable("a", init=1), variable("b", init=1), variable("c")], [body]))


def test_a_crash_is_remembered_too():
    other = template(block(to=1), block(put(cell(0), 1), to=END, location=1))
    crash = template(block(to=1), block(Halt(), to=END, location=1))
    compared(program([variable("a")], [other, crash]))


@pytest.fixture
def runs(monkeypatch):
    """Grows by one with each step that is run."""
    found = []
    run = Machine.runs
    monkeypatch.setattr(Machine, "runs", lambda machine, waiting: found.append(1) or run(machine, waiting))
    return found


def test_a_step_is_run_once(runs):
    made = straight_on(put(cell(0), load(1)), variables=[variable("a"), variable("b"), variable("c")])
    quick = Remembering(made)
    (start,) = quick.initial()
    runs.clear()
    at = start[3:]
    for state in ((0, 5, 0, *at), (1, 5, 2, *at), (2, 5, 7, *at)):
        assert quick.successors(state)[0].state[:3] == (5, 5, state[2])
    assert len(runs) == 1
    assert quick.successors((0, 6, 0, *at))[0].state[0] == 6
    assert len(runs) == 2


def test_what_another_way_through_the_step_reads_does_not_matter(runs):
    body = template(
        block(to=1),
        block(to=branch(equal(load(0), 1), 2, 3), location=1),
        block(put(cell(3), load(1)), to=END),
        block(put(cell(3), 7), put(cell(3), plus(load(3), load(2))), to=END),
    )
    quick = Remembering(program([variable(name) for name in "abcd"], [body]))
    (start,) = quick.initial()
    runs.clear()
    at = start[4:]
    for state in ((1, 5, 0, 0, *at), (0, 5, 1, 0, *at), (0, 6, 1, 3, *at), (1, 5, 2, 9, *at)):
        assert quick.successors(state)[0].state[3] == (5 if state[0] else 8)
    assert len(runs) == 2


def test_a_slice_reads_all_its_cells() -> None:
    watched = _Watched([5, 6, 7, 8])
    watched[2] = 0
    assert watched[1:] == [6, 0, 8]
    assert list(watched.read) == [1, 3]
