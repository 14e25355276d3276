"""`dio-mc replay`, `ir` and `help` from outside."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from test_check import HOLDS, ROOT, VIOLATED, dio_mc, model

from dio_mc.catalogue import PAGES


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    assert dio_mc("check", model(tmp_path, VIOLATED), cwd=tmp_path).returncode == 1
    return tmp_path / "counterexamples" / "m.M" / "small.json"


def replay(path: Path, *options: str) -> tuple[int, str]:
    done = dio_mc("replay", str(path), *options, cwd=path.parents[2])
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_a_trace_reproduces(trace: Path) -> None:
    assert replay(trace) == (0, "M small: reproduces in 1 step\n")


CHANGES = [
    ("self.n = 1", "self.n = 2", 1, "DIVERGES at step 1 (the model has changed since)"),
    ("self.n == 0", "self.n < 3", 1, "every step can be taken, but the property is no longer violated (the model has changed since)"),
    ("def t(self)", "def u(self)", 1, "DIVERGES at step 1 (the model has changed since): the model has no thread t"),
    ("self.n = 1", "wait_until(self.n == 1)\n        self.n = 1", 1, "DIVERGES at step 1"),
    ("class M(", "# one line more\nclass M(", 0, "reproduces in 1 step"),
    ("class M(", "class N(", 2, "error DIO206: m.py has no model M; the trace is of another model"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "shown"), CHANGES)
def test_a_changed_model(trace: Path, old: str, new: str, code: int, shown: str) -> None:
    model(trace.parents[2], VIOLATED.replace(old, new))
    found, text = replay(trace)
    assert (found, shown in text) == (code, True), text


def test_a_model_that_is_gone(trace: Path) -> None:
    (trace.parents[2] / "m.py").unlink()
    code, text = replay(trace)
    assert code == 2
    assert "error DIO206: its model m.py is not here" in text


def test_another_model_file(trace: Path) -> None:
    model(trace.parents[2], HOLDS, "other.py")
    code, text = replay(trace, "--model-file", "other.py")
    assert code == 1
    assert "the property is no longer violated" in text


FOREIGN = ["", "{", "[]", '{"schema": "dio-mc/trace/99"}', '{"traceEvents": []}', "\0\1\2", "null"]


@pytest.mark.parametrize("text", FOREIGN)
def test_files_that_are_no_trace(trace: Path, text: str) -> None:
    trace.write_text(text)
    code, shown = replay(trace)
    assert code == 2
    assert re.match(r".*small\.json: error DIO205: .+\n", shown), shown


def test_a_truncated_trace(trace: Path) -> None:
    whole = trace.read_text()
    trace.write_text(whole[: len(whole) // 2])
    assert replay(trace)[0] == 2
    missing = trace.parent / "none.json"
    code, shown = replay(missing)
    assert code == 2
    assert "error DIO205: cannot be read: No such file or directory" in shown


def test_a_trace_of_other_parameters(trace: Path) -> None:
    data = json.loads(trace.read_text())
    data["model"]["params"] = [["pages", 2]]
    trace.write_text(json.dumps(data, indent=2) + "\n")
    code, shown = replay(trace)
    assert code == 2
    assert "error DIO206: recorded with other parameters: M has no parameter `pages`" in shown


def test_ir_shows_the_program(tmp_path: Path) -> None:
    done = dio_mc("ir", model(tmp_path, HOLDS), cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == (
        "program M\nvar n : 0..3 = 0\nthreads t\n\ntemplate t entry B0\n  B0:  ; L1 t+1\n    n := 1\n    end\n\n"
        "invariant small: n < 3\ndeadlock checked\n"
    )


@pytest.mark.parametrize(
    "arguments", [["ir", "none.py"], ["ir", "."], ["replay"], ["check"], ["help", "DIO999"], ["nonsense"]]
)
def test_wrong_usage_ends_with_2(tmp_path: Path, arguments: list[str]) -> None:
    done = dio_mc(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_help_explains_every_code(tmp_path: Path) -> None:
    listed = dio_mc("help", cwd=tmp_path).stdout
    pages = sorted(path.stem for path in (ROOT / "docs").glob("*.md"))
    assert [line.split()[0] for line in listed.splitlines()] == [*PAGES, *pages]
    page = dio_mc("help", "dio104", cwd=tmp_path)
    assert page.returncode == 0
    assert page.stdout.startswith("DIO104: unknown name\n\n")


@pytest.mark.parametrize("name", ["tutorial", "tutorial.md", "docs/tutorial.md"])
def test_help_prints_a_page_of_the_documentation(tmp_path: Path, name: str) -> None:
    assert dio_mc("help", name, cwd=tmp_path).stdout == (ROOT / "docs" / "tutorial.md").read_text()


def test_help_for_a_word_that_is_a_page_too(tmp_path: Path) -> None:
    done = dio_mc("help", "crash", cwd=tmp_path)
    assert done.stdout.startswith("crash: from dio_mc import crash\n\n")
    assert done.stdout.endswith("\nThere is a page with this name, too: dio-mc help crash.md\n")
    assert dio_mc("help", "crash.md", cwd=tmp_path).stdout == (ROOT / "docs" / "crash.md").read_text()


def test_every_code_in_the_source_has_a_page() -> None:
    text = "".join(p.read_text() for p in (ROOT / "dio_mc").rglob("*.py"))
    assert set(re.findall(r'"(DIO\d{3})"', text)) - set(PAGES) == set()


def test_bare_dio_mc_is_a_guide(tmp_path: Path) -> None:
    done = dio_mc(cwd=tmp_path)
    assert done.returncode == 0
    assert "dio-mc check" in done.stdout
    assert len(done.stdout.splitlines()) <= 16


def test_a_trace_runs_no_file_that_the_user_did_not_name(trace: Path, tmp_path: Path) -> None:
    folder = trace.parents[2]
    text = trace.read_text()
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    for name in ("deploy.py", "script_of_dio_mc.py"):
        head = "from dio_mc import Model\nclass M(Model): pass\n" if "dio_mc" in name else ""
        (folder / name).write_text(f"{head}open({str(folder / 'ran')!r}, 'w').write('x')\n")
        for place in (str(folder / name), f"../{name}"):
            spoilt = json.loads(text)
            spoilt["model"]["file"] = place
            (elsewhere / "t.json").write_text(json.dumps(spoilt))
            for command in ("replay", "why"):
                ended = dio_mc(command, "t.json", cwd=elsewhere)
                assert ended.returncode == 2
                assert "lies outside the working directory, and was not run" in ended.stderr
                assert not (folder / "ran").exists()


def test_a_trace_runs_no_file_that_is_not_a_model(trace: Path) -> None:
    folder = trace.parents[2]
    (folder / "deploy.py").write_text("open('ran', 'w').write('x')\n")
    spoilt = json.loads(trace.read_text())
    spoilt["model"]["file"] = "deploy.py"
    (folder / "t.json").write_text(json.dumps(spoilt))
    ended = dio_mc("replay", "t.json", cwd=folder)
    assert (ended.returncode, (folder / "ran").exists()) == (2, False)
    assert "deploy.py is not a model file, and was not run" in ended.stderr


TWO = """\
from dio_mc import *

class M(Model):
    x = Var(Range(0, 1))
    y = Var(Range(0, 1))
    @thread
    def t(self):
        with atomic():
            assert self.x == FIRST, "FIRSTWORD"
            assert self.y == 1, "second"
            self.x = 1
"""


@pytest.mark.parametrize("word", ["first", "second"])
def test_another_assertion_in_the_same_step_is_not_the_one(tmp_path: Path, word: str) -> None:
    text = TWO.replace("FIRSTWORD", word)
    path = tmp_path / "two.py"
    path.write_text(text.replace("FIRST", "1"))
    assert dio_mc("check", "two.py", cwd=tmp_path).returncode == 1
    (stored,) = (tmp_path / "counterexamples" / "two.M").glob("*.json")
    path.write_text("# a line more\n" + text.replace("FIRST", "1"))
    code, output = replay(stored)
    assert (code, "reproduces" in output) == (0, True), output
    path.write_text(text.replace("FIRST", "0"))
    code, output = replay(stored)
    assert (code, "reproduces" in output) == (1, False), output
    assert "it is another fault assertion: second (line 10)" in output
