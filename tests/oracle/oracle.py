"""A second evaluation of models in the modelling language, from docs/language.md. Shares no code with dio_mc.

The module's top level is run as Python with stand-ins for the words of the language (`oracle_words`), bodies become
lists of instructions with jumps (`oracle_code`), expressions are evaluated by Python itself. A state is a tuple: the
value of every variable, and for each thread its frames (function, next instruction, locals). Nothing is merged, nothing
is optimised: a dead local stays in its frame.

What is compared with the checker is a projection: shared values as text, and positions (``t1+3/get+1``: lines from each
``def``, of the calls and of the statement that runs next).
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import CodeType
from typing import Any

from oracle_code import FILE, Function, Index, Instr, Target, Translator
from oracle_parts import PARTS
from oracle_words import (
    NOTHING,
    WORDS,
    Blocked,
    Cells,
    Declared,
    Fault,
    Kind,
    Lock,
    Model,
    Param,
    arrays,
    kind_of,
    locks_in,
    resolve,
    settled,
)

BUFFERS = "store_buffers"
"""The thread that lets stores reach memory, and the variable with all buffers: per thread a tuple of stores, each its
variable, value, and whether earlier ones come first; a last entry None says that the next store is one such."""
PATIENCE = 5000
"""Instructions in one step after which a local loop counts as endless."""

CHOICES = 12
"""Choices in one step beyond which a model is too large."""


class NeedsChoice(Exception):
    """The step chooses among so many options and was not told which."""


class TooLarge(Exception):
    """More than the oracle cares to explore."""


class Source:
    """A model's source taken apart. `params` replaces defaults of parameters."""

    def __init__(self, text: str, name: str = "M", params: Mapping[str, Any] | None = None) -> None:
        tree = ast.parse(text)
        tree.body = [
            n
            for n in tree.body
            if not (isinstance(n, ast.ImportFrom) and (n.module or "").split(".")[0] in ("dio_mc", "z3"))
        ]
        _bind(tree, params or {})
        self.words: dict[str, Any] = {**WORDS, **PARTS, "__name__": "oracle_words", "threads": self.threads}
        exec(compile(tree, FILE, "exec", dont_inherit=True), self.words)
        self.cls = self.words[name]
        self.order = [c for c in reversed(self.cls.__mro__) if c not in (object, Model)]
        self.trees = {
            (c.name, f.name): f
            for c in tree.body
            if isinstance(c, ast.ClassDef)
            for f in c.body
            if isinstance(f, ast.FunctionDef)
        }
        self.declared: dict[str, Any] = {}
        self.pure: dict[str, ast.FunctionDef] = {}
        self.operations: dict[str, Any] = {}
        self.params: dict[str, Any] = {}
        self.properties: dict[str, tuple[Any, Any]] = {}
        self.deadlock = bool(getattr(self.cls, "deadlock", True))
        bodies: dict[str, Any] = {}
        for cls in self.order:
            for attribute, value in vars(cls).items():
                role = getattr(value, "role", None)
                if isinstance(value, Declared | Lock) or (isinstance(value, type) and issubclass(value, Lock)):
                    self.declared[attribute] = value() if isinstance(value, type) else value
                elif isinstance(value, Param):
                    self.params[attribute] = value.value
                elif role is not None and role.word == "thread":
                    bodies[attribute] = role
                elif role is not None and role.word == "operation":
                    self.operations[attribute] = role
                elif role is not None:
                    self.properties[attribute] = role, value
                elif (cls.__name__, attribute) in self.trees and role is None:
                    self.pure[attribute] = self.trees[cls.__name__, attribute]
        self.relaxed = [n for n, d in self.declared.items() if isinstance(d, Declared) and d.ordering == "relaxed"]
        self.room, self.reorders = getattr(self.cls, "store_buffer", 2), getattr(self.cls, "memory_model", "") == "pso"
        self.depths = {n: resolve(r.depth) for n, r in self.operations.items() if r.depth is not None}
        self.durable = {n for c in self.cls.__mro__ for n in vars(c).get("durable", ())}
        self.ghosts = {n for n, d in self.declared.items() if isinstance(d, Declared) and d.ghost}
        self.functions = {key: self._translate(*key) for key in self.trees if self._steps(key)}
        self.instances = self._instances(bodies)
        if self.relaxed:
            self.instances.append((BUFFERS, BUFFERS, 0, True, False))
            self.declared[BUFFERS] = Declared(bool)
        self.numbered = list(self.functions.values())
        for number, function in enumerate(self.numbered):
            function.number = number
        self.names = tuple(name for name, *_ in self.instances)
        self.kinds = {n: self._kind(d) for n, d in self.declared.items()}

    def _steps(self, key: tuple[str, str]) -> bool:
        role = getattr(vars(self.words[key[0]]).get(key[1]), "role", None)
        return role is not None and role.word in ("thread", "operation")

    def _translate(self, owner: str, name: str) -> Function:
        raw = vars(self.words[owner])[name]
        final = getattr(self.cls, name) is raw
        return Translator(
            self, owner, name if final else f"{owner}.{name}", self.trees[owner, name], atomic=hasattr(raw, "atomic")
        ).translate()

    def threads(self, body: Any = None) -> list[int]:
        """``threads()``: all thread ids; ``threads(self.reader)``: those of one body."""
        return [n for n, (_, name, *_) in enumerate(self.instances) if body is None or name == body.__name__]

    def method_of(self, owner: str, name: str) -> tuple[str, str]:
        """What ``Owner.name`` means: the method as that class has it."""
        return next((c.__name__, name) for c in self.words[owner].__mro__ if name in vars(c))

    def method_above(self, owner: str, name: str) -> tuple[str, str]:
        """What ``super().name`` means inside a class."""
        order = self.cls.__mro__
        above = order[order.index(self.words[owner]) + 1 :]
        return next((c.__name__, name) for c in above if name in vars(c))

    def function(self, callee: Any) -> Function:
        """A function by name in the final class, or by class and name."""
        if isinstance(callee, tuple):
            return self.functions[callee]
        owner = next(c for c in self.cls.__mro__ if callee in vars(c))
        return self.functions[owner.__name__, callee]

    def too_deep(self, function: Function, under_way: list[Function]) -> bool:
        """Whether one more call of a function is beyond the depth that it declares."""
        depth = self.depths.get(function.method)
        return depth is not None and sum(one is function for one in under_way) >= depth

    def _instances(self, bodies: dict[str, Any]) -> list[tuple[str, str, int, bool, bool]]:
        """(name, function, number, daemon, spawned) of each thread, spawned operations last."""
        counts = {n: (resolve(r.instances), r.daemon, False) for n, r in bodies.items()}
        spawns = {n: self._spawns(n) for n in [*bodies, *self.operations]}
        waiting = [n for n in self.operations if any(n in spawns[b] for b in bodies)]
        while waiting:
            name = waiting.pop(0)
            if name in counts:
                continue
            by = [n for n in counts if name in spawns[n]]
            slots = resolve(self.operations[name].slots)
            counts[name] = (slots or sum(counts[n][0] for n in by), False, True)
            waiting += [n for n in self.operations if n in spawns[name] and n not in counts]
        found = []
        for name, (count, daemon, spawned) in counts.items():
            for number in range(count):
                found.append((name if count == 1 else f"{name}[{number}]", name, number, daemon, spawned))
        return found

    def _spawns(self, name: str) -> set[str]:
        """The operations that a thread or operation may spawn, through the operations that it calls."""
        found: set[str] = set()
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            here = waiting.pop()
            if here in seen:
                continue
            seen.add(here)
            trees = [t for (_, n), t in self.trees.items() if n == here]
            calls = [n for t in trees for n in ast.walk(t) if isinstance(n, ast.Call)]
            for call in calls:
                if isinstance(call.func, ast.Name) and call.func.id == "spawn":
                    assert isinstance(call.args[0], ast.Attribute)
                    found.add(call.args[0].attr)
                elif isinstance(call.func, ast.Attribute):
                    waiting.append(call.func.attr)
        return found

    def _kind(self, declared: Any) -> Kind:
        """The type of a variable; a lock stands for itself."""
        if isinstance(declared, Lock):
            return declared
        inner = declared.type
        if isinstance(inner, type) and issubclass(inner, Lock):
            inner = inner()
        kind = inner if isinstance(inner, Lock) else kind_of(inner, self.names)
        if declared.per_thread:
            return arrays(len(self.names), kind)
        return kind if declared.size is None else arrays(declared.size, kind)

    def starts(self) -> Iterator[tuple[Any, ...]]:
        """The initial values of all variables."""
        yield from product(*(self._initial(n, d) for n, d in self.declared.items()))

    def _initial(self, name: str, declared: Any) -> list[Any]:
        if name == BUFFERS:
            return [((),) * len(self.names)]
        kind, count = self.kinds[name], len(self.names)
        if isinstance(declared, Lock):
            return [declared.fresh(count)]
        if declared.init is any:
            return kind.values()
        init = getattr(declared, "init", None)
        plain = not (declared.per_thread or declared.size is not None)
        if any(locks_in(_probe(kind))):
            return [_fresh(kind, count)]
        if init is NOTHING:
            return [kind.default()]
        return [init if plain else _spread(init, kind)]


def _bind(tree: ast.Module, given: Mapping[str, Any]) -> None:
    """Give each parameter the value it has in this run, in every class: that given, else the last default."""
    found: list[tuple[str, ast.Call]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="Param")) as call):
                found.append((name, call))
    values = {name: ast.literal_eval(call.args[0]) for name, call in found} | dict(given)
    for name, call in found:
        call.args[0] = ast.copy_location(ast.Constant(values[name]), call.args[0])


def _probe(kind: Any) -> Any:
    while hasattr(kind, "element"):
        kind = kind.element
    return kind


def _fresh(kind: Any, count: int) -> Any:
    if isinstance(kind, Lock):
        return kind.fresh(count)
    return Cells([_fresh(kind.element, count)] * kind.size)


def _spread(init: Any, kind: Any) -> Any:
    """One value for all elements, or a list of them."""
    if not hasattr(kind, "element"):
        return init
    listed = init if isinstance(init, list) else [init] * kind.size
    return Cells([_spread(one, kind.element) for one in listed])


# --- one step ---------------------------------------------------------------------------------------------------------


@dataclass
class Frame:
    """A function under way. `inner`: it was called from an atomic block. `begun`: a step of it has run. `windows`: those
    it stands in, each with whether its first step has run."""

    function: Function
    at: int
    locals: dict[str, Any]
    inner: bool = False
    begun: bool = False
    windows: tuple[tuple[str, bool], ...] = ()


FrozenFrame = tuple[int, int, tuple[Any, ...], bool, tuple[tuple[str, bool], ...]]
State = tuple[tuple[Any, ...], tuple[Any, ...]]
MISSING = "<not assigned>"


class World:
    """A state being changed by one step of one thread."""

    def __init__(self, source: Source, state: State, choices: tuple[int, ...]) -> None:
        self.source = source
        self.me = 0
        self.model = object.__new__(source.cls)
        self.shared: dict[str, Any] = self.model.__dict__
        self.shared.update(source.params)
        self.shared.update(zip(source.declared, state[0], strict=True))
        self.threads: list[tuple[FrozenFrame, ...] | None] = list(state[1])
        self.frames: list[Frame] = []
        self.choices = list(choices)
        self.taken = 0

    def frozen(self) -> State:
        return tuple(self.shared[n] for n in self.source.declared), tuple(self.threads)

    # -- running -------------------------------------------------------------------------------------------------------

    def start(self, thread: int, arguments: list[Any]) -> None:
        """Start a thread and run its local prefix, up to its first step, history or window."""
        function = self.source.function(self.source.instances[thread][1])
        frame = Frame(function, 0, dict(zip(function.parameters, arguments, strict=True)))
        self._run(thread, [frame], moved=None)

    def step(self, thread: int) -> None:
        """One step of a thread."""
        frozen = self.threads[thread]
        assert frozen is not None
        self._run(thread, [self._thaw(f) for f in frozen], moved=False)

    def _run(self, thread: int, frames: list[Frame], moved: bool | None) -> None:
        """`moved` says whether the statement of this step has run; None while there is no step yet."""
        outer = self.me, self.frames
        self.me, self.frames = thread, frames
        self.source.words["me"] = thread
        done = 0
        while frames:
            frame = frames[-1]
            instr = frame.function.code[frame.at]
            weight = "local" if frame.inner else instr.weight
            if weight == "step" and moved is not False:
                break
            if weight == "ghost" and moved is None:
                break
            if weight == "window" and moved is not False:
                break
            if weight == "step":
                moved = True
                for one in frames:
                    one.begun, one.windows = True, tuple((name, True) for name, _ in one.windows)
            done += 1
            if done > PATIENCE:
                raise Fault("endless_loop", -1)
            try:
                self._execute(instr, frame)
            except Fault as fault:
                fault.line = fault.line or _line(fault) or instr.line
                raise
        self.threads[thread] = tuple(self._freeze(f) for f in frames) if frames else None
        if not frames:
            self._check_exit(thread)
        self.me, self.frames = outer
        self.source.words["me"] = self.me

    def _execute(self, instr: Instr, frame: Frame) -> None:
        frame.at += 1
        match instr.act:
            case "do":
                instr.run(self)
            case "branch":
                if not instr.run(self):
                    frame.at = instr.target
            case "jump":
                frame.at = instr.target
            case "call":
                arguments = [self._settled(v) for v in instr.run(self)]
                function = self.source.function(instr.callee)
                if self.source.too_deep(function, [f.function for f in self.frames]):
                    raise Fault("recursion", instr.line)
                frame.at -= 1  # a caller stands at its call
                inner = frame.inner or bool(instr.target)
                self.frames.append(Frame(function, 0, dict(zip(function.parameters, arguments, strict=True)), inner))
            case "return":
                result = frame.locals.get("return") if instr.into else None
                self.frames.pop()
                if self.frames:
                    caller = self.frames[-1]
                    call = caller.function.code[caller.at]
                    caller.at += 1
                    if call.into is not None:
                        caller.locals[call.into] = result

    def _check_exit(self, thread: int) -> None:
        for value in self.shared.values():
            if any(lock.held_by(thread) for lock in locks_in(value)):
                raise Fault("lock_misuse", self.source.function(self.source.instances[thread][1]).def_line)

    def _freeze(self, frame: Frame) -> FrozenFrame:
        values = tuple(frame.locals.get(n, MISSING) for n in frame.function.names)
        return frame.function.number, frame.at, values, frame.begun, frame.windows

    def _thaw(self, frozen: FrozenFrame) -> Frame:
        function = self.source.numbered[frozen[0]]
        values = {n: v for n, v in zip(function.names, frozen[2], strict=True) if v is not MISSING}
        return Frame(function, frozen[1], values, False, frozen[3], frozen[4])

    # -- what instructions ask -----------------------------------------------------------------------------------------

    def value(self, code: CodeType, more: dict[str, Any] | None = None) -> Any:
        """Python's value of an expression; of a relaxed variable, what the thread has stored last."""
        memory = {name: self.shared[name] for name in self.source.relaxed}
        self.shared.update({e[0]: e[1] for e in self.buffer() if e is not None})
        try:
            return eval(code, {**self.source.words, **self.frames[-1].locals, "self": self.model, **(more or {})})
        finally:
            self.shared.update(memory)

    def buffer(self, after: tuple[Any, ...] | None = None) -> tuple[Any, ...]:
        """The running thread's stores; `after` are what it has then."""
        if not self.source.relaxed:
            return ()
        every = list(self.shared[BUFFERS])
        if after is not None:
            every[self.me] = after
            self.shared[BUFFERS] = tuple(every)
        return tuple(every[self.me])

    def full_barrier(self) -> None:
        """Nothing waits in the thread's buffer."""
        self.block_unless(not self.buffer())

    def store_barrier(self) -> None:
        """The next store comes after those that wait."""
        waiting = [e for e in self.buffer() if e is not None]
        self.buffer((*waiting, None) if waiting else ())

    def relaxed_store(self, name: str, value: Any) -> None:
        """At the end of the buffer, if there is room."""
        waiting = [e for e in self.buffer() if e is not None]
        self.block_unless(len(waiting) < self.source.room)
        value = settled(self.source.kinds[name], value)
        self.buffer((*waiting, (name, value, None in self.buffer() and bool(waiting))))

    def drains(self) -> Iterator[State]:
        """Each store that may reach memory next has done so."""
        every = self.shared[BUFFERS]
        for thread, entries in enumerate(every):
            for place, entry in enumerate(e for e in entries if e is not None):
                behind = [e for e in entries[: place + 1] if e is not None]
                late = any(e[2] for e in behind[1:]) or any(e[0] == entry[0] for e in behind[:-1])
                if late or (place and not self.source.reorders):
                    continue
                left = [e for n, e in enumerate(entries) if n != place]
                if left and left[0] is not None:
                    left[0] = (*left[0][:2], False)
                left = [] if left == [None] else left
                after = (*every[:thread], tuple(left), *every[thread + 1 :])
                shared = {**self.shared, entry[0]: entry[1], BUFFERS: after}
                yield tuple(shared[n] for n in self.source.declared), tuple(self.threads)

    def local(self, name: str) -> Any:
        return self.frames[-1].locals[name]

    def open_window(self, name: str) -> None:
        self.frames[-1].windows += ((name, False),)

    def close_window(self) -> None:
        self.frames[-1].windows = self.frames[-1].windows[:-1]

    def set_local(self, name: str, value: Any) -> None:
        self.frames[-1].locals[name] = value

    def fail(self, kind: str, line: int) -> None:
        raise Fault(kind, line)

    def crash(self) -> None:
        """Nobody else goes on; what is neither durable nor history is as it was at first."""
        self.threads = [frames if thread == self.me else None for thread, frames in enumerate(self.threads)]
        for name, declared in self.source.declared.items():
            if name not in self.source.durable and name not in self.source.ghosts:
                (self.shared[name],) = self.source._initial(name, declared)

    def block_unless(self, condition: bool) -> None:
        if not condition:
            raise Blocked

    def choose(self, options: list[Any]) -> Any:
        if not self.choices:
            raise NeedsChoice(len(options))
        self.taken += 1
        if self.taken > CHOICES:
            raise TooLarge
        return options[self.choices.pop(0)](self)

    def may_sleep(self) -> None:
        """Sleeping while holding a spinlock, or what is like one, is misuse."""
        for value in self.shared.values():
            if any(lock.quiet and lock.held_by(self.me) for lock in locks_in(value)):
                raise Fault("lock_misuse")

    def lock(self, place: Target, method: str, arguments: list[Any], into: str | None) -> None:
        indexes = self._indexes(place)
        lock = self._read(place, indexes)
        if method in lock.sleeping:
            self.may_sleep()
        after, result = getattr(lock, method)(self.me, *arguments)
        if isinstance(after, list):  # one of these
            after = self.choose([lambda _, one=one: one for one in after])
        self.shared[place.name] = _replaced(self.shared[place.name], indexes, after)
        if into is not None:
            self.set_local(into, result)

    def spawn(self, name: str, arguments: list[Any]) -> None:
        for thread, (_, function, *_) in enumerate(self.source.instances):
            if function == name and self.source.instances[thread][4] and self.threads[thread] is None:
                self.start(thread, arguments)
                return
        raise Fault("spawn")

    def store(self, targets: list[Target], values: list[Any], annotated: dict[str, CodeType]) -> None:
        """Parallel assignment: values, then indexes, then what fits where, then the writes."""
        if any(t.shared and t.name in self.source.relaxed for t in targets):
            ((target,), (value,)) = targets, values
            self.relaxed_store(target.name, value)
            return
        if any(t.shared and t.name not in self.source.ghosts for t in targets):
            self.full_barrier()
        ways = [self._indexes(t) for t in targets]
        for target, way in zip(targets, ways, strict=True):
            if target.shared:
                self._read(target, way)
        kept = [self._kept(t, w, v, annotated) for t, w, v in zip(targets, ways, values, strict=True)]
        for target, way, value in zip(targets, ways, kept, strict=True):
            if target.shared:
                self.shared[target.name] = _replaced(self.shared[target.name], way, value)
            else:
                self.set_local(target.name, value)

    def _indexes(self, target: Target) -> list[Any]:
        return [self.value(w.code) if isinstance(w, Index) else w for w in target.way]

    def _read(self, target: Target, way: list[Any]) -> Any:
        value = self.shared[target.name]
        for one in way:
            value = getattr(value, one) if isinstance(one, str) else value[one]
        return value

    def _kept(self, target: Target, way: list[Any], value: Any, annotated: dict[str, CodeType]) -> Any:
        """The value as a value of the target's type."""
        if target.shared:
            kind: Any = self.source.kinds[target.name]
            for one in way:
                kind = dict(kind.fields)[one] if isinstance(one, str) else kind.element
            return settled(kind, value)
        if target.name in annotated:
            return settled(kind_of(self.value(annotated[target.name]), self.source.names), value)
        return self._settled(value)

    def _settled(self, value: Any) -> Any:
        """A record that is kept in a local has values of its fields' types."""
        if hasattr(type(value), "__dataclass_fields__"):
            return settled(kind_of(type(value), self.source.names), value)
        return value


def _replaced(value: Any, way: list[Any], new: Any) -> Any:
    """A value with one part of it replaced."""
    if not way:
        return new
    first, *rest = way
    if isinstance(first, str):
        fields = {n: getattr(value, n) for n in value.__dataclass_fields__}
        return type(value)(**{**fields, first: _replaced(fields[first], rest, new)})
    return Cells(_replaced(old, rest, new) if i == first else old for i, old in enumerate(value))


def _line(error: BaseException) -> int:
    """The line of the model in which it was raised; 0 when only its caller knows."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILE:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


# --- all states -------------------------------------------------------------------------------------------------------

Shown = tuple[tuple[str, ...], tuple[str, ...]]
Edge = tuple[int, State | Fault]
"""The thread that took a step, and the state it led to, or the fault it ended in."""


@dataclass
class Graph:
    """All reachable states, in the order in which they were found (breadth first): how many steps away each is, and
    its steps. `at_start` has the faults of local statements before the first state."""

    starts: list[State] = field(default_factory=list)
    depth: dict[State, int] = field(default_factory=dict)
    edges: dict[State, list[Edge]] = field(default_factory=dict)
    at_start: list[Fault] = field(default_factory=list)


@dataclass
class Reached:
    """What is compared: projected states, edges between them, deadlocks; faults as (kind, line)."""

    states: set[Shown] = field(default_factory=set)
    edges: set[tuple[Shown, int, Shown]] = field(default_factory=set)
    deadlocks: set[Shown] = field(default_factory=set)
    faults: set[tuple[str, int]] = field(default_factory=set)
    initial: set[Shown] = field(default_factory=set)


class Oracle:
    """Explores a model."""

    def __init__(self, text: str, name: str = "M", params: Mapping[str, Any] | None = None) -> None:
        self.source = Source(text, name, params)
        self._values: dict[tuple[Any, ...], tuple[str, ...]] = {}
        self._places: dict[Any, str] = {}

    def explore(self, limit: int) -> Reached | None:
        """Everything reachable, projected; None when there are more than `limit` states."""
        graph = self.graph(limit)
        return None if graph is None else self.projected(graph)

    def graph(self, limit: int) -> Graph | None:
        """Everything reachable; None when there are more than `limit` states."""
        try:
            return self._graph(limit)
        except TooLarge:
            return None

    def _graph(self, limit: int) -> Graph:
        found = Graph()
        found.starts = list(dict.fromkeys(self._initial(found)))
        found.depth = dict.fromkeys(found.starts, 0)
        waiting = deque(found.starts)
        while waiting:
            state = waiting.popleft()
            edges = found.edges[state] = list(self.successors(state))
            for _, outcome in edges:
                if not isinstance(outcome, Fault) and outcome not in found.depth:
                    found.depth[outcome] = found.depth[state] + 1
                    waiting.append(outcome)
            if len(found.depth) > limit:
                raise TooLarge
        return found

    def projected(self, graph: Graph) -> Reached:
        """What is compared of a graph."""
        found = Reached(initial={self.show(s) for s in graph.starts}, states={self.show(s) for s in graph.depth})
        found.faults = {(f.kind, f.line) for f in graph.at_start}
        for state, edges in graph.edges.items():
            for thread, outcome in edges:
                if isinstance(outcome, Fault):
                    found.faults.add((outcome.kind, outcome.line))
                else:
                    found.edges.add((self.show(state), thread, self.show(outcome)))
            if not edges and self.unfinished(state):
                found.deadlocks.add(self.show(state))
        return found

    def _initial(self, found: Graph) -> Iterator[State]:
        for shared in self.source.starts():
            world = World(self.source, (shared, (None,) * len(self.source.names)), ())
            try:
                for thread, (_, function, number, _, spawned) in enumerate(self.source.instances):
                    if function == BUFFERS:
                        world.threads[thread] = BUFFERS  # type: ignore[call-overload]  # stands for its frames
                    elif not spawned:
                        world.start(thread, [number] * len(self.source.function(function).parameters))
            except Fault as fault:
                found.at_start.append(fault)
                continue
            yield world.frozen()

    def successors(self, state: State) -> Iterator[Edge]:
        for thread, frames in enumerate(state[1]):
            if frames == BUFFERS:
                yield from ((thread, after) for after in World(self.source, state, ()).drains())
                continue
            waiting: list[tuple[int, ...]] = [()] if frames is not None else []
            while waiting:
                choices = waiting.pop()
                world = World(self.source, state, choices)
                try:
                    world.step(thread)
                except NeedsChoice as asked:
                    waiting += [(*choices, option) for option in range(asked.args[0])]
                except Blocked:
                    continue
                except Fault as fault:
                    yield thread, fault
                else:
                    yield thread, world.frozen()

    def unfinished(self, state: State) -> bool:
        """A thread that is not a daemon has not ended; a spawned one that runs counts."""
        pairs = zip(state[1], self.source.instances, strict=True)
        return any(frames is not None and not daemon for frames, (_, _, _, daemon, _) in pairs)

    # -- what is compared ----------------------------------------------------------------------------------------------

    def show(self, state: State) -> Shown:
        if state[0] not in self._values:
            pairs = [p for p in zip(self.source.declared, state[0], strict=True) if p[0] != BUFFERS]
            self._values[state[0]] = tuple(f"{n}={self._show(self.source.kinds[n], v)}" for n, v in pairs)
        return self._values[state[0]], tuple(self._place(f) for f in state[1])

    def _show(self, kind: Any, value: Any) -> str:
        if isinstance(value, Lock):
            return str(value.show_with(self.source.names))
        if isinstance(kind, Lock) or isinstance(getattr(kind, "element", None), Lock) or any(locks_in(value)):
            return "[" + ", ".join(self._show(kind.element, v) for v in value) + "]"
        return str(kind.show(value))

    def _place(self, frames: Any) -> str:
        if frames is None:
            return "end"
        if frames == BUFFERS:
            return f"{BUFFERS}+1"
        key = tuple((frame[0], frame[1]) for frame in frames)
        if key not in self._places:
            self._places[key] = self._named([(self.source.numbered[f], at) for f, at in key])
        return self._places[key]

    def _named(self, stack: list[tuple[Function, int]]) -> str:
        """Local statements and history at an entry run with the first step: the position is that of the latter, where
        all ways lead to the same one, else that of what runs first."""
        begins: list[tuple[Function, int]] | None = None
        steps: dict[object, list[tuple[Function, int]]] = {}
        seen: set[object] = set()
        ahead = [list(stack)]
        while ahead:
            here = ahead.pop()
            place = tuple((f.key, at) for f, at in here)
            top, at = here[-1]
            instr = top.code[at]
            if place in seen:
                continue
            seen.add(place)
            if begins is None and (instr.weight != "local" or (instr.act == "return" and len(here) == 1)):
                begins = here
            if instr.weight == "step":
                steps[place] = here
            elif instr.act == "call":
                callee = self.source.function(instr.callee)
                if not self.source.too_deep(callee, [f for f, _ in here]):
                    ahead.append([*here, (callee, 0)])
            elif instr.act == "return" and len(here) > 1:
                ahead.append([*here[:-2], (here[-2][0], here[-2][1] + 1)])
            elif instr.act == "branch":
                ahead += [[*here[:-1], (top, instr.target)], [*here[:-1], (top, at + 1)]]
            elif instr.act != "return":
                ahead.append([*here[:-1], (top, instr.target if instr.act == "jump" else at + 1)])
        (chosen,) = steps.values() if len(steps) == 1 else [begins or stack]
        top, at = chosen[-1]
        line = top.def_line if top.code[at].act == "return" and len(chosen) == 1 else top.code[at].line
        calls = [f"{f.key}+{f.code[a].line - f.def_line}" for f, a in chosen[:-1]]
        return "/".join([*calls, f"{top.key}+{line - top.def_line}"])
