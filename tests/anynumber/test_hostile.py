"""What an instance with four shows and none with three is never said to hold for any number."""

from __future__ import annotations

import hostile_models
import pytest

from dio_mc.checking.driver import Options, Wanted, check_class
from dio_mc.checking.general import check_any_number
from dio_mc.frontend.load import load_module

MODELS = {model.__name__: model for model in load_module(hostile_models.__file__).models}


def number_of(model: type) -> str:
    return "pages" if hasattr(model, "pages") else "readers"


@pytest.mark.parametrize("name", MODELS)
def test_it_is_not_said_to_hold(name: str) -> None:
    model = MODELS[name]
    number = number_of(model)
    few, many = (check_class(model, {number: n}, Options(), None).verdict for n in (3, hostile_models.MANY))
    assert (few, many) == ("HOLDS", "VIOLATED")
    found = check_any_number(model, {}, Wanted((number,)), Options()).any_number
    assert found is not None
    assert found.verdict == "UNDETERMINED"
    assert found.instances == (1, 2, 3)
    assert found.alarms or found.refused or found.unfit


def test_there_are_many_of_them() -> None:
    assert len(MODELS) >= 27
