"""A search on disk that is ended and goes on gives the answer of one that was not; its checkpoint is its levels."""

from __future__ import annotations

import errno
import os
import random
import re
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from checkpointing import files_of, is_refused_while_another_process_has_it, refusal, stops_after
from forgetting import SMALL, Forgetful, on_disk
from several import Turning

from dio_mc.engines.disk import levels_file, search
from dio_mc.engines.disk.search import Disk, DiskSearch
from dio_mc.engines.native import moment
from dio_mc.errors import ModelError
from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import Stop, StopKind

pytestmark = pytest.mark.usefixtures("at_every_level")


@pytest.mark.parametrize(
    ("way", "workers", "kind"), [("full", 2, DiskSearch), ("symmetry", 1, Forgetful), ("partial order", 1, Forgetful)]
)
def test_killed_at_levels(tmp_path: Path, folder: Path, way: str, workers: int, kind: type[DiskSearch]) -> None:
    made = on_disk(tmp_path / "kept", folder, way, kind, workers)
    plain = made.plain()
    found, kept = made.run_killed(tmp_path)
    assert found == plain
    assert len(kept) > 12
    for number, place in enumerate(kept[3 :: len(kept) // 4]):
        resumed = replace(made, folder=place, every=1e9)
        assert resumed.run(resume=True, workers=1 + number % 2) == plain, number
        assert not resumed.said


def test_the_checkpoint_is_the_file_of_the_levels(tmp_path: Path, folder: Path) -> None:
    """Not a copy of it."""
    made = on_disk(tmp_path / "kept", folder)
    numbers = set[int]()

    class Linked(Forgetful):
        def _end(self) -> None:
            numbers.add(os.fstat(self.levels_pile._file.fileno()).st_ino)
            super()._end()

    made.begin = partial(Linked, disk=Disk(folder, SMALL))
    made.run(budget=Budget(max_depth=9))
    (levels,) = (tmp_path / "kept").rglob("*.levels")
    assert numbers == {levels.stat().st_ino}
    assert made.run(resume=True) == made.plain()
    assert numbers == {levels.stat().st_ino}


def test_the_levels_are_on_the_disk_before_the_frame(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the frame before the head, so that power may fail at any moment."""
    calls, replaced, written = list[tuple[str, int]](), os.replace, os.pwrite

    def replace_(old: Path, new: Path) -> None:
        calls.append((f"name {Path(new).suffix}", os.stat(old).st_ino))
        replaced(old, new)

    def write(handle: int, data: bytes, at: int) -> int:
        calls.append(("write", os.fstat(handle).st_ino))
        return written(handle, data, at)

    monkeypatch.setattr(os, "fsync", lambda handle: calls.append(("sync", os.fstat(handle).st_ino)))
    monkeypatch.setattr(os, "replace", replace_)
    monkeypatch.setattr(os, "pwrite", write)
    on_disk(tmp_path / "kept", folder).run(budget=Budget(max_depth=9))
    (levels,) = (tmp_path / "kept").rglob("*.levels")
    names = [number for number, (what, _) in enumerate(calls) if what.startswith("name ")]
    assert [calls[number][0] for number in names[:4]] == ["name .000000", "name .json", "name .000001", "name .json"]
    for before, number in zip([0, *names], names, strict=False):
        own = [what for what, inode in calls[before:number] if inode == calls[number][1]]
        assert own == ["sync"], "what gets a name is on the disk"
        if calls[number][0] != "name .json":
            of_levels = [what for what, inode in calls[before:number] if inode == levels.stat().st_ino]
            assert "sync" in of_levels
    assert calls.index(("write", levels.stat().st_ino)) < names[0]


def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checkpoint is on another file system than the states."""

    def link(*arguments: object, **named: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", link)
    monkeypatch.setattr(levels_file, "_shares", lambda number, folder: False)


def test_the_checkpoint_is_a_copy_on_another_file_system(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = on_disk(tmp_path / "kept", folder)
    plain = made.plain()
    with monkeypatch.context() as patch:
        elsewhere(patch)
        for depth in (4, 9, 12):
            made.run(resume=depth > 4, budget=Budget(max_depth=depth))
    (levels,) = (tmp_path / "kept").rglob("*.levels")
    copied = levels.read_bytes()
    assert made.run(resume=True, budget=Budget(max_depth=12)) == made.plain(Budget(max_depth=12))
    assert levels.read_bytes() == copied
    elsewhere(monkeypatch)
    assert made.run(resume=True) == plain


def test_a_table_without_room_is_not_filled(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So every level is compared with those on disk: its successors may be there."""
    made = on_disk(tmp_path / "kept", folder, kind=DiskSearch, model=Turning)
    plain = made.plain()
    made.run(budget=Budget(max_depth=plain.depth // 2))

    def no_room(self: DiskSearch, states: int) -> None:
        raise MemoryError

    monkeypatch.setattr(DiskSearch, "enlarge_for", no_room)
    assert made.run(resume=True, budget=Budget(max_depth=plain.depth + 2)) == plain


def test_stopped_at_any_look_and_again(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every phase, that of the resumption included: the clock is looked at each time."""
    for name in ("MOMENT", "SHARE"):
        monkeypatch.setattr(moment, name, 0.0)
    monkeypatch.setattr(search, "PAUSE", -1.0)
    monkeypatch.setattr(levels_file, "AT_ONCE", 64)
    made, rng = on_disk(tmp_path / "kept", folder, kind=DiskSearch), random.Random(7)
    plain, rounds = made.plain(), 0
    found = made.run(stop=stops_after(60))
    while found.stopped is not None:
        assert found.stopped == Stop(StopKind.REQUESTED, "enough")
        assert 0 < found.states <= plain.states
        rounds += 1
        found = made.run(resume=True, stop=stops_after(rng.randrange(5, 500 * rounds)))
    assert rounds > 2
    assert found == plain


def test_a_limit_of_states_may_be_raised(tmp_path: Path, folder: Path) -> None:
    made = on_disk(tmp_path / "kept", folder, kind=DiskSearch, workers=2)
    plain = made.plain()
    made.run(budget=Budget(max_depth=4))
    with pytest.raises(ModelError, match=r"states already, and --max-states is 50\n"):
        made.run(resume=True, budget=Budget(max_states=50))
    most = Budget(max_states=plain.states // 2)
    found = made.run(resume=True, budget=most)
    left_alone = replace(made, folder=tmp_path / "other").run(budget=most)
    assert (found, found.states) == (left_alone, plain.states // 2)
    assert made.run(resume=True) == plain


# --- files ------------------------------------------------------------------------------------------------------------


LEFT = (
    "  hint: it is left as it is; without --resume, or with another --checkpoint, the search starts from the beginning"
)


def test_damaged_levels_are_refused(tmp_path: Path, folder: Path) -> None:
    """Each kind of damage, with its reason; what follows the levels that are kept does not matter."""
    made = on_disk(tmp_path / "kept", folder)
    made.run(budget=Budget(max_depth=9))
    (levels,) = made.folder.rglob("*.levels")
    whole, rng = levels.read_bytes(), random.Random(5)

    def said(reason: str) -> str:
        return f"{levels}: error DIO223: the checkpoint is refused: {reason}\n{LEFT}"

    for end in (0, rng.randrange(len(whole)), len(whole) - 1):
        levels.write_bytes(whole[:end])
        assert refusal(made) == said("it is cut off")
    for bit in rng.sample(range(8 * len(whole)), 9):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        levels.write_bytes(changed)
        assert refusal(made) == said("it is damaged: its checksum is another")
        assert levels.read_bytes() == changed
    levels.unlink()
    assert refusal(made) == said("it cannot be read: No such file or directory")
    levels.symlink_to(tmp_path / "other")
    assert refusal(made) == said("it cannot be read: Too many levels of symbolic links")
    levels.unlink()
    os.mkfifo(levels)
    assert refusal(made) == said("it is not a regular file")
    levels.unlink()
    levels.write_bytes(whole + b"of a level that was in progress")
    assert made.run(resume=True, budget=Budget(max_depth=9)) == made.plain(Budget(max_depth=9))
    assert levels.read_bytes() == whole
    levels.write_bytes(whole + b"of a level that was in progress")
    made.run(resume=True, budget=Budget(max_depth=12))
    assert levels.read_bytes().startswith(whole)
    assert b"in progress" not in levels.read_bytes()
    assert made.run(resume=True) == made.plain()


def test_damaged_frames_are_refused(tmp_path: Path, folder: Path) -> None:
    made, rng = on_disk(tmp_path / "kept", folder), random.Random(5)
    made.run(budget=Budget(max_depth=9))
    files = [path for path in files_of(made.folder) if path.suffix != ".levels"]
    for file in (files[0], files[1], files[-2], files[-1]):
        whole = file.read_bytes()
        changed = bytearray(whole)
        changed[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        for data in (b"", whole[:-1], bytes(changed)):
            file.write_bytes(data)
            assert file.name in refusal(made)
        file.write_bytes(whole)
    assert made.run(resume=True) == made.plain()


def test_another_process_has_it(tmp_path: Path, folder: Path) -> None:
    made = on_disk(tmp_path / "kept", folder)
    is_refused_while_another_process_has_it(made)


@pytest.mark.parametrize("room", [0, 300])
def test_a_full_disk_ends_the_copy_alone(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    made, left = on_disk(tmp_path / "kept", folder), [room]
    plain, whole = made.plain(), levels_file.write_all

    def full(handle: int, part: bytes) -> None:
        left[0] -= len(part)
        if left[0] < 0:
            whole(handle, part[: len(part) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        whole(handle, part)

    with monkeypatch.context() as patch:
        elsewhere(patch)
        patch.setattr(levels_file, "write_all", full)
        assert made.run() == plain
    (place,) = made.folder.iterdir()
    assert made.said == [f"Steps: no more checkpoints: {place}: No space left on device"]
    assert bool(list(made.folder.rglob("*.levels"))) is (room > 0)
    assert made.run(resume=True) == plain


def test_a_full_disk_leaves_what_is_whole(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, calls = on_disk(tmp_path / "kept", folder), [60]
    plain, whole = made.plain(), os.pwrite

    def full(handle: int, data: bytes, at: int) -> int:
        calls[0] -= 1
        if calls[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(handle, data, at)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        found = made.run()
    assert found.stopped == Stop(StopKind.DISK, f"{folder}: No space left on device")
    assert 0 < found.states < plain.states
    kept = [path.stat().st_size for path in files_of(made.folder) if path.suffix == ".levels"]
    assert kept
    assert kept[0] > 0
    assert made.run(resume=True) == plain


def test_the_cache_keeps_its_room(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the levels counts."""
    from dio_mc.engines.checkpoints import place

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    elsewhere(monkeypatch)
    sizes = list[int]()

    def has_room(self: place.Place, size: int) -> bool:
        sizes.append(size)
        return len(sizes) < 6

    monkeypatch.setattr(place.Place, "has_room", has_room)
    made = replace(on_disk(tmp_path / "kept", folder), after=0.0)
    assert made.run() == made.plain()
    (said,) = made.said
    assert re.fullmatch(r"Steps: no more checkpoints: \S*: less than 1 GiB would be left on the disk", said)
    (levels,) = (tmp_path / "cache").rglob("*.levels")
    assert sizes[1] + sizes[3] == levels.stat().st_size
