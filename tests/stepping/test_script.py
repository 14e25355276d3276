"""Schedules as text."""

from __future__ import annotations

import pytest

from dio_mc.stepping.script import All, ScriptError, Start, Steps, Until, parse, spelled

SEGMENTS = [
    ("reader", Steps("reader")),
    ("reader 3", Steps("reader", 3)),
    ("reader[1] 5-7", Steps("reader[1]", 3, 5)),
    ("reader 5 - 5", Steps("reader", 1, 5)),
    ("reader:2", Steps("reader", 1, None, 2)),
    ("reader until i_mutex.lock()", Until("reader", "i_mutex.lock()")),
    ("reader *", All("reader")),
    ("start 2", Start(2)),
    ("start", Steps("start")),
]


@pytest.mark.parametrize(("text", "segment"), SEGMENTS)
def test_segments(text: str, segment: object) -> None:
    (placed,) = parse(f"  {text}  # a comment; not a segment")
    assert (placed.segment, placed.line) == (segment, 1)


def test_lines_and_semicolons() -> None:
    found = parse("# first\nstart 3; a\n\n b 2 ;\n")
    assert [(p.segment, p.line) for p in found] == [(Start(3), 2), (Steps("a"), 2), (Steps("b", 2), 4)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a; 3", "`3`: expected THREAD, THREAD N, THREAD N-M, THREAD until WORD, THREAD * or THREAD:WAY"),
        ("a 0", "`a 0`: numbers count from 1"),
        ("a:0", "`a:0`: numbers count from 1"),
        ("a 4-3", "`a 4-3`: steps are numbered from 1, upwards"),
        ("a 0-3", "`a 0-3`: steps are numbered from 1, upwards"),
        ("a; start 2", "`start 2`: `start` can only be the first segment"),
        ("a:1 *", "`a:1 *`: an alternative can be selected for single steps only"),
        ("a until", "`a until`: expected THREAD, THREAD N, THREAD N-M, THREAD until WORD, THREAD * or THREAD:WAY"),
    ],
)
def test_what_says_nothing(text: str, message: str) -> None:
    with pytest.raises(ScriptError) as found:
        parse(text)
    assert str(found.value) == message


def test_spelled() -> None:
    steps = [("a", None), ("a", None), ("b", 2), ("b", 2), ("a", None)]
    assert spelled(steps, 2) == "start 2; a 1-2; b:2; b:2; a 5-5"
    assert spelled([]) == ""
