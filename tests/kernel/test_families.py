"""Every property family can hold and can be violated, attached by inheritance or by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.checking.driver import check_class
from dio_mc.checking.results import Report
from dio_mc.frontend.load import load_module
from dio_mc.kernel.families import FAMILIES, families

HEAD = """\
from dio_mc import Param, PerThread, Range, Var, atomic, me, operation, spawn, thread, wait_until
from dio_mc.kernel import Block, Data, PageCache, Slot
from dio_mc.kernel.families import FAMILIES, families
from dio_mc.kernel.register import CALL, Register


class Base(Register, PageCache, abstract=True):
    outcome, earlier = PerThread(Data, ghost=True), PerThread(Data, ghost=True)
    freed_io = Var(bool, ghost=True)
    i_size = Var(Range(0, 3), init=1)

    @operation()
    def read(self):
        self.read_begins(CALL)
        data = self.buffered_read(0)
        self.earlier[me], self.outcome[me] = self.outcome[me], data
        self.read_ends(CALL, data)

    @operation()
    def write(self, value):
        self.write_begins(CALL, value)
        self.bio_write(0, value)
        self.outcome[me] = value
        self.write_ends(CALL, value)

"""
CASES = {
    "stale_exposure": ("self.read()", "self.disk[0] = Data.STALE\n        self.read()"),
    "freed_io": ("self.bio_write(0, Data.NEW)", "with atomic():\n            self.block[0] = Block.HOLE\n"
                 "            self.freed_io = True"),
    "coherence_at_rest": ("self.read()", "self.read()\n        self.bio_write(0, Data.NEW)"),
    "pte_currency": ("self.read()\n        self.pte[0] = True\n        self.pte[0] = False\n        "
                     "self.invalidate_inode_pages2_range(0)",
                     "self.read()\n        self.pte[0] = True\n        self.invalidate_inode_pages2_range(0)"),
    "lost_write": ("self.write(Data.NEW)", "self.write(Data.NEW)\n        self.bio_write(0, Data.OLD)"),
    "collateral": ("with atomic():\n            self.disk[1] = Data.NEW\n            self.targeted[1] = True",
                   "with atomic():\n            self.targeted[0] = True\n            self.disk[1] = Data.NEW"),
    "read_after_ack": ("self.write(Data.NEW)\n        self.done = True", "self.fill()\n        self.write(Data.NEW)\n        "
                       "self.done = True"),
    "monotonic_read": ("self.write(Data.NEW)\n        self.done = True", "self.write(Data.NEW)\n        self.done = True\n"
                       "        wait_until(self.slot[0] == Slot.UPTODATE)\n        self.invalidate_inode_pages2_range(0)\n"
                       "        self.bio_write(0, Data.OLD)"),
    "torn_read": ("self.seen[0] = Data.OLD\n        self.seen[1] = Data.OLD", "self.seen[0] = Data.OLD\n        self.seen[1] = Data.NEW"),
    "size": ("self.acknowledged_end = 1\n        self.i_size = 2\n        self.acknowledged_end = 2", "self.acknowledged_end = 2\n        self.i_size = 0"),
    "complete_once": ("self.disk[0] = Data.NEW\n        self.ki_complete(0)", "self.disk[0] = Data.NEW\n        self.ki_complete(0)\n"
                      "        self.disk[0] = Data.OLD\n        self.ki_complete(0)"),
    "deadlock": ("wait_until(self.i_size == 1)", "wait_until(self.i_size == 2)"),
    "progress": ("size = self.i_size\n        while size == 2:\n            size = self.i_size",
                 "size = self.i_size\n        while size == 1:\n            size = self.i_size"),
}  # fmt: skip
"""Per family what a thread does: one way to keep to it, one way not to."""
FILL = """
    @operation()
    def fill(self):
        self.page[0], self.slot[0] = Data.OLD, Slot.UPTODATE
"""
MORE = {
    "read_after_ack": f"""{FILL}
    done = Var(bool)

    @thread
    def reader(self):
        wait_until(self.done)
        self.read()
""",
    "monotonic_read": f"""{FILL}
    done = Var(bool)

    @thread
    def reader(self):
        wait_until(self.done)
        self.read()
        self.read()
""",
}
PAGES = {"collateral": 2, "torn_read": 2}


def checked(folder: Path, name: str, body: str, bases: str = "") -> Report:
    pages = f"    pages = Param({PAGES[name]})\n" if name in PAGES else ""
    head = bases or f'families("{name}"), Base'
    text = f"{HEAD}\nclass M({head}):\n{pages}    @thread\n    def t(self):\n        {body}\n{MORE.get(name, '')}"
    (folder / "family.py").write_text(text)
    return check_class(load_module(folder / "family.py").models[0])


def violated(report: Report) -> set[str]:
    return {p.name for p in report.properties if p.verdict == "VIOLATED" and p.kind != "faults"}


PROPERTY = {
    "stale_exposure": "no_stale_exposure", "freed_io": "no_freed_io", "coherence_at_rest": "coherent_at_rest",
    "pte_currency": "pte_current", "lost_write": "no_lost_write", "collateral": "no_collateral",
    "torn_read": "no_torn_read", "size": "size_ok", "progress": "every_call_ends",
}  # fmt: skip
"""What the property of a family is called, where it is not called as the family."""


def test_a_size_that_shrinks_may_do_so_under_a_truncate(tmp_path: Path) -> None:
    body = "self.acknowledged_end = 0\n        self.i_size = 0"
    assert violated(checked(tmp_path, "size", body)) == {"size_never_shrinks"}
    assert not violated(checked(tmp_path, "size", body.replace("end = 0", "end = 0\n        self.truncating = True")))


def test_there_is_a_case_for_each_family() -> None:
    assert CASES.keys() == FAMILIES.keys()
    assert len(FAMILIES) == 13


@pytest.mark.parametrize("name", CASES)
def test_a_family_can_hold(tmp_path: Path, name: str) -> None:
    report = checked(tmp_path, name, CASES[name][0])
    assert (report.verdict, report.complete) == ("HOLDS", True), violated(report)
    assert PROPERTY.get(name, name) in {p.name for p in report.properties}


@pytest.mark.parametrize("name", CASES)
def test_a_family_can_be_violated(tmp_path: Path, name: str) -> None:
    report = checked(tmp_path, name, CASES[name][1])
    assert PROPERTY.get(name, name) in violated(report)
    assert report.traces


def test_several_at_once_by_name(tmp_path: Path) -> None:
    body, names = CASES["lost_write"][1], 'families("lost_write", "collateral", "progress", "deadlock"), Base'
    assert violated(checked(tmp_path, "", body, names)) == {"no_lost_write", "no_collateral"}


def test_by_inheritance(tmp_path: Path) -> None:
    report = checked(tmp_path, "lost_write", CASES["lost_write"][1], "FAMILIES['lost_write'], Base")
    assert violated(report) == {"no_lost_write"}


def test_a_thread_that_writes_is_judged_by_what_it_reads_then(tmp_path: Path) -> None:
    more = "self.write(Data.NEW)\n        self.read()"
    assert not violated(checked(tmp_path, "read_after_ack", more + "\n        self.done = True"))
    behind = "self.fill()\n        self.write(Data.NEW)\n        self.read()\n        self.done = True"
    assert "read_after_ack" in violated(checked(tmp_path, "read_after_ack", behind))


def test_a_name_that_is_none() -> None:
    with pytest.raises(ValueError, match="no property family 'lost'; there are: stale_exposure, freed_io, "):
        families("lost")
