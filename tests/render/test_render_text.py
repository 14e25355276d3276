"""The diagram: what is in it, what it leaves out, and that it holds for any trace."""

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trace_programs import abba, bad_start, misuse, race, trace_of
from trace_strategies import PLAIN, traces

from dio_mc.render.columns import cut
from dio_mc.render.statement import printable, shown_changes, shown_statement
from dio_mc.render.text import Frame, call_stack, render_text
from dio_mc.render.where import numbers, where_block
from dio_mc.trace.trace import Change, Place, ThreadName, Trace, TraceStep

MARK = r"[ /|\\@]"
"""What follows a step's number: the line beside steps that repeat."""
RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
EXAMPLES = [
    (race, "never_dirty"),
    (race, "no_undo"),
    (race, "read_done"),
    (abba, "deadlock"),
    (misuse, "lock_misuse@14"),
    (bad_start, "assertion@7"),
]


@pytest.mark.parametrize(("program", "name"), EXAMPLES)
def test_golden(program, name, golden):
    trace = trace_of(program(), name)
    if name == "never_dirty":
        trace = trace.with_failing([("self.page[1] != Page.DIRTY", "page[1]=DIRTY")])
    golden(f"text/{name}.txt", render_text(trace, model=True) + "\n")


def step(number: int = 1, text: str = "pass", **rest) -> TraceStep:
    made = TraceStep(number, "reader", f"reader+{number}", (), text, None, (), (), None, (), (), (), (), None)
    return replace(made, **rest)


def with_steps(*steps: TraceStep) -> Trace:
    """The race's trace with other steps; steps of other threads get these threads."""
    base = trace_of(race(), "never_dirty")
    names = dict.fromkeys(s.thread for s in steps)
    threads = tuple(ThreadName(name, name, False) for name in names)
    return replace(base, steps=steps, threads=threads, initial=(), failing=())


def diagram(trace: Trace, **rest) -> list[str]:
    lines = render_text(trace, **rest).splitlines()
    first = next(n for n, line in enumerate(lines) if set(line) == {" ", "-"}) + 1
    return lines[first : next(n for n, line in enumerate(lines) if line.startswith("  =  "))]


def data(cell: str, before: str, after: str, **rest) -> Change:
    return Change(cell, before, after, rest.get("role", "data"), rest.get("ghost", False))


# -- one step ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "changes", "statement", "shown"),
    [
        ("self.i_mutex.lock()", [data("i_mutex.owner", "None", "a", role="lock")], "i_mutex.lock()", []),
        ("self.go()", [data("i_mutex.owner", "None", "a", role="lock")], "go()", ["i_mutex.owner: None -> a"]),
        ("self.dirty[i] = True", [data("dirty[0]", "False", "True")], "", ["dirty[0]: False -> True"]),
        ("self.dirty[i] = True", [], "dirty[i] = True", []),
        ("self.dirty[i] = True", [data("page", "0", "1")], "dirty[i] = True", ["page: 0 -> 1"]),
        ("self.n += 1", [data("n", "0", "1")], "", ["n: 0 -> 1"]),
        ("self.n = -1", [data("n", "0", "-1")], "", ["n: 0 -> -1"]),
        ("self.n = self.m", [data("n", "0", "1")], "n = m", ["n: 0 -> 1"]),
        ("self.who = me", [data("who", "None", "a")], "", ["who: None -> a"]),
        ("self.a, self.b = (False, True)", [data("a", "True", "False")], "a, b = (False, True)", ["a: True -> False"]),
        (
            "self.a, self.b = (False, True)",
            [data("a", "True", "False"), data("b", "False", "True")],
            "",
            ["a: True -> False", "b: False -> True"],
        ),
        (
            "wait_until(self.a); self.b[0].x = Page.C; self.d = 1",
            [data("b[0].x", "A", "C")],
            "wait_until(a); d = 1",
            ["b[0].x: A -> C"],
        ),
        ("self.acked = True", [data("acked", "0", "1", ghost=True)], "", ["acked: 0 -> 1 (ghost)"]),
        ("self.lock = True", [data("lock", "0", "1", role="lock")], "lock = True", []),
        ("if self.a: self.b = 1 else: self.b...", [data("b", "0", "1")], "if a: b = 1 else: b...", ["b: 0 -> 1"]),
        ("go(); if self.a: self.b = 1 else: self.b...", [data("b", "0", "1")], "go()", ["b: 0 -> 1"]),
        ("go(); if self.a: self.b = 1 else: self.b...", [], "go(); if a: b = 1 else: b...", []),
        ("itself.x(self.y)", [], "itself.x(y)", []),
    ],
)
def test_what_a_step_shows(text, changes, statement, shown):
    made = step(text=text, changes=tuple(changes))
    assert shown_statement(made) == statement
    assert shown_changes(made) == shown


def local(cell: str, before: str = "0", after: str = "1") -> Change:
    return Change(cell, before, after, "local", False)


@pytest.mark.parametrize(
    ("text", "operations", "cell", "shown"),
    [
        ("got = self.page[0]", ("read", "get"), "reader.get.got", True),
        ("got = self.page[0]", ("read", "get"), "reader.read.got", False),
        ("got = self.page[0]", ("read",), "writer.read.got", False),
        ("got = self.page[0]", ("read",), "reader.read.other", False),
        ("got = self.page[0]", (), "reader.got", True),
        ("got: Page = self.page[0]", (), "reader.got", True),
        ("got += self.page[0]", (), "reader.got", True),
        ("i, got = (1, self.page[0])", (), "reader.got", True),
        ("return self.page[0]", ("read", "get"), "reader.read.mapped", True),
        ("return self.page[0]", ("get",), "reader.mapped", True),
        ("return self.page[0]", ("read", "get"), "reader.get.index", False),
        ("return self.page[0]", (), "reader.x", False),
        ("wait_until(self.a)", (), "reader.i", False),
    ],
)
def test_a_value_that_a_thread_learns_is_shown(text, operations, cell, shown):
    made = step(text=text, operations=operations, calls=operations, local_changes=(local(cell),))
    assert shown_changes(made) == ([f"{cell.rsplit('.', 1)[-1]}: 0 -> 1"] if shown else [])


def test_locations_are_not_shown():
    moved = Change("reader.pc", "reader+1", "reader+2", "location", False)
    assert "pc" not in render_text(with_steps(step(local_changes=(moved,))))


def test_a_choice_is_named():
    assert shown_statement(step(text="x = choose(1, 2)", choice=(1,))) == "x = choose(1, 2)  [chose 2]"


# -- calls ------------------------------------------------------------------------------------------


def call(number: int, location: str, text: str, *names: str, **rest) -> TraceStep:
    operations = tuple(part.split("+")[0] for part in location.split("/")[1:])
    return step(number, text, location=location, operations=operations, calls=names or operations, **rest)


def test_a_function_stands_where_its_call_begins():
    trace = with_steps(
        call(1, "reader+1/read+1", "a()", "kernel_read"),
        call(2, "reader+1/read+2/get+1", "b()", "kernel_read", "kernel_get"),
        call(3, "reader+1/read+2/get+2", "c()", "kernel_read", "kernel_get"),
        call(4, "reader+1/read+3", "d()", "kernel_read"),
        call(5, "reader+2", "e()"),
        call(6, "reader+3/read+1", "f()", "kernel_read"),
        call(7, "reader+4/read+1", "g()", "kernel_read"),
    )
    assert diagram(trace) == [
        "  1  kernel_read()",
        "       a()",
        "  2    kernel_get()",
        "         b()",
        "  3      c()",
        "  4    d()",
        "  5  e()",
        "  6  kernel_read()  f()",
        "  7  kernel_read()  g()",
    ]


def test_calls_go_on_after_another_thread_ran():
    other = replace(step(2, "x()"), thread="writer")
    trace = with_steps(
        call(1, "reader+1/read+1", "a()", "r"), other, call(3, "reader+1/read+2", "b()", "r"), step(4, "c()")
    )
    assert diagram(trace) == [
        "  1  r()",
        "       a()",
        "  2               x()",
        "  3    b()",
        "  4  c()",
    ]


def test_the_stack_of_a_step():
    nested = call(1, "reader+1/read+2/get+3", "", arguments=(("0",), ("0", "NEW")))
    assert call_stack(nested) == (
        Frame("reader+1/read", ("0",), 2),
        Frame("reader+1/read+2/get", ("0", "NEW"), 3),
    )
    odd = call_stack(step(1, location="odd/name", operations=("a", "b", "c")))
    assert odd == (Frame("a"), Frame("b"), Frame("c"))


def test_a_loop_that_calls_again_says_so():
    trace = with_steps(
        call(1, "writer+2/append+1", "lock()", "append", arguments=(("0",),)),
        call(2, "writer+2/append+2", "copy()", "append", arguments=(("0",),)),
        call(3, "writer+2/append+1", "lock()", "append", arguments=(("1",),)),
        call(4, "writer+2/append+2", "copy()", "append", arguments=(("7",),)),  # the parameter was assigned
        call(5, "writer+4/put+1", "put()", "put", arguments=(("0",),)),
        call(6, "writer+4/put+1", "put()", "put", arguments=(("1",),)),
    )
    assert diagram(trace) == [
        "  1  append(0)",
        "       lock()",
        "  2    copy()",
        "  3  append(1)",
        "       lock()",
        "  4    copy()",
        "  5  put(0)  put()",
        "  6  put(1)  put()",
    ]


# -- lanes ------------------------------------------------------------------------------------------


def test_each_thread_has_its_column():
    steps = [replace(step(n, f"s{n}()"), thread=name) for n, name in enumerate("bacab", start=1)]
    lines = render_text(with_steps(*steps)).splitlines()
    assert lines[2:10] == [
        "     CPU0 b  CPU1 a  CPU2 c",
        "     ------  ------  ------",
        "  1  s1()",
        "  2          s2()",
        "  3                  s3()",
        "  4          s4()",
        "  5  s5()",
        "  =  never_dirty is violated here",
    ]


def test_more_than_three_threads_make_a_list():
    steps = [replace(step(n, f"s{n}()"), thread=name) for n, name in enumerate("bacadd", start=1)]
    lines = render_text(with_steps(*steps)).splitlines()
    assert lines[2:9] == [
        "  1  CPU0 b  s1()",
        "  2  CPU1 a  s2()",
        "  3  CPU2 c  s3()",
        "  4  CPU1 a  s4()",
        "  5  CPU3 d  s5()",
        "  6          s6()",
        "  =  never_dirty is violated here",
    ]


def test_changes_are_never_cut_and_statements_are():
    value, text = "x" * 90, "call(" + "argument, " * 60 + ")"
    lines = diagram(with_steps(step(text=text, changes=(data("cell", "0", value),))))
    assert len([line for line in lines if "argument" in line]) == 3
    assert any(line.endswith(" ...") for line in lines)
    assert f"cell:0->{value}" in "".join("".join(lines).split())


def test_a_long_atomic_statement_has_a_line_for_each_part():
    last = "wait_until(condition_3)"
    text = "; ".join(f"wait_until(self.condition_{n})" for n in range(4))
    shown = [line.strip() for line in diagram(with_steps(step(text=text)))]
    assert shown == ["1  wait_until(condition_0);", *(f"wait_until(condition_{n});" for n in (1, 2)), last]


# -- the rest ---------------------------------------------------------------------------------------


def test_where():
    steps = [
        step(1, place=Place("a.py", 3), anchor="mm/filemap.c:f"),
        step(2, place=Place("b.py", 4), anchor="mm/filemap.c:g"),
        step(3, place=Place("a.py", 9), anchor="mm/filemap.c:f"),
        step(4, anchor="fs/x.c:h"),
        step(5),
    ]
    assert where_block(steps, 100) == [
        "where   a.py          1@3 3@9",
        "        b.py          2@4",
        "kernel  mm/filemap.c  f 1,3; g 2",
        "        fs/x.c        h 4",
    ]
    assert where_block([step(1)], 100) == []


def test_a_function_and_its_steps_stay_together():
    steps = [step(n, anchor=f"mm/filemap.c:{'f' * n}") for n in range(1, 12)]
    for width in range(50, 80):
        rows = [row[len("kernel  mm/filemap.c") :] for row in where_block(steps, width)]
        assert [row for row in rows if not re.fullmatch(r"  (f+ \d+(; |;?$))+", row)] == []


def test_step_numbers_are_runs():
    assert numbers([1, 2, 3, 7, 9, 10]) == "1-3,7,9-10"
    assert numbers([]) == ""


def test_economical():
    """Ten steps of three threads, each with a change, leave room for the rest of a report of 40 lines."""
    trace = trace_of(race(), "no_undo")
    steps = [replace(s, number=n) for n, s in enumerate((*trace.steps, *trace.steps[2:]), start=1)]
    assert len(steps) == 10
    assert len(render_text(replace(trace, steps=tuple(steps))).splitlines()) <= 28


def test_cut():
    assert cut("a" * 10, 10) == "a" * 10
    assert cut("a" * 11, 10) == "aaaaaa ..."
    assert cut("abcdef", 3) == "abc"


@pytest.mark.parametrize(
    ("text", "shown"), [("a b", "a b"), ("a\nb\t", "a\\nb\\t"), ("\u2192\ud800", "\\u2192\\ud800")]
)
def test_printable(text, shown):
    assert printable(text) == shown


# -- any trace --------------------------------------------------------------------------------------


@RELAXED
@given(traces(), st.integers(0, 160), st.booleans())
def test_ascii_and_within_the_page(trace, width, model):
    text = render_text(trace, width=width, model=model)
    assert text.isascii()
    assert all(line.isprintable() or not line for line in text.split("\n"))
    assert all(len(line) <= max(40, width) for line in text.split("\n"))
    assert not text.endswith("\n")
    assert all(line == line.rstrip() for line in text.split("\n"))


@RELAXED
@given(traces(PLAIN), st.integers(0, 160))
def test_every_step_once_and_in_order(trace, width):
    lines = render_text(trace, width=width).split("\n")
    end = next(n for n, line in enumerate(lines) if line.startswith("  =  "))
    found = [int(m[1]) for line in lines[:end] if (m := re.match(rf" {{1,2}}([1-9]\d?){MARK} ", line))]
    assert found == [s.number for s in trace.steps]


@RELAXED
@given(traces(PLAIN))
def test_every_change_of_data_is_told_once_under_its_step(trace):
    text = render_text(trace).split("\n  =  ")[0]
    parts = re.split(rf"(?m)^ {{1,2}}[1-9]\d?{MARK} ", text)[1:]
    assert len(parts) == len(trace.steps)
    for part, taken in zip(parts, trace.steps, strict=True):
        bare = "".join(part.split())
        told = [f"{c.cell}:{c.before}->{c.after}" for c in taken.changes if c.role == "data"]
        assert all(change in bare for change in told)
        assert bare.count("->") >= len(told)


@RELAXED
@given(traces(PLAIN, most_threads=3))
def test_a_step_stands_in_the_column_of_its_thread(trace):
    if not trace.steps:
        return
    lines = render_text(trace).split("\n")
    rule = next(n for n, line in enumerate(lines) if set(line) == {" ", "-"})
    starts = [m.start() for m in re.finditer(r"-+", lines[rule])]
    lanes = {thread.name: start for thread, start in zip(trace.cast, starts, strict=True)}
    rows = [line for line in lines[rule:] if re.match(rf" {{1,2}}[1-9]\d?{MARK} ", line)]
    for row, taken in zip(rows, trace.steps, strict=True):
        blank = row[5:]
        assert 5 + len(blank) - len(blank.lstrip()) >= lanes[taken.thread]
        assert row[5 : lanes[taken.thread]].strip() == ""
        later = [start for start in starts if start > lanes[taken.thread]]
        assert not later or row[: later[0]].strip() != str(taken.number)
