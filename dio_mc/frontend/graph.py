"""The raw control-flow graph of one template: one node per statement, before it is cut into steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from dio_mc.ir.expr import Expr
from dio_mc.ir.ops import Op
from dio_mc.source import Span


class Weight(Enum):
    """How a node is treated when the graph is cut into steps."""

    LOCAL = "local"
    """Touches locals only (or is inside an atomic block): joins the step before it."""
    STEP = "step"
    """Touches shared state, chooses, waits, or begins an atomic block: begins a new step."""
    GHOST = "ghost"
    """Writes history only: joins the step before it, or at the entry the step after it."""


@dataclass(frozen=True, slots=True)
class RegionKey:
    """An occurrence of a window or operation in one template; `arguments` are (parameter, local name). A location may
    begin where a window is entered, but not where an operation is entered, because an operation is a region only if a
    property refers to it."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    occurrence: int
    window: bool


@dataclass(frozen=True, slots=True)
class Site:
    """The place of a statement, for names of locations, traces and messages.

    `code` is the complete statement if `text`, which is one line of it, is not complete; `arguments` are the arguments
    of each of the operations: the name of the local, empty if there is none, and the name to show. `anchors` has the
    kernel function of each.
    """

    span: Span
    text: str
    anchor: str | None
    operations: tuple[str, ...]
    name: str
    code: str = ""
    arguments: tuple[tuple[tuple[str, str], ...], ...] = ()
    anchors: tuple[str | None, ...] = ()


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
    """The nodes, and the edges that lead to the node that is appended next."""

    nodes: list[Node] = field(default_factory=list)
    dangling: list[Edge] = field(default_factory=list)
    start: int = -1

    def emit(self, node: Node) -> int:
        """Append a node at the current point."""
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
        """A new point that can be jumped to. The current point does not lead to it."""
        return self._add(Node(Weight.LOCAL, site))

    def go_to(self, label: int) -> None:
        """Jump to a label; the current point becomes unreachable."""
        self._attach(label)
        self.dangling = []

    def mark(self, label: int) -> None:
        """Continue at a label."""
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
