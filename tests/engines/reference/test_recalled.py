"""A check asks the interpreter for the steps of a state once, and lets go of it when it is done."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from pathlib import Path

import pytest
from random_programs import random_program

from dio_mc.checking.driver import check_class
from dio_mc.engines.reference import recalled
from dio_mc.engines.reference.recalled import Recalled
from dio_mc.frontend.load import load_module
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.step import Step

HISTORY = Path(__file__).resolve().parents[3] / "models" / "history"
RUNS = [
    ("r04_dio_alloc_vs_buffered_read.py", "DirectWriteAllocates", "VIOLATED"),
    ("r12_ack_before_conversion.py", "ConvertsFirst", "HOLDS"),
]
"""The first has a decisive window."""


@pytest.mark.parametrize("most", [0, 3, 1 << 12])
def test_it_gives_what_the_interpreter_gives(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(recalled, "RECALLED", most)
    for seed in range(20):
        program = random_program(seed)
        plain, recalling = Interpreter(program), Recalled(program)
        assert recalling.initial() == plain.initial()
        found = dict.fromkeys(plain.initial())
        waiting = list(found)
        while waiting and len(found) < 200:
            steps = plain.successors(state := waiting.pop())
            assert recalling.successors(state) == recalling.successors(state) == steps
            further = [step.state for step in steps if step.state is not None and step.state not in found]
            found.update(dict.fromkeys(further))
            waiting += further


@pytest.mark.parametrize(("file", "name", "verdict"), RUNS)
def test_a_check_runs_the_steps_of_a_state_once(
    monkeypatch: pytest.MonkeyPatch, file: str, name: str, verdict: str
) -> None:
    asked: Counter[tuple[int, ...]] = Counter()
    real = Interpreter.successors

    def counted(self: Interpreter, state: tuple[int, ...]) -> list[Step]:
        asked[state] += 1
        return real(self, state)

    monkeypatch.setattr(Interpreter, "successors", counted)
    report = check_class(next(m for m in load_module(str(HISTORY / file)).models if m.__name__ == name))
    assert (report.verdict, len(asked)) == (verdict, report.states)
    assert set(asked.values()) == {1}


@pytest.mark.parametrize(("file", "name", "verdict"), RUNS)
def test_a_check_leaves_nothing_of_it_to_the_cycle_collector(
    monkeypatch: pytest.MonkeyPatch, file: str, name: str, verdict: str
) -> None:
    """It has the code and the states of a run, which a run of many checks would otherwise gather."""
    made: list[weakref.ref[Interpreter]] = []
    real = Interpreter.__init__

    def noted(self: Interpreter, *arguments: object) -> None:
        made.append(weakref.ref(self))
        real(self, *arguments)  # type: ignore[arg-type]

    model = next(m for m in load_module(str(HISTORY / file)).models if m.__name__ == name)
    monkeypatch.setattr(Interpreter, "__init__", noted)
    gc.disable()
    try:
        assert (check_class(model).verdict, bool(made)) == (verdict, True)
        assert [one() for one in made if one() is not None] == []
    finally:
        gc.enable()
