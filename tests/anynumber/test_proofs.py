"""Proofs for any number: what holds, what does not, and what does not meet the conditions, each with its place."""

from __future__ import annotations

from pathlib import Path

import any_models as models
import pytest
from concrete import Instance, Proof

from dio_mc.anynumber.asked import asked_of
from dio_mc.anynumber.conditions import HINTS, Refused
from dio_mc.anynumber.proof import ground
from dio_mc.catalogue import PAGES
from dio_mc.checking.driver import Options, Wanted
from dio_mc.checking.general import check_any_number
from dio_mc.errors import ModelError


def checked(model: type, *words: str):
    return check_any_number(model, {}, Wanted(words), Options())


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (models.Exclusive, ("writer",)),
        (models.Completes, ("submitter",)),
        (models.Numbered, ("readers", "writer")),
        (models.Numbered, ("all",)),
        (models.Drained, ("all",)),
        (models.Drained, ("submitter",)),
        (models.Exclusive, ("all",)),
    ],
)
def test_it_holds_and_every_view_of_instances_is_in_the_proof(model: type, words: tuple[str, ...]) -> None:
    proof = Proof(model, *words)
    assert proof.bad == set()
    assert proof.checked.gaps == []
    for number in (1, 2, 3):
        instance = Instance(proof, number, 20_000)
        instance.explore()
        assert instance.complete
        assert instance.missing == []
        assert instance.bad == set()
    assert checked(model, *words).any_number.verdict == "HOLDS"


def test_a_mistake_that_needs_two_is_found_in_an_instance_of_two() -> None:
    report = checked(models.Torn, "readers", "writer")
    assert (report.verdict, report.any_number.violated) == ("VIOLATED", ("whole",))
    report = checked(models.Three, "worker")
    assert report.verdict == "VIOLATED"
    assert report.model == "Three@worker=3"
    assert report.any_number.instances == (1, 2)
    assert [len(trace.steps) for trace in report.traces] == [3]


def test_what_no_instance_violates_is_undetermined() -> None:
    report = checked(models.Unlocked, "writer")
    told = report.any_number
    assert (report.verdict, told.verdict) == ("HOLDS", "HOLDS")  # nobody ever rests


def test_spawned_completions_are_threads_that_come_and_go() -> None:
    told = checked(models.Completes, "submitter").any_number
    assert told.uncovered == ("deadlock", "spawn")
    assert told.proved == ("held_while_in_flight", "faults")


@pytest.mark.parametrize(
    ("model", "code", "line", "message"),
    [
        (models.Ordered, "DIO253", "wait_until(self.owner <= me)", "are used as numbers: they are compared by size"),
        (models.Leader, "DIO254", "if k == 0", "one `worker` is distinguished from another: a condition names one"),
        (models.Sized, "DIO254", "taken = Array", "`taken` is indexed by a thread's number and has 3 elements, not one per thread"),
        (models.Follows, "DIO256", "next = PerThread", "`next` has a thread id for each thread"),
        (models.NamesOne, "DIO257", "wait_until(self.busy[threads", "one `worker` is distinguished from another"),
        (models.AsksForMore, "DIO258", "wait_until(not any(self.want", "depends on more than the data of each thread"),
        (models.Unrolled, "DIO257", "for _ in threads", "a statement names one thread"),
        (models.Counted, "DIO261", "n = Var(Range(0, workers))", "`n` depends on the number of threads"),
        (models.Doubled, "DIO260", "", "the number of other threads"),
        (models.Summed, "DIO261", "wait_until(sum(", "`sum` over threads depends on how many there are"),
    ],
)  # fmt: skip
def test_what_is_not_met_is_found_where_it_stands(model: type, code: str, line: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        ground(model, asked_of(model, ("reader" if model is models.Doubled else "worker",)), {})
    found = refused.value.diagnostics[0]
    assert message in found.message
    assert found.code == code
    if line:
        assert found.span is not None
        assert line in Path(found.span.file).read_text().splitlines()[found.span.line - 1]


def test_a_refused_proof_is_undetermined_with_findings() -> None:
    report = checked(models.Counted, "worker")
    assert (report.verdict, report.any_number.verdict, report.any_number.views) == ("UNDETERMINED", "UNDETERMINED", 0)
    assert [f.code for f in report.findings if f.code.startswith("DIO2")] == ["DIO261", "DIO261"]
    assert "keep the data per thread (PerThread) and quantify with any or all" in report.findings[-1].message


def test_an_array_of_another_size_is_told_with_the_way_out() -> None:
    told = "`taken` is indexed by a thread's number and has 3 elements, not one per thread: "
    told += "use the number only to index arrays with one element per thread, or use PerThread and `me`"
    assert [f.message for f in checked(models.Sized, "worker").findings if f.code == "DIO254"] == [told]


def test_a_model_that_crashes_is_told_so() -> None:
    report = checked(models.LosesPower, "worker")
    told = "a crash ends all other threads: no proof for any number of threads covers crashes"
    assert [f.message for f in report.findings if f.code == "DIO257"] == [told]


def test_a_property_that_views_cannot_judge_leaves_the_others() -> None:
    report = checked(models.ThreeAtOnce, "worker", "single")
    told = report.any_number
    assert told.unfit == ("together",)
    assert told.proved == ("small", "faults")
    assert "DIO259" in [f.code for f in report.findings]


def test_a_count_is_kept_by_who_began_it() -> None:
    proof = Proof(models.Drained, "all")
    assert len(proof.ground.checking.alone.counters) == 1  # the handed readers of the semaphore never change
    assert {thread.credits for thread in proof.views.threads} == {(0,), (1,)}
    report = checked(models.CountsLate, "submitter", "truncater")
    assert report.any_number.violated == ("never_after",)
    assert "faults" in report.any_number.proved


def test_a_count_that_others_end_has_its_bound() -> None:
    proof = Proof(models.EndsForOthers, "all")
    assert proof.ground.checking.alone.counters == ()
    assert [name.split("@")[0] for name in sorted(proof.bad)] == ["freed_at_rest", "range"]


def test_that_somebody_is_not_at_rest_is_known_without_being_looked_at() -> None:
    proof = Proof(models.Drained, "all")
    assert len(proof.ground.checking.alone.existing) == 1
    assert "freed_at_rest" not in proof.bad


def test_words_that_name_no_thread() -> None:
    with pytest.raises(ModelError) as error:
        asked_of(models.Numbered, ("reeders",))
    assert str(error.value) == (
        "dio-mc: error DIO251: Numbered has no thread `reeders`, nor a parameter that counts one\n"
        "  hint: did you mean `readers`?"
    )
    with pytest.raises(ModelError, match="DIO252: the number of `worker` is computed"):
        asked_of(models.Computed, ("worker",))


def test_every_condition_has_a_page() -> None:
    assert set(HINTS) <= set(PAGES)
