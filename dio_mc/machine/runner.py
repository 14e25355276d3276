"""Runs schedules on a guest whose kernel has been given gates.

A gate is a call of a few instructions (`inside/gate.c`), written over the nop that a function which can be traced
begins with. The instructions lie where a function was that nobody calls. What they need to know of a thread is beside a
mark at the far end of its kernel stack. All of that is written once, through QEMU's debugger, with the machine stopped;
schedules then run without it.
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
"""Functions that nobody calls in a guest; the code is written over the first of them that is there."""
RESCHED: Final = ("__cond_resched", "_cond_resched")
STACK_GATE: Final = "__x64_sys_getppid"
STACK_SIZE: Final = 1 << 14
"""Of a kernel thread on x86-64, and its alignment."""
MARK: Final = 0x64696F2D6D632121
MARK_AT: Final = 0x100
NOPS: Final = tuple(bytes.fromhex(nop) for nop in ("0f1f440000", "6666666690", "3e8d742600"))
"""What the kernel leaves of ``call __fentry__``: `x86_nops[5]`; before 5.13 it depended on the processor
(arch/x86/include/asm/nops.h: P6_NOP5_ATOMIC, K8_NOP5_ATOMIC, GENERIC_NOP5_ATOMIC)."""
SECONDS: Final = 90.0


class Runner:
    """Gates on a guest's kernel, and schedules on the guest. `gates` has the functions at which threads can be held,
    with the address that tells them; `unusable` those that the kernel has, and that cannot be traced."""

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
        """Run it, let everybody end, and look at what there is. With `passed`, tell the gates that threads passed. A
        guest in which threads are stuck is of no more use."""
        answer = self._channel.ask(request(schedule, self.gates, passed=passed), SECONDS)
        return parse_ran(answer, self.gates)

    def _addresses(self, names: Sequence[str]) -> dict[str, int]:
        self._channel.ask(f"symbols {','.join(dict.fromkeys(names))}")
        found: dict[str, int] = {}
        for told in self._channel.told:
            if told.word == "symbol":
                name, _, clone = told.arguments[1].partition(".")
                # A clone of the compiler's stands for the function where there is no other; `.cold` is not an entrance.
                if not clone or (name not in found and clone.split(".")[0] in ("isra", "constprop", "llvm")):
                    found[name] = int(told.arguments[0], 16)
        self._channel.told.clear()
        return found

    def _mark(self, thread: int, control: int) -> None:
        """Mark a thread's kernel stack: where it is shows when the thread makes a call on its own CPU."""
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
            raise GuestLost("the kernel has no function that nobody calls, where the code of the gates could lie")
        self._stub.write(place, code)
        unusable: list[str] = []
        for name in dict.fromkeys(wanted):
            if name in self.functions and not self._write_gate(name, self.functions[name], place):
                unusable.append(name)
        self.unusable = tuple(unusable)

    def _write_gate(self, name: str, entry: int, place: int) -> bool:
        """Behind the entrance (and the four bytes for indirect branch tracking, where they are)."""
        head = self._stub.read(entry, 9)
        at = next((n for n in (0, 4) if head[n : n + 5] in NOPS), None)
        if at is None:
            return False
        back = entry + at + len(NOPS[0])
        self._stub.write(entry + at, b"\xe8" + ((place - back) & 0xFFFFFFFF).to_bytes(4, "little"))
        self.gates[name] = back
        return True
