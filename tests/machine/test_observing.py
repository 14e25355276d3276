"""Which schedules are run, what is counted, and what is kept of a matrix; on a kernel that is made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.machine.confirm import _ranked
from dio_mc.machine.drafts import drafts
from dio_mc.machine.failures import GuestLost
from dio_mc.machine.images import Kernel
from dio_mc.machine.kernel_matrix import Column, FinishedCells, cell_of, kernel_matrix, open_cells
from dio_mc.machine.observe import Observations, compare, observe
from dio_mc.machine.observed import as_json, case_in, schedule_files, text
from dio_mc.machine.plans import dirties, layouts_on, schedules
from dio_mc.machine.schedule import Blocked, Gate, Left, Ran, Schedule
from dio_mc.machine.session import Session
from dio_mc.study.outcomes import outcomes
from dio_mc.study.registry import Registry, open_registry, pair

WAYS = ((Gate("a"), Gate("b")), (Gate("c"),))


@pytest.fixture(scope="module")
def registry() -> Registry:
    return open_registry()


def planned(programs: tuple[str, ...], ways: tuple[tuple[Gate, ...], ...], preemptions: int) -> list[str]:
    return [
        " ".join(f"{s.thread}@{s.until}" if s.until else str(s.thread) for s in schedule.segments)
        for schedule in schedules("hole", programs, ways, preemptions)
    ]


def test_two_threads_with_one_preemption() -> None:
    assert planned(("pread", "punch_hole"), WAYS, 0) == ["0 1", "1 0"]
    assert planned(("pread", "punch_hole"), WAYS, 1) == ["0 1", "1 0", "0@a 1 0", "0@b 1 0", "1@c 0 1"]


def test_two_preemptions_leave_both_in_the_middle() -> None:
    added = planned(("pread", "punch_hole"), WAYS, 2)[5:]
    assert added == ["0@a 1@c 0 1", "0@b 1@c 0 1", "1@c 0@a 1 0", "1@c 0@b 1 0"]


def test_writeback_comes_at_switches_and_is_preempted_too() -> None:
    found = planned(("mmap_store:NEW", "pread_direct", "writeback"), (*WAYS, (Gate("w"),)), 1)
    assert found == [
        "0 1", "0 2 1", "1 0", "1 2 0", "0@a 1 0", "0@a 1 2 0", "0@b 1 0", "0@b 1 2 0", "1@c 0 1", "1@c 0 2 1",
        "0 2@w 1 2", "1 2@w 0 2",
    ]  # fmt: skip


def test_three_threads_in_all_orders() -> None:
    assert len(planned(("pread", "pread", "pread"), ((), (), ()), 1)) == 6


def test_who_leaves_dirty_pages() -> None:
    assert dirties(("pread", "pread,mmap_store:NEW"))
    assert dirties(("pwrite:NEW",))
    assert not dirties(("pwrite_direct:NEW", "io_submit_pwrite:NEW,io_getevents", "punch_hole"))


def test_layouts_of_file_systems() -> None:
    assert layouts_on("ext3") == ("hole", "written")
    assert layouts_on("xfs") == ("hole", "preallocated", "written")


# -- a kernel that is made up ----------------------------------------------------------------------------------------


class FakeSession(Session):
    """Reads STALE when the reader is held at `b`, blocks at `a`; `lost_after` schedules the guest is lost."""

    def __init__(self, lost_after: int = 10**9) -> None:
        super().__init__(Kernel("6.12.1-x", Path("vmlinuz"), None), "ext3")
        self.ran = 0
        self.lost_after = lost_after

    def run(self, schedule: Schedule, *, passed: bool = False) -> Ran:
        self.ran += not passed
        if self.ran > self.lost_after:
            raise GuestLost("QEMU has ended")
        gate = str(schedule.segments[0].until) if schedule.segments else ""
        reads = "STALE" if gate == "b" else "ZERO"
        left = (Left("NOTHING", reads, "NOTHING", "NOTHING"), Left("NOTHING", "NEWER", "NOTHING", "NEWER"))
        blocked = (Blocked(1, 1, ("down_read",)),) if gate == "a" else ()
        return Ran(
            left, "NEWER", "NEWER", False, blocked, passed=(*WAYS, ())[: len(schedule.programs)] if passed else ()
        )


def seen(registry: Registry, session: FakeSession) -> Observations:
    return observe(session, pair(registry, "direct_read", "mmap_store"), "hole")


def test_a_histogram_has_the_worst_first_and_a_schedule_for_each(registry: Registry) -> None:
    found = seen(registry, FakeSession())
    assert (found.verdict, found.runs, found.waits, found.complete) == ("exposed", 10, 2, True)
    assert [(one.tagged.verdict, one.times, one.waited) for one in found.seen] == [
        ("exposed", 2, False),
        ("ok", 8, False),
    ]
    assert text("6.12 ext3", found, None) == (
        "direct_read x mmap_store on 6.12 ext3, hole file: exposed (10 schedules, in 2 a thread waited)\n"
        "       2  t0_direct_read exposed, t1_mmap_store newer; file newer  exposed  (t0_direct_read reads the block's "
        "previous owner's data)\n          t0_direct_read until b, t1_mmap_store, t0_direct_read\n"
        "       8  t0_direct_read zero, t1_mmap_store newer; file newer     ok\n          t0_direct_read, t1_mmap_store\n"
    )


def test_what_was_seen_before_a_guest_was_lost_is_kept(registry: Registry) -> None:
    found = seen(registry, FakeSession(lost_after=3))
    assert (found.runs, found.complete, found.lost) == (3, False, "QEMU has ended")
    assert len(found.seen) == 1
    assert text("here", found, None).endswith("  cut short: QEMU has ended\n")


def test_against_a_rule(registry: Registry) -> None:
    workload = pair(registry, "direct_read", "mmap_store")
    found = seen(registry, FakeSession())
    by_rule = {name: outcomes(workload, registry.rules[name])[0] for name in ("ext3_2_6_18", "ext4_2020")}
    allowed = compare(found, by_rule["ext3_2_6_18"])
    assert (len(allowed.seen), len(allowed.unseen), allowed.forbidden) == (2, 1, ())
    forbidden = compare(found, by_rule["ext4_2020"])
    assert [one.tagged.verdict for one in forbidden.forbidden] == ["exposed"]
    told = text("here", found, forbidden)
    assert "previous owner's data)  NOT ALLOWED by ext4_2020\n" in told
    assert told.endswith("  ext4_2020: 1 allowed and seen, 1 allowed and never seen, 1 seen and not allowed\n")
    assert '"seen_and_not_allowed": [' in as_json([(FakeSession(), [(found, forbidden)])])


def test_a_schedule_is_a_case_again(registry: Registry) -> None:
    session = FakeSession()
    files = schedule_files(session, seen(registry, session))
    name, content = next(iter(files.items()))
    assert name == "6-12-ext3-direct_read-x-mmap_store-hole-1.json"
    case = case_in(name, content)
    assert case is not None
    assert (case.programs, case.verdict, case.file_system) == (
        ("pread_direct", "mmap_store:NEWER", "writeback"), "exposed", "ext3",
    )  # fmt: skip
    assert [(t.thread, t.held, t.function) for t in case.turns] == [(0, True, "b"), (1, False, ""), (0, False, "")]
    assert case_in("x", '{"schema": "dio-mc/trace/1"}') is None
    assert case_in("x", "no json") is None
    assert case_in("x", "[" * 100_000) is None


@pytest.mark.parametrize("bad", ["exec /bin/sh", "pread;pread", "mmap_store:NEW / 0", "pwrite:OLDER"])
def test_a_schedule_holds_system_calls_only(bad: str, registry: Registry) -> None:
    session = FakeSession()
    content = next(iter(schedule_files(session, seen(registry, session)).values()))
    with pytest.raises(
        ModelError, match=r"DIO205: no schedule that dio-mc observe wrote: .* is not a list of system calls"
    ):
        case_in("x", content.replace('"pread_direct"', f'"{bad}"'))


def test_a_gate_with_its_number_is_meant_exactly() -> None:
    way = (Gate("submit_bio"), Gate("iomap_dio_complete"), Gate("submit_bio", 2))
    first = _ranked("submit_bio#2", way)[0]
    assert first == (Gate("submit_bio", 2), True)


# -- the matrix ------------------------------------------------------------------------------------------------------


def test_a_cell_is_the_worst_of_its_layouts(registry: Registry) -> None:
    bad, lost = seen(registry, FakeSession()), seen(registry, FakeSession(lost_after=3))
    assert cell_of(("a", "b"), "ext3 6.12", [lost, bad]).verdict == "exposed"
    cell = cell_of(("a", "b"), "ext3 6.12", [lost])
    assert (cell.verdict, cell.reasons) == ("undetermined", ("QEMU has ended",))


def test_finished_cells_are_not_run_again(registry: Registry, tmp_path: Path) -> None:
    first, state = FakeSession(), tmp_path / "state.json"
    made = kernel_matrix(registry, [Column(first)], ["direct_read", "mmap_store"], 1, open_cells(state))
    assert made.cell("ext3 6.12", "direct_read", "mmap_store").verdict == "exposed"
    again = FakeSession()
    assert kernel_matrix(registry, [Column(again)], ["direct_read", "mmap_store"], 1, open_cells(state)) == made
    assert again.ran == 0
    other = Column(FakeSession())
    other.session.mount = "nodelalloc"
    assert (
        FinishedCells(None, open_cells(state).cells).get(other.key, other.name, ("direct_read", "mmap_store")) is None
    )


def test_a_state_file_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text("{}")
    with pytest.raises(ModelError, match="DIO217: no file of finished cells that dio-mc wrote"):
        open_cells(path)


def test_a_matrix_of_kernels_wants_file_systems() -> None:
    done = CliRunner().invoke(cli, ["matrix", "--kernel", "6.12"])
    assert "DIO204: --kernel needs --fs" in str(done.exception)


# -- drafts of reports -----------------------------------------------------------------------------------------------

DRAFT = """\
Subject: ext3: direct_read x mmap_store: t0_direct_read reads the block's previous owner's data

On a file of one page (hole), ext3: t0_direct_read exposed, t1_mmap_store newer; file newer. The rule ext4_2020 does \
not allow it.

Seen on: 6.12.1-x; 2 of 10 schedules on the first of them.

    t0_direct_read                    t1_mmap_store
    pread_direct
      b()
                                      mmap_store:NEWER
    ...

    t0_direct_read: exposed
    t1_mmap_store: newer

    dio-mc confirm 01-ext3-direct_read-x-mmap_store.json --kernel 6.12

runs it again. 01-ext3-direct_read-x-mmap_store.c makes the same calls without gates.

Before this is sent: is it a known race (docs/history.md, docs/kernels.md)? Is it allowed by what the kernel
documents? Does a kernel without the gates show it (observe --stress)?
"""


def test_what_a_rule_does_not_allow_is_drafted_once_for_all_kernels(registry: Registry) -> None:
    session = FakeSession()
    found = seen(registry, session)
    compared = compare(found, outcomes(pair(registry, "direct_read", "mmap_store"), registry.rules["ext4_2020"])[0])
    written = drafts([(session, found, compared), (session, found, compared)])
    stem = "01-ext3-direct_read-x-mmap_store"
    assert list(written) == [f"{stem}.txt", f"{stem}.json", f"{stem}.c"]
    assert written[f"{stem}.txt"] == DRAFT
    assert case_in("x", written[f"{stem}.json"]) is not None


def test_without_a_rule_what_is_worse_than_error_is_a_finding(registry: Registry) -> None:
    session = FakeSession()
    found = seen(registry, session)
    assert len(drafts([(session, found, None)])) == 3
    allowed = compare(found, outcomes(pair(registry, "direct_read", "mmap_store"), registry.rules["ext3_2_6_18"])[0])
    assert drafts([(session, found, allowed)]) == {}
