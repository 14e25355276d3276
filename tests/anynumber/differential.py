"""Proofs for any number against instances: every view of every state must be in the proof, every violation with it.

By hand: ``PYTHONPATH=. python tests/anynumber/differential.py 2000`` looks at so many random models, ``... pages 500``
at random models with pages, ``... shipped`` at the shipped classes that are violated.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from concrete import Instance, Proof
from random_pages import Writer as Pages
from random_pages import random_model as random_pages_model
from random_templates import Writer, random_model

from dio_mc.anynumber.asked import Asked, asked_of, readings_of, with_pages
from dio_mc.anynumber.conditions import Refused
from dio_mc.checking.expectations import expectation_for
from dio_mc.errors import ModelError
from dio_mc.frontend.load import load_module

MODELS = Path(__file__).resolve().parents[2] / "models"

STATES = 20_000


def compare(model: type, asked: Asked, largest: int, most: int = STATES) -> tuple[str, str]:
    """What comparing one model came to (``same``, ``refused``, ``MISSED``), and more in words."""
    try:
        proof = Proof(model, asked=asked)
    except Refused as refused:
        return "refused", refused.diagnostics[0].code
    if proof.checked.gaps:
        return "MISSED", f"not closed: {proof.checked.gaps}"
    seen: set[str] = set()
    sizes = [(n, p) for n in range(1, largest + 1) for p in ((1, 2, 3) if asked.pages else (None,))]
    for number, pages in sizes:
        instance = Instance(proof, number, most, pages)
        instance.explore()
        seen |= instance.bad
        if instance.missing:
            return "MISSED", f"a view of the instance with {number} of each: {instance.missing[0]}"
        if instance.bad - proof.bad - proof.unfit and len(proof.ground.places.kinds) * number > 1:
            return "MISSED", f"with {number} of each: {sorted(instance.bad - proof.bad)}"
        if not instance.complete and not asked.pages:
            break
    if proof.bad - seen:
        return "alarm", ", ".join(sorted(proof.bad - seen))
    return ("violated" if proof.bad else "proved"), ""


def random_threads(number: int, first: int = 0) -> None:
    """Look at random models, any number of whose threads is meant."""
    _tell((_thread_model(seed) for seed in range(first, first + number)), 400)


def random_pages(number: int, first: int = 0) -> None:
    """Look at random models, any number of whose threads and pages is meant."""
    _tell((_page_model(seed) for seed in range(first, first + number)), 200)


def shipped() -> None:
    """Look at every shipped class that is violated: with `all` threads, and with pages where that can be asked."""
    _tell(_violated(), 1_000)


Told = tuple[str, type | None, Asked | None, int]
"""A name, a model or None, what is asked, and the largest number of each thread."""


def _thread_model(seed: int) -> Told:
    with tempfile.TemporaryDirectory() as folder:
        model = random_model(seed, Path(folder))
        kinds = Writer(seed).kinds
        return str(seed), model, model and asked_of(model, kinds), 4 // len(kinds)


def _page_model(seed: int) -> Told:
    with tempfile.TemporaryDirectory() as folder:
        model = random_pages_model(seed, Path(folder))
        return str(seed), model, model and with_pages(model, asked_of(model, Pages(seed).kinds), "pages"), 2


def _violated() -> Iterator[Told]:
    for folder in ("seed", "history", "toys"):
        for path in sorted((MODELS / folder).glob("*.py")):
            for model in load_module(str(path), allow_empty=True).models:
                stated = expectation_for(model, {})
                if stated is None or not stated.violates:
                    continue
                try:
                    for asked in readings_of(model, ("all",)):
                        yield f"{path.stem} {model.__name__} {asked.pages or ''}", model, asked, 4
                except ModelError:
                    yield f"{path.stem} {model.__name__}", None, None, 1


def _tell(models: Iterator[Told], most: int) -> None:
    found: Counter[str] = Counter()
    for number, (name, model, asked, largest) in enumerate(models, 1):
        if model is None or asked is None:
            found["no model"] += 1
            continue
        outcome, words = compare(model, asked, largest, most)
        found[f"{outcome} {words}" if outcome == "refused" else outcome] += 1
        if outcome == "MISSED":
            print(name, words, flush=True)
        if number % 100 == 0:
            print(number, dict(found), flush=True)
    print(dict(found))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["shipped"]:
            shipped()
        case ["pages", *numbers]:
            random_pages(*map(int, numbers))
        case numbers:
            random_threads(*map(int, numbers))
