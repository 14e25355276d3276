"""The raw control-flow graph of one template: one node per statement, before steps are cut."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from dio_mc.ir.expr import Expr
from dio_mc.ir.ops import Op
from dio_mc.source import Span


class Weight(Enum):
    """What a node is for the cutting of steps."""

    LOCAL = "local"
    """Touches locals only (or stands inside an atomic block): joins the step before it."""
    STEP = "step"
    """Touches shared state, chooses, waits, or begins an atomic block: begins a step of its own."""
    GHOST = "ghost"
    """Writes history only: joins the step before it, at an entry the one after it."""


@dataclass(frozen=True, slots=True)
class RegionKey:
    """A window or operation as it occurs in one template; `arguments` are (parameter, local name). A window is part of
    the model's text, and where one is entered a location may begin; an operation is a region only since a property
    asks, so nothing begins there."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    occurrence: int
    window: bool


@dataclass(frozen=True, slots=True)
class Site:
    """Where a statement stands: for names of locations, traces and messages.

    `code` is the statement in full where `text`, one line of it, is not; `arguments` are those of each of the
    operations: the local's name, empty where there is none, and what to call it.
    """

    span: Span
    text: str
    anchor: str | None
    operations: tuple[str, ...]
    name: str
    code: str = ""
    arguments: tuple[tuple[tuple[str, str], ...], ...] = ()


@dataclass(slots=True)
class Node:
    """One statement. `condition` makes it a branch (`next` if it holds, `orelse` otherwise); `enter`/`leave` are region
    markers; `end` is the end of the thread; none of these and no `op` is a label or the start of an atomic block."""

    weight: Weight
    site: Site
    op: Op | None = None
    condition: Expr | None = None
    enter: RegionKey | None = None
    leave: RegionKey | None = None
    end: bool = False
    next: int = -1
    orelse: int = -1


Edge = tuple[int, bool]
"""A dangling edge: a node and whether it is its `orelse`."""


@dataclass(slots=True)
class Graph:
    """Nodes and the edges that still dangle at the point where the next node goes."""

    nodes: list[Node] = field(default_factory=list)
    dangling: list[Edge] = field(default_factory=list)
    start: int = -1

    def emit(self, node: Node) -> int:
        """Append a node after the current point."""
        index = self._add(node)
        self._attach(index)
        self.dangling = [] if node.end else [(index, False)]
        return index

    def branch(self, node: Node) -> tuple[list[Edge], list[Edge]]:
        """Append a branch; returns the dangling edges of its two sides and leaves nothing dangling."""
        index = self._add(node)
        self._attach(index)
        self.dangling = []
        return [(index, False)], [(index, True)]

    def label(self, site: Site) -> int:
        """A point that can be jumped to; not yet reached from the current one."""
        return self._add(Node(Weight.LOCAL, site))

    def go_to(self, label: int) -> None:
        """Jump; the current point becomes unreachable."""
        self._attach(label)
        self.dangling = []

    def mark(self, label: int) -> None:
        """Go on from a label."""
        self._attach(label)
        self.dangling = [(label, False)]

    def _add(self, node: Node) -> int:
        self.nodes.append(node)
        if self.start < 0:
            self.start = len(self.nodes) - 1
        return len(self.nodes) - 1

    def _attach(self, index: int) -> None:
        for source, orelse in self.dangling:
            if orelse:
                self.nodes[source].orelse = index
            else:
                self.nodes[source].next = index
