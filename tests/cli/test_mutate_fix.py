"""`dio-mc mutate` of a fix: is each line of it needed? And what the text leaves to -v."""

from __future__ import annotations

import json
from pathlib import Path

from report_models import ROOT, dio_mc, write

HISTORY = ROOT / "models" / "history"

NEEDED = """\
r18_check_before_lock.py TestsAgain (pages=1, sectors=1): 1 of 1 mutant caught, 100 %
  fix of TestsFirst, which violates coherent_at_rest in 11 steps; is each line needed?
    needed       56 + cached = self.slot[i] != Slot.ABSENT  coherent_at_rest in 11 steps
"""
SEMAPHORES = """\
r52_isize_seqcount.py OneLock: 2 of 2 mutants caught, 100 %
  fix of NoLock, which violates assertion@59 in 9 steps; is each line needed?
    needed       71 + self.lock.lock()    assertion@59 in 10 steps
                 73 + self.lock.unlock()  undone with line 71
    needed       77 + self.lock.lock()    assertion@59 in 10 steps
                 79 + self.lock.unlock()  undone with line 77
"""


def test_golden_text_of_history() -> None:
    for file, model, text in (
        ("r18_check_before_lock.py", "TestsAgain", NEEDED),
        ("r52_isize_seqcount.py", "OneLock", SEMAPHORES),
    ):
        done = dio_mc("mutate", file, "--model", model, "--kind", "undo", cwd=HISTORY)
        assert (done.stdout, done.returncode) == (text, 0), done.stderr


FIX = """\
from dio_mc import *

class Broken(Model):
    x = Var(Range(0, 3))
    y = Var(Range(0, 3))
    @thread
    def t(self):
        self.go()
    @operation()
    def go(self):
        self.x = 3
    @invariant
    def fine(self):
        return self.x < 3

class Fixed(Broken):
    @operation()
    def go(self):
        seen = self.x
        if seen == 0:
            self.y = 1
        self.x = 2

class Same(Fixed):
    pass

expect(Broken, violates={"fine"})
"""


def test_a_line_that_is_not_needed_and_one_that_cannot_stand_alone(tmp_path: Path) -> None:
    write(tmp_path, m=FIX)
    done = dio_mc("mutate", "m.py", "--model", "Fixed", "--kind", "undo", "--no-propose", cwd=tmp_path)
    assert done.stdout == (
        "m.py Fixed: 1 of 2 mutants caught, 50 %; 1 equivalent, 1 invalid\n"
        "  fix of Broken, which violates fine in 1 step; is each line needed?\n"
        "    not alone    19 + seen = self.x                  m.py:20:12: error DIO104: unknown name `seen`\n"
        "    not needed   20 + if seen == 0:                  every schedule is the same, with the same data\n"
        "    not needed   21 + self.y = 1                     everything holds without it\n"
        "    needed       22 ~ self.x = 2  (was: self.x = 3)  fine in 3 steps\n"
    )
    assert done.returncode == 1


def test_a_class_may_be_named(tmp_path: Path) -> None:
    write(tmp_path, m=FIX)
    done = dio_mc("mutate", "m.py", "--model", "Same", "--against", "Fixed", cwd=tmp_path)
    assert "  fix of Fixed, which holds too: no statement differs\n" in done.stdout
    done = dio_mc("mutate", "m.py", "--model", "Same", "--against", "Fixd", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "dio-mc: error DIO208: no class `Fixd` that Same could be a fix of\n  hint: did you mean `Fixed`?\n"
    )


def test_other_kinds_leave_the_fix_alone(tmp_path: Path) -> None:
    write(tmp_path, m=FIX)
    assert "fix of" not in dio_mc("mutate", "m.py", "--kind", "lock", cwd=tmp_path).stdout


def test_the_fix_in_json_and_markdown(tmp_path: Path) -> None:
    write(tmp_path, m=FIX)
    options = ("m.py", "--model", "Fixed", "--kind", "undo", "--output-format")
    (found,) = json.loads(dio_mc("mutate", *options, "json", cwd=tmp_path).stdout)["models"]
    assert (found["fix"]["before"], found["fix"]["stands"]) == ("Broken", "violates fine in 1 step")
    assert [row["verdict"] for row in found["fix"]["lines"]] == ["not alone", "not needed", "not needed", "needed"]
    assert found["fix"]["lines"][3] == {
        "where": "m.py:22", "function": "go", "mark": "~", "text": "self.x = 2  (was: self.x = 3)",
        "mutant": 3, "verdict": "needed", "why": "fine in 3 steps",
    }  # fmt: skip
    rows = dio_mc("mutate", *options, "markdown", cwd=tmp_path).stdout.splitlines()
    assert "### Fixed, a fix of Broken, which violates fine in 1 step" in rows
    assert any(row.startswith("| needed | m.py:22 | ~ self.x = 2") and "fine in 3 steps" in row for row in rows)


def test_several_processes_undo_the_same_lines(tmp_path: Path) -> None:
    write(tmp_path, m=FIX)
    one, two = (dio_mc("mutate", "m.py", "-v", f"--jobs={n}", cwd=tmp_path).stdout for n in (1, 2))
    assert one == two


FOLDED = """\
from dio_mc import *
from dio_mc.kernel import CoherentAtRest, Data

class Reads(CoherentAtRest):
    idle = Var(bool)
    @thread
    def reader(self):
        if not self.idle:
            self.idle = self.idle
        self.seen[0] = self.buffered_read(0)
"""


def test_equivalent_mutants_and_those_of_the_library_are_a_line_each(tmp_path: Path) -> None:
    write(tmp_path, m=FOLDED)
    short, long = (
        dio_mc("mutate", "m.py", "--inherited", "--no-propose", *v, cwd=tmp_path).stdout for v in ([], ["-v"])
    )
    listed = [line.split()[0] for line in long.splitlines()[1:] if line[2] != " "]
    library = sum("kernel/" in line and line.startswith("  survived") for line in long.splitlines())
    equivalent = listed.count("equivalent")
    assert library > 3
    assert equivalent > 1
    assert f"  equivalent   {equivalent} mutants with the same behaviour; -v lists them\n" in short
    assert f"  library      {library} mutants of library code survived; -v lists them\n" in short
    assert "kernel/" not in short
