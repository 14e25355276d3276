"""An interpreter that runs no step twice: what comes of one is kept under the values that it has read.

A step is a function of what it reads: the first cell it looks at is always the same, the second depends on the value
of the first, and so on. So the interpreter is watched while it runs a step (`_Watched`), and the cells that it has
read, in their order, lead to what it has written. From a state with the same values there, whatever else it holds, the
step does the same. Nothing is known of a step beforehand, so nothing of the program is analysed: a step that reads one
cell more than another has simply a longer way.

It is for many small searches of programs that are alike (`dio_mc.study`): they begin differently, or have some threads
in common, and come by the same steps again and again. What is compiled and learned of them is kept in a `Memory`. The
judge of engines is the interpreter alone.

Where every cell fits into a byte, a search may keep a state as `bytes` (`Remembering.pack`), whose hash is known after
the first look. Negative values are taken modulo 256.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final, NamedTuple, cast

from dio_mc.ir.expr import Expr
from dio_mc.ir.ops import Halt
from dio_mc.ir.program import Program, Template
from dio_mc.ir.types import bounds
from dio_mc.semantics.code import Code, compile_thread
from dio_mc.semantics.evaluation import Evaluate
from dio_mc.semantics.interpreter import Interpreter
from dio_mc.semantics.layout import Layout, State, layout_of
from dio_mc.semantics.machine import Run
from dio_mc.semantics.step import Action, Fault, Step

Packed = bytes | State
"""A state as a search keeps it: a byte for each cell, or the state itself where that is not possible."""
Writes = tuple[tuple[int, int], ...]
"""Cells and what they are given."""


class Learned(NamedTuple):
    """One step of a thread at a location. With a fault it has no successor. `packed` is what it writes into a state of
    bytes."""

    action: Action
    writes: Writes
    packed: Writes
    fault: Fault | None


Leaf = tuple[Learned, ...]
"""The steps of a thread at a location, in the order of choices."""


@dataclass(slots=True)
class Node:
    """Cells that are read one after the other whatever they hold, and by their values what is read then, or what comes
    of it."""

    cells: tuple[int, ...]
    values: Callable[[Sequence[int]], Any] = field(init=False)
    after: dict[Any, Node | Leaf] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.values = itemgetter(*self.cells)

    def split(self, at: int) -> Node:
        """One that asks for the first `at` cells only; the others are asked for where these have led."""
        head, tail = Node(self.cells[:at]), self.cells[at:]
        for values, leaf in self.after.items():
            first, rest = _one(values[:at]), _one(values[at:])
            lower = head.after.setdefault(first, Node(tail))
            assert isinstance(lower, Node)
            lower.after[rest] = leaf
        return head


def _one(values: tuple[int, ...]) -> Any:
    """As `itemgetter` gives them: one value alone is not a tuple."""
    return values[0] if len(values) == 1 else values


# -- what programs have in common --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a thread: its code, what was learned of its steps by location, and whether its cells fit into
    bytes. `of` are the templates that this depends on, which are kept so that their identities stay theirs."""

    code: Code
    steps: dict[int, Node | Leaf]
    fits: bool
    of: tuple[Template, ...]


MOST_LEARNED: Final = 100_000
"""Ways to run a step that are kept of programs that are alike, before all of them are forgotten."""
MOST_KNOWN: Final = 2_000
"""Threads that are kept of them."""
MOST_MEMORIES: Final = 36
"""Memories that are kept: those of the pairs under one rule are about six."""
ROOM: Final = 16
"""Cells for the locals of a thread are given out by so many, where programs are alike."""


class Memory:
    """What was compiled and learned of programs that have the same variables, but for their initial values, and the
    same threads, but not always with the same code.

    The locals of a thread begin at the same cell in all of their states, as long as there is room for them; where a
    program wants more, which is given by multiples of `room`, everything is forgotten.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self.rooms: tuple[int, ...] = ()
        self.learned = 0
        self._known: dict[tuple[int, ...], Known] = {}
        self._halts: dict[int, tuple[Template, bool]] = {}
        self._fits: bool | None = None
        self._layout: tuple[tuple[Template, ...], Layout] | None = None
        self.expressions: dict[int, tuple[Expr, tuple[Evaluate, bool]]] = {}

    def fit(self, program: Program) -> Layout:
        """The layout of a program's states; there is room for its locals afterwards."""
        wanted = _wanted(program)
        if self.learned > MOST_LEARNED or len(self._known) > MOST_KNOWN:
            self._forget()
        if not self.rooms or any(size > room for size, room in zip(wanted, self.rooms, strict=True)):
            before = self.rooms or (0,) * len(wanted)
            self._forget()  # first: this may be stopped at any time
            self.rooms = tuple(
                max(-(-size // self._room) * self._room, room) for size, room in zip(wanted, before, strict=True)
            )
        if self._layout is None or self._layout[0] is not program.templates:  # one after the other begins otherwise
            self._layout = program.templates, layout_of(program, self.rooms)
        return self._layout[1]

    def _forget(self) -> None:
        """Interpreters that have something of it keep that."""
        self.learned = 0
        self._layout = None
        self._known, self._halts, self.expressions = {}, {}, {}

    def threads(self, program: Program, layout: Layout) -> tuple[Known, ...]:
        """What is known of each thread."""
        spawned = [template for template in program.templates if template.spawned]
        everything = program.templates if any(map(self._has_halt, program.templates)) else ()
        found: list[Known] = []
        for number in range(len(program.threads)):
            of = (program.template_of(number), *(everything or spawned))
            key = (number, *map(id, of))
            if key not in self._known:
                self._known[key] = Known(compile_thread(program, layout, number), {}, _fits(program, number), tuple(of))
            found.append(self._known[key])
        return tuple(found)

    def fits(self, program: Program) -> bool:
        """Whether the variables fit into bytes."""
        if self._fits is None:
            self._fits = all(_is_byte(*bounds(variable.type)) for variable in program.variables)
        return self._fits

    def _has_halt(self, template: Template) -> bool:
        """Whether it ends other threads, and so depends on their locals."""
        found = self._halts.get(id(template))
        if found is None:
            found = template, any(isinstance(op, Halt) for block in template.blocks for op in block.ops)
            self._halts[id(template)] = found
        return found[1]


class Memories:
    """The memories of programs that come one after the other, such as those of all pairs under one rule."""

    def __init__(self) -> None:
        self._found: dict[Any, Memory] = {}

    def of(self, program: Program) -> Memory:
        """That of the programs which are like this one. The oldest are forgotten when there are too many."""
        variables = tuple((v.name, v.path, v.shape, v.type, v.any_init) for v in program.variables)
        found = self._found.setdefault((variables, program.threads), Memory())
        while len(self._found) > MOST_MEMORIES:
            del self._found[next(iter(self._found))]
        return found


def _wanted(program: Program) -> list[int]:
    """How many cells each thread wants for its locals. Operations change places from one pair to the next, so what one
    of the threads wants that run them, each may want soon, and gets at once: whatever is learned is forgotten when one
    gets more."""
    templates = [program.template_of(number) for number in range(len(program.threads))]
    most = max((len(one.locals) for one in templates if _is_user(one)), default=0)
    return [most if _is_user(one) else len(one.locals) for one in templates]


def _is_user(template: Template) -> bool:
    """Whether it is none of the threads that every program has, or that others start."""
    return not template.daemon and not template.spawned


def _fits(program: Program, thread: int) -> bool:
    template = program.template_of(thread)
    return len(template.locations) <= BYTE.stop and all(_is_byte(*bounds(local.type)) for local in template.locals)


BYTE: Final = range(-128, 128)


def _is_byte(low: int, high: int) -> bool:
    return low in BYTE and high in BYTE


# -- the interpreter ---------------------------------------------------------------------------------------------------


class Remembering(Interpreter):
    """As `Interpreter`, for states that can be reached. What it compiles and learns is kept in a `memory`, which may
    have something from programs that are alike; the caller answers for that they are (`Memories`)."""

    def __init__(self, program: Program, memory: Memory | None = None) -> None:
        self._memory = memory or Memory(room=1)
        layout = self._memory.fit(program)
        self._threads = self._memory.threads(program, layout)
        super().__init__(program, layout)
        self._shared = self._memory.expressions
        self._fits = self._memory.fits(program) and all(known.fits for known in self._threads)
        self.lanes = tuple(
            (thread, pc, known.steps) for (thread, pc), known in zip(self._pcs, self._threads, strict=True)
        )

    def _compiled(self) -> tuple[Code, ...]:
        return tuple(known.code for known in self._threads)

    def compiled(self, expr: Expr) -> tuple[Evaluate, bool]:
        """As that of the interpreter, which programs that are alike have in common."""
        found = self._shared.get(id(expr))
        if found is None:
            found = self._shared[id(expr)] = expr, super().compiled(expr)
        return found[1]

    # -- packed states ----------------------------------------------------------------------------------------------

    def pack(self, state: State) -> Packed:
        """The state as a search keeps it."""
        return array("b", state).tobytes() if self._fits else state

    def unpack(self, packed: Packed) -> State:
        """The state that was packed."""
        return tuple(memoryview(packed).cast("b")) if isinstance(packed, bytes) else packed

    @property
    def after(self) -> Callable[[Any, Learned], Packed]:
        """Gives the packed state that a step leads to from a packed state."""
        return _after_in_bytes if self._fits else _after

    # -- steps ------------------------------------------------------------------------------------------------------

    def _steps_of(self, state: State, thread: int, location: int) -> list[Step]:
        found = self._threads[thread].steps.get(location)
        while isinstance(found, Node):
            found = found.after.get(found.values(state))
        if found is None:
            found = self.learn(state, thread, location)
        return [Step(one.action, _after(state, one) if one.fault is None else None, one.fault) for one in found]

    def learn(self, packed: Packed, thread: int, location: int) -> Leaf:
        """Run the step, and keep what comes of it under what it reads."""
        code = self._codes[thread]
        watched = _Watched(self.unpack(packed), {})
        run = Run(cast(list[int], watched), thread, code.begin[location], code.spans[location])
        idle = dict(code.arrive[location])
        del idle[self.layout.pc[thread]]
        leaf = tuple(
            self._learned(code.actions[location], run, fault, idle) for run, fault in list(self._machine.runs([run]))
        )
        self._keep(self._threads[thread].steps, location, packed, tuple(watched.read), leaf)
        self._memory.learned += 1
        return leaf

    @staticmethod
    def _learned(plain: Action, run: Run, fault: Fault | None, idle: dict[int, int]) -> Learned:
        """What came of a run. A dead local has been reset before the step, and need not be again (`idle`)."""
        action = Action(plain.thread, plain.location, run.choice) if run.choice else plain
        if fault is not None:
            return Learned(action, (), (), fault)
        cells = cast(_Watched, run.cells)
        writes = tuple((cell, value) for cell, value in cells.written() if idle.get(cell) != value)
        return Learned(action, writes, tuple((cell, value & 0xFF) for cell, value in writes), None)

    @staticmethod
    def _keep(steps: dict[int, Node | Leaf], location: int, state: Packed, cells: tuple[int, ...], leaf: Leaf) -> None:
        place: dict[Any, Node | Leaf] = steps
        key: Any = location
        while isinstance(node := place.get(key), Node):
            same = _agree(node.cells, cells)
            if same < len(node.cells):
                node = place[key] = node.split(same)
            cells = cells[same:]
            place, key = node.after, node.values(state)
        place[key] = _below(cells, state, leaf)


def _below(cells: tuple[int, ...], state: Packed, leaf: Leaf) -> Node | Leaf:
    """The leaf, asked for by the values of these cells. What may be stopped at any time is put in its place whole."""
    if not cells:
        return leaf
    node = Node(cells)
    node.after[node.values(state)] = leaf
    return node


def _agree(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """How many of the first elements are the same."""
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _after(state: State, step: Learned) -> State:
    cells = list(state)
    for cell, value in step.writes:
        cells[cell] = value
    return tuple(cells)


def _after_in_bytes(state: bytes, step: Learned) -> bytes:
    cells = bytearray(state)
    for cell, value in step.packed:
        cells[cell] = value
    return bytes(cells)


class _Watched(dict[int, int]):
    """The cells of a run, as far as the run has looked at them or written them; all others are those of `state`. A cell
    that is looked at before the run has written it is noted in `read`. Copies, for the alternatives of a choice, note
    what they read in one place, in the order in which they run.

    An interpreter takes this for the list of cells: it asks for one, sets one, copies all, and asks whether a run has
    the cells that it had before, in a loop, which is then endless.
    """

    def __init__(self, state: State, read: dict[int, None]) -> None:
        super().__init__()
        self.state, self.read = state, read

    def __missing__(self, cell: int) -> int:
        """Look at a cell for the first time."""
        self.read[cell] = None
        value = self[cell] = self.state[cell]
        return value

    def __iter__(self) -> Iterator[Any]:
        """The cells of the run as it compares them with those that it had before: those that differ from `state`, with
        their values. They are in the order in which the run came by them, which is one order for as long as it goes
        on, so two comparisons are equal where all cells are."""
        state = self.state
        return iter([(cell, value) for cell, value in self.items() if state[cell] != value])

    def copy(self) -> _Watched:
        """With what was written so far; what is read is noted in the same place."""
        found = _Watched(self.state, self.read)
        found.update(self.items())
        return found

    def written(self) -> Iterator[tuple[int, int]]:
        """What the run has changed or may have changed, from a state with the same values in the cells that are `read`:
        a cell that it has not looked at can have held anything before."""
        read, state = self.read, self.state
        return ((cell, value) for cell, value in self.items() if cell not in read or state[cell] != value)
