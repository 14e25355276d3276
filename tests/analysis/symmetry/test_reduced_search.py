"""A search of representatives against one of all states, on both engines: verdicts, depth, schedules, coverage, orbits."""

from pathlib import Path

import asking
import pytest
import symmetric_models as models
from all_permutations import group, image, reachable
from asking import explore_reference as explore

from dio_mc.analysis.symmetry.proof import find_symmetry
from dio_mc.analysis.symmetry.representatives import Representatives
from dio_mc.checking.expectations import bindings_of
from dio_mc.engines import choose
from dio_mc.engines.native.permute import NotPermutable
from dio_mc.engines.native.representative import write_representative
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.search import Budget, Exploration, Reductions
from dio_mc.symbolic.evaluator import property_evaluator

ROOT = Path(__file__).parents[3]
MODELS = [
    models.Both,
    models.FirstPage,
    models.PerPage,
    models.Waits,
    models.Leader,
    models.Torn,
    models.Stuck,
    models.Broken,
]
BENCHMARK = ROOT / "benchmarks" / "diorace.py"


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def evaluators_of(program: Program):
    return [property_evaluator(program, p).evaluator for p in program.properties]


def said(found: Exploration):
    """All but what a reduction changes: the numbers of states and steps."""
    return found.violations, found.depth, found.stopped, found.unknown, found.coverage, found.complete


def compiled(program: Program, representatives, workers: int = 1, budget: Budget | None = None) -> Exploration:
    return asking.native(program, evaluators_of(program), budget, workers=workers, representatives=representatives)


def agree(program: Program) -> tuple[Exploration, Exploration]:
    """The full and the reduced search of the reference engine; the native ones are held against them."""
    representatives = Representatives(program, find_symmetry(program))
    full = explore(program, evaluators_of(program))
    reduced = explore(program, evaluators_of(program), representatives=representatives)
    assert said(reduced) == said(full)
    assert (full.reductions, reduced.reductions) == ((), ("symmetry",))
    for workers in (1, 2):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dio_mc.engines.native.search.TOGETHER", 1)
            native = compiled(program, representatives, workers)
        assert said(native) == said(full)
        assert (native.states, native.reductions) == (reduced.states, ("symmetry",))
    return full, reduced


def orbits(program: Program) -> int:
    """Their number, without any cleverness."""
    symmetry = Representatives(program, find_symmetry(program)).plan.symmetry
    elements = list(group(symmetry))
    return len({min(image(program, symmetry, g, state) for g in elements) for state in reachable(program)})


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_small_models(model) -> None:
    program = build(model).program
    full, reduced = agree(program)
    assert reduced.states == orbits(program) < full.states


@pytest.mark.parametrize("model", [models.Torn, models.Stuck, models.Broken], ids=lambda m: m.__name__)
def test_these_do_have_counterexamples(model) -> None:
    found = explore(build(model).program, evaluators_of(build(model).program))
    assert found.violations


@pytest.mark.slow
def test_shipped_models() -> None:
    tried = 0
    for path in sorted(p for folder in ("seed", "toys", "history") for p in (ROOT / "models" / folder).glob("*.py")):
        for model in load_module(path, allow_empty=True).models:
            for params, _ in bindings_of(model, {}):
                program = build(model, params).program
                if find_symmetry(program) and tried < 16:
                    tried += 1
                    agree(program)
    assert tried > 10


@pytest.mark.parametrize("fixed", [0, 1])
@pytest.mark.parametrize("sizes", [{"readers": 2}, {"readers": 2, "mappers": 2}], ids=str)
def test_benchmark(sizes: dict[str, int], fixed: int) -> None:
    program = build(load_module(BENCHMARK).models[0], {**sizes, "fixed": fixed}).program
    full, reduced = agree(program)
    assert reduced.states < full.states
    assert bool(full.violations) == (fixed == 0)


def test_benchmark_has_the_orbits_that_rumur_counts() -> None:
    """Size M, with two scalarsets of threads, as Rumur 2022.08 counts them."""
    model = load_module(BENCHMARK).models[0]
    program = build(model, {"pages": 2, "readers": 3, "mappers": 2, "fixed": 1}).program
    assert compiled(program, Representatives(program, find_symmetry(program))).states == 249_075


# -- when a reduction is used ------------------------------------------------------------------------------------------


def test_small_models_keep_their_full_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    program = build(models.PerPage).program
    names = ["auto", "reference", "native"]
    for name in names:
        found = asking.explore(program, evaluators_of(program), engine=name, reductions=Reductions())
        assert (found.states, found.reductions) == (1599, ())
    monkeypatch.setattr(choose, "SWITCH", 500)
    monkeypatch.setattr(choose, "FULL", 1000)
    for name in names:
        found = asking.explore(program, evaluators_of(program), engine=name, reductions=Reductions())
        assert (found.states, found.reductions) == (185, ("symmetry",))
        whole = asking.explore(program, evaluators_of(program), engine=name, reductions=Reductions(symmetry=False))
        assert (whole.states, whole.reductions) == (1599, ())


def test_a_limit_of_states_below_the_switch_is_one_of_all_states() -> None:
    program = build(models.PerPage).program
    for name in ["auto", "reference", "native"]:
        budget = Budget(max_states=300)
        found = asking.explore(program, evaluators_of(program), budget, engine=name, reductions=Reductions())
        assert (found.states, str(found.stopped), found.reductions) == (300, "--max-states 300", ())


def test_where_the_compiled_analysis_is_askew_all_states_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    def askew(program, representatives, *rest):
        if representatives is not None:
            raise NotPermutable("what the analysis found is not symmetric")
        return write_representative(program, None, *rest)

    monkeypatch.setattr("dio_mc.engines.native.module.write_representative", askew)
    monkeypatch.setattr(choose, "FULL", 1000)
    program = build(models.PerPage).program
    found = asking.explore(program, evaluators_of(program), engine="native", reductions=Reductions())
    assert (found.engine, found.states, found.reductions) == ("native", 1599, ())
