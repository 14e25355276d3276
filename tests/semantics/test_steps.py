"""What one step is: where it begins and ends, what blocks it, how it forks, how it spawns."""

import pytest
from ir_builder import (
    DIGIT,
    END,
    at,
    block,
    branch,
    cell,
    equal,
    jump,
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

from dio_mc.ir.expr import And, Arith, Me
from dio_mc.ir.ops import Assign, Choose, Option, Spawn
from dio_mc.ir.types import RangeType, ThreadIdType
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.step import Action, Step


def only(steps: list[Step]) -> Step:
    (step,) = steps
    return step


def one(variables, *threads, instances=None):
    interpreter = Interpreter(program(variables, threads, instances))
    (start,) = interpreter.initial()
    return interpreter, start


def spawner(*ops, times: int = 1):
    return straight(*([op] for op in ops for _ in range(times)), name="main")


def test_a_step_runs_from_its_location_to_the_next():
    body = template(
        block(put(cell(0), 1), to=1, location=1),
        block(put(own(0), load(0)), to=2),
        block(put(cell(1), local(0)), to=END, location=2),
        locals_=[(DIGIT, 7)],
    )
    interpreter, start = one([variable("a"), variable("b")], body)
    assert start == (0, 0, 1, 7)
    middle = only(interpreter.successors(start))
    assert middle == Step(Action(0, 1), (1, 0, 2, 1))
    last = only(interpreter.successors((1, 0, 2, 1)))
    assert last == Step(Action(0, 2), (1, 1, 0, 7)), "at the end the dead local holds its default again"
    assert interpreter.successors((1, 1, 0, 7)) == []


def test_kills_reset_on_arrival_and_only_what_is_dead():
    body = straight(
        [put(own(0), 3), put(own(1), 4)], put(cell(0), local(1)), locals_=[(DIGIT, 5), (DIGIT, 6)], kills={2: (0,)}
    )
    interpreter, start = one([variable("a")], body)
    assert only(interpreter.successors(start)).state == (0, 2, 5, 4)


def test_coming_back_to_the_block_of_the_step_ends_it():
    body = template(block(put(cell(0), Arith("%", plus(load(0), 1), number(3), DIGIT)), to=0, location=1))
    interpreter, _ = one([variable("a")], body)
    assert [only(interpreter.successors((n, 1))).state for n in range(3)] == [(1, 1), (2, 1), (0, 1)]


def test_a_local_loop_that_ends_is_part_of_the_step():
    body = template(
        block(put(own(0), 0), to=1, location=1),
        block(put(own(0), plus(local(0), 1)), to=branch(less(local(0), 9), 1, 2)),
        block(put(cell(0), local(0)), to=END, location=2),
        locals_=[(DIGIT, 0)],
    )
    interpreter, start = one([variable("a")], body)
    assert only(interpreter.successors(start)).state == (0, 2, 9)


def test_a_branch_goes_one_way():
    body = template(
        block(to=branch(equal(load(0), 1), 1, 2), location=1),
        block(put(cell(0), 5), to=END),
        block(put(cell(0), 6), to=END),
    )
    interpreter, _ = one([variable("a")], body)
    assert only(interpreter.successors((1, 1))).state == (5, 0)
    assert only(interpreter.successors((0, 1))).state == (6, 0)


@pytest.mark.parametrize(("value", "enabled"), [(0, False), (1, True)])
def test_an_await_that_is_false_leaves_no_step_even_in_the_middle(value, enabled):
    body = straight([put(cell(1), 8), wait(equal(load(0), 1))])
    interpreter, _ = one([variable("a"), variable("b")], body)
    state = (value, 0, 1)
    assert bool(interpreter.successors(state)) is enabled
    step = interpreter.step(state, Action(0, 1))
    assert (step is not None) is enabled
    assert state == (value, 0, 1)


def test_choices_fork_in_order_with_their_positions():
    pick = Choose(own(0), (Option(number(3)), Option(number(4), less(load(0), 1)), Option(number(5))))
    body = straight([pick, Choose(own(1), (Option(number(1)), Option(local(0)))), put(cell(1), local(1))],
                    locals_=[(DIGIT, 0), (DIGIT, 0)])  # fmt: skip
    interpreter, _ = one([variable("a"), variable("b")], body)
    found = interpreter.successors((0, 0, 1, 0, 0))
    assert [s.action.choice for s in found] == [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]
    assert [s.state[1] for s in found if s.state] == [1, 3, 1, 4, 1, 5]
    closed = interpreter.successors((1, 0, 1, 0, 0))
    assert [s.action.choice for s in closed] == [(0, 0), (0, 1), (2, 0), (2, 1)], "a closed option keeps its position"


def test_a_choice_without_an_open_option_blocks():
    body = straight([Choose(own(0), (Option(number(3), equal(load(0), 1)),))], locals_=[(DIGIT, 0)])
    interpreter, start = one([variable("a")], body)
    assert interpreter.successors(start) == []
    assert only(interpreter.successors((1, 1, 0))).action == Action(0, 1, (0,))


def test_an_await_behind_a_choice_lets_some_forks_live():
    body = straight(
        [Choose(own(0), tuple(Option(number(n)) for n in range(4))), wait(less(number(1), local(0)))],
        locals_=[(DIGIT, 0)],
    )
    interpreter, start = one([], body)
    assert [s.action.choice for s in interpreter.successors(start)] == [(2,), (3,)]


def test_forks_do_not_see_one_another():
    body = straight([Choose(cell(0, load(1)), (Option(number(1)), Option(number(2)))), put(cell(1), 1)])
    interpreter, start = one([variable("a", shape=(2,)), variable("b")], body)
    assert [s.state for s in interpreter.successors(start)] == [(1, 0, 1, 0), (2, 0, 1, 0)]


def test_parallel_assignment_reads_everything_first():
    swap = Assign((cell(0), cell(1)), (load(1), load(0)))
    interpreter, _ = one([variable("a"), variable("b")], straight(swap))
    assert only(interpreter.successors((3, 4, 1))).state == (4, 3, 0)


def test_an_index_is_evaluated_before_the_writes():
    both = Assign((cell(0), cell(1, load(0))), (number(1), number(7)))
    interpreter, start = one([variable("i"), variable("a", shape=(2,))], straight(both))
    assert only(interpreter.successors(start)).state == (1, 7, 0, 0)


def test_the_later_of_two_writes_to_a_cell_stands():
    interpreter, start = one([variable("a")], straight(Assign((cell(0), cell(0)), (number(1), number(2)))))
    assert only(interpreter.successors(start)).state == (2, 0)


def test_a_guard_protects_an_index():
    safe = And((less(load(0), 2), equal(load(1, load(0)), 0)))
    interpreter, _ = one([variable("i"), variable("a", shape=(2,))], straight(wait(safe)))
    assert interpreter.successors((5, 0, 0, 1)) == []
    assert only(interpreter.successors((1, 0, 0, 1))).fault is None


def test_threads_come_in_order_and_me_is_the_thread():
    body = straight(put(cell(0), Me(ThreadIdType(("t[0]", "t[1]")))))
    interpreter, start = one([variable("a")], body, instances=[2])
    assert interpreter.successors(start) == [Step(Action(0, 1), (0, 0, 1)), Step(Action(1, 1), (1, 1, 0))]


def test_a_step_is_found_by_its_action_and_only_where_it_is_enabled():
    body = straight([Choose(own(0), (Option(number(1)), Option(number(2))))], put(cell(0), local(0)),
                    locals_=[(DIGIT, 0)])  # fmt: skip
    interpreter, start = one([variable("a")], body)
    for step in interpreter.successors(start):
        assert interpreter.step(start, step.action) == step
    for absent in (Action(0, 1), Action(0, 1, (2,)), Action(0, 2), Action(0, 0), Action(1, 1), Action(-1, 1)):
        assert interpreter.step(start, absent) is None
    assert interpreter.step((0, 0, 0), Action(0, 0)) is None, "a thread at its end has no step"


def child(name: str = "child", **rest):
    """x0 is the argument; the prefix copies it, plus one, to x1."""
    return template(
        block(put(own(1), plus(local(0), 1)), to=1),
        block(put(cell(0), local(1)), to=END, location=1),
        name=name,
        locals_=[(DIGIT, 0), (DIGIT, 9), (DIGIT, 5)],
        parameters=1,
        spawned=True,
        **rest,
    )


def test_a_spawn_latches_its_argument_and_runs_the_prefix_in_the_same_step():
    start_it = straight([Spawn(1, (load(0),)), put(cell(0), 9)], name="main")
    interpreter, start = one([variable("a", init=2)], start_it, child(), instances=[1, 2])
    assert start == (2, 1, 0, 0, 9, 5, 0, 0, 9, 5), "idle slots stand at location 0"
    spawned = only(interpreter.successors(start))
    assert spawned.state == (9, 0, 1, 2, 3, 5, 0, 0, 9, 5)
    assert only(interpreter.successors(spawned.state)).state == (3, 0, 0, 0, 9, 5, 0, 0, 9, 5)


def test_a_spawn_takes_the_first_idle_instance_and_resets_its_locals():
    main = template(block(Spawn(1, (number(4),)), to=0, location=1), name="main")
    interpreter, _ = one([variable("a")], main, child(kills={0: ()}), instances=[1, 2])
    busy_first = (0, 1, 1, 1, 2, 5, 0, 8, 8, 8)
    state = interpreter.step(busy_first, Action(0, 1)).state
    assert state == (0, 1, 1, 1, 2, 5, 1, 4, 5, 5)
    busy_second = (0, 1, 0, 1, 2, 5, 1, 8, 8, 8)
    state = interpreter.step(busy_second, Action(0, 1)).state
    assert state == (0, 1, 1, 4, 5, 5, 1, 8, 8, 8)


def test_two_spawns_in_one_step_take_two_instances():
    main = straight([Spawn(1, (number(1),)), Spawn(1, (number(2),))], name="main")
    interpreter, start = one([variable("a")], main, child(), instances=[1, 2])
    assert only(interpreter.successors(start)).state == (0, 0, 1, 1, 2, 5, 1, 2, 3, 5)


def test_a_spawned_thread_without_a_step_is_idle_again_at_once():
    quick = template(block(put(cell(0), plus(load(0), 1)), to=END), name="quick", spawned=True, locals_=[(DIGIT, 3)])
    main = straight([Spawn(1, ()), Spawn(1, ())], name="main")
    interpreter, start = one([variable("a")], main, quick)
    assert only(interpreter.successors(start)).state == (2, 0, 0, 3)


def test_a_choice_in_a_spawned_prefix_forks_the_spawning_step():
    forked = template(
        block(Choose(own(0), (Option(number(1)), Option(number(2)))), to=1),
        block(to=END, location=1),
        name="forked",
        spawned=True,
        locals_=[(DIGIT, 0)],
    )
    pick = Choose(cell(0), (Option(number(5)), Option(number(6))))
    interpreter, start = one([variable("a")], straight([Spawn(1, ()), pick], name="main"), forked)
    found = interpreter.successors(start)
    assert [s.action.choice for s in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [s.state for s in found] == [(5, 0, 1, 1), (6, 0, 1, 1), (5, 0, 1, 2), (6, 0, 1, 2)]


def test_an_await_in_a_spawned_prefix_blocks_the_spawning_step():
    slow = template(block(wait(equal(load(0), 1)), to=END), name="slow", spawned=True)
    interpreter, start = one([variable("a")], straight(Spawn(1, ()), name="main"), slow)
    assert interpreter.successors(start) == []
    assert only(interpreter.successors((1, 1, 0))).state == (1, 0, 0)


def test_a_nested_spawn_does_not_take_the_instance_that_is_starting():
    again = template(
        block(to=branch(less(load(0), 1), 1, 2)),
        block(put(cell(0), 1), Spawn(1, ()), to=2),
        block(to=END, location=1),
        name="again",
        spawned=True,
        locals_=[(DIGIT, 3)],
    )
    interpreter, start = one([variable("a")], straight(Spawn(1, ()), name="main"), again, instances=[1, 2])
    assert only(interpreter.successors(start)).state == (1, 0, 1, 3, 1, 3)


def test_states_hold_integers_never_bools():
    body = straight(put(cell(0), equal(load(0), 0)), put(cell(0), And((equal(load(0), 1),))))
    interpreter, start = one([variable("a")], body)
    for state in (start, (1, 2)):
        after = only(interpreter.successors(state)).state
        assert [type(value) for value in after] == [int, int]


@pytest.mark.parametrize("block_of_seeds", range(8))
def test_random_programs_step_as_the_naive_semantics_says(block_of_seeds):
    for seed in range(block_of_seeds * 40, block_of_seeds * 40 + 40):
        made = random_program(seed)
        interpreter, naive = Interpreter(made), Naive(made)
        waiting = interpreter.initial()
        assert waiting == naive.initial()
        seen = set(waiting)
        while waiting and len(seen) < 300:
            state = waiting.pop(0)
            found = interpreter.successors(state)
            told = [(s.action, (s.fault.kind, s.fault.span) if s.fault else s.state) for s in found]
            expected = [(a, (r.kind, r.span) if isinstance(r, Broken) else r) for a, r in naive.successors(state)]
            assert told == expected, seed
            fresh = dict.fromkeys(s.state for s in found if s.state and s.state not in seen)
            seen.update(fresh)
            waiting += fresh


def test_spans_do_not_change_what_a_program_does():
    """Location is not identity: the same assignment with and without a place steps alike."""
    with_span, without = put(cell(0), 3, line=7), put(cell(0), 3)
    assert with_span.span == at(7)
    states = [one([variable("a")], straight(op))[0].successors((0, 1)) for op in (with_span, without)]
    assert states[0] == states[1]


def test_a_value_is_checked_against_the_target_not_the_expression():
    wide = RangeType(0, 100)
    interpreter, start = one([variable("a", wide)], straight(put(cell(0, type_=wide), plus(number(50), 50))))
    assert only(interpreter.successors(start)).state == (100, 0)


def test_jumping_to_another_location_ends_the_step_before_it_begins():
    body = template(block(to=jump(1), location=1), block(wait(equal(load(0), 1)), to=END, location=2))
    interpreter, start = one([variable("a")], body)
    assert only(interpreter.successors(start)).state == (0, 2), "the await of the next statement is not asked yet"
