"""A second evaluation of models: their Python source is run as Python, under a scheduler. Shares no code with dio_mc.

Thread bodies and operations become generators that yield before every statement that touches shared state. A state is
reached by running a schedule from the start, so nothing is ever copied or undone: a step that turns out to be blocked,
or to need a choice, is a run that is thrown away. What is compared is shared values and positions (function and line).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

ME = "me"


class Blocked(Exception):
    """The step does not exist in this state."""


class Fault(Exception):
    """A run-time fault of the model: its kind."""


class NeedsChoice(Exception):
    """The step chooses among so many options, and the schedule does not say which."""


class Checked(list[Any]):
    """An array: an index outside is a fault, a value outside its range too."""

    def __init__(self, values: list[Any], bounds: tuple[int, int] | None) -> None:
        super().__init__(values)
        self.bounds = bounds

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < len(self):
            raise Fault("index")
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        if not 0 <= index < len(self):
            raise Fault("index")
        in_range(value, self.bounds)
        super().__setitem__(index, value)


def in_range(value: Any, bounds: tuple[int, int] | None) -> None:
    """Numbers stay in their range."""
    if bounds is not None and value is not None and not bounds[0] <= value <= bounds[1]:
        raise Fault("range")


@dataclass
class PlainMutex:
    owner: Any = None

    def lock(self, me: int) -> None:
        if self.owner is not None:
            raise Blocked
        self.owner = me

    def trylock(self, me: int) -> bool:
        if self.owner is not None:
            return False
        self.owner = me
        return True

    def unlock(self, me: int) -> None:
        if self.owner != me:
            raise Fault("lock_misuse")
        self.owner = None

    def held_by(self, me: int) -> bool:
        return bool(self.owner == me)


@dataclass
class PlainRWSem:
    writer: Any = None
    readers: set[int] = field(default_factory=set)

    def down_read(self, me: int) -> None:
        if self.writer is not None or me in self.readers:
            raise Blocked
        self.readers.add(me)

    def up_read(self, me: int) -> None:
        if me not in self.readers:
            raise Fault("lock_misuse")
        self.readers.discard(me)

    def down_write(self, me: int) -> None:
        if self.writer is not None or self.readers:
            raise Blocked
        self.writer = me

    def up_write(self, me: int) -> None:
        if self.writer != me:
            raise Fault("lock_misuse")
        self.writer = None

    def held_by(self, me: int) -> bool:
        return bool(self.writer == me) or me in self.readers


class Shared:
    """The model's data as attributes; numbers are checked against their range."""

    def __init__(self, model: Parsed) -> None:
        object.__setattr__(self, "_bounds", model.bounds)
        for name, make in model.initial.items():
            object.__setattr__(self, name, make())

    def __setattr__(self, name: str, value: Any) -> None:
        in_range(value, self._bounds.get(name))
        object.__setattr__(self, name, value)


LOCKS: dict[str, Callable[[], Any]] = {"Mutex": PlainMutex, "PageLock": PlainMutex, "RWSem": PlainRWSem}


@dataclass
class Parsed:
    """A model's source taken apart: data, threads (name, number of instances, daemon), generator functions."""

    initial: dict[str, Callable[[], Any]] = field(default_factory=dict)
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)
    threads: list[tuple[str, int, bool]] = field(default_factory=list)
    functions: dict[str, Callable[..., Any]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    locks: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)


def parse(text: str) -> Parsed:
    """Read a module with one model class. Its imports are not run."""
    tree = ast.parse(text)
    found = Parsed()
    names: dict[str, Any] = {"Enum": Enum}
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and any(isinstance(b, ast.Name) and b.id == "Enum" for b in node.bases):
            exec(compile(ast.Module([node], []), "<model>", "exec"), names)
    model = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "M")
    for statement in model.body:
        if isinstance(statement, ast.Assign):
            _declaration(statement, found, names)
    for statement in model.body:
        if isinstance(statement, ast.FunctionDef):
            _function(statement, found, names)
    return found


def _declaration(node: ast.Assign, found: Parsed, names: dict[str, Any]) -> None:
    assert isinstance(node.targets[0], ast.Name)
    assert isinstance(node.value, ast.Call)
    assert isinstance(node.value.func, ast.Name)
    name, call, kind = node.targets[0].id, node.value, node.value.func.id
    if kind in LOCKS:
        found.initial[name] = LOCKS[kind]
        found.locks.append(name)
        return
    keywords = {k.arg: k.value for k in call.keywords}
    default, bounds = _type(call.args[0], names)
    if "init" in keywords:
        default = eval(compile(ast.Expression(keywords["init"]), "<init>", "eval"), names)
    if bounds is not None and kind == "Var":
        found.bounds[name] = bounds
    if "ghost" in keywords:
        found.ghosts.append(name)
    if kind == "Var":
        found.initial[name] = lambda: default
    else:
        size = ast.literal_eval(keywords["size"])
        found.initial[name] = lambda: Checked([default] * size, bounds)


def _type(node: ast.expr, names: dict[str, Any]) -> tuple[Any, tuple[int, int] | None]:
    if isinstance(node, ast.BinOp):  # T | None
        return None, _type(node.left, names)[1]
    if isinstance(node, ast.Call):
        low, high = (ast.literal_eval(a) for a in node.args)
        return min(max(0, low), high), (low, high)
    assert isinstance(node, ast.Name)
    return (False, None) if node.id == "bool" else (next(iter(names[node.id])), None)


def _function(node: ast.FunctionDef, found: Parsed, names: dict[str, Any]) -> None:
    decorator = node.decorator_list[0]
    word = decorator.func if isinstance(decorator, ast.Call) else decorator
    assert isinstance(word, ast.Name)
    if word.id == "thread":
        keywords = {k.arg: ast.literal_eval(k.value) for k in getattr(decorator, "keywords", [])}
        found.threads.append((node.name, keywords.get("instances", 1), keywords.get("daemon", False)))
    node.decorator_list = []
    rewritten = _Yielding(found).function(node)
    scope = {**names, "__blocked": _block}
    exec(compile(ast.fix_missing_locations(ast.Module([rewritten], [])), "<model>", "exec"), scope)
    found.functions[node.name] = scope[node.name]
    found.lines[node.name] = node.lineno


def _block(condition: bool) -> None:
    if not condition:
        raise Blocked


class _Yielding:
    """Puts a yield before each statement that touches shared state; inside an atomic block there is one before it."""

    def __init__(self, model: Parsed) -> None:
        self.model = model
        self.atomic = False

    def function(self, node: ast.FunctionDef) -> ast.FunctionDef:
        parameters = [*node.args.args, ast.arg("__run")]
        node.args = ast.arguments([], parameters, None, [], [], None, [])
        never = ast.If(ast.Constant(False), [_yield(node)], [])
        node.body = [never, *self.block(node.body)]
        return node

    def block(self, body: list[ast.stmt]) -> list[ast.stmt]:
        return [new for old in body for new in self.statement(old)]

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        match node:
            case ast.If():
                before = [] if self.ghost(node) else self.before(node, node.test)
                test = self.words(node.test)
                new = ast.If(test, self.block(node.body), self.block(node.orelse))
                return [*before, ast.copy_location(new, node)]
            case ast.While():
                leave = ast.If(ast.UnaryOp(ast.Not(), self.words(node.test)), [ast.Break()], [])
                inside = [*self.before(node, node.test), _at(leave, node), *self.block(node.body)]
                return [ast.copy_location(ast.While(ast.Constant(True), inside, []), node)]
            case ast.For():
                new_for = ast.For(node.target, node.iter, self.block(node.body), [])
                return [ast.copy_location(new_for, node)]
            case ast.With():
                before = [] if self.atomic else [_yield(node)]
                outer, self.atomic = self.atomic, True
                body = self.block(node.body)
                self.atomic = outer
                return [*before, *body]
            case _:
                return self.simple(node)

    def simple(self, node: ast.stmt) -> list[ast.stmt]:
        call = getattr(node, "value", None)
        operation = isinstance(call, ast.Call) and _method(call) in self.operations
        if operation and isinstance(node, ast.Assign) and isinstance(call, ast.Call):
            return self.assigned_call(node, call)
        if operation and isinstance(node, ast.Return) and isinstance(call, ast.Call):
            return [ast.copy_location(ast.Return(self.inlined(call)), node)]
        if operation and isinstance(call, ast.Call):
            return [ast.copy_location(ast.Expr(self.inlined(call)), node)]
        before = self.before(node, node)
        return [*before, ast.copy_location(self.words(node), node)]

    @property
    def operations(self) -> set[str]:
        return set(self.model.functions) - {t for t, _, _ in self.model.threads}

    def assigned_call(self, node: ast.Assign, call: ast.Call) -> list[ast.stmt]:
        if not self.shared(node.targets[0]):
            return [ast.copy_location(ast.Assign(node.targets, self.inlined(call)), node)]
        held = ast.Assign([ast.Name("__result", ast.Store())], self.inlined(call))
        store = ast.Assign(node.targets, ast.Name("__result", ast.Load()))
        between = [] if self.atomic else [_yield(node)]
        return [_at(held, node), *between, _at(store, node)]

    def inlined(self, call: ast.Call) -> ast.expr:
        if self.atomic:
            raise NotImplementedError("operations inside atomic blocks are not generated")
        function = ast.Subscript(ast.Name("__run.functions", ast.Load()), ast.Constant(_method(call)), ast.Load())
        function.value = ast.Attribute(ast.Name("__run", ast.Load()), "functions", ast.Load())
        arguments = [ast.Name("self", ast.Load()), *call.args, ast.Name("__run", ast.Load())]
        return _at(ast.YieldFrom(ast.Call(function, arguments, [])), call)

    def before(self, node: ast.stmt, looked_at: ast.AST) -> list[ast.stmt]:
        return [_yield(node)] if not self.atomic and self.shared(looked_at) else []

    def shared(self, node: ast.AST) -> bool:
        """Whether a statement or expression touches shared state (history does not count), waits or chooses."""
        for part in ast.walk(node):
            own = isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self"
            if own and part.attr in self.model.initial and not self.ghost(node):  # type: ignore[attr-defined]
                return True
            if (
                isinstance(part, ast.Call)
                and isinstance(part.func, ast.Name)
                and part.func.id in ("wait_until", "choose")
            ):
                return True
        return False

    def ghost(self, node: ast.AST) -> bool:
        """Whether a statement only writes history: such a one joins the step before it, its conditions too. A choice
        is a step of its own all the same."""
        if isinstance(node, ast.If) and not any(
            isinstance(n, ast.Name) and n.id == "choose" for n in ast.walk(node.test)
        ):
            return all(self.ghost(s) for s in [*node.body, *node.orelse])
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        return isinstance(target, ast.Attribute) and target.attr in self.model.ghosts

    def words(self, node: Any) -> Any:
        return ast.fix_missing_locations(_Words().visit(node))


class _Words(ast.NodeTransformer):
    """The words of the language as calls of the run."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        run = ast.Name("__run", ast.Load())
        if isinstance(node.func, ast.Name) and node.func.id == "wait_until":
            return ast.copy_location(ast.Call(ast.Name("__blocked", ast.Load()), node.args, []), node)
        if isinstance(node.func, ast.Name) and node.func.id == "choose":
            options = node.args[0] if len(node.args) == 1 else ast.Tuple(node.args, ast.Load())
            return ast.copy_location(ast.Call(ast.Attribute(run, "choose", ast.Load()), [options], []), node)
        if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Attribute | ast.Subscript):
            node.args = [*node.args, ast.Attribute(run, "me", ast.Load())]
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id == ME:
            return ast.copy_location(ast.Attribute(ast.Name("__run", ast.Load()), "me", ast.Load()), node)
        return node


def _method(call: ast.Call) -> str:
    function = call.func
    direct = (
        isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "self"
    )
    return function.attr if direct and isinstance(function, ast.Attribute) else ""


def _yield(node: ast.AST) -> ast.stmt:
    return _at(ast.Expr(ast.Yield(None)), node)


def _at(new: Any, old: ast.AST) -> Any:
    for part in ast.walk(new):
        if not hasattr(part, "lineno"):
            ast.copy_location(part, old)
    return ast.copy_location(new, old)


@dataclass
class Run:
    """One execution of a schedule."""

    functions: dict[str, Callable[..., Any]]
    me: int = 0
    choices: list[int] = field(default_factory=list)

    def choose(self, options: Any) -> Any:
        listed = list(options)
        if not listed:
            raise Blocked
        if not self.choices:
            raise NeedsChoice(len(listed))
        return listed[self.choices.pop(0)]


Decision = tuple[int, tuple[int, ...]]
"""A thread and what it chooses in its step."""


@dataclass(frozen=True)
class Snapshot:
    """What is compared (`shown`), and what tells states apart while exploring (`exact`: with every local)."""

    shown: tuple[tuple[str, ...], tuple[str, ...]]
    exact: tuple[Any, ...]
    unfinished: bool


@dataclass
class Result:
    """Everything reachable, as far as it is compared."""

    states: set[Any] = field(default_factory=set)
    deadlocks: set[Any] = field(default_factory=set)
    faults: set[tuple[str, int]] = field(default_factory=set)


class Direct:
    """Explores a parsed model by running it."""

    def __init__(self, model: Parsed) -> None:
        self.model = model
        self.instances = [(n, k, d) for n, count, d in model.threads for k in range(count)]

    def explore(self, limit: int) -> Result | None:
        """Every reachable state; None when there are more than `limit`."""
        result = Result()
        start = self.run([])
        seen = {start.exact}
        frontier: list[tuple[list[Decision], Snapshot]] = [([], start)]
        while frontier:
            schedule, here = frontier.pop()
            result.states.add(here.shown)
            moved = False
            for outcome, decision in self.successors(schedule):
                moved = True
                if isinstance(outcome, Snapshot) and outcome.exact not in seen:
                    seen.add(outcome.exact)
                    frontier.append(([*schedule, decision], outcome))
                elif not isinstance(outcome, Snapshot):
                    result.faults.add(outcome)
            if not moved and here.unfinished:
                result.deadlocks.add(here.shown)
            if len(seen) > limit:
                return None
        return result

    def successors(self, schedule: list[Decision]) -> Iterator[tuple[Snapshot | tuple[str, int], Decision]]:
        for thread in range(len(self.instances)):
            waiting: list[tuple[int, ...]] = [()]
            while waiting:
                choices = waiting.pop(0)
                try:
                    yield self.run([*schedule, (thread, choices)]), (thread, choices)
                except NeedsChoice as asked:
                    waiting += [(*choices, option) for option in range(asked.args[0])]
                except Blocked:
                    continue
                except _Faulty as fault:
                    yield (fault.kind, fault.line), (thread, choices)

    def run(self, schedule: list[Decision]) -> Snapshot:
        """Run a schedule from the start. Raises Blocked when its last step does not exist."""
        shared, run = Shared(self.model), Run(self.model.functions)
        generators = []
        for thread, (name, number, _) in enumerate(self.instances):
            function = self.model.functions[name]
            arguments = (shared, number) if function.__code__.co_argcount == 3 else (shared,)
            run.me = thread
            generators.append(function(*arguments, run))
        ended = [not self._advance(g, t, shared, run, ()) for t, g in enumerate(generators)]
        for thread, choices in schedule:
            if ended[thread]:
                raise Blocked
            ended[thread] = not self._advance(generators[thread], thread, shared, run, choices)
        return self._snapshot(shared, generators, ended)

    def _advance(self, generator: Any, thread: int, shared: Shared, run: Run, choices: tuple[int, ...]) -> bool:
        run.me, run.choices = thread, list(choices)
        try:
            next(generator)
        except StopIteration:
            held = [n for n in self.model.locks if getattr(shared, n).held_by(thread)]
            if held:
                raise _Faulty("lock_misuse", self.model.lines[self.instances[thread][0]]) from None
            return False
        except (Fault, AssertionError) as error:
            kind = "assertion" if isinstance(error, AssertionError) else str(error)
            raise _Faulty(kind, _line(error)) from None
        return True

    def _snapshot(self, shared: Shared, generators: list[Any], ended: list[bool]) -> Snapshot:
        values = tuple(_show(getattr(shared, name)) for name in self.model.initial)
        places, frames = [], []
        for generator, over in zip(generators, ended, strict=True):
            chain = [] if over else list(_frames(generator))
            names = [(f.f_code.co_name, f.f_lineno - self.model.lines[f.f_code.co_name]) for f in chain]
            places.append("/".join(f"{n}+{line}" for n, line in names) or "end")
            frames.append(tuple((n, _locals(f)) for n, f in zip(names, chain, strict=True)))
        alive = any(not over and not d for over, (_, _, d) in zip(ended, self.instances, strict=True))
        return Snapshot((values, tuple(places)), (values, tuple(frames)), alive)


class _Faulty(Exception):
    def __init__(self, kind: str, line: int) -> None:
        super().__init__(kind)
        self.kind, self.line = kind, line


def _line(error: BaseException) -> int:
    """The line of the model in which it was raised."""
    trace, line = error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<model>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _frames(generator: Any) -> Iterator[Any]:
    while generator is not None and getattr(generator, "gi_frame", None) is not None:
        yield generator.gi_frame
        generator = generator.gi_yieldfrom


def _locals(frame: Any) -> tuple[Any, ...]:
    return tuple(sorted((n, repr(v)) for n, v in frame.f_locals.items() if n not in ("self", "_Direct__run", "__run")))


def _show(value: Any) -> str:
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, list):
        return "[" + ", ".join(_show(v) for v in value) + "]"
    if isinstance(value, PlainMutex):
        return f"owner={value.owner}"
    if isinstance(value, PlainRWSem):
        return f"writer={value.writer} readers={sorted(value.readers)}"
    return str(value)
