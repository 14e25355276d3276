"""The workers of a search as a pool: the first runs in the calling thread, the others in threads of
their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from dio_mc.engines.native.chunks import Chunks
from dio_mc.engines.native.visited import stretches
from dio_mc.engines.native.worker import Worker
from dio_mc.guard import STARTING


class WorkerPool:
    """The pool. `chunks` are what its workers share, by which they can be made to return."""

    def __init__(self, workers: Sequence[Worker], chunks: Chunks) -> None:
        self._workers, self._chunks = workers, chunks
        self._threads = ThreadPoolExecutor(len(workers) - 1) if len(workers) > 1 else None

    def set(self, **numbers: int) -> None:
        """Set numbers of every worker's context."""
        for worker in self._workers:
            worker.set(**numbers)

    def sum(self, name: str) -> int:
        """The sum of a number over all workers."""
        return sum(worker.get(name) for worker in self._workers)

    def run(self, tasks: Sequence[Callable[[], int]]) -> list[int]:
        """Run one task per worker; return the results when all have ended."""
        first, *others = tasks
        if self._threads is None or not others:
            return [first()]
        running: list[Future[int]] = []
        try:
            with STARTING:  # a guard raises nothing before all futures are recorded
                running += [self._threads.submit(task) for task in others]
            code = first()
            return [code, *(one.result() for one in running)]
        finally:  # no worker may run when its memory is freed or read
            if any(not one.done() for one in running):
                self._chunks.halt(whether=True)
                wait(running)

    def rehash(self, before: int, slots: int) -> None:
        """Rehash the table, which had `before` home slots and has `slots` now, in place. Raises
        `MemoryError`."""
        for worker in self._workers:
            worker.resize(slots)
        for side_by_side in stretches(before, slots, len(self._workers)):
            pairs = list(zip(self._workers, side_by_side, strict=False))
            least = side_by_side[-1][-1] if len(pairs) > 1 else 0
            if any(self.run([partial(worker.rehash, stretch, least) for worker, stretch in pairs])):
                raise MemoryError("the table could not be enlarged")
        if any(worker.insert_overflow() for worker in self._workers):
            raise MemoryError("the table could not be enlarged")

    def share_room(self, room: int) -> None:
        """Set, for each worker, the number of states at which it must return for a check of the
        room. Raises `MemoryError` if an array is full."""
        each = room // len(self._workers)
        for worker in self._workers:
            left, ahead = worker.capacity - worker.get("end"), worker.ahead
            if left < 2 * ahead:
                raise MemoryError("no address space for more states")
            worker.set(most=worker.get("count") + min(each, left) - ahead)

    def close(self) -> None:
        """Stop the threads."""
        if self._threads is not None:
            self._threads.shutdown()
