"""Many models in one command: several processes, sweeps, what changed since a revision, interruptions, full disks."""

from __future__ import annotations

import json
import math
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

import pytest
from report_models import BIG, BROKEN, HOLDS, RACE, ROOT, VACUOUS, VIOLATED, dio_mc, wait_for_work, write

from dio_mc.checking.driver import Options
from dio_mc.checking.results import Report
from dio_mc.checking.runs.plan import Request, Task, plan
from dio_mc.checking.runs.pool import Waiting, run_in_processes, worthwhile

SUICIDE = (
    HOLDS
    + "import multiprocessing, os, signal\nif multiprocessing.parent_process():\n    os.kill(os.getpid(), signal.SIGKILL)\n"
)
SWEPT = HOLDS.replace("n = Var(Range(0, 3))", "p = Param(1, min=1, max=9)\n    n = Var(Range(0, 9))").replace(
    "self.n = 1", "for i in range(self.p):\n            self.n = i"
).replace("self.n < 3", "self.n < 8")  # fmt: skip


ENOUGH = ("--max-states=120000", "--no-reduction")
"""What keeps one process busy with `BIG` for some seconds, so that another is started; on a busy machine for longer."""


def test_several_processes_say_the_same_in_the_same_order(tmp_path: Path) -> None:
    models = {f"m{i}": text for i, text in enumerate([HOLDS, VIOLATED, RACE, BROKEN, BIG, VACUOUS])}
    write(tmp_path / "models", **models)
    runs = []
    for jobs in ("1", "2", "5"):
        done = dio_mc(
            "check", "models", "--jobs", jobs, "--max-states", "200", "--counterexamples", f"c{jobs}", cwd=tmp_path
        )
        files = {
            p.relative_to(tmp_path / f"c{jobs}"): p.read_bytes()
            for p in (tmp_path / f"c{jobs}").rglob("*.*")
            if p.is_file()
        }
        runs.append((done.returncode, done.stdout.replace(f"c{jobs}/", "c/"), done.stderr, files))
    assert runs[0] == runs[1] == runs[2]
    assert runs[0][0] == 2
    *table, totals = runs[0][1].split("Unexpected results:\n")[1].splitlines()
    assert [line.split()[:2] for line in table] == [
        ["VIOLATED", "models/m1.py"], ["VIOLATED", "models/m2.py"], ["ERROR", "models/m3.py"], ["UNDETERMINED", "models/m4.py"],
    ]  # fmt: skip
    assert totals.startswith("5 runs: 2 HOLDS, 2 VIOLATED, 1 UNDETERMINED, 1 error; ")


def test_a_process_that_dies_leaves_its_model_undetermined(tmp_path: Path) -> None:
    write(tmp_path, a=BIG, b=SUICIDE, c=VIOLATED, d=HOLDS)
    command = ["check", ".", "--jobs=2", *ENOUGH, "--engine=reference", "--output-format=json"]
    done = dio_mc(*command, cwd=tmp_path)
    found = json.loads(done.stdout)
    assert done.returncode == found["exit_code"] == 1
    assert [m["verdict"] for m in found["models"]] == ["UNDETERMINED", "UNDETERMINED", "VIOLATED", "HOLDS"]
    killed = found["models"][1]
    assert killed["stopped"] == "its process was killed by SIGKILL"
    assert [(p["name"], p["verdict"]) for p in killed["properties"]] == [
        (n, "UNDETERMINED") for n in ("small", "deadlock", "faults")
    ]


def workers_of(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")  # per thread that has started some
    children = [child for found in lists for child in found.read_text().split()]
    return [int(c) for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the worker")
def test_a_worker_killed_from_outside(tmp_path: Path) -> None:
    write(tmp_path, a=BIG, b=BIG, c=HOLDS)
    command = [
        sys.executable,
        "-m",
        "dio_mc",
        "check",
        "a.py",
        "b.py",
        "c.py",
        "--jobs=2",
        *ENOUGH,
        "--engine=reference",
    ]
    command += ["--output-format=json", "--report=sarif=r.sarif", "--no-artifacts"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as run:
        while not workers_of(run.pid):
            time.sleep(0.1)
        os.kill(workers_of(run.pid)[0], signal.SIGKILL)
        out, _ = run.communicate(timeout=60)
    found = json.loads(out)
    assert [m["verdict"] for m in found["models"]] == ["UNDETERMINED", "UNDETERMINED", "HOLDS"]
    assert [m["stopped"] for m in found["models"]] == ["--max-states 120000", "its process was killed by SIGKILL", None]
    assert run.returncode == found["exit_code"] == 3
    assert json.loads((tmp_path / "r.sarif").read_text())["runs"][0]["invocations"][0]["exitCode"] == 3


@pytest.mark.parametrize(("elapsed", "finished", "left", "expected"), [
    (0.9, 0, 9, False), (1.0, 0, 1, True), (1.0, 0, 0, False),
    (1.0, 10, 10, False), (1.0, 10, 20, True), (60.0, 1, 1, True), (60.0, 600, 9, False),
])  # fmt: skip
def test_when_another_process_is_worth_its_start(elapsed: float, finished: int, left: int, expected: bool) -> None:
    assert worthwhile(elapsed, finished, left, patience=1.0) == expected


def test_tasks_with_much_in_common_are_done_by_one_process() -> None:
    waiting = Waiting("aaabbc")
    one, group = waiting.take(deque())
    other, its = waiting.take(deque())
    assert (one, other, len(waiting)) == (0, 3, 4)
    assert [waiting.take(group)[0], waiting.take(its)[0], waiting.take(its)[0]] == [1, 4, 5]
    assert [waiting.take(deque())[0], len(waiting)] == [2, 0]  # nothing else is left


@pytest.mark.parametrize("seed", range(20))
def test_every_task_is_given_out_once(seed: int) -> None:
    dice = random.Random(seed)
    keys = sorted(dice.choices(range(6), k=30))
    waiting, groups, given = Waiting(keys), [deque[int]() for _ in range(3)], list[int]()
    while len(given) < 30 - seed:
        mine = dice.randrange(3)
        before = bool(groups[mine])
        number, group = waiting.take(groups[mine])
        assert not before or group is groups[mine]
        groups[mine] = group
        given.append(number)
    assert sorted([*given, *waiting.clear()]) == list(range(30))
    assert not waiting


def test_no_process_is_started_before_it_is_time(tmp_path: Path) -> None:
    write(tmp_path, a=SUICIDE, b=SUICIDE, c=SUICIDE)
    tasks = [t for t in plan([(str(tmp_path / f"{n}.py"), True) for n in "abc"], Request()) if isinstance(t, Task)]
    found = list(run_in_processes(tasks, Options(), 4, patience=math.inf))
    assert [d.outcome.verdict for d in found if isinstance(d.outcome, Report)] == ["HOLDS"] * 3


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_an_interrupt_reports_everything(tmp_path: Path, jobs: str, number: signal.Signals, word: str) -> None:
    write(tmp_path, a=HOLDS, b=BIG, c=BIG, d=HOLDS, e=HOLDS)
    command = [sys.executable, "-m", "dio_mc", "check", *(f"{n}.py" for n in "abcde"), "--jobs", jobs]
    command += ["--output-format", "jsonl", "--report", "junit=r.xml", "--no-artifacts", "--engine", "reference"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as run:
        wait_for_work(run.pid, 0.8)
        if jobs == "2":
            while not workers_of(run.pid):
                time.sleep(0.05)
            wait_for_work(workers_of(run.pid)[0], 0.8)
        os.killpg(run.pid, number)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 3, err
    *models, summary = [json.loads(line) for line in out.splitlines()]
    assert [m["file"] for m in models] == [f"{n}.py" for n in "abcde"]
    assert {m["stopped"] for m in models if m["file"] in ("b.py", "c.py")} == {word}
    assert summary["exit_code"] == 3
    assert (tmp_path / "r.xml").read_text().rstrip().endswith("</testsuites>")
    assert "Traceback" not in err


def test_a_full_disk_leaves_whole_reports_or_none(tmp_path: Path) -> None:
    write(tmp_path, m=RACE)
    (tmp_path / "old.sarif").write_text("as it was")
    limit = "import resource, runpy, signal, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64)); "
    limit += "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); sys.argv = ['dio-mc', *sys.argv[1:]]; "
    limit += "runpy.run_module('dio_mc', run_name='__main__')"
    wanted = ["check", "m.py", "--no-artifacts", "--report=sarif=old.sarif", "--report=junit=new.xml"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", limit, *wanted], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    assert "Race: VIOLATED nothing_lost" in done.stdout
    assert done.stderr.count("error DIO207: ") == 2
    assert (tmp_path / "old.sarif").read_text() == "as it was"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["m.py", "old.sarif"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("form", ["text", "sarif"])
def test_a_full_disk_behind_stdout(tmp_path: Path, form: str) -> None:
    write(tmp_path, m=RACE)
    command = [sys.executable, "-m", "dio_mc", "check", "m.py", "--output-format", form, "--report=junit=r.xml"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 2, done.stderr
    assert "error DIO207: stdout: cannot be written" in done.stderr
    assert "internal error" not in done.stderr


def test_a_sweep_with_its_table(tmp_path: Path) -> None:
    write(tmp_path, m=SWEPT)
    done = dio_mc("check", "m.py", "--sweep", "p=1..3,5", "--plot", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    table = done.stdout.split("growth of m.py M\n")[1].splitlines()
    assert table[0].split() == ["p", "verdict", "states", "growth", "transitions", "depth"]
    assert [row.split()[0] for row in table[1:5]] == ["1", "2", "3", "5"]
    assert [row.split()[2] for row in table[1:3]] == ["2", "3"]
    assert table[2].split()[3] == "x1.5"
    assert re.fullmatch(r" +5 \|#{40} \d+", table[-1])
    assert "seconds" in dio_mc("check", "m.py", "--sweep", "p=1..2", "-v", cwd=tmp_path).stdout


@pytest.mark.parametrize("sweep", ["p", "p=", "p=3..1", "p=a..b", "p=1..100000", "=1..2"])
def test_a_wrong_sweep(tmp_path: Path, sweep: str) -> None:
    write(tmp_path, m=SWEPT)
    done = dio_mc("check", "m.py", "--sweep", sweep, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"error DIO215: --sweep {sweep} is not NAME=LOW..HIGH" in done.stderr


def test_globs(tmp_path: Path) -> None:
    write(tmp_path / "models" / "deep", a=HOLDS, b=VIOLATED, helper="X = 1\n")
    done = dio_mc("check", "models/**/[ah]*.py", "models/deep/a.py", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout.count("HOLDS") == 1
    done = dio_mc("check", "models/*.txt", "models/deep/a.py", cwd=tmp_path)
    assert done.returncode == 2
    assert "models/*.txt: error DIO201: no Python file matches" in done.stderr
    assert "a.py M: HOLDS" in done.stdout


# --- what changed -----------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=x", "-c", "user.email=x@y", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    own = HOLDS.replace("from dio_mc import *\n", "from dio_mc import *\nfrom helper import TOP\n").replace(
        "< 3", "< TOP"
    )
    write(tmp_path / "models", a=HOLDS, b=VIOLATED, c=own, helper="from deeper import TOP\n", deeper="TOP = 3\n")
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def checked(folder: Path, revision: str = "main", *options: str) -> list[str]:
    done = dio_mc("check", "models", "--changed-since", revision, "--output-format", "jsonl", *options, cwd=folder)
    return [Path(entry["file"]).stem for entry in map(json.loads, done.stdout.splitlines()) if "file" in entry]


def test_only_what_changed_is_checked(repository: Path) -> None:
    done = dio_mc("check", "models", "--changed-since", "HEAD", cwd=repository)
    assert (done.returncode, done.stderr) == (0, "nothing to check: no model changed since HEAD\n")
    write(repository / "models", a=HOLDS + "\n", new=HOLDS)
    assert checked(repository) == ["a", "new"]
    write(repository / "models", deeper="TOP = 2 + 1\n")
    assert checked(repository) == ["a", "c", "new"]
    git(repository, "checkout", "-q", "-b", "work")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "second")
    assert checked(repository) == ["a", "c", "new"]
    assert checked(repository, "HEAD") == []
    (repository / "models" / "deeper.py").unlink()
    assert checked(repository, "HEAD") == ["c"], "a helper that does not import dio_mc is not a model"


def test_a_branch_is_compared_with_where_it_began(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "work")
    write(repository / "models", a=HOLDS + "\n")
    git(repository, "commit", "-q", "-a", "-m", "a")
    git(repository, "checkout", "-q", "main")
    write(repository / "models", b=HOLDS)
    git(repository, "commit", "-q", "-a", "-m", "b")
    git(repository, "checkout", "-q", "work")
    assert checked(repository) == ["a"]


def test_what_a_model_reads_is_part_of_it(repository: Path) -> None:
    """A data file that is named, one that is found, a Python file that is run, a module imported by a string."""
    named = HOLDS + "\nfrom pathlib import Path\nTOP = Path(__file__).with_name('top.json')\n"
    finds = HOLDS + "\nimport glob, os\nALL = glob.glob(os.path.dirname(__file__) + '/data/*' + '.csv')\n"
    runs = HOLDS + "\nfrom pathlib import Path\nexec((Path(__file__).parent / 'table.py').read_text())\n"
    by_name = HOLDS + "\nimport importlib\nHELPER = importlib.import_module('deeper')\n"
    write(repository / "models", a=named, b=finds, d=runs, e=by_name, table="X = 1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "readers")
    assert checked(repository) == []
    (repository / "models" / "top.json").write_text("3\n")
    assert checked(repository) == ["a", "b", "d"], "what opens files may have opened this one"
    (repository / "models" / "top.json").unlink()
    write(repository / "models", table="X = 2\n")
    assert checked(repository) == ["d"]
    write(repository / "models", table="X = 1\n", deeper="TOP = 4\n")
    assert checked(repository) == ["c", "e"]


def test_changed_settings_concern_every_model(repository: Path) -> None:
    (repository / "dio-mc.toml").write_text("max-states = 50\n")
    assert checked(repository) == ["a", "b", "c"]


def test_revisions_that_do_not_exist(repository: Path, tmp_path: Path) -> None:
    for revision in ("nowhere", "--output=x"):
        done = dio_mc("check", "models", f"--changed-since={revision}", cwd=repository)
        assert (done.returncode, done.stdout) == (2, "")
        assert "error DIO214: " in done.stderr
        assert not (repository / "x").exists()
    outside = tmp_path / "outside"
    write(outside, m=HOLDS)
    done = dio_mc("check", "m.py", "--changed-since", "HEAD", cwd=outside, GIT_CEILING_DIRECTORIES=str(tmp_path))
    assert done.returncode == 2


def test_namesakes_of_two_folders_keep_their_counterexamples(tmp_path: Path) -> None:
    bad = HOLDS.replace("self.n < 3", "self.n < 1")
    for folder, text in (("a", bad), ("b", bad.replace("self.n = 1", "self.n = 2"))):
        write(tmp_path / folder, one=text)
    done = dio_mc("check", "a", "b", "--output-format", "json", cwd=tmp_path)
    traces = [model["violations"][0]["trace"] for model in json.loads(done.stdout)["models"]]
    assert traces == ["counterexamples/a.one.M/small.json", "counterexamples/b.one.M/small.json"]
    models = [json.loads((tmp_path / trace).read_text())["model"]["file"] for trace in traces]
    assert models == ["a/one.py", "b/one.py"]
