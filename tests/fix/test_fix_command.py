"""`dio-mc fix` from outside: exit codes, what is said of bad input, files, a stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from fix_models import FLUSH, LOST
from report_models import BROKEN, HOLDS, ROOT, dio_mc, wait_for_work, write

SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs" / "schemas" / "fix-1.json").read_text()))
TWO = FLUSH + "\n\nclass Other(MissingFlush):\n    pass\n"
REACH = """\
from dio_mc import Model, Var, reachable, thread

class Never(Model):
    x = Var(bool)
    @thread
    def t(self):
        self.x = False
    @reachable
    def there(self):
        return self.x
"""

REFUSED = [
    ("holds", HOLDS, [], "dio-mc: error DIO291: nothing to fix: M holds\n"),
    ("this one holds", FLUSH, ["--property", "deadlock"], "dio-mc: error DIO291: nothing to fix: `deadlock` of MissingFlush holds\n"),
    ("unknown property", FLUSH, ["--property", "no_lost"], "dio-mc: error DIO293: MissingFlush has no property `no_lost`\n  hint: did you mean `no_lost_write`?\n"),
    ("a reachable", REACH, ["--property", "there"], "dio-mc: error DIO292: `there` is a @reachable: no fix is looked for\n  hint: a fix takes schedules away; that a state is not reached is the fault of what the model says\n"),
    ("nothing else", REACH, [], "dio-mc: error DIO292: Never violates only @reachable properties: no fix is looked for\n"),
    ("unknown class", FLUSH, ["--model", "Missing"], "dio-mc: error DIO208: no model class `Missing`\n  hint: did you mean `MissingFlush`?\n"),
    ("several", TWO, [], "m.py: error DIO294: several classes are violated\n  hint: choose one with --model: MissingFlush, Other\n"),
    ("unknown parameter", FLUSH, ["--param", "pages=2"], "dio-mc: error DIO203: MissingFlush has no parameter `pages`\n  hint: MissingFlush has: none\n"),
    ("elsewhere", FLUSH, ["--write", "there/f.py"], "there/f.py: error DIO296: a fix imports the model, so it must be in the same folder\n  hint: write it to f.py\n"),
    ("over the model", FLUSH, ["--write", "m.py"], "m.py: error DIO296: exists already and is not overwritten\n"),
    ("no module", FLUSH, ["--write", "a-fix.py"], "a-fix.py: error DIO296: a fix is a Python file: NAME.py\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "options", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_cannot_be_fixed_is_said_in_a_sentence(tmp_path: Path, text: str, options: list[str], said: str) -> None:
    write(tmp_path, m=text)
    done = dio_mc("fix", "m.py", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert [p.name for p in tmp_path.iterdir()] == ["m.py"]


def test_a_model_with_errors_and_a_missing_file(tmp_path: Path) -> None:
    write(tmp_path, m=BROKEN)
    done = dio_mc("fix", "m.py", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("m.py:")
    assert dio_mc("fix", "n.py", cwd=tmp_path).stderr == "n.py: error DIO201: no such file\n"


def test_a_file_that_cannot_be_imported(tmp_path: Path) -> None:
    """No ``import`` can name it."""
    (tmp_path / "missing-flush.py").write_text(FLUSH)
    done = dio_mc("fix", "missing-flush.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "DIO295: a fix of MissingFlush cannot be written" in done.stderr
    assert "rename its file" in done.stderr


def test_the_written_fix_passes_a_check(tmp_path: Path) -> None:
    write(tmp_path, m=FLUSH)
    done = dio_mc("fix", "m.py", "--pairs=0", "--write", "mended.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "written to mended.py: MissingFlushFixed HOLDS\n"
    head, _, rest = done.stdout.partition("\n")
    assert head.startswith("m.py MissingFlush: ")
    assert "1. wait in direct_write: `wait_until(not self.dirty)` before `self.disk = Data.NEW`\n" in rest
    assert "   +        wait_until(not self.dirty)\n" in rest
    assert "   class MissingFlushFixed(MissingFlush):\n" in rest
    checked = dio_mc("check", "mended.py", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    assert "MissingFlushFixed: HOLDS no_lost_write, no deadlock (as expected)" in checked.stdout


def test_what_was_not_asked_for_may_stay_violated(tmp_path: Path) -> None:
    """It is told, and stated in the written file."""
    write(tmp_path, m=FLUSH + "\n    @invariant\n    def never_dirty(self):\n        return not self.dirty\n")
    options = ["--property", "no_lost_write", "--pairs=0", "--most=1", "--write", "mended.py"]
    done = dio_mc("fix", "m.py", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "  violated before, and not asked for: never_dirty\n" in done.stdout
    assert "checked as written: VIOLATED never_dirty, " in done.stdout
    assert 'expect(MissingFlushFixed, violates={"never_dirty"})' in (tmp_path / "mended.py").read_text()
    assert dio_mc("check", "mended.py", cwd=tmp_path).returncode == 0


def test_as_json(tmp_path: Path) -> None:
    write(tmp_path, m=LOST)
    done = dio_mc("fix", "m.py", "--pairs=0", "--format=json", "--most=1", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert list(SCHEMA.iter_errors(found)) == []
    assert found["schema"] == "dio-mc/fix/1"
    assert found["exit_code"] == done.returncode == 0
    assert found["goals"] == [{"property": "counted", "steps": 4, "params": {}, "why": ""}]
    (first,) = found["fixes"]
    assert first["kind"] == "section"
    assert first["checked"] == [{"params": {}, "verdict": "HOLDS", "states": first["checked"][0]["states"]}]
    assert first["subclass"].startswith('"""A fix of Lost')
    assert all(near["open"] for near in found["near_misses"])


def test_the_schema_of_the_json_is_strict(tmp_path: Path) -> None:
    write(tmp_path, m=FLUSH)
    done = dio_mc("fix", "m.py", "--pairs=30", "--format=json", "--most=2", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert list(SCHEMA.iter_errors(found)) == []
    assert found["fixes"]
    assert found["near_misses"]
    for name in found:
        assert list(SCHEMA.iter_errors({k: v for k, v in found.items() if k != name})), name
    for part in (found["fixes"][0], found["near_misses"][0]):
        for name in list(part):
            value = part.pop(name)
            assert list(SCHEMA.iter_errors(found)), name
            part[name] = value
        part["further"] = 1
        assert list(SCHEMA.iter_errors(found))
        del part["further"]


def test_none_among_the_edits(tmp_path: Path) -> None:
    """An assertion that is false whatever the schedule."""
    never = "from dio_mc import Model, Var, invariant, thread\n\nclass Never(Model):\n    x = Var(bool, init=True)\n    @thread\n    def t(self):\n        self.x = True\n    @invariant\n    def false(self):\n        return not self.x\n"
    write(tmp_path, m=never)
    done = dio_mc("fix", "m.py", cwd=tmp_path)
    assert done.returncode == 1
    assert "no edit that is tried is a fix" in done.stdout


def test_no_time_at_all(tmp_path: Path) -> None:
    write(tmp_path, m=FLUSH)
    done = dio_mc("fix", "m.py", "--timeout=0", cwd=tmp_path)
    assert done.returncode == 3
    assert "stopped by --timeout 0" in done.stdout


def test_an_interrupt_keeps_the_fixes_found(tmp_path: Path) -> None:
    """So many pairs that it would take minutes."""
    write(tmp_path, m=FLUSH)
    command = [sys.executable, "-m", "dio_mc", "fix", "m.py", "--pairs=1000000", "--jobs=1"]
    spinning = FLUSH.replace("dirty = Var(bool)\n", "dirty = Var(bool)\n    n = Array(Range(0, 9), size=3)\n")
    spinning = spinning.replace("import Model,", "import Array, Model, Range,")
    spin = "    @thread(instances=3, daemon=True)\n    def spin(self, k):\n        while True:\n            self.n[k] = (self.n[k] + 1) % 10\n\n    @invariant\n"
    write(tmp_path, m=spinning.replace("    @invariant\n", spin))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=pipe, stderr=pipe, text=True) as run:
        wait_for_work(run.pid, 3)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=100)
    assert run.returncode == 3, out + err
    assert "stopped by Ctrl-C: not everything was tried" in out
    assert "Traceback" not in err
