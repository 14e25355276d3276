"""Every phase of a command obeys every limit, and loses no verdict.

A phase is made endless from outside: its function is replaced by a loop, which takes memory where that is the limit. So
what is tested is that the phase is guarded, whatever it does there. Nothing is timed: a phase that is not guarded never
ends, and the test with it.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODEL = """\
from dio_mc import *

class M(Model):
    n = Array(Range(0, 3), size=2)
    @thread(instances=2)
    def t(self, i):
        self.n[i] = 1
    @invariant
    def never(self):
        return self.n[0] + self.n[1] < 2
"""
ENDLESS = """\
import importlib, pathlib, sys
from dio_mc.cli import main

hoard = []

def forever(*arguments, **named):
    pathlib.Path("here").touch()
    while True:
        if {hungry}:
            hoard.append(bytearray(1 << 20))

def patch(place, name):
    owner = importlib.import_module(place.partition(":")[0])
    for part in filter(None, place.partition(":")[2].split(".")):
        owner = getattr(owner, part)
    setattr(owner, name, forever)

patch({place!r}, {name!r})
sys.argv = ["dio-mc", *{arguments!r}]
main()
"""
BEFORE = {
    "load": ("dio_mc.checking.runs.plan", "load_module"),
    "build": ("dio_mc.checking.driver", "build"),
    "judges": ("dio_mc.checking.driver", "judge_property"),
    "symmetry": ("dio_mc.analysis.symmetry.proof", "find_symmetry"),
    "partial order": ("dio_mc.analysis.partial_order.persistent", "find_persistent_sets"),
    "code": ("dio_mc.engines.native.engine", "write_module"),
    "compile": ("dio_mc.engines.native.engine", "compile_text"),
    "initial states": ("dio_mc.semantics.interpreter:Interpreter", "_find_more"),
    "search": ("dio_mc.semantics.interpreter:Interpreter", "successors"),
}
"""Phases in which nothing is known yet."""
AFTER = {
    "canonical path": ("dio_mc.engines.reference.engine", "canonical_paths"),
    "canonical path, machine code": ("dio_mc.engines.shaping", "canonical_paths"),
    "how properties stand": ("dio_mc.explain.witness", "standings"),
    "why": ("dio_mc.explain.witness", "why"),
    "findings": ("dio_mc.checking.driver", "static_findings"),
    "files": ("dio_mc.report.artifacts", "write_artifacts"),
    "render": ("dio_mc.cli.session", "report_text"),
}
"""Phases after a violation was found."""
NATIVE = ("code", "compile", "canonical path, machine code")
REDUCED = ("symmetry", "partial order")
LIMITS = ("timeout", "memory", "SIGINT", "SIGTERM", "SIGHUP")


def run(folder: Path, place: str, name: str, limit: str, *arguments: str) -> tuple[int, str, str]:
    """A command in which this function does not end, until the limit does; exit code, stdout, stderr."""
    options = {"timeout": ["--timeout", "4"], "memory": ["--max-memory", "400M"]}.get(limit, [])
    script = ENDLESS.format(hungry=limit == "memory", place=place, name=name, arguments=[*arguments, *options])
    outer = {n: v for n, v in os.environ.items() if not n.startswith(("DIO_MC_", "GITHUB_"))}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=folder, env={**outer, "PYTHONPATH": str(ROOT)}, stdout=pipe, stderr=pipe,
        text=True,
    ) as process:  # fmt: skip
        if limit.startswith("SIG"):
            while not (folder / "here").exists() and process.poll() is None:
                time.sleep(0.02)
            process.send_signal(getattr(signal, limit))
        try:
            out, err = process.communicate(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert (folder / "here").exists(), "the phase was not entered"
    return process.returncode, out, err


def words(limit: str) -> str:
    return {"timeout": "--timeout 4", "memory": "--max-memory 400M", "SIGINT": "Ctrl-C"}.get(limit, limit)


def options_for(phase: str) -> list[str]:
    if phase in NATIVE:
        return ["--engine", "native"]
    return ["--engine", "reference", *(["--partial-order"] if phase == "partial order" else [])]


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", BEFORE)
def test_before_anything_is_found(tmp_path: Path, phase: str, limit: str) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    code, out, err = run(tmp_path, *BEFORE[phase], limit, "check", "m.py", *options_for(phase))
    assert code == 3, out + err
    assert words(limit) in out + err
    assert "Traceback" not in err
    assert phase == "load" or "UNDETERMINED" in out


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("phase", AFTER)
def test_a_violation_stays(tmp_path: Path, phase: str, limit: str) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    code, out, err = run(tmp_path, *AFTER[phase], limit, "check", "m.py", *options_for(phase))
    assert code == 1, out + err
    assert "VIOLATED never" in out
    assert "Traceback" not in err


@pytest.mark.parametrize("limit", LIMITS)
def test_a_matrix_is_written_with_what_is_done(tmp_path: Path, limit: str) -> None:
    arguments = ("matrix", "--rule", "generic_2005", "--operation", "direct_read", "--format", "json")
    code, out, err = run(tmp_path, "dio_mc.study.matrix", "outcomes", limit, *arguments)
    assert code == 3, err
    assert '"undetermined"' in out


@pytest.mark.parametrize("limit", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(
    ("place", "name", "arguments"),
    [
        ("dio_mc.export.promela", "promela", ("export", "m.py", "--to", "promela")),
        ("dio_mc.study.outcomes", "outcomes", ("outcomes", "direct_read,direct_write", "--rule", "generic_2005")),
        ("dio_mc.study.diff", "diff", ("diff", "generic_2005", "generic_2005")),
        ("dio_mc.frontend", "build", ("ir", "m.py")),
    ],
)
def test_other_commands_end_undetermined(
    tmp_path: Path, place: str, name: str, arguments: tuple[str, ...], limit: str
) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    code, out, err = run(tmp_path, place, name, limit, *arguments)
    assert (code, out, err.strip()) == (3, "", "dio-mc: interrupted")


@pytest.mark.parametrize("limit", LIMITS[:1] + LIMITS[2:])
def test_mutate(tmp_path: Path, limit: str) -> None:
    (tmp_path / "m.py").write_text(MODEL.replace("< 2", "< 3"))
    code, out, err = run(tmp_path, "dio_mc.checking.driver", "build", limit, "mutate", "m.py")
    assert code == 3, out + err
    assert words(limit) in out


def test_a_signal_that_the_caller_ignores_stays_ignored(tmp_path: Path) -> None:
    """So a shell asks for a job in the background; the command goes on."""
    (tmp_path / "m.py").write_text(MODEL)
    code = (
        "import os, signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from dio_mc.cli import interrupts, main\n"
        "take = interrupts.SIGNALS.take\n"
        "def sent():\n    take()\n    os.kill(os.getpid(), signal.SIGINT)\n"
        "interrupts.SIGNALS.take = sent\nsys.argv = ['dio-mc', 'check', 'm.py']\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "| head -n 1"])
def test_nobody_reads_what_is_said(tmp_path: Path, closed: str) -> None:
    """The verdict is the exit code, and reports are written."""
    (tmp_path / "m.py").write_text(MODEL)
    command = f"{sys.executable} -m dio_mc check m.py --report json=r.json {closed}; echo ${{PIPESTATUS[0]}} > code"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, capture_output=True, check=True)
    assert (tmp_path / "code").read_text() == "1\n"
    assert '"VIOLATED"' in (tmp_path / "r.json").read_text()


def test_a_fault_in_the_explanation_is_a_note(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(MODEL)
    script = (
        "import sys\nimport dio_mc.explain.witness as witness\nfrom dio_mc.cli import main\n"
        "def broken(*arguments):\n    raise ValueError('broken')\n"
        "witness.why = broken\nsys.argv = ['dio-mc', 'check', 'm.py']\nmain()"
    )
    outer = {n: v for n, v in os.environ.items() if not n.startswith("DIO_MC_")}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env={**outer, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "note: never: why it fails is left out, by a fault of dio-mc: ValueError: broken" in done.stdout


def test_a_signal_before_anyone_waits_is_told(tmp_path: Path) -> None:
    """The thread of the command is started, and the main thread does not wait for it yet."""
    (tmp_path / "m.py").write_text(MODEL)
    code = (
        "import os, signal, sys\nimport dio_mc.deep as deep\nfrom dio_mc.cli import main\n"
        "started = deep._started\n"
        "def sent(run):\n    thread = started(run)\n    os.kill(os.getpid(), signal.SIGINT)\n    return thread\n"
        "deep._started = sent\nsys.argv = ['dio-mc', 'ir', 'm.py']\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (3, "dio-mc: interrupted\n")
