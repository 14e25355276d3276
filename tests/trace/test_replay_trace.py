"""A stored trace against a model that may have changed: where they part, and how."""

from dataclasses import replace

import pytest
from trace_programs import (
    CLEAN,
    FREE,
    GET,
    IDS,
    LOCK,
    OWNER,
    PICK,
    UNLOCK,
    abba,
    at,
    bad_start,
    compare,
    location,
    misuse,
    owner,
    page,
    put,
    race,
    reader,
    template,
    trace_of,
    writer,
)

from dio_mc.ir.expr import FALSE, Me
from dio_mc.ir.ops import Assign, Await, Check, StoreTo
from dio_mc.ir.program import Program, Thread
from dio_mc.trace.divergence import Divergence
from dio_mc.trace.replay import ReplayResult, replay


def with_templates(*templates, name: str | None = None) -> Program:
    threads = tuple(Thread(name or t.name, n, 0) for n, t in enumerate(templates))
    return replace(race(), templates=templates, threads=threads, digest="another")


def parts(program: Program, name: str = "never_dirty") -> Divergence:
    result = replay(program, trace_of(race(), name), lambda run: pytest.fail("not asked"))
    assert isinstance(result, ReplayResult)
    assert not result.runs
    assert result.divergence is not None
    assert result.violated is None
    return result.divergence


def test_the_same_model_reproduces():
    seen = []
    result = replay(race(), trace_of(race(), "never_dirty"), lambda run: seen.append(len(run.states)))
    assert result == ReplayResult(same_model=True, divergence=None, violated=True)
    assert seen == [5]


def test_whether_it_is_still_violated_is_the_callers_word():
    result = replay(race(), trace_of(race(), "never_dirty"), lambda run: "it is not")
    assert (result.violated, result.reason) == (False, "it is not")
    assert replay(race(), trace_of(race(), "never_dirty")).violated is None


def test_deadlocks_and_faults_are_decided_here():
    assert replay(abba(), trace_of(abba(), "deadlock")).violated is True
    assert replay(misuse(), trace_of(misuse(), "lock_misuse@14")).violated is True
    assert replay(bad_start(), trace_of(bad_start(), "assertion@7")).violated is True
    escape = abba()
    idle = template("idle", [()], [location("idle+1", "wait_until(False)", 30, 1)], daemon=True)
    able = replace(escape, templates=(*escape.templates[:2], idle))
    assert replay(able, trace_of(abba(), "deadlock")).violated is False


def test_another_digest_that_does_the_same_reproduces():
    result = replay(replace(race(), digest="other"), trace_of(race(), "no_undo"))
    assert (result.same_model, result.runs) == (False, True)


def test_a_thread_is_gone():
    found = parts(with_templates(reader(), writer(), name="other"))
    assert found == Divergence(1, "thread_gone", "the model has no thread reader")


def test_a_location_is_gone():
    first = reader()
    moved = tuple(replace(p, name="reader+9") if p.name == "reader+2" else p for p in first.locations)
    found = parts(with_templates(replace(first, locations=moved), writer()))
    assert found == Divergence(4, "location_gone", "reader has no location reader+2")
    assert str(found) == "step 4: reader has no location reader+2"


def test_a_thread_stands_elsewhere():
    swapped = reader()
    names = [p.name for p in swapped.locations]
    order = [names[0], names[2], names[1], *names[3:]]
    moved = tuple(replace(p, name=name) for p, name in zip(swapped.locations, order, strict=True))
    found = parts(with_templates(replace(swapped, locations=moved), writer()))
    assert found.reason == "elsewhere"
    assert str(found) == "step 1: reader is at reader+1/read+2/get_block+1, not at reader+1/read+1"


def changed_reader(*bodies) -> Program:
    first = reader()
    return with_templates(template("reader", list(bodies), list(first.locations[1:]), locals_=first.locals), writer())


def test_an_action_is_not_enabled():
    found = parts(changed_reader(LOCK, (Await(FALSE), *GET), UNLOCK, PICK))
    assert found == Divergence(2, "not_enabled", "reader cannot run: it waits at `got = self.page[0]`")


def test_a_choice_is_gone():
    narrow = replace(PICK[0], options=PICK[0].options[:1])
    found = parts(changed_reader(LOCK, GET, UNLOCK, (narrow,)))
    assert found == Divergence(4, "not_enabled", "reader has no choice 1 at reader+2")


def test_a_step_changes_something_else():
    found = parts(changed_reader(LOCK, GET, UNLOCK, (replace(PICK[0], options=PICK[0].options[::-1]),)))
    assert found.reason == "different_changes"
    assert str(found) == "step 4: page[1] goes from ABSENT to CLEAN, not from ABSENT to DIRTY"


def test_a_step_changes_less_or_more():
    nothing = Await(compare("==", owner(), FREE))
    assert parts(changed_reader((nothing,), GET, UNLOCK, PICK)).message == (
        "i_mutex.owner does not go from None to reader"
    )
    more = parts(changed_reader(LOCK, (*GET, put(0, CLEAN)), UNLOCK, PICK))
    assert str(more) == "step 2: page[0] goes from ABSENT to CLEAN as well"


def test_cells_that_the_trace_does_not_know_may_change():
    model = race()
    ghost = replace(model.variables[2], name="seen", path=("seen",))
    count = Assign((StoreTo(4, (), ghost.type),), (compare("==", page(0), page(0)),))
    changed = changed_reader((*LOCK, count), GET, UNLOCK, PICK)
    assert replay(replace(changed, variables=(*model.variables, ghost)), trace_of(model, "never_dirty")).runs


def test_a_changed_cell_is_gone():
    model = race()
    renamed = replace(model.variables[0], name="folio", path=("folio", None))
    found = parts(replace(model, variables=(renamed, *model.variables[1:])))
    assert str(found) == "step 4: page[1] does not go from ABSENT to DIRTY"


def test_the_model_starts_elsewhere():
    model = race()
    dirty = replace(model.variables[0], init=(2, 0))
    found = parts(replace(model, variables=(dirty, *model.variables[1:])))
    assert found == Divergence(0, "initial_state", "page[0] is DIRTY, not ABSENT")
    assert str(found) == "initial state: page[0] is DIRTY, not ABSENT"


def test_the_initial_state_that_the_trace_names_is_taken():
    trace = trace_of(race(), "never_dirty")
    other = replace(trace, initial=tuple(replace(c, value="1") if c.name == "order" else c for c in trace.initial))
    ends = []
    assert replay(race(), other, lambda run: ends.append(run.states[-1])).violated is True
    assert ends[0][4] == 1


def test_a_fault_comes_goes_or_is_another():
    broken = Check(compare("==", owner(), Me(IDS)), "assertion", "mine", at(14))
    release = Assign((StoreTo(1, (), OWNER),), (FREE,))
    trace = trace_of(misuse(), "lock_misuse@14")
    assert str(replay(race(), trace).divergence) == "step 3: it is not a fault lock_misuse any more"
    found = replay(changed_reader(LOCK, GET, (release, broken), PICK), trace).divergence
    assert str(found) == "step 3: it is a fault assertion: mine"
    assert parts(misuse()) == Divergence(3, "different_fault", "it is a fault lock_misuse: unlocked by a non-holder")
    start = replay(race(), trace_of(bad_start(), "assertion@7")).divergence
    assert str(start) == "initial state: no start of the model has the fault assertion: order must be 0"


def test_a_model_whose_every_start_is_a_fault():
    program = bad_start()
    order = replace(program.variables[3], any_init=False, init=(1,))
    found = parts(replace(program, variables=(*program.variables[:3], order)))
    assert found == Divergence(0, "initial_state", "the model has none: a thread's start is a fault")
