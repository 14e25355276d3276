"""Each race of models/history fails as it did, each repair holds, and a repair says only what it changes."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
from shipped import COMMIT, HISTORY, README, SEED, body_of, readme_with, shipped, table

from dio_mc.lang.model import ROLE, Model

ENTRIES = {f"R{n:02}" for n in range(1, 71)} - {f"R{n}" for n in (17, 26, 33, 37, 39, 44)}
ENTRIES |= {f"P{n}" for n in range(1, 9)}
"""The races that have a model; numbers that are missing stand for nothing."""
WITHOUT_ID = ("no commit", "without a commit id", "id not verified")
OTHER_KERNELS = {"r66_page_zeroed_in_place_of_data"}
"""Their functions are not in Linux."""
LONGEST = 120
COLLECTIONS = {"litmus.py"}
"""Many small models in one file."""


@pytest.fixture(params=HISTORY, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


def length_of(source: str) -> int:
    """In lines; what binds a model to kernels counts as one."""
    stated = [s for s in ast.parse(source).body if isinstance(s, ast.Expr) and isinstance(s.value, ast.Call)]
    bound = [s for s in stated if any(k.arg == "kernel" for k in s.value.keywords)]  # type: ignore[attr-defined]
    return len(source.splitlines()) - sum((s.end_lineno or s.lineno) - s.lineno for s in bound)


@pytest.mark.parametrize("folder", ["seed", "toys", "history", "protocols"])
def test_no_model_is_longer_than_a_page(folder: str) -> None:
    lengths = {p.name: length_of(p.read_text()) for p in (HISTORY[0].parents[1] / folder).glob("*.py")}
    longer = {name for name, length in lengths.items() if length > LONGEST}
    assert longer <= COLLECTIONS


def test_every_expectation_is_met(path: Path) -> None:
    entry = shipped(path)
    assert entry.models
    assert [model.__name__ for model in entry.models if not model.__dio_expectations__] == []
    assert [(m.__name__, r.expectation) for m, r in entry.reports if not r.expected] == []
    assert all(report.complete for _, report in entry.reports)


def test_the_docstring_names_race_and_commit(path: Path) -> None:
    doc = shipped(path).doc
    number = path.stem.partition("_")[0].upper()
    assert number in shipped(path).races
    told = " ".join(doc.lower().split())
    assert COMMIT.search(doc) or any(words in told for words in WITHOUT_ID)


def test_operations_name_their_kernel_functions(path: Path) -> None:
    if path.stem in OTHER_KERNELS:
        return
    anchors = [
        member.__dio_role__.kernel
        for model in shipped(path).models
        for member in vars(model).values()
        if hasattr(getattr(member, ROLE, None), "kernel")
    ]
    assert any(anchors)


def test_a_subclass_overrides_only_what_differs(path: Path) -> None:
    assert [f"{m.__name__}.{name}" for m in shipped(path).models for name in repeated(m)] == []


def repeated(model: type[Model]) -> list[str]:
    """Methods that say what the next one in line says anyway."""
    found = []
    for name, member in vars(model).items():
        if not hasattr(member, ROLE):
            continue
        inherited = next((vars(base)[name] for base in model.__mro__[1:] if name in vars(base)), None)
        if inherited is None:
            continue
        sources = [body_of(f, inspect.getsource(f)) for f in (member, inherited)]
        if sources[0] == sources[1]:
            found.append(name)
    return found


@pytest.mark.slow
def test_every_race_fails_and_is_repaired() -> None:
    violated: set[str] = set()
    held: set[str] = set()
    for path in (*SEED, *HISTORY):
        for _, report in shipped(path).reports:
            (held if report.verdict == "HOLDS" else violated).update(shipped(path).races)
    assert violated >= ENTRIES
    assert held >= ENTRIES - {"P2"}  # its repair, WholeRange, shows P6: no deadlock, but torn reads


@pytest.mark.slow
def test_the_table_is_up_to_date(request: pytest.FixtureRequest) -> None:
    text = readme_with(table())
    if request.config.getoption("--update-golden"):
        README.write_text(text, encoding="utf-8")
    assert README.read_text(encoding="utf-8") == text, "pytest tests/models --update-golden writes it anew"
