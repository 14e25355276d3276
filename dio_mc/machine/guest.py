"""A guest: QEMU with a kernel, a disk of its own and no network, from boot to the end of its process.

Its files are in a private temporary folder; its sockets are unnamed. Leaving the `with` block in any way ends QEMU and
removes the folder; QEMU also ends with its parent process.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Final, Self

from dio_mc.machine.build import PATTERN, initramfs, make_disk, private_folder, write_image
from dio_mc.machine.channel import Channel
from dio_mc.machine.failures import GuestLost
from dio_mc.machine.images import Kernel, tool
from dio_mc.machine.stub import Stub

COMMAND_LINE: Final = (
    "console=ttyS0 quiet panic=-1 oops=panic nokaslr nowatchdog rdinit=/init mitigations=off "
    "no_timer_check tsc=reliable "
    "irqaffinity=0 isolcpus=managed_irq,domain,1-{last} rcupdate.rcu_cpu_stall_suppress=1"
)
"""Interrupts and all threads except those of a workload stay on CPU 0, so holding another CPU holds exactly one
thread."""
SETTINGS: Final = (
    ("/proc/sys/vm/dirty_writeback_centisecs", "360000"),
    ("/proc/sys/vm/dirty_expire_centisecs", "360000"),
    ("/proc/sys/kernel/printk", "1"),
    ("/sys/block/vda/queue/rq_affinity", "0"),
)
"""No writeback except on request (0 centiseconds would wake the flusher for each newly dirty file); IO completes on the
CPU that takes the interrupt."""
UNTIMED: Final = {"ext3": "commit=3600", "ext4": "commit=3600", "btrfs": "commit=3600"}
"""Mount options that keep journals from committing on a timer."""
KVM: Final = "/dev/kvm"
TCG: Final = "tcg,thread=multi"
BOOT_SECONDS: Final = 120.0
"""The time limit for booting without KVM."""
KVM_SECONDS: Final = 15.0
"""The time limit for booting with KVM, where a kernel normally boots in two seconds."""
ATTEMPTS: Final = 3
"""The number of attempts to boot without KVM."""
OOPS: Final = re.compile(r"BUG:|Oops|kernel BUG|general protection|WARNING:.* at |Kernel panic")
"""A line of the console by which a kernel reports a bug of its own."""


class Guest:
    """A running guest whose disk is mounted; `programs` are placed in its root. `stub` stops and changes the machine,
    `channel` communicates with its init."""

    stub: Stub
    channel: Channel
    kvm_is_good: ClassVar[bool | None] = None
    """Whether KVM boots kernels here; None until it has been tried."""

    def __init__(
        self, kernel: Kernel, file_system: str, options: str = "", threads: int = 3,
        programs: Mapping[str, bytes] | None = None,
    ) -> None:  # fmt: skip
        self.kernel, self.file_system, self.options, self.threads = kernel, file_system, options, threads
        self.boot_seconds = 0.0
        self._programs = programs
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: list[socket.socket] = []
        self._folder: Path | None = None

    def __enter__(self) -> Self:
        try:
            kvm = Guest.kvm_is_good is not False and os.access(KVM, os.R_OK | os.W_OK)
            if not (kvm and self._boots_on_kvm()):
                self._boot_translated()
        except BaseException:  # a signal may arrive while a failed guest is being closed
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        explained = self.explained(error) if isinstance(error, GuestLost) else None
        self.close()
        if explained is not None and isinstance(error, GuestLost) and not error.log:
            raise explained from None

    def close(self) -> None:
        """End QEMU and remove its files; may be called again."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
        for one in self._sockets:
            one.close()
        self._sockets = []
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def log(self) -> str:
        """The text that the guest has written to its console."""
        if self._folder is None:
            return ""
        path = self._folder / "console"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "".join(c for c in text.replace("\r", "") if c == "\n" or c.isprintable())

    # -- boot -------------------------------------------------------------------------------------

    def _boots_on_kvm(self) -> bool:
        """Boot with KVM; False if that fails. The device may exist and not work: on some virtual machines kernels do
        not boot with it. The first guest finds this out, for all of them; a fault of the kernel itself shows again
        without KVM."""
        try:
            self._boot("kvm", KVM_SECONDS)
            Guest.kvm_is_good = True
        except GuestLost:
            self.close()
            Guest.kvm_is_good = Guest.kvm_is_good or False
        return self._process is not None

    def _boot_translated(self) -> None:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                self._boot(TCG, BOOT_SECONDS)
                return
            except GuestLost as lost:
                explained = self.explained(lost)
                self.close()
                # Kernels patch themselves during boot, and QEMU's translator may execute a half-patched instruction.
                if "int3" not in explained.log or attempt == ATTEMPTS:
                    raise explained from None

    def _boot(self, acceleration: str, seconds: float) -> None:
        begun = time.monotonic()
        qemu = tool(["qemu-system-x86_64"], "qemu-system-x86")
        self._folder = private_folder()
        make_disk(self._folder / "disk", self.file_system)
        write_image(self._folder / "spare", PATTERN * (1 << 20))
        write_image(self._folder / "initramfs", initramfs(self.kernel, self.file_system, self._programs))
        ours, theirs = zip(socket.socketpair(), socket.socketpair(), strict=True)
        self._sockets = list(ours)
        command = self._command(qemu, acceleration, [end.fileno() for end in theirs])
        with (self._folder / "qemu").open("wb") as said:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
                pass_fds=[end.fileno() for end in theirs], preexec_fn=die_with_parent,
            )  # fmt: skip
        for end in theirs:
            end.close()
        self.channel = Channel(ours[1])
        self._settle(seconds)
        self.stub = Stub(ours[0])
        self.boot_seconds = time.monotonic() - begun

    def _command(self, qemu: str, acceleration: str, ends: Sequence[int]) -> list[str]:
        assert self._folder is not None
        cpus = self.threads + 1
        return [
            qemu, "-nodefaults", "-no-user-config", "-accel", acceleration, "-cpu",
            "max,smap=off,smep=off", "-smp", str(cpus), "-m", "512", "-display", "none", "-no-reboot", "-nic", "none",
            "-kernel", str(self.kernel.image), "-initrd", str(self._folder / "initramfs"),
            "-append", COMMAND_LINE.format(last=cpus - 1),
            "-drive", f"file={self._folder / 'disk'},format=raw,if=none,id=disk,cache=unsafe,discard=ignore",
            "-device", "virtio-blk-pci,drive=disk,num-queues=1,vectors=0,discard=off,write-zeroes=off",
            "-drive", f"file={self._folder / 'spare'},format=raw,if=none,id=spare,cache=unsafe,discard=ignore",
            "-device", "virtio-blk-pci,drive=spare,num-queues=1,vectors=0,discard=off,write-zeroes=off",
            "-serial", f"file:{self._folder / 'console'}", "-device", "virtio-serial-pci,vectors=0",
            "-chardev", f"socket,id=port,fd={ends[1]}", "-device", "virtserialport,chardev=port,name=dio-mc",
            "-chardev", f"socket,id=gdb,fd={ends[0]}", "-gdb", "chardev:gdb",
        ]  # fmt: skip

    def _settle(self, seconds: float) -> None:
        """Wait until init answers, mount the disk, and disable timers that start IO."""
        deadline = time.monotonic() + seconds
        while not any(t.word == "up" for t in self.channel.events):
            self.channel.read(deadline - time.monotonic())
        up = next(t for t in self.channel.events if t.word == "up")
        if up.arguments != ("-",):
            raise GuestLost(f"a module cannot be loaded: {' '.join(up.arguments)}")
        self.channel.events.clear()
        options = ",".join(o for o in (self.options, UNTIMED.get(self.file_system, "")) if o)
        self.channel.ask(f"mount {self.file_system} {options or '-'}")
        for path, value in SETTINGS:
            self.channel.ask(f"put {path} {value}")
        if self.file_system == "xfs":
            self.channel.ask("put /proc/sys/fs/xfs/xfssyncd_centisecs 720000")
        self.channel.ask(f"spawn {self.threads}")

    # -- failures ---------------------------------------------------------------------------------

    def explained(self, lost: GuestLost) -> GuestLost:
        """The failure, with what the console and QEMU report."""
        time.sleep(0.2)  # console output may lag
        lines = self.log().splitlines()
        at = next((n for n, line in enumerate(lines) if OOPS.search(line)), None)
        shown = lines[at : at + 40] if at is not None else lines[-12:]
        said = (self._folder / "qemu").read_text(errors="replace").strip() if self._folder else ""
        died = self._process is not None and self._process.poll() is not None
        message = lost.message
        if at is not None:
            message = f"the kernel {self.kernel.release} reports a bug of its own"
        elif died and said:
            message = f"QEMU has ended: {said.splitlines()[0]}"
        elif not hasattr(self, "channel") or not hasattr(self, "stub"):
            message = f"the kernel {self.kernel.release} does not come up: {lost.message}"
        return replace(lost, message=message, log="\n".join(shown), oops=at is not None)


def die_with_parent() -> None:
    """Runs in the child: PR_SET_PDEATHSIG, so that a killed dio-mc leaves no process behind; Ctrl-C is handled by the
    parent."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
