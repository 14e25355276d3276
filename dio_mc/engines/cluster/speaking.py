"""The process that speaks with Ray, and the only place that names it: ``python -m dio_mc.engines.cluster.speaking FD``.

It is asked over a pipe (`bridge`), and ends with it. Handles of the asking process stand for references of Ray here, so
what parts send to one another never comes by.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final

from dio_mc.engines.cluster.messages import CutOff, Opened, Ref, Refused, Share, Told
from dio_mc.engines.cluster.version import this_version

ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_memory_monitor_refresh_ms": "0",
}
"""Nothing is reported to anybody; and of memory a part looks itself."""
STORE: Final = 1 << 26
"""Bytes of Ray's object store for each part of a cluster on this machine: boxes of a few rounds."""
PROBED: Final = 60.0
"""Seconds that a machine may take to say its version."""


class Speaking:
    """A connection with Ray: actors, and references by number."""

    def __init__(self) -> None:
        self._refs: dict[int, Any] = {}
        self._actors: list[Any] = []
        self._share: Any = None
        self._make: Callable[[int], Any] | None = None

    # -- beginning -----------------------------------------------------------------------------------------------------

    def open(self, address: str | None, workers: int | None) -> Opened | Refused:
        """Connect with a cluster, or start one of this machine; how many parts there are to be."""
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
        """Which machine has another dio-mc than this one, or none."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        def probe() -> str:  # goes as it is: dio-mc may not be there
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
        """Make an actor of each part."""
        import ray

        from dio_mc.engines.cluster.partition import Partition

        told = ray.put(share)
        kind = ray.remote(Partition).options(
            num_cpus=1, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )
        self._make = lambda number: kind.remote(told, number)
        self._actors = [self._make(number) for number in range(share.parts)]

    # -- asking --------------------------------------------------------------------------------------------------------

    def ask(self, part: int, name: str, arguments: tuple[object, ...], numbers: tuple[int, ...]) -> None:
        """Ask an actor; its answers have these numbers."""
        told = [self._refs[one.number] if isinstance(one, Ref) else one for one in arguments]
        refs = getattr(self._actors[part], name).options(num_returns=len(numbers)).remote(*told)
        self._refs.update(zip(numbers, [refs] if len(numbers) == 1 else refs, strict=True))

    def put(self, number: int, data: bytes) -> None:
        """Something that is told to several actors."""
        import ray

        self._refs[number] = ray.put(data)

    def answers(self, numbers: tuple[int, ...], patience: float) -> list[Told] | None:
        """What was answered, if all was."""
        import ray

        refs = [self._refs[number] for number in numbers]
        ready, _ = ray.wait(refs, num_returns=len(refs), timeout=patience)
        if len(ready) < len(refs):
            return None
        self.drop(numbers)
        return [_told(ref) for ref in refs]

    def drop(self, numbers: tuple[int, ...]) -> None:
        """Forget answers."""
        for number in numbers:
            self._refs.pop(number, None)

    def renew(self, part: int) -> None:
        """An actor anew."""
        import ray

        assert self._make is not None
        ray.kill(self._actors[part])
        self._actors[part] = self._make(part)


def _told(ref: Any) -> Told:
    """What an answer says; errors are words, since those of Ray are nobody else's."""
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        return Told(ray.get(ref))
    except RayTaskError as error:
        died = isinstance(error.cause, RayError)
        return Told(CutOff(first_line(error.cause), died=died))
    except RayError as error:
        return Told(CutOff(first_line(error), died=True))


def first_line(error: BaseException) -> str:
    """What an error says first."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def main() -> None:
    """Answer until nobody asks any more."""
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
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()


if __name__ == "__main__":
    main()
