"""Along a trace every property is said to stand as the evaluators say, and the lines are those of the source."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.checking.driver import check_class
from dio_mc.frontend import load_module
from dio_mc.trace.codec import decode, encode
from dio_mc.trace.trace import Standing, Trace

MODEL = '''
from dio_mc import Model, Range, Var, invariant, reachable, thread


class Two(Model):
    """Counts to two."""

    n = Var(Range(0, 2))

    @thread
    def up(self):
        self.n = 1
        self.n = 2

    @invariant
    def small(self):
        return self.n < 2

    @invariant
    def one_at_a_time(self, after):
        return after.n - self.n < 1

    @reachable
    def began(self):
        return self.n > 0

    @reachable
    def fresh(self):
        return self.n == 0
'''


@pytest.fixture
def traces(tmp_path: Path) -> dict[str, Trace]:
    path = tmp_path / "two.py"
    path.write_text(MODEL)
    (model,) = load_module(str(path)).models
    return {trace.property: trace for trace in check_class(model, {}).traces}


def test_a_property_is_followed_beyond_its_first_violation(traces: dict[str, Trace]) -> None:
    assert traces["small"].standings == (
        Standing("small", "invariant", "", (2,), ()),
        Standing("one_at_a_time", "step", "", (1, 2), ()),
        Standing("began", "reachable", "", (1, 2), ()),
        Standing("fresh", "reachable", "", (0,), ()),
    )
    assert [s.at for s in traces["began"].standings] == [(), (1,), (1,), (0,)]
    assert [s.at for s in traces["fresh"].standings] == [(), (), (), (0,)]


def test_the_lines_are_those_of_the_steps_and_of_the_property(traces: dict[str, Trace]) -> None:
    source = MODEL.splitlines()
    lines = traces["small"].lines
    assert [line.text.strip() for line in lines] == ["self.n = 1", "self.n = 2", "def small(self):"]
    assert all(source[line.line - 1] == line.text and line.file == "two.py" for line in lines)


def test_a_trace_without_them_reads_as_before(traces: dict[str, Trace]) -> None:
    text = encode(traces["small"])
    assert decode(text) == traces["small"]
    older = text[: text.index(',\n  "standings"')] + "\n}\n"
    assert decode(older).standings == ()
    assert encode(decode(older)) == older
