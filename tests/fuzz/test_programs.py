"""Programs on which answers once differed, as small as they got, and some that use what is seldom used together: every
configuration agrees with the oracle."""

from __future__ import annotations

from pathlib import Path

import pytest

from .campaign import LARGE, PROGRAMS
from .comparing import compare
from .configurations import ON_DISK, OPTIMISED, QUICK, REFERENCE


@pytest.mark.parametrize("path", sorted(PROGRAMS.glob("*.py")), ids=lambda path: path.stem)
def test_no_answer_differs(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = compare(path.read_text(), tmp_path, (*REFERENCE, *QUICK, *OPTIMISED[4::3], *ON_DISK[::3]), limit=LARGE)
    assert (found.refused, found.too_large) == ("", False)
    assert [said for _, said in found.differences] == []


def test_threads_that_are_asked_about_by_place_are_still_alike(tmp_path: Path) -> None:
    """What a property asks of each of them says nothing of one."""
    found = compare((PROGRAMS / "asked_of_each.py").read_text(), tmp_path, REFERENCE)
    assert found.differences == []
    assert "reduced by symmetry" in found.seen
