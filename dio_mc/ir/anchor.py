"""Kernel anchors: the kernel function that a step models, and the kernel versions that have it.

``fs/ext3/inode.c:ext3_get_block @-4.2`` is a source file and a function in it. After ``@`` follow the versions:

- nothing: every kernel has it,
- ``@2.6.18``: that version has it; nothing is said about others,
- ``@5.15-``, ``@-4.2``, ``@4.10-6.0``: from, up to, from-to (inclusive), and no other version,
- ``@unmerged``: no kernel has it; it comes from a proposed patch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

UNMERGED: Final = "unmerged"
_NUMBER = r"\d+(?:\.\d+)*"
_ANCHOR = re.compile(rf"(?P<file>[\w./+-]+\.[chS]):(?P<function>[A-Za-z_]\w*)(?: @(?P<versions>{UNMERGED}|[\d.-]+))?")
_VERSIONS = re.compile(rf"(?P<low>{_NUMBER})?(?P<dash>-)?(?P<high>{_NUMBER})?")

Version = tuple[int, ...]
"""``6.12`` is (6, 12) and matches every version that begins with it."""


@dataclass(frozen=True, slots=True)
class Versions:
    """A range of kernel versions, both ends inclusive; None is an open end. `exact`: a single version was named."""

    low: Version | None
    high: Version | None
    exact: bool = False

    def __str__(self) -> str:
        """The range as it is written after the ``@``."""
        low, high = (".".join(map(str, end or ())) for end in (self.low, self.high))
        return low if self.exact else f"{low}-{high}"

    def __contains__(self, version: Version) -> bool:
        above = self.low is None or version[: len(self.low)] >= self.low
        return above and (self.high is None or version[: len(self.high)] <= self.high)


@dataclass(frozen=True, slots=True)
class Anchor:
    """A kernel function. `versions` is None if every kernel is claimed to have it; `unmerged`: none has it."""

    file: str
    function: str
    versions: Versions | None = None
    unmerged: bool = False

    def __str__(self) -> str:
        """The anchor as it is written in a model."""
        said = UNMERGED if self.unmerged else "" if self.versions is None else str(self.versions)
        return f"{self.name} @{said}" if said else self.name

    @property
    def name(self) -> str:
        """``fs/aio.c:aio_complete``, without versions."""
        return f"{self.file}:{self.function}"

    def claims(self, version: Version) -> bool:
        """Whether the anchor claims that a kernel of this version has the function."""
        return not self.unmerged and (self.versions is None or version in self.versions)


@lru_cache(maxsize=4096)
def parse_anchor(text: str) -> Anchor:
    """Parse ``file.c:function [@versions]``. Raises `ValueError` with a sentence otherwise."""
    found = _ANCHOR.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not of the form file.c:function @versions")
    given = found["versions"]
    if given == UNMERGED:
        return Anchor(found["file"], found["function"], unmerged=True)
    return Anchor(found["file"], found["function"], None if given is None else parse_versions(given))


def parse_versions(text: str) -> Versions:
    """Parse ``6.12``, ``5.15-``, ``-4.2`` or ``4.10-6.0``. Raises `ValueError` with a sentence otherwise."""
    found = _VERSIONS.fullmatch(text)
    if found is None or (found["low"] is None and found["high"] is None):
        raise ValueError(f"{text!r} is not a kernel version, and no range of them")
    low = None if found["low"] is None else parse_version(found["low"])
    high = None if found["high"] is None else parse_version(found["high"])
    if found["dash"] is None:
        return Versions(low, low, exact=True)
    if low is not None and high is not None and low > high:
        raise ValueError(f"the range {text!r} ends before it begins")
    return Versions(low, high)


def parse_version(text: str) -> Version:
    """The leading numbers of ``6.12.95+deb12-cloud-amd64`` as a tuple. Raises `ValueError` if there are none."""
    found = re.match(_NUMBER, text)
    if found is None:
        raise ValueError(f"{text!r} is not a kernel version")
    return tuple(int(number) for number in found.group().split("."))


def function_of(anchor: str) -> str:
    """``mm/filemap.c:filemap_nopage @-2.6.22`` -> ``filemap_nopage``; a text of another form is returned unchanged."""
    return anchor.partition(" @")[0].rsplit(":", 1)[-1]
