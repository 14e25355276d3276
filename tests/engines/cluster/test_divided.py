"""States divided among parts: the answer is that of one machine, whatever dies, and less with the reason otherwise."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from asking import prepare
from parts_here import Kill, PartsHere
from several import EVERY, Every, Lasting, Turning, asked

from dio_mc import Model
from dio_mc.checking.expectations import bindings_of
from dio_mc.engines import choose
from dio_mc.engines.choose import Run, Strategy
from dio_mc.engines.cluster import partition, search
from dio_mc.engines.cluster.files import LevelFiles
from dio_mc.engines.cluster.messages import Share
from dio_mc.engines.cluster.search import ClusterSearch
from dio_mc.engines.disk import files as disk_files
from dio_mc.engines.disk.files import Coder, Cut
from dio_mc.engines.disk.sorting import Sorter
from dio_mc.engines.native import moment
from dio_mc.engines.native.boxes import part_of
from dio_mc.engines.native.memory import Region
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.search import NO_REDUCTION, Budget, Exploration, OnRay, Reductions, unheard
from dio_mc.semantics.stop import OUT_OF_MEMORY, Stop, StopKind
from dio_mc.trace.replay import build_trace

MODELS = Path(__file__).resolve().parents[3] / "models"
SHIPPED = (
    "seed/ext3_2_6_18.py",
    "history/r12_ack_before_conversion.py",
    "toys/philosophers.py",
    "toys/readers_writers.py",
)
BOTH = Reductions(symmetry=True, partial_order=True)

Divided = Callable[..., tuple[Exploration, PartsHere]]


@pytest.fixture
def divided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Divided:
    """Searches with parts in this process, and the parts of the last one."""

    def explore(
        program: Program, parts: int = 2, budget: Budget | None = None, *, reductions: Reductions = NO_REDUCTION,
        kill: Kill | None = None, lost: bool = False, **rest: object,
    ) -> tuple[Exploration, PartsHere]:  # fmt: skip
        made: list[PartsHere] = []

        def on_ray(ray: OnRay, folder: Path | None, budget: Budget):
            def connect(module, by, exceeded):
                share = Share(module, by, ray.workers or 1, str(folder), str(len(made)), budget.max_memory)
                made.append(PartsHere(share, kill, lost=lost))
                return made[-1]

            return lambda *arguments: ClusterSearch(*arguments, connect=connect)

        monkeypatch.setattr(choose, "on_ray", on_ray)
        monkeypatch.setattr(choose, "SOON", 0)
        strategy = Strategy("native", 1, reductions, disk=tmp_path, ray=OnRay(None, parts))
        found = Run(asked(program, budget, **rest)).explore(strategy, full=0)
        assert not list(tmp_path.iterdir()), "files of levels are removed"
        return found, made[-1] if made else None

    return explore


def on_one(program: Program, reductions: Reductions = NO_REDUCTION, budget: Budget | None = None) -> Exploration:
    return Run(asked(program, budget)).explore(Strategy("native", 1, reductions), full=0)


# --- the same answer --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_say_the_same(divided: Divided, name: str) -> None:
    seen = 0
    for model in load_module(str(MODELS / name)).models:
        for params, _ in bindings_of(model, {}):
            program = build(model, params).program
            reductions = (NO_REDUCTION, BOTH)[seen % 2]
            found, parts = divided(program, 2 + seen % 2, reductions=reductions)
            assert found == on_one(program, reductions)
            seen += parts is not None
    assert seen


@pytest.mark.parametrize("reductions", [NO_REDUCTION, BOTH], ids=["in full", "reduced"])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_every_kind_of_violation(divided: Divided, parts: int, reductions: Reductions) -> None:
    program = build(Every).program
    found, _ = divided(program, parts, reductions=reductions)
    assert found == on_one(program, reductions)
    assert {violation.property.partition("@")[0] for violation in found.violations} == EVERY
    for violation in found.violations:
        build_trace(program, violation, engine="native")


@pytest.mark.parametrize("boxes", [1, 1 << 12])
def test_boxes_that_are_full_are_emptied_amid_a_round(
    divided: Divided, monkeypatch: pytest.MonkeyPatch, boxes: int
) -> None:
    monkeypatch.setattr(partition, "BOXES", boxes)
    program = build(Turning).program
    expected = on_one(program)
    found, parts = divided(program, 3)
    assert found == expected
    few = Counter(name for _, name in parts.asked)["expand"]
    monkeypatch.setattr(partition, "ROUND", 5)
    assert divided(program, 3)[0] == expected
    assert few >= 3 * 2 * expected.depth


@pytest.mark.parametrize("depth", [0, 1, 9])
def test_a_limit_of_depth(divided: Divided, depth: int) -> None:
    program, budget = build(Every).program, Budget(max_depth=depth)
    found, _ = divided(program, 2, budget)
    assert found == on_one(program, budget=budget)
    assert found.coverage.distinct


def test_first(divided: Divided) -> None:
    program = build(Every).program
    expected = Run(asked(program, first=True)).explore(Strategy("native"), full=0)
    assert divided(program, first=True)[0] == expected


def test_states_are_where_their_hash_says(tmp_path: Path, divided: Divided, monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[tuple[int, int]] = []

    def write(self: LevelFiles, depth: int, address: int, count: int) -> None:
        keys = [self._coder.sorter.key(address, number) for number in range(count)]
        places.extend((self._number, part_of(key, 3)) for key in keys)
        whole(self, depth, address, count)

    whole = LevelFiles.write
    monkeypatch.setattr(LevelFiles, "write", write)
    found, _ = divided(build(Every).program, 3)
    assert len(places) == found.states
    assert all(part == belongs for part, belongs in places)
    assert min(Counter(part for part, _ in places).values()) > found.states // 4


@pytest.mark.parametrize("words", [1, 2, 5])
def test_parts_are_of_about_one_size(words: int) -> None:
    counts = Counter(part_of([1 << 63 | n, *[n % 7] * (words - 1)], 7) for n in range(7000))
    assert sorted(counts) == list(range(7))
    assert max(counts.values()) < 1300


def test_a_limit_of_states_is_for_one_machine(divided: Divided, tmp_path: Path) -> None:
    program, budget, notes = build(Every).program, Budget(max_states=200), []
    found, parts = divided(program, 2, budget, note=notes.append)
    assert found == Run(asked(program, budget)).explore(Strategy("native", disk=tmp_path), full=0)
    assert parts is None
    assert notes == [choose.IN_ORDER]


def test_lasting_properties_are_for_the_reference_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose, "FULL", 100)
    notes: list[str] = []
    Run(asked(build(Lasting).program, note=notes.append)).explore(Strategy(ray=OnRay()))
    assert notes == ["all states were kept in memory: the reference engine does not search on Ray"]


# --- deaths -----------------------------------------------------------------------------------------------------------


def nth(name: str, number: int) -> Kill:
    """Kill whoever is asked this for the n-th time."""
    asked_ = Counter[str]()

    def kill(part: int, what: str, arguments: tuple[object, ...]) -> bool:
        asked_[what] += 1
        return what == name and asked_[name] == number

    return kill


@pytest.mark.parametrize("lost", [False, True], ids=["files", "no files"])
@pytest.mark.parametrize("number", [1, 2, 17, 24])
@pytest.mark.parametrize("name", ["offer", "begin", "expand", "take", "level", "save"])
def test_whoever_dies_the_level_is_done_again(divided: Divided, name: str, number: int, lost: bool) -> None:
    if name == "offer" and number > 2:
        return
    program = build(Every).program
    found, parts = divided(program, 2, kill=nth(name, number), lost=lost)
    assert parts.deaths == 1
    assert found == on_one(program)


@pytest.mark.parametrize("lost", [False, True], ids=["files", "no files"])
@pytest.mark.parametrize("name", ["restore", "offer", "begin", "take", "save"])
def test_whoever_dies_while_another_is_restored(divided: Divided, name: str, lost: bool) -> None:
    if name == "offer" and not lost:
        return
    deaths: list[str] = []

    def kill(part: int, what: str, arguments: tuple[object, ...]) -> bool:
        first = not deaths and what == "begin" and arguments[1:] == (9,)
        second = len(deaths) == 1 and what == name and part == (name != "restore")
        deaths.extend([what] * (first or second))
        return first or second

    program = build(Every).program
    found, _ = divided(program, 2, kill=kill, lost=lost)
    assert deaths == ["begin", name]
    assert found == on_one(program)


def test_files_of_other_states_are_not_believed(divided: Divided, tmp_path: Path) -> None:
    program, killed = build(Every).program, []

    def kill(part: int, what: str, arguments: tuple[object, ...]) -> bool:
        if killed or what != "begin" or arguments[1:] != (9,):
            return False
        killed.append(part)
        (other,) = tmp_path.glob(f"*/part-{part}-level-3")
        shutil.copy(other, other.with_name(f"part-{part}-level-8"))
        return True

    found, _ = divided(program, 2, kill=kill)
    assert killed
    assert found == on_one(program)


@pytest.mark.parametrize("reductions", [NO_REDUCTION, BOTH], ids=["in full", "reduced"])
def test_a_death_in_every_level(divided: Divided, reductions: Reductions) -> None:
    count = Counter[str]()

    def kill(part: int, what: str, arguments: tuple[object, ...]) -> bool:
        count[what] += 1
        return what == "take" and count[what] % 13 == 0

    program = build(Turning).program
    found, parts = divided(program, 3, kill=kill, reductions=reductions)
    assert parts.deaths > 5
    assert found == on_one(program, reductions)


def test_a_part_that_dies_again_and_again(divided: Divided) -> None:
    found, parts = divided(build(Every).program, kill=lambda part, what, _: what == "level" and part == 1)
    assert parts.deaths == search.DEATHS + 1
    assert found.stopped == Stop(StopKind.RAY, f"workers have died {parts.deaths} times in level 0: killed")
    assert not found.violations


def test_a_death_on_the_way_back_leaves_the_violation(divided: Divided) -> None:
    program = build(Every).program
    found, _ = divided(program, kill=nth("scan", 3))
    assert found.stopped == Stop(StopKind.RAY, "a worker has died: killed")
    shown = {violation.property for violation in found.violations}
    assert shown | set(found.unshown) == {violation.property for violation in on_one(program).violations}
    assert found.unshown


# --- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("questions", [1, 7, 60, 200])
def test_what_was_found_when_a_limit_ended_it_is_told(divided: Divided, questions: int) -> None:
    program, count = build(Every).program, Counter[str]()

    def kill(part: int, what: str, arguments: tuple[object, ...]) -> bool:
        count["asked"] += 1
        return False

    found, _ = divided(program, kill=kill, stop=lambda: "Ctrl-C" if count["asked"] >= questions else None)
    expected = on_one(program)
    assert found.stopped == Stop(StopKind.REQUESTED, "Ctrl-C")
    assert found.states < expected.states
    assert {v.property for v in found.violations} <= {v.property for v in expected.violations}
    assert not found.unshown
    assert bool(found.violations) == (questions > 50)


def test_a_part_without_memory(divided: Divided, monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(range(30))

    def expand(self: partition.Partition) -> None:
        if next(left, None) is None:
            raise MemoryError
        whole(self)

    whole = partition.Partition._expand_some
    monkeypatch.setattr(partition.Partition, "_expand_some", expand)
    found, _ = divided(build(Every).program)
    assert found.stopped == OUT_OF_MEMORY
    assert 0 < found.states < 756


def test_a_full_disk(divided: Divided, monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter(range(60))

    def pwrite(*arguments: object) -> int:
        if next(left, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return whole(*arguments)

    whole = os.pwrite
    monkeypatch.setattr(disk_files.os, "pwrite", pwrite)
    found, _ = divided(build(Every).program)
    assert found.stopped is not None
    assert found.stopped.kind is StopKind.RAY
    assert str(found.stopped).endswith(f": {os.strerror(errno.ENOSPC)}")
    assert found.states > 10


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def level(tmp_path: Path) -> Path:
    with closing(Region(1 << 20)) as region:
        coder = Coder(Sorter(1, unheard), 64)
        (words := (partition.ctypes.c_uint64 * 1000).from_address(region.address))[:] = range(5, 5005, 5)
        assert len(words) == 1000
        LevelFiles(tmp_path, 3, coder).write(7, region.address, 1000)
    return tmp_path / "part-3-level-7"


def read(level: Path) -> list[int]:
    found: list[int] = []
    with closing(Region(1 << 20)) as region:
        for count in LevelFiles(level.parent, 3, Coder(Sorter(1, unheard), 64)).pieces(7, region, 200):
            found += (partition.ctypes.c_uint64 * count).from_address(region.address)
    return found


def test_a_level_is_read_as_it_was_written(level: Path) -> None:
    assert read(level) == list(range(5, 5005, 5))
    assert [path.name for path in level.parent.iterdir()] == [level.name]


def test_a_level_that_was_changed_is_refused(level: Path) -> None:
    data = level.read_bytes()
    for at in (*range(0, len(data), 31), *range(len(data) - 17, len(data))):
        level.write_bytes(data[:at] + bytes([data[at] ^ 8]) + data[at + 1 :])
        with pytest.raises(Cut, match="what was written is not there any more"):
            read(level)
    for at in (0, 5, len(data) - 1):
        level.write_bytes(data[:at])
        with pytest.raises(Cut):
            read(level)
    level.unlink()
    with pytest.raises(Cut, match="No such file"):
        read(level)


def test_nothing_but_models(divided: Divided) -> None:
    """A program goes to another process without the classes of the model's file."""
    program = build(Every).program
    module = prepare(program, divided=True, quick=True).module
    assert Every.__module__.encode() not in pickle.dumps(module).replace(program.file.encode(), b"")
    assert issubclass(Every, Model)
    assert moment.MOMENT > 0
