"""Partial order in a whole exploration: when it is used, that counterexamples are the canonical ones all the same, what
is said where they could not be looked for."""

from dataclasses import replace
from functools import cache

import asking
import pytest
from asking import explore, explore_reference, verify_reduction
from independent_models import Crossed, Early, Pages, Stuck, Torn, Turning

from dio_mc.analysis.partial_order.persistent import find_persistent_sets
from dio_mc.engines import choose
from dio_mc.engines.agree import differences
from dio_mc.errors import InternalError
from dio_mc.frontend import build
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import NO_REDUCTION, Budget, Exploration, Reductions
from dio_mc.semantics.stop import INTERRUPTED, OUT_OF_MEMORY, Stop, StopKind
from dio_mc.symbolic.evaluator import property_evaluator
from dio_mc.trace.replay import run_schedule

ORDER = Reductions(symmetry=False, partial_order=True)
SYMMETRY = Reductions(partial_order=False)
BOTH = Reductions(partial_order=True)


@pytest.fixture(autouse=True)
def _reduced_from_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.setattr(choose, "SWITCH", 20)
    monkeypatch.setattr(choose, "FULL", 20)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


def evaluators_of(program: Program):
    return [property_evaluator(program, p).evaluator for p in program.properties]


def run(model, reductions: Reductions, budget: Budget | None = None, **rest) -> Exploration:
    program = build(model, {"writers": 4}).program
    return explore(program, evaluators_of(program), budget, reductions=reductions, **{"engine": "reference", **rest})


@cache
def full_of(model) -> Exploration:
    """What the interpreter finds in all states."""
    program = build(model, {"writers": 4}).program
    return explore_reference(program, evaluators_of(program))


ENGINES = pytest.mark.parametrize("engine", ["auto", "reference", "native"])


@ENGINES
def test_it_is_used_when_it_is_asked_for(engine: str) -> None:
    ordered = run(Pages, ORDER, engine=engine)
    assert (ordered.states, ordered.reductions) == (28, ("partial order",))
    assert run(Pages, NO_REDUCTION, engine=engine).reductions == ()
    assert run(Pages, SYMMETRY, engine=engine).reductions == ("symmetry",)


@ENGINES
def test_with_symmetry_too(engine: str) -> None:
    both, one, other = (run(Pages, way, engine=engine) for way in (BOTH, ORDER, SYMMETRY))
    assert both.reductions == ("symmetry", "partial order")
    assert both.states < min(one.states, other.states)


@ENGINES
def test_left_to_itself_it_is_used_where_it_seems_to_pay(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each state but the last few of these threads one goes alone."""
    assert run(Pages, Reductions(symmetry=False), engine=engine).reductions == ("partial order",)
    assert run(Pages, Reductions(), engine=engine).reductions == ("symmetry", "partial order")
    monkeypatch.setattr("dio_mc.analysis.partial_order.persistent.PersistentSets.of", lambda self, state, steps: steps)
    assert run(Pages, Reductions(symmetry=False), engine=engine).reductions == ()


def test_a_small_search_is_one_of_all_states(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "FULL", 1000)
    assert (run(Pages, ORDER).states, run(Pages, ORDER).reductions) == (625, ())


@ENGINES
def test_a_limit_of_depth_leaves_no_choice_of_order(engine: str) -> None:
    found = run(Pages, ORDER, Budget(max_depth=5), engine=engine)
    assert (found.reductions, str(found.stopped)) == ((), "--max-depth 5")


@ENGINES
@pytest.mark.parametrize("soon", [10, 10**6])
@pytest.mark.parametrize(
    ("model", "violated"),
    [(Torn, ["not_all"]), (Stuck, ["deadlock"]), (Crossed, ["not_all", "both_met", "deadlock", "assertion@63"])],
)
def test_counterexamples_are_those_of_all_states(
    engine: str, soon: int, model, violated: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deadlocks among them, whose depth is the last that a search for them would have to go to."""
    monkeypatch.setattr(choose, "SOON", soon)
    full = full_of(model)
    assert [violation.property.partition("@")[0] for violation in full.violations] == [
        name.partition("@")[0] for name in violated
    ]
    for reductions in (ORDER, BOTH):
        found = run(model, reductions, engine=engine)
        assert found.reductions
        assert found.violations == full.violations
        assert all(violation.canonical for violation in found.violations)
        assert (found.stopped, found.complete) == (None, True)


@ENGINES
@pytest.mark.parametrize("model", [Torn, Stuck])
def test_with_first_the_answer_is_that_of_a_full_search(engine: str, model) -> None:
    full = run(model, NO_REDUCTION, first=True)
    assert run(model, ORDER, first=True, engine=engine).violations == full.violations


@ENGINES
def test_with_first_what_another_order_has_shown_stays(engine: str) -> None:
    """By partial order the deadlock comes first; in the order of depth it is not the first to be found."""
    found = run(Crossed, ORDER, first=True, engine=engine)
    full = {violation.property: violation for violation in run(Crossed, NO_REDUCTION).violations}
    assert found.violations
    for violation in found.violations:
        if violation.canonical:
            assert violation == full[violation.property]
        assert run_schedule(Interpreter(build(Crossed, {"writers": 4}).program), violation, engine).steps


@ENGINES
def test_schedules_that_may_not_be_the_shortest_say_so(engine: str) -> None:
    """The reduced search fits into the limit, the one for the shortest schedule does not."""
    told: list[str] = []
    found = run(Torn, ORDER, Budget(max_states=40), note=told.append, engine=engine)
    assert [violation.property for violation in found.violations] == ["not_all"]
    assert [violation.canonical for violation in found.violations] == [False]
    assert (found.states, found.stopped) == (28, None)
    assert told == ["the schedules shown are not known to be the shortest: --max-states 40 ended the search for those"]


@pytest.mark.parametrize("reason", [INTERRUPTED, Stop(StopKind.TIMEOUT, 5), OUT_OF_MEMORY], ids=str)
def test_who_has_to_end_looks_no_further(reason: Stop) -> None:
    told: list[str] = []
    program = build(Torn, {"writers": 2}).program
    asked = choose.Run(asking.request(program, evaluators_of(program), note=told.append))
    first = explore_reference(
        program, evaluators_of(program), selection=find_persistent_sets(program, evaluators_of(program))
    )
    found = replace(first, stopped=reason)
    assert asked._shortest(found, lambda _: pytest.fail("it goes on")) == found
    assert told == [f"the schedules shown are not known to be the shortest: {reason} ended the search for those"]


# -- what one search has established ------------------------------------------------------------------------------------


@ENGINES
@pytest.mark.parametrize("model", [Torn, Stuck, Crossed])
def test_a_search_that_loses_a_violation_is_wrong(engine: str, model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever of them, and whatever was violated: the schedule that another found is replayed and shown."""

    def losing(original):
        def search(*args, **more):
            found = original(*args, **more)
            return found if "partial order" in found.reductions else replace(found, violations=found.violations[:-1])

        return search

    monkeypatch.setattr(choose, "explore_reference", losing(choose.explore_reference))
    monkeypatch.setattr(choose, "compiled", losing(choose.compiled))
    with pytest.raises(InternalError) as caught:
        run(model, ORDER, engine=engine)
    last = run_full(model)[-1]
    told = str(caught.value).splitlines()
    name = {"reference": "reference"}.get(engine, "native")
    assert told[0] == (
        f"internal error: the search of all orders of {model.__name__}@writers=4 by engine {name} has lost what another "
        f"search found: {last.property}"
    )
    assert told[1].startswith(f"{last.property}: found by engine {name}, replayed in ")
    assert "writer[" in told[2]


def run_full(model):
    program = build(model, {"writers": 4}).program
    return explore_reference(program, evaluators_of(program)).violations


def test_a_reduced_search_that_misses_a_violation_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is complete, and says that something holds which the search for counterexamples has seen violated."""
    original = choose.explore_reference

    def missing(*args, **more):
        found = original(*args, **more)
        ordered = "partial order" in found.reductions
        return replace(found, violations=found.violations[1:]) if ordered else found

    monkeypatch.setattr(choose, "explore_reference", missing)
    with pytest.raises(InternalError, match="the search by partial order of Crossed@writers=4 by engine reference has"):
        run(Crossed, ORDER)


@ENGINES
def test_what_a_small_search_has_found_stays_when_a_larger_one_is_cut(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The larger one gets nowhere before the time is up; whether it begins at all is a matter of the clock."""
    monkeypatch.setattr(choose, "FULL", 300)
    cut = [False]

    def stop() -> str | None:
        return "--timeout 5" if cut[0] else None

    original = choose.Run._within

    def within(self, limit, search):
        found = original(self, limit, search)
        cut[0] |= limit == 300
        return found

    monkeypatch.setattr(choose.Run, "_within", within)
    found = run(Early, ORDER, stop=stop, engine=engine)
    assert (str(found.stopped), found.complete) == ("--timeout 5", False)
    assert found.violations == run_full(Early)
    assert [violation.property.partition("@")[0] for violation in found.violations] == ["good", "assertion"]


@pytest.mark.parametrize(("error", "stopped"), [(KeyboardInterrupt, "interrupted"), (MemoryError, "out of memory")])
def test_what_is_found_stays_when_the_way_to_the_next_search_is_cut(
    error: type[BaseException], stopped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_) -> None:
        raise error

    monkeypatch.setattr(choose, "FULL", 300)
    monkeypatch.setattr(choose.Run, "_shortest", cut)
    found = run(Crossed, ORDER)
    assert (str(found.stopped), len(found.violations)) == (stopped, 4)
    monkeypatch.setattr(choose.Run, "_within", cut)
    if error is KeyboardInterrupt:
        with pytest.raises(error):
            run(Crossed, ORDER)
        return
    nothing = run(Crossed, ORDER)
    assert (str(nothing.stopped), nothing.violations, nothing.states) == (stopped, (), 0), "never taken for all"


# -- compared with a full search ---------------------------------------------------------------------------------------


def verified(model, **rest) -> list[str]:
    program = build(model, {"writers": 3} if model is not Turning else {}).program
    found = explore(program, evaluators_of(program), engine="reference", reductions=rest.pop("given", Reductions()))
    return verify_reduction(found, program, evaluators_of(program), engine="reference", **rest)


def test_verified_each_way() -> None:
    three = [
        "verified: 125 states, and 35 up to symmetry, give the same answer",
        "verified: 125 states, and 17 by partial order, give the same answer",
        "verified: 125 states, and 13 up to symmetry by partial order, give the same answer",
    ]
    for given in (SYMMETRY, BOTH, ORDER, NO_REDUCTION):
        assert verified(Pages, partial_order=True, given=given) == three
    assert verified(Pages) == three[:1]


def test_what_is_refused_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    told = verified(Turning, partial_order=True)
    assert told == [
        "no reduction: there is nothing to exchange",
        "no partial order: no step is invisible to the properties and independent of some other thread",
    ]


def test_a_difference_is_told() -> None:
    full = run(Torn, NO_REDUCTION)
    nowhere = replace(full.coverage, fired=frozenset())
    wrong = replace(run(Torn, ORDER), violations=(), unknown=("torn",))
    assert differences(run(Torn, ORDER), full) == []
    assert differences(wrong, full) == [
        "undecided properties: ('torn',) reduced, () in full",
        "violated properties: [] reduced, ['not_all'] in full",
    ]
    assert differences(replace(run(Torn, ORDER), coverage=nowhere), full)[0].startswith("coverage: Coverage(fired=froz")
