"""Checkpoints of a search on disk: the file of its levels (`levels_file`), and frames.

A frame has the index of the blocks of its levels, and what was observed, as in a checkpoint of a
search in memory. Its text has the length and the checksum of the file of the levels. That is
brought to the disk before the frame, and the frame before the head that names it, so a crash at any
moment leaves the checkpoint before or after.

A search on disk also continues from a checkpoint of a search in memory, whose levels it sorts and
writes. Its own frames have another name, so the old checkpoint is valid until the new one is.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dio_mc.engines.checkpoints.frame import Frame, Refused
from dio_mc.engines.checkpoints.place import Place, refused
from dio_mc.engines.checkpoints.store import Keeper, levels_path
from dio_mc.engines.disk.files import Block, Sorted
from dio_mc.engines.disk.levels_file import LevelsFile, Where
from dio_mc.engines.native.saving import Mark, Restored, Saving, news_words

if TYPE_CHECKING:
    from dio_mc.engines.disk.search import DiskSearch

DIGEST = "sha256"
"""The entry of a frame's text that only frames of a search on disk have."""


class DiskSaving(Saving):
    """The checkpoints of one search on disk. Sorted levels have no order of discovery, so the
    number of `workers` is irrelevant."""

    def __init__(self, search: DiskSearch, keeper: Keeper | None) -> None:
        super().__init__(search, keeper)
        self._on_disk = search
        self.workers = 1
        self.file = LevelsFile(search.levels_pile)

    def frames(self) -> Sequence[Frame]:
        """None: no level is dropped."""
        return ()

    def go_on(self, restored: Restored) -> None:
        """See `Saving`. Nothing of a search in memory has been saved in this form yet."""
        if restored.about.get(DIGEST) is None:
            self._news = list(restored.news)
        else:
            self.levels = len(restored.sizes)

    def _waiting(self) -> int:
        """Bytes of complete levels that are not in the checkpoint."""
        return _end_of(self._on_disk.on_disk) - self.file.end

    def _hand_over(self, keeper: Keeper, mark: Mark) -> None:
        """See `Saving`."""
        found = self._on_disk
        until = found.on_disk[: mark.depth + 1]
        levels = until[self.levels :]
        blocks = chain.from_iterable(map(_block_words, chain.from_iterable(one.blocks for one in levels)))
        words = array("Q", chain(blocks, news_words(self._news[: mark.news], found.module.packing.words)))
        about = {
            **mark.about, "first": self.levels, "levels": [[one.count, len(one.blocks)] for one in levels],
            "news": mark.news,
        }  # fmt: skip
        self._handed = mark
        keeper.write(about, len(words), [words.tobytes()], partial(self._keep, end=_end_of(until)))

    def _keep(self, place: Place, path: Path, end: int) -> Mapping[str, Any]:
        """Bring the levels to the disk; return what the frame says of their file. Raises
        `OSError`."""
        return {"bytes": end, DIGEST: self.file.keep(place, path, end)}

    def close(self) -> None:
        """See `Saving`."""
        super().close()
        self.file.close()


def _end_of(levels: Sequence[Sorted]) -> int:
    """The end of the last of some levels in their file."""
    return next((one.blocks[-1].start + one.blocks[-1].size for one in reversed(levels) if one.blocks), 0)


def _block_words(block: Block) -> Iterator[int]:
    yield from (block.start, block.size, block.count)
    yield from block.first
    yield from block.last


class DiskRestored(Restored):
    """The contents of frames, those of a search in memory too."""

    def __init__(self, search: DiskSearch, frames: Sequence[Frame]) -> None:
        self._on_disk = search
        self._blocks: list[tuple[Block, ...]] = []
        super().__init__(search, frames)

    def _take(self, frame: Frame) -> None:
        if DIGEST not in frame.about:
            super()._take(frame)
            return
        about, size = frame.about, self._search.module.packing.words
        each, at = 3 + 2 * size, 0
        if about["first"] != len(self.sizes):
            raise ValueError
        for count, blocks in about["levels"]:
            words = frame.numbers(at * each, blocks * each)
            rows = [words[start : start + each] for start in range(0, len(words), each)]
            found = [
                Block(start, long, many, tuple(keys[:size]), tuple(keys[size:])) for start, long, many, *keys in rows
            ]
            if sum(block.count for block in found) != count:
                raise ValueError
            self.sizes.append([count])
            self._blocks.append(tuple(found))
            at += blocks
        self._take_news(frame, at * each, about["news"])

    def take_in(self, deepest: int | None = None) -> None:
        """Continue with the levels of an earlier run on disk, or write those of one in memory. If a
        limit ends this early, the search counts as stopped there. Raises `ModelError`, and
        `Cut`."""
        found = self._on_disk
        found.started, found.whole = True, len(self.sizes) - 1
        found.levels = [[(0, sum(level))] for level in self.sizes]
        found.unread = self.states
        found.went_on(expanded=self.states - sum(self.sizes[-1]))
        if self._blocks:
            found.continue_with(self._opened(), self._blocks)
        else:
            found.take_over(self.stretches)
        if found.workers[0].get("news_length"):
            raise refused(self._frames[-1].path, "it has a state with values of which it says nothing")

    def _opened(self) -> LevelsFile:
        """The file of the levels. Raises `ModelError` if it cannot be used, and `Cut`."""
        path, found = levels_path(self._frames[-1].path), self._on_disk
        try:
            where = Where(found.disk.folder, found.disk.spare, found.look)
            return LevelsFile.opened(path, self.about["bytes"], self.about[DIGEST], where)
        except Refused as error:
            raise refused(error.path, error.reason) from None
        except OSError as error:
            raise refused(path, f"it cannot be read: {error.strerror}") from None
