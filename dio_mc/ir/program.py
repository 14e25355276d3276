"""A program: variables, thread templates with their control flow, thread instances, properties. Pure frozen data.

Every engine, encoder, exporter and renderer reads this form. The frontend builds it, `ir.verify` verifies it,
`ir.printer` prints it.
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

    `path` gives a cell's name, with None in place of each index: ``("cache", None, ".dirty")`` is ``cache[1].dirty``.
    `init` has one value per cell; with `any_init` every value of the type is an initial value of every cell. `role` is
    ``lock`` for the parts of locks (they may be hidden or drawn as bars), ``data`` otherwise.
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
        """The name of cell number `cell` (row-major), as a model author writes it."""
        indices: list[int] = []
        for extent in reversed(self.shape):
            indices.append(cell % extent)
            cell //= extent
        parts = iter(reversed(indices))
        return "".join(f"[{next(parts)}]" if piece is None else piece for piece in self.path)


@dataclass(frozen=True, slots=True)
class ScalarShape:
    """A scalar leaf of the model's data; `variable` is the position of its variable."""

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

    def field(self, name: str) -> Shape | None:
        """The shape of a field; None if there is none of this name."""
        return next((shape for known, shape in self.fields if known == name), None)


@dataclass(frozen=True, slots=True)
class ArrayShape:
    """An array of `size` elements of one shape. Its index becomes the next dimension of every variable below it."""

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
    """A point at which a thread can be between two steps.

    `name` is stable under edits elsewhere in the file (``reader+2/direct_read+3``: lines from each ``def``); `text` is
    the next statement; `anchor` is the enclosing kernel function (``fs/direct-io.c:direct_io_worker``); `operations`
    are the names of the enclosing inlined operations, outermost first; `kills` are the locals that are dead here and
    are reset on arrival; `block` is the block where the step begins. Location 0 is the end (or the idle slot) and has
    block -1. `code` is the full statement, with line breaks, if `text` is shortened. `arguments` holds, per operation,
    its arguments as (local, name): the local may be dead here, and is None if there is none. `anchors` holds the
    kernel function of each operation, which is that of the one around it if it names none.
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
    anchors: tuple[str | None, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Template:
    """The code of a thread, shared by its instances.

    `entry` is the block where an instance starts; its local prefix runs before the first state (or inside the spawning
    step). The first `parameters` locals are set at the start: to the instance number if the thread takes it, or to the
    arguments of a spawn. A daemon may wait forever; the instances of a spawned template start idle at location 0.
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
    """An instance of a template: `template` is its position, `number` the instance's number, `name` its name in
    traces."""

    name: str
    template: int
    number: int


@dataclass(frozen=True, slots=True)
class Region:
    """A named stretch of code in one template: its locations, and the locals that hold the arguments of the enclosing
    operation, by parameter name. A window in an operation that is called twice gives two regions."""

    name: str
    template: int
    locations: frozenset[int]
    arguments: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Atom:
    """A control proposition that a property uses (``inside("mapped", index=0)``, ``finished(reader)``): its canonical
    text, and its meaning as an expression on states."""

    text: str
    meaning: Expr


PropertyKind = Literal["invariant", "step", "reachable", "always_reachable", "progress"]
LIVENESS: Final = frozenset({"always_reachable", "progress"})
"""The kinds that state what can or must still happen; they are decided on the complete state graph."""

Fairness = Literal["weak", "strong"]
"""Weak: a thread that can run continuously gets a turn. Strong: so does one that can run again and again."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property written by the author.

    `expr` is the compiled form, or None if the body uses what the IR cannot express (then only the solver decides).
    `function` and `model` are the Python function and the final class, for the independent translation to z3. `atoms`
    are the control propositions that occur in `expr`. `fairness` applies to ``progress`` properties: the runs they are
    about.
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

    `name` is ``Class`` or ``Class@pages=2``. `digest` is a hash of the IR text and the format version: equal digests
    mean equal behaviour. `root` maps the author's names to variables.
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
