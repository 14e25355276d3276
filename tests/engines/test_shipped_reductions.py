"""Every shipped model, reduced from its first state on: symmetry alone, partial order alone, both. The same verdicts,
coverage and canonical counterexamples as in full."""

from pathlib import Path

import pytest
from asking import explore, verify_reduction

from dio_mc.checking.expectations import bindings_of
from dio_mc.frontend import build, load_module
from dio_mc.semantics.search import NO_REDUCTION
from dio_mc.symbolic.evaluator import property_evaluator

MODELS = Path(__file__).resolve().parents[2] / "models"
COMPARED = ("history", "seed", "toys")
WITHOUT = {"history": 17, "seed": 5, "toys": 4}
"""Files of a folder in which nothing can be reduced: at most so many."""


def told(file: Path) -> list[str]:
    """What comparing said of the classes of a file; a difference is an internal error."""
    found: list[str] = []
    for model in load_module(str(file), allow_empty=True).models:
        for params, _ in bindings_of(model, {}):
            program = build(model, params).program
            evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
            full = explore(program, evaluators, engine="reference", reductions=NO_REDUCTION)
            found += verify_reduction(full, program, evaluators, engine="reference", partial_order=True)
    return found


@pytest.mark.parametrize("folder", COMPARED)
@pytest.mark.slow
def test_shipped_models_say_the_same_when_reduced(folder: str) -> None:
    files = sorted((MODELS / folder).rglob("*.py"))
    notes = {file: told(file) for file in files}
    assert not [note for of_file in notes.values() for note in of_file if "not verified" in note]
    alone = [file.name for file, said in notes.items() if not any(note.startswith("verified: ") for note in said)]
    assert len(alone) <= WITHOUT[folder], alone


def test_no_other_folder_has_a_class_to_check() -> None:
    """The others have rules and workloads: halves of models, whose products `tests/study` explores in full."""
    others = [file for file in sorted(MODELS.rglob("*.py")) if file.relative_to(MODELS).parts[0] not in COMPARED]
    assert len(others) > 20
    assert [file.name for file in others if load_module(str(file), allow_empty=True).models] == []
