"""Tasks in several processes. Reports come in the order of the tasks, whichever is ready first.

The process of the command is the first of them and begins alone: another process takes about half a second to start,
which is longer than most models take. The others are started only when the remaining tasks seem to take twice
`PATIENCE`, also during a task; they are given tasks that have not begun. So `--jobs` costs nothing where it gains
nothing. Tasks that have much in common (the classes of a file) are left to one process while others have something to
begin: what they share is compiled and proved once in each process.

A worker takes a task at a time: the file, class and parameters go there, a report comes back. It loads the model
itself, so nothing of a model crosses. A worker that is killed (by the kernel, out of memory) leaves its task
undetermined, with the reason, and a new worker takes its place. A stop is a shared number that workers poll. What a
task is, and what it gives, is said by a `Work`: here the check of a class, in `fix` a number of edits that are tried.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.sharedctypes import RawValue
from operator import itemgetter
from typing import Any, Final, Generic, Protocol, TypeVar

from dio_mc.checking.driver import Options
from dio_mc.checking.runs.execute import Done, Outcome, checked, unfinished
from dio_mc.checking.runs.plan import Task, failure_of
from dio_mc.errors import DioError
from dio_mc.frontend.load import load_module
from dio_mc.memory import collect_seldom
from dio_mc.semantics.stop import Poll

REASONS = ("", "Ctrl-C", "SIGTERM", "SIGHUP")
PATIENCE = 1.0
"""Seconds that the command works alone, unless the tasks after the first show earlier that there is
much to do."""
SOONEST: Final = 0.3
"""Seconds of tasks after which they show that. The first task does not count, since it loads z3
too."""
_POLL = 0.2
_OURS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


T = TypeVar("T")
R = TypeVar("R")
Given = TypeVar("Given", contravariant=True)
Gives = TypeVar("Gives", covariant=True)


class Work(Protocol[Given, Gives]):
    """How tasks are done. It is sent to the workers, so it can be pickled; so can messages and
    results."""

    def here(self, task: Given, options: Options) -> Gives:
        """Do a task in the process of the command."""
        ...

    def message(self, task: Given) -> Any:
        """A task for another process."""
        ...

    def there(self, message: Any, options: Options) -> Gives:
        """Do it in a worker."""
        ...

    def lost(self, task: Given, reason: str) -> Gives:
        """The result of a task that was not done, or not to its end."""
        ...


def run_in_processes(tasks: Sequence[Task], options: Options, jobs: int, patience: float = PATIENCE) -> Iterator[Done]:
    """As `run_here`, with up to `jobs` processes, this one included."""
    for task, (outcome, memory) in spread(_Checks(), tasks, options, jobs, patience, lambda task: task.file):
        yield Done(task, outcome, memory)


def spread(
    work: Work[T, R],
    tasks: Sequence[T],
    options: Options,
    jobs: int,
    patience: float = PATIENCE,
    shared: Callable[[T], Hashable] | None = None,
) -> Iterator[tuple[T, R]]:
    """Each task with its result, in order, in up to `jobs` processes, this one included.
    Consecutive tasks with equal `shared` keys are done by one process as far as possible."""
    waiting = Waiting(range(len(tasks)) if shared is None else [shared(task) for task in tasks])
    pool = _Pool(work, tasks, options, jobs - 1, patience, waiting)
    try:
        for number, task in enumerate(tasks):
            while number not in pool.outcomes:
                pool.work()
            yield task, pool.outcomes.pop(number)
    finally:
        pool.close()


def worthwhile(elapsed: float, finished: int, left: int, patience: float) -> bool:
    """Whether to start another process, `elapsed` seconds after the first began: `finished` tasks
    are done, and `left` not begun. If none is done, the current one may take forever."""
    return left > 0 and elapsed >= patience and (not finished or left * elapsed / finished >= 2 * patience)


Group = deque[int]
"""The numbers of tasks that have not begun, in their order."""


class Waiting:
    """The tasks that have not begun, in groups: those in a row with equal keys."""

    def __init__(self, keys: Sequence[Hashable]) -> None:
        rows = groupby(enumerate(keys), itemgetter(1))
        self._fresh = deque(deque(number for number, _ in row) for _, row in rows)
        self._begun: list[Group] = []

    def __len__(self) -> int:
        return sum(map(len, (*self._fresh, *self._begun)))

    def take(self, mine: Group) -> tuple[int, Group]:
        """The next task for the worker whose last task was from the group `mine`, and its group:
        the same one, otherwise one that no worker has begun, otherwise the largest. There must be a
        task."""
        if not mine and self._fresh:
            mine = self._fresh.popleft()
            self._begun = [*filter(None, self._begun), mine]
        elif not mine:
            mine = max(self._begun, key=len)
        return mine.popleft(), mine

    def clear(self) -> Iterator[int]:
        """Remove and return all tasks that are left."""
        for group in (*self._begun, *self._fresh):
            while group:
                yield group.popleft()


class _Worker:
    """A process and the pipe to it; `task` is the number of what it works on."""

    def __init__(self, context: Any, work: Any, options: Options, stop: Any) -> None:
        self.pipe, theirs = context.Pipe()
        plain = replace(options, report=None, stop=None)
        self.process = context.Process(target=_work, args=(theirs, work, plain, stop, os.getpid()), daemon=True)
        _start_deaf(self.process)
        theirs.close()
        self.task: int | None = None
        self.group: Group = deque()

    def reason(self) -> str:
        """The reason why the process has ended."""
        self.process.join(1)
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"its process was killed by {signal.Signals(-code).name}"
        return f"its process ended with exit code {code}"


def _start_deaf(process: Any) -> None:
    """Start a process that ignores signals to the whole group from the beginning (`_work`)."""
    resource_tracker.ensure_running()  # or `start` would do that, and let the signals through again
    signal.pthread_sigmask(signal.SIG_BLOCK, _OURS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)


class _Pool(Generic[T, R]):
    def __init__(
        self, work: Work[T, R], tasks: Sequence[T], options: Options, workers: int, patience: float, waiting: Waiting
    ) -> None:
        self.kind, self.tasks, self.options = work, tasks, options
        self.patience, self.began, self.finished = patience, time.monotonic(), 0
        self.warm = self.began
        self.context = multiprocessing.get_context("spawn")
        self.stop = RawValue("i", 0)
        self.lock = threading.RLock()
        self.waiting = waiting
        self.group: Group = deque()
        self.outcomes: dict[int, R] = {}
        self.wanted = workers
        self.workers: list[_Worker] = []

    def work(self) -> None:
        """Do the next task here; if none is left, wait for the others."""
        number = self._next() if self._reason() is None else None
        if number is not None:
            self.outcomes[number] = self.kind.here(self.tasks[number], replace(self.options, stop=self._reason))
            self.finished += 1
            self.warm = self.warm if self.finished > 1 else time.monotonic()
        else:
            with self.lock:
                self._advance(_POLL)

    def _next(self) -> int | None:
        """The next task to do here. The guard of the last one may still be giving tasks to others,
        from its thread."""
        with self.lock:
            if not self.waiting:
                return None
            number, self.group = self.waiting.take(self.group)
            return number

    def _reason(self) -> str | None:
        """Polled by the task that runs here, also from a guard's thread: the reason to stop; the
        other processes are started and served meanwhile."""
        with self.lock:
            return self._served()

    def _served(self) -> str | None:
        reason = self.options.stop() if self.options.stop is not None else None
        if reason is not None:
            self._stopped(reason)
        while len(self.workers) < self.wanted and self._is_worthwhile():
            self.workers.append(self._start())
        self._advance(0)
        return reason

    def _is_worthwhile(self) -> bool:
        now, left = time.monotonic(), len(self.waiting)
        if self.finished > 1 and now - self.warm >= SOONEST:
            return left > 0 and left * (now - self.warm) / (self.finished - 1) >= 2 * self.patience
        return worthwhile(now - self.began, self.finished, left, self.patience)

    def _start(self) -> _Worker:
        worker = _Worker(self.context, self.kind, self.options, self.stop)
        self._give(worker)
        return worker

    def _give(self, worker: _Worker) -> None:
        """The next task, if there is one."""
        worker.task = None
        if self.waiting:
            worker.task, worker.group = self.waiting.take(worker.group)
            message = self.kind.message(self.tasks[worker.task])
            with suppress(OSError):  # a worker that is gone already: `_advance` sees the end of its pipe
                worker.pipe.send(message)

    def _advance(self, timeout: float) -> None:
        """Store the results that the workers have sent."""
        busy = {w.pipe: w for w in self.workers if w.task is not None}
        for ready in wait(list(busy), timeout=timeout) if busy else []:
            worker = busy[ready]
            assert worker.task is not None
            try:
                self.outcomes[worker.task] = worker.pipe.recv()
            except (EOFError, ConnectionResetError):
                self.outcomes[worker.task] = self.kind.lost(self.tasks[worker.task], worker.reason())
                self.workers.remove(worker)  # `_reason` starts another process if there is something left for it
                continue
            self._give(worker)

    def _stopped(self, reason: str) -> None:
        """Stop: running tasks return what they have, the others are not started."""
        self.stop.value = REASONS.index(reason) if reason in REASONS else 1
        for number in self.waiting.clear():
            self.outcomes[number] = self.kind.lost(self.tasks[number], reason)

    def close(self) -> None:
        for worker in self.workers:
            worker.pipe.close()
            if worker.task is not None:
                worker.process.kill()
        for worker in self.workers:
            worker.process.join(2)


# --- in a worker ------------------------------------------------------------------------------------------------------


def _work(pipe: Connection, work: Work[Any, Any], options: Options, stop: Any, parent: int) -> None:
    """Serve tasks until the pipe closes. Signals may go to the whole group of processes: the parent decides."""
    for number in _OURS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _OURS)
    collect_seldom()
    options = replace(options, stop=_stop(stop, parent))
    while True:
        try:
            message = pipe.recv()
        except (EOFError, OSError):
            return
        result = work.there(message, options)
        try:
            pipe.send(result)
        except OSError:  # the parent does not listen any more
            return


def _stop(number: Any, parent: int) -> Poll:
    def stop() -> str | None:
        if os.getppid() != parent:
            return "the end of the command"
        return REASONS[number.value] or None

    return stop


# --- checks of classes ------------------------------------------------------------------------------------------------


class _Checks:
    """The check of a class; the result is a report, or the reason why there is none, and how much
    memory it took."""

    def here(self, task: Task, options: Options) -> tuple[Outcome, int]:
        return checked(task, options)

    def message(self, task: Task) -> Any:
        return task.file, task.model.__name__, task.params, task.stated, task.recipe

    def there(self, message: Any, options: Options) -> tuple[Outcome, int]:
        file, name, params, stated, recipe = message
        try:
            model = next(m for m in load_module(file).models if m.__name__ == name)
        except DioError as error:
            return failure_of(error, file, name), 0
        return checked(Task(file, model, params, stated, recipe), options)

    def lost(self, task: Task, reason: str) -> tuple[Outcome, int]:
        return unfinished(task, reason), 0
