"""Schedules become traces; a schedule that does not run is an internal error that names the engine and the step."""

from dataclasses import replace

import pytest
from trace_programs import READ, abba, bad_start, find, misuse, race, trace_of

from dio_mc import Model, Var, invariant, operation, thread
from dio_mc.errors import InternalError
from dio_mc.frontend import build
from dio_mc.ir.program import Thread
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import show_cell
from dio_mc.semantics.search import Violation
from dio_mc.semantics.step import Action, Fault
from dio_mc.trace.consistency import inconsistencies
from dio_mc.trace.replay import ReplayError, build_trace
from dio_mc.trace.trace import Alternative, Change, Failing, Place, ThreadName, Waiting


def test_what_a_trace_says_of_model_and_property():
    trace = trace_of(race(), "never_dirty", engine="fast")
    assert trace.schema == "dio-mc/trace/1"
    assert (trace.model.file, trace.model.name, trace.model.params) == ("models/race.py", "Race", (("pages", 2),))
    assert (trace.property, trace.property_kind, trace.place) == (
        "never_dirty",
        "invariant",
        Place("models/race.py", 91),
    )
    assert trace.doc == "Page 1 stays clean.\n\nMore."
    assert (trace.kind, trace.engine) == ("violation", "fast")
    assert trace.threads == (ThreadName("reader", "reader", False), ThreadName("writer", "writer", True))
    assert trace_of(race(), "read_done").kind == "witness"


def test_what_a_trace_says_of_a_step():
    step = trace_of(race(), "no_undo").steps[4]
    assert (step.number, step.thread, step.location, step.choice) == (5, "writer", "writer+2/store+1", ())
    assert (step.text, step.place) == ("self.page[0] = Page.DIRTY; self.acked = True", Place("models/race.py", 41))
    assert step.changes == (
        Change("page[0]", "ABSENT", "DIRTY", "data", False),
        Change("acked", "False", "True", "data", True),
    )
    assert step.local_changes == (Change("writer.pc", "writer+2/store+1", "writer+3", "location", False),)


def test_calls_are_kernel_functions_where_these_are_known():
    steps = trace_of(race(), "no_undo").steps
    assert steps[1].operations == ("read", "get_block")
    assert steps[1].calls == ("__blockdev_direct_IO", "ext3_get_block")
    assert steps[4].calls == ("store",)


def test_an_operation_without_a_kernel_function_has_its_own_name():
    model = race()
    first = model.templates[0]
    places = tuple(replace(p, anchors=(READ, READ)) if "get_block" in p.name else p for p in first.locations)
    model = replace(model, templates=(replace(first, locations=places), model.templates[1]))
    assert trace_of(model, "no_undo").steps[1].calls == ("__blockdev_direct_IO", "get_block")


class Reads(Model):
    """Operations that do nothing but call others."""

    done = Var(bool)

    @thread
    def reader(self):
        self.read()

    @operation(kernel="mm/filemap.c:filemap_read @6.1-")
    def read(self):
        self.fill()

    @operation(kernel="fs/mpage.c:mpage_read_folio @6.1-")
    def fill(self):
        self.finish()

    @operation()
    def finish(self):
        self.done = True

    @invariant
    def never(self):
        return not self.done


def test_an_operation_that_only_calls_others_has_its_kernel_function_too():
    step = trace_of(build(Reads, {}).program, "never").steps[0]
    assert step.operations == ("read", "fill", "finish")
    assert step.calls == ("filemap_read", "mpage_read_folio", "finish")


class Waits(Reads):
    """An operation that calls the one that it overrides."""

    @operation(kernel="fs/mpage.c:mpage_read_folio @6.1-")
    def fill(self):
        super().fill()


def test_an_operation_and_the_one_that_it_overrides_have_one_name():
    step = trace_of(build(Waits, {}).program, "never").steps[0]
    assert step.operations == ("read", "fill", "fill", "finish")
    assert step.calls == ("filemap_read", "mpage_read_folio", "mpage_read_folio", "finish")


def test_a_daemon_that_waits_for_ever_is_no_deadlock():
    idle = replace(abba(), templates=(abba().templates[2],), threads=(Thread("idle", 0, 0),))
    assert "not a deadlock" in failure(idle, Violation("deadlock", 0, (), 0))


def test_alternatives_and_blocked_threads_are_those_of_the_state_before():
    first = trace_of(race(), "never_dirty").steps[0]
    store = Alternative("writer", "writer+2/store+1", (), "self.page[0] = Page.DIRTY; self.acked = True", None)
    assert first.alternatives == (store,)
    assert first.blocked == ()
    last = trace_of(race(), "never_dirty").steps[3]
    choice = Alternative("reader", "reader+2", (0,), "self.page[1] = choose(Page.CLEAN, Page.DIRTY)", None)
    assert last.alternatives == (choice, store)
    waits = Waiting("idle", "idle+1", "wait_until(False)", True, Place("models/race.py", 30))
    assert trace_of(abba(), "deadlock").steps[0].blocked == (waits,)


def test_the_threads_of_a_deadlock():
    trace = trace_of(abba(), "deadlock")
    assert trace.property_kind == "deadlock"
    assert [(w.thread, w.text, w.daemon) for w in trace.blocked] == [
        ("left", "self.b.lock()", False),
        ("right", "self.a.lock()", False),
        ("idle", "wait_until(False)", True),
    ]


def test_a_fault_ends_the_trace():
    trace = trace_of(misuse(), "lock_misuse@14")
    fault = trace.steps[-1].fault
    assert fault is not None
    assert (fault.kind, fault.message, fault.place) == (
        "lock_misuse",
        "unlocked by a non-holder",
        Place(trace.model.file, 14),
    )
    assert trace.final_fault == fault
    assert (trace.property_kind, trace.place, trace.doc) == ("fault", fault.place, fault.message)
    assert trace.steps[-1].changes == ()


def test_a_fault_of_the_start():
    trace = trace_of(bad_start(), "assertion@7")
    assert trace.steps == ()
    assert trace.final_fault is not None
    assert trace.final_fault.message == "order must be 0"
    assert [cell.value for cell in trace.initial if cell.free] == ["1"]
    assert trace.blocked == ()


@pytest.mark.parametrize("name", ["never_dirty", "no_undo", "read_done", "deadlock", "lock_misuse@14"])
def test_initial_cells_and_changes_give_every_state(name):
    program = {"deadlock": abba, "lock_misuse@14": misuse}.get(name, race)()
    semantics, violation = Interpreter(program), find(program, name)
    trace = build_trace(program, violation, engine="reference")
    states = [semantics.starts[violation.initial]]
    for action in violation.schedule:
        step = semantics.step(states[-1], action)
        if step is not None and step.state is not None:
            states.append(step.state)
    layout = semantics.layout
    shown = [{layout.names[c]: show_cell(program, layout, c, v) for c, v in enumerate(state)} for state in states]
    assert list(trace.states()) == shown
    assert trace.state_before(2) == shown[1]
    assert list(inconsistencies(trace)) == []


def test_state_before_knows_its_bounds():
    with pytest.raises(IndexError):
        trace_of(race(), "never_dirty").state_before(6)


def test_failing_parts_are_taken_over():
    trace = build_trace(
        race(), find(race(), "never_dirty"), engine="e", failing=[("page[1] != DIRTY", "page[1]=DIRTY")]
    )
    assert trace.failing == (Failing("page[1] != DIRTY", "page[1]=DIRTY"),)
    assert trace.with_failing([]).failing == ()


def test_no_place_outside_the_working_directory_is_stored_in_full():
    program = replace(race(), file="/somewhere/else/race.py")
    assert build_trace(program, find(race(), "never_dirty"), engine="e").model.file == "race.py"


# -- schedules that do not run --------------------------------------------------


def failure(program, violation) -> str:
    with pytest.raises(ReplayError) as caught:
        build_trace(program, violation, engine="speedy")
    assert isinstance(caught.value, InternalError)
    assert "'speedy'" in caught.value.message
    return caught.value.message


def test_an_action_that_is_not_enabled():
    good = find(race(), "never_dirty")
    bad = replace(good, schedule=(good.schedule[0], good.schedule[0], *good.schedule[2:]))
    assert "step 2 of 4: reader at reader+1/read+1 is not enabled" in failure(race(), bad)


@pytest.mark.parametrize("action", [Action(7, 1), Action(0, 99), Action(-1, 1), Action(0, 4, (5,))])
def test_an_action_that_does_not_exist(action):
    good = find(race(), "never_dirty")
    assert "step 4 of 4" in failure(race(), replace(good, schedule=(*good.schedule[:-1], action)))


def test_an_initial_state_that_does_not_exist():
    assert "there is no initial state 2 (of 2)" in failure(race(), replace(find(race(), "never_dirty"), initial=2))


def test_a_fault_that_the_reference_does_not_have():
    claimed = replace(find(race(), "never_dirty"), fault=Fault("index", "index 3"))
    assert "step 4 of 4: expected fault index: index 3, found a step" in failure(race(), claimed)
    claimed = replace(find(bad_start(), "assertion@7"), fault=Fault("index", "index 3"))
    assert "the initial state" in failure(bad_start(), claimed)


def test_a_fault_that_the_engine_did_not_see():
    unseen = replace(find(misuse(), "lock_misuse@14"), fault=None)
    assert "expected a step, found fault lock_misuse: unlocked by a non-holder" in failure(misuse(), unseen)


def test_a_fault_of_another_name():
    assert "the fault there is lock_misuse@14" in failure(
        misuse(), replace(find(misuse(), "lock_misuse@14"), property="x")
    )


@pytest.mark.parametrize("name", ["never_dirty", "no_undo", "read_done", "deadlock", "no such property"])
def test_an_end_at_which_nothing_is_violated(name):
    good = find(race(), "never_dirty")
    message = failure(race(), replace(good, property=name, schedule=good.schedule[:2]))
    assert "step 2 of 2" in message
    assert "the initial state" in failure(race(), replace(good, property=name, schedule=()))
    assert ("deadlock" in message) is (name in ("deadlock", "no such property"))
