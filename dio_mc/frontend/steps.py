"""Cutting a raw graph into steps: which nodes begin a location, and which windows are open there.

The graph is traversed as a product with two finite components: the *mode* (before the first step, in the tail of a
step, or after a location whose step has not executed its statement yet), and the regions that are open, or entered and
not yet open. So the first statement of a region that is also the head of a loop becomes two locations, outside and
inside the region; nothing else is duplicated.

A window is part of the model's text, and a location may begin where it is entered. An operation is a region only if a
property refers to it, and this must not change the steps: a region that is entered stays pending, through the rest of
the step and across the location that begins next, until a statement opens it. So if locations that differ only in their
open regions are identified, the program has the same locations with and without these marks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from dio_mc.frontend.graph import Graph, Node, RegionKey, Site, Weight
from dio_mc.ir.expr import Expr
from dio_mc.ir.ops import Block, Branch, End, Jump, Op, Terminator


class Mode(IntEnum):
    """The position within a step during the traversal."""

    ENTRY = 0
    TAIL = 1
    LEAD = 2


class Key(NamedTuple):
    """A node of the product. `begins` is true if a location begins there."""

    node: int
    mode: Mode
    open: frozenset[RegionKey]
    pending: frozenset[RegionKey]
    begins: bool = False


@dataclass(slots=True)
class CutLocation:
    """A location: its block, the statement that runs next, the regions that are open."""

    block: int
    site: Site
    open: frozenset[RegionKey]


@dataclass(slots=True)
class Cut:
    """The blocks and locations of a template. Location 0, the end, is added by the caller."""

    blocks: list[Block] = field(default_factory=list)
    locations: list[CutLocation] = field(default_factory=list)
    entry: int = 0
    entered: frozenset[RegionKey] = frozenset()
    """Every region that is entered on some path, including those that begin and end within a step."""


def cut(graph: Graph) -> Cut:
    """The blocks and locations of a graph, numbered in the order of a depth-first traversal from the start."""
    return _Cutter(graph).run()


@dataclass(slots=True)
class _Cutter:
    graph: Graph
    order: list[Key] = field(default_factory=list)
    edges: dict[Key, tuple[Key, ...]] = field(default_factory=dict)
    entered: set[RegionKey] = field(default_factory=set)

    def run(self) -> Cut:
        start = self._enter(self.graph.start, Mode.ENTRY, frozenset(), frozenset())
        self._walk(start)
        leaders = self._leaders(start)
        numbers = {key: i for i, key in enumerate(k for k in self.order if k in leaders)}
        located = [k for k in self.order if k.begins]
        places = {key: i + 1 for i, key in enumerate(located)}
        result = Cut(entry=numbers[start])
        for key in numbers:
            result.blocks.append(self._block(key, numbers, places))
        result.entered = frozenset(self.entered)
        result.locations = [CutLocation(numbers[k], self._site(k), k.open) for k in located]
        return result

    def _enter(self, node: int, mode: Mode, opened: frozenset[RegionKey], pending: frozenset[RegionKey]) -> Key:
        """The product node for arriving at a graph node: labels are skipped, region exits applied, locations begun."""
        seen: set[int] = set()
        while True:
            found = self.graph.nodes[node]
            if node in seen:  # an empty loop stays one: it is a fault at run time
                break
            seen.add(node)
            if found.leave is not None:
                opened, pending = opened - {found.leave}, pending - {found.leave}
            elif found.enter is not None and (mode is Mode.LEAD or not found.enter.window):
                pending = pending | {found.enter}
                self.entered.add(found.enter)
            elif not _is_label(found) or found.weight is Weight.STEP:
                break
            if found.next < 0:
                break
            node = found.next
        if mode is not Mode.LEAD and _begins(found, mode):
            return Key(node, Mode.LEAD, opened, pending, begins=True)
        return Key(node, mode, opened, pending)

    def _walk(self, start: Key) -> None:
        stack = [start]
        seen: set[Key] = set()
        while stack:
            key = stack.pop()
            if key in seen:
                continue
            seen.add(key)
            self.order.append(key)
            self.edges[key] = self._successors(key)
            stack += reversed(self.edges[key])

    def _successors(self, key: Key) -> tuple[Key, ...]:
        node = self.graph.nodes[key.node]
        if node.end:
            return ()
        mode, opened, pending = key.mode, key.open, key.pending
        if node.enter is not None:
            pending = pending | {node.enter}
            self.entered.add(node.enter)
        if node.weight is Weight.STEP:
            mode, opened, pending = Mode.TAIL, opened | pending, frozenset()
        targets = [node.next] if node.condition is None else [node.next, node.orelse]
        return tuple(self._enter(t, mode, opened, pending) for t in targets)

    def _leaders(self, start: Key) -> set[Key]:
        counts: dict[Key, int] = {}
        leaders = {start} | {k for k in self.order if k.begins}
        for key in self.order:
            for target in self.edges[key]:
                counts[target] = counts.get(target, 0) + 1
                if len(self.edges[key]) > 1 or counts[target] > 1:
                    leaders.add(target)
        return leaders

    def _block(self, leader: Key, numbers: dict[Key, int], places: dict[Key, int]) -> Block:
        ops: list[Op] = []
        key = leader
        while True:
            node = self.graph.nodes[key.node]
            if node.op is not None:
                ops.append(node.op)
            following = self.edges[key]
            if len(following) == 1 and following[0] not in numbers:
                key = following[0]
                continue
            return Block(tuple(ops), _terminator(node, following, numbers), places.get(leader))

    def _site(self, key: Key) -> Site:
        """The statement of a location's step: the only node of weight STEP that comes first on every path from here
        (ghosts may come before it, also in a loop); if there is no such node, the node that begins the location."""
        found: dict[int, None] = {}
        seen: set[Key] = set()
        ahead = [key]
        while ahead:
            current = ahead.pop()
            if current in seen or (current.begins and current is not key):
                continue
            seen.add(current)
            if self.graph.nodes[current.node].weight is Weight.STEP:
                found[current.node] = None
            else:
                ahead += self.edges[current]
        return self.graph.nodes[next(iter(found)) if len(found) == 1 else key.node].site


def _is_label(node: Node) -> bool:
    return node.op is None and node.condition is None and node.enter is None and node.leave is None and not node.end


def _begins(node: Node, mode: Mode) -> bool:
    if node.enter is not None or node.weight is Weight.STEP:
        return True
    return node.weight is Weight.GHOST and mode is Mode.ENTRY


def _terminator(node: Node, following: tuple[Key, ...], numbers: dict[Key, int]) -> Terminator:
    if not following:
        return End()
    if node.condition is None:
        return Jump(numbers[following[0]])
    condition: Expr = node.condition
    return Branch(condition, numbers[following[0]], numbers[following[1]], node.site.span)
