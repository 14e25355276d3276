"""The README shows what the tool prints, and its model does what the text says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dio_mc.checking.driver import check_class
from dio_mc.checking.expectations import bindings_of
from dio_mc.frontend import load_module
from dio_mc.render.svg import render_svg
from dio_mc.trace.codec import read_trace

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_first_screen_is_what_show_prints(request: pytest.FixtureRequest) -> None:
    trace = "counterexamples/ext3_2_6_18.Ext3/no_stale_exposure.json"
    command = [sys.executable, "-m", "dio_mc", "show", trace, "--format", "commit"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (block,) = blocks("text")
    if request.config.getoption("--update-golden"):
        README.write_text(README.read_text().replace(f"```text\n{block}```", f"```text\n{shown}```"))
        return
    assert block == shown
    assert max(map(len, shown.splitlines())) <= 72


def test_what_holds_for_any_number_is_what_check_prints() -> None:
    command = [sys.executable, "-m", "dio_mc", "check", "models/seed/placeholder.py", "--model", "Placeholder",
               "--any", "readers,pages", "--no-artifacts"]  # fmt: skip
    shown = " ".join(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())
    told = re.search(r"\n(HOLDS for any number.*?deadlock)\n", README.read_text(), re.DOTALL)
    assert told is not None
    assert " ".join(told[1].split()) in shown


def test_the_model_of_the_text_does_what_it_says(tmp_path: Path) -> None:
    (block,) = blocks("python")
    (tmp_path / "model.py").write_text(block)
    module = load_module(tmp_path / "model.py")
    reports = [check_class(cls, params, None, e) for cls in module.models for params, e in bindings_of(cls, {})]
    assert [(r.model, r.verdict, r.expected) for r in reports] == [
        ("MissingFlush", "VIOLATED", True), ("Flushes", "HOLDS", True),
    ]  # fmt: skip


def test_the_picture_is_that_of_the_counterexample(request: pytest.FixtureRequest) -> None:
    picture = ROOT / "docs" / "race.svg"
    drawn = render_svg(read_trace(ROOT / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"))
    if request.config.getoption("--update-golden"):
        picture.write_text(drawn)
    assert picture.read_text() == drawn


def test_two_commands_set_up_run_and_test() -> None:
    run, test = [block.strip() for block in blocks("sh")]
    assert "\n" not in run + test
    assert run.endswith(".venv/bin/dio-mc check models/seed/ext3_2_6_18.py")
    assert test in (ROOT / ".ci" / "run").read_text().replace(" --quiet --disable-pip-version-check", " -q")


def test_every_file_that_the_text_links_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (ROOT / target).exists(), target
