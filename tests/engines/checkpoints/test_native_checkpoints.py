"""A search in machine code that is ended and goes on gives the answer of one that was not."""

import ctypes
import random
from dataclasses import replace
from pathlib import Path

import asking
import pytest
import random_symmetric
from checkpointing import Searches, files_of, is_refused_while_another_process_has_it, searches
from random_independent import evaluators_of
from random_programs import random_program

from dio_mc.engines.checkpoints.frame import Frame
from dio_mc.engines.native import engine as native_engine
from dio_mc.engines.native.memory import Region
from dio_mc.engines.native.prepared import Reduced
from dio_mc.errors import ModelError
from dio_mc.semantics.search import Budget
from dio_mc.semantics.stop import Stop, StopKind, requested

pytestmark = pytest.mark.usefixtures("at_every_level")


@pytest.fixture(autouse=True, scope="module")
def _own_cache(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def forget_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """No level is kept for counterexamples."""
    before = native_engine.search.__defaults__ or ()
    assert before.count(native_engine.KEEP) == 1
    after = tuple(0 if value == native_engine.KEEP else value for value in before)
    monkeypatch.setattr(native_engine.search, "__defaults__", after)


def all_the_same(made: Searches, copies: Path, workers: tuple[int, ...] = (1,)) -> int:
    """Kill the search at every level, and go on; how many there are."""
    plain = made.plain()
    found, kept = made.run_killed(copies)
    assert found == plain
    for number, folder in enumerate(kept):
        count = workers[number % len(workers)]
        resumed = replace(made, folder=folder, every=1e9).run(resume=True, workers=count)
        assert resumed == plain, f"{number}, {count} workers"
    return len(kept)


@pytest.mark.parametrize(("way", "workers"), [("full", 1), ("full", 2), ("symmetry", 2), ("partial order", 1)])
def test_killed_at_every_level(tmp_path: Path, way: str, workers: int) -> None:
    made = searches(tmp_path / "kept", way, workers)
    assert all_the_same(made, tmp_path, (1, 2)) > 8


@pytest.mark.parametrize("way", ["full", "symmetry"])
def test_levels_that_are_forgotten(tmp_path: Path, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = searches(tmp_path / "kept", way)
    forget_everything(monkeypatch)
    assert all_the_same(made, tmp_path) > 8


def test_no_level_is_forgotten_before_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With memory that is given back to the byte, not to the page."""
    monkeypatch.setattr(Region, "forget", lambda self, start, end: ctypes.memset(self.address + start, 0, end - start))
    forget_everything(monkeypatch)
    made = searches(tmp_path / "kept", every=1e9)
    made.run(budget=Budget(max_depth=12))
    frames = [Frame(path) for path in files_of(made.folder) if path.suffix != ".json"]
    assert [frame.about["gathered"] for frame in frames] == [0]
    assert made.run(resume=True) == made.plain()


@pytest.mark.parametrize("seed", range(6))
def test_random_programs(tmp_path: Path, seed: int) -> None:
    program = random_program(seed) if seed % 2 else random_symmetric.random_program(seed)
    evaluators = evaluators_of(program, seed)
    prepared = asking.prepare(program, evaluators, quick=True)
    made = Searches(prepared, evaluators, tmp_path / "kept")
    all_the_same(made, tmp_path)


def test_stopped_amid_a_level_and_again(tmp_path: Path) -> None:
    made = searches(tmp_path / "kept")
    plain = made.plain()
    looks = iter(range(1 << 30))
    rng = random.Random(7)
    found, rounds = made.run(stop=lambda: "enough" if next(looks) > 4 else None), 0
    while found.stopped is not None and rounds < 40:
        assert found.stopped == requested("enough")
        looks, most = iter(range(1 << 30)), rng.randrange(2, 9) + 2 * rounds
        found = made.run(resume=True, stop=lambda: "enough" if next(looks) > most else None)  # noqa: B023
        rounds += 1
    assert rounds > 3
    assert found == plain


def test_the_first_minute_is_taken_from_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels that are forgotten when checkpoints begin."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(Region, "forget", lambda self, start, end: ctypes.memset(self.address + start, 0, end - start))
    forget_everything(monkeypatch)
    made = searches(tmp_path / "unused", after=1e9)
    plain = made.plain()
    begun: list[int] = []

    def begin(progress) -> None:
        if progress.depth >= 6 and not begun:
            begun.append(progress.depth)
            object.__setattr__(stores[-1].asked, "after", 0.0)

    stores = []
    store = made.store
    monkeypatch.setattr(made, "store", lambda resume: stores.append(store(resume)) or stores[-1])
    found = made.run(report=begin, stop=lambda: "enough" if begun and len(begun) + looked(begun) > 3 else None)
    assert found.stopped is not None
    assert made.run(resume=True) == plain


def looked(times: list[int]) -> int:
    times.append(0)
    return 0


def test_limits_may_be_raised_but_not_lowered(tmp_path: Path) -> None:
    made = searches(tmp_path / "kept")
    plain = made.plain()
    few = plain.states // 3
    found = made.run(budget=Budget(max_states=few))
    assert found.stopped == Stop(StopKind.MAX_STATES, few)
    with pytest.raises(ModelError, match=r"states already, and --max-states is 50\n"):
        made.run(resume=True, budget=Budget(max_states=50))
    with pytest.raises(ModelError, match=r"levels deep already, and --max-depth is 1\n"):
        made.run(resume=True, budget=Budget(max_depth=1))
    most = Budget(max_states=plain.states // 2)
    assert made.run(resume=True, budget=most) == made.plain(most)
    deep = Budget(max_depth=plain.depth - 1)
    assert made.run(resume=True, budget=deep) == made.plain(deep)
    assert made.run(resume=True) == plain


def test_what_two_workers_found_has_no_order(tmp_path: Path) -> None:
    made = searches(tmp_path / "kept", workers=2)
    made.run(budget=Budget(max_depth=9))
    with pytest.raises(ModelError, match="it was written with --workers"):
        made.run(resume=True, budget=Budget(max_states=100_000), workers=1)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    """Every file cut off and with bits that flipped: refused with the reason, or the same answer."""
    made = searches(tmp_path / "kept")
    made.run(budget=Budget(max_depth=12))
    plain, rng = made.plain(), random.Random(5)
    files = files_of(made.folder)
    assert len(files) > 5
    for file in [*files[:3], *files[-2:]]:
        whole = file.read_bytes()
        cut = [whole[: rng.randrange(len(whole))] for _ in range(4)]
        flipped = [_flipped(whole, rng.randrange(8 * len(whole))) for _ in range(8)]
        for data in [b"", *cut, *flipped, whole + b"\0" * 8]:
            file.write_bytes(data)
            with pytest.raises(ModelError, match="error DIO223: the checkpoint is refused: ") as refusal:
                made.run(resume=True)
            assert file.name in str(refusal.value)
        file.write_bytes(whole)
    assert made.run(resume=True) == plain


def _flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def test_a_file_that_is_gone_or_another_is_refused(tmp_path: Path) -> None:
    made = searches(tmp_path / "kept")
    made.run(budget=Budget(max_depth=9))
    frames = [path for path in files_of(made.folder) if path.suffix != ".json"]
    first = frames[1].read_bytes()
    frames[1].write_bytes(frames[2].read_bytes())
    with pytest.raises(ModelError, match="refused: it does not follow the file before"):
        made.run(resume=True)
    frames[1].unlink()
    with pytest.raises(ModelError, match=r"refused: it cannot be read: .*No such file or directory"):
        made.run(resume=True)
    frames[1].symlink_to(frames[2])
    with pytest.raises(ModelError, match=r"refused: it cannot be read: .*symbolic links"):
        made.run(resume=True)
    frames[1].unlink()
    frames[1].write_bytes(first)
    assert made.run(resume=True) == made.plain()


def test_a_search_of_another_kind_is_refused(tmp_path: Path) -> None:
    made = searches(tmp_path / "kept")
    made.run(budget=Budget(max_depth=9))
    reduced = replace(made, by=Reduced(symmetry=True))
    with pytest.raises(ModelError, match="it is of a search of all states, and this is one reduced by symmetry"):
        reduced.run(resume=True)
    program = made.prepared.interpreter.program
    other = replace(made.prepared.interpreter.program, digest="other")
    made.prepared.interpreter.program = other
    with pytest.raises(ModelError, match="refused: the model has changed since"):
        made.run(resume=True)
    made.prepared.interpreter.program = program
    assert made.run(resume=True) == made.plain()


def test_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dio_mc.engines.checkpoints import frame, store

    made = searches(tmp_path / "kept")
    made.run(budget=Budget(max_depth=9))
    with monkeypatch.context() as patch:
        patch.setattr(store, "__version__", "99.0")
        with pytest.raises(ModelError, match=r"refused: it was written by dio-mc [0-9.a-z]+, and this is 99\.0"):
            made.run(resume=True)
    monkeypatch.setattr(frame, "FORMAT", 2)
    with pytest.raises(ModelError, match="refused: it has format 1, and this version of dio-mc reads format 2"):
        made.run(resume=True)


def test_a_checkpoint_in_the_way_is_left_alone(tmp_path: Path) -> None:
    made = searches(tmp_path / "kept")
    made.run(budget=Budget(max_depth=9))
    before = [path.read_bytes() for path in files_of(made.folder)]
    with pytest.raises(ModelError, match="DIO224: there is a checkpoint already"):
        made.run()
    assert [path.read_bytes() for path in files_of(made.folder)] == before


def test_two_processes_do_not_share_a_folder(tmp_path: Path) -> None:
    made = searches(tmp_path / "kept")
    is_refused_while_another_process_has_it(made)


def test_a_folder_that_others_may_write_to_is_refused(tmp_path: Path) -> None:
    made = searches(tmp_path / "kept")
    made.run(budget=Budget(max_depth=9))
    next(made.folder.iterdir()).chmod(0o777)
    with pytest.raises(ModelError, match=r"DIO223.*others may write to it"):
        made.run(resume=True)


def test_a_disk_that_is_full_ends_checkpoints_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dio_mc.engines.checkpoints import frame

    made = searches(tmp_path / "kept")
    plain, whole, left = made.plain(), frame.write_all, [20_000]

    def full(handle, part):
        left[0] -= len(part)
        if left[0] < 0:
            raise OSError(28, "No space left on device")
        whole(handle, part)

    with monkeypatch.context() as patch:
        patch.setattr(frame, "write_all", full)
        assert made.run() == plain
    assert len(made.said) == 1
    assert "no more checkpoints: " in made.said[0]
    assert "No space left" in made.said[0]
    assert made.run(resume=True) == plain


def test_a_folder_that_cannot_be_made_ends_checkpoints_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = searches(tmp_path / "file" / "kept")
    assert made.run() == made.plain()
    assert len(made.said) == 1
    assert "Not a directory" in made.said[0]
