"""Programs on which answers once differed, as small as they got: every configuration agrees with the oracle now."""

from __future__ import annotations

from pathlib import Path

import pytest

from .campaign import REGRESSIONS
from .comparing import compare
from .configurations import EVERY


@pytest.mark.parametrize("path", sorted(REGRESSIONS.glob("*.py")), ids=lambda path: path.stem)
def test_no_answer_differs(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = compare(path.read_text(), tmp_path, EVERY)
    assert (found.refused, found.too_large) == ("", False)
    assert [said for _, said in found.differences] == []
