"""The parts of a search on Ray, as seen by the search. Requests go through the process that talks
to Ray (`speaking`)."""

from __future__ import annotations

import importlib.util
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from multiprocessing import Pipe
from pathlib import Path
from threading import Thread
from typing import Final

from dio_mc.engines.cluster.messages import Answered, CutOff, Died, Handle, Opened, Ref, Refused, Share
from dio_mc.engines.disk.files import Cut
from dio_mc.engines.native.module import Module
from dio_mc.engines.native.prepared import Reduced
from dio_mc.errors import InternalError, ModelError, usage_error
from dio_mc.guard import STARTING
from dio_mc.semantics.search import OnRay
from dio_mc.semantics.stop import Stop, StopKind

LOOK: Final = 0.1
"""Seconds between two polls of the limits while a cluster is being connected."""
CONNECTING: Final = 5.0
"""The time limit in seconds for a connection to the address."""
HINTS: Final = {
    "DIO226": "--ray without an address starts a cluster on this machine; `ray start --head` prints the address of one",
    "DIO227": "install the same dio-mc on all machines",
}
"""The hint of each error code."""
LOST: Final = Stop(StopKind.RAY, "the process that talks to Ray has ended")
"""The reason to stop when the process has ended by itself."""


def missing() -> ModelError | None:
    """The error if Ray is not installed, otherwise None."""
    if importlib.util.find_spec("ray") is not None:
        return None
    return usage_error("DIO225", "--ray needs Ray, which is not installed", hint="pip install 'dio-mc[cluster]'")


def unreachable(address: str) -> ModelError | None:
    """The error if no connection to ``HOST:PORT`` is possible, otherwise None. Other kinds of
    addresses are not checked."""
    host, colon, port = address.rpartition(":")
    if not colon:
        return None
    try:
        socket.create_connection((host, int(port)), CONNECTING).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return usage_error("DIO226", f"no connection to {address}: {reason}", hint=HINTS["DIO226"])
    return None


class RayParts:
    """A `Cluster` of actors. Raises `ModelError` if no cluster is available, and `Cut` if a limit
    ends the wait for it."""

    def __init__(
        self, ray: OnRay, module: Module, by: Reduced, folder: Path | None, max_memory: int | None,
        exceeded: Callable[[], Stop | None],
    ) -> None:  # fmt: skip
        error = missing()
        if error is not None:
            raise error
        self._numbers: Iterator[int] = count()
        self._amid = False
        ours, theirs = Pipe()
        self._pipe = ours
        command = [sys.executable, "-P", "-m", "dio_mc.engines.cluster.speaking", str(theirs.fileno())]
        paths = [os.path.abspath(path) for path in sys.path if path]
        with theirs:
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, start_new_session=True, cwd=os.sep,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )  # fmt: skip
        try:
            self.parts = self._open(ray, exceeded)
            where = None if folder is None else str(folder.absolute())
            self._tell("share", Share(module, by, self.parts, where, secrets.token_hex(6), max_memory))
        except BaseException:
            self.close()
            raise

    def _open(self, ray: OnRay, exceeded: Callable[[], Stop | None]) -> int:
        """Connect to a cluster, or start one; return the number of parts."""
        self._tell("open", ray.address, ray.workers)
        self._amid = True
        while not self._pipe.poll(LOOK):
            stop = exceeded()
            if stop is not None:
                raise Cut(stop)
        match self._heard():
            case Opened(parts):
                return parts
            case Refused(code, reason):
                place = "the cluster of this machine" if ray.address is None else f"the cluster at {ray.address}"
                raise usage_error(code, f"{place}: {reason}", hint=HINTS[code])
            case other:
                raise InternalError(f"Ray answers {other!r}")

    # -- asking --------------------------------------------------------------------------------------------------------

    def _tell(self, verb: str, *arguments: object) -> None:
        """Send a request. Raises `Cut` if the process has ended, or if an earlier answer was not
        received completely."""
        if self._amid:
            raise Cut(LOST)
        try:
            self._pipe.send((verb, arguments))
        except OSError as error:
            raise Cut(LOST) from error

    def _heard(self) -> object:
        """Receive an answer. After an interruption here, no further request is possible."""
        self._amid = True
        try:
            found: object = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise Cut(LOST) from error
        self._amid = False
        return found

    def ask(self, part: int, name: str, *arguments: object, answers: int = 1) -> Sequence[Handle]:
        """See `Cluster`."""
        refs = [Ref(next(self._numbers)) for _ in range(answers)]
        self._tell("ask", part, name, arguments, tuple(ref.number for ref in refs))
        return refs

    def put(self, data: bytes) -> Handle:
        """See `Cluster`."""
        ref = Ref(next(self._numbers))
        self._tell("put", ref.number, data)
        return ref

    def answers(self, handles: Sequence[Handle], patience: float) -> Sequence[object] | None:
        """See `Cluster`. Raises `InternalError` if a part has failed by a fault of dio-mc."""
        self._tell("answers", _numbers(handles), patience)
        found = self._heard()
        if found is None:
            return None
        assert isinstance(found, list)
        values = [one.value for one in found if isinstance(one, Answered)]
        for value in values:
            if isinstance(value, CutOff) and not value.died:
                raise InternalError(f"a part of the states has failed: {value.reason}")
        for value in values:
            if isinstance(value, CutOff):
                raise Died(value.reason)
        return values

    def drop(self, handles: Sequence[Handle]) -> None:
        """See `Cluster`."""
        self._tell("drop", _numbers(handles))

    def renew(self, part: int) -> None:
        """See `Cluster`."""
        self._tell("renew", part)

    def close(self) -> None:
        """See `Cluster`. The process shuts Ray down when the pipe is closed. That takes seconds, and is
        not waited for, because the answer is known."""
        self._pipe.close()
        with STARTING:
            Thread(target=self._process.wait, name="dio-mc ray", daemon=True).start()


def _numbers(handles: Sequence[Handle]) -> tuple[int, ...]:
    return tuple(handle.number for handle in handles if isinstance(handle, Ref))
