"""Mapped pages: faults, stores and whoever drops the page, with every schedule of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.checking.driver import check_class
from dio_mc.checking.results import Report
from dio_mc.frontend.load import load_module

HEAD = """\
from dio_mc import Var, invariant, operation, thread
from dio_mc.kernel import Data, MappedFile
from dio_mc.kernel.families import families


class M(families("pte_currency"), MappedFile):
    stored = Var(bool)
    gone = Var(bool)

    @thread
    def mapper(self):
        self.seen[0] = self.filemap_fault(0)
        self.stored = self.store_through_pte(0, Data.NEW)

    @thread
    def dropper(self):
        self.gone = self.invalidate_inode_pages2_range(0)

"""
KEPT = """\
    @invariant
    def a_store_is_kept(self):
        return not self.stored or (self.page[0] == Data.NEW and self.dirty[0])
"""


def report(folder: Path, body: str) -> Report:
    (folder / "mapped.py").write_text(HEAD + body)
    return check_class(load_module(folder / "mapped.py").models[-1])


def verdicts(found: Report) -> dict[str, str]:
    return {p.name: p.verdict for p in found.properties}


def test_a_fault_maps_what_is_there_and_a_dirty_page_stays(tmp_path: Path) -> None:
    found = report(tmp_path, KEPT)
    assert (found.verdict, found.complete) == ("HOLDS", True)
    assert {"pte_current", "a_store_is_kept"} <= verdicts(found).keys()


def test_a_pte_that_is_set_without_a_look_at_the_page(tmp_path: Path) -> None:
    """As before 2.6.23: the page may have been dropped since it was brought in."""
    body = """\
    @operation(kernel="mm/memory.c:do_no_page")
    def finish_fault(self, i):
        self.pte[i] = True
"""
    found = verdicts(report(tmp_path, body))
    assert found["pte_current"] == "VIOLATED"


def test_a_drop_that_does_not_unmap(tmp_path: Path) -> None:
    body = """\
    @operation(kernel="mm/memory.c:unmap_mapping_range")
    def unmap_mapping_range(self, i):
        '''Forgotten.'''
"""
    found = verdicts(report(tmp_path, body))
    assert found["pte_current"] == "VIOLATED"


def test_truncate_drops_what_was_stored(tmp_path: Path) -> None:
    body = (
        KEPT
        + """\

    @operation()
    def invalidate_inode_pages2_range(self, i):
        self.truncate_inode_pages_range(i)
        return True
"""
    )
    found = verdicts(report(tmp_path, body))
    assert (found["a_store_is_kept"], found["pte_current"]) == ("VIOLATED", "HOLDS")


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("self.stored and not self.gone", "HOLDS"),
        ("not self.stored and self.gone", "HOLDS"),
        ("not self.stored and not self.gone", "VIOLATED"),
    ],
)
def test_who_comes_first(tmp_path: Path, state: str, verdict: str) -> None:
    """A page that has been stored into is not dropped, and one that has been dropped is not stored into."""
    body = f"""\
    @reachable
    def end(self):
        return self.at_rest() and {state}
"""
    (tmp_path / "mapped.py").write_text(HEAD.replace("operation, thread", "operation, reachable, thread") + body)
    found = verdicts(check_class(load_module(tmp_path / "mapped.py").models[-1]))
    assert found["end"] == verdict
