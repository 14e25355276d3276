"""A campaign in small; `python -m tests.faults` goes through all occasions."""

import pytest

from .campaign import Command, a_folder, run, wrong
from .commands import COMMANDS, RACE, campaign
from .injecting import Injected, Kind

SEED = 2026


@pytest.mark.parametrize(("kind", "most"), [("io", 6), ("memory", 4), ("signal", 3)])
def test_commands_end_as_documented(kind: Kind, most: int) -> None:
    done = campaign((kind,), most, SEED)
    assert done.runs >= 2 * len(COMMANDS)
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
