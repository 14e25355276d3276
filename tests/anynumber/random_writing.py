"""What the generators of models for any number of threads, and of pages, have in common."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from dio_mc.frontend.load import load_module


def properties(
    rng: random.Random, invariants: Sequence[str], steps: Sequence[str], fill: Callable[[str], str] = str
) -> list[str]:
    """Two invariants and a step invariant, in lines."""
    lines: list[str] = []
    for number, texts, head in ((2, invariants, "self"), (1, steps, "self, after")):
        for n in range(number):
            text = fill(rng.choice(texts))
            lines += ["    @invariant", f"    def p{number}{n}({head}):", f"        return {text}"]
    return lines


def written(path: Path, text: str) -> type | None:
    """The model class of a file with this text, or None where the dice fell on one that is none."""
    from dio_mc.errors import ModelError
    from dio_mc.frontend.build import build

    path.write_text(text)
    try:
        model = load_module(str(path)).models[0]
        build(model, {})
    except ModelError:
        return None
    return model
