"""The static cycle condition of partial-order reduction: a set of steps that every cycle of a program contains.

A search that takes only some of the steps of each state could postpone the others forever along a cycle of states. It
does not if every cycle contains a state that is expanded in full. To ensure this, the steps of certain control states,
the *anchors*, are never in a reduced set. A thread that moves along a cycle of states moves along a cycle of its
control states, so it is enough that each cycle of control states contains an anchor (Kurshan, Levin, Minea, Peled,
Yenigun 1998: static partial order reduction).

Anchors are chosen by location, the same for all instances of a template, so that they remain anchors under symmetry: a
cycle of representatives, followed often enough, is a cycle of states, each of which is a permutation of the
representative that was expanded, and permutations preserve the locations of the threads that move. A control state that
is on no cycle of its thread is not an anchor.

Instances that are spawned again and again may repeat without a cycle in their own code. Such a repetition contains an
instance that spawns, so every spawning step of an instance is an anchor.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dio_mc.analysis.partial_order.footprints import Footprint, Footprints
from dio_mc.analysis.values.facts import Config

Stand = tuple[int, Config]
"""A thread and its control state."""


def find_anchors(footprints: Footprints, free: Collection[Stand], busy: Collection[Stand]) -> set[Stand]:
    """The anchors. Steps in `free` are never in a reduced set anyway, so a cycle that contains only such steps needs no
    anchor. If there is a choice, locations with many `busy` steps are preferred."""
    program, found = footprints.program, set[Stand]()
    for number, template in enumerate(program.templates):
        threads = [t for t, thread in enumerate(program.threads) if thread.template == number]
        edges = [(t, a, b) for t in threads for a, b in _on_cycles(footprints.steps[t])]
        on_cycles = {(t, a) for t, a, _ in edges}
        held = {config[0] for t, config in on_cycles if (t, config) not in free}
        graph: dict[int, set[int]] = {location: set() for location in sorted(held)}
        for _, a, b in edges:
            if a[0] in held and b[0] in held:
                graph[a[0]].add(b[0])
        weights = {location: sum(c[0] == location and t in threads for t, c in busy) for location in held}
        chosen = _feedback(graph, weights)
        found |= {(t, config) for t, config in on_cycles if config[0] in chosen}
        if template.spawned:
            found |= {(t, config) for t in threads for config, step in footprints.steps[t].items() if step.spawns}
    return found


def _on_cycles(steps: Mapping[Config, Footprint]) -> list[tuple[Config, Config]]:
    """The edges (control state, next control state) of one thread that lie on a cycle of it."""
    numbers = {config: number for number, config in enumerate(steps)}
    after = [[numbers[other] for other in step.after if other in numbers] for step in steps.values()]
    reached = _reached(after)
    configs = list(steps)
    return [(configs[a], configs[b]) for a, following in enumerate(after) for b in following if reached[b] >> a & 1]


def _reached(after: Sequence[Collection[int]]) -> list[int]:
    """For each node the set of nodes reachable from it, itself included, as a bit set."""
    found = [1 << number for number in range(len(after))]
    changed = True
    while changed:
        changed = False
        for number in reversed(range(len(after))):
            joined = found[number]
            for other in after[number]:
                joined |= found[other]
            if joined != found[number]:
                found[number], changed = joined, True
    return found


def _feedback(graph: Mapping[int, Collection[int]], weights: Mapping[int, int]) -> set[int]:
    """A feedback vertex set: nodes whose removal leaves no cycle. Greedy: of the nodes on cycles, the heaviest is
    removed, then the one with most paths through it, until no cycle is left."""
    chosen: set[int] = set()
    while True:
        left = {
            node: [n for n in following if n not in chosen] for node, following in graph.items() if node not in chosen
        }
        through = _ways_through(left)
        if not through:
            return chosen
        chosen.add(max(through, key=lambda node: (weights[node], through[node], -node)))


def _ways_through(graph: Mapping[int, Collection[int]]) -> dict[int, int]:
    """For each node on a cycle: the number of its incoming edges on cycles times the number of its outgoing ones."""
    nodes = list(graph)
    numbers = {node: number for number, node in enumerate(nodes)}
    reached = _reached([[numbers[other] for other in graph[node]] for node in nodes])
    edges = [(a, b) for a in nodes for b in graph[a] if reached[numbers[b]] >> numbers[a] & 1]
    return {
        n: sum(a == n for a, _ in edges) * sum(b == n for _, b in edges) for n in nodes if any(n in e for e in edges)
    }
