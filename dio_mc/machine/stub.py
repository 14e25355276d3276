"""A client of the GDB remote protocol, limited to what QEMU's stub supports: one thread per virtual CPU.

Either all CPUs are stopped or all of them run. While the machine runs, the stub sends only stop replies, so all methods
except `resume`, `interrupt` and `stopped` require a stopped machine. Registers are those of x86-64. The protocol:
https://sourceware.org/gdb/current/onlinedocs/gdb.html/Remote-Protocol.html; QEMU's part of it: `gdbstub.c`.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Final

from dio_mc.machine.failures import GuestLost

RIP: Final = 16
"""The position of the instruction pointer among the registers of a ``g`` packet."""
RSP: Final = 7
"""The position of the stack pointer."""
ANSWER_SECONDS: Final = 30.0
"""The time limit for an answer of the stub."""


@dataclass(frozen=True, slots=True)
class Registers:
    """The registers that are read of a stopped virtual CPU: instruction and stack pointer."""

    pc: int
    sp: int


@dataclass(frozen=True, slots=True)
class Stop:
    """The machine has stopped: the virtual CPU (from 0) that reports it, and whether it hit a breakpoint."""

    cpu: int
    breakpoint: bool


def packet(payload: bytes) -> bytes:
    """``$payload#checksum``, with the four special bytes escaped."""
    escaped = b"".join(b"}" + bytes([b ^ 0x20]) if b in b"$#}*" else bytes([b]) for b in payload)
    return b"$" + escaped + b"#%02x" % (sum(escaped) & 0xFF)


class Packets:
    """Splits a stream of bytes into packets, regardless of how it is chunked."""

    def __init__(self) -> None:
        self._data = b""

    def feed(self, data: bytes) -> None:
        """Append data."""
        self._data += data

    def next(self) -> bytes | None:
        """The payload of the next complete packet, unescaped, or None; acknowledgements before it are dropped. Raises
        `ValueError` for a wrong checksum: the socket is reliable, so the peer is not a stub."""
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
    """The payload without escapes and run-length encoding (``0* `` is four zeros)."""
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
    """The stub at the other end of a connected socket. Connecting stops the running machine."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._packets = Packets()
        self._selected = -1
        self.interrupt()
        self.ask("qSupported:multiprocess-;swbreak+;hwbreak+")

    def fileno(self) -> int:
        """The descriptor, for `select`."""
        return self._socket.fileno()

    # -- running ----------------------------------------------------------------------------------

    def resume(self) -> None:
        """Let all virtual CPUs run."""
        self._send("vCont;c")

    def interrupt(self) -> Stop:
        """Stop the machine. If it has hit a breakpoint meanwhile, that stop is returned."""
        self._write(b"\x03")
        return self.wait()

    def wait(self) -> Stop:
        """Wait until the machine stops, which must happen soon."""
        return _stop(self._receive(ANSWER_SECONDS))

    def stopped(self) -> Stop | None:
        """The stop of the machine, or None (the data may be only an acknowledgement). Call it when there is something
        to read."""
        self._packets.feed(self._read(0.0))
        found = self._packets.next()
        return None if found is None else _stop(self._acknowledged(found))

    def step(self, cpu: int) -> None:
        """Execute one instruction on one virtual CPU, also at a breakpoint."""
        self._send(f"vCont;s:{cpu + 1:x}")
        self.wait()

    # -- reading and writing ----------------------------------------------------------------------

    def registers(self, cpu: int) -> Registers:
        """The registers of a virtual CPU."""
        self._select(cpu)
        raw = bytes.fromhex(self.ask("g").decode().replace("x", "0"))
        words = [int.from_bytes(raw[8 * n : 8 * n + 8], "little") for n in range(RIP + 1)]
        return Registers(words[RIP], words[RSP])

    def read(self, address: int, size: int) -> bytes:
        """Read memory as the current virtual CPU sees it."""
        answer = self.ask(f"m{address:x},{size:x}")
        if answer.startswith(b"E") and len(answer) == 3:
            raise GuestLost(f"the guest has no memory at {address:#x}")
        return bytes.fromhex(answer.decode())

    def write(self, address: int, data: bytes) -> None:
        """Write memory as the current virtual CPU sees it, including kernel text."""
        self._order(f"M{address:x},{len(data):x}:" + data.hex())

    def add_breakpoint(self, address: int) -> None:
        """Set a hardware breakpoint; QEMU's translator has any number of them."""
        self._order(f"Z1,{address:x},1")

    def drop_breakpoint(self, address: int) -> None:
        """Remove a breakpoint."""
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
        """Data that is available or arrives within `seconds`."""
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
    """Parse a stop reply: ``T05thread:02;`` is the second virtual CPU at a breakpoint; signal 2 is the reply to an
    interrupt."""
    fields = dict(f.split(":", 1) for f in answer[3:].decode().split(";") if ":" in f)
    if answer[:1] != b"T" or "thread" not in fields:
        raise GuestLost(f"QEMU's debugger says {answer.decode(errors='replace')!r}")
    return Stop(int(fields["thread"].split(".")[-1], 16) - 1, answer[1:3] == b"05")
