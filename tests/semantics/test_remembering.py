"""An interpreter that runs no step twice gives what the interpreter gives, in every state that can be reached."""

from dataclasses import replace

import pytest
from ir_builder import (
    DIGIT,
    END,
    block,
    branch,
    cell,
    equal,
    jump,
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
)
from random_programs import random_program

from dio_mc.ir.expr import Me
from dio_mc.ir.ops import Choose, Halt, Option, Spawn
from dio_mc.ir.program import Program
from dio_mc.ir.types import RangeType, ThreadIdType
from dio_mc.semantics import remembering
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.semantics.machine import Machine
from dio_mc.semantics.remembering import Memories, Memory, Remembering, _Watched

MOST = 400
"""States that are compared of each program."""


def compared(made: Program, memory: Memory | None = None) -> Memory:
    memory = memory or Memory()
    plain, quick = Interpreter(made), Remembering(made, memory)

    def tight(state: State | None) -> State | None:
        """Without the cells that no local uses."""
        return state and tuple(value for value, name in zip(state, quick.layout.names, strict=True) if name)

    assert [tight(state) for state in quick.initial()] == plain.initial()
    seen = dict.fromkeys(quick.initial())
    waiting = list(seen)
    while waiting and len(seen) < MOST:
        state = waiting.pop()
        steps = plain.successors(tight(state))
        for _ in ("learned", "remembered"):
            found = quick.successors(state)
            assert [replace(step, state=tight(step.state)) for step in found] == steps
        learned = [one for thread, pc, _ in quick.lanes if state[pc] for one in in_bytes(quick, state, thread)]
        assert learned == [(step.action, step.state, step.fault) for step in found]
        assert quick.unpack(quick.pack(state)) == state
        fresh = dict.fromkeys(step.state for step in found if step.state is not None and step.state not in seen)
        seen |= fresh
        waiting += fresh
    return memory


def in_bytes(quick: Remembering, state: State, thread: int):
    """The steps of a thread as a search on packed states finds them."""
    _, pc, _ = quick.lanes[thread]
    packed = quick.pack(state)
    leaf = quick.learn(packed, thread, state[pc])
    after = [quick.unpack(quick.after(packed, one)) if one.fault is None else None for one in leaf]
    return [(one.action, state, one.fault) for one, state in zip(leaf, after, strict=True)]


def begun_otherwise(made: Program) -> Program:
    """The same program, the other way round at first."""
    variables = tuple(replace(v, init=tuple(1 - n if n in (0, 1) else n for n in v.init)) for v in made.variables)
    return replace(made, variables=variables, name="otherwise")


@pytest.mark.parametrize("seeds", [range(n, n + 25) for n in range(0, 100, 25)], ids=lambda r: f"{r.start}")
def test_random_programs_step_as_the_interpreter_says(seeds):
    for seed in seeds:
        made = random_program(seed)
        memory = compared(made)
        compared(begun_otherwise(made), memory)


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


def test_a_cell_is_looked_at_once_and_not_after_it_was_written():
    watched = _Watched((5, 6, 7, 8), {})
    watched[2] = 0
    assert [watched[cell] for cell in (1, 2, 3, 1)] == [6, 0, 8, 6]
    assert list(watched.read) == [1, 3]
    watched[1] = 6
    watched[3] = 9
    assert list(watched.written()) == [(2, 0), (3, 9)]


def test_a_copy_notes_what_it_looks_at_in_the_same_place():
    watched = _Watched((5, 6, 7), {})
    watched[0] = 1
    other = watched.copy()
    other[0] = other[1] + other[0]
    assert (watched[0], other[0], list(other.read)) == (1, 7, [1])
    assert list(watched.read) == [1]


def test_a_local_loop_is_endless_only_if_it_comes_back_to_the_same_cells():
    """It counts to 3, and then ends or goes on forever."""
    for then, faults in ((END, []), (3, ["endless_loop"])):
        body = template(
            block(to=1),
            block(to=2, location=1),
            block(put(own(0), plus(local(0), 1)), to=branch(equal(local(0), 3), 3, 2)),
            block(put(cell(1), load(0)), to=then),
            locals_=[(DIGIT, 0)],
        )  # fmt: skip
        made = program([variable("a", init=1), variable("b")], [body])
        compared(made)
        quick = Remembering(made)
        found = [step.fault.kind for step in quick.successors(quick.initial()[0]) if step.fault is not None]
        assert found == faults


def test_a_local_loop_ends_where_the_interpreter_ends_it():
    """Its second round looks at a cell that the first has not looked at, and changes nothing: the fault comes after one
    choice, not after two."""
    options = tuple(Option(value) for value in (load(0), load(1)))
    body = template(
        block(to=1),
        block(to=2, location=1),
        block(put(cell(2), load(2)), Choose(cell(2), options), to=2),
    )
    compared(program([variable(name) for name in "abc"], [body]))


# -- what programs have in common --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [range(n, n + 25) for n in range(0, 100, 25)], ids=lambda r: f"{r.start}")
def test_random_programs_that_share_a_memory(seeds):
    """Many have the same variables and threads; where they do, what was learned of one is there for the next."""
    memories = Memories()
    for seed in seeds:
        made = random_program(seed)
        compared(made, memories.of(made))


VALUES = [variable("a", init=1), variable("b")]


def pair(first, second, variables=VALUES):
    return program(variables, [first, second])


def puts(value, name, **rest):
    return template(block(to=1), block(put(cell(1), value), to=END, location=1), name=name, **rest)


def test_threads_of_one_name_and_other_code_are_told_apart():
    memories = Memories()
    other = puts(7, "other")
    for value in (2, 3, 2):
        made = pair(puts(value, "same"), other)
        compared(made, memories.of(made))


def test_a_thread_that_stands_elsewhere_is_another_thread():
    memories = Memories()
    body = template(block(to=1), block(put(cell(1), Me(ThreadIdType(("t", "u")))), to=END, location=1))
    for others in ("u", "v"):
        made = pair(body, replace(body, name=others))
        compared(made, memories.of(made))
    made = pair(replace(body, name="v"), body)
    compared(made, memories.of(made))


def test_programs_with_other_variables_have_other_memories():
    bodies = puts(2, "t"), puts(3, "u")
    plain = pair(*bodies)
    memories = Memories()
    compared(plain, memories.of(plain))
    for variables in (
        [*VALUES, variable("c")],
        [variable("a", init=1), variable("b", shape=(2,))],
        [variable("a", init=1), variable("b", RangeType(0, 1))],
        [variable("a", init=1), variable("z")],
    ):
        made = replace(plain, variables=tuple(variables))
        assert memories.of(made) is not memories.of(plain)
    assert memories.of(begun_otherwise(plain)) is memories.of(plain)


def test_a_crash_is_not_remembered_of_threads_with_other_locals():
    """What it resets are the locals of all others."""
    memories = Memories()
    crash = template(block(to=1), block(Halt(), to=END, location=1), name="crash")
    for default in (0, 4):
        keeps = template(
            block(to=1), block(put(own(0), 5), to=2, location=1), block(put(cell(0), local(0)), to=END, location=2),
            name="keeps", locals_=[(DIGIT, default)],
        )  # fmt: skip
        made = pair(keeps, crash)
        compared(made, memories.of(made))


def test_a_spawn_is_not_remembered_of_another_body():
    memories = Memories()
    starts = template(block(to=1), block(Spawn(1, (), None), to=END, location=1), name="starts")
    for value in (2, 3):
        body = template(
            block(put(cell(1), value), to=1), block(put(cell(0), 0), to=END, location=1), name="body", spawned=True
        )
        made = pair(starts, body)
        compared(made, memories.of(made))


def test_room_for_locals_is_made_where_it_is_wanted():
    """The cells of the thread that comes after it move."""
    memories = Memories()
    same = straight(put(own(0), 3), put(cell(1), local(0)), name="u", locals_=[(DIGIT, 0)])
    for count in (1, 40, 3):
        many = straight(*(put(own(n), 1 + n % 9) for n in range(count)), name="t", locals_=[(DIGIT, 0)] * count)
        made = pair(many, same)
        memory = memories.of(made)
        compared(made, memory)
        assert memory.rooms == ((16, 16) if count == 1 else (48, 48))


def test_threads_that_run_operations_get_as_much_room_as_each_other():
    """What was learned of the first is not forgotten when the second is as large; helpers get what they want."""
    memories = Memories()
    large, small = (
        straight(*(put(own(n), 1) for n in range(count)), name=name, locals_=[(DIGIT, 0)] * count)
        for count, name in ((20, "t"), (1, "u"))
    )
    helper = replace(small, name="v", daemon=True)
    made = program(VALUES, [large, small, helper])
    memory = memories.of(made)
    Remembering(made, memory)
    assert memory.rooms == (32, 32, 16)


def test_programs_that_begin_otherwise_have_one_layout():
    made = pair(puts(2, "t"), puts(3, "u"))
    memory = Memory()
    first, second = Remembering(made, memory), Remembering(begun_otherwise(made), memory)
    other = Remembering(pair(puts(2, "t"), puts(4, "w")), memory)
    assert first.layout is second.layout
    assert "w.pc" in other.layout.names


def test_much_that_was_learned_is_forgotten(monkeypatch):
    monkeypatch.setattr(remembering, "MOST_LEARNED", 2)
    made = pair(puts(2, "t"), puts(3, "u"))
    memory = compared(made)
    assert memory.learned > 2
    assert Remembering(made, memory).lanes[0][2] == {}
    assert memory.learned == 0


@pytest.mark.parametrize(("low", "high"), [(-128, 127), (-129, 0), (0, 128), (-3, 5)])
def test_states_are_bytes_where_the_values_fit(low, high):
    wide = RangeType(low, high)
    steps = [put(cell(0, type_=wide), n) for n in (low, high)]
    made = program([variable("a", wide)], [straight(*steps)])
    compared(made)
    quick = Remembering(made)
    assert isinstance(quick.pack(quick.initial()[0]), bytes) == (low >= -128 and high <= 127)


def test_values_that_fit_and_values_that_do_not_share_a_memory():
    """Both programs have a thread in common, which one keeps in bytes."""
    memories = Memories()
    small, wide = RangeType(-2, 2), RangeType(-2, 200)
    common = straight(put(cell(0, type_=small), -1), put(cell(0, type_=small), -2), name="t")
    for type_, value in ((small, -1), (wide, 200), (small, -2)):
        other = template(
            block(to=1), block(put(own(0, type_), value), to=2, location=1),
            block(put(cell(0, type_=small), load(0, type_=small)), to=END, location=2),
            name="u", locals_=[(type_, 0)],
        )  # fmt: skip
        made = pair(common, other, [variable("a", small, -2)])
        compared(made, memories.of(made))
