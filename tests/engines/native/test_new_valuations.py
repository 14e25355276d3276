"""Many states that are inserted at once, each with a new valuation of every property, fit in the buffer of new
valuations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asking
import pytest

from dio_mc.engines.native.worker import Worker
from dio_mc.frontend import build, load_module
from dio_mc.symbolic.evaluator import property_evaluator

PROPERTIES = 20
MODEL = """\
from dio_mc import *

class Starts(Model):
    n = Var(Range(0, 1300), init=any)
    m = Var(Range(0, 2), init=0)

    @thread
    def t(self):
        self.m = 1
        if self.n < 1200:
            self.m = 2
"""
PROPERTY = """
    @invariant
    def p{0}(self):
        return self.n != {1} or self.m < 2
"""


def test_every_initial_state_has_news_of_every_property(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """1,301 states; each property has 3,903 valuations, which are numbered by the values that it reads."""
    (tmp_path / "starts.py").write_text(MODEL + "".join(PROPERTY.format(k, 1190 + k) for k in range(PROPERTIES)))
    taken: list[int] = []
    usual = Worker.take_news

    def take_news(worker: Worker) -> Iterator[Any]:
        taken.append(worker.get("news_length"))
        assert taken[-1] <= worker.most_at_once * PROPERTIES
        return usual(worker)

    monkeypatch.setattr(Worker, "take_news", take_news)
    (model,) = load_module(str(tmp_path / "starts.py")).models
    program = build(model).program
    evaluators = [property_evaluator(program, one).evaluator for one in program.properties]
    found = asking.native(program, evaluators)
    assert sum(taken) > 1301 * PROPERTIES, "each has its own news"
    expected = asking.explore_reference(program, evaluators)
    assert [v.property for v in found.violations] == [f"p{k}" for k in range(10)]
    assert replace(found, engine=expected.engine) == expected
