"""What the model files say of any number of threads is so, and the proof is one of every property they have."""

from __future__ import annotations

import pytest
from shipped import HISTORY, SEED

from dio_mc.checking.driver import Options, Wanted
from dio_mc.checking.expectations import expectation_for
from dio_mc.checking.general import check_any_number
from dio_mc.frontend.load import load_module

STATED = [
    (path, model.__name__)
    for path in (*SEED, *HISTORY)
    for model in load_module(str(path), allow_empty=True).models
    if (stated := expectation_for(model, {})) is not None and stated.any
]


def test_there_are_many() -> None:
    assert len(STATED) >= 50
    assert sum("pages" in expectation_for(model, {}).any for model in _classes()) == 5


def _classes():
    return (
        next(m for m in load_module(str(path), allow_empty=True).models if m.__name__ == name) for path, name in STATED
    )


@pytest.mark.parametrize(("path", "name"), STATED, ids=lambda value: getattr(value, "stem", value))
def test_it_holds_for_any_number(path, name: str) -> None:
    model = next(m for m in load_module(str(path)).models if m.__name__ == name)
    stated = expectation_for(model, {})
    assert stated is not None
    report = check_any_number(model, {}, Wanted(stated.any, instances=False), Options(), stated)
    found = report.any_number
    assert found is not None
    assert (report.expected, found.verdict, found.alarms, found.unfit) == (True, "HOLDS", (), ())
    judged = [p.name for p in report.properties if p.kind in ("invariant", "step", "faults")]
    assert sorted(found.proved) == sorted(judged)
