"""Every DIO2xx code word for word, on stderr, with exit 2 and nothing on stdout."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_check import HOLDS, dio_mc, model

PARAMETER = HOLDS.replace("    n = Var", "    pages = Param(1, min=1, max=8)\n    n = Var")
CASES = [
    ("DIO201", ["check", "none.py"], "none.py: error DIO201: no such file\n"),
    ("DIO201", ["ir", "latin.py"], "latin.py: error DIO201: is not UTF-8 text\n"),
    ("DIO202", ["ir", "folder"], "folder: error DIO202: is a directory, a file is needed here\n"),
    ("DIO202", ["check", "folder"],
     "folder: error DIO202: a directory without model files\n  hint: only files that import dio_mc are models\n"),
    ("DIO203", ["check", "m.py", "--param", "pagse=2"],
     "dio-mc: error DIO203: M has no parameter `pagse`\n  hint: did you mean `pages`?\n"),
    ("DIO204", ["check", "m.py", "--param", "pages=9"], "dio-mc: error DIO204: parameter pages=9 is outside 1..8\n"),
    ("DIO205", ["replay", "m.py"], "m.py: error DIO205: not JSON: "),
    ("DIO206", ["replay", "trace.json"], "trace.json: error DIO206: its model gone.py is not here\n"),
    ("DIO208", ["check", "m.py", "--model", "N"], "dio-mc: error DIO208: no model class `N`\n  hint: there are: M\n"),
    ("DIO208", ["ir", "m.py", "--model", "MM"], "dio-mc: error DIO208: no model class `MM`\n  hint: did you mean `M`?\n"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model(tmp_path, PARAMETER)
    (tmp_path / "folder").mkdir()
    (tmp_path / "latin.py").write_bytes(b"# caf\xe9\n")
    broken = PARAMETER.replace("self.n < 3", "self.n == 0")
    (tmp_path / "gone.py").write_text(broken)
    assert dio_mc("check", "gone.py", "--counterexamples", "made", cwd=tmp_path).returncode == 1
    (tmp_path / "made" / "gone.M" / "small.json").rename(tmp_path / "trace.json")
    (tmp_path / "gone.py").unlink()
    return tmp_path


@pytest.mark.parametrize(("code", "arguments", "message"), CASES)
def test_usage(folder: Path, code: str, arguments: list[str], message: str) -> None:
    done = dio_mc(*arguments, cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message), done.stderr
    assert f"error {code}: " in done.stderr
    assert not (folder / "counterexamples").exists()
