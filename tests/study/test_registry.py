"""The registry: every file of rules is imported once, whoever imports it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dio_mc.errors import ModelError
from dio_mc.study.registry import Registry, open_registry

LOCAL = '''\
from faultlock import AllocatesUnwritten
from page_in import PageIn


class Both(PageIn, AllocatesUnwritten, abstract=True):
    """Two of the shipped classes, which have a base in common."""

    rule, since = "both", 2026
'''


def twice(registry: Registry) -> dict[str, list[str]]:
    """Per rule the names of classes that it has two of."""
    found: dict[str, list[str]] = {}
    for name, rule in registry.rules.items():
        names = [cls.__name__ for cls in rule.model.__mro__]
        doubled = sorted({n for n in names if names.count(n) > 1})
        if doubled:
            found[name] = doubled
    return found


def test_a_class_has_one_identity_in_all_rules(tmp_path: Path) -> None:
    path = tmp_path / "local.py"
    path.write_text(LOCAL)
    assert twice(open_registry(files=[path])) == {}
    assert twice(open_registry(files=[path])) == {}  # a second time in one process


def test_a_file_that_has_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "local.py"
    path.write_text(LOCAL)
    assert open_registry(files=[path]).rules["both"].since == 2026
    path.write_text(LOCAL.replace("2026", "2027"))
    assert open_registry(files=[path]).rules["both"].since == 2027


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="DIO201: no such file"):
        open_registry(files=[tmp_path / "none.py"])
