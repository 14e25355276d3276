"""The state graph: as many states and steps as a search counts, refused where it is too large, read back by others."""

from __future__ import annotations

import io
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import networkx
import pytest
from asking import explore_reference as explore
from click.testing import CliRunner

from dio_mc.cli import cli
from dio_mc.errors import ModelError
from dio_mc.frontend import build, load_module
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.study.state_graph import parts, state_graph, written

ROOT = Path(__file__).resolve().parents[2]
COUNTER = ROOT / "models" / "toys" / "counter.py"
SMALL = [("toys/counter.py", "Counter"), ("toys/philosophers.py", "Philosophers"), ("toys/peterson.py", "Peterson"),
         ("toys/readers_writers.py", "WriterIgnoresReaders"), ("seed/ext3_2_6_18.py", "Ext3")]  # fmt: skip


def program(file: str, name: str) -> Program:
    (model,) = [cls for cls in load_module(str(ROOT / "models" / file)).models if cls.__name__ == name]
    return build(model, {}).program


@pytest.mark.parametrize(("file", "name"), SMALL)
def test_it_has_the_states_and_steps_of_a_search(file: str, name: str) -> None:
    made = program(file, name)
    graph, counted = state_graph(made, 1000), explore(made, [])
    states = [node for node, kind in graph.nodes(data="kind") if kind != "fault"]
    assert len(states) == counted.states
    interpreter = Interpreter(made)
    seen, edges = set(interpreter.starting()), set()
    waiting = list(seen)
    while waiting:
        state = waiting.pop()
        for after in {step.state for step in interpreter.successors(state) if step.state is not None}:
            edges.add((state, after))
            waiting += [after] if after not in seen else []
            seen.add(after)
    assert sum(not target.endswith("_fault") for _, target in graph.edges) == len(edges)


def test_violating_states_and_deadlocks_are_marked() -> None:
    counter = state_graph(program("toys/counter.py", "Counter"), 1000)
    bad = [node for node, name in counter.nodes(data="violates") if name == "nothing_lost"]
    assert bad
    assert all(counter.nodes[node]["state"] == "x=1" and counter.out_degree(node) == 0 for node in bad)
    table = state_graph(program("toys/philosophers.py", "Philosophers"), 1000)
    stuck = [node for node, name in table.nodes(data="violates") if name == "deadlock"]
    assert len(stuck) == 1
    assert table.out_degree(stuck[0]) == 0


def test_a_larger_one_is_refused() -> None:
    made = program("toys/counter.py", "Counter")
    assert len(state_graph(made, 12)) == 12
    with pytest.raises(ModelError) as caught:
        state_graph(made, 11)
    assert str(caught.value) == (
        "dio-mc: error DIO233: Counter has more than 11 states, too many to look at\n"
        "  hint: bind smaller parameters, or raise --max-states (larger graphs are for Gephi, as GraphML)"
    )


@pytest.mark.parametrize(("file", "name"), SMALL)
def test_parts_are_the_strongly_connected_ones(file: str, name: str) -> None:
    """By their definition: two states are in one part exactly where each can reach the other; no cycle is left."""
    graph = state_graph(program(file, name), 1000)
    found = parts(graph)
    assert sum(size for _, size in found.nodes(data="states")) == len(graph)
    assert networkx.is_directed_acyclic_graph(found)
    reach = {node: networkx.descendants(graph, node) | {node} for node in graph}
    classes = {frozenset(other for other in reach[node] if node in reach[other]) for node in graph}
    assert sorted(size for _, size in found.nodes(data="states")) == sorted(map(len, classes))
    final = sum(kind == "final" for _, kind in found.nodes(data="kind"))
    assert final == sum(all(reach[node] <= one for node in one) for one in classes)


def test_graphml_is_read_back() -> None:
    graph = state_graph(program("toys/counter.py", "Counter"), 1000)
    again = networkx.read_graphml(io.BytesIO(written(graph, "graphml").encode()))
    assert dict(again.nodes(data=True)) == dict(graph.nodes(data=True))
    assert set(again.edges) == set(graph.edges)


def test_dot_is_what_graphviz_takes() -> None:
    text = written(state_graph(program("toys/counter.py", "Counter"), 1000), "dot")
    assert text.count(" -> ") == len(state_graph(program("toys/counter.py", "Counter"), 1000).edges)
    if shutil.which("dot") is None:
        pytest.skip("no Graphviz (.ci/run installs it)")
    done = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, text=True, check=True)
    assert sum(line.startswith("node ") for line in done.stdout.splitlines()) == 12


def test_the_command_writes_the_same_every_time(tmp_path: Path) -> None:
    texts = []
    for number in range(2):
        path = tmp_path / f"{number}.dot"
        words = ["graph", str(COUNTER), "--model", "Counter", "-o", str(path)]
        assert CliRunner().invoke(cli, words, catch_exceptions=False).exit_code == 0
        texts.append(path.read_text())
    assert all(a == b for a, b in pairwise(texts))
    assert texts[0].startswith('digraph "Counter" {\n')
    parts_text = CliRunner().invoke(cli, ["graph", str(COUNTER), "--model", "Counter", "--scc"]).output
    assert "strongly connected parts" in parts_text


def test_of_several_models_one_is_named() -> None:
    with pytest.raises(ModelError) as caught:
        CliRunner().invoke(cli, ["graph", str(COUNTER)], catch_exceptions=False)
    assert "error DIO208: there are several models: name one with --model" in str(caught.value)
    assert "hint: there are: Counter, AtomicCounter" in str(caught.value)


def test_a_drawn_state_has_a_line_for_each_variable() -> None:
    result = CliRunner().invoke(cli, ["graph", str(ROOT / "models/toys/peterson.py"), "--model", "Peterson"])
    assert (
        r'"s0" [label="s0\lwants[0]=False\lwants[1]=False\lturn=0\lcritical[0]=False\lcritical[1]=False\l", style=bold];'
        in result.output
    )
