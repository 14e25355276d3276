"""Random programs through SPIN and Rumur (`benchmarks/exports.py`): as many states, the same verdicts."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import asking
import pytest

from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program

from .plain import plain
from .rich import rich

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = int(os.environ.get("DIO_MC_EXPORTED", "4"))
"""Each takes a C compiler some seconds."""
MOST = 300
"""States."""


@pytest.fixture(scope="module")
def exports():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        import exports as module

        yield module
    sys.modules.pop("exports", None)


def small_program(text: str, path: Path) -> Program | None:
    """The program of a text, if it is small enough for a checker that takes seconds to start."""
    path.write_text(text)
    try:
        program = build(load_module(path).models[-1], {}).program
    except ModelError:
        return None
    found = asking.explore_reference(program, [])
    return program if 2 < found.states <= MOST else None


@pytest.mark.skipif(None in map(shutil.which, ("spin", "rumur", "gcc")), reason="needs spin, rumur, gcc (.ci/run)")
@pytest.mark.parametrize("generator", [rich, plain], ids=lambda made: made.__name__)
def test_other_checkers_say_the_same(exports, generator, tmp_path: Path) -> None:
    """A few programs of each generator; ``DIO_MC_EXPORTED=50`` for more."""
    compared = 0
    for seed in range(20 * PROGRAMS):
        if compared == PROGRAMS // 2:
            break
        text = generator(7_000_000 + seed)
        program = small_program(text, tmp_path / f"m{seed}.py")
        if program is None:
            continue
        found = exports.row("random", program)
        assert found.differences == [], f"{found.reference}\n{text}"
        compared += 1
    assert compared >= PROGRAMS // 2
