"""``dio-mc models``: the shipped models are listed, and copies of them work."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.frontend import load_module

ROOT = Path(__file__).resolve().parents[2]


def run(*words: str) -> str:
    result = CliRunner().invoke(cli, ["models", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_every_shipped_model_is_listed_with_its_first_sentence() -> None:
    lines = run().splitlines()
    names = [line.split()[0] for line in lines]
    assert names == [p.relative_to(ROOT / "models").as_posix() for p in sorted((ROOT / "models").glob("*/*.py"))]
    assert [line for line in lines if len(line.split()) < 3] == []
    assert all(line.startswith("seed/") for line in run("seed").splitlines())


def test_a_copy_brings_what_it_imports_and_loads(tmp_path: Path) -> None:
    told = run("seed/ext3_2_6_18.py", "--copy", str(tmp_path / "mine"))
    copied = sorted(path.relative_to(tmp_path / "mine").as_posix() for path in (tmp_path / "mine").rglob("*.py"))
    assert copied == ["seed/ext3_2_6_18.py", "seed/pagecache.py"]
    assert told == f"2 files below {tmp_path / 'mine'}  (dio-mc check {tmp_path / 'mine'})\n"
    assert [cls.__name__ for cls in load_module(tmp_path / "mine/seed/ext3_2_6_18.py").models] == ["Ext3"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "toys").mkdir()
    (tmp_path / "toys/peterson.py").write_text("mine")
    with pytest.raises(ModelError, match=r"toys/peterson\.py: error DIO232: exists already and is not overwritten"):
        run("toys", "--copy", str(tmp_path))
    assert [path.name for path in tmp_path.rglob("*.py")] == ["peterson.py"]
    assert (tmp_path / "toys/peterson.py").read_text() == "mine"


def test_a_name_that_is_not_there_has_a_hint() -> None:
    with pytest.raises(ModelError, match=r"no shipped model `toy`\n  hint: did you mean `toys`\?"):
        run("toy")
