"""The commit texts of all shipped counterexamples, to the byte, as a person has read them.

``pytest tests/render_formats/test_commit_texts.py --update-golden`` writes them anew; read what changes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.render.commit import WIDTH, render_commit
from dio_mc.trace.codec import read_trace

ROOT = Path(__file__).resolve().parents[2]
GALLERY = ROOT / "counterexamples"
GOLDEN = ROOT / "tests" / "golden" / "commit"
MODELS = sorted(folder.name for folder in GALLERY.iterdir() if folder.is_dir() and "@" not in folder.name)


def texts(model: str) -> str:
    traces = sorted((GALLERY / model).glob("*.json"))
    return "\n".join(f"== {path.stem}\n\n{render_commit(read_trace(path))}\n" for path in traces)


@pytest.mark.parametrize("model", MODELS)
def test_the_commit_texts_are_those_that_were_read(model: str, request: pytest.FixtureRequest) -> None:
    golden = GOLDEN / f"{model}.txt"
    if request.config.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(texts(model), encoding="ascii")
    assert texts(model) == golden.read_text(encoding="ascii")


def test_there_is_no_text_without_a_model() -> None:
    assert sorted(path.stem for path in GOLDEN.iterdir()) == MODELS


@pytest.mark.parametrize("model", MODELS)
def test_no_line_is_python_or_longer_than_a_commit_message_allows(model: str) -> None:
    told = texts(model)
    lines = told.splitlines()
    assert max(map(len, lines)) <= WIDTH
    for word in ("self.", " and not ", " is None\n  ", " if ", "[choice", "write_blocked", "...\n"):
        diagram = "\n".join(line for line in lines if line.startswith((" ", "/*")))
        assert word not in diagram, word
