"""What is written: names that every target takes, comments that end nowhere, the command, files and errors."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dio_mc.export import reserved
from dio_mc.export.murphi import murphi
from dio_mc.export.promela import promela
from dio_mc.export.terms import Apply, Read
from dio_mc.export.tla import tla
from dio_mc.export.writing import in_sequence, plain, sheet_of
from dio_mc.frontend import build, load_module

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "models" / "seed" / "ext3_2_6_18.py"
NAMES = '''\
"""*/ (* *) -- a model whose names are words elsewhere"""
from dio_mc import *

class Names(Model):
    """*/ assert(0) (* *) \\u202e"""
    init = Var(Range(0, 1))
    byte = Var(Range(0, 1))
    rule = Array(Range(-2, 2), size=2)
    next = Var(Range(0, 3), init=0)

    @thread
    def begin(self):
        self.init = 1
        self.rule[self.init] = -2
        self.byte, self.init = self.init, self.byte
        self.next = (self.rule[1] - 1) % 4

    @invariant
    def always(self):
        return self.next <= 3

    @invariant
    def end(self, after):
        return after.next >= self.next

    @reachable
    def case(self):
        return self.next == 1
'''


def seed():
    return build(load_module(SEED).models[0], {}).program


def names(folder: Path):
    (folder / "m.py").write_text(NAMES)
    return build(load_module(folder / "m.py").models[0], {}).program


def dio_mc(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "dio_mc", "export", *arguments]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", [reserved.PROMELA, reserved.MURPHI, reserved.TLA], ids=["promela", "murphi", "tla"])
def test_no_name_is_a_word_of_the_target(tmp_path: Path, words: frozenset[str]) -> None:
    sheet = sheet_of(names(tmp_path), words)
    given = [*(cell.name for cell in sheet.cells), *sheet.constants]
    assert not {name.lower() for name in given} & words
    assert len({name.lower() for name in given}) == len(given)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) for name in given)


def test_comments_of_a_model_end_no_comment_of_the_target() -> None:
    assert plain("a */ b (* c *) d\n e \u202e") == "a * / b ( * c * ) d e ?"


def test_promela_of_the_seed_reads_like_the_kernel() -> None:
    text = promela(seed())
    assert "/* reader: direct_read() self.i_mutex.lock() [fs/direct-io.c:__blockdev_direct_IO] */" in text
    assert "reader_pc = At_reader_L2;" in text
    assert "slot_0 = Slot_FILLING;" in text
    assert text.count("active proctype") == 1


def test_a_parallel_assignment_stays_one() -> None:
    swap = [(0, Read(1)), (1, Read(0))]
    assert in_sequence(swap) == ([(0, Read(1))], [(1, Read(0))])
    chain = [(0, 1), (1, Read(0))]
    assert in_sequence(chain) == ([], [(1, Read(0)), (0, 1)])
    grown = [(0, Apply("+", (Read(0), 1)))]
    assert in_sequence(grown) == ([], grown)


@pytest.mark.parametrize("write", [promela, murphi, tla])
def test_the_same_bytes_each_time(write) -> None:
    assert write(seed()) == write(seed())


def test_tla_closes_what_it_opens(tmp_path: Path) -> None:
    for program in (seed(), names(tmp_path)):
        text = tla(program)
        assert text.startswith(f"---- MODULE {program.name.partition('@')[0]} ----\n")
        assert text.count("(*") == text.count("*)")
        module, _, configuration = text.partition("\n====\n")
        assert "INVARIANTS TypeOK NoFault" in configuration
        actions = re.findall(r"^(\w+) ==\n  /\\ ~fault\n", module, re.MULTILINE)
        following = module.partition("\nNext ==\n")[2].partition("\n\n")[0]
        assert re.findall(r"\\/ (\w+)", following) == actions
        variables = re.search(r"^VARIABLES (.*)$", module, re.MULTILINE)
        assert variables
        for action in re.split(r"\n(?=\w+ ==\n  /\\ ~fault)", module)[1:]:
            body = action.partition("\n\n")[0]
            unchanged = re.search(r"UNCHANGED <<(.*)>>", body)
            told = re.findall(r"/\\ (\w+)' =", body) + (unchanged[1].split(", ") if unchanged else [])
            assert sorted(told) == sorted(variables[1].split(", ")), "every variable once"


def test_the_command_writes_to_stdout_or_a_file(tmp_path: Path) -> None:
    done = dio_mc(str(SEED), "--to", "murphi", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == murphi(seed())
    done = dio_mc(str(SEED), "--to", "murphi", "-o", "m.m", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert (tmp_path / "m.m").read_text() == murphi(seed())


def test_wrong_use_is_told(tmp_path: Path) -> None:
    placeholder = str(SEED.with_name("placeholder.py"))
    assert "error DIO208: which class of" in dio_mc(placeholder, "--to", "tla", cwd=tmp_path).stderr
    assert "hint: --model Placeholder | " in dio_mc(placeholder, "--to", "tla", cwd=tmp_path).stderr
    assert "no model class `Nobody`" in dio_mc(str(SEED), "--to=tla", "--model=Nobody", cwd=tmp_path).stderr
    done = dio_mc(str(SEED), "--to=tla", "-o", "no/such/folder", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "dio-mc: error DIO207: no/such/folder: cannot be written: No such file or directory\n"
