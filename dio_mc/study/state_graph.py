"""The state graph of a small model: every reachable state and every step, as a networkx graph; its
strongly connected components; both as DOT or GraphML. The text depends on the model alone."""

from __future__ import annotations

import io
from collections import deque
from typing import Any, Literal

import networkx

from dio_mc.errors import usage_error
from dio_mc.ir.program import Program
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import State
from dio_mc.trace.naming import Naming

Form = Literal["dot", "graphml"]


def state_graph(program: Program, most: int) -> networkx.DiGraph:
    """The graph of at most `most` states. Nodes ``s0``, ``s1``.. in breadth-first order have the
    attributes `state` (the shared values), `kind` (``initial``, ``violating``, ``deadlock`` or
    ``state``) and `violates`; edges have `label`, one for all steps between two states.

    Raises `ModelError` (DIO233) if there are more states.
    """
    interpreter = Interpreter(program)
    naming = Naming(program, interpreter.layout)
    graph: networkx.DiGraph = networkx.DiGraph(name=program.name)
    names: dict[State, str] = {}
    waiting: deque[State] = deque()

    def name_of(state: State) -> str:
        if state not in names:
            if len(names) >= most:
                raise _too_many(program, most)
            names[state] = f"s{len(names)}"
            waiting.append(state)
        return names[state]

    starts = [name_of(state) for state in interpreter.starting()]
    while waiting:
        state = waiting.popleft()
        steps = interpreter.successors(state)
        graph.add_node(names[state], **_node(interpreter, naming, state, not steps))
        labels: dict[str, list[str]] = {}
        for step in steps:
            thread = program.threads[step.action.thread].name
            text = naming.location(step.action.thread, step.action.location).text
            target = name_of(step.state) if step.state is not None else f"{names[state]}_fault"
            labels.setdefault(target, []).append(f"{thread}: {text.replace('self.', '')}")
            if step.fault is not None:
                graph.add_node(target, state=step.fault.message, kind="fault", violates=step.fault.kind)
        for target, told in labels.items():
            graph.add_edge(names[state], target, label="\n".join(dict.fromkeys(told)))
    for start in starts:
        graph.nodes[start]["kind"] = "initial" if graph.nodes[start]["kind"] == "state" else graph.nodes[start]["kind"]
    return graph


def parts(graph: networkx.DiGraph) -> networkx.DiGraph:
    """The strongly connected components: nodes ``c0``.. with `states` (their number), `state`
    (their names) and `kind` (``final`` if no step leads out, otherwise ``state``)."""
    found: networkx.DiGraph = networkx.DiGraph(name=f"{graph.graph['name']}: strongly connected parts")
    order = {name: number for number, name in enumerate(graph.nodes)}
    members = sorted((sorted(part, key=order.__getitem__) for part in networkx.strongly_connected_components(graph)),
                     key=lambda part: order[part[0]])  # fmt: skip
    part_of = {name: f"c{number}" for number, part in enumerate(members) for name in part}
    for part in members:
        inside = {part_of[target] for name in part for target in graph.successors(name)}
        final = inside <= {part_of[part[0]]}
        told = ", ".join(part[:8]) + (f" and {len(part) - 8} more" if len(part) > 8 else "")
        violates = ", ".join(dict.fromkeys(graph.nodes[n]["violates"] for n in part if graph.nodes[n]["violates"]))
        found.add_node(part_of[part[0]], state=told, kind="final" if final else "state", violates=violates,
                       states=len(part))  # fmt: skip
    steps = ((part_of[a], part_of[b]) for a, b in graph.edges)
    found.add_edges_from(((a, b, {"label": ""}) for a, b in dict.fromkeys(steps) if a != b))
    return found


def written(graph: networkx.DiGraph, form: Form) -> str:
    """The graph as text, with a newline at the end."""
    if form == "dot":
        return _dot(graph)
    file = io.BytesIO()
    networkx.write_graphml(graph, file)
    return file.getvalue().decode() + "\n"


def _node(interpreter: Interpreter, naming: Naming, state: State, stuck: bool) -> dict[str, Any]:
    program = interpreter.program
    shared = ", ".join(f"{cell.name}={cell.value}" for cell in naming.cells(state) if cell.thread is None)
    violated = [
        p.name for p in program.properties
        if p.kind == "invariant" and p.expr is not None and not interpreter.evaluate(p.expr, state)
    ]  # fmt: skip
    alive = any(state[pc] and not program.template_of(t).daemon for t, pc in enumerate(interpreter.layout.pc))
    if stuck and alive and program.check_deadlock:
        violated.append("deadlock")
    return {"state": shared, "kind": "violating" if violated else "state", "violates": ", ".join(violated)}


def _too_many(program: Program, most: int) -> Exception:
    hint = "bind smaller parameters, or raise --max-states (larger graphs are for Gephi, as GraphML)"
    return usage_error("DIO233", f"{program.name} has more than {most:,} states, too many to look at", hint=hint)


_FONTS = (
    '  rankdir=TB; node [shape=box, fontname="monospace", fontsize=10, margin="0.12,0.06"];',
    '  edge [fontname="sans-serif", fontsize=10, arrowsize=0.7];',
)
_LOOKS = {"violating": ', color="#D55E00", peripheries=2', "fault": ', color="#D55E00", shape=octagon',
          "initial": ', style=bold', "final": ", peripheries=2"}  # fmt: skip


def _dot(graph: networkx.DiGraph) -> str:
    lines = [f"digraph {_quoted(graph.graph['name'])} {{", *_FONTS]
    for name, node in graph.nodes.items():
        label = _quoted("\n".join([*_label(name, node), ""])).replace("\\n", "\\l")
        lines.append(f"  {_quoted(name)} [label={label}{_LOOKS.get(node['kind'], '')}];")
    for source, target, edge in graph.edges(data=True):
        label = f" [label={_quoted(edge['label'])}]" if edge["label"] else ""
        lines.append(f"  {_quoted(source)} -> {_quoted(target)}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def _label(name: str, node: dict[str, Any]) -> list[str]:
    """The name of a state, a line per variable, and the properties it violates; of a component, its
    states in one line."""
    whole = "states" in node
    state = [node["state"]] if whole else node["state"].split(", ")
    head = f"{name} ({node['states']} states)" if whole else name
    return [head, *filter(None, state), *filter(None, [node["violates"]])]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
