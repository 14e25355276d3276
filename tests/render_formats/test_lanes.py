"""Where lanes stand: close together, and never so that a text lies over a lock or hatching."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from render_traces import all_traces

from dio_mc.render.lanes import CHAR, layout, shown_line
from dio_mc.trace.codec import read_trace
from dio_mc.trace.trace import Trace

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"


@pytest.mark.parametrize("trace", all_traces()[::3], ids=lambda t: f"{t.model.name}-{t.property}")
def test_no_text_lies_over_a_lock_or_beyond_the_lanes(trace: Trace) -> None:
    picture = layout(trace)
    for row in picture.rows:
        entry = picture.entries.get(row.number or 0)
        if entry is None:
            continue
        ends = [
            picture.lanes[entry.lane].text + at + len(text) * CHAR
            for at, text in (shown_line(*line) for line in entry.lines)
        ]
        for lane in picture.lanes[entry.lane + 1 :]:
            for bar in lane.bars:
                if bar.top < row.top + row.height and row.top < bar.bottom:
                    assert max(ends) <= lane.x, (row.number, lane.thread)
        assert max(ends) <= min([column.x for column in picture.columns], default=picture.width)


@pytest.mark.parametrize("trace", all_traces()[::3], ids=lambda t: f"{t.model.name}-{t.property}")
def test_headings_have_their_own_room(trace: Trace) -> None:
    lanes = layout(trace).lanes
    for lane, after in pairwise(lanes):
        assert lane.x + lane.width < after.x + 20
        assert len(lane.head) * 7 <= lane.width
        assert all(bar.left + 11 < after.x for bar in lane.bars)


def test_the_picture_of_the_readme_can_be_read_on_840_pixels() -> None:
    """Statements are written with 11 pixels; scaled down they have at least 9."""
    assert 11 * 840 / layout(read_trace(SEED)).width >= 8.99
