"""A program: variables, thread templates with their control flow, thread instances, properties. Pure frozen data.

This is what every engine, encoder, exporter and renderer reads. It is built by the frontend, verified by
`ir.verify`, printed by `ir.printer`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import prod
from typing import Any, Final, Literal

from dio_mc.ir.expr import Expr
from dio_mc.ir.ops import Block
from dio_mc.ir.types import ScalarType
from dio_mc.source import Span


@dataclass(frozen=True, slots=True)
class Variable:
    """A shared or ghost variable: a row-major array of scalars (`shape` is empty for a single cell).

    `path` spells a cell's name with None where an index stands: ``("cache", None, ".dirty")`` is ``cache[1].dirty``.
    `init` has one value per cell; with `any_init` every value of the type is an initial value of every cell.
    `role` is ``lock`` for the parts of locks (they may be hidden or drawn as bars), ``data`` otherwise.
    """

    name: str
    path: tuple[str | None, ...]
    shape: tuple[int, ...]
    type: ScalarType
    init: tuple[int, ...]
    any_init: bool = False
    ghost: bool = False
    role: Literal["data", "lock"] = "data"
    span: Span | None = field(default=None, compare=False)

    @property
    def size(self) -> int:
        """Number of cells."""
        return prod(self.shape)

    def cell_name(self, cell: int) -> str:
        """The name of cell number `cell` (row-major) as a model author writes it."""
        indices: list[int] = []
        for extent in reversed(self.shape):
            indices.append(cell % extent)
            cell //= extent
        parts = iter(reversed(indices))
        return "".join(f"[{next(parts)}]" if piece is None else piece for piece in self.path)


@dataclass(frozen=True, slots=True)
class ScalarShape:
    """A leaf of the model's data: the position of its variable."""

    variable: int


@dataclass(frozen=True, slots=True)
class RecordShape:
    """Named fields: a frozen dataclass, a part (a lock), a tagged union (its first field is ``tag``), or the model.

    `python_class` is the class whose pure methods may be called on it. `variants` lists a union's classes with their
    field names, in tag order.
    """

    fields: tuple[tuple[str, Shape], ...]
    python_class: Any = field(default=None, compare=False)
    variants: tuple[tuple[Any, tuple[str, ...]], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class ArrayShape:
    """`size` elements of one shape; its index is the next one of every variable below it."""

    size: int
    element: Shape


Shape = ScalarShape | RecordShape | ArrayShape


@dataclass(frozen=True, slots=True)
class LocalVariable:
    """A local of a template after inlining, e.g. ``direct_read.index``; a dead local holds `default`."""

    name: str
    type: ScalarType
    default: int


@dataclass(frozen=True, slots=True)
class Location:
    """Where a thread can stand between steps.

    `name` is stable under edits elsewhere in the file (``reader+2/direct_read+3``: lines from each ``def``); `text` is
    the statement that runs next; `anchor` the kernel function around it (``fs/direct-io.c:direct_io_worker``);
    `operations` the names of the inlined operations around it, outermost first; `kills` the locals that are dead here
    and are reset on arrival; `block` where the step begins. Location 0 is the end (or the idle slot) and has block -1.
    `code` is the statement in full where `text` is not: with its lines, and not cut. `arguments` are those of each of
    the operations: a local, which may be dead here (None where there is none), and what to call it then.
    """

    name: str
    block: int
    text: str
    anchor: str | None
    operations: tuple[str, ...]
    kills: tuple[int, ...]
    span: Span | None = field(default=None, compare=False)
    code: str = field(default="", compare=False)
    arguments: tuple[tuple[tuple[int | None, str], ...], ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Template:
    """The code of a thread, shared by its instances.

    `entry` is the block where an instance starts; its local prefix runs before the first state (or inside the spawning
    step). The first `parameters` locals are set by the start: the instance number if the thread asks for it, the
    arguments of a spawn. A daemon may wait forever; a spawned template's instances start idle at location 0.
    """

    name: str
    daemon: bool
    spawned: bool
    parameters: int
    locals: tuple[LocalVariable, ...]
    blocks: tuple[Block, ...]
    locations: tuple[Location, ...]
    entry: int
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Thread:
    """An instance: its template (position), its number among the template's instances, its name in traces."""

    name: str
    template: int
    number: int


@dataclass(frozen=True, slots=True)
class Region:
    """A named stretch of code in one template: the locations inside it and the locals that hold the arguments of the
    operation around it, by parameter name. One window in an operation that is called twice gives two regions."""

    name: str
    template: int
    locations: frozenset[int]
    arguments: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Atom:
    """A proposition about control that a property uses (``inside("mapped", index=0)``, ``finished(reader)``): its
    canonical text, and what it means on a state."""

    text: str
    meaning: Expr


PropertyKind = Literal["invariant", "step", "reachable", "always_reachable", "progress"]
LIVENESS: Final = frozenset({"always_reachable", "progress"})
"""The kinds that speak of what can or must still happen: they are decided on the graph of all states."""

Fairness = Literal["weak", "strong"]
"""What a run grants its threads: a turn to one that can run all the time, or to one that can run again and again."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property written by the author.

    `expr` is the compiled form, None when the body uses what the IR cannot say (then only the solver decides).
    `function` and `model` are the Python function and final class, for the independent translation to z3.
    `atoms` are the control propositions that occur in `expr`. `fairness` is that of the runs a ``progress`` property
    speaks of.
    """

    name: str
    kind: PropertyKind
    expr: Expr | None
    doc: str
    span: Span
    function: Callable[..., Any] = field(compare=False, repr=False)
    model: Any = field(compare=False, repr=False)
    atoms: tuple[Atom, ...] = ()
    fairness: Fairness = "weak"


@dataclass(frozen=True, slots=True)
class Program:
    """A model with its parameters bound.

    `name` is ``Class`` or ``Class@pages=2``; `digest` a hash of the IR text and the format version, the same for the
    same behaviour. `root` tells how the author's names map to variables.
    """

    name: str
    params: tuple[tuple[str, int], ...]
    variables: tuple[Variable, ...]
    root: RecordShape
    templates: tuple[Template, ...]
    threads: tuple[Thread, ...]
    regions: tuple[Region, ...]
    properties: tuple[Property, ...]
    check_deadlock: bool = True
    file: str = field(default="", compare=False)
    doc: str = field(default="", compare=False)
    digest: str = field(default="", compare=False)

    def template_of(self, thread: int) -> Template:
        """The template of a thread instance."""
        return self.templates[self.threads[thread].template]
