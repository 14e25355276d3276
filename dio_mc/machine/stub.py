"""A client of the GDB remote protocol, as far as QEMU's stub speaks it: one thread per virtual CPU.

Everything is stopped, or everything runs. While the machine runs the stub answers nothing but what stops it, so each
method but `resume`, `interrupt` and `stopped` needs a machine that is stopped. Registers are those of x86-64. The
protocol: https://sourceware.org/gdb/current/onlinedocs/gdb.html/Remote-Protocol.html; what QEMU has of it: `gdbstub.c`.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Final

from dio_mc.machine.failures import GuestLost

RIP: Final = 16
RSP: Final = 7
ANSWER_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Registers:
    """What is looked at of a stopped virtual CPU: instruction and stack pointer."""

    pc: int
    sp: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The machine has stopped: which virtual CPU (from 0) says so, and whether it met a breakpoint."""

    cpu: int
    breakpoint: bool


def packet(payload: bytes) -> bytes:
    """``$payload#checksum``, with the four bytes that mean something escaped."""
    escaped = b"".join(b"}" + bytes([b ^ 0x20]) if b in b"$#}*" else bytes([b]) for b in payload)
    return b"$" + escaped + b"#%02x" % (sum(escaped) & 0xFF)


class Packets:
    """Packets out of a stream of bytes, whatever pieces it comes in."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Take further bytes."""
        self._data += data

    def next(self) -> bytes | None:
        """The payload of the next whole packet, unescaped; acknowledgements before it are dropped. A packet whose
        checksum is wrong raises `ValueError`: the socket loses nothing, so the other side is not a stub."""
        begin = self._data.find(b"$")
        end = self._data.find(b"#", begin)
        if begin < 0 or end < 0 or len(self._data) < end + 3:
            return None
        payload, checksum = self._data[begin + 1 : end], self._data[end + 1 : end + 3]
        self._data = self._data[end + 3 :]
        if int(checksum, 16) != sum(payload) & 0xFF:
            raise ValueError(f"a packet with a wrong checksum: {payload[:40]!r}")
        return _unescaped(payload)


def _unescaped(payload: bytes) -> bytes:
    """Without escapes and run lengths (``0* `` is four zeros)."""
    out, at = bytearray(), 0
    while at < len(payload):
        byte = payload[at]
        if byte == ord("}"):
            out.append(payload[at + 1] ^ 0x20)
            at += 2
        elif byte == ord("*"):
            out += bytes([out[-1]]) * (payload[at + 1] - 29)
            at += 2
        else:
            out.append(byte)
            at += 1
    return bytes(out)


class Stub:
    """The stub at the other end of a connected socket. The machine, which runs, is stopped."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._packets = Packets()
        self._selected = -1
        self.interrupt()
        self.ask("qSupported:multiprocess-;swbreak+;hwbreak+")

    def fileno(self) -> int:
        """For `select`."""
        return self._socket.fileno()

    # -- running ----------------------------------------------------------------------------------

    def resume(self) -> None:
        """Let all virtual CPUs run."""
        self._send("vCont;c")

    def interrupt(self) -> Stop:
        """Stop the machine. If a breakpoint has been met meanwhile, that is what is told."""
        self._write(b"\x03")
        return self.wait()

    def wait(self) -> Stop:
        """Where the machine stops, which it must do soon."""
        return _stop(self._receive(ANSWER_SECONDS))

    def stopped(self) -> Stop | None:
        """Where the machine has stopped, if it has; call it when there is something to read. (It may be no more than
        an acknowledgement.)"""
        self._packets.feed(self._read(0.0))
        found = self._packets.next()
        return None if found is None else _stop(self._acknowledged(found))

    def step(self, cpu: int) -> None:
        """One instruction of one virtual CPU, over a breakpoint if there is one."""
        self._send(f"vCont;s:{cpu + 1:x}")
        self.wait()

    # -- looking and changing ---------------------------------------------------------------------

    def registers(self, cpu: int) -> Registers:
        """Of a virtual CPU."""
        self._select(cpu)
        raw = bytes.fromhex(self.ask("g").decode().replace("x", "0"))
        words = [int.from_bytes(raw[8 * n : 8 * n + 8], "little") for n in range(RIP + 1)]
        return Registers(words[RIP], words[RSP])

    def read(self, address: int, size: int) -> bytes:
        """Of the memory that the current virtual CPU sees."""
        answer = self.ask(f"m{address:x},{size:x}")
        if answer.startswith(b"E") and len(answer) == 3:
            raise GuestLost(f"the guest has no memory at {address:#x}")
        return bytes.fromhex(answer.decode())

    def write(self, address: int, data: bytes) -> None:
        """Into the memory that the current virtual CPU sees, text included."""
        self._order(f"M{address:x},{len(data):x}:" + data.hex())

    def add_breakpoint(self, address: int) -> None:
        """A hardware breakpoint, of which QEMU's translator has any number."""
        self._order(f"Z1,{address:x},1")

    def drop_breakpoint(self, address: int) -> None:
        """Take it away again."""
        self._order(f"z1,{address:x},1")

    def ask(self, text: str) -> bytes:
        """Send a packet and return the answer."""
        self._send(text)
        return self._receive(ANSWER_SECONDS)

    # -- bytes ------------------------------------------------------------------------------------

    def _order(self, text: str) -> None:
        answer = self.ask(text)
        if answer != b"OK":
            raise GuestLost(f"QEMU's debugger refuses {text.split(':')[0]!r}: {answer.decode(errors='replace')!r}")

    def _select(self, cpu: int) -> None:
        if cpu != self._selected:
            self._order(f"Hg{cpu + 1:x}")
            self._selected = cpu

    def _send(self, text: str) -> None:
        if text.startswith("vCont"):
            self._selected = -1
        self._write(packet(text.encode()))

    def _write(self, data: bytes) -> None:
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise GuestLost("QEMU has ended") from error

    def _receive(self, seconds: float) -> bytes:
        deadline = time.monotonic() + seconds
        while (found := self._packets.next()) is None:
            self._packets.feed(self._read(deadline - time.monotonic()))
        return self._acknowledged(found)

    def _read(self, seconds: float) -> bytes:
        """What has come, or comes within so many seconds (without any, of what should be there)."""
        self._socket.settimeout(max(0.001, seconds))
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            raise GuestLost("QEMU's debugger does not answer") from None
        except OSError:
            data = b""
        if not data:
            raise GuestLost("QEMU has ended")
        return data

    def _acknowledged(self, found: bytes) -> bytes:
        self._write(b"+")
        return found


def _stop(answer: bytes) -> Stop:
    """``T05thread:02;`` is the second virtual CPU at a breakpoint; signal 2 is what an interrupt gives."""
    fields = dict(f.split(":", 1) for f in answer[3:].decode().split(";") if ":" in f)
    if answer[:1] != b"T" or "thread" not in fields:
        raise GuestLost(f"QEMU's debugger says {answer.decode(errors='replace')!r}")
    return Stop(int(fields["thread"].split(".")[-1], 16) - 1, answer[1:3] == b"05")
