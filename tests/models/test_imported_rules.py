"""The shipped models are imported by one name from everywhere, and a class has one identity however that is done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dio_mc.cli import cli
from dio_mc.study.registry import open_registry

RULE = """\
from dio_mc import operation
from dio_mc.models.protocols.ext4_2020 import Ext4Of2020


class Impatient(Ext4Of2020, abstract=True):
    \"\"\"The extent is converted when its IO is submitted.\"\"\"

    rule, since = "impatient", 2026

    @operation(kernel="fs/ext4/inode.c:mpage_map_one_extent")
    def map_for_writeback(self, i):
        super().map_for_writeback(i)
        self.convert_unwritten(i)
"""
WORKLOAD = """\
from dio_mc import thread
from dio_mc.kernel import Data


class ReadBack:
    \"\"\"A direct write, and a read of it.\"\"\"

    @thread
    def program(self):
        self.pwrite_direct(0, Data.NEW)
        self.pread(0)
"""
JUDGED = """\
from impatient import Impatient
from read_back import ReadBack

from dio_mc import expect
from dio_mc.kernel.families import families


class Judged(families("coherence_at_rest", "read_after_ack"), ReadBack, Impatient):
    \"\"\"Impatient, by two of the families.\"\"\"


expect(Judged, holds=True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in (("impatient", RULE), ("read_back", WORKLOAD), ("judged", JUDGED)):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, list(arguments))


@pytest.mark.slow
def test_check_export_mutate_and_the_registry(folder: Path) -> None:
    checked = run("check", "judged.py")
    assert checked.exit_code == 0, (checked.output, checked.exception)
    assert "Judged: HOLDS" in checked.output
    exported = run("export", "judged.py", "--to", "murphi")
    assert (exported.exit_code, exported.output.count("startstate")) == (0, 1)
    mutated = run("mutate", "judged.py", "--inherited", "--max-states", "9")
    assert mutated.exit_code == 3, mutated.output
    compared = run("outcomes", "direct_read,direct_read", "--rule", "impatient", "--file", "impatient.py")
    assert (compared.exit_code, compared.output.count("under impatient")) == (0, 3)


def test_a_class_has_one_identity(folder: Path) -> None:
    registry = open_registry(files=[folder / "impatient.py"])
    assert issubclass(registry.rules["impatient"].model, registry.rules["ext4_2020"].model)
    again = open_registry(files=[folder / "impatient.py"])
    assert issubclass(again.rules["impatient"].model, again.rules["ext4_2020"].model)


def test_a_file_of_the_same_name_beside_it_stays_what_it_is(folder: Path) -> None:
    """The rule imports `ext4_2016` of its own folder, and the model the one beside it."""
    (folder / "ext4_2016.py").write_text("HERE = 'mine'\n")
    (folder / "judged.py").write_text(f"import ext4_2016\n{JUDGED}assert ext4_2016.HERE == 'mine'\n")
    (folder / "after.py").write_text(f"{JUDGED}import ext4_2016\nassert ext4_2016.HERE == 'mine'\n")
    for name in ("judged.py", "after.py"):
        found = run("check", name, "--max-states", "10")
        assert found.exit_code == 3, (found.output, found.exception)


def test_what_is_not_there(folder: Path) -> None:
    (folder / "judged.py").write_text("from dio_mc.models.protocols.ext5 import Rule\n")
    found = run("check", "judged.py")
    assert (
        "judged.py:1:1: error DIO101: importing the model raised ModuleNotFoundError: No module named" in found.output
    )
    assert "'dio_mc.models.protocols.ext5'" in found.output


def test_a_script_or_a_notebook_imports_them_too(folder: Path) -> None:
    script = (
        "import dio_mc\nfrom dio_mc.kernel.families import families\nfrom read_back import ReadBack\n"
        "from dio_mc.models.protocols import ext4_2020\nfrom dio_mc.models.seed.placeholder import Placeholder\n"
        "from dio_mc.models.protocols.ext4_2020 import Ext4Of2020\nassert ext4_2020.Ext4Of2020 is Ext4Of2020\n"
        "print(dio_mc.check(Placeholder).verdict)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("HOLDS\n", "")
