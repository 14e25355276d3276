"""docs/vocabulary.md has every class, operation, hook, family and rule; that it is up to date is tested with the pages."""

from __future__ import annotations

import enum
import inspect
import re
from pathlib import Path

import pytest

from dio_mc import kernel
from dio_mc.kernel import register
from dio_mc.kernel.families import FAMILIES
from dio_mc.lang.model import ROLE, Model, PropertyRole
from dio_mc.study.registry import open_registry

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "vocabulary.md").read_text(encoding="utf-8")
SECTIONS = {m[1]: m[2] for m in re.finditer(r"^### `(\w+)`[^\n]*\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)}
RULES = open_registry().rules
BASES = [c for c in (getattr(kernel, n) for n in kernel.__all__) if not issubclass(c, enum.Enum)]
BELOW = {cls for rule in RULES.values() for cls in rule.model.__mro__[1:] if issubclass(cls, Model)}
HOOKED = [c for c in BELOW if not c.__module__.startswith("dio_mc.") and c not in {r.model for r in RULES.values()}]


def rows(cls: type) -> dict[str, list[str]]:
    """The cells of a section by the name of the member."""
    found = re.findall(r"^\| `(\w+)[^`]*` \| (.*) \|$", SECTIONS[cls.__name__], re.MULTILINE)
    return {name: re.split(r" ?(?<!\\)\| ?", cells) for name, cells in found}


@pytest.mark.parametrize("cls", [*BASES, register.Register], ids=lambda cls: cls.__name__)
def test_a_base_class_has_all_its_members(cls: type) -> None:
    listed = rows(cls)
    own = [n for n, v in vars(cls).items() if not n.startswith("_") and (inspect.isfunction(v) or hasattr(v, "init"))]
    assert [name for name in own if name not in listed] == []
    assert f"import {cls.__name__}`" in SECTIONS[cls.__name__]


@pytest.mark.parametrize("cls", sorted(HOOKED, key=lambda cls: cls.__name__), ids=lambda cls: cls.__name__)
def test_a_class_below_the_rules_has_all_its_hooks(cls: type) -> None:
    own = [n for n, v in vars(cls).items() if inspect.isfunction(v) and not n.startswith("_")]
    listed = rows(cls) if own else {}
    assert [name for name in own if name not in listed] == []


def test_families_and_rules_are_in_the_tables() -> None:
    for name, cls in FAMILIES.items():
        (row,) = re.findall(rf"^\| `{name}` \| `{cls.__name__}` \| (.*)$", PAGE, re.MULTILINE)
        properties = [n for n in dir(cls) if isinstance(getattr(getattr(cls, n), ROLE, None), PropertyRole)]
        assert [one for one in properties if f"`{one}`" not in row] == []
    for rule in RULES.values():
        assert f"| `{rule.name}` | `dio_mc.models.protocols." in PAGE
        assert f".{rule.model.__name__}` | {rule.since} |" in PAGE


def test_who_calls_a_hook_and_in_which_order() -> None:
    from runpy import run_path

    tool = run_path(str(Path(__file__).resolve().parents[2] / "tools" / "vocabulary.py"))
    found = list(tool["_callers"](next(c for c in HOOKED if c.__name__ == "DirectIO"), "inode_dio_end"))
    assert found[0] == "`DirectIO.write_now` (`dio_complete`, `submitted`)"
    assert rows(kernel.PageCache)["writepage"][1] == str(tool["steps_of"](kernel.PageCache, "writepage"))
    assert tool["steps_of"](kernel.File, "get_block") == 1
    assert tool["needs"](FAMILIES["size"]) == ["i_size"]
