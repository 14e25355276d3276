"""Models written down in a test, and their counterexamples with causes."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from explained import Case, cases_of

from dio_mc.frontend import build, load_module

HEAD = """\
from enum import Enum
from dio_mc import *

class Data(Enum):
    OLD = 0
    NEW = 1

"""


def cases_in(tmp_path: Path, model: str) -> list[Case]:
    path = tmp_path / "small.py"
    path.write_text(HEAD + dedent(model))
    (cls,) = load_module(str(path)).models
    return cases_of(build(cls, {}).program)


def case(tmp_path: Path, model: str, property_: str) -> Case:
    return next(c for c in cases_in(tmp_path, model) if c.trace.property == property_)


def matter(case: Case) -> list[str]:
    """The statements of the steps that matter."""
    assert case.trace.why is not None
    return [case.trace.steps[number - 1].text.removeprefix("self.") for number in case.trace.why.steps]
