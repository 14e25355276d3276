"""The README shows what the tool prints, and its model does what the text says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import forked
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


def printed(*arguments: str) -> str:
    done = forked.run([*arguments], ROOT, {**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_screen_is_what_show_prints(request: pytest.FixtureRequest) -> None:
    trace = "counterexamples/ext3_2_6_18.Ext3/no_stale_exposure.json"
    shown = printed("show", trace, "--format", "commit")
    (block,) = blocks("text")
    if request.config.getoption("--update-golden"):
        README.write_text(README.read_text().replace(f"```text\n{block}```", f"```text\n{shown}```"))
        return
    assert block == shown
    assert max(map(len, shown.splitlines())) <= 72


def answer(question: str) -> list[str]:
    """The lines that the README shows below a question, without the blanks around them."""
    found = re.search(rf"\*\*{question}\*\*[^`]*`.*?\n```\n(.*?)```", README.read_text(), re.DOTALL)
    assert found is not None
    assert found[1].count("\n") == 2
    return [line.strip() for line in found[1].splitlines()]


PRINTED = {
    "Is my patch safe\\?": ("diff", "ext4_2016", "ext4_2020", "direct_read,mmap_store"),
    "Which operations race\\?": (
        "matrix", "--rule", "ext3_2_6_18", "--operation", "direct_read", "--operation", "mmap_store",
    ),
    "Does the fix hold for any number of threads, and of pages\\?": (
        "check", "models/seed/placeholder.py", "--model", "Placeholder", "--any", "readers,pages", "--no-artifacts",
    ),
}  # fmt: skip
"""Questions, and commands that print what is shown; of those in the text they are the quick part."""


@pytest.mark.parametrize("question", PRINTED)
def test_the_answers_are_what_the_commands_print(question: str) -> None:
    shown = " ".join(printed(*PRINTED[question]).split())
    lines = answer(question)
    told = [" ".join(lines)] if question.startswith("Does the fix") else lines  # one line there, folded here
    assert [line for line in told if " ".join(line.split()) not in shown] == []


def test_the_answer_of_real_kernels_is_the_recorded_one() -> None:
    recorded = (ROOT / "docs" / "kernels.md").read_text()
    assert [line for line in answer("Does a real kernel do it\\?") if line not in recorded] == []


def test_the_answer_of_the_search_for_fixes_is_the_recorded_one() -> None:
    """The search takes half a minute; `benchmarks/FIX.md` has what it found."""
    first, second = answer("What would fix it\\?")
    (row,) = [
        [cell.strip() for cell in line.split("|")]
        for line in (ROOT / "benchmarks" / "FIX.md").read_text().splitlines()
        if line.startswith("| ext3_2_6_18 Ext3 |")
    ]
    _, _, _, fixes, _, edits, passed, _, kinds, *_ = row
    tried = "{} edits and {} pairs tried".format(*edits.split(" + "))
    assert first == f"models/seed/ext3_2_6_18.py Ext3: {tried}, {passed} passed; {fixes} fixes"
    assert second.startswith(f"1. {kinds.split(';')[0]}: ")


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
    assert max(len(line) for line in f"{run}\n{test}".splitlines()) <= 80  # GitHub cuts off what is longer
    assert run.endswith(".venv/bin/dio-mc check models/seed/ext3_2_6_18.py")
    ci = (ROOT / ".ci" / "run").read_text().replace(" --quiet --disable-pip-version-check", " -q")
    assert test.endswith(" --quick")
    assert all(part in ci for part in re.split(" && |\n", test.removesuffix(" --quick")))


def test_every_file_that_the_text_links_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (ROOT / target).exists(), target
