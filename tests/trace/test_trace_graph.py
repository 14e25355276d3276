"""The trace as a networkx graph, and what a trace says of itself."""

import subprocess
import sys
from itertools import pairwise

from trace_programs import abba, misuse, race, trace_of


def test_path_and_alternatives():
    trace = trace_of(race(), "never_dirty")
    graph = trace.graph()
    assert graph.graph == {"model": "Race", "property": "never_dirty"}
    path = [n for n, kind in graph.nodes(data="kind") if kind == "path"]
    assert path == ["s000", "s001", "s002", "s003", "s004"]
    assert [graph.edges[a, b]["number"] for a, b in pairwise(path)] == [1, 2, 3, 4]
    assert graph.nodes["s004"]["state"]["page[1]"] == "DIRTY"
    stubs = [n for n, kind in graph.nodes(data="kind") if kind == "alternative"]
    assert stubs == ["s000a0", "s001a0", "s002a0", "s003a0", "s003a1"]
    assert graph.edges["s003", "s003a1"] == {
        "thread": "writer",
        "text": "self.page[0] = Page.DIRTY; self.acked = True",
        "taken": False,
    }


def test_a_fault_is_a_node():
    graph = trace_of(misuse(), "lock_misuse@14").graph()
    assert graph.nodes["s003"] == {"kind": "fault", "state": {}}


def test_traces_do_not_load_networkx_until_asked():
    code = "import sys, dio_mc.trace.replay, dio_mc.trace.codec; sys.exit('networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_cast_and_switches():
    trace = trace_of(abba(), "deadlock")
    assert [thread.name for thread in trace.cast] == ["left", "right"]
    assert trace.switches == 1
    assert trace.steps[0].head == "left: self.a.lock()"
