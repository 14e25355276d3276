"""Why, in words: what is said, in how many lines, where it is shown and stored."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from explained import Case, cases

from dio_mc.checking.driver import check_class
from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.explain.replaying import explained
from dio_mc.frontend import load_module
from dio_mc.html.trace_page import trace_page
from dio_mc.render.lkml import render_lkml
from dio_mc.render.text import render_text
from dio_mc.render.why import why_sentences
from dio_mc.trace.cause import Window
from dio_mc.trace.codec import TraceFormatError, decode, encode
from dio_mc.trace.trace import Trace

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "models" / "seed" / "ext3_2_6_18.py"


@pytest.fixture(scope="module")
def seed() -> Trace:
    (model,) = [cls for cls in load_module(str(SEED)).models if cls.__name__ == "Ext3"]
    return next(t for t in check_class(model, {"pages": 1}).traces if t.property == "no_stale_exposure")


def test_the_seed_race(seed: Trace) -> None:
    assert why_sentences(seed) == [
        "seen[0] != Data.STALE fails: seen[0]=STALE.",
        "Last changed: seen[0] in step 12 (CPU0, dio_await_completion()).",
        "6 of 12 steps matter: 2,10,12 of CPU0; 7 of CPU1; 8-9 of CPU2.",
        "While CPU0 was between __filemap_fdatawrite_range() (2) and ext3_get_block() (10), these ran: "
        "CPU1 set_page_dirty() (7); CPU2 ext3_ordered_writepage() (8), ext3_get_block() (9).",
        "Verified: making steps 2-10 of CPU0 atomic removes the race (79 states).",
    ]


def test_text_mail_and_page_have_it(seed: Trace) -> None:
    assert "\nwhy     Last changed: seen[0] in step 12" in render_text(seed)
    assert "\nWhy:\n  seen[0] != Data.STALE fails: seen[0]=STALE.\n" in render_lkml(seed)
    assert "<li>6 of 12 steps matter: 2,10,12 of CPU0; 7 of CPU1; 8-9 of CPU2.</li>" in trace_page(seed)


def test_without_why_nothing_is_said(seed: Trace) -> None:
    silent = replace(seed, why=None)
    assert why_sentences(silent) == []
    assert "why " not in render_text(silent)
    assert "Why:" not in render_lkml(silent)


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_five_lines_are_enough(case: Case) -> None:
    trace = case.trace
    if trace.steps:  # as long as can be: with a conjunct, and writers to name
        changed = [change.cell for change in trace.steps[-1].changes] or ["x"]
        trace = trace.with_failing([("x == 1", ", ".join(f"{cell}=1" for cell in changed))])
    assert len(why_sentences(trace)) <= 5
    rows = render_text(trace).split("\n")
    begin = next((number for number, row in enumerate(rows) if row.startswith("why ")), len(rows))
    end = next((number for number, row in enumerate(rows) if row.startswith("where ")), len(rows))
    assert end - begin <= 5
    mail = render_lkml(trace)
    assert mail.isascii()
    assert max(map(len, mail.split("\n"))) <= 72


def test_what_was_not_verified_is_said_to_be_so(seed: Trace, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(encode(seed))
    found = explained(str(path), str(SEED), 10)
    assert why_sentences(found)[-1] == (
        "Not verified: no decisive pair of steps within 10 states; dio-mc why TRACE --max-states N looks longer."
    )


def test_where_no_pair_of_steps_decides_that_is_said() -> None:
    found = next(c.trace for c in cases() if c.trace.why and c.trace.why.search == "none" and c.trace.why.states)
    assert found.why is not None
    assert why_sentences(found)[-1] == (
        f"No pair of steps of one thread is decisive (tried: {found.why.states:,} states)."
    )


def test_a_trace_keeps_it(seed: Trace) -> None:
    assert decode(encode(seed)) == seed
    assert json.loads(encode(seed))["why"]["window"] == {
        "first": 2, "last": 10, "inside": [5, 6, 7, 8, 9], "states": 79,
    }  # fmt: skip


def test_a_window_outside_the_trace_is_no_trace(seed: Trace) -> None:
    assert seed.why is not None
    wrong = replace(seed, why=replace(seed.why, window=Window(2, 14, (5,), 79)))
    with pytest.raises(TraceFormatError, match="step 14 is said to matter and does not exist"):
        decode(encode(wrong))


def test_the_command_says_it(seed: Trace, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text(encode(replace(seed, why=None)))
    result = CliRunner().invoke(cli, ["why", str(path), "--model-file", str(SEED)])
    assert result.exit_code == 0
    assert (
        result.output == "\n".join(["Ext3 no_stale_exposure:", *(f"  {line}" for line in why_sentences(seed))]) + "\n"
    )


def test_on_a_changed_model_the_command_says_where_they_part(seed: Trace, tmp_path: Path) -> None:
    path, model = tmp_path / "trace.json", tmp_path / "other.py"
    path.write_text(encode(seed))
    model.write_text("from dio_mc import *\n\n\nclass Ext3(Model):\n    pages = Param(1)\n    readers = Param(1)\n"
                     "    x = Var(bool)\n\n    @thread\n    def reader(self):\n        self.x = True\n")  # fmt: skip
    with pytest.raises(ModelError) as caught:
        explained(str(path), str(model), 10)
    assert "error DIO206: the model has changed: step 1: reader has no location " in str(caught.value)
