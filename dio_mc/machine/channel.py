"""The channel to a guest's init: lines over virtio-serial, a reliable transport. Every request is answered by its
number.

    host   NUMBER WORD ARGUMENTS
    guest  NUMBER ok RESULT | NUMBER error WHY
    guest  * WORD ARGUMENTS                       an event, outside of answers: up, symbol

| request | what it does |
|---|---|
| ``symbols A,B`` | sends ``* symbol ADDRESS NAME`` for each of these names in /proc/kallsyms |
| ``mount TYPE OPTIONS`` | mounts the disk; ``-`` is no options |
| ``put FILE TEXT`` | writes a file, for settings in /proc and /sys |
| ``spawn N`` | starts N threads, each on a CPU of its own |
| ``code ADDRESS`` | returns the code of gates in hex, address and size of control blocks; ADDRESS: cond_resched, or 0 |
| ``stack T`` | thread T makes one harmless call (getppid), so that its kernel stack can be located |
| ``exec PATH ARGUMENTS`` | runs another program of the initramfs; the answer is its exit status |
| ``run ...`` | runs a schedule: `inside/schedule.c` |
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from dataclasses import dataclass

from dio_mc.machine.failures import GuestLost


class Lines:
    """Splits a stream of bytes into lines, regardless of how it is chunked."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Append data; return the lines that are complete now."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        return [line.decode(errors="replace") for line in whole]


@dataclass(frozen=True, slots=True)
class Event:
    """An event that a guest sends on its own."""

    word: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request."""

    number: int
    good: bool
    text: str


def parse(line: str) -> Event | Answer:
    """Parse a line of the guest. Raises `ValueError` for any other line."""
    head, _, rest = line.partition(" ")
    if head == "*":
        word, *arguments = rest.split(" ")
        return Event(word, tuple(arguments))
    verdict, _, text = rest.partition(" ")
    if not head.isdecimal() or verdict not in ("ok", "error"):
        raise ValueError(f"neither an answer nor an event: {line[:60]!r}")
    return Answer(int(head), verdict == "ok", text)


class Channel:
    """The host's end. `events` holds the events that have not been consumed yet."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._lines = Lines()
        self._answers: dict[int, Answer] = {}
        self._number = 0
        self.events: list[Event] = []

    def fileno(self) -> int:
        """The descriptor, for `select`."""
        return self._socket.fileno()

    def send(self, words: str) -> int:
        """Send a request; return its number."""
        self._number += 1
        try:
            self._socket.sendall(f"{self._number} {words}\n".encode())
        except OSError as error:
            raise GuestLost("QEMU has ended") from error
        return self._number

    def ask(self, words: str, seconds: float = 60.0) -> str:
        """Send a request and wait for its answer. Raises `GuestLost` if the answer is an error."""
        return self.answer(self.send(words), words.split(" ")[0], seconds)

    def answer(self, number: int, what: str = "", seconds: float = 60.0) -> str:
        """Wait for the answer to a request, at most `seconds`. Raises `GuestLost`."""
        deadline = time.monotonic() + seconds
        while number not in self._answers:
            self.read(deadline - time.monotonic(), what)
        answer = self._answers.pop(number)
        if not answer.good:
            raise GuestLost(f"the guest cannot do {what!r}: {answer.text}")
        return answer.text

    def read(self, seconds: float, what: str = "") -> None:
        """Wait for data, at most `seconds`, and process all that is available. Raises `GuestLost`."""
        ready, _, _ = select.select([self._socket], [], [], max(0.0, seconds))
        if not ready:
            raise GuestLost(f"the guest does not answer {what!r}" if what else "the guest hangs")
        data = b""
        with contextlib.suppress(OSError):
            data = self._socket.recv(1 << 20)
        if not data:
            raise GuestLost("QEMU has ended")
        for line in self._lines.feed(data):
            self._take(line)

    def _take(self, line: str) -> None:
        try:
            said = parse(line)
        except ValueError as error:
            raise GuestLost(f"the guest does not speak the protocol: {error}") from None
        if isinstance(said, Event):
            self.events.append(said)
        elif 0 < said.number <= self._number:
            self._answers[said.number] = said
