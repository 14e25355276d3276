"""Anchors of the shipped models against what eleven kernels have (anchors.tsv, written by tools/anchors.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dio_mc.ir.anchor import Anchor, parse_anchor, parse_version
from dio_mc.study.products import products
from dio_mc.study.registry import Rule, open_registry, pair

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from anchors import anchors_in, defines, model_files, read_table

VERSIONS, TABLE = read_table()
SHIPPED = sorted({text for path in model_files() for text in anchors_in(path)})


def wrong(anchor: Anchor, has: set[str]) -> list[str]:
    """The kernels of which the anchor says something else than the table."""
    ranged = anchor.versions is None or not anchor.versions.exact
    return [
        v for v in VERSIONS if (claim := anchor.claims(parse_version(v))) != (v in has) and (claim or ranged)
    ]  # fmt: skip


def test_there_are_kernels_of_each_time() -> None:
    assert len(VERSIONS) >= 5
    assert {"2.6.18", "5.10", "6.1", "6.12"} <= set(VERSIONS)
    assert len(SHIPPED) > 200


def test_an_anchor_says_where_its_function_is() -> None:
    anchors = {text: parse_anchor(text) for text in SHIPPED}
    without = sorted({anchor.name for anchor in anchors.values()} - set(TABLE))
    assert without == [], "no row: python tools/anchors.py FOLDER-OF-KERNEL-TREES"
    assert {text: kernels for text, one in anchors.items() if (kernels := wrong(one, TABLE[one.name]))} == {}


def test_no_row_is_left_over() -> None:
    named = {parse_anchor(text).name for text in SHIPPED}
    assert {"in no model": set(TABLE) - named, "not in the table": named - set(TABLE)} == {
        "in no model": set(), "not in the table": set(),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "kernels"),
    [
        ("fs/ext3/inode.c:ext3_get_block", ["4.9", "4.19", "5.10", "6.1", "6.12", "7.2", "7.3"]),
        ("fs/ext3/inode.c:ext3_get_block @-4.9", ["4.9"]),
        ("fs/ext3/inode.c:ext3_get_block @2.6.24-4.2", ["2.6.18"]),
        ("fs/ext3/inode.c:ext3_get_block @2.6.18", []),
        ("fs/ext3/inode.c:ext3_get_block @6.1", ["6.1"]),
        ("fs/ext3/inode.c:ext3_get_block @unmerged", ["2.6.18", "2.6.24", "2.6.27", "3.16"]),
    ],
)
def test_what_does_not_agree_is_found(text: str, kernels: list[str]) -> None:
    anchor = parse_anchor(text)
    assert wrong(anchor, TABLE[anchor.name]) == kernels


C = """\
static int called(struct inode *inode);
EXPORT_SYMBOL(called);
static ssize_t
split_head(struct kiocb *iocb,
           struct iov_iter *from)
{
    called(iocb); other(x) {}
}
struct page *pointer(int n) { return 0; }
static const struct ops table = { called };
"""


def test_a_function_is_there_where_its_body_is(tmp_path: Path) -> None:
    path = tmp_path / "a.c"
    path.write_text(C)
    names = ("called", "split_head", "other", "pointer", "table", "head")
    assert [name for name in names if defines(path, name)] == ["split_head", "pointer"]
    assert not defines(tmp_path / "none.c", "called")


SHELF = open_registry()


def used_by(rule: Rule) -> set[str]:
    """The anchors of all steps that a rule takes for one operation or another."""
    programs = (
        products(pair(SHELF, name, name), rule)[0].program for name in SHELF.operations if name not in rule.unsupported
    )
    return {x.anchor for p in programs for t in p.templates for x in t.locations if x.anchor is not None}


@pytest.mark.parametrize("rule", [r for r in SHELF.rules.values() if r.kernel], ids=lambda r: r.name)
def test_a_rule_names_functions_of_its_kernel(rule: Rule) -> None:
    missing = {a for a in used_by(rule) if rule.kernel not in TABLE[parse_anchor(a).name]}
    assert rule.kernel in VERSIONS
    assert missing == set()


def test_rules_of_today_say_which_kernel_they_are_of() -> None:
    recent = {name for name, rule in SHELF.rules.items() if rule.since >= 2022}
    assert {"ext3_in_ext4", "ext4_today", "ext4_nodelalloc", "xfs_today", "btrfs_today"} <= recent
    assert {name for name in recent if not SHELF.rules[name].kernel} == set()
