"""What a release must have said: its version and its day in the changelog, and nothing released that is not."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from dio_mc import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_newest_version_of_the_changelog_is_that_of_the_package() -> None:
    heads = re.findall(r"^## \[(.+?)\](.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    released = [(name, day) for name, day in heads if name != "Unreleased"]
    assert [name for name, _ in heads].index(released[0][0]) <= 1
    assert released[0][0] == __version__
    days = [date.fromisoformat(day.removeprefix(" - ")) for _, day in released]
    assert days == sorted(days, reverse=True)
