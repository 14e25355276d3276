"""The parts of a divided search in the test process, with the interface of those on Ray; a test can kill them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dio_mc.engines.cluster.messages import Died, Share
from dio_mc.engines.cluster.partition import Partition

Kill = Callable[[int, str, tuple[object, ...]], bool]
"""Whether a part dies of a request: its number, the request, its arguments."""


class Answer:
    """An answer, or the fact that the part has died."""

    def __init__(self, value: object = None, *, died: bool = False) -> None:
        self.value, self.died = value, died


class PartsHere:
    """The parts. Before each request `kill` decides whether the part dies; with `lost` the first one loses its files."""

    def __init__(self, share: Share, kill: Kill | None = None, *, lost: bool = False) -> None:
        self.parts, self._share, self._kill, self._lost = share.parts, share, kill, lost
        self._alive: list[Partition | None] = [Partition(share, part) for part in range(share.parts)]
        self.deaths = 0
        self.asked: list[tuple[int, str]] = []

    def ask(self, part: int, name: str, *arguments: object, answers: int = 1) -> Sequence[Answer]:
        values = [one.value if isinstance(one, Answer) else one for one in arguments]
        if any(isinstance(one, Answer) and one.died for one in arguments):
            return [Answer(died=True)] * answers
        what = str(values[0]) if name == "ask" else name
        self.asked.append((part, what))
        if self._alive[part] is not None and self._kill is not None and self._kill(part, what, tuple(values)):
            self._die(part)
        alive = self._alive[part]
        if alive is None:
            return [Answer(died=True)] * answers
        value = getattr(alive, name)(*values)
        return [Answer(value)] if answers == 1 else [Answer(one) for one in value]

    def _die(self, part: int) -> None:
        alive = self._alive[part]
        assert alive is not None
        self.deaths += 1
        if self._lost and self.deaths == 1:
            for path in Path(alive._folder()).glob(f"part-{part}-*"):
                path.unlink()
        alive.close()
        self._alive[part] = None

    def put(self, data: bytes) -> Answer:
        return Answer(data)

    def answers(self, handles: Sequence[Answer], patience: float) -> Sequence[object] | None:
        if any(one.died for one in handles):
            raise Died("killed")
        return [one.value for one in handles]

    def drop(self, handles: Sequence[Answer]) -> None:
        pass

    def renew(self, part: int) -> None:
        alive = self._alive[part]
        if alive is not None:
            alive.close()
        self._alive[part] = Partition(self._share, part)

    def close(self) -> None:
        for alive in self._alive:
            if alive is not None:
                alive.close()
