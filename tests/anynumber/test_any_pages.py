"""Proofs for any number of pages: what holds, what instances of one to three pages say, what is refused and where."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import page_models as models
import pytest
from concrete import Instance, Proof, never
from random_pages import Writer, random_model

from dio_mc.anynumber import places, proof, steps, tracked
from dio_mc.anynumber.asked import Asked, asked_of, readings_of, with_pages
from dio_mc.anynumber.conditions import HINTS, Refused
from dio_mc.anynumber.proof import check_views, ground
from dio_mc.checking.driver import Options, Wanted
from dio_mc.checking.general import check_any_number
from dio_mc.errors import ModelError
from dio_mc.frontend.load import load_module
from dio_mc.ir.expr import TRUE

ROOT = Path(__file__).resolve().parents[2]
SIZES = ((1, 1), (1, 2), (2, 1), (2, 2), (1, 3))
"""Threads and pages of instances."""


def asked(model: type, *threads: str) -> Asked:
    return with_pages(model, asked_of(model, threads), "pages")


def compared(found: Proof, most: int, sizes: tuple[tuple[int, int], ...] = SIZES) -> set[str]:
    """What instances violate; all of their states are in the proof, and all of their violations."""
    seen: set[str] = set()
    for number, pages in sizes:
        instance = Instance(found, number, most, pages=pages)
        instance.explore()
        assert instance.missing == [], (number, pages)
        assert instance.bad <= found.bad, (number, pages)
        seen |= instance.bad
    return seen


@pytest.mark.parametrize(
    ("model", "threads", "bad"),
    [
        (models.Locked, ("writer",), set()),
        (models.Locked, (), set()),
        (models.Unlocked, ("writer",), {"whole"}),
        (models.TwoLoops, ("writer",), set()),
        (models.LeavesOneOut, ("writer",), {"seen_by_all"}),
        (models.Crowd, (), set()),
        (models.OnlyOne, (), {"nothing_happens"}),
    ],
)
def test_what_is_proved_is_what_instances_say(model: type, threads: tuple[str, ...], bad: set[str]) -> None:
    found = Proof(model, asked=asked(model, *threads))
    assert found.checked.gaps == []
    assert found.bad == bad
    assert compared(found, 3_000) == bad


def test_an_alarm_misses_nothing() -> None:
    found = Proof(models.Waits, asked=asked(models.Waits, "sweeper"))
    assert found.bad == {"clean_at_rest"}  # which completion is still to come is more than two threads can say
    assert compared(found, 3_000) == set()


@pytest.mark.parametrize(
    ("file", "name", "bad"),
    [
        ("placeholder", "Placeholder", ""),
        ("placeholder", "NoSecondLook", "no_stale_exposure"),
        ("placeholder", "LooksForDirtyOnly", "no_stale_exposure"),
        ("placeholder", "ReleasedBeforeMap", "no_hole_filled no_stale_exposure pinned_while_reading"),
        ("placeholder", "ReleasedBeforeIO", "no_hole_filled pinned_while_reading"),
        ("ext3_2_6_18", "Ext3", "no_hole_filled no_stale_exposure"),
        ("unwritten_extents", "UnwrittenExtents", ""),
    ],
)
def test_the_rules_of_the_seed_for_any_number_of_readers_and_pages(file: str, name: str, bad: str) -> None:
    model = next(m for m in load_module(str(ROOT / "models/seed" / f"{file}.py")).models if m.__name__ == name)
    found = Proof(model, asked=asked(model, "reader"))
    assert found.checked.gaps == []
    assert sorted(found.bad) == bad.split()
    assert compared(found, 150, SIZES[:3]) == set(bad.split())


def test_the_verdict_says_any_pages() -> None:
    model = load_module(str(ROOT / "models/seed/placeholder.py")).models[0]
    for words in (("readers", "pages"), ("all",)):
        report = check_any_number(model, {}, Wanted(words, instances=False), Options())
        assert report.any_number.words().startswith(
            "HOLDS for any number of reader; any pages (mapper, pdflush for each): no_stale_exposure, no_hole_filled, "
            "pinned_while_reading, faults; 10,923 views"
        )
    report = check_any_number(model, {}, Wanted(("pages",), instances=False), Options())
    said = "HOLDS for any number of pages (mapper, pdflush for each), with reader, readers=1: "
    assert report.any_number.words().startswith(said)


def test_what_is_not_so_for_pages_is_proved_for_threads() -> None:
    assert [a.pages for a in readings_of(models.Remembers, ("all",))] == ["pages", None]
    told = check_any_number(models.Remembers, {}, Wanted(("all",)), Options()).any_number
    assert (told.verdict, told.pages, told.others) == ("HOLDS", None, ("pages=2",))


@pytest.mark.parametrize(
    ("model", "code", "line", "message"),
    [
        (models.NamesOne, "DIO262", "self.page[0] = 2", "a statement names one page by its number"),
        (models.ComparesSize, "DIO262", "if i < 1:", "the number of a page is compared with a number"),
        (models.NextPage, "DIO262", "self.page[(i + 1) % 2] = 2", "the number of a page is computed"),
        (models.TwoPages, "DIO263", "self.page[i] = self.page[j]", "a step accesses two pages"),
        (models.AsksTwoPages, "DIO263", "wait_until(self.page[i] == 0", "a step accesses two pages"),
        (models.AllAtOnce, "DIO263", "self.page[i] = 2", "a step iterates over pages"),
        (models.Remembers, "DIO264", "last = Var", "`last` holds the number of a page"),
        (models.OneIsDifferent, "DIO265", "first = Array", "`first` is indexed by pages, but does not have"),
        (models.StartsApart, "DIO109", "first = Array", "`first`: init lists 2 values for an array of 4"),
        (models.TwiceAsMany, "DIO261", "sectors = Array", "`sectors` depends on the number of pages"),
        (models.StartsInTheMiddle, "DIO261", "range(1, self.pages)", "`pages`, the number of pages, is used as"),
        (models.Summed, "DIO261", "wait_until(sum(", "`sum` over pages depends on how many there are"),
        (models.LastPage, "DIO261", "if i == self.pages - 1", "`pages`, the number of pages, is used as a value"),
    ],
)  # fmt: skip
def test_what_is_not_met_is_found_where_it_stands(model: type, code: str, line: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        ground(model, asked(model, "worker"), {})
    found = refused.value.diagnostics[0]
    assert message in found.message
    assert found.code == code
    assert found.span is not None
    assert line in Path(found.span.file).read_text().splitlines()[found.span.line - 1]


@pytest.mark.parametrize(
    ("model", "name", "message"),
    [
        (models.Related, "ordered", "a property relates two pages"),
        (models.TwoAtOnce, "either", "`either` relates two pages; a property may relate one at a time"),
        (models.NamesFirst, "first", "a property names one page by its number"),
    ],
)
def test_a_property_of_two_pages_leaves_the_others(model: type, name: str, message: str) -> None:
    found = ground(model, asked(model, "writer"), {})
    assert [(n, d.code, d.message, d.hint) for n, d in found.unfit] == [(name, "DIO266", message, HINTS["DIO266"])]
    assert [demand.property.name for demand in found.demands] == ["whole"]


def test_two_sizes_are_not_both_any_number() -> None:
    with pytest.raises(ModelError) as error:
        asked_of(models.TwoSizes, ("pages", "blocks"))
    assert str(error.value) == ("dio-mc: error DIO251: `pages` and `blocks` are sizes of arrays: one can be any number")


def test_a_certificate_with_any_view_less_proves_nothing() -> None:
    found = Proof(models.TwoLoops, asked=asked(models.TwoLoops, "writer"))
    rows = found.views.rows
    for common, one, other in list(found.views.pairs()):
        a, b = found.views.numbers[one], found.views.numbers[other]
        rows[common][a] ^= 1 << b
        if a != b:
            rows[common][b] ^= 1 << a
        assert check_views(found.ground, found.views, never).gaps
        rows[common][a] |= 1 << b
        rows[common][b] |= 1 << a
    assert check_views(found.ground, found.views, never).gaps == []


# -- random models -----------------------------------------------------------------------------------------------------


def outcome(seed: int, folder: Path, most: int = 200) -> str:
    """What comparing a random model came to."""
    model = random_model(seed, folder)
    if model is None:
        return "none"
    try:
        found = Proof(model, asked=asked(model, *Writer(seed).kinds))
    except Refused:
        return "refused"
    assert found.checked.gaps == []
    seen = compared(found, most)
    return "alarm" if found.bad - seen else "violated" if seen else "proved"


@pytest.mark.slow
def test_random_models(tmp_path: Path) -> None:
    assert {outcome(seed, tmp_path) for seed in range(10)} >= {"proved", "violated"}


def compare_all() -> None:
    for model, *threads in SMALL:
        compared(Proof(model, asked=asked(model, *threads)), 300)


SMALL = ((models.Cleans, "cleaner"), (models.Ends, "worker"), (models.OnlyOne,), (models.Waits, "sweeper"))


def with_pages_that_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps.Steps, "_with_anything", lambda self, state, *_: iter([state]))


def with_loops_that_begin_at_the_tracked_page(monkeypatch: pytest.MonkeyPatch) -> None:
    original = tracked._Rewriting._counted

    def first(self, *arguments):
        found = original(self, *arguments)
        return replace(found, options=found.options[:1]) if len(found.options) == 2 else found

    monkeypatch.setattr(tracked._Rewriting, "_counted", first)


def with_others_that_always_say_no(monkeypatch: pytest.MonkeyPatch) -> None:
    original = proof.with_constants
    monkeypatch.setattr(proof, "with_constants", lambda program, but: original(program))


def with_pages_that_are_all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    original = places._kinds
    monkeypatch.setattr(places, "_kinds", lambda *a: [replace(kind, optional=False) for kind in original(*a)])


def with_checks_of_pages_elsewhere_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks that are left out where the page is the tracked one."""
    original = tracked._Rewriting._on_the_tracked

    def swapped(self, condition):
        found = original(self, condition)
        return found if found == self._expr(condition) else TRUE

    monkeypatch.setattr(tracked._Rewriting, "_on_the_tracked", swapped)


def with_nobody_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "VIEW", 0)


BROKEN = (
    with_pages_that_stay_as_they_were, with_loops_that_begin_at_the_tracked_page, with_others_that_always_say_no,
    with_pages_that_are_all_there, with_checks_of_pages_elsewhere_alone, with_nobody_left_out,
)  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_abstraction_is_noticed(broken, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    with pytest.raises((AssertionError, KeyError)):
        compare_all()


def test_steps_on_two_pages_would_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "refuse_two_pages", lambda *_: None)
    found = Proof(models.AsksTwoPages, asked=asked(models.AsksTwoPages, "worker", "writer"))
    with pytest.raises(AssertionError):
        compared(found, 3_000)


def test_a_page_that_is_named_would_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracked._Rewriting, "_index", lambda self, index: index)
    found = Proof(models.NamesOne, asked=asked(models.NamesOne, "worker"))
    with pytest.raises(AssertionError):
        compared(found, 3_000)
