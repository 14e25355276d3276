"""Reports and traces show themselves; `dio_mc.check` in a fresh Python, without the command line."""

from __future__ import annotations

import linecache
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import dio_mc
from dio_mc.checking.results import Report
from dio_mc.errors import ModelError
from dio_mc.frontend import load_module
from dio_mc.trace.codec import decode, encode

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import sys
import dio_mc
from dio_mc import Model, Range, Var, invariant, thread

class Lost(Model):
    count = Var(Range(0, 2))

    @thread(instances=2)
    def adder(self):
        seen = self.count
        self.count = seen + 1

    @invariant
    def both(self):
        "no <b>increment</b> is lost & gone"
        return not self.at_rest() or self.count == 2

report = dio_mc.check(Lost)
print(report.verdict, bool(report), report.states, len(report.traces), report.exit_code)
print(report.traces[0]._repr_svg_()[:4])
print("click" in sys.modules)
"""


@pytest.fixture(scope="module")
def report() -> Report:
    models = load_module(str(ROOT / "models" / "seed" / "ext3_2_6_18.py")).models
    (model,) = [cls for cls in models if cls.__name__ == "Ext3"]
    return dio_mc.check(model, {"pages": 1})


def test_in_a_fresh_python(tmp_path: Path) -> None:
    (tmp_path / "lost.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(tmp_path / "lost.py")], cwd=tmp_path, capture_output=True, text=True,
                          check=False, env={"PYTHONPATH": str(ROOT)})  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["VIOLATED False 12 1 1", "<svg", "False"]


def run_cell(number: int, text: str, names: dict[str, object]) -> None:
    """What ipykernel does with a cell: a name of a file that does not exist, its text where tracebacks look for it."""
    name = f"/nowhere/ipykernel_7/{number}.py"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    exec(compile(text, name, "exec"), names)


def test_a_class_of_a_cell_is_checked() -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    run_cell(1, "import dio_mc\nfrom dio_mc import Model, Range, Var, invariant, thread\n", names)
    run_cell(2, SCRIPT[SCRIPT.index("class Lost") : SCRIPT.index("report =")], names)
    run_cell(3, "report = dio_mc.check(Lost)\n", names)
    report = names["report"]
    assert isinstance(report, Report)
    assert (report.verdict, report.states) == ("VIOLATED", 12)
    assert [step.place.file for step in report.traces[0].steps if step.place] == ["2.py"] * 4
    run_cell(4, "class Bad(Model):\n    x = Var(bool)\n\n    @thread\n    def a(self):\n        self.y = True\n", names)
    with pytest.raises(
        ModelError, match=r"4\.py:6:9: error DIO104: Bad has no attribute `y`\n *6 \|         self.y = True"
    ):
        run_cell(5, "dio_mc.check(Bad)\n", names)


def test_a_trace_is_its_picture(report: Report) -> None:
    picture = report.traces[0]._repr_svg_()
    assert ET.fromstring(picture).tag == "{http://www.w3.org/2000/svg}svg"
    assert decode(encode(report.traces[0]))._repr_svg_() == picture


def test_a_report_is_its_verdict_its_properties_and_the_picture(report: Report) -> None:
    text = report._repr_html_()
    page = ET.fromstring(text.replace("&middot;", "-"))
    assert "".join(page.find("p").itertext()).startswith("Ext3: VIOLATED - 114 states")  # type: ignore[union-attr]  # found
    rows = {row[0].text: row[1].text for row in page.iter("tr")}
    assert rows["no_stale_exposure"] == "violated"
    assert rows["new_data_can_be_read"] == "holds"
    assert "Verified: making " in text
    assert text.count("<svg") == 1


def test_markup_in_a_model_stays_text(tmp_path: Path) -> None:
    path = tmp_path / "lost.py"
    path.write_text(SCRIPT.split("report =")[0])
    (model,) = load_module(str(path)).models
    text = dio_mc.check(model)._repr_html_()
    assert "<b>increment" not in text
    assert "no &lt;b&gt;increment&lt;/b&gt; is lost &amp; gone" in text


def test_a_report_that_holds_has_no_picture() -> None:
    models = load_module(str(ROOT / "models" / "toys" / "counter.py")).models
    (model,) = [cls for cls in models if cls.__name__ == "AtomicCounter"]
    found = dio_mc.check(model)
    assert bool(found)
    assert "<svg" not in found._repr_html_()
