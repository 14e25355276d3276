"""The progress line."""

import io
import json
import re

import pytest
from click.testing import CliRunner

from dio_mc.cli.progress import CountLine, ProgressLine, Waiting, show_count
from dio_mc.semantics.search import Progress

MEGABYTE = 1 << 20


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """What the time is, said by the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def told(monkeypatch):
    monkeypatch.delenv("DIO_MC_PROGRESS")


def memory() -> int:
    return 412 * MEGABYTE


def line(stream, clock=None, **rest) -> ProgressLine:
    return ProgressLine(stream, memory=memory, clock=clock or Clock(), **rest)


def test_where_there_is_no_terminal_there_is_a_line_a_minute():
    stream, clock = io.StringIO(), Clock()
    report = line(stream, clock)
    for second in range(1, 181):
        clock.now += 1
        report(Progress(second, 1000 * second, 20, 5, float(second)))
    report.finish()
    assert stream.getvalue().splitlines() == [
        "dio-mc: level 60  60.0k states  1.0k/s  open 5  412 MB  1:00",
        "dio-mc: level 120  120k states  1.0k/s  open 5  412 MB  2:00",
        "dio-mc: level 180  180k states  1.0k/s  open 5  412 MB  3:00",
    ]


def test_many_short_searches_have_a_line_a_minute():
    stream, clock = io.StringIO(), Clock()
    report = line(stream, clock)
    for search in range(30):
        for second in (1.0, 2.0, 3.0):
            clock.now += 1
            report(Progress(search, 100, 20, 5, second))
    assert [text.split()[-1] for text in stream.getvalue().splitlines()] == ["1:00"]


def test_a_search_after_a_long_one_is_drawn():
    stream, clock = Terminal(), Clock()
    report = line(stream, clock, every=1.0)
    report(Progress(1, 10, 0, 5, 100.0))
    report(Progress(1, 20, 0, 5, 1.0))
    assert "20 states  20/s" in stream.getvalue()


def test_nothing_is_told_where_it_is_switched_off(monkeypatch):
    monkeypatch.setenv("DIO_MC_PROGRESS", "off")
    for stream in (io.StringIO(), Terminal()):
        clock = Clock()
        lines = (
            line(stream, clock),
            CountLine(stream, "cells", memory, clock),
            Waiting(stream, "at work", memory, clock),
        )
        clock.now += 1000
        lines[0](Progress(1, 10, 20, 5, 1000.0))
        lines[1](1, 2)
        lines[2]()
        assert stream.getvalue() == ""


def test_tasks_have_rate_and_the_time_that_is_left():
    stream, clock = Terminal(), Clock()
    count = CountLine(stream, "cells", memory, clock)
    count(1, 1950)
    assert stream.getvalue() == "", "too early"
    clock.now += 41
    count(120, 1950, further="7 schedules")
    assert stream.getvalue() == "\r\x1b[K120 of 1,950 cells  2.9/s  7 schedules  about 10:25 left  412 MB  0:41"
    stream.truncate(0)
    stream.seek(0)
    count(1950, 1950)
    count.finish()
    assert stream.getvalue() == "\r\x1b[K", "erased, once"


def test_tasks_of_which_none_is_done_have_no_estimate():
    stream, clock = io.StringIO(), Clock()
    count = CountLine(stream, "mutants", memory, clock)
    clock.now += 59
    count(0, 9)
    assert stream.getvalue() == ""
    clock.now += 1
    count(0, 9)
    count(1, 9)
    clock.now += 3600
    count(1, 9)
    assert stream.getvalue().splitlines() == [
        "dio-mc: 0 of 9 mutants  412 MB  1:00",
        "dio-mc: 1 of 9 mutants  0.0/s  about 8:08:00 left  412 MB  1:01:00",
    ]


def test_what_cannot_be_counted_tells_that_it_lasts():
    stream, clock = Terminal(), Clock()
    waiting = Waiting(stream, "at work", memory, clock)
    clock.now += 0.9
    waiting()
    assert stream.getvalue() == ""
    clock.now += 4.2
    waiting()
    waiting()
    waiting.finish()
    assert stream.getvalue() == "\r\x1b[Kat work  412 MB  0:05\r\x1b[K"


def test_a_command_without_a_terminal_tells_on_stderr_alone(monkeypatch):
    """Where nothing can be counted, and where cells are."""
    from dio_mc.cli import cli, progress

    monkeypatch.setattr(progress, "MINUTE", 0.0)
    some = ["--rule", "ext4_today", "--operation", "direct_read", "--jobs", "1"]
    result = CliRunner().invoke(cli, ["matrix", *some, "--operation", "readahead", "--format", "json"])
    assert json.loads(result.stdout)
    assert re.search(r"^dio-mc: 1 of 3 cells  .*about [0-9:]+ left  \d+ MB  [0-9:]+$", result.stderr, re.MULTILINE)


def test_the_line_has_rate_depth_trend_and_memory():
    stream = Terminal()
    report = line(stream, every=1.0)
    report(Progress(12, 100, 0, 20_000, 0.5))
    assert stream.getvalue() == "", "too early"
    report(Progress(13, 61_000, 0, 44_000, 1.0))
    assert stream.getvalue() == "\r\x1b[Klevel 13  61.0k states  61.0k/s  open 44.0k growing x2.2  412 MB  0:00"
    report(Progress(13, 90_000, 0, 44_000, 1.9))
    assert stream.getvalue().count("level") == 1, "a second has not passed"
    stream.truncate(0)
    stream.seek(0)
    report(Progress(14, 812_000, 0, 30_000, 3.0))
    assert stream.getvalue() == "\r\x1b[Klevel 14  812k states  376k/s  open 30.0k shrinking  412 MB  0:00"


def test_a_steady_frontier_has_no_trend():
    stream = Terminal()
    report = line(stream, every=0.0)
    report(Progress(1, 10, 0, 5, 1.0))
    report(Progress(2, 20, 0, 5, 2.0))
    assert stream.getvalue().endswith("level 2  20 states  10/s  open 5  412 MB  0:00")


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
