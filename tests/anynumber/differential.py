"""Proofs for any number against instances: every view of every state must be in the proof, every violation with it.

By hand: ``PYTHONPATH=. python tests/anynumber/differential.py 2000`` looks at so many random models, ``... pages 500``
at random models with pages, ``... shipped`` at the shipped classes that are violated. With ``--kept FILE`` each outcome
is added to that file, and a model that is there is not looked at again. A model whose proof grows beyond
`STATES_OF_PROOF` or `VIEWS_OF_PROOF` is passed over, and counted as that.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from concrete import Instance, Proof
from random_pages import Writer as Pages
from random_pages import random_model as random_pages_model
from random_templates import Writer, random_model

from dio_mc.anynumber.asked import Asked, asked_of, readings_of, with_pages
from dio_mc.anynumber.conditions import Refused
from dio_mc.anynumber.views import Stopped
from dio_mc.checking.expectations import expectation_for
from dio_mc.errors import ModelError
from dio_mc.frontend.load import load_module

MODELS = Path(__file__).resolve().parents[2] / "models"

STATES = 20_000
STATES_OF_PROOF = 5_000
"""States of the common data."""
VIEWS_OF_PROOF = 500_000
"""Pairs, a few seconds to compare."""


def compare(model: type, asked: Asked, largest: int, most: int = STATES) -> tuple[str, str]:
    """What comparing one model came to (``proved``, ``refused``, ``MISSED``), and more in words."""
    try:
        proof = Proof(model, asked=asked, enough=_enough, most=VIEWS_OF_PROOF)
    except Refused as refused:
        return "refused", refused.diagnostics[0].code
    except Stopped as stopped:
        return "passed over", str(stopped)
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


def _enough(states: int) -> str | None:
    return f"{STATES_OF_PROOF} states" if states > STATES_OF_PROOF else None


Told = tuple[type | None, Asked | None, int]
"""A model or None, what is asked, and the largest number of each thread."""
Named = tuple[str, Callable[[], Told]]
"""A model by its name, made when it is looked at."""


def random_threads(number: int, first: int = 0) -> Iterator[Named]:
    """Random models, any number of whose threads is meant."""
    return ((str(seed), partial(_thread_model, seed)) for seed in range(first, first + number))


def random_pages(number: int, first: int = 0) -> Iterator[Named]:
    """Random models, any number of whose threads and pages is meant."""
    return ((str(seed), partial(_page_model, seed)) for seed in range(first, first + number))


def _thread_model(seed: int) -> Told:
    with tempfile.TemporaryDirectory() as folder:
        model = random_model(seed, Path(folder))
        kinds = Writer(seed).kinds
        return model, model and asked_of(model, kinds), 4 // len(kinds)


def _page_model(seed: int) -> Told:
    with tempfile.TemporaryDirectory() as folder:
        model = random_pages_model(seed, Path(folder))
        return model, model and with_pages(model, asked_of(model, Pages(seed).kinds), "pages"), 2


def shipped() -> Iterator[Named]:
    """Every shipped class that is violated: with `all` threads, and with pages where that can be asked."""
    for folder in ("seed", "history", "toys"):
        for path in sorted((MODELS / folder).glob("*.py")):
            for model in load_module(str(path), allow_empty=True).models:
                stated = expectation_for(model, {})
                if stated is None or not stated.violates:
                    continue
                try:
                    for asked in readings_of(model, ("all",)):
                        told: Told = (model, asked, 4)
                        yield f"{path.stem} {model.__name__} {asked.pages or ''}", partial(tuple, told)
                except ModelError:
                    yield f"{path.stem} {model.__name__}", partial(tuple, (None, None, 1))


def tell(models: Iterable[Named], most: int, kept: Path | None = None) -> Counter[str]:
    """Look at each and say what came of it; states of an instance up to `most`."""
    known = dict(json.loads(line) for line in kept.read_text().splitlines()) if kept and kept.exists() else {}
    found: Counter[str] = Counter()
    for number, (name, made) in enumerate(models, 1):
        if name not in known:
            known[name] = _outcome(*made(), most)
            if kept is not None:
                with kept.open("a") as file:
                    file.write(json.dumps([name, known[name]]) + "\n")
        outcome, words = known[name]
        found[f"{outcome} {words}" if outcome == "refused" else outcome] += 1
        if outcome == "MISSED":
            print(name, words, flush=True)
        if number % 100 == 0:
            print(number, dict(found), flush=True)
    print(dict(found))
    return found


def _outcome(model: type | None, asked: Asked | None, largest: int, most: int) -> tuple[str, str]:
    return ("no model", "") if model is None or asked is None else compare(model, asked, largest, most)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", help="a number of models, `pages` or `shipped`")
    parser.add_argument("numbers", type=int, nargs="*", help="how many models, and the first seed")
    parser.add_argument("--kept", type=Path)
    given = parser.parse_args()
    match given.what:
        case "shipped":
            tell(shipped(), 1_000, given.kept)
        case "pages":
            tell(random_pages(*given.numbers), 200, given.kept)
        case number:
            tell(random_threads(int(number), *given.numbers), 400, given.kept)
