"""What is written: names that every target takes, comments that end nowhere, the command, files and errors."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import forked
import pytest

from dio_mc.export import reserved
from dio_mc.export.murphi import murphi
from dio_mc.export.promela import promela
from dio_mc.export.syntax import in_sequence
from dio_mc.export.terms import Apply, Read
from dio_mc.export.tla import tla
from dio_mc.export.writing import plain, prepare
from dio_mc.frontend import build, load_module

ROOT = Path(__file__).resolve().parents[2]
SEED = ROOT / "models" / "seed" / "ext3_2_6_18.py"
GROUP = re.compile(r"^(vars_\w+) == <<(.*)>>$", re.MULTILINE)
RUN_PAN = "spin -o2 -a Ext3.pml && gcc -O0 -w -DSAFETY -DPRINTF -o pan pan.c"
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
    return forked.run(["export", *arguments], cwd, env)


@pytest.mark.parametrize("words", [reserved.PROMELA, reserved.MURPHI, reserved.TLA], ids=["promela", "murphi", "tla"])
def test_no_name_is_a_word_of_the_target(tmp_path: Path, words: frozenset[str]) -> None:
    prepared = prepare(names(tmp_path), words)
    given = [*(cell.name for cell in prepared.cells), *prepared.constants]
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
        groups = {name: [v for v in inside.split(", ") if v] for name, inside in GROUP.findall(module)}
        for action in re.split(r"\n(?=\w+ ==\n  /\\ ~fault)", module)[1:]:
            body = action.partition("\n\n")[0]
            unchanged = re.search(r"UNCHANGED <<(.*)>>", body)
            told = re.findall(r"/\\ (\w+)' =", body)
            for name in unchanged[1].split(", ") if unchanged else []:
                told += groups.get(name, [name])
            assert sorted(told) == sorted(variables[1].split(", ")), "every variable once"


def test_the_header_says_how_to_run_it() -> None:
    assert promela(seed()).splitlines()[:6] == [
        "/* Ext3: ext3 as in Linux 2.6.18.",
        " * One step of a thread is one d_step; all that a thread is between steps is in the variables.",
        " * To run it: spin -o2 -a Ext3.pml && gcc -O2 -w -DSAFETY -DNOREDUCE -DPRINTF -o pan pan.c",
        " *   && ./pan -c0 -m1000000",
        " * Step by step to the first error: ./pan -m1000000; spin -t -p Ext3.pml",
        " */",
    ]
    assert murphi(seed()).splitlines()[2:4] == [
        "-- To run it: rumur --deadlock-detection stuck Ext3.m --output Ext3.c",
        "--   && gcc -O2 -w -mcx16 -o Ext3 Ext3.c -lpthread && ./Ext3",
    ]
    assert "   java -cp tla2tools.jar tlc2.TLC -deadlock Ext3.tla\n" in tla(seed())


@pytest.mark.skipif(None in map(shutil.which, ("spin", "rumur", "gcc")), reason="needs spin, rumur, gcc (.ci/run)")
@pytest.mark.parametrize(
    ("write", "ending", "opening", "told"),
    [
        (promela, "pml", " * To run it: ", "114 states, stored"),
        (promela, "pml", " * Step by step to the first error: ", "violated: no_hole_filled"),
        (murphi, "m", "-- To run it: ", "error(s) found."),
    ],
)
def test_what_the_header_says_runs(write, ending: str, opening: str, told: str, tmp_path: Path) -> None:
    text = write(seed())
    (tmp_path / f"Ext3.{ending}").write_text(text)
    lines = text.replace("\n *   &&", " &&").replace("\n--   &&", " &&").splitlines()
    if "Step" in opening:
        subprocess.run(RUN_PAN, shell=True, cwd=tmp_path, check=True, capture_output=True)
    (command,) = (line.removeprefix(opening) for line in lines if line.startswith(opening))
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert told in done.stdout, done.stdout + done.stderr


def test_what_has_one_value_is_left_out() -> None:
    text = promela(seed())
    assert "mapper_index" not in text
    assert "reader_index" in text


def test_a_property_that_fails_is_told_by_its_name() -> None:
    text = promela(seed())
    assert '!holds_no_stale_exposure -> printf("violated: no_stale_exposure\\n"); assert(' in text
    assert ':: else -> printf("violated: no_hole_filled\\n"); assert(false) fi;' in text
    assert 'printf("violated: lock_misuse@pagecache:' in text
    assert 'begin error "lock_misuse@pagecache:' in murphi(seed())


REFUSED = {
    "many": (
        "x = Array(Range(0, 9), size=4, init=any)",
        "self.x[0] = 1",
        "this model has more than 1,000 initial states: it cannot be exported",
        "give more variables a first value of their own",
        "x = Array",
    ),
    "wide": (
        "n = Var(Range(0, 99))\n    x = Array(Range(0, 9), size=100)",
        "self.x[self.n] = 1",
        "this step has an index with 100 possible values: it cannot be exported",
        "give the index a type of at most 64 values",
        "self.x[self.n] = 1",
    ),
    "prefix": (
        "x = Var(Range(0, 9))",
        "assert 1 > 2\n        self.x = 1",
        "a thread fails before its first step (assertion): it cannot be exported",
        "`dio-mc check` shows what fails",
        "assert 1 > 2",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("target", ["promela", "murphi", "tla"])
def test_what_cannot_be_exported_is_refused_where_it_stands(case: str, target: str, tmp_path: Path) -> None:
    variables, body, message, hint, line = REFUSED[case]
    model = (
        f"from dio_mc import *\n\nclass M(Model):\n    {variables}\n\n    @thread\n    def t(self):\n        {body}\n"
    )
    (tmp_path / "m.py").write_text(model)
    done = dio_mc("m.py", "--to", target, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    number = next(n for n, text in enumerate(model.splitlines(), 1) if line in text)
    assert re.match(rf"m\.py:{number}:\d+: error DIO241: ", done.stderr)
    assert f"error DIO241: {message}\n" in done.stderr
    assert f"hint: {hint}\n" in done.stderr


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
    (tmp_path / "file").touch()
    done = dio_mc(str(SEED), "--to=tla", "-o", "file/below", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == "dio-mc: error DIO207: file/below: cannot be written: File exists\n"
