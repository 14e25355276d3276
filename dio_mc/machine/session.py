"""A guest that is booted when it is first needed, and again after it has become unusable."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from dio_mc.machine.failures import GuestLost
from dio_mc.machine.gates import wanted
from dio_mc.machine.guest import Guest
from dio_mc.machine.images import Kernel
from dio_mc.machine.runner import Runner
from dio_mc.machine.schedule import Ran, Schedule


class Session:
    """Runs schedules on guests of one kernel and file system, one guest after another. `holds`: whether threads can be
    held."""

    holds = True

    def __init__(self, kernel: Kernel, file_system: str, mount: str = "", threads: int = 3) -> None:
        self.kernel, self.file_system, self.mount = kernel, file_system, mount
        self._threads = threads
        self._guest: Guest | None = None
        self._runner: Runner | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def runner(self) -> Runner:
        """The runner of the current guest, which is booted if necessary."""
        if self._runner is None:
            try:
                self._begin()
            except GuestLost:
                if not Guest.kvm_is_good:
                    raise
                Guest.kvm_is_good = False  # it boots with KVM, but gates do not work there
                self._begin()
        assert self._runner is not None
        return self._runner

    def _begin(self) -> None:
        self._guest = guest = Guest(self.kernel, self.file_system, self.mount, self._threads)
        guest.__enter__()
        try:
            self._runner = Runner(guest, wanted(self.file_system))
        except GuestLost as lost:
            raise self._drop(lost) from None

    def run(self, schedule: Schedule, *, passed: bool = False) -> Ran:
        """Run a schedule. A guest whose threads are stuck is ended, as is a lost one, in which case `GuestLost` is
        raised."""
        try:
            ran = self.runner.run(schedule, passed=passed)
        except GuestLost as lost:
            raise self._drop(lost) from None
        if ran.stuck:
            self.close()
        return ran

    def close(self) -> None:
        """End the guest, if there is one."""
        guest, self._guest, self._runner = self._guest, None, None
        if guest is not None:
            guest.close()

    def _drop(self, lost: GuestLost) -> GuestLost:
        explained = self._guest.explained(lost) if self._guest is not None else lost
        self.close()
        return explained
