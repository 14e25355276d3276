"""Every counterexample of the repository's models in every format."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from render_traces import all_traces, ext3

from dio_mc.html.trace_page import trace_page
from dio_mc.render.commit import WIDTH, diagram, entries, render_commit, standing
from dio_mc.render.dot import render_dot
from dio_mc.render.itf import ACTION, PICKS, render_itf
from dio_mc.render.lkml import render_lkml
from dio_mc.render.mermaid import render_mermaid
from dio_mc.render.scene import held_at, holds, wrong_cells
from dio_mc.render.svg import render_svg
from dio_mc.render.text import render_text
from dio_mc.trace.codec import decode, encode
from dio_mc.trace.trace import Cell, Change, Trace

TRACES = all_traces()
each_trace = pytest.mark.parametrize("trace", TRACES, ids=lambda t: f"{t.model.name}-{t.property}")
NASTY = "</script><img src=x onerror=alert(1)>&\"'`]]>"


def nasty(trace: Trace) -> Trace:
    """The trace with markup in every name that a model chooses."""
    text = encode(trace)
    for word in ("slot", "no_stale_exposure", "STALE", "pdflush", "filemap_nopage", "i_mutex", "Ext3"):
        text = text.replace(word, json.dumps(word + NASTY)[1:-1])
    return decode(text)


# -- what is said of a schedule that is not known to be the shortest ---------------------------------------------------


@pytest.mark.parametrize(
    "trace", {t.property_kind: t for t in TRACES if t.steps}.values(), ids=lambda t: t.property_kind
)
def test_a_schedule_that_is_not_canonical_says_so(trace: Trace) -> None:
    """In each format that tells how long it is, and where it is stored."""
    other = replace(trace, canonical=False)
    forms = {
        "text": render_text, "dot": render_dot, "svg": render_svg, "page": trace_page, "json": encode,
        "mail": lambda one: render_lkml(one, path="trace.json"),
    }  # fmt: skip
    marks = {"json": '"canonical": false', "mail": "a schedule, not known to be the shortest"}
    for name, render in forms.items():
        mark = marks.get(name, "not canonical")
        assert (mark in unwrapped(render(trace)), mark in unwrapped(render(other))) == (False, True), name
    assert decode(encode(other)) == other


def unwrapped(text: str) -> str:
    return " ".join(text.split())


# -- commit and mail ----------------------------------------------------------------------------------


@each_trace
def test_commit_is_narrow_ascii(trace: Trace) -> None:
    for text in (render_commit(trace), render_lkml(trace, path="counterexamples/x/y.json")):
        assert text.isascii()
        assert max(map(len, text.split("\n"))) <= WIDTH
        assert not any(row != row.rstrip() for row in text.split("\n"))


@each_trace
def test_commit_has_every_step_once_and_in_order(trace: Trace) -> None:
    shown = entries(trace)
    assert [entry.number for entry in shown] == [step.number for step in trace.steps]
    assert [trace.cast[entry.lane].name for entry in shown] == [step.thread for step in trace.steps]
    assert all(entry.lines for entry in shown)
    page = diagram(trace)
    rows = page[page.index("") + 1 :] if page else []
    if len(trace.cast) > 3:
        rows = [re.sub(r"^ *(\d+\.)? *CPU\d+  ", "", row) for row in rows]
    words = [word for row in rows for word in row.split()]
    listed = [*shown, *standing(trace)]
    told = [word for entry in listed for _, text in entry.lines for word in text.split()]
    assert "".join(words) == "".join(told), "a long call may be broken before its brackets"


@each_trace
def test_commit_keeps_columns_apart(trace: Trace) -> None:
    """Every row begins in the column of its thread."""
    if not 1 < len(trace.cast) <= 3:
        return
    page = diagram(trace)
    starts = [match.start() for match in re.finditer(r"CPU\d \(", page[0])]
    assert len(starts) == len(trace.cast)
    rows = iter(page[2:])
    for entry in entries(trace):
        want = "".join("".join(text.split()) for _, text in entry.lines)
        while want:
            row = next(rows)
            assert len(row) - len(row.lstrip()) >= starts[entry.lane]
            want = want.removeprefix("".join(row.split()))


@each_trace
def test_a_mail_numbers_the_steps_that_it_speaks_of(trace: Trace) -> None:
    """The same words after their numbers (one that is too long for its column is cut), each number once."""
    plain, numbered = diagram(trace, WIDTH), diagram(trace, WIDTH, numbered=True)
    if not trace.steps or len(trace.cast) > 3:
        assert plain == numbered
        return
    margin = len(str(len(trace.steps))) + 2
    fronts = [row[:margin].strip() for row in numbered[2:]]
    assert [int(front) for front in fronts if front] == [step.number for step in trace.steps]
    assert "".join("".join(row[margin:] for row in numbered[2:]).split()) == "".join("".join(plain[2:]).split())
    assert "\n".join(row.rstrip() for row in numbered) in render_lkml(trace)


def test_the_seed_race_as_a_commit_message() -> None:
    text = render_commit(ext3())
    assert "CPU0 (reader)      CPU1 (mapper)      CPU2 (pdflush)" in text
    assert "/* block[0]: HOLE -> MAPPED */" in text
    assert "    seen[0] = mapped ? disk[0] : ZERO\n    /* seen[0]: ZERO -> STALE */" in text
    assert text.split("\n\n")[-1].startswith('This breaks the rule "no stale exposure". seen[0] is now STALE')


def test_a_deadlock_says_who_holds_what() -> None:
    trace = next(t for t in TRACES if t.model.name == "Philosophers@n=2")
    end = " ".join(render_commit(trace).split("\n\n")[-1].split())
    assert end == (
        "Nothing can run any more. CPU0 holds fork[0] and waits at lock(fork[1]), held by CPU1. "
        "CPU1 holds fork[1] and waits at lock(fork[0]), held by CPU0. Circular wait: CPU0 -> CPU1 -> CPU0."
    )


def test_the_mail_tells_how_to_see_it_again() -> None:
    text = render_lkml(ext3(), path="x.json")
    assert "dio-mc check models/seed/ext3_2_6_18.py --model Ext3" in text
    assert "dio-mc replay x.json" in text


# -- pictures and other tools -------------------------------------------------------------------------


@each_trace
def test_svg_parses_and_is_small(trace: Trace) -> None:
    text = render_svg(trace)
    root = ET.fromstring(text)
    assert root.tag.endswith("svg")
    assert len(text.encode()) < 200_000
    steps = [node.get("data-step") for node in root.iter() if node.get("data-step")]
    assert steps == [str(number) for number in range(len(trace.steps) + 1)]


def test_svg_has_no_script_and_no_link() -> None:
    root = ET.fromstring(render_svg(ext3()))
    tags = {node.tag.rsplit("}", 1)[-1] for node in root.iter()}
    assert tags <= {"svg", "title", "style", "rect", "path", "g", "circle", "text"}
    assert "http" not in render_svg(ext3()).replace("http://www.w3.org/2000/svg", "")


def test_svg_marks_what_is_wrong_and_draws_locks() -> None:
    text = render_svg(ext3())
    assert text.count('class="x"') == 1
    assert "reader holds i_mutex from step 1 to step 11" in text
    assert "reader holds i_alloc_sem (reading) from step 4 still at the end" in text


def test_a_long_trace_stays_small() -> None:
    trace = ext3()
    many, cells = 400, tuple(Cell(f"v[{n}]", "0", "data", False, False, None) for n in range(40))
    initial = tuple(replace(c) for c in trace.initial)
    step = trace.steps[0]
    steps = [
        replace(step, number=n + 1, changes=(Change(f"v[{n % 40}]", str(n // 40), str(n // 40 + 1), "data", False),))
        for n in range(many)
    ]
    long = replace(trace, initial=(*initial, *cells), steps=tuple(steps))
    text = render_svg(long)
    assert len(text) < 200_000
    assert "left out" in text
    ET.fromstring(text)


@each_trace
def test_itf_has_the_shape_of_the_format(trace: Trace) -> None:
    document = json.loads(render_itf(trace))
    assert document["#meta"]["format"] == "ITF"
    names = set(document["vars"])
    assert len(names) == len(document["vars"])
    for number, state in enumerate(document["states"]):
        assert state.pop("#meta") == {"index": number}
        assert set(state) == names
    taken = [(s[ACTION], s[PICKS].get("thread")) for s in document["states"]]
    assert taken[0] == ("init", None)
    assert taken[1:] == [(s.location, s.thread) for s in trace.steps if s.fault is None]


@each_trace
def test_mermaid_has_a_message_per_step(trace: Trace) -> None:
    lines = render_mermaid(trace).splitlines()
    assert lines[0] == "sequenceDiagram"
    numbered = [match[1] for line in lines if (match := re.match(r" +T\d+->>T\d+: (\d+)\.", line))]
    assert numbered == [str(step.number) for step in trace.steps]
    assert all(";" not in re.sub(r"#\d+;", "", line) for line in lines)


# -- all of them --------------------------------------------------------------------------------------


def test_markup_in_names_is_text() -> None:
    trace = nasty(ext3())
    ET.fromstring(render_svg(trace))
    assert "<img" not in render_svg(trace)
    assert "<img" not in render_mermaid(trace)
    json.loads(render_itf(trace))
    assert max(map(len, render_commit(trace).split("\n"))) <= WIDTH


def test_line_ends_in_names_stay_in_their_line() -> None:
    trace = decode(encode(ext3()).replace("pdflush", "pd\\n\\u0000\\u202eflush"))
    ET.fromstring(render_svg(trace))
    for text in (render_commit(trace), render_lkml(trace), render_mermaid(trace)):
        assert text.isascii()
        assert "\x00" not in text


@each_trace
def test_locks_are_held_as_the_states_say(trace: Trace) -> None:
    names = {thread.name for thread in trace.threads}
    for number, state in enumerate(trace.states()):
        owners = {c.name: state[c.name] for c in trace.initial if c.role == "lock" and ".owner" in c.name}
        held = {(h.lock, h.thread) for h in held_at(trace, number) if not h.mode}
        assert held == {(name.replace(".owner", ""), who) for name, who in owners.items() if who in names}
    assert all(hold.end is None or hold.start < hold.end for hold in holds(trace))


def test_wrong_cells_come_from_the_failing_values() -> None:
    trace = ext3().with_failing([("self.seen[0] != Data.STALE", "seen[0]=STALE, after.block[0]=MAPPED, nothing=3")])
    assert wrong_cells(trace) == {"seen[0]": "STALE", "block[0]": "MAPPED"}


def test_the_same_bytes_under_another_hash_seed() -> None:
    code = (
        "from render_traces import ext3; from dio_mc.render.svg import render_svg\n"
        "from dio_mc.render.itf import render_itf\n"
        "from dio_mc.render.commit import render_commit; from dio_mc.render.mermaid import render_mermaid\n"
        "import hashlib; t = ext3()\n"
        "text = render_svg(t) + render_itf(t) + render_commit(t) + render_mermaid(t)\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    found = set()
    for seed in ("1", "2"):
        env = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(path for path in sys.path if path)}
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
        found.add(out.stdout)
    assert len(found) == 1
