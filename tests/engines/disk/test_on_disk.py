"""A search on disk gives the answer of one in memory, whatever the disk does: the whole, or less and the reason."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from forgetting import forgetting
from several import NAMES, Every, Lasting, Turning, asked

from dio_mc.checking.expectations import bindings_of
from dio_mc.cli import cli
from dio_mc.engines import choose, limits
from dio_mc.engines.choose import Run, Strategy
from dio_mc.engines.disk import search
from dio_mc.engines.native import moment
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.search import Budget, Exploration
from dio_mc.semantics.stop import Stop, StopKind
from dio_mc.trace.replay import build_trace

MODELS = Path(__file__).resolve().parents[3] / "models"
SHIPPED = ("seed/ext3_2_6_18.py", "history/r12_ack_before_conversion.py", "toys/philosophers.py")


def in_memory(program: Program) -> Exploration:
    return Run(asked(program)).explore(Strategy("native"), full=0)


def on_disk(
    program: Program, folder: Path, workers: int = 1, budget: Budget | None = None, **rest: object
) -> Exploration:
    return Run(asked(program, budget, **rest)).explore(Strategy("native", workers, disk=folder), full=0)


@pytest.fixture
def folder() -> Iterator[Path]:
    with forgetting() as folder:
        yield folder
        assert not list(folder.iterdir())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_say_the_same(folder: Path, name: str) -> None:
    seen = 0
    for model in load_module(str(MODELS / name)).models:
        for params, _ in bindings_of(model, {}):
            program = build(model, params).program
            try:
                expected = in_memory(program)
            except AssertionError:
                continue
            found = on_disk(program, folder, workers=1 + seen % 2)
            assert found == expected
            seen += 1
    assert seen


@pytest.mark.parametrize("workers", [1, 2])
def test_every_kind_of_violation(folder: Path, workers: int) -> None:
    program = build(Every).program
    found = on_disk(program, folder, workers)
    assert found == in_memory(program)
    assert {violation.property.partition("@")[0] for violation in found.violations} == NAMES | {"index"}
    assert all(violation.canonical for violation in found.violations)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_leads_back(folder: Path, workers: int) -> None:
    program = build(Turning).program
    expected = in_memory(program)
    assert on_disk(program, folder, workers, Budget(max_depth=expected.depth + 2)) == expected
    assert expected.transitions > 2 * expected.states


# --- what a disk does -------------------------------------------------------------------------------------------------


class Disk:
    """Calls the system, but for what goes wrong at the call of a number, and at those after it."""

    def __init__(
        self, name: str, at: int, wrong: Callable[[Callable[..., object], tuple[object, ...]], object]
    ) -> None:
        self.call, self.at, self.wrong, self.calls = getattr(os, name), at, wrong, 0

    def __call__(self, *arguments: object) -> object:
        self.calls += 1
        return self.call(*arguments) if self.calls < self.at else self.wrong(self.call, arguments)


def full(call: Callable[..., object], arguments: tuple[object, ...]) -> object:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def a_byte(call: Callable[..., int], arguments: tuple[int, bytes, int]) -> int:
    number, data, at = arguments
    return call(number, data[:1], at)


def less(call: Callable[..., bytes], arguments: tuple[int, int, int]) -> bytes:
    number, size, start = arguments
    return call(number, max(size // 2, 1), start)


def changed(call: Callable[..., bytes], arguments: tuple[int, int, int]) -> bytes:
    data = bytearray(call(*arguments))
    data[len(data) // 2] ^= 1
    return bytes(data)


def nothing(call: Callable[..., bytes], arguments: tuple[int, int, int]) -> bytes:
    return b""


def is_part_of(found: Exploration, whole: Exploration, program: Program) -> None:
    """What is violated there is violated, and every schedule shown is one."""
    expected = {violation.property: violation for violation in whole.violations}
    assert {violation.property for violation in found.violations} | set(found.unshown) <= set(expected)
    for violation in found.violations:
        build_trace(program, violation, engine=found.engine)
        if violation.canonical:
            assert violation == expected[violation.property]
    assert found.states <= whole.states
    assert 0 <= found.open <= found.states


@pytest.mark.parametrize(
    ("name", "wrong", "reason"),
    [
        ("pwrite", full, os.strerror(errno.ENOSPC)),
        ("pread", changed, "what was written is not there any more"),
        ("pread", nothing, "what was written is not there any more"),
    ],
    ids=["full", "changed", "gone"],
)
def test_a_disk_that_fails_ends_the_search(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, wrong: Callable[..., object], reason: str
) -> None:
    """At any of its calls. What was found by then is told."""
    program = build(Every).program
    whole, known = in_memory(program), set[str]()
    counting = Disk(name, 1 << 60, wrong)
    monkeypatch.setattr(os, name, counting)
    assert on_disk(program, folder) == whole
    for at in sorted({1, 2, *range(3, counting.calls, counting.calls // 5), counting.calls}):
        monkeypatch.setattr(os, name, disk := Disk(name, at, wrong))
        disk.call = counting.call
        found = on_disk(program, folder)
        assert found.stopped == Stop(StopKind.DISK, f"{folder}: {reason}")
        is_part_of(found, whole, program)
        now = {violation.property for violation in found.violations} | set(found.unshown)
        assert known <= now
        known = now
    assert known == {violation.property for violation in whole.violations}


@pytest.mark.parametrize(("name", "wrong"), [("pwrite", a_byte), ("pread", less)], ids=["written", "read"])
def test_a_little_at_a_time_is_enough(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, wrong: Callable[..., object]
) -> None:
    program = build(Every).program
    expected = in_memory(program)
    monkeypatch.setattr(os, name, Disk(name, 1, wrong))
    assert on_disk(program, folder) == expected


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    program = build(Every).program
    found = on_disk(program, tmp_path / "none")
    assert found.stopped == Stop(StopKind.DISK, f"{tmp_path / 'none'}: {os.strerror(errno.ENOENT)}")
    assert not found.violations


# --- limits -----------------------------------------------------------------------------------------------------------


def test_every_look_ends_the_search(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every phase, merging included: the clock is looked at each time."""
    for name in ("MOMENT", "SHARE"):
        monkeypatch.setattr(moment, name, 0.0)
    monkeypatch.setattr(search, "PAUSE", -1.0)
    program = build(Every).program
    whole, looks = in_memory(program), list[int]()

    def counted() -> None:
        looks.append(1)

    on_disk(program, folder, stop=counted)
    ended = set[int]()
    for at in range(1, len(looks), len(looks) // 10):
        left = iter(range(at))
        found = on_disk(program, folder, stop=lambda left=left: None if next(left, None) is not None else "enough")
        is_part_of(found, whole, program)
        if found.stopped is None:  # it was ended on the way back
            assert found.states == whole.states
            told = {violation.property for violation in found.violations} | set(found.unshown)
            assert told == {violation.property for violation in whole.violations}
        else:
            assert found.stopped == Stop(StopKind.REQUESTED, "enough")
        ended.add(found.states)
    assert len(ended) > 4


@pytest.mark.parametrize("most", [1, 50, 400])
def test_a_limit_of_states(folder: Path, most: int) -> None:
    program = build(Every).program
    found = on_disk(program, folder, budget=Budget(max_states=most))
    assert found.stopped == Stop(StopKind.MAX_STATES, most)
    assert 0 < found.states <= most
    is_part_of(found, in_memory(program), program)


def test_a_limit_of_depth(folder: Path) -> None:
    program = build(Every).program
    expected = Run(asked(program, Budget(max_depth=9))).explore(Strategy("native"), full=0)
    assert on_disk(program, folder, budget=Budget(max_depth=9)) == expected


# --- what is said -----------------------------------------------------------------------------------------------------


def test_where_memory_ends_disks_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = list[str]()
    begun = list[object]()
    monkeypatch.setattr(limits, "resident_bytes", lambda: 2 << 30 if begun else 0)
    request = asked(build(Every).program, Budget(max_memory=1 << 30), note=notes.append, report=begun.append)
    found = Run(request).explore(Strategy("native"), full=0)
    assert found.stopped == Stop(StopKind.MAX_MEMORY, 1 << 30)
    assert notes == ["with --disk DIR the search keeps its states on disk, and memory does not end it"]


def ended_by_memory(monkeypatch: pytest.MonkeyPatch, overflow: Path, *, once: bool) -> tuple[Exploration, list[str]]:
    """A search in memory that is ended in its second level; one on disk is, too, unless that happens `once`."""
    notes = list[str]()
    told = list[int]()

    def resident() -> int:
        on_disk = once and (overflow / "states").is_dir()
        return 2 << 30 if told and not on_disk else 0

    monkeypatch.setattr(limits, "resident_bytes", resident)
    request = asked(
        build(Every).program, Budget(max_memory=1 << 30), note=notes.append, report=lambda now: told.append(now.states)
    )
    return Run(request).explore(Strategy("native", overflow=overflow / "states"), full=0), notes


def test_where_memory_ends_the_disk_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found, notes = ended_by_memory(monkeypatch, tmp_path, once=True)
    monkeypatch.undo()
    assert found == in_memory(build(Every).program)
    (note,) = notes
    assert re.fullmatch(r"memory ran out at \d+ states: the search restarted with its states on disk", note)
    assert not list((tmp_path / "states").iterdir())


def test_what_memory_held_is_told_where_the_disk_gets_no_further(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found, (note,) = ended_by_memory(monkeypatch, tmp_path, once=False)
    assert found.stopped == Stop(StopKind.MAX_MEMORY, 1 << 30)
    assert note == "the search restarted with its states on disk and got no further: --max-memory 1G"


def test_a_disk_that_nobody_named_is_not_filled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(choose, "LEAST_FREE", 2 * free)
    found, (note,) = ended_by_memory(monkeypatch, tmp_path, once=True)
    assert found.stopped == Stop(StopKind.MAX_MEMORY, 1 << 30)
    assert f"got no further: --disk {tmp_path / 'states'}: less than " in note
    assert note.endswith(" would stay free")


def test_no_folder_for_the_states(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "states").touch()
    found, notes = ended_by_memory(monkeypatch, tmp_path, once=True)
    assert found.stopped == Stop(StopKind.MAX_MEMORY, 1 << 30)
    assert notes == [
        f"the states could not be kept on disk: {tmp_path / 'states'}: File exists; --disk DIR names a folder"
    ]


@pytest.mark.parametrize(("setting", "goes_on"), [((), True), (("--disk", "off"), False)])
def test_the_command_goes_on_unless_told_not_to(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, setting: tuple[str, ...], goes_on: bool
) -> None:
    states = tmp_path / "dio-mc" / "states"
    large = list[int]()
    usual = choose.Run._compiled

    def begun(run: Run, *arguments: Any) -> Exploration:
        if arguments[-1] == "search":
            large.append(1)
        return usual(run, *arguments)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(choose.Run, "_compiled", begun)
    monkeypatch.setattr(choose, "FULL", 20)
    monkeypatch.setattr(limits, "resident_bytes", lambda: 2 << 30 if large and not states.is_dir() else 0)
    model = MODELS.parent / "benchmarks" / "diorace.py"
    ask = ["check", str(model), "--param", "pages=1", "--no-artifacts", "--engine", "native", "--max-memory", "1G"]
    ask += ["--no-reduction", "--jobs", "1", *setting]
    done = CliRunner().invoke(cli, ask)
    assert states.is_dir() is goes_on, (large, done.output)
    assert (done.exit_code == 3) is not goes_on, done.output
    assert ("the search restarted" in done.output) is goes_on


def test_what_only_the_reference_engine_decides_is_kept_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = list[str]()
    request = asked(build(Lasting).program, note=notes.append)
    small = Run(request).explore(Strategy(disk=folder))
    assert notes == []
    monkeypatch.setattr(choose, "FULL", 20)
    assert Run(request).explore(Strategy(disk=folder)) == small
    assert notes == ["all states were kept in memory: the reference engine does not search on disk"]


def test_the_command(folder: Path, tmp_path: Path) -> None:
    model = MODELS.parent / "benchmarks" / "diorace.py"
    ask = ["check", str(model), "--param", "pages=1", "--no-artifacts"]
    there = CliRunner().invoke(cli, [*ask, "--disk", str(folder)])
    assert (there.exit_code, there.output) == (0, CliRunner().invoke(cli, ask).output)
    gone = CliRunner().invoke(cli, [*ask, "--disk", str(tmp_path / "none")])
    assert gone.exit_code == 2
    assert f"--disk {tmp_path / 'none'}: No such file or directory.\n" in gone.stderr
    part = CliRunner().invoke(cli, [*ask, "--disk", str(folder), "--simulate", "3"])
    assert part.exit_code == 2
    assert "--disk keeps all states: not with --simulate.\n" in part.stderr
    resumed = CliRunner().invoke(cli, [*ask, "--disk", str(folder), "--resume"])
    assert (resumed.exit_code, resumed.output) == (0, there.output)
