"""The text of a module means what the program means: its states, faults and violated invariants."""

from pathlib import Path

import pytest
from tla_text import Module

from dio_mc.checking.driver import check_class
from dio_mc.export.tla import tla
from dio_mc.frontend import build, load_module

ROOT = Path(__file__).resolve().parents[2]
FILES = [f for name in ("seed", "toys") for f in sorted((ROOT / "models" / name).glob("*.py"))]
FILES += sorted((ROOT / "models" / "history").glob("*.py"))[::4]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_text_runs(path: Path) -> None:
    for model in load_module(path, allow_empty=True).models:
        report, program = check_class(model), build(model, {}).program
        states, fault, wrong = Module(tla(program)).run()
        kinds = {one.name: one.kind for one in program.properties}
        violated = {v.property for v in report.violations}
        steps = {name for name in violated if kinds.get(name) == "step" or "@" in name}
        assert fault == bool(steps)
        if steps & {*kinds}:
            assert states <= report.states, "TLC stops where a step property fails"
            continue
        assert states == report.states
        assert wrong == {name for name in violated if kinds.get(name) == "invariant"}


def test_a_wrong_text_is_noticed() -> None:
    program = build(load_module(ROOT / "models/toys/peterson.py").models[0], {}).program
    text = tla(program)
    states, _, wrong = Module(text).run()
    assert wrong == set()
    wrong_text = text.replace(" \\/ ", " /\\ ")
    assert wrong_text != text
    assert Module(wrong_text).run()[0] != states
