"""The checkpoints of one exploration and of each of its searches: reading what was saved, and
saving in the background.

A failure to write never ends a search. A full disk or a folder that cannot be written ends the
checkpoints, with one message, and leaves what was saved before. Only a checkpoint that is to be
resumed must be intact.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any, Final

from dio_mc import __version__
from dio_mc.cache import reason_of
from dio_mc.engines.checkpoints.frame import WORD, Buffer, Frame, Refused, read_head, write_frame, write_head
from dio_mc.engines.checkpoints.place import Place, in_the_way, refused, unusable
from dio_mc.guard import STARTING
from dio_mc.ir.program import Program
from dio_mc.semantics.search import Checkpoints
from dio_mc.semantics.stop import Stop

WRITTEN_AT: Final = 1 << 25
"""Bytes of unsaved levels at which a search saves before the next regular time."""
LOOK: Final = 0.05
"""Seconds between two polls of the limits while a search waits for a write."""
ON_DISK: Final = "-disk"
"""The suffix of the name of a search whose states are on disk."""
LEVELS: Final = ".levels"
"""The suffix of the file with the levels of a search."""

Levels = Callable[[Place, Path], Mapping[str, Any]]
"""Writes the levels of a search to the file at a path, and returns their description for the text of
a frame. Raises `OSError`."""


class Store:
    """The checkpoints of one exploration, whose searches share a folder. Nothing is created before
    a search begins to save.

    `ended` is set when nothing is written any more.
    """

    def __init__(self, asked: Checkpoints, program: Program) -> None:
        self.asked, self._program = asked, program
        self._place: Place | None = None
        self._keepers: list[Keeper] = []
        self.ended = sys.byteorder != "little"

    @property
    def resumable(self) -> bool:
        """Whether the folder has something that a search of this program can continue from."""
        return any(keeper.count or keeper.saved for keeper in self._keepers)

    @property
    def is_locked(self) -> bool:
        """Whether this process holds the lock of the folder."""
        return self._place is not None and self._place.is_locked

    def has_on_disk(self, search: str) -> bool:
        """Whether to resume a search that had its states on disk. If it has also saved a part in
        memory, before it began again on disk, the larger part counts."""
        place = self.place()
        if place is None or not self.asked.resume:
            return False
        memory, disk = (place.path / f"{name}.json" for name in (search, search + ON_DISK))
        if not (memory.exists() and disk.exists()):
            return disk.exists()
        try:
            return int(read_head(disk)["states"]) >= int(read_head(memory)["states"])
        except (Refused, OSError, KeyError, TypeError, ValueError):
            return True  # it is refused with the reason when it is read

    def keeper(
        self, search: str, of: Mapping[str, Any], seconds: Callable[[], float], *, on_disk: bool = False,
        anew: bool = False,
    ) -> Keeper | None:  # fmt: skip
        """The checkpoints of one search, or None if there are none.

        `search` is its name within the exploration, `of` has what must be equal for it to continue,
        and `seconds` is its clock. A search `on_disk` also continues from what the same search has
        saved in memory, in this process too, unless it begins `anew`. Raises `ModelError` if the
        search should be resumed and its checkpoint is damaged or of another search, or if a
        checkpoint is in the way of a new one.
        """
        if self.ended:
            return None
        identity = {
            "what": "checkpoint", "dio-mc": __version__, "model": self._program.name, "program": self._program.digest,
            **of,
        }  # fmt: skip
        keeper = Keeper(self, search + ON_DISK * on_disk, identity, seconds)
        place = self.place()
        if place is None:
            return None
        first = not self._keepers
        try:
            heads = {path.stem: path for path in place.heads()}
            if self.asked.resume and heads:
                place.lock()
        except OSError as error:
            if self.asked.resume:
                raise unusable(place, error) from None
            self.give_up(error)
            return None
        if self._has_own(heads) and not anew:
            self._load(keeper, place, search, heads, on_disk=on_disk)
        elif self.asked.resume and not heads and first:
            self.say(f"no checkpoint in {place}: the search starts from the beginning")
        elif heads and first and not self.asked.resume:
            if self.asked.folder is not None:
                raise in_the_way(place)
            self.say(f"a checkpoint exists in {place}: --resume continues it")
        self._keepers.append(keeper)
        return keeper

    def _has_own(self, heads: Mapping[str, Path]) -> bool:
        """Whether there are checkpoints to continue from: those to be resumed, or of this
        process."""
        return bool(heads) and (self.asked.resume or self.is_locked)

    def _load(self, keeper: Keeper, place: Place, search: str, heads: Mapping[str, Path], *, on_disk: bool) -> None:
        """Read the checkpoint of a search, if there is one. Raises `ModelError` if it cannot be
        used."""
        other = search + ON_DISK
        if on_disk and other not in heads and search in heads:
            keeper.load_of_memory(place, search)
        elif keeper.search in heads:
            keeper.load(place)
        elif not on_disk and other in heads and self.asked.resume:
            raise refused(
                heads[other],
                "it is of a search on disk, and this one is in memory",
                "with --disk DIR it continues; it is left as it is",
            )

    def place(self) -> Place | None:
        """The folder, or None if there is none."""
        if self._place is None and not self.ended:
            try:
                self._place = Place(self._program, self.asked.folder)
            except RuntimeError as error:  # no home folder
                self.give_up(error)
        return self._place

    def begin(self, size: int) -> Place:
        """Lock the folder to write `size` bytes; unless the search is resumed, remove an older
        checkpoint. Raises `OSError`."""
        place = self._place
        assert place is not None
        if not place.is_locked:
            place.lock()
            if not self.asked.resume:
                place.clear()
            place.trim()
        place.require_room(size)
        return place

    def say(self, text: str) -> None:
        """Show a message on checkpoints to the user."""
        self.asked.say(f"{self._program.name}: {text}")

    def give_up(self, error: Exception) -> None:
        """Write nothing more, and show the reason once."""
        if not self.ended:
            self.ended = True
            reason = str(error) or type(error).__name__
            if isinstance(error, OSError):
                reason = (
                    reason_of(error) if error.filename or not error.strerror else f"{self._place}: {error.strerror}"
                )
            if isinstance(error, BlockingIOError):
                reason = f"another process is using {self._place}"
            self.say(f"no more checkpoints: {reason}")

    def close(self) -> None:
        """Wait for the write in progress, and unlock the folder."""
        for keeper in self._keepers:
            keeper.close()
        if self._place is not None:
            self._place.unlock()


class Keeper:
    """The checkpoints of one search, by the name `search`. `saved` are the frames to continue from,
    `count` is the number of its own frames on the disk."""

    def __init__(self, store: Store, search: str, identity: Mapping[str, Any], seconds: Callable[[], float]) -> None:
        self._store, self.search, self._identity, self.seconds = store, search, dict(identity), seconds
        self.saved: list[Frame] = []
        self._replaced = ""
        self.count = 0
        self._last = ""
        self._began: float | None = None
        self._writes: ThreadPoolExecutor | None = None
        self._running: Future[bytes] | None = None

    # -- what was kept -------------------------------------------------------------------------------------------------

    def load(self, place: Place) -> None:
        """Read the checkpoint. Raises `ModelError` if it is damaged or of another search."""
        self.count, self._last = self._read(place, self.search)

    def load_of_memory(self, place: Place, search: str) -> None:
        """Read the checkpoint of a search in memory, which is removed once there is one of this
        search. Raises `ModelError` if it is damaged, of another search, or without the first
        levels."""
        self._read(place, search)
        self._replaced = search
        for frame in self.saved:
            if frame.about.get("gathered"):
                raise refused(
                    frame.path,
                    "it is of a search in memory, which had dropped its first levels, and this one is on disk",
                    "without --disk it continues; it is left as it is",
                )

    def _read(self, place: Place, search: str) -> tuple[int, str]:
        """Read the checkpoint of the search of this name; return the number of its frames, and the
        checksum of the last. Raises `ModelError`."""
        try:
            path = place.path / f"{search}.json"
            head = read_head(path)
            self._compare(path, head)
            count, last = int(head["frames"]), str(head["last"])
            self.saved = _frames(path, count, last)
            return count, last
        except Refused as error:
            raise refused(error.path, error.reason) from None
        except (KeyError, TypeError, ValueError):
            raise refused(place.path, "its head is not what dio-mc writes") from None
        except OSError as error:
            raise unusable(place, error) from None

    def _compare(self, path: Path, head: Mapping[str, Any]) -> None:
        """Raise `Refused` for a checkpoint of another program, version or kind of search."""
        before, now = _reduced(head.get("reduced")), _reduced(self._identity.get("reduced"))
        for key, reason in (
            ("what", "it is not a checkpoint of a search"),
            ("dio-mc", f"it was written by dio-mc {head.get('dio-mc')}, and this is {__version__}"),
            ("model", f"it is of {head.get('model')}, not of {self._identity['model']}"),
            ("program", "the model has changed since"),
            ("engine", f"it is of engine {head.get('engine')}, not of {self._identity.get('engine')}"),
            ("reduced", f"it is of a search {before}, and this is one {now}"),
            ("first", "--first is given for one of the two searches, not for the other"),
            ("code", "the machine code of the model is another"),
        ):  # fmt: skip
            if head.get(key) != self._identity.get(key):
                raise Refused(path, reason)

    def frames(self) -> list[Frame]:
        """The frames that are on the disk now. Raises `Refused`, and `OSError`."""
        place = self._store.place()
        return [] if place is None else _frames(place.path / f"{self.search}.json", self.count, self._last)

    # -- what is written -----------------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """Whether nothing is written any more."""
        return self._store.ended

    @property
    def begun(self) -> bool:
        """Whether the search is long enough to be saved, or saving was requested."""
        asked = self._store.asked
        wanted = asked.folder is not None or bool(self.saved)
        if self._began is None and (wanted or self.seconds() >= asked.after):
            self._began = self.seconds() if wanted else -asked.every
        return self._began is not None and not self.ended

    def is_due(self, size: int) -> bool:
        """Return whether a write should begin now, when `size` bytes are not saved."""
        if not self.begun or self._began is None or self._running is not None:
            return False
        return size >= WRITTEN_AT or self.seconds() - self._began >= self._store.asked.every

    def write(
        self, about: Mapping[str, Any], count: int, words: Iterable[Buffer], levels: Levels | None = None
    ) -> None:
        """Begin to write a frame of `count` words in the background, after the `levels`, if these
        have a file. The words must not change until `done` returns True or False. No other write
        may be in progress."""
        self._began = self.seconds()
        if self._writes is None:
            self._writes = ThreadPoolExecutor(1, "dio-mc checkpoint")
        with STARTING:
            self._running = self._writes.submit(self._written, dict(about), count, words, levels)

    def _written(self, about: dict[str, Any], count: int, words: Iterable[Buffer], levels: Levels | None) -> bytes:
        place = self._store.begin(count * WORD)
        path = place.path / f"{self.search}.{self.count:06}"
        more = {} if levels is None else levels(place, levels_path(path))
        digest = write_frame(path, {**about, **more, "after": self._last}, count, words)
        head = {**self._identity, "frames": self.count + 1, "last": digest.hex(), "states": about.get("states")}
        write_head(place.path / f"{self.search}.json", head)
        if self._replaced:
            place.drop(self._replaced)
            self._replaced = ""
        return digest

    def done(self, exceeded: Callable[[], Stop | None] | None = None) -> bool | None:
        """Return whether the last write succeeded; None while it is in progress. With `exceeded`,
        wait for it until that returns a reason to stop."""
        running = self._running
        if running is None:
            return not self.ended
        while exceeded is not None and not running.done() and exceeded() is None:
            wait([running], LOOK)
        if not running.done():
            return None
        self._running = None
        try:
            self._last = running.result().hex()
        except Exception as error:  # even a fault of dio-mc must not cost the search
            if os.environ.get("DIO_MC_DEBUG") and not isinstance(error, OSError | MemoryError):
                raise
            self._store.give_up(error)
            return False
        self.count += 1
        return True

    def give_up(self, reason: str) -> None:
        """Write nothing more."""
        self._store.give_up(ValueError(reason))

    def close(self) -> None:
        """Wait for the write in progress."""
        if self._writes is not None:
            self._writes.shutdown()
            self.done()
            self._writes = None


def levels_path(frame: Path) -> Path:
    """The path of the levels of a search on disk, beside one of its frames."""
    return frame.with_suffix(LEVELS)


def _frames(head: Path, count: int, digest: str) -> list[Frame]:
    """The first `count` frames that belong to a head, the last with this digest. Raises `Refused`,
    and `OSError`."""
    found: list[Frame] = []
    last = ""
    for number in range(count):
        frame = Frame(head.with_suffix(f".{number:06}"))
        found.append(frame)
        if frame.about.get("after") != last:
            raise Refused(frame.path, "it does not follow the file before")
        last = frame.digest.hex()
    if last != digest:
        raise Refused(head, "its last file is another")
    return found


def _reduced(names: object) -> str:
    if not isinstance(names, list) or not names:
        return "of all states"
    return f"reduced by {' and '.join(map(str, names))}"


def remove(asked: Checkpoints, program: Program) -> None:
    """Remove the checkpoints of an exploration whose result is complete; errors are ignored."""
    try:
        place = Place(program, asked.folder)
        if place.heads():
            place.lock()
            place.remove()
    except (OSError, RuntimeError):
        return
