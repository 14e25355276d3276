"""Exact counts, in closed form and against the naive semantics."""

from math import comb

import pytest
from asking import explore_reference as explore
from ir_builder import (
    DIGIT,
    END,
    block,
    branch,
    cell,
    equal,
    less,
    load,
    local,
    number,
    own,
    plus,
    program,
    put,
    straight,
    template,
    variable,
    wait,
)
from naive import Broken, Naive
from random_programs import random_program

from dio_mc.ir.expr import Arith
from dio_mc.ir.types import BOOL


def independent(threads: int, steps: int):
    """Each thread counts to `steps` in a cell of its own (its location)."""
    return program([variable("a")], [straight(*[put(own(0), 0)] * steps, locals_=[(DIGIT, 0)])], [threads])


@pytest.mark.parametrize(("threads", "steps"), [(1, 1), (1, 5), (2, 3), (3, 2), (4, 3)])
def test_independent_threads_make_a_grid(threads, steps):
    found = explore(independent(threads, steps), [])
    side = steps + 1
    assert found.states == side**threads
    assert found.transitions == threads * steps * side ** (threads - 1)
    assert found.depth == threads * steps
    assert (found.stopped, found.open, found.violations, found.complete) == (None, 0, (), True)
    assert found.coverage.distinct == ()


def increments(threads: int):
    """``t = c; c = t + 1``: the lost update."""
    body = straight(put(own(0), load(0)), put(cell(0), plus(local(0), 1)), locals_=[(DIGIT, 0)])
    return program([variable("c")], [body], [threads])


def test_two_thread_counter():
    """Twelve states: by hand, and as the textbook has it."""
    found = explore(increments(2), [])
    assert (found.states, found.transitions, found.depth) == (12, 14, 4)


def test_any_init_multiplies():
    body = straight(put(cell(1), load(0)))
    found = explore(program([variable("a", any_init=True), variable("b")], [body]), [])
    assert (found.states, found.transitions, found.depth) == (20, 10, 1)


def test_self_loops_and_duplicates_are_transitions():
    spin = template(block(to=0, location=1), daemon=True)
    found = explore(program([], [spin], [3]), [])
    assert (found.states, found.transitions, found.depth) == (1, 3, 0)
    same = straight(put(cell(0), 1))
    found = explore(program([variable("a", init=1)], [same], [2]), [])
    assert (found.states, found.transitions) == (4, 4)


def test_a_choice_counts_each_option():
    from dio_mc.ir.ops import Choose, Option

    pick = straight(Choose(cell(0), tuple(Option(number(n % 2)) for n in range(6))))
    found = explore(program([variable("a")], [pick]), [])
    assert (found.states, found.transitions, found.depth) == (3, 6, 1)


def test_a_lock_makes_the_grid_a_staircase():
    """k threads, each: take a lock, release it. States: 2^k with the lock free, k 2^(k-1) with it held."""
    taken = [wait(equal(load(0, type_=BOOL), 0)), put(cell(0, type_=BOOL), 1)]
    body = straight(taken, put(cell(0, type_=BOOL), 0))
    for threads in (1, 2, 3, 4):
        found = explore(program([variable("lock", BOOL)], [body], [threads]), [])
        held = sum(comb(threads, done) * (threads - done) for done in range(threads))
        assert found.states == 2**threads + held == 2**threads + threads * 2 ** (threads - 1)


def test_a_counter_that_wraps_is_a_ring():
    turn = put(cell(0), Arith("%", plus(load(0), 1), number(7), DIGIT))
    found = explore(program([variable("a")], [template(block(turn, to=0, location=1))]), [])
    assert (found.states, found.transitions, found.depth) == (7, 7, 6)


def test_local_loops_make_no_states():
    body = template(
        block(to=1, location=1),
        block(put(own(0), plus(local(0), 1)), to=branch(less(local(0), 9), 1, 2)),
        block(put(cell(0), local(0)), to=END),
        locals_=[(DIGIT, 0)],
    )
    found = explore(program([variable("a")], [body]), [])
    assert (found.states, found.transitions) == (2, 1)


def test_an_empty_program_has_one_state():
    found = explore(program([variable("a")]), [])
    assert (found.states, found.transitions, found.depth, found.complete) == (1, 0, 0, True)
    assert found.engine == "reference"


@pytest.mark.parametrize("group", range(6))
def test_random_programs_have_the_states_of_the_naive_semantics(group):
    for seed in range(1000 + group * 40, 1040 + group * 40):
        made = random_program(seed)
        naive = Naive(made)
        level, depth, transitions = list(dict.fromkeys(naive.initial())), 0, 0
        seen, fired, blocked = set(level), set(), set()
        while level:
            following: dict = {}
            for state in level:
                edges = naive.successors(state)
                targets = [r for _, r in edges if not isinstance(r, Broken)]
                transitions += len(targets)
                following.update(dict.fromkeys(t for t in targets if t not in seen))
                moving = {a.thread for a, _ in edges}
                for t, thread in enumerate(made.threads):
                    if location := naive.unpack(state)["pc", t]:
                        (fired if t in moving else blocked).add((thread.template, location))
            seen.update(following)
            level = list(following)
            depth += bool(level)
        found = explore(made, [])
        assert (found.states, found.transitions, found.depth) == (len(seen), transitions, depth), seed
        assert (found.coverage.fired, found.coverage.blocked) == (fired, blocked), seed
