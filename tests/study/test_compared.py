"""What `diff` and `--baseline` compare, and that they say so: nothing compared is never a success."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dio_mc.cli import cli
from dio_mc.cli.rules import linted
from dio_mc.study.registry import open_registry

ROOT = Path(__file__).resolve().parents[2]
CORNER = ["--operation", "direct_read", "--operation", "mmap_store", "--max-states", "5000"]


@pytest.fixture
def small_registry(tmp_path: Path) -> Path:
    """The shipped rules, and two operations."""
    shutil.copytree(ROOT / "models" / "protocols", tmp_path / "protocols")
    (tmp_path / "workloads").mkdir()
    text = (ROOT / "models" / "workloads" / "operations.py").read_text()
    head = text[: text.index("class Read:")]
    parts = [part for part in text.split("\n\n\n") if part.startswith(("class DirectRead:", "class MmapStore:"))]
    (tmp_path / "workloads" / "operations.py").write_text("\n\n\n".join([head.rstrip(), *parts]) + "\n")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


def test_a_race_between_two_operations_is_compared(small_registry: Path) -> None:
    found = run("diff", "placeholder", "ext3_2_6_18", "--models", str(small_registry))
    assert found.exit_code == 1
    assert "placeholder -> ext3_2_6_18: 3 groups of operations side by side compared, on 6 files" in found.output
    assert "  opened    direct_read x mmap_store, hole file: " in found.output
    back = run("diff", "ext3_2_6_18", "placeholder", "--models", str(small_registry))
    assert back.exit_code == 0
    assert "  repaired  direct_read x mmap_store, hole file: " in back.output
    told = json.loads(
        run("diff", "placeholder", "placeholder", "--models", str(small_registry), "--format", "json").output
    )
    assert (told["workloads"], told["groups"], told["compared"], told["left_out"]) == (0, 3, 6, [])


def test_what_a_rule_cannot_run_is_named() -> None:
    found = run("diff", "btrfs_range_lock", "placeholder", "direct_read,direct_read", "write,truncate")
    assert ("left out" in found.output) == ("1 group" in found.output)


def test_nothing_compared_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    assert run("matrix", "--rule", "ext4_2016", *CORNER, "--format", "json", "-o", str(path)).exit_code == 0
    other = run("matrix", "--rule", "ext4_2020", *CORNER, "--baseline", str(path))
    assert "DIO219: the baseline has none of these cells" in str(other.exception)
    assert "0 cells compared" in other.output


def test_a_parameter_that_is_swept_is_not_bound_as_well(tmp_path: Path) -> None:
    result = run("check", "models/toys/philosophers.py", "--sweep", "n=2..3", "--param", "n=3", "--no-artifacts")
    assert "DIO215" in str(result.exception)
    assert "--sweep and --param both bind `n`" in str(result.exception)


MISSPELT = """\
from dio_mc import operation
from dio_mc.models.protocols.ext4_2020 import Ext4Of2020


class Hurried(Ext4Of2020, abstract=True):
    \"\"\"Its hook overrides nothing.\"\"\"

    rule, since = "hurried", 2026

    @operation(kernel="fs/ext4/inode.c:mpage_map_one_extent")
    def map_for_writebak(self, i):
        self.convert_unwritten(i)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("matrix", "--rule", "hurried", "--operation", "direct_read"),
        ("outcomes", "--rule", "hurried", "direct_read,direct_read"),
        ("diff", "ext4_2020", "hurried", "direct_read,direct_read"),
    ],
)
def test_a_misspelt_hook_of_a_rule_is_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    path = tmp_path / "hurried.py"
    path.write_text(MISSPELT)
    found = run(*arguments, "--file", str(path))
    assert found.stderr == (
        f"finding DIO321 {path}:11: nothing calls the operation `map_for_writebak`; did you mean `map_for_writeback`?\n"
    )
    path.write_text(MISSPELT.replace("writebak", "writeback"))
    assert run(*arguments, "--file", str(path)).stderr == ""


def test_no_shipped_rule_has_an_operation_that_nothing_calls(capsys: pytest.CaptureFixture[str]) -> None:
    registry = open_registry()
    assert linted(list(registry.rules.values()), registry) == list(registry.rules.values())
    assert capsys.readouterr().err == ""
