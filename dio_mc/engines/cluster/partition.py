"""One part of the states, as an actor of Ray or an object in the same process.

Its table has all states of the part. Its array has only those of the level being expanded and of
the next one. Every complete level is written to a file (`files`). Requests are executed one after
the other.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import tempfile
from array import array
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Final

from dio_mc.engines.cluster.files import LevelFiles
from dio_mc.engines.cluster.messages import LevelReport, News, Round, Share
from dio_mc.engines.disk.files import Coder
from dio_mc.engines.disk.sizes import BLOCK
from dio_mc.engines.disk.sorting import Sorter
from dio_mc.engines.limits import Limits
from dio_mc.engines.native.boxes import part_of
from dio_mc.engines.native.context import RECENT
from dio_mc.engines.native.machine import DIVIDED, compile_text
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.prepared import Prepared
from dio_mc.engines.native.records import Records, Shape
from dio_mc.engines.native.search import Search, Work
from dio_mc.engines.native.worker import LAG, Worker
from dio_mc.errors import InternalError
from dio_mc.guard import Ended
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.search import Budget, SearchRequest, unheard
from dio_mc.semantics.stop import OUT_OF_MEMORY, Stop

ROUND: Final = 1 << 18
"""States that are expanded before the boxes are emptied."""
BOXES: Final = 1 << 24
"""The size of all boxes together, in bytes; they are larger if the successors of a single state
need more."""
SCANNED: Final = 1 << 16
"""States of a level that the backward pass visits at once."""
WANTED_BYTE: Final = 2
"""The byte of a valuation that is a violation or witness (`native.valuations`)."""


class Partition(Search):
    """Part `number` of a search. Levels are numbered from 0; before the first one is open, `_depth`
    is -1."""

    def __init__(self, share: Share, number: int) -> None:
        module = share.module
        machine = compile_text(module.text, unheard, quick=False, functions=DIVIDED)
        prepared = Prepared(module, machine, Interpreter(module.program), None, None)
        limits = Limits(Budget(max_memory=share.max_memory))
        super().__init__(prepared, SearchRequest(module.program, ()), limits, Work(by=share.by), ())
        self._share, self._number = share, number
        (self._worker,) = self.workers
        self._watched = [Region(size, huge=False) for size in module.tables]
        self._tables = (ctypes.c_int64 * max(len(self._watched), 1))(*(region.address for region in self._watched))
        self._make_boxes(share.parts)
        self._worker.set(watched=ctypes.addressof(self._tables), own=number, lag=LAG, parts_left=0)
        self._coder = Coder(Sorter(module.packing.words, unheard), BLOCK)
        self._source = Region(max(SCANNED, BLOCK) * self._size, huge=False)
        self._files = LevelFiles(self._folder(), number, self._coder)
        self._depth, self._first, self._next, self._stop = -1, 0, 0, 0
        self._noticed: list[News] = []
        self._begun = self._sent = 0

    @property
    def _size(self) -> int:
        """The size of a state in bytes."""
        return 8 * self.module.packing.words

    def _make_boxes(self, parts: int) -> None:
        most = self.module.most
        states = max(BOXES // (parts * self._size), most + 1)
        self._boxes = Region(parts * (states + most) * self._size, huge=False)
        self._counts = (ctypes.c_int64 * parts)()
        self._worker.set(
            parts=parts, boxes=self._boxes.address, box_counts=ctypes.addressof(self._counts),
            box_states=states + most, box_most=states,
        )  # fmt: skip

    def _folder(self) -> Path:
        """The folder of the files: in the shared folder if there is one, otherwise in a local
        one."""
        base = self._share.folder or tempfile.gettempdir()
        folder = Path(base) / f"dio-mc-{self._share.token}"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    # -- what it is asked ----------------------------------------------------------------------------------------------

    def ask(self, name: str, *arguments: object) -> object:
        """Execute a request by name. If a limit, a lack of memory or a failing disk prevents it,
        return a `Stop` instead."""
        try:
            return getattr(self, name)(*arguments)
        except Ended as ended:
            return ended.stop
        except MemoryError:
            return OUT_OF_MEMORY

    def process(self) -> int:
        """The process id; the answer shows that the part is alive."""
        return os.getpid()

    def offer(self, data: bytes) -> None:
        """Insert the states of this part among some initial states."""
        words = self.module.packing.words
        states = array("Q", data)
        if self.reduced:
            self.machine.call["reduce_all"](self._worker.address, states.buffer_info()[0], len(states) // words)
        parts, own = self._share.parts, array("Q")
        for at in range(0, len(states), words):
            if part_of(states[at : at + words], parts) == self._number:
                own.extend(states[at : at + words])
        self._receive(own.buffer_info()[0], len(own) // words)

    def begin(self, depth: int) -> None:
        """Begin to expand level `depth` from its first state on. If that level is open already, it
        is repeated, and what was found of the next level stays."""
        if depth == self._depth + 1:
            self._worker.states.forget(self._first * self._size, self._stop * self._size)
            self._first, self._stop = self._stop, self._worker.get("end")
            self._depth = depth
            self._begun = self._worker.get("transitions")
            self._noticed = []
        elif depth != self._depth:
            raise InternalError(f"level {depth} is to be expanded after level {self._depth}")
        ctypes.memset(self._worker.get("recent"), 0, RECENT)  # what was sent may be lost, so send it again
        self._worker.set(transitions=self._begun)
        self._next = self._first
        self._sent = 0

    def expand(self) -> tuple[Round | Stop | bytes, ...]:
        """Expand some states of the open level. Return the progress, or the reason to stop, and for
        each part the states that belong to it."""
        try:
            stop = self.clock.exceeded()
            if stop is None:
                self._expand_some()
                return (self._round(), *self._emptied())
        except MemoryError:
            stop = OUT_OF_MEMORY
        return (stop, *[b""] * self._share.parts)

    def take(self, *boxes: bytes) -> Stop | None:
        """Insert the states that other parts have sent."""
        for box in boxes:
            address = ctypes.cast(ctypes.c_char_p(box), ctypes.c_void_p).value
            self._receive(address or 0, len(box) // self._size)
        return self.clock.exceeded()

    def save(self) -> None:
        """Write the next level, which is complete, to a file."""
        count = self._worker.get("end") - self._stop
        address = self._worker.states.address + self._stop * self._size
        scratch = Region(max(count, 1) * self._size)
        try:
            if self._coder.sorter.sort(address, count, scratch.address) != count:
                raise InternalError("a state was found twice")
        finally:
            scratch.close()
        self._files.write(self._depth + 1, address, count)

    def level(self) -> LevelReport:
        """The report on the next level, which is complete."""
        now, module = self._round(), self.module
        return LevelReport(
            now.states, now.transitions, now.expanded, self._sent, tuple(self._noticed),
            self._worker.marks("flags", module.flags), self._worker.marks("seen", 2 * len(module.names.places)),
        )  # fmt: skip

    def restore(self, depth: int) -> tuple[int, ...]:
        """Read the levels up to `depth`, which becomes the open one; return their numbers of
        states."""
        counts: list[int] = []
        for level in range(depth + 1):
            self._first = self._worker.get("end")
            for count in self._files.pieces(level, self._source, SCANNED):
                self._receive(self._source.address, count)
            self._stop = self._worker.get("end")
            counts.append(self._stop - self._first)
            if level < depth:
                self._worker.states.forget(self._first * self._size, self._stop * self._size)
        self._depth = depth
        self._noticed = []  # the dead part had reported these
        return tuple(counts)

    def scan(self, name: str, goal: int, depth: int, wanted: tuple[int, bytes] | None, needed: bytes | None) -> bytes:
        """Call ``examine``, or with the records `needed` of the next level ``rest``, on all states
        of a level; return the records found. `goal` is the flag of the goal. If the goal is a
        property, `wanted` has the number of its evaluator and the positions of the valuations that
        violate it."""
        if wanted is not None:
            number, places = wanted
            for place in array("Q", places):
                ctypes.c_uint8.from_address(self._watched[number].address + place).value = WANTED_BYTE
        records = None if needed is None else records_of(Shape.of(self.prepared), needed)
        return b"".join(map(bytes, self.scanned(name, goal, depth, None, records, SCANNED)))

    def parts_of(self, depth: int, ends: Sequence[int] | None, size: int) -> Generator[tuple[Worker, int, int]]:
        """All states of a level, from its file; `ends` is ignored, because the order of discovery
        is lost."""
        with self._worker.reading(self._source.address):
            for count in self._files.pieces(depth, self._source, size):
                yield self._worker, 0, count

    def survey(self, size: int) -> bytes:
        """The values that occur in the states of the part (`survey`)."""
        return self._surveyed(size)

    def remove(self) -> None:
        """Remove the folder of the files, which other parts may share."""
        shutil.rmtree(self._folder(), ignore_errors=True)

    # -- how -----------------------------------------------------------------------------------------------------------

    def _round(self) -> Round:
        worker = self._worker
        found, transitions = worker.get("end") - self._stop, worker.get("transitions") - self._begun
        return Round(found, transitions, self._next - self._first, self._stop - self._next)

    def _expand_some(self) -> None:
        worker = self._worker
        stop = min(self._next + ROUND, self._stop)
        worker.set(source=worker.states.address, next=self._next, stop=stop)
        self._work([worker.expand])
        self._next = worker.get("next")

    def _receive(self, address: int, count: int) -> None:
        self._worker.set(source=address, next=0, stop=count)
        self._work([lambda: self.machine.call["receive"](self._worker.address)])

    def _emptied(self) -> list[bytes]:
        """The contents of the boxes, which are then empty."""
        each = self._worker.get("box_states") * self._size
        boxes = [
            ctypes.string_at(self._boxes.address + part * each, count * self._size)
            for part, count in enumerate(self._counts)
        ]
        ctypes.memset(self._counts, 0, ctypes.sizeof(self._counts))
        self._worker.set(fullest=0)
        self._sent += sum(map(len, boxes))
        return boxes

    def _take_news(self) -> None:
        self._noticed += self._worker.take_news()

    def close(self) -> None:
        """Free the memory."""
        super().close()
        self._coder.close()
        for region in (*self._watched, self._boxes, self._source):
            region.close()


def records_of(shape: Shape, data: bytes) -> Records:
    """Records from their transferred form."""
    if not data:
        return Records(shape, ())
    return Records(shape, ((ctypes.c_uint64 * (len(data) // 8)).from_buffer_copy(data),))
