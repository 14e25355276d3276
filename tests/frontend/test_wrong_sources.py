"""Whatever is wrong with a model, the answer is a diagnostic: shipped models and random ones with a word or two replaced."""

from __future__ import annotations

import random
import re
import shutil
import warnings
from pathlib import Path

import pytest

from dio_mc.errors import Diagnostic, ModelError
from dio_mc.frontend import build, load_module

MODELS = Path(__file__).resolve().parents[2] / "models"
WORDS = [
    "self.x", "None", "True", "self", "0", "[0]", "(1)", ".lock()", "me", "choose(0, 1)", "self.direct_read", "atomic()",
    "wait_until", "any", "all(i for i in range(2))", "-1", "3.5", "'a'", "lambda: 1", "super()", "threads()", "Data.NEW",
    "Data", "Param", "inside", '"w"', "*a", "i", "()", "[]", "{}", "not", "range(2)", "Mutex()", 'self.inside("read")',
    "return", "print(1)", "yield", "spawn(self.x)", "x, y = 1, 2", "self.pages", "len(self.page)", "self.slot", "...",
    "isinstance(self.x, int)", "with window('w'):", "self.at_rest()", "x: int = 1", "{**a}", "f'{i}'", "~1", "1 / 0",
]  # fmt: skip
WORD = re.compile(r"[A-Za-z_][\w.]*(?:\([^()\n]*\))?|\d+|\[[^\[\]\n]*\]")


def spoiled(text: str, r: random.Random) -> str:
    for _ in range(r.randint(1, 2)):
        found = r.choice(list(WORD.finditer(text)))
        word = r.choice(WORDS) if r.random() < 0.7 else r.choice(list(WORD.finditer(text))).group()
        text = text[: found.start()] + word + text[found.end() :]
    return text


def diagnostics(path: Path) -> list[Diagnostic]:
    try:
        for model in load_module(path, allow_empty=True).models:
            build(model)
    except ModelError as error:
        return list(error.diagnostics)
    return []


@pytest.mark.parametrize("seed", range(10))
def test_a_wrong_model_is_a_diagnostic(tmp_path: Path, seed: int) -> None:
    r = random.Random(seed)
    sources = sorted([*MODELS.glob("seed/*.py"), *MODELS.glob("toys/*.py")])
    for source in sources:
        shutil.copy(source, tmp_path / source.name)
    wrong = 0
    for _ in range(40):
        path = tmp_path / "spoiled.py"
        path.write_text(spoiled(r.choice(sources).read_text(), r))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            found = diagnostics(path)
        wrong += bool(found)
        assert all(d.code.startswith("DIO") and d.message for d in found)
    assert wrong > 5
