"""Colour on a terminal, and only there; and what `check -q` leaves out."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dio_mc.cli.colour import painted
from dio_mc.cli.streams import VisibleStream

ROOT = Path(__file__).resolve().parents[2]
MODEL = """\
from dio_mc import *

class Good(Model):
    x = Var(bool)
    @thread
    def t(self):
        self.x = True
    @reachable
    def seen(self):
        return self.x

class Bad(Good):
    @invariant
    def never(self):
        return not self.x

expect(Good, holds=True)
"""


def on_terminal(folder: Path, *arguments: str, **variables: str) -> str:
    """What the command writes to a terminal."""
    master, slave = pty.openpty()
    outer = {n: v for n, v in os.environ.items() if n not in ("NO_COLOR", "TERM") and not n.startswith("DIO_MC_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "dio_mc", *arguments], cwd=folder, env={**outer, "PYTHONPATH": str(ROOT), **variables},
        stdin=slave, stdout=slave, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    parts: list[bytes] = []
    while True:
        try:
            part = os.read(master, 1 << 16)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        parts.append(part)
    process.wait()
    os.close(master)
    return b"".join(parts).decode().replace("\r\n", "\n")


def without_progress(text: str) -> str:
    return re.sub(r"[^\n]*\r(\x1b\[K)?", "", text)


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({}, False)],
)
def test_a_terminal_is_coloured_unless_it_is_not_wanted(
    tmp_path: Path, variables: dict[str, str], coloured: bool
) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    text = on_terminal(tmp_path, "check", "m.py", "--no-artifacts", **variables)
    assert ("\x1b[1m\x1b[31mVIOLATED\x1b[0m never" in text) is coloured
    assert (
        "\x1b[1m\x1b[32mHOLDS\x1b[0m 2 properties" in text or "\x1b[1m\x1b[32mHOLDS\x1b[0m seen" in text
    ) is coloured
    if not coloured:
        assert "\x1b[1m" not in text


def test_a_model_cannot_colour(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODEL.replace("class Bad(Good):", 'class Bad(Good):\n    """\\x1b[32mHOLDS"""'))
    text = on_terminal(tmp_path, "check", "m.py", "--no-artifacts", "--output-format", "markdown", TERM="xterm")
    assert "\x1b[32mHOLDS" not in text.replace("\x1b[1m\x1b[32mHOLDS\x1b[0m", "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.py M: HOLDS p\n", "a.py M: \x1b[1m\x1b[32mHOLDS\x1b[0m p\n"),
        ("  VIOLATED  a.py M\n", "  \x1b[1m\x1b[31mVIOLATED\x1b[0m  a.py M\n"),
        ("a.py:3: error DIO101: no\n", "a.py:3: \x1b[1m\x1b[31merror\x1b[0m DIO101: no\n"),
        ('  "verdict": "HOLDS",\n', None),
        ('{"a": HOLDS}\n', None),
        ("it HOLDS water\n", None),
        ("the error is in DIO\n", None),
    ],
)
def test_what_is_coloured(text: str, expected: str | None) -> None:
    assert painted(text) == (text if expected is None else expected)


def test_a_pipe_gets_the_same_bytes() -> None:
    raw = io.BytesIO()
    stream = VisibleStream(raw, "utf-8")
    stream.write("a.py M: HOLDS p\n")
    stream.flush()
    assert raw.getvalue() == b"a.py M: HOLDS p\n"


def test_quiet_prints_what_is_not_as_it_should_be(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    (tmp_path / "good.py").write_text(MODEL.partition("class Bad")[0])

    def said(*arguments: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "dio_mc", "check", *arguments, "--no-artifacts"], cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.stderr == ""
        return done.returncode, done.stdout

    assert said("good.py", "-q") == (0, "")
    code, text = said("m.py", "-q")
    assert code == 1
    assert "m.py Bad: VIOLATED never" in text
    assert "Good" not in text
    assert text.endswith("2 runs: 1 HOLDS, 1 VIOLATED; 1 as expected; 4 states\n")
