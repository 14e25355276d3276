"""Its place puts this directory on the path: tests share `brute`, `ir_builder`, `naive`, `random_programs`,
`trace_programs` and `trace_strategies`. And golden files."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from dio_mc.memory import collect_seldom

collect_seldom()
for number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(number) is signal.SIG_IGN:  # a shell's job in the background: the commands would inherit it
        signal.signal(number, signal.default_int_handler)

os.environ["DIO_MC_PROGRESS"] = "off"  # on a slow machine commands last a minute
os.environ["DIO_MC_NO_CACHE"] = "1"  # a test may break what finds cells: those would be kept

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write the golden files instead of comparing.")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """``golden("text/race.txt", text)``: the text is that of the file below tests/golden, to the byte."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
            return
        assert path.exists(), f"no golden file {name}: run pytest --update-golden and look at what it writes"
        assert text == path.read_bytes().decode(), f"{name} differs; if that is right, run pytest --update-golden"

    return compare
