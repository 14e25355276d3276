"""The decisive window in a picture: hatched from the one step to the other, and said in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dio_mc.render.svg import lanes_svg, render_svg
from dio_mc.trace.codec import read_trace
from dio_mc.trace.trace import Trace

GALLERY = Path(__file__).resolve().parents[2] / "counterexamples"
TRACES = {str(path.relative_to(GALLERY)): read_trace(path) for path in sorted(GALLERY.rglob("*.json"))}


def dots(svg: str) -> list[tuple[int, int]]:
    """Where the dots of the steps are, in order."""
    return [(int(x), int(y)) for x, y in re.findall(r'<circle cx="(\d+)" cy="(\d+)"', svg)]


@pytest.mark.parametrize("name", TRACES)
def test_it_reaches_from_dot_to_dot(name: str) -> None:
    trace = TRACES[name]
    window = trace.why.window if trace.why is not None else None
    for svg in (render_svg(trace), lanes_svg(trace)):
        hatched = re.findall(r'<path class="d" d="M(\d+) (\d+)V(\d+)"/>', svg)
        if window is None:
            assert hatched == []
            continue
        ((x, top, end),) = hatched
        at = dots(svg)
        assert (int(x), int(top)) == at[window.first - 1]
        if window.last <= len(trace.steps):
            assert (int(x), int(end)) == at[window.last - 1]
        else:
            assert int(end) > at[-1][1]


def told(trace: Trace) -> list[str]:
    return re.findall(r"<title>(Hatched[^<]*)</title>", render_svg(trace))


def test_its_words() -> None:
    seed = TRACES["ext3_2_6_18.Ext3/no_stale_exposure.json"]
    assert told(seed) == ["Hatched: making steps 2-10 of CPU0 atomic removes the race."]
    assert ">Hatched: making steps 2-10 of CPU0 atomic removes the race.</text>" in render_svg(seed)
    assert told(TRACES["philosophers.Philosophers/deadlock.json"]) == [
        "Hatched: making step 1 of CPU0 and its wait atomic removes the deadlock."
    ]


def test_more_than_half_of_the_violations_have_one() -> None:
    violations = [trace for trace in TRACES.values() if trace.kind == "violation"]
    assert sum(bool(told(trace)) for trace in violations) > len(violations) / 2
