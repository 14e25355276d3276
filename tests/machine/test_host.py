"""The kernel that runs here: what is said where it cannot be observed, and what is left after. Nothing is mounted."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.machine import host
from dio_mc.machine.failures import GuestLost
from dio_mc.machine.host import HostSession
from dio_mc.machine.observe import observe
from dio_mc.machine.schedule import Schedule, Segment
from dio_mc.study.registry import open_registry, pair

READS = Schedule("written", ("pread",), together=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where images lie; to make one takes no time."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(host, "make_disk", lambda path, file_system: path.write_bytes(b""))
    return tmp_path


def mounting(monkeypatch: pytest.MonkeyPatch, user: int, returncode: int, said: str = "") -> list[list[str]]:
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> SimpleNamespace:
        commands.append(command)
        return SimpleNamespace(returncode=returncode, stderr=said)

    monkeypatch.setattr(host.os, "geteuid", lambda: user)
    monkeypatch.setattr(host, "tool", lambda names, package: names[0])
    monkeypatch.setattr(host.subprocess, "run", run)
    return commands


def test_without_root_one_sentence_and_nothing_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = mounting(monkeypatch, 1000, 0)
    with pytest.raises(ModelError) as error, HostSession("ext4") as session:
        session.run(READS)
    assert str(error.value) == (
        "dio-mc: error DIO287: --host mounts an image through a loop device, and that takes root\n"
        "  hint: without root, observe --kernel runs the same in a guest"
    )
    assert commands == []
    assert list(folder.iterdir()) == []


def test_where_nothing_may_be_mounted_mount_is_quoted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = mounting(monkeypatch, 0, 32, "mount: /tmp/x: failed to setup loop device.\nmore\n")
    with pytest.raises(ModelError) as error, HostSession("ext4", "nodelalloc") as session:
        session.run(READS)
    assert str(error.value).splitlines()[0] == (
        "dio-mc: error DIO287: the image of ext4 cannot be mounted here: mount: /tmp/x: failed to setup loop device."
    )
    assert commands[0][:5] == ["mount", "-t", "ext4", "-o", "loop,nodelalloc"]
    assert list(folder.iterdir()) == []


def test_a_thread_cannot_be_held() -> None:
    with pytest.raises(ValueError, match="cannot be held"):
        HostSession("ext4").run(Schedule("written", ("pread",), (Segment(0),)))


def running(folder: Path) -> list[Path]:
    """Processes whose command names a folder; of one that has ended and waits to be reaped there is none."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if bytes(folder) in (process / "cmdline").read_bytes():
                found.append(process)
    return found


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "DIO204: observe needs --kernel K or --host"),
        (["--host", "--kernel", "6.12"], "DIO204: observe needs --kernel K or --host"),
        (["--host"], "DIO287: threads cannot be held on this kernel: --host needs --stress SECONDS"),
    ],
)
def test_the_command_says_what_it_wants(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(cli, ["observe", "direct_read,mmap_store", "--fs", "ext4", *arguments])
    assert said in str(done.exception)


def test_all_at_once_in_a_folder_and_a_program_that_is_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program itself, on whatever file system the temporary folder has."""
    if shutil.which("cc") is None:
        pytest.skip("no cc here (.ci/run installs gcc)")
    monkeypatch.setattr(HostSession, "_mount", lambda self, disk, at: None)
    session = HostSession("ext4")
    with session:
        found = observe(session, pair(open_registry(), "read", "write"), "written", stress=0.3)
        if found.lost:
            pytest.skip(f"no direct IO in the temporary folder: {found.lost}")
        assert found.runs > 0
        assert {one.tagged.after for one in found.seen} == {"newer"}
        process = session._process
        assert isinstance(process, subprocess.Popen)
        process.kill()
        with pytest.raises(GuestLost):
            session.run(READS)
        assert not running(folder)
        assert list(folder.iterdir()) == []
