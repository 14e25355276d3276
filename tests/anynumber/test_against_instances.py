"""Nothing that an instance does is missing from a proof: shipped models and random ones, state by state.

`differential.py` looks at more of them by hand.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import any_models
import pytest
from differential import compare
from random_templates import Writer, random_model

from dio_mc.anynumber import alone, steps, views
from dio_mc.anynumber.asked import asked_of
from dio_mc.frontend.load import load_module

MODELS = Path(__file__).resolve().parents[2] / "models"
SOME = (
    ("seed/placeholder.py", "ReleasedBeforeMap"),
    ("seed/global_placeholder.py", "GlobalPlaceholder"),
    ("seed/placeholder_truncate.py", "SizeAskedAgain"),
    ("history/r09_i_alloc_sem.py", "SubmitterReleases"),
    ("history/r19_two_class_exclusion.py", "CephTwoClasses"),
    ("history/r23_fallocate_vs_append.py", "Drains"),
)


@pytest.mark.parametrize(("file", "name"), SOME)
def test_shipped_models(file: str, name: str) -> None:
    model = next(m for m in load_module(str(MODELS / file)).models if m.__name__ == name)
    outcome, words = compare(model, asked_of(model, ("all",)), 2, 3_000)
    assert outcome in ("proved", "violated", "alarm"), words


SEEDS = range(40)


def outcomes(folder: Path) -> list[tuple[str, str]]:
    found = []
    for seed in SEEDS:
        model = random_model(seed, folder)
        if model is not None:
            kinds = Writer(seed).kinds
            found.append(compare(model, asked_of(model, kinds), 4 // len(kinds), 1_000))
    return found


@pytest.mark.slow
def test_random_models(tmp_path: Path) -> None:
    found = outcomes(tmp_path)
    assert [words for outcome, words in found if outcome == "MISSED"] == []
    assert {outcome for outcome, _ in found} >= {"proved", "violated"}


def without_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions that others are never said to decide."""
    monkeypatch.setattr(views.Search, "_settle", lambda self: None)


def without_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that do not know that a cell names them."""
    original = steps.Steps.thread_of
    monkeypatch.setattr(steps.Steps, "thread_of", lambda self, *a: original(self, *a)._replace(flags=()))


def without_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Completions that are forgotten."""
    original = steps.Steps._told
    monkeypatch.setattr(steps.Steps, "_told", lambda self, *a: original(self, *a)._replace(started=()))


def without_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Owners that are not told that they lost what they own."""
    original = steps.Steps._told
    monkeypatch.setattr(steps.Steps, "_told", lambda self, *a: original(self, *a)._replace(taken=()))


def with_negated_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others that decide a conjunction when they make it true."""
    original = alone._Cutter._others
    monkeypatch.setattr(alone._Cutter, "_others", lambda self, q, first, conj: original(self, q, first, not conj))


def with_small_footprints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps that are taken for the same although they read different cells."""
    original = steps.Steps._footprint

    def smaller(self: steps.Steps, *arguments: object) -> object:
        found = original(self, *arguments)
        return replace(found, common=found.common[1:])

    monkeypatch.setattr(steps.Steps, "_footprint", smaller)


@pytest.mark.parametrize(
    "broken",
    [without_answers, without_flags, without_started, without_taken, with_negated_questions, with_small_footprints],
)
def test_a_broken_abstraction_is_noticed(broken, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken(monkeypatch)
    seen: set[str] = set()
    for seed in range(-1, 300):
        model = any_models.Takes if seed < 0 else random_model(seed, tmp_path)
        if model is None:
            continue
        kinds = ["worker"] if seed < 0 else Writer(seed).kinds
        try:
            seen.add(compare(model, asked_of(model, kinds), 4 // len(kinds), 500)[0])
        except (KeyError, IndexError, AssertionError):
            seen.add("MISSED")
        if "MISSED" in seen:
            return
    pytest.fail("nothing was missed")
