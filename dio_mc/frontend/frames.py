"""The state of compiling one thread template: the graph so far, and a frame per inlined function."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from dio_mc.frontend import expressions
from dio_mc.frontend.context import Context, Scope
from dio_mc.frontend.graph import Graph, Node, RegionKey, Site, Weight
from dio_mc.frontend.recursion import Entered
from dio_mc.frontend.storage import Storage
from dio_mc.frontend.values import Static, Value
from dio_mc.ir.expr import Expr, Load, walk
from dio_mc.ir.ops import Check, FaultKind, Op, StoreTo, Target
from dio_mc.source import Span, text_of


@dataclass(slots=True)
class TemplateState:
    """The data that all frames of one template's compilation pass share; `name` is the name of the template."""

    name: str
    context: Context
    storage: Storage
    asked_operations: frozenset[str]
    graph: Graph = field(default_factory=Graph)
    touched_locks: dict[str, None] = field(default_factory=dict)
    regions: int = 0
    last_assignment: dict[str, tuple[Scope, ast.AST]] = field(default_factory=dict)


@dataclass(slots=True)
class Loop:
    """The targets of ``break`` and ``continue``, and the number of windows that are open outside the loop."""

    head: int
    exit: int
    windows: int


@dataclass(slots=True)
class Frame:
    """One function being inlined.

    `prefix` starts the names of its locals; `result` is the local for its return value; `exit` is the label after it;
    `inner` is set inside an atomic block (`inherited`: one of the caller), `ghost` inside a statement that only writes
    history. `said` is the call that represents all statements of a lock or another part; `shown` are the arguments of
    each of the operations, as in `Site.arguments`, and `anchors` their kernel functions; `caller` is the place where
    the model calls the part that this function is a method of.
    """

    state: TemplateState
    scope: Scope
    tree: ast.FunctionDef
    prefix: str
    result: str
    exit: int
    operations: tuple[str, ...]
    anchor: str | None
    path: str
    stack: tuple[Entered, ...]
    inner: bool = False
    inherited: bool = False
    ghost: bool = False
    loops: list[Loop] = field(default_factory=list)
    windows: list[RegionKey] = field(default_factory=list)
    arguments: tuple[tuple[str, str], ...] = ()
    said: str = ""
    shown: tuple[tuple[tuple[str, str], ...], ...] = ()
    anchors: tuple[str | None, ...] = ()
    caller: Span | None = None

    @property
    def graph(self) -> Graph:
        """The template's graph."""
        return self.state.graph

    @property
    def storage(self) -> Storage:
        """The template's locals."""
        return self.state.storage

    def local(self, name: str) -> str:
        """The full name of one of this function's locals."""
        return f"{self.prefix}{name}"

    def locate(self, name: str) -> Value | None:
        """The value of a run-time local, for the scope; None if there is none of this name."""
        return self.storage.read(self.local(name))

    def site(self, node: ast.AST, text: str | None = None) -> Site:
        """The site of a statement, with its source text."""
        span = self.scope.span(node)
        code = text if text is not None else text_of(node)
        if self.said and code:
            code = self.said
        shown = shorten(code)
        line = int(getattr(node, "lineno", self.tree.lineno)) - self.tree.lineno
        name = self.path if self.scope.call_site else f"{self.path}+{line}"
        full = code if code != shown else ""
        return Site(span, shown, self.anchor, self.operations, name, full, self.shown, self.anchors)

    def emit(self, op: Op | None, node: ast.AST, weight: Weight, text: str | None = None) -> None:
        """Append one statement; inside an atomic block it joins the step."""
        actual = Weight.LOCAL if self.inner else weight
        self.graph.emit(Node(actual, self.site(node, text), op))

    def check(self, condition: Expr, kind: FaultKind, message: str, node: ast.AST) -> None:
        """Append a check that joins the surrounding step."""
        self.graph.emit(Node(Weight.LOCAL, self.site(node), Check(condition, kind, message, self.scope.span(node))))


def shorten(text: str, limit: int = 72) -> str:
    """One line of at most `limit` characters, cut after a statement or otherwise after a word."""
    line = one_line(text)
    if len(line) <= limit:
        return line
    head = line[: limit - 3]
    whole = head.rfind("; ") + 2
    cut = whole if whole > 1 else head.rfind(" ") + 1 or len(head)
    return head[:cut] + "..."


def one_line(code: str) -> str:
    """Statements as one line: ``if a: b; c``."""
    rows = [" ".join(row.split()) for row in code.splitlines() if row.strip()]
    joined = "".join(row + (" " if row.endswith(":") else "; ") for row in rows)
    return joined.removesuffix("; ").rstrip()


@dataclass(frozen=True, slots=True)
class Touched:
    """The variables that expressions read and targets write, as attribute names of the model."""

    shared_reads: frozenset[str]
    ghost_reads: frozenset[str]
    shared_writes: frozenset[str]
    ghost_writes: frozenset[str]


def touched(context: Context, exprs: Iterable[Expr], targets: Sequence[Target] = ()) -> Touched:
    """The shared and ghost variables that a statement touches, by attribute name."""
    reads: dict[bool, set[str]] = {False: set(), True: set()}
    writes: dict[bool, set[str]] = {False: set(), True: set()}
    for expr in exprs:
        for part in walk(expr):
            if isinstance(part, Load):
                variable = context.variables[part.variable]
                reads[variable.ghost].add(str(variable.path[0]))
    for target in targets:
        if isinstance(target, StoreTo):
            variable = context.variables[target.variable]
            writes[variable.ghost].add(str(variable.path[0]))
            for index in target.indices:
                inner = touched(context, [index])
                reads[False] |= inner.shared_reads
                reads[True] |= inner.ghost_reads
    return Touched(frozenset(reads[False]), frozenset(reads[True]), frozenset(writes[False]), frozenset(writes[True]))


def assignment_weight(found: Touched, frame: Frame, node: ast.AST) -> Weight:
    """The weight of an assignment, after checking that history does not influence the program."""
    if found.ghost_reads and (not found.ghost_writes or found.shared_writes) and not frame.ghost:
        names = ", ".join(sorted(found.ghost_reads))
        raise frame.scope.fail(
            "DIO112",
            node,
            f"ghost `{names}` would influence the program",
            "a ghost may be read by ghost statements, asserts and properties only",
        )
    if found.shared_writes:
        return Weight.STEP
    if found.ghost_writes:
        return Weight.GHOST
    return Weight.STEP if found.shared_reads else Weight.LOCAL


def warn_atomicity(found: Touched, frame: Frame, node: ast.AST) -> None:
    """Warn about a statement that a CPU would not execute atomically, unless it is inside ``atomic``."""
    if frame.inner or frame.ghost or frame.scope.call_site is not None:
        return
    both = found.shared_reads & found.shared_writes
    if both:
        frame.scope.warn(
            "DIO302",
            node,
            f"reads and writes `{sorted(both)[0]}` in one step",
            "if the kernel does this under a lock or atomically, say so: `with atomic():`",
        )
        return
    names = sorted(found.shared_reads | found.shared_writes)
    if len(names) > 1:
        frame.scope.warn(
            "DIO301",
            node,
            f"touches {_list(names)} in one step",
            "split it, or say that it is atomic: `with atomic():`",
        )


def _list(names: list[str]) -> str:
    return ", ".join(f"`{n}`" for n in names[:-1]) + f" and `{names[-1]}`"


def is_word(node: ast.expr, word: object, frame: Frame) -> bool:
    """Whether a call's function is this function of the language."""
    if not isinstance(node, ast.Call):
        return False
    match node.func:
        case ast.Name(id=name) if frame.locate(name) is None:
            pass
        case ast.Attribute(value=ast.Name(id=owner)) if owner != frame.tree.args.args[0].arg:
            pass
        case _:
            return False
    found = expressions.reference(node.func, frame.scope)
    return isinstance(found, Static) and found.value is word
