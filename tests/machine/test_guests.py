"""Real guests: the race of 2006 on kernels of today, one boot per kernel.

The kernels are those that `.ci/run` fetches; without one, or without QEMU, the tests are skipped and say so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from guests import ROOT, SEED, kernel

from dio_mc.cli.kernels import case_of
from dio_mc.machine.confirm import confirm
from dio_mc.machine.failures import GuestLost
from dio_mc.machine.guest import Guest
from dio_mc.machine.observe import observe
from dio_mc.machine.observed import case_in, schedule_files
from dio_mc.machine.schedule import Gate, Schedule, Segment
from dio_mc.machine.session import Session
from dio_mc.study.registry import open_registry, pair

KERNELS = ("6.1", "6.12")


@pytest.fixture(scope="module", params=KERNELS)
def runner(request: pytest.FixtureRequest) -> Iterator[Session]:
    with Session(kernel(request.param), "ext3") as session:
        yield session


@pytest.mark.slow
def test_the_race_of_the_mail_is_confirmed_twenty_times(runner: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    case = case_of(str(SEED), None, None, ())
    answers = [confirm(runner, case) for _ in range(20)]
    assert {(a.verdict, a.exact, a.tried, a.seen.results) for a in answers} == {
        ("CONFIRMED", True, 1, (("reader", "exposed"), ("mapper", "new")))
    }


def test_calls_alone_do_what_they_say(runner: Session) -> None:
    for program, outcome, media in (
        ("pread_direct", "OLD", "OLD"), ("pwrite:NEW", "NEW", "NEW"), ("pwrite_direct:NEWER", "NEWER", "NEWER"),
        ("mmap_load", "OLD", "OLD"), ("mmap_store:NEW", "NEW", "NEW"), ("punch_hole", "ZERO", "ZERO"),
        ("truncate", "EOF", "EOF"), ("io_submit_pread,io_getevents", "OLD", "OLD"), ("fsync", "NOTHING", "OLD"),
        ("io_submit_pwrite:NEW,io_getevents", "NEW", "NEW"), ("truncate,mmap_load", "EOF", "EOF"),
    ):  # fmt: skip
        ran = runner.run(Schedule("written", (program,)))
        assert (ran.left[0].outcome, ran.cached, ran.media, ran.stuck) == (outcome, media, media, ()), program


def test_a_hold_that_keeps_a_lock_blocks_the_other(runner: Session) -> None:
    held = Segment(0, Gate("ext4_es_remove_extent"))
    ran = runner.run(Schedule("written", ("punch_hole", "pwrite:NEW"), (held, Segment(1))))
    assert [(b.segment, b.thread) for b in ran.blocked] == [(1, 1)]
    assert ran.blocked[0].stack[0] == "ext4_buffered_write_iter"
    assert ran.media == "NEW", "it went on when the first was let go"


def test_a_gate_that_is_never_reached_is_told(runner: Session) -> None:
    ran = runner.run(
        Schedule("written", ("pread", "pread_direct"), (Segment(0, Gate("iomap_dio_complete")), Segment(1)))
    )
    assert ran.missed == (0,)


def test_passes_are_told_in_order(runner: Session) -> None:
    ran = runner.run(Schedule("written", ("pread_direct", "fsync"), (Segment(0),)), passed=True)
    names = [str(gate) for gate in ran.passed[0]]
    assert names.index("iomap_dio_rw") < names.index("submit_bio")


def test_a_guest_that_does_not_boot_is_told_with_its_console(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = kernel(KERNELS[0])
    monkeypatch.setattr("dio_mc.machine.guest.initramfs", lambda *a: b"no archive")
    with pytest.raises(GuestLost) as error, Guest(there, "ext3"):
        pass
    assert "reports a bug of its own" in str(error.value) or "does not come up" in str(error.value)
    assert "Kernel panic" in error.value.log


def test_a_command_that_is_told_to_end_leaves_nothing_behind(tmp_path: Path) -> None:
    name = kernel(KERNELS[0]).release
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "dio_mc", "confirm", str(SEED), "--kernel", name]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("dio-mc-*/console")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.terminate()
        _, said = process.communicate(timeout=60)
    assert process.returncode == 3
    assert said == "stopped; what is shown was finished before\n"
    assert list(tmp_path.iterdir()) == []


def test_what_was_observed_is_confirmed(runner: Session, tmp_path: Path) -> None:
    registry = open_registry()
    found = observe(runner, pair(registry, "direct_write", "mmap_store"), "written")
    assert found.verdict == "error"
    assert found.seen[0].tagged.reasons == ("EIO is left for the next fsync",)
    content = next(iter(schedule_files(runner, found).values()))
    case = case_in("a schedule", content)
    assert case is not None
    assert {confirm(runner, case).verdict for _ in range(5)} == {"CONFIRMED"}


def test_all_at_once_is_one_of_the_rules_outcomes(runner: Session) -> None:
    registry = open_registry()
    workload = pair(registry, "write", "punch_hole")
    found = observe(runner, workload, "written", 0, stress=1.0)
    assert found.runs > 3
    assert found.verdict == "ok"


def test_a_guest_that_dies_is_told_and_the_next_schedule_has_another(tmp_path: Path) -> None:
    reads = Schedule("written", ("pread_direct",))
    with Session(kernel(KERNELS[0]), "ext3", threads=1) as session:
        assert session.run(reads).left[0].outcome == "OLD"
        process = session.runner._guest._process
        assert process is not None
        process.kill()
        with pytest.raises(GuestLost, match="QEMU has ended"):
            session.run(reads)
        assert session.run(reads).left[0].outcome == "OLD"
        crash = pytest.raises(GuestLost, match=r"DIO284: the kernel 6\.1\S* reports a bug of its own")
        with crash as error, pytest.MonkeyPatch.context() as patch:
            patch.setattr("dio_mc.machine.runner.request", lambda *a, **k: "put /proc/sysrq-trigger c")
            session.run(reads)
        assert "sysrq" in error.value.log.lower()
