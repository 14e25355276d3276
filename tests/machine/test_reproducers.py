"""A counterexample as a program of its own: compiled without a warning, and run on a guest."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from guests import ROOT, SEED, kernel

from dio_mc.cli import cli
from dio_mc.machine.cases import of_product
from dio_mc.machine.guest import Guest
from dio_mc.machine.programs import CALLS
from dio_mc.machine.reproducer import CALLS as IN_C
from dio_mc.machine.reproducer import c_program, xfstests
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import Registry, open_registry, pair

CC = shutil.which("cc")


@pytest.fixture(scope="module")
def registry() -> Registry:
    return open_registry()


def shown(form: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(cli, ["show", str(SEED), "--format", form])
    assert done.exit_code == 0, done.output
    return done.output


def compiled(text: str, folder: Path, *flags: str) -> Path:
    if CC is None:
        pytest.skip("no cc here (.ci/run installs gcc)")
    source, program = folder / "race.c", folder / "race"
    source.write_text(text)
    subprocess.run([CC, "-O1", "-Wall", "-Wextra", "-Werror", "-pthread", *flags, "-o", program, source], check=True)
    return program


def test_every_call_has_its_c() -> None:
    assert set(IN_C) == set(CALLS)


def test_the_seed_trace_as_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown("c", monkeypatch)
    assert "/* a delay at ext4_iomap_begin leaves it there as the schedule does, from step 1 on */" in text
    program = compiled(text, tmp_path)
    done = subprocess.run([program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"usage: {program} FILE [ROUNDS]\n"


@pytest.mark.parametrize(
    "operations",
    [
        ("read", "write"),
        ("aio_read", "aio_write"),
        ("mmap_load", "punch_hole"),
        ("fsync", "truncate"),
        ("direct_write", "readahead"),
    ],
)
def test_runs_of_rules_compile(operations: tuple[str, str], registry: Registry, tmp_path: Path) -> None:
    workload = pair(registry, *operations)
    found = outcomes(workload, registry.rules["ext4_2020"])[-1]
    trace = found.outcomes[0].trace
    assert trace is not None
    case = of_product(trace, workload, "ext4_2020", found.layout)
    compiled(c_program(trace, case), tmp_path)
    check_shell(xfstests(trace, case), tmp_path)


def check_shell(text: str, folder: Path) -> None:
    script = folder / "900"
    script.write_text(text)
    subprocess.run(["bash", "-n", script], check=True)
    checker = shutil.which("shellcheck")
    if checker is not None:  # what fstests' own files source and set is not there
        subprocess.run([checker, "-s", "bash", "-e", "SC1091,SC2034,SC2154", script], check=True)


def test_the_seed_trace_as_a_test_of_fstests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown("xfstests", monkeypatch)
    check_shell(text, tmp_path)
    assert '_require_test_program "ext3-no_stale_exposure"' in text
    assert text.startswith("#! /bin/bash\n# SPDX-License-Identifier: GPL-2.0\n")


def test_a_trace_that_is_no_list_of_calls_has_no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    path = next((ROOT / "counterexamples").glob("own_buffer.*/*.json"))
    done = CliRunner().invoke(cli, ["show", str(path), "--format", "c"])
    assert "is not bound to a kernel" in str(done.exception)


@pytest.mark.slow
def test_the_program_runs_on_a_guest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = compiled(shown("c", monkeypatch), tmp_path, "-static").read_bytes()
    with Guest(kernel("6.12"), "ext3", programs={"race": program}) as guest:
        guest.stub.resume()
        status = guest.channel.ask("exec /race /m/file 50")
        log = guest.log()
    assert status in ("0", "1")
    assert "reader exposed: " in log
    assert " of 50 rounds" in log
