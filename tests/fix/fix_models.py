"""Small violated models for tests of `dio-mc fix`, and the search on one of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dio_mc.checking.driver import Options
from dio_mc.checking.runs.fix import Search, find_fixes, the_class
from dio_mc.checking.runs.plan import Task
from dio_mc.fix.found import Found

FLUSH = """\
from enum import Enum

from dio_mc import Model, Var, invariant, operation, thread, wait_until


class Data(Enum):
    OLD = 0
    NEW = 1


class MissingFlush(Model):
    dirty = Var(bool)
    disk = Var(Data)

    @operation(kernel="fs/fuse/file.c:fuse_direct_write_iter")
    def direct_write(self):
        self.disk = Data.NEW  # the device writes

    @thread
    def application(self):
        self.dirty = True
        self.direct_write()

    @thread(daemon=True)
    def writeback(self):
        while True:
            wait_until(self.dirty)
            self.disk = Data.OLD
            self.dirty = False

    @invariant
    def no_lost_write(self):
        return not self.at_rest() or self.dirty or self.disk == Data.NEW
"""
"""A direct write that does not flush first; the fix waits until the page is clean."""

LOST = """\
from dio_mc import Model, Mutex, Param, Range, Var, invariant, operation, reachable, thread


class Lost(Model):
    count = Var(Range(0, 3))
    both = Param(True)
    lock = Mutex()

    @operation
    def increment(self):
        seen = self.count
        self.count = seen + 1

    @thread(instances=2)
    def adder(self):
        self.increment()

    @invariant
    def counted(self):
        return not self.at_rest() or self.count == 2
"""
"""Two increments; the fix is a lock around them."""


def fixes_of(folder: Path, text: str, *goals: str, name: str | None = None, **search: Any) -> Found:
    """Search the fixes of the class of a model file."""
    file = folder / "subject.py"
    file.write_text(text)
    model = the_class(str(file), name, (), Options())
    return find_fixes(Task(str(file), model, (), None), Search(Options(), goals, **search))


def told(found: Found) -> list[str]:
    """The fixes in words, with their kind and function."""
    return [f"{fix.edit.kind} {fix.edit.function}: {fix.edit.text}" for fix in found.fixes]
