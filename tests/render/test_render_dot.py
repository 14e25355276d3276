"""The graph: what is drawn, that it stays small, and that no name breaks it."""

import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from trace_programs import abba, bad_start, misuse, race, trace_of
from trace_strategies import traces

from dio_mc.render.dot import COLOURS, MOST_NODES, render_dot
from dio_mc.trace.trace import Alternative, Change, ThreadName, Trace

RELAXED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
STRING = r'"(?:[^"\\]|\\.)*"'
VALUE = rf"(?:{STRING}|[\w.#]+)"
ATTRIBUTES = rf"\[\w+={VALUE}(?:, \w+={VALUE})*\]"
NODE = re.compile(rf"  (s\d{{3,}}(?:x|a\d)?) {ATTRIBUTES};")
EDGE = re.compile(rf"  (s\d{{3,}}x?) -> (s\d{{3,}}(?:x|a\d)?) {ATTRIBUTES};")
OTHER = re.compile(rf"//.*|digraph trace {{|}}|  (?:node|edge) {ATTRIBUTES};|  (?:\w+={VALUE}; ?)+")


def parse(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """Nodes and edges of a document; every line must be one we mean to write."""
    nodes, edges = [], []
    assert text.isascii()
    assert text.endswith("}\n")
    for line in text[:-1].split("\n"):
        if node := NODE.fullmatch(line):
            nodes.append(node[1])
        elif edge := EDGE.fullmatch(line):
            edges.append((edge[1], edge[2]))
        else:
            assert OTHER.fullmatch(line), line
    assert len(set(nodes)) == len(nodes)
    assert {end for edge in edges for end in edge} <= set(nodes)
    return nodes, edges


@pytest.mark.parametrize(
    ("program", "name"), [(race, "no_undo"), (abba, "deadlock"), (misuse, "lock_misuse@14"), (bad_start, "assertion@7")]
)
def test_golden(program, name, golden):
    text = render_dot(trace_of(program(), name))
    parse(text)
    golden(f"dot/{name}.dot", text)


def test_the_path_and_its_end():
    text = render_dot(trace_of(race(), "never_dirty"))
    nodes, edges = parse(text)
    assert [n for n in nodes if "a" not in n] == ["s000", "s001", "s002", "s003", "s004"]
    assert ("s003", "s004") in edges
    assert [line.split()[0] for line in text.splitlines() if "peripheries=2" in line] == ["s004"]
    assert '"* page[1] = DIRTY\\lviolated: never_dirty\\l"' in text
    assert "violated" not in render_dot(trace_of(race(), "read_done"))


def test_only_changed_cells_in_labels_and_all_in_tooltips():
    line = next(t for t in render_dot(trace_of(race(), "no_undo")).splitlines() if t.startswith("  s005 ["))
    label, tooltip = re.findall(STRING, line)[:2]
    assert label == '"* page[0] = DIRTY\\l* acked = True (ghost)\\l"'
    assert "page[1] = DIRTY\\n" in tooltip
    assert "reader.pc = end" in tooltip


def test_a_value_that_is_learned_is_shown():
    assert '"got = DIRTY\\l"' in render_dot(learned())


def learned() -> Trace:
    trace = trace_of(race(), "never_dirty")
    change = Change("reader.read.get_block.got", "ABSENT", "DIRTY", "local", False)
    change = replace(change, cell="reader.get_block.got")
    steps = (trace.steps[0], replace(trace.steps[1], local_changes=(change,)), *trace.steps[2:])
    return replace(trace, steps=steps)


def test_a_colour_per_thread_those_that_run_first():
    trace = trace_of(abba(), "deadlock")
    threads = (ThreadName("other", "other", False), *trace.threads)
    text = render_dot(replace(trace, threads=threads))
    thick = [line for line in text.splitlines() if "penwidth=3" in line]
    assert [re.findall(r"#\w+", line) for line in thick] == [[COLOURS[0]], [COLOURS[1]]]


def test_numbered_edges_name_thread_function_and_statement():
    text = render_dot(trace_of(race(), "no_undo"))
    assert 'label="  2  reader\\l  ext3_get_block()\\l  got = page[0]\\l"' in text
    assert 'tooltip="models/race.py:21\\nfs/ext3/inode.c:ext3_get_block"' in text


# -- alternatives -----------------------------------------------------------------------------------


def crowded(steps: int, alternatives: int) -> Trace:
    trace = trace_of(race(), "never_dirty")
    other = tuple(Alternative("writer", "writer+1", (n,), f"x = {n}", None) for n in range(alternatives))
    made = [
        replace(trace.steps[0], number=n, changes=(), local_changes=(), alternatives=other) for n in range(1, steps + 1)
    ]
    return replace(trace, steps=tuple(made))


def stubs(text: str) -> list[str]:
    return [re.findall(STRING, line)[0] for line in text.splitlines() if re.match(r"  s\d+a", line)]


def test_few_alternatives_are_all_drawn():
    assert stubs(render_dot(crowded(1, 3))) == [f'"writer [choice {n}]\\lx = {n}\\l"' for n in range(3)]
    assert len(stubs(render_dot(crowded(1, 4)))) == 4


def test_many_alternatives_are_counted():
    found = stubs(render_dot(crowded(1, 10)))
    assert found[3:] == ['"+7 more\\l"']
    assert len(found) == 4


def test_an_alternative_that_faults_says_so():
    trace = crowded(1, 1)
    bad = replace(trace.steps[0].alternatives[0], choice=(), fault="index")
    text = render_dot(replace(trace, steps=(replace(trace.steps[0], alternatives=(bad,)),)))
    assert stubs(text) == ['"writer\\lx = 0\\lfault index\\l"']


@pytest.mark.parametrize("steps", [1, 5, 29, 30, 31, 74, 75, 140, 147, 148, 149, 150, 1000])
@pytest.mark.parametrize("alternatives", [0, 1, 4, 5, 3000])
def test_never_too_many_nodes(steps, alternatives):
    text = render_dot(crowded(steps, alternatives))
    nodes, edges = parse(text)
    assert len(nodes) <= MOST_NODES
    path = [n for n in nodes if "a" not in n]
    assert "s000" in path
    assert f"s{steps:03d}" in path
    reached, todo = {"s000"}, ["s000"]
    while todo:
        here = todo.pop()
        todo += [b for a, b in edges if a == here and b not in reached]
        reached |= {b for a, b in edges if a == here}
    assert reached == set(nodes)
    if alternatives and steps <= 148:
        assert len(nodes) == min(MOST_NODES, steps + 1 + steps * min(alternatives, 4)), "the room is used"
    shown = sum(int(m[1]) if (m := re.match(r'"\+(\d+) more', stub)) else 1 for stub in stubs(text))
    assert shown == alternatives * len({n.split("a")[0] for n in nodes if "a" in n}), "all are shown or counted"


def test_a_long_path_says_how_much_is_left_out():
    text = render_dot(crowded(1000, 0))
    assert 's074x [label="852 states"' in text
    assert "s074 -> s074x" in text
    assert "s074x -> s927" in text


# -- any trace --------------------------------------------------------------------------------------


@RELAXED
@given(traces())
def test_any_names_are_escaped(trace):
    nodes, _ = parse(render_dot(trace))
    assert len([n for n in nodes if "a" not in n]) == len(trace.steps) + 1


def test_markup_in_names_is_text():
    trace = trace_of(race(), "never_dirty")
    evil = '<b>"];}\n\\N\\l&amp;'
    text = render_dot(replace(trace, property=evil, model=replace(trace.model, name=evil, file=evil)))
    parse(text)
    assert '<b>\\"];}\\\\n\\\\N\\\\l&amp;amp;' in text


@pytest.mark.skipif(shutil.which("dot") is None, reason="no Graphviz (.ci/run installs it)")
@pytest.mark.parametrize("trace", [trace_of(race(), "no_undo"), crowded(150, 3000)], ids=["race", "crowded"])
def test_graphviz_reads_it(trace):
    evil = '<b>"];}\n\\N\\l&amp;'
    text = render_dot(replace(trace, property=evil, model=replace(trace.model, name=evil)))
    done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    assert "&lt;b&gt;&quot;];}\\n\\N\\l&amp;amp;" in done.stdout
