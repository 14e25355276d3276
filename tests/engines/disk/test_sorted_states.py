"""Sorted states of one and of several words: sorted, coded, merged, and without those that are known."""

from __future__ import annotations

import ctypes
import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from dio_mc.engines.disk import merging, sorting
from dio_mc.engines.disk.files import Coder, Cut, Pile, Sorted, Writing
from dio_mc.engines.disk.merging import InMemory, Known, OnDisk, fewer, merge, written
from dio_mc.engines.disk.sorting import Key, Sorter
from dio_mc.semantics.search import unheard
from dio_mc.semantics.stop import Stop, StopKind

STOP = Stop(StopKind.TIMEOUT, 1)
WORDS = (1, 2, 3)
SHAPES = ("any", "close", "last word alone", "the same", "extremes")


def states(draw: random.Random, words: int, count: int, shape: str) -> list[Key]:
    """States whose first word is as those of the search are, with bit 63."""
    match shape:
        case "any":
            rows = [[draw.getrandbits(64) for _ in range(words)] for _ in range(count)]
        case "close":
            rows = [[draw.randrange(2 * count) for _ in range(words)] for _ in range(count)]
        case "last word alone":
            rows = [[7] * (words - 1) + [draw.getrandbits(64)] for _ in range(count)]
        case "the same":
            rows = [[7] * words] * count
        case _:
            rows = [
                [draw.choice((0, 1, 127, 128, (1 << 63) - 1, (1 << 64) - 1)) for _ in range(words)]
                for _ in range(count)
            ]
    return [(first | 1 << 63, *rest) for first, *rest in rows]


class Array:
    """States in memory."""

    def __init__(self, keys: list[Key], words: int) -> None:
        flat = [word for key in keys for word in key]
        self.held = (ctypes.c_uint64 * max(len(flat), 1))(*flat)
        self.address, self.words = ctypes.addressof(self.held), words

    def keys(self, count: int) -> list[Key]:
        return [tuple(self.held[n * self.words : (n + 1) * self.words]) for n in range(count)]


def look() -> None:
    """No limit."""


@pytest.fixture(params=WORDS)
def coder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Coder:
    monkeypatch.setattr(sorting, "LARGE", 500)
    monkeypatch.setattr(merging, "FAN", 3)
    return Coder(Sorter(request.param, unheard), 16)


@pytest.fixture
def pile(tmp_path: Path) -> Iterator[Pile]:
    with closing(Pile(tmp_path)) as pile:
        yield pile


def put(coder: Coder, pile: Pile, keys: set[Key]) -> Sorted:
    ordered, writing = sorted(keys), Writing(coder, pile)
    for start in range(0, len(ordered), 7):
        some = Array(ordered[start : start + 7], coder.sorter.words)
        writing.put(some.address, len(ordered[start : start + 7]))
    return writing.finish()


def taken(coder: Coder, states_: Sorted, most: int = 40) -> list[Key]:
    room = Array([(0,) * coder.sorter.words] * 64, coder.sorter.words)
    return [key for count in coder.pieces(states_, room.address, most) for key in room.keys(count)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("count", [1, 2, 499, 3000])
def test_sorted_and_each_once(coder: Coder, shape: str, count: int) -> None:
    keys = states(random.Random(count), coder.sorter.words, count, shape)
    array, scratch = Array(keys, coder.sorter.words), Array(keys, coder.sorter.words)
    left = coder.sorter.sort(array.address, count, scratch.address)
    assert array.keys(left) == sorted(set(keys))
    for key in keys[:3]:
        number = sorted(set(keys)).index(key)
        assert coder.sorter.below(array.address, left, key) == number
        assert coder.sorter.up_to(array.address, left, key) == number + 1
    assert coder.sorter.up_to(array.address, left, (0,) * coder.sorter.words) == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_read_as_they_were_written(coder: Coder, pile: Pile, shape: str) -> None:
    all_of = [set(states(random.Random(n), coder.sorter.words, n, shape)) for n in (1, 16, 17, 300)]
    arrays = [put(coder, pile, keys) for keys in all_of]
    for array, keys in zip(arrays, all_of, strict=True):
        assert array.count == len(keys)
        assert taken(coder, array) == taken(coder, array, 1) == sorted(keys)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(5))
def test_merged_without_what_is_known(coder: Coder, pile: Pile, shape: str, seed: int) -> None:
    draw, words = random.Random(seed), coder.sorter.words
    every = states(draw, words, 400, shape)
    parts = [set(draw.sample(every, draw.randrange(200))) for _ in range(draw.randrange(1, 12))]
    known = [set(draw.sample(every, draw.randrange(60))) for _ in range(draw.randrange(1, 4))]
    inside, *on_disk = parts
    array = Array(sorted(inside), words)
    runs = fewer(coder, pile, [put(coder, pile, keys) for keys in on_disk], look)
    assert len(runs) <= merging.FAN
    cursors = [OnDisk(coder, run) for run in runs]
    leaving = Known(coder, [put(coder, pile, keys) for keys in known], 5, look)
    found = written(coder, pile, [*cursors, InMemory(coder.sorter, array.address, len(inside), 16)], look, leaving)
    assert taken(coder, found) == sorted(set().union(*parts) - set().union(*known))


def test_a_merge_that_is_cut_leaves_nothing(coder: Coder, pile: Pile) -> None:
    words = coder.sorter.words
    arrays = [put(coder, pile, set(states(random.Random(n), words, 100, "any"))) for n in range(2)]
    end, looks = pile.end, iter(range(3))

    def limited() -> None:
        if next(looks, None) is None:
            raise Cut(STOP)

    with pytest.raises(Cut):
        written(coder, pile, [OnDisk(coder, array) for array in arrays], limited)
    assert pile.end == end
    seen: list[Key] = []
    merge(
        coder,
        [OnDisk(coder, array) for array in arrays[:1]],
        lambda at, n: seen.extend(coder.sorter.key(at, i) for i in range(n)),
        look,
    )
    assert seen == taken(coder, arrays[0])
