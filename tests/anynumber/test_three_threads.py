"""Views of three threads: what they prove that those of two do not, against instances, and broken on purpose."""

from __future__ import annotations

from pathlib import Path

import any_models as models
import page_models
import pytest
from concrete import Instance, Proof, never
from random_templates import Writer, random_model

from dio_mc.anynumber import triples
from dio_mc.anynumber.asked import asked_of, with_pages
from dio_mc.anynumber.certificate import certificate_text, read_certificate
from dio_mc.anynumber.conditions import Refused
from dio_mc.anynumber.proof import check_views
from dio_mc.anynumber.views import Stopped
from dio_mc.checking.driver import Options, Wanted
from dio_mc.checking.general import certify, check_any_number


def compared(found: Proof, largest: int, most: int) -> set[str]:
    """What instances violate; all of their states are in the proof, and all of their violations."""
    assert found.checked.gaps == []
    seen: set[str] = set()
    for number in range(1, largest + 1):
        instance = Instance(found, number, most)
        instance.explore()
        assert instance.missing == []
        assert instance.bad <= found.bad
        seen |= instance.bad
    return seen


def test_three_threads_can_tell_what_two_cannot() -> None:
    assert {name.split("@")[0] for name in Proof(models.Permits, "all").bad} == {"fits", "range"}
    found = Proof(models.Permits, "all", of=3)
    assert found.bad == set()
    assert compared(found, 4, 5_000) == set()


def test_the_verdict_says_of_how_many_threads_the_views_are() -> None:
    report = check_any_number(models.Permits, {}, Wanted(("all",), certificate=True), Options())
    told = report.any_number
    said = (
        "HOLDS for any number of worker: fits, faults; 42 views of three threads, re-checked in 8 steps; not covered: "
        "deadlock"
    )
    assert (told.words(), told.instances) == (said, (1, 2, 3))
    assert certify(models.Permits, told.certificate, "c.json", Options()).words() == said


@pytest.mark.parametrize("model", [models.Exclusive, models.Drained, models.Completes, models.Numbered])
def test_what_two_threads_prove_three_prove(model: type) -> None:
    found = Proof(model, "all", of=3)
    assert found.bad == set()
    assert compared(found, 3, 2_000) == set()


def test_pages_and_views_of_three_threads() -> None:
    asked = with_pages(page_models.Locked, asked_of(page_models.Locked, ("writer",)), "pages")
    found = Proof(page_models.Locked, asked=asked, of=3)
    assert found.bad == set()
    assert compared(found, 2, 2_000) == set()


def outcome(seed: int, folder: Path, most: int) -> str:
    """What comparing a random model came to."""
    model = random_model(seed, folder)
    if model is None:
        return "none"
    kinds = Writer(seed).kinds
    try:
        found = Proof(model, *kinds, of=3)
    except (Refused, Stopped):
        return "refused"
    seen = compared(found, 4 // len(kinds), most)
    return "alarm" if found.bad - seen else "violated" if seen else "proved"


@pytest.mark.slow
def test_random_models_by_three_threads(tmp_path: Path) -> None:
    assert {outcome(seed, tmp_path, 300) for seed in range(6)} >= {"proved", "violated"}


def test_a_view_of_three_less_proves_nothing() -> None:
    found = Proof(models.Permits, "all", of=3)
    text = certificate_text("Permits", found.asked, {}, found.ground, found.views)
    whole = read_certificate(text, "c.json").views
    assert isinstance(whole, triples.Triples)
    assert check_views(found.ground, whole, never).gaps == []
    for common, one, other, third in list(whole.all()):
        changed = read_certificate(text, "c.json").views
        assert isinstance(changed, triples.Triples)
        for a, b, c in ((one, other, third), (one, third, other), (other, third, one)):
            for pair in ((a, b), (b, a)):
                changed.links[common][pair] &= ~(1 << c)
        assert check_views(found.ground, changed, never).gaps


def without_those_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three that did not step are forgotten."""
    original = triples.successors
    monkeypatch.setattr(triples, "successors", lambda *a, moved: original(*a, moved=False))


def without_who_stepped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stepped is forgotten."""
    original = triples.successors
    monkeypatch.setattr(
        triples, "successors", lambda links, pairs, step, moved: original(links, pairs[:1], step, moved=moved)
    )


@pytest.mark.parametrize("broken", [without_those_beside, without_who_stepped])
def test_broken_views_of_three_are_noticed(broken, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        compared(Proof(models.Drained, "all", of=3), 3, 2_000)
