"""`dio-mc check --engine`: the same answer from either, in any number of threads; and what is said where one cannot."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).resolve().parents[2]
SEED = str(ROOT / "models" / "seed" / "ext3_2_6_18.py")
LARGE = str(ROOT / "benchmarks" / "diorace.py")
AT_S = ("--param", "pages=2", "--param", "readers=2")
LOADED = "raise SystemExit('loaded')"
LIVE = """\
from dio_mc import *

class M(Model):
    n = Var(Range(0, 1))
    @thread
    def t(self):
        self.n = 1
    @progress
    def ends(self):
        return self.n == 1
"""


def dio_mc(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {**os.environ, "XDG_CACHE_HOME": str(cwd.parent), "PYTHONPATH": str(ROOT), **environment}
    return forked.run(["check", *arguments, "--no-artifacts"], cwd, known)


@pytest.mark.parametrize("form", ["text", "concise", "sarif", "junit", "markdown"])
def test_either_engine_says_the_same(tmp_path: Path, form: str) -> None:
    said = [
        dio_mc(SEED, "--engine", engine, "--output-format", form, cwd=tmp_path) for engine in ("reference", "native")
    ]
    assert said[0].returncode == said[1].returncode == 0
    assert shorn(said[0].stdout) == shorn(said[1].stdout)
    assert "ext3" in said[1].stdout


def stub(folder: Path, text: str) -> Path:
    """A folder with a package `llvmlite` that does as it is told."""
    package = folder / "stub" / "llvmlite"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(text)
    return package.parent


def shorn(text: str) -> str:
    """Without the engine's name and the wall time."""
    return re.sub(r"reference|native|time=\"[0-9.]+\"", "", text)


@pytest.mark.parametrize(
    "extra", [(), ("--max-depth", "20"), ("--param", "fixed=0"), ("--param", "fixed=0", "--first")]
)
@pytest.mark.slow
def test_any_number_of_workers_says_the_same(tmp_path: Path, extra: tuple[str, ...]) -> None:
    said = {
        dio_mc(LARGE, *AT_S, *extra, "--engine", "native", "--workers", str(n), cwd=tmp_path).stdout for n in (1, 2, 3)
    }
    assert len(said) == 1
    assert said == {dio_mc(LARGE, *AT_S, *extra, "--engine", "reference", cwd=tmp_path).stdout}


def test_auto_takes_machine_code_for_a_large_model_only(tmp_path: Path) -> None:
    def engines(*arguments: str) -> list[str]:
        done = dio_mc(*arguments, "--output-format", "jsonl", cwd=tmp_path)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        return [row["engine"] for row in rows if row["type"] == "model"]

    assert engines(SEED) == ["reference", "reference"]
    assert engines(LARGE, *AT_S) == ["native"]
    assert engines(LARGE, *AT_S, "--max-states", "3000") == ["reference"]


def test_a_small_model_does_not_load_the_compiler(tmp_path: Path) -> None:
    path = f"{stub(tmp_path, LOADED)}{os.pathsep}{ROOT}"
    assert dio_mc(SEED, cwd=tmp_path, PYTHONPATH=path).returncode == 0
    assert "loaded" in dio_mc(LARGE, *AT_S, cwd=tmp_path, PYTHONPATH=path).stderr, "and a large one does"


@pytest.mark.parametrize("chosen", [("--engine", "native"), ()])
def test_without_llvmlite_the_reference_engine_and_one_sentence(tmp_path: Path, chosen: tuple[str, ...]) -> None:
    path = f"{stub(tmp_path, 'raise ModuleNotFoundError')}{os.pathsep}{ROOT}"
    done = dio_mc(LARGE, *AT_S, *chosen, cwd=tmp_path, PYTHONPATH=path)
    assert done.returncode == 0
    note = "  note: explored by the reference engine: llvmlite is not installed (pip install llvmlite)\n"
    assert done.stdout.count(note) == 1
    assert dio_mc(LARGE, *AT_S, cwd=tmp_path).stdout == done.stdout.replace(note, "")


def test_a_property_of_the_whole_graph_is_for_the_reference_engine(tmp_path: Path) -> None:
    (tmp_path / "m.py").write_text(LIVE)
    done = dio_mc("m.py", "--engine", "native", cwd=tmp_path)
    assert done.returncode == 0
    assert "note: explored by the reference engine: `ends` is decided on the graph of all states" in done.stdout
    assert "note:" not in dio_mc("m.py", cwd=tmp_path).stdout


def test_a_cache_that_cannot_be_used_costs_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = dio_mc(LARGE, *AT_S, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "file"))
    assert done.returncode == 0
    assert done.stdout.count("  note: compiled code is not kept: ") == 1
    assert not done.stderr


def test_settings_name_the_engine_too(tmp_path: Path) -> None:
    (tmp_path / "dio-mc.toml").write_text('engine = "native"\nworkers = 2\n')
    assert '"engine": "native"' in dio_mc(SEED, "--output-format", "json", cwd=tmp_path).stdout
    said = dio_mc(SEED, "--output-format", "json", cwd=tmp_path, DIO_MC_ENGINE="reference").stdout
    assert '"engine": "reference"' in said


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--engine", "natif"), "--engine natif is not an engine: did you mean `native`?"),
        (("--engine", "tlc"), "--engine tlc is not an engine: auto, reference, native"),
        (("--workers", "0"), "Invalid value for '--workers'"),
    ],
)
def test_wrong_names_and_numbers(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = dio_mc(SEED, *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells by its memory that the search is under way")
@pytest.mark.parametrize(
    ("number", "words", "workers"), [(signal.SIGTERM, "SIGTERM", "1"), (signal.SIGINT, "Ctrl-C", "2")]
)
def test_a_signal_ends_machine_code_with_what_it_covered(
    tmp_path: Path, number: signal.Signals, words: str, workers: str
) -> None:
    """56.8 million states: nobody waits for the end."""
    sizes = ("pages=3", "readers=3", "mappers=2", "fixed=1")
    options = [word for size in sizes for word in ("--param", size)]
    command = [sys.executable, "-m", "dio_mc", "check", LARGE, *options, "--no-reduction", "--no-artifacts"]
    known = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(
        [*command, "--engine", "native", "--workers", workers],
        cwd=tmp_path, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    statm = Path(f"/proc/{running.pid}/statm")
    deadline = time.monotonic() + 100
    while int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") < 250 << 20 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(number)
    said, errors = running.communicate(timeout=100)
    assert (running.returncode, errors) == (3, "")
    assert "UNDETERMINED no_stale, deadlock" in said
    assert re.search(rf"  stopped by {words}; [0-9,]+ states still unexplored\n", said)
    states = int(re.search(r"^([0-9,]+) states, depth", said, re.MULTILINE)[1].replace(",", ""))
    assert 1_000_000 < states < 56_803_883
