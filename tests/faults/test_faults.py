"""A campaign in small; `python -m tests.faults` goes through all occasions."""

import random
from functools import cache

import pytest

from .campaign import Command, Progress, a_folder, attack, run, wrong
from .commands import COMMANDS, RACE, files
from .injecting import Injected, Kind

SEED = 2026
MOST: dict[Kind, int] = {"io": 6, "memory": 4, "signal": 3}
"""Occasions at which something goes wrong, of each kind."""


@cache
def texts() -> dict[str, str]:
    return files()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_commands_end_as_documented(command: Command) -> None:
    done = Progress()
    for kind, most in MOST.items():
        attack(command, kind, texts(), done, most, random.Random(f"{SEED} {command.name} {kind}"))
    assert done.runs >= 2 * len(MOST)
    assert not done.wrong


def test_what_is_wrong_is_noticed() -> None:
    command = Command("check", ("check", "m.py", "--report=json=r.json", "--no-artifacts"), 1, ("r.json",))
    with a_folder({"m.py": RACE}) as folder:
        ended = run(command, folder, Injected("io", 0))
        whole = {"r.json": (folder / "r.json").read_bytes()}
        assert wrong(command, whole, ended, folder) == []
        (folder / "r.json").write_bytes(whole["r.json"][:-20])
        assert wrong(command, whole, ended, folder) == ["r.json is torn"]
        (folder / "r.json").unlink()
        for code, err, expected in (
            (4, "dio-mc: internal error: X\n", ["exit code 4", "a traceback: dio-mc: internal error: X"]),
            (0, "note", ["exit code 0, where it is 1"]),
            (2, "", ["nothing is said"]),
        ):
            lost = type(ended)(code, "", err, ended.occasions, ended.injected)
            assert wrong(command, whole, lost, folder) == expected
