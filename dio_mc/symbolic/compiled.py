"""The graph of a property's IR -> a Python function over a valuation, which decides most properties.

The graph has no side effects, and every node has a value everywhere (`Load` is total, divisors are positive). So any
sub-expression may be computed early: one that is used twice, or is nested too deep for Python's parser, gets a line of
its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, assert_never

from dio_mc.semantics.evaluator import Observation
from dio_mc.symbolic.graph import Graph, Node

Compiled = Callable[[Sequence[int]], Any]
"""Maps a valuation, in the order of the observations, to a truth value."""

DEEPEST = 40


def compile_node(graph: Graph, root: int, observations: tuple[Observation, ...]) -> Compiled:
    """The function that evaluates a node of type bool."""
    lines: list[str] = []
    positions = {observation: position for position, observation in enumerate(observations)}
    uses = Counter(a for n in graph.below([root]) for a in graph.nodes[n].args)
    texts: dict[int, tuple[str, int]] = {}
    for number in graph.below([root]):
        node = graph.nodes[number]
        text = _text(node, [texts[a][0] for a in node.args], positions)
        depth = 1 + max((texts[a][1] for a in node.args), default=0)
        if (uses[number] > 1 and node.args) or depth > DEEPEST:
            lines.append(f"    t{number} = {text}")
            text, depth = f"t{number}", 0
        texts[number] = text, depth
    return _function("\n".join(["def decide(v):", *lines, f"    return {texts[root][0]}"]))


@lru_cache(maxsize=512)
def _function(source: str) -> Compiled:
    """The function with this source: one object for equal sources, which the classes of a file mostly have."""
    namespace: dict[str, Any] = {"at": _at}
    exec(compile(source, "<compiled property>", "exec"), namespace)
    function: Compiled = namespace["decide"]
    return function


def _at(index: int, *elements: int) -> int:
    return elements[index] if 0 <= index < len(elements) else elements[-1]


def _text(node: Node, args: list[str], positions: Mapping[Observation, int]) -> str:
    op, data = node.op, node.data
    match op:
        case "const":
            return str(data) if data >= 0 else f"({data})"
        case "observation":
            return f"v[{positions[data]}]"
        case "not":
            return f"(not {args[0]})"
        case "and" | "or":
            return f"({f' {op} '.join(args)})" if args else str(op == "and")
        case "implies":
            return f"(not {args[0]} or {args[1]})"
        case "ite":
            return f"({args[1]} if {args[0]} else {args[2]})"
        case "compare" | "arith":
            return f"({args[0]} {data} {args[1]})"
        case "select":
            return f"at({', '.join(args)})"
        case _:
            assert_never(op)
