"""The process that talks to Ray, and the only file that names it: ``python -m
dio_mc.engines.cluster.speaking FD``.

Requests arrive over a pipe (`bridge`), and the process ends when the pipe is closed. Handles of the
requesting process stand for Ray's object references here, so the states that parts send to each
other do not pass through either process.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final

from dio_mc.engines.cluster.messages import Answered, CutOff, Opened, Ref, Refused, Share
from dio_mc.engines.cluster.version import this_version

ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_memory_monitor_refresh_ms": "0",
}
"""Settings of Ray: no usage statistics, and no memory monitor, because each part checks its own
memory."""
STORE: Final = 1 << 26
"""The size in bytes of Ray's object store per part, for a cluster on this machine: the boxes of a
few rounds."""
AUTHENTICATION: Final = ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH")
"""How the user wants a cluster to be protected. If nothing is set, a cluster on this machine gets a
token of its own; Ray would write one to the home folder."""
REMOVING: Final = 5.0
"""The time limit in seconds for actors to remove their files."""
PROBED: Final = 60.0
"""The time limit in seconds for a machine to report its version."""


class Speaking:
    """A connection to Ray: the actors, and object references by number."""

    def __init__(self) -> None:
        self._refs: dict[int, Any] = {}
        self._actors: list[Any] = []
        self._share: Any = None
        self._make: Callable[..., Any] | None = None
        self._nodes: list[Any] = []

    # -- beginning -----------------------------------------------------------------------------------------------------

    def open(self, address: str | None, workers: int | None) -> Opened | Refused:
        """Connect to a cluster, or start one on this machine; return the number of parts, or why
        there is none."""
        if address is None and not any(name in os.environ for name in AUTHENTICATION):
            os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
        import ray

        try:
            if address is None:
                count = workers or len(os.sched_getaffinity(0))
                ray.init(
                    "local", num_cpus=count, include_dashboard=False, object_store_memory=max(2, count) * STORE,
                    log_to_driver=False, logging_level="CRITICAL",
                )  # fmt: skip
            else:
                ray.init(address, log_to_driver=False, logging_level="CRITICAL")
        except Exception as error:
            return Refused("DIO226", first_line(error))
        count = int(ray.cluster_resources().get("CPU", 0))
        if (workers or 1) > count:
            return Refused("DIO226", f"it has {count} processors, and --workers is {workers}")
        wrong = self._wrong_version()
        return Opened(workers or count) if wrong is None else Refused("DIO227", wrong)

    def _wrong_version(self) -> str | None:
        """A sentence on a machine that runs another dio-mc than this one, or None."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        def probe() -> str:  # sent by value, because dio-mc may not be installed there
            try:
                from dio_mc.engines.cluster.version import this_version
            except ImportError:
                try:
                    import dio_mc
                except ImportError:
                    return "no dio-mc"
                return f"dio-mc {dio_mc.__version__}"
            return this_version()

        asked = ray.remote(probe)
        for node in ray.nodes():
            if not node["Alive"] or not node["Resources"].get("CPU"):
                continue
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            try:
                found = ray.get(asked.options(num_cpus=0, scheduling_strategy=there).remote(), timeout=PROBED)
            except Exception as error:
                found = f"no answer ({first_line(error)})"
            if found != this_version():
                return f"{node['NodeManagerHostname']} has {found}, this machine {this_version()}"
        return None

    def share(self, share: Share) -> None:
        """Create an actor for each part."""
        import ray

        from dio_mc.engines.cluster.partition import Partition

        stored = ray.put(share)
        actor = ray.remote(Partition)
        self._make = lambda number, **options: actor.options(
            max_restarts=0, max_task_retries=0, **options
        ).remote(stored, number)  # fmt: skip
        self._actors = [
            self._make(number, num_cpus=1, scheduling_strategy="SPREAD") for number in range(share.parts)
        ]  # fmt: skip
        self._nodes = [
            actor.__ray_call__.remote(lambda _: ray.get_runtime_context().get_node_id()) for actor in self._actors
        ]

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(self, part: int, name: str, arguments: tuple[object, ...], numbers: tuple[int, ...]) -> None:
        """Send a request to an actor; its results get these numbers."""
        values = [self._refs[one.number] if isinstance(one, Ref) else one for one in arguments]
        refs = getattr(self._actors[part], name).options(num_returns=len(numbers)).remote(*values)
        self._refs.update(zip(numbers, [refs] if len(numbers) == 1 else refs, strict=True))

    def put(self, number: int, data: bytes) -> None:
        """Store data that is an argument of several requests."""
        import ray

        self._refs[number] = ray.put(data)

    def answers(self, numbers: tuple[int, ...], patience: float) -> list[Answered] | None:
        """The results with these numbers, or None if some have not arrived within `patience`
        seconds."""
        import ray

        refs = [self._refs[number] for number in numbers]
        ready, _ = ray.wait(refs, num_returns=len(refs), timeout=patience)
        if len(ready) < len(refs):
            return None
        self.drop(numbers)
        return [_answer(ref) for ref in refs]

    def drop(self, numbers: tuple[int, ...]) -> None:
        """Discard results."""
        for number in numbers:
            self._refs.pop(number, None)

    def renew(self, part: int) -> None:
        """Replace an actor by a new one."""
        import ray
        from ray.exceptions import RayError
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        assert self._make is not None
        ray.kill(self._actors[part])
        placed: dict[str, Any] = {"num_cpus": 0}
        with suppress(RayError):
            node = ray.get(self._nodes[part], timeout=REMOVING)
            placed["scheduling_strategy"] = NodeAffinitySchedulingStrategy(node, soft=True)
        self._actors[part] = self._make(part, **placed)

    def end(self) -> None:
        """Remove the files that are left, because the other process may have been killed, and shut Ray
        down if it was started."""
        if "ray" not in sys.modules:
            return
        import ray

        if self._actors:
            asked = [actor.ask.remote("remove") for actor in self._actors]
            ray.wait(asked, num_returns=len(asked), timeout=REMOVING)
        ray.shutdown()


def _answer(ref: Any) -> Answered:
    """The value of a result. Ray's errors become text, because the other process does not import
    Ray."""
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        return Answered(ray.get(ref))
    except RayTaskError as error:
        died = isinstance(error.cause, RayError)
        return Answered(CutOff(first_line(error.cause), died=died))
    except RayError as error:
        return Answered(CutOff(first_line(error), died=True))


def first_line(error: BaseException) -> str:
    """The first line of an error's message, or the name of its type."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def main() -> None:
    """Execute requests until the pipe is closed."""
    os.environ.update(ENVIRONMENT)
    pipe, speaking = Connection(int(sys.argv[1])), Speaking()
    try:
        while True:
            verb, arguments = pipe.recv()
            found = getattr(speaking, verb)(*arguments)
            if verb in ("open", "answers"):
                pipe.send(found)
    except (EOFError, BrokenPipeError):
        pass
    speaking.end()


if __name__ == "__main__":
    main()
