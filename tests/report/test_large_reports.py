"""Large reports: 200 models in one run, and the limits that code-scanning services publish."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from report_models import RACE, dio_mc, write

from dio_mc.checking.driver import check_class
from dio_mc.checking.results import Failure
from dio_mc.frontend.load import load_module
from dio_mc.report import sarif, sarif_flow
from dio_mc.report.batch import Batch
from dio_mc.report.formats import rendered
from dio_mc.report.github import append_summary

SCHEMA = Path(__file__).resolve().parents[1] / "schemas" / "sarif-2.1.0.json"


def test_two_hundred_models_in_one_run(tmp_path: Path) -> None:
    write(tmp_path / "models", **{f"m{number:03}": RACE for number in range(200)})
    done = dio_mc(
        "check", "models", "--jobs=2", "--no-artifacts", "--report=sarif=o.sarif", "--report=junit=o.xml", cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout.splitlines()[-1] == "200 runs: 200 VIOLATED; 2,400 states"
    data = (tmp_path / "o.sarif").read_bytes()
    assert len(gzip.compress(data)) < 10_000_000
    (run,) = json.loads(data)["runs"]
    assert len(run["results"]) == 200
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["DIO-INV/nothing_lost"]
    jsonschema = pytest.importorskip("jsonschema", reason="not installed: pip install 'dio-mc[test]'")
    assert list(jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).iter_errors(json.loads(data))) == []


def test_too_many_results_are_cut_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sarif.MOST_RESULTS == 25_000
    monkeypatch.setattr(sarif, "MOST_RESULTS", 10)
    log = json.loads(sarif.report_sarif(Batch(tuple(Failure(f"m{n}.py", "no", 2) for n in range(12)))))
    (run,) = log["runs"]
    assert len(run["results"]) == 10
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "2 results left out, 10 are kept"


def test_of_a_long_counterexample_the_end_is_kept(tmp_path: Path) -> None:
    write(tmp_path, m=RACE)
    (model,) = load_module(tmp_path / "m.py").models
    (trace,) = check_class(model).traces
    assert sarif_flow.MOST_LOCATIONS == 10_000
    steps = tuple(replace(trace.steps[n % 4], number=n + 1) for n in range(12_000))
    flow = sarif_flow.code_flow(replace(trace, steps=steps))
    orders = [place["executionOrder"] for thread in flow["threadFlows"] for place in thread["locations"]]
    assert sorted(orders) == list(range(2_001, 12_001))
    assert flow["message"]["text"] == "the last 10000 of 12000 steps"


def test_a_long_summary_is_cut_between_sections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, m=RACE)
    (model,) = load_module(tmp_path / "m.py").models
    batch = Batch((check_class(model),) * 20)
    monkeypatch.setattr("dio_mc.report.github._LARGEST_SUMMARY", 5_000)
    append_summary(tmp_path / "s.md", batch)
    text = (tmp_path / "s.md").read_text()
    assert 1_000 < len(text) < 5_200
    assert text.endswith("\n\nThe rest is left out: the summary would be too long.\n")
    assert text.count("```") % 2 == 0


def test_an_empty_batch_in_every_format() -> None:
    for form in ("text", "concise", "json", "jsonl", "junit", "sarif", "github", "ktap", "markdown"):
        assert "passed" not in rendered(form, Batch(()))


def test_control_characters_reach_no_report(tmp_path: Path) -> None:
    write(tmp_path, m=RACE.replace("No increment is lost.", "\\x1b[31mred\\x00\\ud800 ]]> & <x>"))
    done = dio_mc(
        "check", "m.py", "--report=junit=o.xml", "--report=ktap=o.tap", "--report=sarif=o.sarif", cwd=tmp_path
    )
    assert done.returncode == 1, done.stderr
    for name in ("o.xml", "o.tap"):
        assert b"\x1b" not in (tmp_path / name).read_bytes()
