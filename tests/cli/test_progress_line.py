"""The progress line."""

import io

import pytest

from dio_mc.cli.progress import ProgressLine, show_count
from dio_mc.semantics.search import Progress

MEGABYTE = 1 << 20


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def line(stream, **rest) -> ProgressLine:
    return ProgressLine(stream, memory=lambda: 412 * MEGABYTE, **rest)


def test_nothing_is_written_where_there_is_no_terminal():
    stream = io.StringIO()
    report = line(stream, every=0.0)
    report(Progress(1, 10, 20, 5, 1.0))
    report.finish()
    assert stream.getvalue() == ""


def test_the_line_has_rate_depth_trend_and_memory():
    stream = Terminal()
    report = line(stream, every=1.0)
    report(Progress(12, 100, 0, 20_000, 0.5))
    assert stream.getvalue() == "", "too early"
    report(Progress(13, 61_000, 0, 44_000, 1.0))
    assert stream.getvalue() == "\r\x1b[Klevel 13  61.0k states  61.0k/s  open 44.0k growing x2.2  412 MB"
    report(Progress(13, 90_000, 0, 44_000, 1.9))
    assert stream.getvalue().count("level") == 1, "a second has not passed"
    stream.truncate(0)
    stream.seek(0)
    report(Progress(14, 812_000, 0, 30_000, 3.0))
    assert stream.getvalue() == "\r\x1b[Klevel 14  812k states  376k/s  open 30.0k shrinking  412 MB"


def test_a_steady_frontier_has_no_trend():
    stream = Terminal()
    report = line(stream, every=0.0)
    report(Progress(1, 10, 0, 5, 1.0))
    report(Progress(2, 20, 0, 5, 2.0))
    assert stream.getvalue().endswith("level 2  20 states  10/s  open 5  412 MB")


def test_a_long_line_is_cut_to_the_terminal(monkeypatch):
    import os

    from dio_mc.cli import progress

    monkeypatch.setattr(progress.os, "get_terminal_size", lambda _: os.terminal_size((20, 24)))
    stream = Terminal()
    stream.fileno = lambda: 1
    line(stream, every=0.0)(Progress(1, 10, 0, 5, 1.0))
    assert stream.getvalue() == "\r\x1b[K" + "level 1  10 states  10/s"[:19]


def test_finish_wipes_the_line_and_only_a_line_that_is_there():
    stream = Terminal()
    report = line(stream, every=0.0)
    report.finish()
    assert stream.getvalue() == ""
    report(Progress(1, 10, 0, 5, 1.0))
    stream.truncate(0)
    stream.seek(0)
    report.finish()
    report.finish()
    assert stream.getvalue() == "\r\x1b[K"


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (999, "999"), (1000, "1.0k"), (61_240, "61.2k"), (812_400, "812k"), (3_500_000, "3.5M"),
     (2 * 10**9, "2.0G")],
)  # fmt: skip
def test_counts_in_three_digits(number, text):
    assert show_count(number) == text
