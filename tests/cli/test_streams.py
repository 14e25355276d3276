"""Nothing that a terminal or a log obeys comes out of a command, wherever the text is from."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from test_check import VIOLATED, dio_mc, model

from dio_mc.choices import REPORT_FORMATS, TRACE_FORMATS
from dio_mc.cli.streams import VisibleStream
from dio_mc.wording import visible

NASTY = "\x1b[31m\x1b]0;title\x07\r\n::error::owned\u202e\u2066\x9b"
OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x80-\x9f\u202a-\u202e\u2066-\u2069]|^[ \t]*::(?!stop-commands::|dio-mc-)", re.M
)
HOSTILE = f'''"""{NASTY}"""
from dio_mc import Model, Range, Var, invariant, operation, thread

class M(Model):
    """{NASTY}"""
    n = Var(Range(0, 2))

    @thread
    def up(self):
        self.add()

    @operation(kernel="fs/x.c:add")
    def add(self):
        self.n += 1
        assert self.n < 1, {NASTY!r}

    @invariant
    def small(self):
        """{NASTY}"""
        return self.n < 1
'''


def obeyed(text: str, *, commands: bool = False) -> list[str]:
    found = OBEYED.findall(text)
    return [one for one in found if not (commands and "::" in one)]


@pytest.mark.parametrize("form", REPORT_FORMATS)
def test_reports(tmp_path: Path, form: str) -> None:
    (tmp_path / "m.py").write_text(HOSTILE.replace("\r", ""), encoding="utf-8")
    done = dio_mc("check", "m.py", "--output-format", form, "--report", f"{form}=out", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    for text in (done.stdout, done.stderr, (tmp_path / "out").read_text(encoding="utf-8")):
        assert obeyed(text, commands=form == "github") == []
    if form == "github":
        assert "::error::owned" not in [line[:14] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("form", TRACE_FORMATS)
def test_traces_from_anybody(tmp_path: Path, form: str) -> None:
    assert dio_mc("check", model(tmp_path, VIOLATED), cwd=tmp_path).returncode == 1
    kept = {"schema", "kind", "property_kind", "role", "search"}
    found = json.loads((tmp_path / "counterexamples" / "m.M" / "small.json").read_text())

    def spoilt(value: object, key: str = "") -> object:
        if isinstance(value, dict):
            return {name: spoilt(inner, name) for name, inner in value.items()}
        if isinstance(value, list):
            return [spoilt(inner, key) for inner in value]
        return value + NASTY if isinstance(value, str) and key not in kept else value

    (tmp_path / "t.json").write_text(json.dumps(spoilt(found)))
    for command in (("show", "t.json", "--format", form), ("replay", "t.json"), ("why", "t.json")):
        done = dio_mc(*command, cwd=tmp_path)
        assert obeyed(done.stdout) == []
        assert obeyed(done.stderr) == []


def test_names_of_files(tmp_path: Path) -> None:
    done = dio_mc("check", f"no{NASTY}.py", cwd=tmp_path)
    assert (done.returncode, obeyed(done.stderr)) == (2, [])


def test_a_broken_line_of_a_model_is_shown_so_that_it_can_be_seen(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(VIOLATED + "    bad = undefined  # \x1b[2J\u202e\n", encoding="utf-8")
    done = dio_mc("check", "m.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "# \\u202e" in done.stderr
    assert obeyed(done.stderr) == []


def test_what_can_be_seen_stays() -> None:
    assert visible("line\n\ttab é 漢 😀") == "line\n\ttab é 漢 😀"
    assert visible("\x1b\r\u202e") == "\\x1b\\r\\u202e"


def test_a_stream_spells_what_its_encoding_cannot_say() -> None:
    data = io.BytesIO()
    stream = VisibleStream(data, "ascii", errors="backslashreplace")
    stream.write("é\x1b\udc80\n")
    stream.flush()
    assert data.getvalue() == b"\\xe9\\x1b\\udc80\n"


def test_a_command_is_one_in_a_report_only() -> None:
    data = io.BytesIO()
    stream = VisibleStream(data, "utf-8", errors="backslashreplace")
    for text in ("a::b\n", "  ", "::error::x\n::add-mask::y\n", "z", "::not at the start\n"):
        stream.write(text)
    stream.commands = True
    stream.write("::error::ours\n")
    stream.flush()
    shown = data.getvalue().decode()
    assert shown == "a::b\n  \\x3a:error::x\n\\x3a:add-mask::y\nz::not at the start\n::error::ours\n"
