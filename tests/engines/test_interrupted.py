"""An interrupt or a lack of memory, at every line that an engine comes to once it has seen a violation."""

import sys
from functools import cache
from types import CodeType, FrameType

import pytest

from dio_mc import Array, Model, Mutex, Range, Var, invariant, progress, reachable, thread
from dio_mc.engines import choose as engines
from dio_mc.engines.native import search as compiled
from dio_mc.engines.reference import search as interpreted
from dio_mc.frontend import build
from dio_mc.ir.program import Program
from dio_mc.semantics.search import NO_REDUCTION, Approximate, Exploration, Partial, RandomRuns, SearchRequest
from dio_mc.symbolic.evaluator import property_evaluator

ENGINES = {"native": compiled.Search, "reference": interpreted.Search}
LINES = 50
"""Of all lines that an engine runs after its search, so many are tried."""


class Every(Model):
    """Each kind of violation."""

    a = Mutex()
    b = Mutex()
    n = Var(Range(0, 3))
    cells = Array(Range(0, 1), size=3)

    @thread
    def one(self):
        self.a.lock()
        self.b.lock()
        self.n = 2
        self.b.unlock()
        self.a.unlock()

    @thread
    def two(self):
        self.b.lock()
        self.a.lock()
        self.cells[self.n + 1] = 1
        self.a.unlock()
        self.b.unlock()

    @invariant
    def below(self):
        return self.n < 2

    @invariant
    def grows(self, after):
        return self.n >= after.n

    @reachable
    def full(self):
        return self.cells[1] == 1


class Lasting(Every):
    deadlock = False

    @progress
    def ends(self):
        return self.at_rest()


class _Alarm:
    """Raises an error at one line of the engines after the first call of `run` that ends; counts those lines."""

    def __init__(self, run: CodeType, at: int, error: type[BaseException]) -> None:
        self.run, self.at, self.error, self.seen, self.armed = run, at, error, 0, False

    def __call__(self, frame: FrameType, event: str, argument: object) -> "_Alarm | None":
        if frame.f_code is self.run and event == "return":
            self.armed = True
        inside = "dio_mc/engines/" in frame.f_code.co_filename and "<" not in frame.f_code.co_name
        if self.armed and event == "line" and inside:
            self.seen += 1
            if self.seen == self.at:
                self.armed = False
                raise self.error
        return self if inside else None


@cache
def program_of(model: type[Model]) -> Program:
    return build(model).program


def explored(model: type[Model], engine: str, alarm: _Alarm | None, partial: Partial | None = None) -> Exploration:
    program = program_of(model)
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    before = sys.gettrace()
    sys.settrace(alarm or before)
    try:
        strategy = engines.Strategy(engine, reductions=NO_REDUCTION, partial=partial)
        return engines.explore(SearchRequest(program, evaluators), strategy)
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize(
    ("model", "engine"),
    [(Every, "native"), (Every, "reference"), (Lasting, "reference")],
    ids=lambda one: getattr(one, "__name__", one),
)
def test_a_violation_survives_whatever_comes_between_search_and_report(model, engine, error):
    run = ENGINES[engine].run.__code__
    counting = _Alarm(run, 0, error)
    full = explored(model, engine, counting)
    expected = {violation.property for violation in full.violations} - {"ends"}  # it is found at the very end
    assert len(expected) >= 4
    for line in range(1, counting.seen, max(counting.seen // LINES, 1)):
        alarm = _Alarm(run, line, error)
        found = explored(model, engine, alarm)
        assert not alarm.armed, "it was raised"
        assert {violation.property for violation in found.violations} | set(found.unshown) >= expected


@pytest.mark.parametrize(
    ("engine", "partial"),
    [("native", Approximate("bitstate", 1 << 20)), ("reference", RandomRuns(100))],
    ids=["bits", "runs"],
)
def test_a_search_of_a_part_loses_nothing_either(engine: str, partial: Partial) -> None:
    run = ENGINES[engine].run.__code__
    counting = _Alarm(run, 0, KeyboardInterrupt)
    expected = {one.property for one in explored(Every, engine, counting, partial).violations}
    assert len(expected) >= 4
    for line in range(1, counting.seen, max(counting.seen // 10, 1)):
        found = explored(Every, engine, _Alarm(run, line, KeyboardInterrupt), partial)
        assert {one.property for one in found.violations} | set(found.unshown) >= expected


@pytest.mark.parametrize("name", ["below", "grows", "index", "deadlock"])
def test_what_workers_have_noticed_of_a_level_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (violation,) = [one for one in explored(Every, "native", None).violations if kind_of(one.property) == name]
    level = len(violation.schedule) + (name == "deadlock")
    taken = compiled.Search._take_news
    raised: list[int] = []

    def take(search: compiled.Search) -> None:
        if len(search.levels) - 1 == level and not raised:
            raised.append(level)
            raise KeyboardInterrupt
        taken(search)

    monkeypatch.setattr(compiled.Search, "_take_news", take)
    found = explored(Every, "native", None)
    assert raised
    assert name in map(kind_of, (*(one.property for one in found.violations), *found.unshown))


def kind_of(name: str) -> str:
    """The name of a property, or the kind of a fault without its line."""
    return name.partition("@")[0]
