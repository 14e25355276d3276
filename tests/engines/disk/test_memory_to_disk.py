"""A search whose memory ends, or that is resumed with its states elsewhere: neither part is lost."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from checkpointing import Searches, copy, files_of, refusal, stops_after
from forgetting import Forgetful, in_memory, on_disk
from several import Every, Turning, asked

from dio_mc.engines import choose, limits
from dio_mc.engines.checkpoints import store
from dio_mc.engines.choose import Run, Strategy
from dio_mc.engines.disk.search import DiskSearch
from dio_mc.engines.native import engine as native_engine
from dio_mc.errors import ModelError
from dio_mc.frontend import build
from dio_mc.semantics.search import Budget, Checkpoints, Exploration
from dio_mc.semantics.stop import Stop, StopKind

pytestmark = pytest.mark.usefixtures("at_every_level")


@pytest.mark.parametrize("kind", [Forgetful, DiskSearch])
def test_a_search_in_memory_goes_on_on_disk(tmp_path: Path, folder: Path, kind: type[DiskSearch]) -> None:
    made = on_disk(tmp_path / "kept", folder, kind=kind)
    plain = made.plain()
    found, kept = in_memory(made).run_killed(tmp_path)
    assert found == plain
    for place in kept[4:14:9]:
        resumed = replace(made, folder=place)
        assert resumed.run(resume=True, budget=Budget(max_depth=15)) == made.plain(Budget(max_depth=15))
        names = {path.name.partition(".")[0] for path in files_of(place)}
        assert names == {"search-disk"}, "what it has taken over is removed"
        assert resumed.run(resume=True) == plain


@pytest.mark.parametrize("kind", [Forgetful, DiskSearch])
def test_what_leads_back_to_levels_of_memory(tmp_path: Path, folder: Path, kind: type[DiskSearch]) -> None:
    made = on_disk(tmp_path / "kept", folder, kind=kind, model=Turning)
    plain = made.plain()
    in_memory(made).run(budget=Budget(max_depth=plain.depth // 2))
    assert made.run(resume=True, budget=Budget(max_depth=plain.depth + 2)) == plain


def test_a_search_in_memory_is_valid_until_the_levels_are_written(tmp_path: Path, folder: Path) -> None:
    made = on_disk(tmp_path / "kept", folder)
    in_memory(made).run(budget=Budget(max_depth=9))
    before = {path.name for path in files_of(made.folder)}
    found = replace(made, every=1e9).run(resume=True, stop=stops_after(1))
    assert found.stopped is not None
    assert {path.name for path in files_of(made.folder)} == before
    assert in_memory(made).run(resume=True) == made.plain()


def test_it_stays_valid_if_there_is_no_room_for_the_other(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = on_disk(tmp_path / "kept", folder)
    in_memory(made).run(budget=Budget(max_depth=9))
    before = {path.name for path in files_of(made.folder)}

    def full(*arguments: object) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_frame", full)
        assert made.run(resume=True) == made.plain()
    assert len(made.said) == 1
    assert {path.name for path in files_of(made.folder)} == {*before, "search-disk.levels"}
    assert in_memory(made).run(resume=True) == made.plain()


def test_a_search_on_disk_does_not_go_on_in_memory(tmp_path: Path, folder: Path) -> None:
    made = on_disk(tmp_path / "kept", folder)
    made.run(budget=Budget(max_depth=9))
    (head,) = made.folder.rglob("search-disk.json")
    assert refusal(in_memory(made)) == (
        f"{head}: error DIO223: the checkpoint is refused: it is of a search on disk, and this one is in memory\n"
        "  hint: with --disk DIR it continues; it is left as it is"
    )
    assert made.run(resume=True) == made.plain()


def forget_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    before = native_engine.search.__defaults__ or ()
    after = tuple(0 if value == native_engine.KEEP else value for value in before)
    monkeypatch.setattr(native_engine.search, "__defaults__", after)


def late(made: Searches, monkeypatch: pytest.MonkeyPatch) -> Searches:
    """In memory, with checkpoints that begin when the first levels have been dropped, and a limit."""
    forget_everything(monkeypatch)
    made = replace(in_memory(made), after=1e9)
    stores = []
    usual = made.store
    monkeypatch.setattr(made, "store", lambda resume: stores.append(usual(resume)) or stores[-1])

    def begin(progress) -> None:
        if progress.depth >= 6:
            object.__setattr__(stores[-1].asked, "after", 0.0)

    made.run(report=begin, budget=Budget(max_depth=9))
    return made


def test_dropped_levels_do_not_go_on_on_disk(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = replace(on_disk(tmp_path / "kept", folder), after=0.0)
    late(made, monkeypatch)
    frame = min((tmp_path / "dio-mc").rglob("search.0*"))
    assert refusal(made) == (
        f"{frame}: error DIO223: the checkpoint is refused: it is of a search in memory, which had dropped its first "
        "levels, and this one is on disk\n  hint: without --disk it continues; it is left as it is"
    )
    assert in_memory(made).run(resume=True) == made.plain()


# --- where memory ends ------------------------------------------------------------------------------------------------


class Overflowing:
    """Checks whose memory ends while they are told of their progress the second time, with checkpoints in `kept`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.patch, self.folder = monkeypatch, folder
        self.kept, self.states = folder / "kept", folder / "states"
        self.notes: list[str] = []

    def run(self, *, resume: bool = False, depth: int | None = None, ends: bool = True, **rest: object) -> Exploration:
        told, began = list[int](), self.states.is_dir()
        full = lambda: ends and len(told) > 8 and (began or not self.states.is_dir())  # noqa: E731
        self.patch.setattr(limits, "resident_bytes", lambda: 2 << 30 if full() else 0)
        request = asked(
            build(Every).program, Budget(max_memory=1 << 30, max_depth=depth), note=self.notes.append,
            report=lambda now: told.append(now.states), checkpoints=Checkpoints(str(self.kept), resume, every=0.0),
        )  # fmt: skip
        strategy = {"overflow": self.states, **rest}
        return Run(request).explore(Strategy("native", **strategy), full=0)


def test_where_memory_ends_the_checkpoint_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = Overflowing(monkeypatch, tmp_path)
    plain = Run(asked(build(Every).program)).explore(Strategy("native"), full=0)
    found = made.run(depth=11)
    assert found.stopped == Stop(StopKind.MAX_DEPTH, 11)
    assert found.resumable
    (note,) = made.notes
    assert re.fullmatch(r"memory ran out at \d+ states: the search went on with its states on disk", note)
    assert {path.name.partition(".")[0] for path in files_of(made.kept)} == {"search-disk"}
    again = made.run(resume=True, ends=False)
    assert replace(again, resumable=False) == plain
    assert len(made.notes) == 1, "it was on disk, and is there again at once"


def test_where_it_was_on_disk_and_may_not_be(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = Overflowing(monkeypatch, tmp_path)
    made.run(depth=11)
    with pytest.raises(ModelError, match=r"DIO223.*: it is of a search on disk, and this one is in memory"):
        made.run(resume=True, overflow=None)
    found = made.run(resume=True, ends=False, overflow=None, disk=folder)
    assert replace(found, resumable=False) == Run(asked(build(Every).program)).explore(Strategy("native"), full=0)


def test_a_checkpoint_that_cannot_go_on_is_left(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The search on disk begins anew beside it."""
    made = Overflowing(monkeypatch, tmp_path)
    read = choose.Run._keeper

    def refused(self, *arguments, **where):
        if where.get("on_disk") and not where.get("anew"):
            raise ModelError([])
        return read(self, *arguments, **where)

    monkeypatch.setattr(choose.Run, "_keeper", refused)
    found = made.run(depth=11)
    assert found.stopped == Stop(StopKind.MAX_DEPTH, 11)
    (note,) = made.notes
    assert note.endswith("the search restarted with its states on disk")
    monkeypatch.setattr(choose.Run, "_keeper", read)
    assert {path.name.partition(".")[0] for path in files_of(made.kept)} == {"search", "search-disk"}
    plain = Run(asked(build(Every).program)).explore(Strategy("native"), full=0)
    assert replace(made.run(resume=True, ends=False), resumable=False) == plain


@pytest.mark.parametrize(("depth", "is_larger"), [(4, False), (9, True)])
def test_of_two_parts_the_larger_goes_on(tmp_path: Path, folder: Path, depth: int, is_larger: bool) -> None:
    """Memory ended, and the search that began anew on disk was killed."""
    made = on_disk(tmp_path / "kept", folder)
    in_memory(made).run(budget=Budget(max_depth=8))
    begun = replace(made, folder=tmp_path / "begun")
    begun.run(budget=Budget(max_depth=depth))
    copy(begun.folder, made.folder)
    found = made.store(resume=True)
    assert found.has_on_disk("search") is is_larger
    for head in made.folder.rglob("search-disk.json"):
        head.write_text("torn")
    assert found.has_on_disk("search"), "so that it is refused, not forgotten"
    assert not made.store(resume=False).has_on_disk("search")
