"""Kernel anchors: their syntax, which one a step has, and operations that nobody spawns any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.frontend import build, load_module
from dio_mc.ir.anchor import Anchor, Versions, function_of, parse_anchor, parse_version, parse_versions

PLAIN = Anchor("mm/filemap.c", "filemap_fault")


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("mm/filemap.c:filemap_fault", PLAIN),
        ("include/linux/fs.h:inode_lock @5.15-", Anchor("include/linux/fs.h", "inode_lock", Versions((5, 15), None))),
        ("fs/ext3/inode.c:f @-4.2", Anchor("fs/ext3/inode.c", "f", Versions(None, (4, 2)))),
        ("fs/iomap.c:f @4.10-5.2", Anchor("fs/iomap.c", "f", Versions((4, 10), (5, 2)))),
        (
            "fs/xfs/linux-2.6/xfs_file.c:f @2.6.18",
            Anchor("fs/xfs/linux-2.6/xfs_file.c", "f", Versions((2, 6, 18), (2, 6, 18), True)),
        ),
        ("fs/direct-io.c:lock_page_range @unmerged", Anchor("fs/direct-io.c", "lock_page_range", unmerged=True)),
    ],
)
def test_anchors(text: str, anchor: Anchor) -> None:
    assert parse_anchor(text) == anchor
    assert text.startswith(anchor.name)
    assert function_of(text) == anchor.function


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "'' is not of the form file.c:function @versions"),
        ("filemap_fault", "'filemap_fault' is not of the form file.c:function @versions"),
        ("mm/filemap.c:filemap_fault()", "'mm/filemap.c:filemap_fault()' is not of the form file.c:function @versions"),
        ("mm/filemap.c:f@5.15-", "'mm/filemap.c:f@5.15-' is not of the form file.c:function @versions"),
        ("mm/filemap.c:f @v5.15", "'mm/filemap.c:f @v5.15' is not of the form file.c:function @versions"),
        ("mm/filemap.c:f @-", "'-' is not a kernel version, and no range of them"),
        ("mm/filemap.c:f @5.15.", "'5.15.' is not a kernel version, and no range of them"),
        ("mm/filemap.c:f @6.12-6.2", "the range '6.12-6.2' ends before it begins"),
    ],
)
def test_what_is_no_anchor(text: str, told: str) -> None:
    with pytest.raises(ValueError) as error:  # compared word for word below
        parse_anchor(text)
    assert str(error.value) == told


@pytest.mark.parametrize(
    ("versions", "inside", "outside"),
    [
        ("5.15-", ["5.15", "5.15.7", "6.1", "10.0"], ["5.14", "4.20", "2.6.39"]),
        ("-4.2", ["4.2", "4.2.8", "3.16", "2.6.18"], ["4.3", "4.20", "6.1"]),
        ("4.10-5.2", ["4.10", "4.19", "5.2.1"], ["4.9", "5.3"]),
        ("2.6.18", ["2.6.18", "2.6.18.8"], ["2.6.1", "2.6.24"]),
    ],
)
def test_ranges(versions: str, inside: list[str], outside: list[str]) -> None:
    found = parse_versions(versions)
    assert [v for v in inside if parse_version(v) not in found] == []
    assert [v for v in outside if parse_version(v) in found] == []


def test_a_version_with_a_packagers_name() -> None:
    assert parse_version("6.12.95+deb12-cloud-amd64") == (6, 12, 95)
    with pytest.raises(ValueError, match="'trixie' is not a kernel version"):
        parse_version("trixie")


MODEL = """\
from dio_mc import *


class First(Model):
    n = Var(Range(0, 3))

    @operation(kernel="fs/old.c:one")
    def one(self):
        self.n = 1

    @operation(kernel="fs/old.c:two")
    def two(self):
        self.n = 2

    @operation(kernel="fs/old.c:end_io")
    def end_io(self, value):
        self.n = value

    @operation(kernel="fs/old.c:submit")
    def submit(self):
        spawn(self.end_io, 1)

    @thread
    def t(self):
        self.one()
        self.two()
        self.submit()


class Second(First):
    anchors = {"one": "fs/new.c:one @6.1-", "two": "fs/new.c:two"}

    @operation(kernel="fs/own.c:two")
    def two(self):
        self.n = 3
        super().two()

    @operation(kernel="fs/new.c:submit")
    def submit(self):
        self.n = 0
"""


def anchors(folder: Path, name: str) -> list[str | None]:
    path = folder / "model.py"
    path.write_text(MODEL)
    model = next(m for m in load_module(str(path)).models if m.__name__ == name)
    program = build(model).program
    return [location.anchor for t in program.templates for location in t.locations if location.text]


def test_a_class_says_what_it_inherits_is_called_in_its_kernel(tmp_path: Path) -> None:
    first = [a for a in anchors(tmp_path, "First") if a]
    second = [a for a in anchors(tmp_path, "Second") if a]
    assert first == ["fs/old.c:one", "fs/old.c:two", "fs/old.c:submit", "fs/old.c:end_io"]
    # what it has itself is as decorated; what its super() reaches is inherited
    assert second == ["fs/new.c:one @6.1-", "fs/own.c:two", "fs/new.c:two", "fs/new.c:submit"]


def test_an_operation_that_only_an_overridden_method_spawns_has_no_steps(tmp_path: Path) -> None:
    anchors(tmp_path, "Second")
    program = build(load_module(str(tmp_path / "model.py")).models[1]).program
    (spawned,) = [t for t in program.templates if t.spawned]
    assert spawned.name == "end_io"
    assert {location.text for location in spawned.locations} <= {"", "end"}
