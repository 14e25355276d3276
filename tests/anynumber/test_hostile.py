"""What an instance with four shows and none with three is never said to hold for any number."""

from __future__ import annotations

import hostile_models
import pytest

from dio_mc.checking.driver import Options, Wanted, check_class
from dio_mc.checking.general import check_any_number
from dio_mc.frontend.load import load_module

MANY = hostile_models.MANY
MODELS = {model.__name__: model for model in load_module(hostile_models.__file__).models}


def number_of(model: type) -> str:
    return "pages" if hasattr(model, "pages") else "readers"


def many_of(model: type) -> int:
    return hostile_models.MORE if "`MORE`" in str(model.__mro__[0].__doc__ or model.__mro__[1].__doc__) else MANY


@pytest.mark.parametrize("name", MODELS)
def test_it_is_not_said_to_hold(name: str) -> None:
    model = MODELS[name]
    number = number_of(model)
    few, many = (check_class(model, {number: n}, Options(), None).verdict for n in (3, many_of(model)))
    assert (few, many) == ("HOLDS", "VIOLATED")
    found = check_any_number(model, {}, Wanted((number,)), Options()).any_number
    assert found is not None
    assert found.verdict == "UNDETERMINED"
    assert found.instances == (1, 2, 3)
    assert found.alarms or found.refused or found.unfit


def test_there_are_many_of_them() -> None:
    assert len(MODELS) >= 27


def test_what_was_proved_with_other_parameters_is_not_taken_over() -> None:
    model = MODELS["Switched"]
    verdicts = []
    for counts in (0, 1, 0):
        found = check_any_number(model, {"counts": counts}, Wanted(("readers",)), Options()).any_number
        assert found is not None
        verdicts.append(found.verdict)
    assert verdicts == ["HOLDS", "UNDETERMINED", "HOLDS"]
