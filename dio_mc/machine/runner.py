"""Running schedules on a guest whose kernel has gates.

A gate is a call to a few instructions (`inside/gate.c`). It replaces the nop at the beginning of a traceable function.
The instructions overwrite a function that is never called. The data they need about a thread is next to a mark at the
far end of the thread's kernel stack. All of this is written once, through QEMU's debugger stub, while the machine is
stopped; schedules then run without the stub.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from typing import Final

from dio_mc.machine.failures import GuestLost
from dio_mc.machine.guest import Guest
from dio_mc.machine.schedule import Ran, Schedule, parse_ran, request

NEVER_CALLED: Final = ("__x64_sys_acct", "__x64_sys_swapon", "__x64_sys_quotactl", "__x64_sys_pivot_root")
"""Functions that are never called in a guest; the code of the gates overwrites the first of them that exists."""
RESCHED: Final = ("__cond_resched", "_cond_resched")
"""The function by which a gate yields the CPU, under its names in different releases."""
STACK_GATE: Final = "__x64_sys_getppid"
"""The function at which a thread is stopped to locate its kernel stack."""
STACK_SIZE: Final = 1 << 14
"""The size of a kernel stack on x86-64, in bytes, which is also its alignment."""
MARK: Final = 0x64696F2D6D632121
"""The mark on the kernel stacks of threads that can be held (`inside/gate.c`)."""
MARK_AT: Final = 0x100
"""The offset of the mark from the lowest address of a stack, in bytes; the address of the thread's
control block follows it."""
NOPS: Final = tuple(bytes.fromhex(nop) for nop in ("0f1f440000", "6666666690", "3e8d742600"))
"""What the kernel puts in place of ``call __fentry__``: `x86_nops[5]`; before 5.13 it depended on the processor
(arch/x86/include/asm/nops.h: P6_NOP5_ATOMIC, K8_NOP5_ATOMIC, GENERIC_NOP5_ATOMIC)."""
SECONDS: Final = 90.0
"""The time limit for one request to a guest."""


class Runner:
    """Installs gates in a guest's kernel and runs schedules. `gates` maps the functions at which threads can be held to
    the address that identifies the gate (the return address of the call); `unusable` are functions that exist but
    cannot be traced."""

    def __init__(self, guest: Guest, wanted: Sequence[str]) -> None:
        self._guest, self._stub, self._channel = guest, guest.stub, guest.channel
        self.gates: dict[str, int] = {}
        self.unusable: tuple[str, ...] = ()
        self._stub.resume()
        self.functions = self._addresses([*wanted, *NEVER_CALLED, *RESCHED, STACK_GATE])
        resched = next((self.functions[name] for name in RESCHED if name in self.functions), 0)
        code, controls, size = self._channel.ask(f"code {resched:x}").split(" ")
        for thread in range(guest.threads):
            self._mark(thread, int(controls) + thread * int(size))
        self._stub.interrupt()
        self._write_gates(wanted, bytes.fromhex(code))
        self._stub.resume()

    def run(self, schedule: Schedule, *, passed: bool = False) -> Ran:
        """Run a schedule, let all threads end, and collect the results. With `passed`, include the gates that threads
        passed. A guest whose threads are stuck cannot be used again."""
        answer = self._channel.ask(request(schedule, self.gates, passed=passed), SECONDS)
        return parse_ran(answer, self.gates)

    def _addresses(self, names: Sequence[str]) -> dict[str, int]:
        self._channel.ask(f"symbols {','.join(dict.fromkeys(names))}")
        found: dict[str, int] = {}
        for event in self._channel.events:
            if event.word == "symbol":
                name, _, clone = event.arguments[1].partition(".")
                # A clone made by the compiler serves if the function itself is missing; `.cold` is not an entry point.
                if not clone or (name not in found and clone.split(".")[0] in ("isra", "constprop", "llvm")):
                    found[name] = int(event.arguments[0], 16)
        self._channel.events.clear()
        return found

    def _mark(self, thread: int, control: int) -> None:
        """Mark a thread's kernel stack, which is located by having the thread make a call on its own CPU."""
        gate = self.functions[STACK_GATE]
        self._stub.interrupt()
        self._stub.add_breakpoint(gate)
        self._stub.resume()
        number = self._channel.send(f"stack {thread}")
        stack = self._stack_of(thread + 1, gate)
        self._stub.write(stack + MARK_AT, MARK.to_bytes(8, "little") + control.to_bytes(8, "little"))
        self._stub.drop_breakpoint(gate)
        self._stub.resume()
        self._channel.answer(number)

    def _stack_of(self, cpu: int, gate: int) -> int:
        deadline = time.monotonic() + SECONDS
        while True:
            ready, _, _ = select.select([self._stub], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise GuestLost("a thread of the guest does not run")
            stop = self._stub.stopped()
            if stop is None:
                continue
            registers = self._stub.registers(stop.cpu)
            if stop.cpu == cpu and registers.pc == gate:
                return registers.sp & -STACK_SIZE
            self._stub.step(stop.cpu)
            self._stub.resume()

    def _write_gates(self, wanted: Sequence[str], code: bytes) -> None:
        place = next((self.functions[name] for name in NEVER_CALLED if name in self.functions), None)
        if place is None:
            raise GuestLost("the kernel has no unused function that the code of the gates could replace")
        self._stub.write(place, code)
        unusable: list[str] = []
        for name in dict.fromkeys(wanted):
            if name in self.functions and not self._write_gate(name, self.functions[name], place):
                unusable.append(name)
        self.unusable = tuple(unusable)

    def _write_gate(self, name: str, entry: int, place: int) -> bool:
        """Write the call after the entry point (and after ``endbr64``, if present). False if there is no nop to
        replace."""
        head = self._stub.read(entry, 9)
        at = next((n for n in (0, 4) if head[n : n + 5] in NOPS), None)
        if at is None:
            return False
        back = entry + at + len(NOPS[0])
        self._stub.write(entry + at, b"\xe8" + ((place - back) & 0xFFFFFFFF).to_bytes(4, "little"))
        self.gates[name] = back
        return True
