"""Proofs for any number against instances: every view of every state must be in the proof, every violation with it.

By hand: ``PYTHONPATH=. python tests/anynumber/differential.py 2000`` looks at so many random models.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

from concrete import Instance, Proof
from random_templates import Writer, random_model

from dio_mc.anynumber.conditions import Refused

STATES = 20_000


def compare(model: type, words: tuple[str, ...], largest: int, most: int = STATES) -> tuple[str, str]:
    """What comparing one model came to (``same``, ``refused``, ``MISSED``), and more in words."""
    try:
        proof = Proof(model, *words)
    except Refused as refused:
        return "refused", refused.diagnostics[0].code
    if proof.checked.gaps:
        return "MISSED", f"not closed: {proof.checked.gaps}"
    seen: set[str] = set()
    for number in range(1, largest + 1):
        instance = Instance(proof, number, most)
        instance.explore()
        seen |= instance.bad
        if instance.missing:
            return "MISSED", f"a view of the instance with {number} of each: {instance.missing[0]}"
        if instance.bad - proof.bad and len(proof.ground.places.kinds) * number > 1:
            return "MISSED", f"with {number} of each: {sorted(instance.bad - proof.bad)}"
        if not instance.complete:
            break
    if proof.bad - seen:
        return "alarm", ", ".join(sorted(proof.bad - seen))
    return ("violated" if proof.bad else "proved"), ""


def main(number: int, first: int = 0) -> None:
    """Look at random models."""
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + number):
            model = random_model(seed, Path(folder))
            if model is None:
                found["no model"] += 1
                continue
            kinds = Writer(seed).kinds
            outcome, words = compare(model, tuple(kinds), 4 // len(kinds), 3_000)
            found[f"{outcome} {words}" if outcome == "refused" else outcome] += 1
            if outcome == "MISSED":
                print(seed, words, flush=True)
            if seed % 100 == 99:
                print(seed + 1 - first, dict(found), flush=True)
    print(dict(found))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
