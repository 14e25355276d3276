"""Which pages have the steps beside their traces, and what a page's data say of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dio_mc.cli import cli
from dio_mc.cli.exploring import ways_of
from dio_mc.html.live import RunRequest, request_of
from dio_mc.html.trace_page import trace_page
from dio_mc.html.ways_view import step_command
from dio_mc.trace.codec import read_trace

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def ways_in(page: str) -> dict[str, Any] | None:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found is not None
    ways: dict[str, Any] | None = json.loads(found[1])["ways"]
    return ways


def run(*words: str) -> str:
    result = CliRunner().invoke(cli, list(words))
    assert result.exit_code in (0, 1), result.output
    return result.output


def test_show_runs_the_model_where_it_is_told_to(tmp_path: Path) -> None:
    assert ways_in(run("show", str(SEED), "--format", "html")) is None
    ways = ways_in(run("show", str(SEED), "--format", "html", "--explore"))
    assert ways is not None
    assert (ways["depth"], ways["cut"]) == (4, False)
    assert ways["command"] == "dio-mc step models/seed/ext3_2_6_18.py --model Ext3"
    assert all(isinstance(n, int) for n in ways["taken"])
    refused = CliRunner().invoke(cli, ["show", str(SEED), "--explore"])
    assert (refused.exit_code, "--explore is for --format html." in refused.output) == (2, True)


def test_a_folder_is_written_with_the_ways_of_named_models(tmp_path: Path) -> None:
    run("browse", str(SEED.parent), "--write", str(tmp_path / "with"), "--explore", "models/seed/ext3_2_6_18.py")
    run("browse", str(SEED.parent), "--write", str(tmp_path / "without"))
    assert ways_in((tmp_path / "with" / "no_stale_exposure.html").read_text()) is not None
    assert ways_in((tmp_path / "without" / "no_stale_exposure.html").read_text()) is None
    missing = CliRunner().invoke(cli, ["browse", str(SEED.parent), "--explore", "models/nothing.py"])
    assert "models/nothing.py: error DIO201: no such file or folder" in str(missing.exception)


def test_check_writes_pages_with_ways(tmp_path: Path) -> None:
    """Also of a model that lies elsewhere than the command runs."""
    model = tmp_path / "m.py"
    model.write_text((ROOT / "models/toys/philosophers.py").read_text())
    run("check", str(model), "--model", "Philosophers", "--html", "--counterexamples", str(tmp_path / "out"))
    page = min((tmp_path / "out").rglob("deadlock.html"))
    ways = ways_in(page.read_text())
    assert ways is not None
    assert [position[5] for position in ways["positions"]].count(1) >= 1, "one of them is the deadlock"


def test_a_large_page_stays_small(tmp_path: Path) -> None:
    path = ROOT / "counterexamples" / "xfs_own_locking.Xfs@pages=2" / "new_data_can_be_read.json"
    trace = read_trace(path)
    with_ways = trace_page(trace, ways=ways_of(trace, str(path), None))
    assert len(with_ways) - len(trace_page(trace)) < 150_000


def test_a_product_has_no_command_to_step_through() -> None:
    trace = read_trace(SEED)
    assert step_command(trace) == "dio-mc step models/seed/ext3_2_6_18.py --model Ext3"
    for name, command in {
        "Ext3@pages=2": "dio-mc step models/seed/ext3_2_6_18.py --model Ext3 --param pages=2",
        "Ext3@reader=2": "",
        "a_x_b__rule@hole": "",
    }.items():
        from dataclasses import replace

        assert step_command(replace(trace, model=replace(trace.model, name=name))) == command


@pytest.mark.parametrize(
    "wanted",
    [
        RunRequest(),
        RunRequest(4),
        RunRequest(0, ("reader", "mapper:2")),
        RunRequest(3, ("philosopher[0]",), ("a[0] == b and c", "x"), True),
    ],
)
def test_an_address_says_what_is_asked(wanted: RunRequest) -> None:
    assert request_of(wanted.address().removeprefix("?")) == wanted


@pytest.mark.parametrize("query", ["to=-1", "to=x", "to=99999999", "then=;;", "watch=+", "x=1", "rest=yes", "to=%FF"])
def test_what_an_address_should_not_have_is_left_out(query: str) -> None:
    assert request_of(query) == RunRequest()
