"""Guests that end, hang, warn or crash, Ctrl-C, a disk that is full: one message, nothing running, results kept."""

from __future__ import annotations

import errno
import json
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.machine import build, images, session
from dio_mc.machine.build import private_folder, write_image
from dio_mc.machine.channel import Channel
from dio_mc.machine.failures import GuestLost
from dio_mc.machine.images import Kernel
from dio_mc.machine.kernel_matrix import open_cells
from dio_mc.machine.runner import Runner
from dio_mc.machine.schedule import Gate, Left, Ran, Schedule
from dio_mc.machine.session import Session
from dio_mc.study.matrix import Cell

LEFT = (Left("NOTHING", "ZERO", "NOTHING", "NOTHING"), Left("NOTHING", "NEWER", "NOTHING", "NEWER"))
PAIR = "direct_read,mmap_store"
OOPS = "BUG: kernel NULL pointer dereference\nRIP: 0010:ext4_iomap_begin+0x1/0x2"


class Scripted(Session):
    """A guest of which the `at`-th schedule ends in `end`; `closed` and `ran` count for all of them."""

    at, end, warned = 10**9, RuntimeError("unused"), ()
    ran = closed = 0

    def __init__(self, kernel: Kernel, file_system: str, mount: str = "", threads: int = 3) -> None:
        super().__init__(kernel, file_system, mount, threads)

    def run(self, schedule: Schedule, *, passed: bool = False) -> Ran:
        Scripted.ran += 1
        if Scripted.ran == Scripted.at:
            raise Scripted.end
        ways = ((Gate("a"),), (Gate("b"),), ())[: len(schedule.programs)] if passed else ()
        return Ran(LEFT, "NEWER", "NEWER", passed=ways, warned=Scripted.warned)

    def close(self) -> None:
        Scripted.closed += 1


@pytest.fixture
def guest(monkeypatch: pytest.MonkeyPatch) -> type[Scripted]:
    monkeypatch.setattr(images, "find_kernel", lambda name: Kernel(f"{name}.1-x", Path("vmlinuz"), None))
    monkeypatch.setattr(session, "Session", Scripted)
    Scripted.at, Scripted.warned, Scripted.ran, Scripted.closed = 10**9, (), 0, 0
    return Scripted


def observe(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["observe", PAIR, "--kernel", "6.12", "--fs", "ext3", *arguments])


def matrix(*arguments: str) -> Result:
    operations = ["--operation", "direct_read", "--operation", "mmap_store"]
    return CliRunner().invoke(cli, ["matrix", "--kernel", "6.12", "--fs", "ext3", *operations, *arguments])


def test_ctrl_c_keeps_what_was_observed(guest: type[Scripted]) -> None:
    whole = observe()
    assert whole.exit_code == 0
    heads = [line for line in whole.stdout.splitlines() if line.startswith("direct_read")]
    assert len(heads) == 2
    guest.at, guest.end, guest.closed = guest.ran + guest.ran // 2 + 9, KeyboardInterrupt(), 0
    stopped = observe()
    assert stopped.exit_code == 3
    first, second = [line for line in stopped.stdout.splitlines() if line.startswith("direct_read")]
    assert first == heads[0]
    assert "written file: stale (2 schedules)" in second
    assert stopped.stdout.endswith("  cut short: stopped by a signal\n\n")
    assert stopped.stderr == "stopped; what was seen before is shown\n"
    assert guest.closed == 1


def test_ctrl_c_leaves_whole_json(guest: type[Scripted]) -> None:
    guest.at, guest.end = 3, KeyboardInterrupt()
    (run,) = json.loads(observe("--format", "json").stdout)["runs"]
    assert (run["schedules"], run["complete"], run["lost"]) == (0, False, "stopped by a signal")


def test_ctrl_c_in_a_matrix_goes_on_from_where_it_was(guest: type[Scripted], tmp_path: Path) -> None:
    state = tmp_path / "cells.json"
    whole = matrix("--state", str(tmp_path / "whole.json"))
    cost = guest.ran
    guest.at, guest.end, guest.ran, guest.closed = cost // 2, KeyboardInterrupt(), 0, 0
    stopped = matrix("--state", str(state))
    assert (stopped.exit_code, stopped.stdout) == (3, "")
    assert stopped.stderr == f"stopped; run it again to continue from {state}\n"
    assert guest.closed >= 1
    done = len(open_cells(state).cells)
    assert 0 < done < 3
    guest.at, guest.ran = 10**9, 0
    assert matrix("--state", str(state)).stdout == whole.stdout
    assert guest.ran < cost


def test_an_oops_is_a_finding_and_its_log_is_shown(guest: type[Scripted]) -> None:
    guest.at, guest.end = 8, GuestLost("the kernel 6.12.1-x reports a bug of its own", OOPS, oops=True)
    found = observe()
    assert found.exit_code == 1
    assert (
        "  cut short: the kernel 6.12.1-x reports a bug of its own\n"
        "    | BUG: kernel NULL pointer dereference\n    | RIP: 0010:ext4_iomap_begin+0x1/0x2\n" in found.stdout
    )


@pytest.mark.parametrize("message", ["QEMU has ended", "the guest does not answer 'run'"])
def test_a_guest_that_is_lost_is_told_and_the_next_file_is_observed(guest: type[Scripted], message: str) -> None:
    guest.at, guest.end = 8, GuestLost(message)
    found = observe()
    assert found.exit_code == 3
    assert found.stdout.count("direct_read x mmap_store on") == 2
    assert f"  cut short: {message}\n" in found.stdout


def test_where_the_kernel_warns_is_told_with_a_schedule(guest: type[Scripted]) -> None:
    guest.warned = ("fs/ext4/inode.c:3676-ext4_set_page_dirty",)
    told = "  the kernel warns at fs/ext4/inode.c:3676-ext4_set_page_dirty\n          t0_direct_read, t1_mmap_store\n"
    assert told in observe().stdout


def test_a_guest_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its init does not answer a schedule within the time that one may take."""
    ours, theirs = socket.socketpair()
    hanging, closed = Session(Kernel("6.12.1-x", Path("vmlinuz"), None), "ext3"), []

    class Guest:
        def explained(self, lost: GuestLost) -> GuestLost:
            return lost

        def close(self) -> None:
            closed.append(True)

    runner = object.__new__(Runner)
    runner._channel, runner.gates = Channel(ours), {}
    hanging._guest, hanging._runner = Guest(), runner  # type: ignore[assignment]
    monkeypatch.setattr("dio_mc.machine.runner.SECONDS", 0.01)
    with ours, theirs, pytest.raises(GuestLost, match="the guest does not answer 'run'"):
        hanging.run(Schedule("written", ("pread",)))
    assert closed == [True]


# -- no room ---------------------------------------------------------------------------------------------------------


def full(path: Path, text: str) -> int:
    path.touch()
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_no_room_for_the_cells_of_a_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = open_cells(tmp_path / "cells.json")
    cell = Cell(("a", "b"), "ext3 6.12", "ok", (("hole", "ok"),), states=1)
    kept.put("ext3", cell)
    before = (tmp_path / "cells.json").read_text()
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ModelError) as error:
        kept.put("ext4", cell)
    assert str(error.value) == f"{tmp_path}/cells.json: error DIO207: cannot be written: No space left on device"
    assert (tmp_path / "cells.json").read_text() == before
    assert [path.name for path in tmp_path.iterdir()] == ["cells.json"]


def test_no_room_for_an_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError) as error:
        write_image(Path("/dev/full"), b"x" * 10_000_000)
    assert str(error.value) == (
        "/dev/full: error DIO286: cannot be written: No space left on device\n  hint: TMPDIR selects another folder"
    )
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    with pytest.raises(ModelError, match="DIO286: no folder for the guest's disk can be made: No such file"):
        private_folder()
    assert build.SOURCES[0] == "guest.c"


def test_confirm_that_is_ended_before_its_first_trace_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def ended() -> Iterator[None]:
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("dio_mc.cli.interrupts.raised", ended)
    monkeypatch.setattr("dio_mc.machine.images.find_kernel", lambda name: name)
    trace = Path(__file__).parents[2] / "counterexamples" / "ext3_2_6_18.Ext3" / "no_stale_exposure.json"
    done = CliRunner().invoke(cli, ["confirm", str(trace), "--kernel", "6.12"])
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == "stopped; what is shown was finished before\n"
