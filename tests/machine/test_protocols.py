"""What is said to QEMU's debugger and to a guest's init, byte by byte."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dio_mc.machine.channel import Answer, Channel, Event, Lines, parse
from dio_mc.machine.failures import GuestLost
from dio_mc.machine.images import tool
from dio_mc.machine.initramfs import archive
from dio_mc.machine.schedule import Blocked, Gate, Left, Ran, Schedule, Segment, parse_ran, request
from dio_mc.machine.stub import Packets, Registers, Stop, Stub, packet

# -- packets of the GDB remote protocol ------------------------------------------------------------------------------


def test_a_packet_has_its_checksum() -> None:
    assert packet(b"OK") == b"$OK#9a"
    assert packet(b"m10,4") == b"$m10,4#%02x" % (sum(b"m10,4") & 255)


@settings(max_examples=100)
@given(st.binary(max_size=60), st.integers(0, 70))
def test_a_payload_comes_back_whatever_it_is_and_however_it_is_cut(payload: bytes, cut: int) -> None:
    data = b"+" + packet(payload)
    packets = Packets()
    packets.feed(data[:cut])
    first = packets.next()
    packets.feed(data[cut:])
    assert (first if first is not None else packets.next()) == payload


def test_run_lengths_are_spelt_out() -> None:
    packets = Packets()
    payload = b"0* 1"
    packets.feed(b"$" + payload + b"#%02x" % (sum(payload) & 255))
    assert packets.next() == b"00001"


def test_a_wrong_checksum_is_no_packet() -> None:
    packets = Packets()
    packets.feed(b"$OK#00")
    with pytest.raises(ValueError, match="wrong checksum"):
        packets.next()


@pytest.fixture(autouse=True)
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """All that a test makes are closed."""
    made: list[socket.socket] = []
    pair = socket.socketpair

    def noted() -> tuple[socket.socket, socket.socket]:
        ends = pair()
        made.extend(ends)
        return ends

    monkeypatch.setattr(socket, "socketpair", noted)
    yield
    for end in made:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


class FakeStub:
    """The other side: answers by a table, as QEMU does, with an acknowledgement before each answer."""

    def __init__(self, answers: dict[bytes, bytes]) -> None:
        self.here, self.there = socket.socketpair()
        self.answers = answers
        self.asked: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        packets = Packets()
        with contextlib.suppress(OSError):
            self._answer_all(packets)

    def _answer_all(self, packets: Packets) -> None:
        while data := self.there.recv(4096):
            if data.startswith(b"\x03"):
                self.there.sendall(packet(b"T02thread:01;"))
                data = data[1:]
            packets.feed(data)
            while (found := packets.next()) is not None:
                self.asked.append(found)
                self.there.sendall(b"+" + packet(self.answers.get(found, b"OK")))


REGISTERS = b"".join(n.to_bytes(8, "little") for n in range(17)).hex().encode()


def stub(**extra: bytes) -> tuple[FakeStub, Stub]:
    known = {b"g": REGISTERS, b"vCont;s:2": b"T05thread:02;", b"mff,2": b"beef"}
    fake = FakeStub(known | {k.encode(): v for k, v in extra.items()})
    return fake, Stub(fake.here)


def test_a_stub_is_stopped_first_and_asked_then() -> None:
    fake, client = stub()
    assert client.registers(1) == Registers(pc=16, sp=7)
    assert client.read(0xFF, 2) == b"\xbe\xef"
    client.write(0x10, b"\x01\x02")
    client.add_breakpoint(0x20)
    client.step(1)
    client.registers(1)
    assert fake.asked == [
        b"qSupported:multiprocess-;swbreak+;hwbreak+", b"Hg2", b"g", b"mff,2", b"M10,2:0102", b"Z1,20,1", b"vCont;s:2",
        b"Hg2", b"g",
    ]  # fmt: skip


def test_an_acknowledgement_alone_is_no_stop() -> None:
    fake, client = stub()
    fake.there.sendall(b"+")
    assert client.stopped() is None
    fake.there.sendall(packet(b"T05thread:03;"))
    assert client.stopped() == Stop(cpu=2, breakpoint=True)


def test_what_the_debugger_refuses_is_told() -> None:
    _, client = stub(**{"M10,1:00": b"E14"})
    with pytest.raises(GuestLost, match="QEMU's debugger refuses 'M10,1': 'E14'"):
        client.write(0x10, b"\0")


def test_a_debugger_that_is_gone_is_told() -> None:
    fake, client = stub()
    fake.there.shutdown(socket.SHUT_RDWR)
    with pytest.raises(GuestLost, match="QEMU has ended"):
        client.read(0, 1)


# -- the channel -----------------------------------------------------------------------------------------------------


def test_lines_are_whole_however_they_are_cut() -> None:
    lines = Lines()
    assert lines.feed(b"1 ok a\n2 o") == ["1 ok a"]
    assert lines.feed(b"k b\n\n") == ["2 ok b", ""]


def test_a_line_is_an_answer_or_news() -> None:
    assert parse("12 ok f=NEW,NEW,0") == Answer(12, True, "f=NEW,NEW,0")
    assert parse("3 error mount: EINVAL") == Answer(3, False, "mount: EINVAL")
    assert parse("* symbol ff submit_bio") == Event("symbol", ("ff", "submit_bio"))
    with pytest.raises(ValueError, match="neither an answer nor an event"):
        parse("hello")


def channel(reply: Callable[[str], str]) -> Channel:
    here, there = socket.socketpair()

    def serve() -> None:
        with contextlib.suppress(OSError), there.makefile() as lines:
            for line in lines:
                there.sendall(reply(line).encode())

    threading.Thread(target=serve, daemon=True).start()
    return Channel(here)


def test_an_answer_belongs_to_its_number() -> None:
    guest = channel(lambda line: f"* news {line}99 ok other\n0 ok older\n{line.split()[0]} ok mine\n")
    assert guest.ask("look") == "mine"
    assert guest.ask("look again") == "mine"
    assert [t.word for t in guest.events] == ["news", "news"]


def test_an_error_says_what_cannot_be_done() -> None:
    guest = channel(lambda line: f"{line.split()[0]} error mount: EINVAL\n")
    with pytest.raises(GuestLost, match="the guest cannot do 'mount': mount: EINVAL"):
        guest.ask("mount xfs -")


def test_a_guest_that_is_silent_is_lost() -> None:
    with pytest.raises(GuestLost, match="the guest does not answer 'run'"):
        channel(lambda line: "").ask("run - h", seconds=0.05)


def test_a_guest_that_babbles_is_lost() -> None:
    with pytest.raises(GuestLost, match="does not speak the protocol"):
        channel(lambda line: "Kernel panic\n").ask("run - h")


# -- schedules -------------------------------------------------------------------------------------------------------

GATES = {"ext4_iomap_begin": 0xFF05, "submit_bio": 0xFF15}


def test_a_schedule_is_written_down() -> None:
    schedule = Schedule(
        "hole", ("pread_direct", "mmap_store:NEW"), (Segment(0, Gate("ext4_iomap_begin", 2)), Segment(1))
    )
    assert request(schedule, GATES) == "run - h pread_direct mmap_store:NEW / 0@ff05#2 1"
    assert request(Schedule("written", ("fsync",), together=True), GATES, passed=True) == "run ps w fsync /"


def test_what_came_of_it_is_read() -> None:
    answer = "b=1,1,down_read<xfs_ilock f=NEW,ZERO,1 t=NOTHING,STALE,NOTHING,NOTHING, m=0 p=0,ff05,ff15,ff05 p=1"
    assert parse_ran(answer, GATES) == Ran(
        (Left("NOTHING", "STALE", "NOTHING", "NOTHING"),), "NEW", "ZERO", True,
        (Blocked(1, 1, ("down_read", "xfs_ilock")),), (0,), (),
        ((Gate("ext4_iomap_begin"), Gate("submit_bio"), Gate("ext4_iomap_begin", 2)), ()),
    )  # fmt: skip


@pytest.mark.parametrize("answer", ["q=1", "f=NEW", "t=a", "b=x,1,y", "p=0,abc"])
def test_an_answer_without_sense_is_a_lost_guest(answer: str) -> None:
    with pytest.raises(GuestLost, match="sends an unexpected answer"):
        parse_ran(answer, GATES)


# -- the initramfs ---------------------------------------------------------------------------------------------------


def test_an_archive_is_what_cpio_reads(tmp_path: Path) -> None:
    cpio = shutil.which("cpio")
    if cpio is None:
        pytest.skip("no cpio here (.ci/run installs it)")
    data = archive({"init": b"#!program", "lib/a.ko": b"12345"}, ("lib", "dev"))
    subprocess.run([cpio, "-i", "--quiet"], input=data, cwd=tmp_path, check=True)
    assert (tmp_path / "init").read_bytes() == b"#!program"
    assert (tmp_path / "init").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "lib" / "a.ko").read_bytes() == b"12345"
    assert (tmp_path / "dev").is_dir()


def test_entries_of_an_archive_are_padded() -> None:
    data = archive({"a": b"x"})
    assert len(data) % 4 == 0
    assert data.startswith(b"070701")
    assert data[110:116] == b"a\0x\0\0\0", "the name ends where a multiple of four bytes does, and so do the contents"
    assert b"TRAILER!!!\0" in data


def test_a_tool_is_found_outside_the_path_of_users() -> None:
    assert tool(["sh"], "dash").endswith("/sh")
