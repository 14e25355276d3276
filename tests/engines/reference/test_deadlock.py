"""Deadlock: nothing can move, and a thread that has to come to an end has not."""

from asking import explore_reference as explore
from ir_builder import END, block, cell, check, equal, load, program, put, straight, template, variable, wait

from dio_mc.ir.ops import Spawn
from dio_mc.semantics.search import Violation
from dio_mc.semantics.step import Action


def names(*threads, **rest) -> list[str]:
    return [v.property for v in explore(program([variable("a")], threads, **rest), []).violations]


def never(**rest):
    return straight(wait(equal(load(0), 9)), **rest)


def child(*ops, **rest):
    return template(block(to=1), block(*ops, to=END, location=1), name="child", spawned=True, **rest)


def test_a_thread_that_waits_for_ever():
    found = explore(program([variable("a")], [never()]), [])
    assert found.violations == (Violation("deadlock", 0, (), 0),)
    assert found.coverage.blocked == {(0, 1)}
    assert found.coverage.fired == set()


def test_it_may_be_switched_off():
    assert names(never(), check_deadlock=False) == []


def test_a_daemon_may_wait_for_ever():
    assert names(never(daemon=True)) == []
    assert names(never(daemon=True), straight(put(cell(0), 1), name="works")) == []


def test_two_locks_in_two_orders():
    first, second = variable("first"), variable("second")

    def take(lock: int):
        return [wait(equal(load(lock), 0)), put(cell(lock), 1)]

    def release(lock: int):
        return put(cell(lock), 0)

    one = straight(take(0), take(1), [release(0), release(1)], name="one")
    two = straight(take(1), take(0), [release(0), release(1)], name="two")
    found = explore(program([first, second], [one, two]), [])
    assert found.violations == (Violation("deadlock", 0, (Action(0, 1), Action(1, 1)), 1),)


def test_it_is_no_deadlock_when_something_can_move():
    spin = template(block(to=0, location=1), name="spin", daemon=True)
    assert names(never(), spin) == [], "a self-loop is a step"
    failing = straight(check(equal(load(0), 1), line=4), name="fails")
    assert names(never(), failing) == ["assertion@4"], "a state with a fault is not a deadlock"


def test_an_idle_slot_is_finished_and_a_started_spawn_is_not():
    assert names(straight(put(cell(0), 1)), child(wait(equal(load(0), 9)))) == []
    assert names(straight(Spawn(1, ())), child(wait(equal(load(0), 9)))) == ["deadlock"]
    assert names(straight(Spawn(1, ())), child(put(cell(0), 1))) == []


def test_a_spawn_that_is_a_daemon_may_wait():
    assert names(straight(Spawn(1, ())), child(wait(equal(load(0), 9)), daemon=True)) == []


def test_the_nearest_deadlock_is_kept():
    short = straight(put(cell(0), 1), wait(equal(load(0), 0)))
    found = explore(program([variable("a")], [short]), [])
    assert found.violations == (Violation("deadlock", 0, (Action(0, 1),), 0),)
