"""The kernel functions that a rule names, against the symbols of a kernel."""

from __future__ import annotations

import re

from dio_mc.lang.model import ROLE, OperationRole
from dio_mc.machine.runner import Runner
from dio_mc.study.shelf import Rule


def functions_of(rule: Rule, version: tuple[int, int]) -> dict[str, str]:
    """Function -> the anchor that names it. An anchor of other versions (``... @2.6.18``, ``@5.15-``, ``@-6.1``,
    ``@5.10-6.1``) is left out, and one without a version is meant for all."""
    found: dict[str, str] = {}
    for cls in reversed(rule.model.__mro__):
        for name, value in vars(cls).items():
            role = getattr(value, ROLE, None)
            if isinstance(role, OperationRole) and getattr(rule.model, name, None) is value and role.kernel:
                place, _, versions = role.kernel.partition("@")
                if not versions or _covers(versions.strip(), version):
                    found[place.strip().rpartition(":")[2]] = role.kernel
    return found


def _covers(versions: str, version: tuple[int, int]) -> bool:
    first, dash, last = versions.partition("-")
    low, high = _numbers(first) or (0, 0), _numbers(last) or (99, 0)
    return low <= version <= high if dash else low == version


def _numbers(text: str) -> tuple[int, int] | None:
    found = re.match(r"v?(\d+)\.(\d+)", text.strip())
    return (int(found[1]), int(found[2])) if found else None


def lines(rule: str, functions: dict[str, str], runner: Runner) -> tuple[str, int]:
    """What is missing, in lines, and how many; what is there and cannot be a gate is told too."""
    missing = [anchor for function, anchor in functions.items() if function not in runner.functions]
    untraceable = [anchor for function, anchor in functions.items() if function in runner.unusable]
    head = f"{rule}: {len(functions) - len(missing)} of {len(functions)} functions are there\n"
    told = [f"  missing, or inlined: {anchor}\n" for anchor in missing]
    return head + "".join(told) + "".join(f"  cannot be a gate: {anchor}\n" for anchor in untraceable), len(missing)
