"""The functions of the package, and which modules are public."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

import dio_mc
from dio_mc import (
    Budget,
    Model,
    ModelError,
    Options,
    Param,
    Range,
    Reductions,
    Report,
    Trace,
    Var,
    invariant,
    lang,
    thread,
)

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ("dio_mc", "dio_mc.kernel", "dio_mc.models", "dio_mc.errors")


class Lost(Model):
    """Two threads add without a lock."""

    count = Var(Range(0, 3))
    model = Param(2, min=1, max=3)

    @thread(instances=model)
    def adder(self):
        seen = self.count
        self.count = seen + 1

    @invariant
    def nothing_lost(self):
        return not self.at_rest() or self.count == self.model


class Wrong(Model):
    x = Var(bool)

    @thread
    def a(self):
        self.y = True


@pytest.fixture(scope="module")
def report() -> Report:
    return dio_mc.check(Lost)


def test_a_parameter_may_have_any_name() -> None:
    assert dio_mc.check(Lost, {"model": 1}).verdict == "HOLDS"
    assert dio_mc.check(Lost, {"model": 3}).params == {"model": 3}


def test_options_are_limits_and_reductions() -> None:
    found = dio_mc.check(Lost, options=Options(budget=Budget(max_states=5), reductions=Reductions(symmetry=False)))
    assert (found.verdict, found.states, str(found.stopped)) == ("UNDETERMINED", 5, "--max-states 5")


def test_explore_finds_what_check_finds(report: Report) -> None:
    found = dio_mc.explore(Lost)
    assert (found.states, found.transitions, found.depth) == (report.states, report.transitions, report.depth)
    assert found.violations == report.violations
    assert dio_mc.explore(Lost, {"model": 1}, options=Options(engine="native")).engine == "native"


def test_a_report_prints_as_the_command_does(report: Report) -> None:
    text = str(report)
    assert text.startswith("tests/api/test_api.py Lost: VIOLATED nothing_lost; holds no deadlock\n")
    assert "adder[0]" in text
    assert "dio_mc" not in text.replace("dio_mc.check", "")


@pytest.mark.parametrize(("ending", "begins"), [("html", "<!doctype html>"), ("svg", "<svg"), ("txt", "tests/api/test_api.py Lost"),
                                                ("json", "{"), ("dot", "// tests/api/test_api.py Lost")])  # fmt: skip
def test_a_trace_is_saved_as_its_name_says(report: Report, ending: str, begins: str, tmp_path: Path) -> None:
    path = tmp_path / f"lost.{ending}"
    report.traces[0].save(path)
    assert path.read_text().lower().startswith(begins.lower())


def test_a_trace_is_read_again(report: Report, tmp_path: Path) -> None:
    report.traces[0].save(str(tmp_path / "lost.json"))
    assert dio_mc.read_trace(tmp_path / "lost.json") == report.traces[0]
    with pytest.raises(ModelError, match="DIO205"):
        dio_mc.read_trace(tmp_path / "nothing.json")


def test_an_ending_without_a_format(report: Report, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"^there is no format for \*\.pdf: use \.html, \.svg, \.txt, \.json or \.dot$"
    ):
        report.traces[0].save(tmp_path / "lost.pdf")
    with pytest.raises(ValueError, match=r"^there is no format for a name without an ending: use"):
        report.traces[0].save(tmp_path / "lost")
    assert list(tmp_path.iterdir()) == []


def test_replay_on_the_class_and_on_another(report: Report, tmp_path: Path) -> None:
    report.traces[0].save(tmp_path / "lost.json")
    again = dio_mc.replay(report.traces[0], Lost)
    assert (bool(again), str(again)) == (True, "Lost nothing_lost: reproduces in 4 steps")
    assert dio_mc.replay(tmp_path / "lost.json", Lost)

    class Fixed(Lost):
        @thread(instances=Lost.model)
        def adder(self):
            self.count = self.count + 1

    assert not dio_mc.replay(report.traces[0], Fixed)


def test_replay_finds_the_model_that_the_trace_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    path = next(iter(sorted((ROOT / "counterexamples").glob("counter.*/*.json"))))
    assert dio_mc.replay(path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="DIO206"):
        dio_mc.replay(path)


def test_a_matrix_by_names() -> None:
    found = dio_mc.matrix(["ext4_today"], ["direct_read", "mmap_store"])
    assert (found.rules, len(found.cells)) == (("ext4_today",), 3)
    assert "direct_read x mmap_store" in str(found)
    with pytest.raises(ModelError, match="DIO208: no operation `reed`"):
        dio_mc.matrix(operations=["reed"])


def test_a_wrong_model_is_shown_by_its_own_lines() -> None:
    with pytest.raises(ModelError) as caught:
        dio_mc.check(Wrong)
    frames = [Path(frame.filename).name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert frames == ["test_api.py", "api.py"], "ours is one line at most"
    shown = caught.value._render_traceback_()
    assert shown[0].startswith("tests/api/test_api.py:")
    assert "error DIO104: Wrong has no attribute `y`" in shown[0]
    assert shown[1].endswith("self.y = True")


def test_what_is_not_a_model_class() -> None:
    with pytest.raises(TypeError, match=r"^a model class is needed, not 7$"):
        dio_mc.check(7)  # type: ignore[arg-type]  # the point


# --- what is public ---------------------------------------------------------------------------------------------------


def test_public_names_are_there_and_say_what_they_are() -> None:
    for name in {*dio_mc.__all__, *dio_mc._TYPES} - {"me"}:
        assert getattr(dio_mc, name).__doc__, name
    assert set(dio_mc.__all__) | set(dio_mc._TYPES) <= set(dir(dio_mc))
    assert set(lang.__all__) | set(dio_mc._FUNCTIONS) == set(dio_mc.__all__)
    with pytest.raises(AttributeError, match="module 'dio_mc' has no attribute 'nothing'"):
        dio_mc.nothing  # noqa: B018  # the point


def test_the_page_names_all_that_is_public() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    for name in (*dio_mc._FUNCTIONS, *dio_mc._TYPES, *PUBLIC):
        assert f"`{name}`" in text or f"`dio_mc.{name}(" in text, name


def test_the_documents_use_what_is_public() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        if page.name == "extending.md":  # for those who change dio-mc itself
            continue
        for block in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dio_mc"):
                    assert (
                        f"{node.module}.".startswith(tuple(f"{name}." for name in PUBLIC[1:]))
                        or node.module == "dio_mc"
                    ), page.name


def test_the_language_loads_no_results() -> None:
    """``from dio_mc import *`` is the first line of many models."""
    script = "from dio_mc import *\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"z3", "networkx", "dio_mc.checking", "dio_mc.trace.trace"} & set(done.stdout.split()) == set()


def test_a_trace_of_the_report_is_a_trace(report: Report) -> None:
    assert all(isinstance(trace, Trace) for trace in report.traces)
