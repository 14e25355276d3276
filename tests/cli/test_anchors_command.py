"""``dio-mc anchors``: which functions of a rule or a model a kernel lacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dio_mc.cli import cli
from dio_mc.machine import images, symbols
from dio_mc.machine.images import Kernel
from dio_mc.study.anchors import Symbols

MODEL = """\
from dio_mc import *


class M(Model):
    n = Var(Range(0, 3))

    @operation(kernel="mm/filemap.c:filemap_fault @2.6.24-")
    def fault(self):
        self.n = 1

    @operation(kernel="include/linux/fs.h:inode_lock")
    def lock(self):
        self.n = 2

    @operation(kernel="fs/direct-io.c:lock_page_range @unmerged")
    def pin(self):
        self.n = 3

    @operation(kernel="mm/filemap.c:filemap_nopage @-2.6.18")
    def nopage(self):
        self.n = 0

    @operation(kernel="fs/a.c:submit")
    def submit(self):
        self.n = 1

    @thread
    def t(self):
        self.fault()
        self.lock()
        self.pin()
        self.nopage()
        self.submit()
"""
SYMBOLS = """\
ffffffff81000000 T filemap_fault.isra.0
ffffffff81000040 t submit.cold
ffffffffc0000040 t elsewhere\t[xfs]
"""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.py").write_text(MODEL)
    (tmp_path / "System.map-6.12.95+deb12").write_text(SYMBOLS)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["anchors", *arguments])


def test_each_function_that_is_not_there_is_told_with_the_reason(files: Path) -> None:
    result = run("m.py", "--kernel", "System.map-6.12.95+deb12")
    assert result.output == (
        "M: 1 of 5 functions are in System.map-6.12.95+deb12\n"
        "  missing         fs/a.c:submit  (submit)\n"
        "  unmerged        fs/direct-io.c:lock_page_range @unmerged  (pin)\n"
        "  inline          include/linux/fs.h:inode_lock  (lock)\n"
        "  other versions  mm/filemap.c:filemap_nopage @-2.6.18  (nopage)\n"
    )
    assert result.exit_code == 1


def test_nothing_missing_is_exit_code_0(files: Path) -> None:
    (files / "System.map-6.12.95+deb12").write_text(SYMBOLS.replace("submit.cold", "submit"))
    assert run("m.py", "--kernel", "System.map-6.12.95+deb12").exit_code == 0


def test_of_another_version_other_functions_are_asked_for(files: Path) -> None:
    arguments = ["m.py", "--kernel", "System.map-6.12.95+deb12", "--version", "2.6.18", "--format", "json"]
    told = json.loads(run(*arguments).output)
    states = {one["anchor"]: one["state"] for one in told["of"]}
    assert states["mm/filemap.c:filemap_nopage @-2.6.18"] == "missing"
    assert states["mm/filemap.c:filemap_fault @2.6.24-"] == "other versions"
    assert told["schema"] == "dio-mc/anchors/1"


def test_without_a_version_every_function_is_asked_for(files: Path) -> None:
    (files / "kallsyms").write_text(SYMBOLS)
    assert "missing   mm/filemap.c:filemap_nopage @-2.6.18  (nopage)\n" in run("m.py", "--kernel", "kallsyms").output


def test_a_rule_by_name(files: Path) -> None:
    result = run("ext4_today", "--kernel", "System.map-6.12.95+deb12")
    assert result.exit_code == 1
    assert "  missing  fs/ext4/inode.c:ext4_page_mkwrite @2.6.27-  (store_through_pte)\n" in result.output
    assert "DIO208: no locking rule `ext5`" in str(run("ext5", "--kernel", "System.map-6.12.95+deb12").exception)


@pytest.mark.parametrize(
    ("name", "text", "arguments", "told"),
    [
        ("none", None, [], "DIO282: no kernel `none`: no image, folder or release is called this"),
        ("empty", "", [], "DIO201: has no symbols: lines of address, type and name"),
        ("vmlinuz", "MZ\x00\x01", [], "DIO201: has no symbols: lines of address, type and name"),
        ("kallsyms", SYMBOLS, ["--version", "trixie"], "DIO204: 'trixie' is not a kernel version"),
    ],
)
def test_what_is_no_list_of_symbols(files: Path, name: str, text: str | None, arguments: list[str], told: str) -> None:
    if text is not None:
        (files / name).write_text(text)
    assert told in str(run("m.py", "--kernel", name, *arguments).exception)


def test_a_kernel_is_asked_itself(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def booted(kernel: Kernel, file_system: str, names: list[str]) -> Symbols:
        asked.append((kernel.release, file_system))
        return Symbols(kernel.release, frozenset(names), (6, 12, 0))

    monkeypatch.setattr(images, "find_kernel", lambda name: Kernel(f"{name}.1-x", Path("vmlinuz"), None))
    monkeypatch.setattr(symbols, "symbols_of", booted)
    assert run("xfs_today", "ext4_today", "--kernel", "6.12").exit_code == 0
    assert run("m.py", "--kernel", "6.12", "--fs", "btrfs").exit_code == 0
    assert asked == [("6.12.1-x", "xfs"), ("6.12.1-x", "ext4"), ("6.12.1-x", "btrfs")]
