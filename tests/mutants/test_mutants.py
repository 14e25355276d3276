"""Every breakage is still one; a few of them, others every day, are made and noticed; and the table is of all."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from .__main__ import PAGE
from .running import ROOT
from .texts import FULL, MUTANTS, OPEN, Mutant

EACH_DAY = 3


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_its_text_stands_there_once(mutant: Mutant) -> None:
    text = (ROOT / "dio_mc" / mutant.file).read_text()
    assert text.count(mutant.old) == 1
    compile(text.replace(mutant.old, mutant.new), mutant.file, "exec")


def test_no_two_are_the_same() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 60
    assert len({(mutant.file, mutant.old, mutant.new) for mutant in MUTANTS}) == len(MUTANTS)


def todays() -> list[Mutant]:
    quick = [mutant for mutant in MUTANTS if mutant.by == FULL and mutant.name not in OPEN]
    start = date.today().toordinal() * EACH_DAY
    return [quick[(start + n) % len(quick)] for n in range(EACH_DAY)]


@pytest.mark.parametrize("mutant", todays(), ids=lambda mutant: mutant.name)
@pytest.mark.slow
def test_it_is_noticed(mutant: Mutant) -> None:
    """In a process that has loaded nothing of dio_mc."""
    command = [sys.executable, "-m", "tests.mutants", "--name", mutant.name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "loading: " not in done.stdout


@pytest.mark.slow
def test_nothing_is_noticed_of_a_whole_copy() -> None:
    """By the campaign of the breakages that are made here; `--whole` runs the others too."""
    code = (
        "from tests.mutants.running import copies, notice\n"
        f"with copies() as folder:\n    print(notice(None, folder, {FULL!r}, 15).by)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "-\n", done.stdout + done.stderr


def test_the_table_has_them_all_and_each_was_noticed() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    assert [row[0] for row in rows] == [mutant.name for mutant in MUTANTS]
    assert {row[0] for row in rows if row[3] in ("-", "open")} == OPEN
    assert len(rows) - len(OPEN) >= 110
