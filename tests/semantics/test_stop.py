"""What ended a search, in words: as the command line says it."""

import pytest

from dio_mc.semantics.stop import FIRST, INTERRUPTED, OUT_OF_MEMORY, Stop, StopKind, requested

WORDS = [
    (FIRST, "--first"),
    (INTERRUPTED, "interrupted"),
    (OUT_OF_MEMORY, "out of memory"),
    (requested("Ctrl-C"), "Ctrl-C"),
    (Stop(StopKind.MAX_STATES, 100), "--max-states 100"),
    (Stop(StopKind.MAX_DEPTH, 0), "--max-depth 0"),
    (Stop(StopKind.TIMEOUT, 5.0), "--timeout 5"),
    (Stop(StopKind.TIMEOUT, 0.25), "--timeout 0.25"),
    (Stop(StopKind.MAX_MEMORY, 2 << 30), "--max-memory 2G"),
    (Stop(StopKind.SIMULATE, 9), "--simulate 9"),
    (Stop(StopKind.PREEMPTIONS, 2), "--preemptions 2"),
    (Stop(StopKind.APPROXIMATE, "bitstate"), "--approximate bitstate"),
    (Stop(StopKind.RAY, "a worker has died"), "--ray a worker has died"),
    (Stop(StopKind.DISK, "/data: No space left on device"), "--disk /data: No space left on device"),
]


@pytest.mark.parametrize(("stop", "words"), WORDS, ids=[words for _, words in WORDS])
def test_the_words(stop: Stop, words: str) -> None:
    assert str(stop) == words


def test_every_kind_has_words() -> None:
    assert {stop.kind for stop, _ in WORDS} == set(StopKind)
