"""The benchmark suite counts what it says: every tool that is installed, at the sizes that a test can afford."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True, scope="module")
def _importable():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield
    for name in ("contenders", "run", "table_limit"):
        sys.modules.pop(name, None)


def _contenders():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        import contenders
    finally:
        sys.path.remove(str(BENCHMARKS))
    return contenders


ALL = _contenders().ALL


@pytest.mark.parametrize("contender", ALL, ids=lambda c: c.name)
def test_states_at_the_smallest_size(contender, tmp_path: Path) -> None:
    import run

    if contender.missing():
        pytest.skip(f"not installed: {', '.join(contender.missing())}")
    size = run.SIZES["XS"]
    entry = run.make_ready(contender, size, tmp_path)
    run.run_once(entry)
    assert entry.states == size.states == 367
    assert entry.peak[0] > 1 << 20
    assert (entry.ready > 0) == bool(contender.needs)


def test_another_number_of_states_is_an_error(tmp_path: Path) -> None:
    import run

    size = replace(run.SIZES["XS"], states=366)
    entry = run.make_ready(next(c for c in ALL if c.name.startswith("plain Python")), size, tmp_path)
    with pytest.raises(RuntimeError, match="plain Python, breadth first at XS: 367 states, not 366"):
        run.run_once(entry)


def test_a_tool_that_fails_is_an_error_with_its_words(tmp_path: Path) -> None:
    import run

    with pytest.raises(RuntimeError, match=r"exit 3\nno good"):
        run.measured([sys.executable, "-c", "print('no good'); raise SystemExit(3)"], tmp_path)


def test_the_command_prints_a_table_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import run

    written = tmp_path / "RESULTS.md"
    assert run.main(["--sizes=XS", "--rounds=1", "--only=plain", f"--write={written}"]) == 0
    text = written.read_text()
    assert text in capsys.readouterr().out
    assert "### XS: 1 page, 1 direct reader, 1 mmap writer, 1 buffered writer; 367 states" in text
    assert "| plain Python, breadth first | 367 | " in text
    assert "Table limit at this size: " in text


def test_an_unknown_size(capsys: pytest.CaptureFixture[str]) -> None:
    import run

    with pytest.raises(SystemExit):
        run.main(["--sizes=XXL"])
    assert "no size XXL: there are XS, S, M, L, XL" in capsys.readouterr().err


def test_the_table_limit_is_that_of_keys_taken_in() -> None:
    import table_limit

    assert 1e4 < table_limit.inserts_per_second(100_000) < 1e10


@pytest.mark.parametrize(
    ("name", "text", "seconds"),
    [
        ("dio-mc", "367 states, depth 26, complete for 3 threads in 0.35 s (search 0.21 s)\n", 0.21),
        ("SPIN -O2, depth first", "pan: elapsed time 19.3 seconds\npan: rate 611688.4 states/second\n", 19.3),
        ("SPIN -O2, depth first", "pan: elapsed time 0 seconds\n", None),
        ("Rumur -O3", "1 states, 2 rules", None),
    ],
)
def test_searches_are_timed_by_the_tools_own_account(name: str, text: str, seconds: float | None) -> None:
    assert next(c for c in ALL if c.name == name).searched(text) == seconds
