"""The running kernel in place of a guest's: the same calls, all threads at once, on a file system in an image.

Threads cannot be held, so there are no gates. The image is mounted through a loop device, which requires root; it is
unmounted and removed at the end in any case.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from dio_mc.errors import usage_error
from dio_mc.machine.build import guest_program, make_disk, private_folder, write_image
from dio_mc.machine.channel import Channel
from dio_mc.machine.failures import GuestLost
from dio_mc.machine.guest import die_with_parent
from dio_mc.machine.images import Kernel, tool
from dio_mc.machine.runner import SECONDS
from dio_mc.machine.schedule import Ran, Schedule, parse_ran, request
from dio_mc.machine.session import Session


class HostSession(Session):
    """Runs schedules whose threads all begin at once, on the running kernel. Raises `ModelError` DIO287 if the image
    cannot be mounted."""

    holds = False

    def __init__(self, file_system: str, mount: str = "", threads: int = 3) -> None:
        super().__init__(Kernel(platform.release(), Path("/"), None), file_system, mount, threads)
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._socket: socket.socket | None = None

    def run(self, schedule: Schedule, *, passed: bool = False) -> Ran:
        """Run a schedule without gates."""
        if not schedule.together:
            raise ValueError("threads cannot be held on the kernel that runs here")
        if self._channel is None:
            self._set_up()
        assert self._channel is not None
        try:
            return parse_ran(self._channel.ask(request(schedule, {}), SECONDS), {})
        except GuestLost:
            self.close()
            raise

    def close(self) -> None:
        """End the program, unmount and remove the image."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self._socket is not None:
            self._socket.close()
        self._channel = self._socket = None
        folder, self._folder = self._folder, None
        if folder is not None:
            self._unmount(folder / "mounted")
            shutil.rmtree(folder, ignore_errors=True)

    def _set_up(self) -> None:
        self._folder = private_folder()
        try:
            make_disk(self._folder / "disk", self.file_system)
            (self._folder / "mounted").mkdir()
            self._mount(self._folder / "disk", self._folder / "mounted")
            self._start(self._folder)
        except BaseException:
            self.close()
            raise

    def _mount(self, disk: Path, at: Path) -> None:
        if os.geteuid() != 0:
            raise usage_error("DIO287", "--host mounts an image through a loop device, and that takes root",
                              hint="without root, observe --kernel runs the same in a guest")  # fmt: skip
        options = ",".join(filter(None, ("loop", self.mount)))
        command = [tool(["mount"], "mount"), "-t", self.file_system, "-o", options, str(disk), str(at)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            said = next(iter(done.stderr.strip().splitlines()), f"mount fails with {done.returncode}")
            raise usage_error("DIO287", f"the image of {self.file_system} cannot be mounted here: {said}",
                              hint="without loop devices, observe --kernel runs the same in a guest")  # fmt: skip

    def _unmount(self, at: Path) -> None:
        if at.is_mount():
            subprocess.run([tool(["umount"], "mount"), str(at)], capture_output=True, check=False)

    def _start(self, folder: Path) -> None:
        program = folder / "program"
        write_image(program, guest_program())
        program.chmod(0o700)
        ours, theirs = socket.socketpair()
        self._socket = ours
        command = [str(program), "host", str(theirs.fileno()), str(folder / "mounted")]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True, pass_fds=[theirs.fileno()], preexec_fn=die_with_parent,
        )  # fmt: skip
        theirs.close()
        self._channel = Channel(ours)
        self._channel.ask(f"spawn {self._threads}")
