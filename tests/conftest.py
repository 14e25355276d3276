"""Puts this directory on the path, so that tests share its modules; the options ``--quick`` and
``--update-golden``, and golden files."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from dio_mc.memory import collect_seldom

collect_seldom()
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:  # a shell's job in the background: the commands would inherit it
        signal.signal(number, signal.default_int_handler)

os.environ["DIO_MC_PROGRESS"] = "off"  # on a slow machine commands last a minute
os.environ["DIO_MC_NO_CACHE"] = "1"  # a test may break what finds cells: those would be kept

CASES = 3
"""The number of cases per test with ``--quick``: the first, the last, and one between."""

# The number of examples per test that hypothesis makes.
settings.register_profile("full", max_examples=40)
settings.register_profile("quick", max_examples=10)

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write the golden files instead of comparing.")
    parser.addoption(
        "--quick", action="store_true", help=f"At most {CASES} cases of each test, and none that is marked slow."
    )


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("quick" if config.getoption("--quick") else "full")
    config.addinivalue_line("markers", "slow: takes more than ten seconds of processor time; not with --quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """``--quick``: a few cases of each test, always the same ones, so that a failure can be
    repeated."""
    if not config.getoption("--quick"):
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    chosen = {id(item) for group in cases.values() for item in evenly(group) if not item.get_closest_marker("slow")}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in chosen])
    items[:] = [item for item in items if id(item) in chosen]


def evenly(group: list[pytest.Item]) -> list[pytest.Item]:
    """At most `CASES` of the items, evenly spaced."""
    if len(group) <= CASES:
        return group
    return [group[i * (len(group) - 1) // (CASES - 1)] for i in range(CASES)]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n``: neighbouring tests run in one process, so that what the tests of a file share is
    computed once; an idle process takes tests from the others."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log) if config.getoption("dist") == "load" else None


@pytest.fixture
def at_every_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled search writes its checkpoint after every level, and does not wait for the disk."""
    from dio_mc.engines.native import saving

    monkeypatch.setattr("os.fsync", lambda handle: None)
    monkeypatch.setattr(saving, "MOST_WAITING", -1)


@pytest.fixture
def folder() -> Iterator[Path]:
    """For the states of searches on disk; what is written there has no name."""
    from forgetting import forgetting

    with forgetting() as folder:
        yield folder
        assert not list(folder.iterdir())


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden("text/race.txt", text)``: the text equals that of the file below tests/golden, to
    the byte."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            return
        assert path.exists(), f"no golden file {name}: run pytest --update-golden and look at what it writes"
        assert text == path.read_bytes().decode(), f"{name} differs; if that is right, run pytest --update-golden"

    return compare
