"""Steps that no cycle of a program can do without: the static cycle condition of partial order reduction.

A search that takes only some of the steps of a state may put the others off forever, round a cycle of states. It may
not if on each cycle some state is expanded in full, and that is so where a step of one of these *anchors* is never
among the few. A cycle of states is, for a thread that moves on it, a cycle of control states; so it is enough to have
an anchor on each of those (Kurshan, Levin, Minea, Peled, Yenigun 1998: static partial order reduction).

Anchors are chosen by location, the same for all instances of a template, so that they are anchors under symmetry too:
a cycle of representatives, followed often enough, is a cycle of states, each a permutation of the representative that
was expanded; permutations keep the locations of those who move. A control state on no cycle of its
thread is not an anchor.
Instances that are started again and again may go round without a cycle in their own code; somebody on such a round is
an instance that spawns, so an instance's step that spawns is an anchor.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from dio_mc.analysis.partial_order.footprints import Footprint, Footprints
from dio_mc.analysis.values.facts import Config

Stand = tuple[int, Config]
"""A thread and its control state."""


def find_anchors(footprints: Footprints, free: Collection[Stand], busy: Collection[Stand]) -> set[Stand]:
    """The anchors. Of a cycle on which only steps in `free` stand nothing is asked: those are never taken alone anyhow.
    Where there is a choice, locations with many `busy` steps are taken."""
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
    """The steps of one thread, from control state to control state, that lie on a cycle of it."""
    numbers = {config: number for number, config in enumerate(steps)}
    after = [[numbers[other] for other in step.after if other in numbers] for step in steps.values()]
    reached = _reached(after)
    configs = list(steps)
    return [(configs[a], configs[b]) for a, behind in enumerate(after) for b in behind if reached[b] >> a & 1]


def _reached(after: Sequence[Collection[int]]) -> list[int]:
    """Per node those that some path leads to, itself included, as bit sets."""
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
    """Nodes without which there is no cycle: the heaviest of those on cycles, then the one with most ways through it,
    and so on until none is left."""
    chosen: set[int] = set()
    while True:
        left = {node: [n for n in behind if n not in chosen] for node, behind in graph.items() if node not in chosen}
        through = _ways_through(left)
        if not through:
            return chosen
        chosen.add(max(through, key=lambda node: (weights[node], through[node], -node)))


def _ways_through(graph: Mapping[int, Collection[int]]) -> dict[int, int]:
    """Of the nodes on cycles, the number of pairs of edges on cycles that lead in and out."""
    nodes = list(graph)
    numbers = {node: number for number, node in enumerate(nodes)}
    reached = _reached([[numbers[other] for other in graph[node]] for node in nodes])
    edges = [(a, b) for a in nodes for b in graph[a] if reached[numbers[b]] >> numbers[a] & 1]
    return {
        n: sum(a == n for a, _ in edges) * sum(b == n for _, b in edges) for n in nodes if any(n in e for e in edges)
    }
